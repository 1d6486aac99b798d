"""What can be done to the catalog."""

from catalog.services.connecting import connect, is_connected
from catalog.services.identifying import Identification, Identified, forget_identifications, identify_image
from catalog.services.importing import (
    DumpReport,
    ImportReport,
    build_mappings,
    folder_has_dumps,
    import_dumps,
    start_import,
)
from catalog.services.looking_up import LookedUp, can_look_up, forget_misses, look_up, look_up_anywhere

__all__ = [
    "DumpReport", "Identification", "Identified", "ImportReport", "LookedUp", "build_mappings", "can_look_up",
    "connect", "folder_has_dumps", "forget_identifications", "forget_misses", "identify_image", "import_dumps",
    "is_connected", "look_up", "look_up_anywhere", "start_import",
]  # fmt: skip
