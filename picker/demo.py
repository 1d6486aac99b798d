"""Walks for the demo's shop: its storage as a map, a session that is done and one that is under way."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from common.ids import new_id
from inventory.models import Location
from orders.lifecycle import Status
from orders.models import Order
from picker import services
from picker.choices import EventType, Layout
from picker.models import PickNeed, PickSession
from picker.services import Pick
from picker.services.setup import save_setup

# Seconds from stop to stop.
_PACE_S = 19
_DONE, _UNDER_WAY = 3, 3


def walk(*, user_id: UUID, now: datetime) -> int:
    """Have somebody pick some of the demo's orders, unless it was done before; answer how many sessions there are."""
    waiting = Order.objects.filter(status=Status.PENDING, flags=[]).order_by("ordered_at")
    keys = list(waiting.values_list("pk", flat=True)[: _DONE + _UNDER_WAY])
    if PickSession.objects.exists() or len(keys) < _DONE + _UNDER_WAY:
        return 0
    _draw_map()
    done = _start(keys[:_DONE], user_id, now=now - timedelta(hours=3))
    end = _pick(done, _needs(done), user_id, missing=2)
    services.complete_session(session_id=done.pk, now=end)
    under_way = _start(keys[_DONE:], user_id, now=now - timedelta(minutes=9))
    needs = _needs(under_way)
    _pick(under_way, needs[: len(needs) // 3], user_id, missing=0)
    return 2


def _draw_map() -> None:
    """Let each zone be an aisle, along which its shelves stand."""
    zones = sorted(set(Location.objects.exclude(zone="").values_list("zone", flat=True)))
    if zones:
        aisles = [{"zone": zone, "aisle": ""} for zone in zones]
        save_setup(values={"layout": Layout.AISLES, "aisles": aisles, "blocks": 2, "spacing": 3, "length": 12})


def _start(order_ids: Sequence[UUID], user_id: UUID, *, now: datetime) -> PickSession:
    session = services.create_session(order_ids=order_ids, now=now)
    services.start_session(session_id=session.pk, now=now)
    return services.join(session_id=session.pk, user_id=user_id, now=now)


def _needs(session: PickSession) -> list[PickNeed]:
    return list(PickNeed.objects.filter(stop__session=session).select_related("stop").order_by("stop__position", "pk"))


def _pick(session: PickSession, needs: Sequence[PickNeed], user_id: Any, *, missing: int) -> datetime:
    """Pick the needs one after the other; of that one a piece isn't there. Answer when the last one was picked."""
    began = session.started_at
    assert began is not None  # noqa: S101  # it was started
    for place, need in enumerate(needs):
        began += timedelta(seconds=_PACE_S)
        lost = 1 if place == missing and missing else 0
        for kind, qty in ((EventType.PICKED, need.qty - lost), (EventType.MISSING, lost)):
            if qty:
                pick = Pick(
                    idempotency_key=str(new_id()), order_line_id=need.order_line_id, event_type=kind, qty=qty,
                    picked_at=began, stop_id=need.stop_id,
                )  # fmt: skip
                services.record_pick(session_id=session.pk, pick=pick, user_id=user_id, now=began)
    return began
