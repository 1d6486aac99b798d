"""What can be done to the catalog."""

from catalog.services.connecting import connect, is_connected
from catalog.services.contents import can_look_up_contents, look_up_contents
from catalog.services.exchanging import fetch_rates
from catalog.services.identifying import Identification, Identified, forget_identifications, identify_image
from catalog.services.images import (
    fetch_wanted,
    note_lost,
    note_used,
    offer_images,
    read_image,
    tidy_images,
    want_image,
)
from catalog.services.importing import (
    DumpReport,
    ImportReport,
    build_mappings,
    has_dumps,
    import_dumps,
    import_from,
    start_import,
)
from catalog.services.looking_up import LookedUp, asked_labels, can_look_up, forget_misses, look_up, look_up_anywhere
from catalog.services.numbering import learn_numbers
from catalog.services.offering import (
    accept_offer,
    offer_mapping,
    reject_offer,
    withdraw_all_mappings,
    withdraw_mapping,
)
from catalog.services.pricing import can_fetch_prices, fetch_guide, forget_prices, keep_figures
from catalog.services.refreshing import refresh_stale, stale_count, start_refresh

__all__ = [
    "DumpReport",
    "Identification",
    "Identified",
    "ImportReport",
    "LookedUp",
    "accept_offer",
    "asked_labels",
    "build_mappings",
    "can_fetch_prices",
    "can_look_up",
    "can_look_up_contents",
    "connect",
    "fetch_guide",
    "fetch_rates",
    "fetch_wanted",
    "forget_identifications",
    "forget_misses",
    "forget_prices",
    "has_dumps",
    "identify_image",
    "import_dumps",
    "import_from",
    "is_connected",
    "keep_figures",
    "learn_numbers",
    "look_up",
    "look_up_anywhere",
    "look_up_contents",
    "note_lost",
    "note_used",
    "offer_images",
    "offer_mapping",
    "read_image",
    "refresh_stale",
    "reject_offer",
    "stale_count",
    "start_import",
    "start_refresh",
    "tidy_images",
    "want_image",
    "withdraw_all_mappings",
    "withdraw_mapping",
]
