"""How fast and how well is picked: by session, picker and week. Grouped where the picks are, so that many are fine."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from common import workspace

# Longer than this between two picks is a pause, and counts as so much.
PAUSE_S = 180
# Until a shop has walked so many stops itself, a stop is taken to last this long.
DEFAULT_STOP_S, TRUSTED_STOPS = 20.0, 100
WEEKS = 12
_PACE_DAYS = 60

# Each pick as it is by now, with the seconds that it took: since the one before of the same person in that session, or
# since the session began. What was confirmed from paper has no times of its own, and is left out.
_PICKS = """
WITH corrected AS (
    SELECT DISTINCT ON (c.corrects_id) c.corrects_id, c.qty FROM picker_pickevent c
    WHERE c.corrects_id IS NOT NULL AND c.picked_at >= %(since)s ORDER BY c.corrects_id, c.id DESC
), picks AS (
    SELECT e.session_id, e.user_id, e.order_line_id, e.stop_id, e.event_type, e.picked_at,
        coalesce(c.qty, e.qty) AS qty,
        least(%(pause)s, greatest(0, extract(epoch FROM e.picked_at - coalesce(
            lag(e.picked_at) OVER (PARTITION BY e.session_id, e.user_id ORDER BY e.picked_at, e.id), s.started_at
        )))) AS seconds
    FROM picker_pickevent e JOIN picker_picksession s ON s.id = e.session_id
    LEFT JOIN corrected c ON c.corrects_id = e.id
    WHERE e.event_type <> 'ADJUSTMENT'
        AND e.idempotency_key NOT LIKE 'paper:%%' AND e.picked_at >= %(since)s AND e.picked_at < %(until)s
)
"""
_SUMS = """
    count(DISTINCT order_line_id) FILTER (WHERE qty > 0), count(DISTINCT stop_id) FILTER (WHERE qty > 0),
    coalesce(sum(qty) FILTER (WHERE event_type = 'PICKED'), 0),
    coalesce(sum(qty) FILTER (WHERE event_type = 'MISSING'), 0), coalesce(sum(seconds), 0),
    count(DISTINCT session_id)
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was picked in some time. `seconds` are those of picking, pauses cut short."""

    lines: int = 0
    stops: int = 0
    picked: int = 0
    missing: int = 0
    seconds: float = 0
    sessions: int = 0
    # Of the sessions whose places are all on the map; None where there is none.
    metres: float | None = None

    def _per_hour(self, count: int) -> float | None:
        return count * 3600 / self.seconds if self.seconds else None

    @property
    def lines_per_hour(self) -> float | None:
        """Answer how many order lines were picked in an hour."""
        return self._per_hour(self.lines)

    @property
    def pieces_per_hour(self) -> float | None:
        """Answer how many pieces were picked in an hour."""
        return self._per_hour(self.picked)

    @property
    def seconds_per_stop(self) -> float | None:
        """Answer how long a stop took, the way to it included."""
        return self.seconds / self.stops if self.stops and self.seconds else None

    @property
    def missing_percent(self) -> float | None:
        """Answer how many of a hundred pieces weren't there."""
        wanted = self.picked + self.missing
        return 100 * self.missing / wanted if wanted else None

    @property
    def minutes(self) -> float:
        """Answer how long was picked."""
        return self.seconds / 60


def _change(now: Figures, before: Figures | None) -> float | None:
    """Answer by how many percent more lines were picked in an hour than before."""
    rate, earlier = now.lines_per_hour, before.lines_per_hour if before else None
    return 100 * (rate / earlier - 1) if rate and earlier else None


def _figures(row: Sequence[Any], metres: float | None = None) -> Figures:
    lines, stops, picked, missing, seconds, sessions = row
    return Figures(lines, stops, int(picked), int(missing), float(seconds), sessions, metres)


def _grouped(key: str, *, since: datetime, until: datetime, where: str = "", **values: Any) -> list[Any]:
    """Answer the sums of each `key`, which stands before them; of an empty one those of all together."""
    columns, group = (f"{key}, {_SUMS}", "GROUP BY 1") if key else (_SUMS, "")
    statement = f"{_PICKS} SELECT {columns} FROM picks {where} {group}"  # noqa: S608  # both are this module's
    with connection.cursor() as cursor:
        cursor.execute(statement, {"since": since, "until": until, "pause": PAUSE_S, **values})
        rows: list[Any] = cursor.fetchall()
    return rows


