"""Lots as file formats take them: streamed in the order in which they were added, in flat memory."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from common import workspace
from inventory.choices import ImportStatus
from inventory.formats.base import Lot
from inventory.models import InventoryImport, InventoryItem, InventoryItemLocation

CHUNK = 2_000
_COLUMNS = (
    "id", "item_type", "item_no", "item_name", "category_name", "color_id", "color_name", "condition", "completeness",
    "sub_condition", "qty_available", "qty_reserved", "unit_price", "currency", "cost_basis", "sale_percent", "bulk",
    "tier_prices", "description", "remarks", "is_retain", "is_stock_room", "stock_room_id", "weight_grams",
    "low_stock_threshold", "reserved_for", "acquired_from", "date_added", "last_sold_at", "bricklink_lot_id", "extra",
)  # fmt: skip
_TIERS, _EXTRA = _COLUMNS.index("tier_prices"), _COLUMNS.index("extra")

Places = dict[UUID, list[tuple[str, int]]]


def stream_lots(found: "QuerySet[InventoryItem]", *, format_code: str) -> Iterator[Lot]:
    """Answer the lots of a query, oldest first, with what files of that format said beyond our fields."""
    after: UUID | None = None
    rows = found.order_by("id").values_list(*_COLUMNS)
    while True:
        chunk = list((rows.filter(id__gt=after) if after else rows)[:CHUNK])
        if not chunk:
            return
        places = _places_of([row[0] for row in chunk])
        for row in chunk:
            yield _lot(row, places.get(row[0], []), format_code)
        after = chunk[-1][0]


def around_of(format_code: str) -> dict[str, Any]:
    """Answer what the latest file of that format said outside of its rows, if its money was the shop's."""
    run = (
        InventoryImport.objects.filter(
            format=format_code, status=ImportStatus.COMPLETED, file_currency__in=["", workspace.current().currency]
        )
        .order_by("-completed_at")
        .only("around")
        .first()
    )
    return run.around if run else {}


def _lot(row: tuple[Any, ...], places: list[tuple[str, int]], format_code: str) -> Lot:
    values = list(row)
    values[0] = str(row[0])
    values[_TIERS] = [(step["qty"], Decimal(step["price"])) for step in row[_TIERS]] if row[_TIERS] else ()
    values[_EXTRA] = row[_EXTRA].get(format_code) or {}
    return Lot(**dict(zip(_COLUMNS, values, strict=True)), locations=places)


def _places_of(lot_ids: list[UUID]) -> Places:
    rows = (
        InventoryItemLocation.objects.filter(inventory_item__in=lot_ids, qty__gt=0)
        .order_by("inventory_item", "location__route_key")
        .values_list("inventory_item", "location__code", "qty")
    )
    return {lot_id: [(code, qty) for _, code, qty in found] for lot_id, found in groupby(rows, key=itemgetter(0))}
