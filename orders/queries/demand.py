"""What open orders want of items, for the floors below."""

from collections.abc import Collection
from typing import Any

from django.db.models import F, Q, Sum, Window
from django.db.models.functions import RowNumber

from catalog.queries.items import Key
from inventory.queries import demand
from inventory.queries.demand import OpenOrder
from orders.lifecycle import PROMISED
from orders.models import OrderLine


def _lines_of(keys: Collection[Key]) -> Any:
    wanted = Q(pk__in=[])
    for item_type in {kind for kind, _number in keys}:
        wanted |= Q(item_type=item_type, item_no__in=[number for kind, number in keys if kind == item_type])
    return OrderLine.objects.filter(wanted, order__status__in=sorted(PROMISED), qty_ordered__gt=0)


def orders_of(keys: Collection[Key], limit: int) -> dict[Key, list[OpenOrder]]:
    """Answer the open orders that contain the items, of each the oldest first and so many at most. One query."""
    place = Window(
        RowNumber(), partition_by=["item_type", "item_no"], order_by=[F("order__ordered_at").asc(), F("id").asc()]
    )
    rows = (
        _lines_of(keys)
        .annotate(place=place)
        .filter(place__lte=limit)
        .order_by("place")
        .values_list(
            "item_type", "item_no", "order_id", "order__external_order_id", "order__status", "color_id", "qty_ordered"
        )
    )
    found: dict[Key, list[OpenOrder]] = {}
    for item_type, item_no, *values in rows:
        found.setdefault((item_type, item_no), []).append(OpenOrder(*values))
    return found


def pieces_of(keys: Collection[Key]) -> dict[tuple[Key, int | None], int]:
    """Answer how many pieces of the items open orders want, color by color. One query."""
    rows = _lines_of(keys).values("item_type", "item_no", "color_id").annotate(pieces=Sum("qty_ordered")).order_by()
    return {((row["item_type"], row["item_no"]), row["color_id"]): row["pieces"] for row in rows}


def register() -> None:
    """Tell the floor of items who answers."""
    demand.register(demand.Source(orders_of=orders_of, pieces_of=pieces_of))
