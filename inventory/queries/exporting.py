"""Lots as file formats take them: streamed in the order in which they were added, in flat memory."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from common import workspace
from inventory.choices import ImportStatus
from inventory.formats.base import Lot
from inventory.models import InventoryImport, InventoryItem, InventoryItemLocation, Location

CHUNK = 3_000
# As Lot has them, but for the last one, its locations.
_COLUMNS = (
    "id", "item_type", "item_no", "item_name", "category_name", "color_id", "color_name", "condition", "completeness",
    "sub_condition", "qty_available", "qty_reserved", "unit_price", "currency", "cost_basis", "sale_percent", "bulk",
    "tier_prices", "description", "remarks", "is_retain", "is_stock_room", "stock_room_id", "weight_grams",
    "low_stock_threshold", "reserved_for", "acquired_from", "date_added", "last_sold_at", "bricklink_lot_id", "extra",
)  # fmt: skip
_FIELDS = [InventoryItem._meta.get_field(name) for name in _COLUMNS]
# What comes as text: most of it is, and the rest is read faster here. JSON is nearly always empty.
_AS_TEXT = frozenset({"UUIDField", "CharField", "TextField", "DateTimeField", "JSONField"})
_TYPES = {
    "BooleanField": "bool", "DecimalField": "numeric", "BigIntegerField": "int8", "PositiveIntegerField": "int4",
    "PositiveSmallIntegerField": "int2",
}  # fmt: skip
_AS = ["text" if (kind := field.get_internal_type()) in _AS_TEXT else _TYPES[kind] for field in _FIELDS]
_TIERS, _ADDED, _SOLD, _EXTRA = map(_COLUMNS.index, ("tier_prices", "date_added", "last_sold_at", "extra"))

Places = dict[str, list[tuple[str, int]]]


def stream_lots(found: "QuerySet[InventoryItem]", *, format_code: str) -> Iterator[Lot]:
    """Answer the lots of a query, oldest first, with what files of that format said beyond our fields."""
    after = ""
    rows = found.order_by("id").values_list(*_COLUMNS)
    while chunk := _copied((rows.filter(id__gt=UUID(after)) if after else rows)[:CHUNK]):
        after = chunk[-1][0]
        places = _places_of([row[0] for row in chunk])
        for row in chunk:
            yield _lot(row, places.get(row[0], ()), format_code)


def _copied(rows: "QuerySet[InventoryItem, Any]") -> list[tuple[Any, ...]]:
    """Answer the rows of a query by COPY, which takes the database and us half as long as asking for them."""
    statement, params = rows.query.sql_with_params()
    with connection.cursor() as cursor, cursor.copy(f"COPY ({statement}) TO STDOUT", params) as copy:
        copy.set_types(_AS)
        return list(copy.rows())


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


def _lot(row: tuple[Any, ...], places: Sequence[tuple[str, int]], format_code: str) -> Lot:
    values = list(row)
    tiers, extra, sold = row[_TIERS], row[_EXTRA], row[_SOLD]
    values[_TIERS] = () if tiers == "[]" else [(step["qty"], Decimal(step["price"])) for step in json.loads(tiers)]
    values[_EXTRA:] = [places, {} if extra == "{}" else json.loads(extra).get(format_code) or {}]
    # The connection speaks UTC.
    values[_ADDED] = datetime.fromisoformat(row[_ADDED])
    if sold is not None:
        values[_SOLD] = datetime.fromisoformat(sold)
    return Lot(*values)


# As one value, since naming thousands of keys in a statement costs more than all the rest.
_PLACES = f"""
SELECT p.inventory_item_id::text, o.code, p.qty
FROM {InventoryItemLocation._meta.db_table} p JOIN {Location._meta.db_table} o ON o.id = p.location_id
WHERE p.inventory_item_id = ANY(%s::uuid[]) AND p.qty > 0 ORDER BY p.inventory_item_id, o.route_key
"""  # noqa: S608  # names come from the models


def _places_of(lot_ids: list[str]) -> Places:
    found: Places = {}
    with connection.cursor() as cursor:
        cursor.execute(_PLACES, [lot_ids])
        for lot_id, code, qty in cursor.fetchall():
            found.setdefault(lot_id, []).append((code, qty))
    return found
