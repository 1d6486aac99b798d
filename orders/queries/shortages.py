"""Which lots are waited for."""

from collections.abc import Collection
from uuid import UUID

from orders.lifecycle import PROMISED
from orders.models import OrderLine


def are_waited_for(lot_ids: Collection[UUID]) -> list[UUID]:
    """Answer those of the lots that have pieces which an open order is short of. One query, from a small index."""
    found = OrderLine.objects.filter(
        qty_short__gt=0, inventory_item__in=lot_ids, inventory_item__qty_available__gt=0,
        order__status__in=sorted(PROMISED),
    )  # fmt: skip
    return list(found.values_list("inventory_item_id", flat=True).distinct().order_by("inventory_item_id"))
