"""What the shop has of items of the catalog, counted: all of their lots, however many, by color."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, Sum

from catalog.models import CatalogItem
from catalog.queries.items import Key, colors_of
from inventory.models import InventoryItem
from inventory.queries.rows import ColorLook, look_of


@dataclass(frozen=True, slots=True)
class Holding:
    """How many lots and pieces of something are there."""

    lots: int = 0
    qty: int = 0

    def __add__(self, other: "Holding") -> "Holding":
        return Holding(self.lots + other.lots, self.qty + other.qty)


Holdings = dict[tuple[Key, int | None], Holding]


def holdings_of(keys: Collection[Key]) -> Holdings:
    """Answer what is there of these items, color by color. One query."""
    if not keys:
        return {}
    wanted = Q()
    for item_type in {kind for kind, _ in keys}:
        wanted |= Q(item_type=item_type, item_no__in=[no for kind, no in keys if kind == item_type])
    rows = (
        InventoryItem.objects.filter(wanted)
        .values("item_type", "item_no", "color_id")
        .annotate(lots=Count("pk"), qty=Sum("qty_available"))
        .order_by()
    )
    return {((row["item_type"], row["item_no"]), row["color_id"]): Holding(row["lots"], row["qty"]) for row in rows}


def held(holdings: Holdings, key: Key, color_id: int | None = None) -> Holding:
    """Answer what is there of one item, in one color or in all."""
    return sum(
        (each for (item, color), each in holdings.items() if item == key and color_id in (None, color)), Holding()
    )


@dataclass(frozen=True, slots=True)
class ColorRow:
    """A color of an item: LEGO's element ids of it, in how many sets it is met, what is there of it.

    `is_known`: False where the shop has lots in a color of which no source knows.
    """

    id: int
    look: ColorLook
    element_ids: tuple[str, ...]
    sets: int | None
    holding: Holding
    is_known: bool = True


def color_rows(item: CatalogItem) -> list[ColorRow]:
    """Answer the colors in which an item exists, then those in which the shop has it all the same. Two queries."""
    key = (item.item_type, item.item_no)
    holdings = {color_id: each for (_, color_id), each in holdings_of([key]).items()}
    known = colors_of(item)
    rows = [
        ColorRow(each.color.id, look_of(each.color.id), each.element_ids, each.qty_known,
                 holdings.pop(each.color.id, Holding()))
        for each in known
    ]  # fmt: skip
    others = [
        ColorRow(color_id, look_of(color_id), (), None, each, is_known=not known)
        for color_id, each in holdings.items()
        if color_id is not None
    ]
    return [*rows, *others]


def lots_by_id(lot_ids: Iterable[UUID]) -> dict[UUID, InventoryItem]:
    """Answer those of the lots that are there, by their keys. One query."""
    return InventoryItem.objects.defer("extra").in_bulk(set(lot_ids))
