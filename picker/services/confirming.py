"""A walk that was done from paper: everything is picked except what is said to be missing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F

from common.errors import Invalid, ProblemError
from jobs import services as jobs
from picker.choices import EventType, SessionStatus
from picker.errors import KeyReused, SessionClosed
from picker.models import PickNeed, PickSession
from picker.queries.sessions import get_session
from picker.services.picks import record_pick
from picker.services.saying import Pick

JOB = "confirm_picks"
# So many needs are confirmed while one waits; more are a job's.
AT_ONCE = 40
# By this figures know picks whose times say nothing.
PREFIX = "paper:"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What became of the needs of a session: how many are settled now, and what was refused, in words."""

    settled: int
    refused: tuple[str, ...]


def open_needs(session: PickSession) -> list[PickNeed]:
    """Answer what is still to be picked, in walking order."""
    needs = PickNeed.objects.filter(stop__session=session, qty__gt=F("qty_picked") + F("qty_missing"))
    return list(needs.select_related("stop", "order_line").order_by("stop__position", "pk"))


def check(session: PickSession, missing: Mapping[UUID, int]) -> None:
    """Pass, or raise Invalid by need where more is missing than is wanted, SessionClosed where nobody picks."""
    if session.status != SessionStatus.ACTIVE:
        raise SessionClosed(f"Session {session.number} is {session.get_status_display().lower()}.")
    left = {need.pk: _left(need) for need in open_needs(session)}
    wrong = {key: left[key] for key, qty in missing.items() if key in left and not 0 <= qty <= left[key]}
    if wrong:
        raise Invalid(errors={f"/{key}": [f"At most {most:,}."] for key, most in wrong.items()})


def confirm(
    *, session_id: UUID, missing: Mapping[UUID, int], key: str, user_id: Any, now: datetime
) -> Confirmed | UUID:  # fmt: skip
    """Note all that is open as picked, except pieces that are `missing`, by need; answer what became of it, or the job.

    Each need is a transaction of its own and known again by the form's `key` (8 characters), so that a second press
    does nothing twice. Raises Invalid by need, SessionClosed, NotFound.
    """
    session = get_session(session_id)
    check(session, missing)
    needs = open_needs(session)
    if len(needs) <= AT_ONCE:
        return _settle(session, needs, missing, key=key, user_id=user_id, now=now)
    args = {
        "session_id": str(session_id), "key": key, "user_id": str(user_id),
        "missing": {str(need): qty for need, qty in missing.items() if qty},
    }  # fmt: skip
    return jobs.start(JOB, key=f"{session_id}:{key}", args=args, label=f"Confirm session {session.number}").pk


def confirm_step(
    *, session_id: UUID, missing: Mapping[UUID, int], key: str, user_id: Any, now: datetime
) -> Iterator[tuple[int, int, str]]:  # fmt: skip
    """Settle need by need; yield after each how many are done, of how many, and what was refused, if it was."""
    session = get_session(session_id)
    needs = open_needs(session)
    for done, need in enumerate(needs, start=1):
        yield done, len(needs), _settle_one(session, need, missing.get(need.pk, 0), key=key, user_id=user_id, now=now)


def _settle(
    session: PickSession, needs: list[PickNeed], missing: Mapping[UUID, int], *, key: str, user_id: Any, now: datetime
) -> Confirmed:
    words = [_settle_one(session, need, missing.get(need.pk, 0), key=key, user_id=user_id, now=now) for need in needs]
    refused = tuple(dict.fromkeys(said for said in words if said))
    return Confirmed(sum(not said for said in words), refused)


def _settle_one(session: PickSession, need: PickNeed, missing: int, *, key: str, user_id: Any, now: datetime) -> str:
    gone = min(missing, _left(need))
    for event_type, qty in ((EventType.PICKED, _left(need) - gone), (EventType.MISSING, gone)):
        if not qty:
            continue
        pick = Pick(
            idempotency_key=f"{PREFIX}{key}:{need.pk.hex}:{event_type[0]}", order_line_id=need.order_line_id,
            stop_id=need.stop_id, event_type=event_type, qty=qty, picked_at=now, notes="On paper",
        )  # fmt: skip
        try:
            record_pick(session_id=session.pk, pick=pick, user_id=user_id, now=now)
        except KeyReused:
            # The first press was faster: it has said what there is to say.
            continue
        except ProblemError as problem:
            place = need.stop.location_code or "no place"
            return f"{place}, {need.order_line.item_no}: {problem.detail or problem.title}"
    return ""


def _left(need: PickNeed) -> int:
    return need.qty - need.qty_picked - need.qty_missing
