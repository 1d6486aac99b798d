"""Sessions follow their orders: what is cancelled, added or taken off while somebody walks."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit import context
from orders import services as orders
from orders.lifecycle import Status
from picker.choices import Leaving, SessionStatus
from picker.models import PickSession, PickSessionOrder
from picker.services import planning
from picker.services.fitting import close_needs, fit
from picker.services.holding import count_anew, leave, lock_session, store


@transaction.atomic
def follow_order(*, order_id: UUID, now: datetime) -> None:
    """Have the session of an order want what the order wants by now. One that isn't picked any more leaves it."""
    entry = PickSessionOrder.objects.filter(order=order_id, left_at__isnull=True).first()
    if entry is None:
        return
    context.describe("picker.follow_order")
    held = orders.hold(order_id)
    session = lock_session(entry.session_id)
    if not session.entries.filter(order=order_id, left_at__isnull=True).exists() or not session.is_open:
        return
    if held.order.status != Status.PICKING:
        leave(session, [order_id], Leaving.GONE, now=now)
        _want_nothing_of(session, order_id)
    elif not fit(session, held.lines):
        return
    count_anew(session)
    store(session)


def _want_nothing_of(session: PickSession, order_id: UUID) -> None:
    if session.status == SessionStatus.DRAFT:
        planning.plan_anew(session)
    else:
        close_needs(session, [order_id])
