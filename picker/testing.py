"""Pick sessions for the tests of this floor and of those above."""

from typing import Any
from uuid import UUID

from django.utils import timezone

from common.ids import new_id
from orders.models import Order
from picker import services
from picker.choices import EventType
from picker.models import PickNeed, PickSession
from picker.services import Pick, Recorded


def make_session(*orders: Order, starts: bool = True, **values: Any) -> PickSession:
    """Answer a session of the orders, started."""
    session = services.create_session(order_ids=[order.pk for order in orders], now=timezone.now(), **values)
    return services.start_session(session_id=session.pk, now=timezone.now()) if starts else session


def say(need: PickNeed, qty: int, kind: str = EventType.PICKED, *, key: str = "", **values: Any) -> Pick:
    """Answer what a device sends of a need."""
    return Pick(
        idempotency_key=key or str(new_id()), order_line_id=need.order_line_id, event_type=kind, qty=qty,
        picked_at=timezone.now(), stop_id=need.stop_id, **values,
    )  # fmt: skip


def record(session: PickSession, pick: Pick, *, user_id: UUID | None = None) -> Recorded:
    """Have a pick arrive."""
    return services.record_pick(session_id=session.pk, pick=pick, user_id=user_id, now=timezone.now())


def needs_of(session: PickSession) -> list[PickNeed]:
    """Answer the needs of a session, in walking order and the order of the totes."""
    found = PickNeed.objects.filter(stop__session=session).select_related("stop", "order_line__order")
    return list(found.order_by("stop__position", "order_line__order__number"))
