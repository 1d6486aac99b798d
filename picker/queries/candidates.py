"""Orders that could be picked together: those that wait and a filter leaves, and what speaks against chosen ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F

from orders.choices import URGENT_FLAGS, Flag, OrderStatus
from orders.models import Order
from orders.queries.filters import Filters, filtered
from orders.queries.orders import OrderRow, rows_of
from picker.choices import OPEN
from picker.models import PickSessionOrder

# More than these are looked at by nobody; a narrower filter shows the rest.
MOST = 200
_PICKABLE = (OrderStatus.NEW, OrderStatus.PENDING, OrderStatus.PICKING)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An order that could be in a session. `problem`: why it can't; `flags`: what to think of before it is."""

    row: OrderRow
    problem: str
    flags: tuple[str, ...]

    @property
    def id(self) -> UUID:
        """Answer its key."""
        return self.row.id


def waiting(filters: Filters, *, limit: int = MOST) -> list[Candidate]:
    """Answer the orders that wait to be picked and that the filter leaves, the most urgent first. Three queries."""
    found = filtered(filters).filter(status=OrderStatus.PENDING).select_related("store")
    ordered = found.order_by(F("ship_by").asc(nulls_last=True), "ordered_at", "id")[:limit]
    return _with_flags(list(ordered), {})


def chosen(order_ids: Sequence[UUID]) -> list[Candidate]:
    """Answer the orders in the sequence given; those that don't exist are left out. Four queries."""
    wanted = list(dict.fromkeys(order_ids))[:MOST]
    if not wanted:
        return []
    found = Order.objects.select_related("store").in_bulk(wanted)
    entries = PickSessionOrder.objects.filter(order__in=wanted, left_at__isnull=True, session__status__in=OPEN)
    taken = dict(entries.values_list("order_id", "session__number"))
    return _with_flags([found[key] for key in wanted if key in found], taken)


def _with_flags(orders: Sequence[Order], taken: dict[UUID, int]) -> list[Candidate]:
    return [
        Candidate(
            row, _problem(order, taken.get(order.pk)),
            tuple(str(Flag(flag).label) for flag in order.flags if flag in URGENT_FLAGS),
        )
        for order, row in zip(orders, rows_of(orders), strict=True)
    ]  # fmt: skip


def _problem(order: Order, session: int | None) -> str:
    if session is not None:
        return f"is in session {session} already"
    if order.status not in _PICKABLE:
        return f"is {order.get_status_display().lower()}"
    return ""
