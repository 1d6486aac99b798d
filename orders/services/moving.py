"""One step of an order's life: its status, its stock, its events. Inside a service that has locked the order."""

from collections.abc import Sequence
from datetime import datetime

from common.errors import IllegalTransition
from events.bus import publish
from orders import lifecycle
from orders.choices import Flag, OrderStatus
from orders.events import OrderCancelled, OrderShipped, OrderStatusChanged
from orders.lifecycle import By, Effect, Status
from orders.models import Order, OrderLine
from orders.services import holding
from orders.services.holding import Held, set_flags, settle

# What has no meaning any more once it has left or ended.
_DONE_WITH = (Flag.ON_HOLD, Flag.CANCEL_REQUESTED, Flag.ITEMS_CHANGED, Flag.PARTIALLY_SHIPPED)


def check_step(order: Order, end: Status, *, by: By) -> None:
    """Pass, or raise IllegalTransition with what is allowed."""
    start = Status(order.status)
    if lifecycle.is_allowed(start, end, by):
        return
    allowed = lifecycle.allowed(start, by)
    names = ", ".join(str(OrderStatus(each).label).lower() for each in allowed)
    ways = f"It can become {names}." if allowed else "It stays as it is."
    raise IllegalTransition(
        f"This order is {order.get_status_display().lower()}; it can't become {OrderStatus(end).label.lower()}. {ways}",
        allowed=[each.value for each in allowed],
    )


def move(
    held: Held, end: Status, *, by: By, now: datetime, reason: str = "", shipped_at: datetime | None = None
) -> None:
    """Take the step with all that belongs to it. Standing still does nothing. The caller stores what changed.

    Raises IllegalTransition.
    """
    order, lines = held.order, held.lines
    start = Status(order.status)
    if start is end:
        return
    check_step(order, end, by=by)
    todo = lifecycle.effects(start, end)
    if by is By.USER and start is Status.PENDING and end in (Status.PACKING, Status.SHIPPED):
        _pick_all(lines)
    if _begins_anew(start, end, by=by):
        for line in lines:
            line.qty_picked = 0
    order.status, order.status_changed_at, order.status_reason = end, now, reason[:300]
    if Effect.TAKE_BACK in todo:
        order.shipped_at = None
        holding.take_back(order, lines, now=now)
    else:
        if Effect.CONSUME in todo:
            order.shipped_at = shipped_at or now
        settle(order, lines, now=now)
    _lower_flags(held, end, todo)
    ids = (order.pk, order.store_id, order.external_order_id)
    publish(OrderStatusChanged(*ids, before=start.value, after=end.value, by=by.value))
    if Effect.CONSUME in todo:
        publish(OrderShipped(*ids, by=by.value))
    if end is Status.CANCELLED:
        publish(OrderCancelled(*ids, by=by.value, reason=order.status_reason))


def _begins_anew(start: Status, end: Status, *, by: By) -> bool:
    """Tell whether nothing of it is picked any more.

    What had been picked of one that ended went back to its places. Whoever sets one back by hand begins anew; a session
    that gives one back leaves what was picked.
    """
    if start in lifecycle.ENDS:
        return end in lifecycle.PROMISED
    return end is Status.PENDING and lifecycle.is_backwards(start, end) and by is not By.SYSTEM


def _pick_all(lines: Sequence[OrderLine]) -> None:
    """Fulfil without picking: what there is counts as picked."""
    for line in lines:
        line.qty_picked = line.qty_reserved


def _lower_flags(held: Held, end: Status, todo: Sequence[Effect]) -> None:
    order = held.order
    if end in lifecycle.ENDS:
        set_flags(order, remove=[*_DONE_WITH, Flag.PAYMENT_PROBLEM, Flag.PROBLEM])
        order.ships_with_id = None
    elif end in lifecycle.GONE:
        set_flags(order, remove=_DONE_WITH)
    elif Effect.RESERVE in todo and any(line.qty_short for line in held.lines):
        # It is alive again, and its pieces have been sold meanwhile.
        set_flags(order, add=[Flag.PROBLEM])
