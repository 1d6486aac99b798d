"""How sessions end: finished, or cancelled; and how orders are given back."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from audit import context
from events.bus import publish
from orders import services as orders
from orders.choices import Flag
from orders.lifecycle import By, Status
from orders.models import Order, OrderLine
from picker.choices import Leaving, SessionStatus
from picker.errors import SessionClosed
from picker.events import PickSessionCompleted
from picker.models import PickSession
from picker.services.holding import hold_lots_of, hold_session, leave, require_open, store


@transaction.atomic
def cancel_session(*, session_id: UUID, now: datetime, expected_version: int | None = None) -> PickSession:
    """End a session without finishing it: its orders wait again, and keep what was picked. Raises SessionClosed."""
    context.describe("picker.cancel_session")
    session, keys = hold_session(session_id, expected_version=expected_version)
    if session.status == SessionStatus.CANCELLED:
        return session
    require_open(session)
    give_back(keys, now=now)
    leave(session, keys, Leaving.CANCELLED, now=now)
    session.status, session.completed_at = SessionStatus.CANCELLED, now
    store(session, fields=("status", "completed_at"))
    return session


@transaction.atomic
def complete_session(*, session_id: UUID, now: datetime, expected_version: int | None = None) -> PickSession:
    """Finish a session: orders whose lines are settled go on to packing, those with untouched lines wait again.

    What is left short raises the order's flag `problem`. Finished again it stays as it is. Raises SessionClosed.
    """
    context.describe("picker.complete_session")
    session, keys = hold_session(session_id, expected_version=expected_version)
    if session.status == SessionStatus.COMPLETED:
        return session
    if session.status != SessionStatus.ACTIVE:
        raise SessionClosed("Only a session that was started can be finished.")
    leavings = _how_they_leave(keys)
    hold_lots_of([*leavings[Leaving.COMPLETED], *leavings[Leaving.UNTOUCHED]])
    for leaving, mine in leavings.items():
        _send_on(mine, leaving, now=now)
        leave(session, mine, leaving, now=now)
    session.status, session.completed_at = SessionStatus.COMPLETED, now
    store(session, fields=("status", "completed_at"))
    publish(
        PickSessionCompleted(
            session_id=session.pk,
            number=session.number,
            order_ids=tuple(keys),
            picked_items=session.picked_items,
            missing_items=session.missing_items,
        )
    )
    return session


def give_back(order_ids: Sequence[UUID], *, now: datetime) -> None:
    """Have held orders wait again; those that have moved on stay where they are."""
    mine = [order.pk for order in orders.lock_orders(order_ids) if order.status == Status.PICKING]
    hold_lots_of(mine)
    for key in mine:
        orders.change_status(order_id=key, status=Status.PENDING, by=By.SYSTEM, now=now)


def _how_they_leave(order_ids: Sequence[UUID]) -> dict[Leaving, list[UUID]]:
    """Tell held orders apart: those that are picked, those with something untouched, those that have moved on.

    Their lines say so: what was added to them just now is in no walk yet.
    """
    untouched = OrderLine.objects.filter(order__in=order_ids, qty_reserved__gt=F("qty_picked"))
    waiting = set(untouched.values_list("order_id", flat=True))
    found: dict[Leaving, list[UUID]] = defaultdict(list)
    for order in orders.lock_orders(order_ids):
        if order.status != Status.PICKING:
            found[Leaving.GONE].append(order.pk)
        else:
            found[Leaving.UNTOUCHED if order.pk in waiting else Leaving.COMPLETED].append(order.pk)
    return found


def _send_on(order_ids: Sequence[UUID], leaving: Leaving, *, now: datetime) -> None:
    """Have held orders of a finished session go to packing or wait again; what is short is a problem of theirs."""
    if leaving is Leaving.UNTOUCHED:
        give_back(order_ids, now=now)
    if leaving is not Leaving.COMPLETED:
        return
    is_short = Q(qty_missing__gt=0) | Q(qty_short__gt=0)
    short = set(OrderLine.objects.filter(is_short, order__in=order_ids).values_list("order_id", flat=True))
    for key in order_ids:
        orders.change_status(order_id=key, status=Status.PACKING, by=By.SYSTEM, now=now)
        if key in short:
            _flag_short(key, now=now)


def _flag_short(order_id: UUID, *, now: datetime) -> None:
    flags = Order.objects.values_list("flags", flat=True).get(pk=order_id)
    if Flag.PROBLEM not in flags:
        orders.update_order(order_id=order_id, changes={"flags": [*flags, Flag.PROBLEM]}, now=now)
