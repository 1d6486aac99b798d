"""Pieces that were picked lie in totes: at none of the places, and still on hand until their order leaves."""

from collections.abc import Mapping
from uuid import UUID

from events.bus import publish
from inventory.events import InventoryUpdated
from inventory.models import InventoryItem
from inventory.queries.placements import placed_qty
from inventory.services.stock import keep_locations, keep_locations_in_use, write_placements

# By (lot, location): pieces.
Pieces = Mapping[tuple[UUID, UUID], int]


def take_to_totes(*, pieces: Pieces) -> dict[tuple[UUID, UUID], int]:
    """Take pieces from where they lie, as many as the books have there; answer how many of each. Lots are held."""
    there = placed_qty({lot for lot, _place in pieces})
    taken = {key: min(qty, there.get(key, 0)) for key, qty in pieces.items()}
    after = {key: there[key] - qty for key, qty in taken.items() if qty}
    keep_locations({place for _lot, place in after})
    write_placements(after)
    # What follows a lot's places, such as remarks that name them, looks again only where it left one.
    _tell({lot for (lot, _place), qty in after.items() if not qty})
    return {key: qty for key, qty in taken.items() if qty}


def put_down(*, pieces: Pieces) -> None:
    """Put pieces from totes back to their places; those of places that are gone or not in use are unplaced.

    No place gets more than its lot has lying nowhere. Lots are held.
    """
    lots = {lot for lot, _place in pieces}
    open_places = keep_locations_in_use({place for _lot, place in pieces})
    there = placed_qty(lots)
    free = {lot.pk: lot.qty_on_hand for lot in InventoryItem.objects.filter(pk__in=lots)}
    for (lot, _place), qty in there.items():
        free[lot] -= qty
    after = {}
    for (lot, place), qty in sorted(pieces.items()):
        part = min(qty, free.get(lot, 0)) if place in open_places else 0
        if part > 0:
            free[lot] -= part
            after[lot, place] = there.get((lot, place), 0) + part
    write_placements(after)
    _tell({lot for (lot, place) in after if not there.get((lot, place))})


def _tell(lots: set[UUID]) -> None:
    if lots:
        publish(InventoryUpdated(inventory_item_ids=tuple(sorted(lots))))
