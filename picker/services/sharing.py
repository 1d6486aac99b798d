"""Several pickers of one session: whose stop is whose. No stop is offered to two."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from common.errors import Conflict, Invalid
from picker.choices import SessionStatus
from picker.errors import SessionClosed
from picker.models import Picker, PickSession, PickStop
from picker.services.holding import lock_session, store

# A device that was heard of since then is told of what it loses before its picker gets there.
HEARD_WITHIN = timedelta(seconds=30)
# Stops that somebody may have in sight already: they stay theirs when the rest is shared.
IN_SIGHT = 3


def note_seen(*, session_id: UUID, user_id: Any, now: datetime, stop_id: UUID | None = None) -> None:
    """Note that somebody's device was heard of, and where they are if that is said. Only of those that take part."""
    values: dict[str, Any] = {"seen_at": now, "updated_at": now}
    if stop_id and PickStop.objects.filter(pk=stop_id, session=session_id).exists():
        values["stop"] = stop_id
    Picker.objects.filter(session=session_id, user=user_id).update(**values)


@transaction.atomic
def join(*, session_id: UUID, user_id: Any, now: datetime) -> PickSession:
    """Take part in a session. What is nobody's becomes theirs; else half of what the one with most has left, from the
    end of the walk, if that one's device was heard of just now. Raises NotFound, SessionClosed.
    """
    session = _held(session_id)
    Picker.objects.update_or_create(session=session, user_id=user_id, defaults={"seen_at": now})
    left = _open_stops(session)
    if any(stop.picker_id == user_id for stop in left):
        return session
    mine = [stop for stop in left if stop.picker_id is None] or _half_of_most(session, left, now=now)
    _give(session, mine, user_id)
    return session


@transaction.atomic
def take_over(*, session_id: UUID, from_id: Any, user_id: Any, now: datetime) -> PickSession:
    """Have all that a colleague has left be one's own: somebody who has gone or is offline. Raises SessionClosed."""
    session = _held(session_id)
    Picker.objects.update_or_create(session=session, user_id=user_id, defaults={"seen_at": now})
    _give(session, [stop for stop in _open_stops(session) if str(stop.picker_id) == str(from_id)], user_id)
    return session


@transaction.atomic
def hand_over(*, session_id: UUID, to_id: Any, user_id: Any, now: datetime) -> PickSession:
    """Have a colleague who takes part get all that one has left. Raises Conflict, SessionClosed."""
    session = _held(session_id)
    if str(to_id) == str(user_id):
        raise Invalid(errors={"/to": ["These stops are yours already."]})
    if not Picker.objects.filter(session=session, user=to_id, user__is_active=True).exists():
        raise Conflict("This colleague doesn't take part yet. They join by opening the session.")
    _give(session, [stop for stop in _open_stops(session) if stop.picker_id == user_id], to_id)
    return session


def _held(session_id: UUID) -> PickSession:
    session = lock_session(session_id)
    if session.status != SessionStatus.ACTIVE:
        raise SessionClosed(f"Session {session.number} is {session.get_status_display().lower()}.")
    return session


def _open_stops(session: PickSession) -> list[PickStop]:
    """Answer the stops where pieces are still to be picked, in walking order."""
    wanted = session.stops.filter(needs__qty__gt=F("needs__qty_picked") + F("needs__qty_missing"))
    return list(wanted.distinct().order_by("position"))


def _half_of_most(session: PickSession, left: Sequence[PickStop], *, now: datetime) -> list[PickStop]:
    heard = set(session.pickers.filter(seen_at__gte=now - HEARD_WITHIN).values_list("user_id", flat=True))
    stops: dict[Any, list[PickStop]] = {}
    for stop in left:
        if stop.picker_id in heard:
            stops.setdefault(stop.picker_id, []).append(stop)
    most = max(stops.values(), key=len, default=[])
    return most[max(IN_SIGHT, (len(most) + 1) // 2) :]


def _give(session: PickSession, stops: Sequence[PickStop], user_id: Any) -> None:
    for stop in stops:
        stop.picker_id = user_id
    if stops:
        store(session, stops=stops)