# --- Weeks ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Week:
    """A week of picking, and the one before to compare it with."""

    start: date
    figures: Figures
    before: Figures | None = None

    @property
    def change(self) -> float | None:
        """Answer by how many percent it was faster than the week before."""
        return _change(self.figures, self.before)


def _week_of(now: datetime) -> datetime:
    """Answer when the week began, by the shop's clock."""
    local = now.astimezone(workspace.current().zone)
    return (local - timedelta(days=local.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)


_WEEK = "date_trunc('week', picked_at AT TIME ZONE %(zone)s)::date"
_METRES = """
SELECT date_trunc('week', completed_at AT TIME ZONE %(zone)s)::date, sum(route_metres) FROM picker_picksession
WHERE completed_at >= %(since)s AND status = 'COMPLETED' AND route_metres IS NOT NULL GROUP BY 1
"""


def weeks(*, now: datetime, count: int = WEEKS) -> list[Week]:
    """Answer the last weeks with picks, the newest first, each beside the one before. Two queries."""
    since = _week_of(now) - timedelta(weeks=count - 1)
    zone = workspace.current().timezone
    with connection.cursor() as cursor:
        cursor.execute(_METRES, {"zone": zone, "since": since})
        metres = {start: float(sum_) for start, sum_ in cursor.fetchall()}
    rows = _grouped(_WEEK, since=since, until=now + timedelta(days=1), zone=zone)
    found = {start: _figures(row, metres.get(start)) for start, *row in rows}
    starts = sorted(found, reverse=True)
    return [Week(start, found[start], found.get(start - timedelta(days=7))) for start in starts]


# --- People ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Person:
    """What somebody picked in the last weeks, and in as many weeks before."""

    user_id: UUID
    figures: Figures
    before: Figures | None = None

    @property
    def change(self) -> float | None:
        """Answer by how many percent they were faster than before."""
        return _change(self.figures, self.before)


def people(*, now: datetime, span: timedelta = timedelta(weeks=4)) -> list[Person]:
    """Answer who picked lately, who picked most first. Two queries."""
    latest = {user: _figures(row) for user, *row in _grouped("user_id", since=now - span, until=now)}
    before = {user: _figures(row) for user, *row in _grouped("user_id", since=now - 2 * span, until=now - span)}
    found = [Person(user, each, before.get(user)) for user, each in latest.items() if user]
    return sorted(found, key=lambda person: -person.figures.picked)


# --- Sessions -------------------------------------------------------------------------------------------------------
def of_sessions(session_ids: Sequence[UUID], *, since: datetime, until: datetime) -> dict[UUID, Figures]:
    """Answer the figures of some sessions that were picked in that time. One query."""
    if not session_ids:
        return {}
    rows = _grouped(
        "session_id", since=since, until=until, where="WHERE session_id = ANY(%(sessions)s)",
        sessions=list(session_ids),
    )  # fmt: skip
    return {key: _figures(row) for key, *row in rows}


def of_session(session_id: UUID, *, since: datetime, until: datetime) -> dict[UUID | None, Figures]:
    """Answer the figures of a session: the whole under None, and by picker. Two queries."""
    about: dict[str, Any] = {
        "since": since, "until": until, "where": "WHERE session_id = %(session)s", "session": session_id
    }  # fmt: skip
    found: dict[UUID | None, Figures] = {user: _figures(row) for user, *row in _grouped("user_id", **about)}
    # Who isn't there any more is nobody, too; the whole comes last.
    return {**found, None: _figures(_grouped("", **about)[0])}


def seconds_per_stop(*, now: datetime) -> tuple[float, bool]:
    """Answer how long a stop takes here, and whether that is the shop's own pace. One query."""
    found = [_figures(row) for row in _grouped("", since=now - timedelta(days=_PACE_DAYS), until=now)]
    if found and found[0].stops >= TRUSTED_STOPS and found[0].seconds_per_stop:
        return found[0].seconds_per_stop, True
    return DEFAULT_STOP_S, False
