"""The sandbox's own time: real, moved, or standing still."""

import threading
import time
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

_SUNDAY = 6
DAY_MS = 86_400_000
_HOUR_MS = 3_600_000


class Clock:
    """Counts milliseconds since 1970, as all who are imitated here see them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset_ms = 0
        self._frozen_ms: int | None = None

    def now_ms(self) -> int:
        """Answer what time it is."""
        with self._lock:
            if self._frozen_ms is not None:
                return self._frozen_ms
            return time.time_ns() // 1_000_000 + self._offset_ms

    def set(self, *, mode: str, at_ms: int | None = None, advance_ms: int = 0) -> None:
        """Go on from `at_ms` (now, where None) plus `advance_ms`.

        `real` follows the world, `offset` runs beside it, `frozen` stands.
        """
        start = self.now_ms() if at_ms is None else at_ms
        wanted = start + advance_ms
        with self._lock:
            self._frozen_ms = wanted if mode == "frozen" else None
            self._offset_ms = 0 if mode == "real" else wanted - time.time_ns() // 1_000_000

    def described(self) -> dict[str, object]:
        """Answer how it is set."""
        now = self.now_ms()
        with self._lock:
            mode = "frozen" if self._frozen_ms is not None else "offset" if self._offset_ms else "real"
        return {"mode": mode, "now": iso(now)}


def moment(at_ms: int) -> datetime:
    """Answer the time as a date with its hours, in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


@lru_cache(maxsize=50_000)
def iso(at_ms: int) -> str:
    """Answer `2013-12-01T18:05:46.123Z`."""
    return f"{moment(at_ms):%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def parsed(text: str) -> int:
    """Read an ISO time or seconds since 1970; raises ValueError."""
    if text.replace(".", "", 1).lstrip("-").isdigit():
        return int(float(text) * 1000)
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


def eastern_midnight(at_ms: int) -> int:
    """Answer the midnight with which the day began on the east coast of the United States."""
    return _eastern_midnight(at_ms // _HOUR_MS)


@lru_cache(maxsize=50_000)
def _eastern_midnight(hour: int) -> int:
    # Clocks are changed at full hours, so that the whole of an hour is of one day.
    at_ms = hour * _HOUR_MS
    hours = 4 if _is_eastern_summer(at_ms) else 5
    local = at_ms - hours * _HOUR_MS
    return local - local % DAY_MS + hours * _HOUR_MS


def _is_eastern_summer(at_ms: int) -> bool:
    year = moment(at_ms).year
    began = datetime.combine(_sunday(year, 3, 2), datetime.min.time(), UTC) + timedelta(hours=7)
    ended = datetime.combine(_sunday(year, 11, 1), datetime.min.time(), UTC) + timedelta(hours=6)
    return began <= moment(at_ms) < ended


def london(at_ms: int) -> str:
    """Answer `2014-04-29T13:52:02+01:00`, as clocks in London show it."""
    year = moment(at_ms).year
    began = datetime.combine(_last_sunday(year, 3), datetime.min.time(), UTC) + timedelta(hours=1)
    ended = datetime.combine(_last_sunday(year, 10), datetime.min.time(), UTC) + timedelta(hours=1)
    # In 1970 London kept summer time all year round.
    is_ahead = began <= moment(at_ms) < ended or year == 1970  # noqa: PLR2004  # see above
    local = moment(at_ms) + timedelta(hours=1 if is_ahead else 0)
    return f"{local:%Y-%m-%dT%H:%M:%S}+0{int(is_ahead)}:00"


def _sunday(year: int, month: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(_SUNDAY - first.weekday()) % 7 + 7 * (number - 1))


def _last_sunday(year: int, month: int) -> date:
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() - _SUNDAY) % 7)
