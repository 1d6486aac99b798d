"""How fast a key may call: buckets that fill up by the minute."""

import threading

from sandbox.brickowl.call import OwlError

# Thirds of a millisecond are not whole.
_SLACK = 1e-3


class Buckets:
    """One for each key and kind of call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._full_at: dict[tuple[str, str], float] = {}

    def take(self, key: str, kind: str, per_minute: int, now_ms: int, count: int = 1) -> None:
        """Take so many calls; raises OwlError where there are fewer."""
        if per_minute < 1:
            raise OwlError("Too many requests", 429)
        step = 60_000 / per_minute
        with self._lock:
            full_at = max(float(now_ms), self._full_at.get((key, kind), 0.0))
            if full_at - now_ms + count * step > 60_000 + _SLACK:  # a minute
                raise OwlError("Too many requests", 429)
            self._full_at[key, kind] = full_at + count * step

    def clear(self) -> None:
        """Fill all up."""
        with self._lock:
            self._full_at.clear()
