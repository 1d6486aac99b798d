"""What people and the system do with an order as a whole: move it on, cancel it, ship it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audit import context
from common.errors import Conflict, Invalid, ProblemError
from orders.choices import PaymentStatus
from orders.lifecycle import PROMISED, By, Status
from orders.models import Order
from orders.services.holding import Held, hold_stock, lock_orders
from orders.services.moving import move

REASON_LENGTH = 300
MAX_AT_ONCE = 500


@transaction.atomic
def change_status(
    *, order_id: UUID, status: str, now: datetime, by: By = By.USER, reason: str = "",
    expected_version: int | None = None,
) -> Order:  # fmt: skip
    """Move an order. To where it is already is no error and does nothing; orders in one parcel are shipped together.

    Raises IllegalTransition with what is allowed, Invalid, NotFound, StaleVersion.
    """
    context.describe("orders.change_status")
    if status not in [each.value for each in Status]:
        raise Invalid(errors={"/status": ["This is no status of an order."]})
    _check_reason(reason)
    end = Status(status)
    held = _hold_parcel(order_id, expected_version) if end is Status.SHIPPED else _hold_one(order_id, expected_version)
    if len(held) > 1:
        # All that the parcel needs at once: order by order, two parcels would wait for each other's lots.
        hold_stock(line for each in held for line in each.lines)
    for each in held:
        # What was added to a session before it was cleared is cleared by that.
        if by is By.SYSTEM and each.order.status == Status.NEW and end is Status.PICKING:
            move(each, Status.PENDING, by=by, now=now)
        move(each, end, by=by, now=now, reason=reason)
        each.finish()
    return held[0].order


def ship_order(*, order_id: UUID, now: datetime, by: By = By.USER, expected_version: int | None = None) -> Order:
    """Have an order and what lies in its parcel leave the house: what was promised to it is gone from the stock.

    Raises IllegalTransition, NotFound, StaleVersion.
    """
    context.describe("orders.ship_order")
    return change_status(order_id=order_id, status=Status.SHIPPED, now=now, by=by, expected_version=expected_version)


def cancel_order(
    *, order_id: UUID, now: datetime, reason: str = "", by: By = By.USER, expected_version: int | None = None
) -> Order:
    """End an order before it ships; its pieces are for sale again. Raises IllegalTransition, NotFound, StaleVersion."""
    context.describe("orders.cancel_order")
    return change_status(
        order_id=order_id, status=Status.CANCELLED, now=now, by=by, reason=reason, expected_version=expected_version
    )


@transaction.atomic
def set_payment(*, order_id: UUID, payment_status: str, now: datetime, expected_version: int | None = None) -> Order:
    """Say by hand how far the payment is. Raises Invalid; Conflict where money was given back; NotFound."""
    context.describe("orders.set_payment")
    if payment_status not in (PaymentStatus.UNPAID, PaymentStatus.SUBMITTED, PaymentStatus.PAID):
        raise Invalid(errors={"/payment_status": ["UNPAID, SUBMITTED or PAID; the others follow from refunds."]})
    [held] = _hold_one(order_id, expected_version)
    order = held.order
    if order.refunded_total:
        raise Conflict("Money of this order was given back; its payment follows from that.")
    order.payment_status = payment_status
    order.paid_at = (order.paid_at or now) if payment_status == PaymentStatus.PAID else None
    held.finish()
    return order


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one order of many; `problem` is why it stayed as it was."""

    order_id: UUID
    external_order_id: str
    problem: str = ""


def change_many(*, order_ids: Sequence[UUID], status: str, now: datetime, reason: str = "") -> list[Outcome]:
    """Move several orders, each by itself: one that can't be moved stays, and says why. One change set.

    Raises Invalid where these are too many at once.
    """
    context.describe("orders.change_status")
    if len(order_ids) > MAX_AT_ONCE:
        raise Invalid(errors={"/order_ids": [f"At most {MAX_AT_ONCE} at once."]})
    numbers = dict(Order.objects.filter(pk__in=order_ids).values_list("pk", "external_order_id"))
    outcomes = []
    for order_id in sorted(numbers):
        try:
            change_status(order_id=order_id, status=status, now=now, reason=reason)
            outcomes.append(Outcome(order_id, numbers[order_id]))
        except ProblemError as problem:
            outcomes.append(Outcome(order_id, numbers[order_id], problem.detail or problem.title))
    return outcomes


def close_old(*, now: datetime, delivered_days: int = 14, shipped_days: int = 45, limit: int = 500) -> int:
    """Complete orders that were delivered, or shipped without a word since, long ago; answer how many."""
    old = Q(status=Status.DELIVERED, status_changed_at__lt=now - timedelta(days=delivered_days)) | Q(
        status=Status.SHIPPED, status_changed_at__lt=now - timedelta(days=shipped_days)
    )
    keys = list(Order.objects.filter(old).order_by("status_changed_at").values_list("pk", flat=True)[:limit])
    for key in keys:
        try:
            change_status(order_id=key, status=Status.COMPLETED, now=now, by=By.SYSTEM)
        except ProblemError:
            # Somebody was quicker, and has moved it elsewhere.
            continue
    return len(keys)


def _check_reason(reason: str) -> None:
    if len(reason) > REASON_LENGTH or "\x00" in reason:
        raise Invalid(errors={"/reason": [f"At most {REASON_LENGTH} characters."]})


def _hold_one(order_id: UUID, version: int | None) -> list[Held]:
    return [Held(order) for order in lock_orders([order_id], expected={order_id: version})]


def _hold_parcel(order_id: UUID, version: int | None) -> list[Held]:
    """Lock an order and those in its parcel; itself first."""
    lead = Order.objects.filter(pk=order_id).values_list("ships_with_id", flat=True).first() or order_id
    keys = set(Order.objects.filter(Q(pk=lead) | Q(ships_with=lead)).values_list("pk", flat=True)) | {order_id}
    orders = lock_orders(keys, expected={order_id: version})
    # What has ended meanwhile doesn't hold the others up.
    together = [
        order
        for order in orders
        if order.pk == order_id or (lead in (order.pk, order.ships_with_id) and order.status in PROMISED)
    ]
    together.sort(key=lambda order: (order.pk != order_id, order.pk))
    return [Held(order) for order in together]
