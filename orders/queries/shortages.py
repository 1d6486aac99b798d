"""What orders are short of, and which lots are waited for."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Q

from orders.lifecycle import PROMISED
from orders.models import OrderLine


@dataclass(frozen=True, slots=True)
class Short:
    """A line of which some pieces aren't there."""

    name: str
    qty: int
    qty_there: int


def lines_short(order_id: UUID) -> list[Short]:
    """Answer the lines of an order of which pieces aren't there, in their order. One query."""
    found = OrderLine.objects.filter(Q(qty_short__gt=0) | Q(qty_missing__gt=0), order=order_id).order_by("position")
    rows = found.annotate(there=F("qty_ordered") - F("qty_short") - F("qty_missing"))
    return [
        Short(f"{row.item_no or row.item_name} {row.color_name}".strip(), row.qty_ordered, row.there) for row in rows
    ]


def are_waited_for(lot_ids: Collection[UUID]) -> list[UUID]:
    """Answer those of the lots that have pieces which an open order is short of. One query, from a small index."""
    found = OrderLine.objects.filter(
        qty_short__gt=0, inventory_item__in=lot_ids, inventory_item__qty_available__gt=0,
        order__status__in=sorted(PROMISED),
    )  # fmt: skip
    return list(found.values_list("inventory_item_id", flat=True).distinct().order_by("inventory_item_id"))
