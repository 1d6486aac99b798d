"""The catalog as one shop sees it: searched by its own mappings first, and with what of it is in stock."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from catalog.queries.items import Key, Known, details_of
from catalog.queries.search import Hit
from inventory.models import InventoryItem
from inventory.queries.demand import OpenOrder, open_orders_of
from inventory.queries.mappings import find_items, meant_by
from inventory.queries.rows import LotRow, places_read, row_of, with_places

__all__ = ["Result", "find_items", "meant_by", "stock_of", "with_stock"]
# Lots of an item that are shown, the largest ones; of a few items a store has hundreds.
LOTS_SHOWN = 100


def stock_of(keys: Iterable[Key]) -> dict[Key, list[LotRow]]:
    """Answer the lots of items, of each the largest first, with where they lie. One query."""
    by_type: dict[str, set[str]] = {}
    for item_type, item_no in keys:
        by_type.setdefault(item_type, set()).add(item_no)
    if not by_type:
        return {}
    asked = Q()
    for item_type, numbers in by_type.items():
        asked |= Q(item_type=item_type, item_no__in=numbers)
    place = Window(
        RowNumber(), partition_by=["item_type", "item_no"], order_by=[F("qty_available").desc(), F("id").asc()]
    )
    shown = InventoryItem.objects.filter(asked).annotate(place=place).filter(place__lte=LOTS_SHOWN)
    lots = with_places(InventoryItem.objects.filter(pk__in=shown.values("pk")).defer("extra"))
    found: dict[Key, list[LotRow]] = {}
    for lot in lots.order_by("-qty_available", "id"):
        found.setdefault((lot.item_type, lot.item_no), []).append(row_of(lot, places_read(lot)))
    return found


@dataclass(frozen=True, slots=True)
class Result:
    """A hit with what is known of the item, and what of it is in stock."""

    hit: Hit
    known: Known
    lots: tuple[LotRow, ...]
    open_orders: tuple[OpenOrder, ...]

    @property
    def qty(self) -> int:
        """Answer how many pieces there are for sale, in the color that was meant."""
        return sum(lot.qty_available for lot in self.lots)


def with_stock(hits: Iterable[Hit]) -> list[Result]:
    """Answer the hits with what is known of the items, in stock, and wanted by open orders. Five queries."""
    shown = list(hits)
    known = details_of({hit.item_id: hit.key for hit in shown})
    keys = {hit.key for hit in shown}
    lots, orders = stock_of(keys), open_orders_of(keys)
    return [
        Result(
            hit,
            known.get(hit.item_id, Known()),
            tuple(lot for lot in lots.get(hit.key, ()) if hit.color_id in (None, lot.color_id)),
            tuple(order for order in orders.get(hit.key, ()) if hit.color_id in (None, order.color_id)),
        )
        for hit in shown
    ]
