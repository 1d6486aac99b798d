"""What is in stock of things that somebody asks about: found by a photo, by a number, in a set."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from inventory.models import InventoryItem
from inventory.queries.lots import places_read, with_places

ItemKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class InStock:
    """A lot of a thing: how many pieces of it are for sale, and where they lie."""

    inventory_item_id: UUID
    qty_available: int
    locations: tuple[str, ...]


def stock_for(items: Iterable[ItemKey]) -> dict[ItemKey, list[InStock]]:
    """Answer the lots of things (type and number), the largest first; those without any aren't in it. One query."""
    wanted = set(items)
    lots = with_places(InventoryItem.objects.filter(item_no__in={number for _, number in wanted}).defer("extra"))
    found: dict[ItemKey, list[InStock]] = {}
    for lot in lots.order_by("-qty_available", "id"):
        key = (lot.item_type, lot.item_no)
        if key in wanted:
            codes = tuple(place.code for place in places_read(lot))
            found.setdefault(key, []).append(InStock(lot.pk, lot.qty_available, codes))
    return found
