"""Leaves a provider alone that fails again and again, for all workers at once, and finds out whether it is back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis
import structlog

from common.redis_client import client

logger = structlog.get_logger(__name__)

# Failures further apart than this are not "again and again".
_MEMORY_MS = 120_000

# The time in milliseconds until somebody may ask, 0 for now. One caller at a time tries whether it is back.
_ADMIT = """
local left = redis.call('PTTL', KEYS[1])
if left > 0 then return left end
if tonumber(redis.call('GET', KEYS[2]) or '0') < tonumber(ARGV[1]) then return 0 end
if redis.call('SET', KEYS[3], '1', 'NX', 'PX', ARGV[2]) then return 0 end
return math.max(1, redis.call('PTTL', KEYS[3]))
"""

_FAIL = """
local failures = redis.call('INCR', KEYS[2])
redis.call('DEL', KEYS[3])
if failures < tonumber(ARGV[1]) then
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
  return 0
end
local pause = math.min(tonumber(ARGV[3]), tonumber(ARGV[2]) * 2 ^ (failures - tonumber(ARGV[1])))
redis.call('SET', KEYS[1], '1', 'PX', string.format('%.0f', pause))
redis.call('PEXPIRE', KEYS[2], string.format('%.0f', pause + tonumber(ARGV[4])))
return pause
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """One provider's, or one store's. After `threshold` failures in a row nobody asks for `pause_s`, doubling."""

    key: str
    threshold: int = 6
    pause_s: float = 15.0
    longest_s: float = 600.0
    # For how long the one who tries is waited for.
    trial_s: float = 60.0

    def admit(self) -> float:
        """Answer the seconds until the provider may be asked, 0 for now. While Redis is away it may."""
        left = self._run(_ADMIT, [str(self.threshold), str(round(self.trial_s * 1000))])
        return float(left or 0) / 1000

    def paused_s(self) -> float:
        """Answer the seconds for which nobody may ask, 0 where somebody may; only looks."""
        left = self._quietly(lambda shared: shared.pttl(self._keys()[0]))
        return max(0.0, float(left or 0) / 1000)

    def note_success(self) -> None:
        """Close: it is back."""
        self._quietly(lambda shared: shared.unlink(*self._keys()[1:]))

    def note_failure(self) -> None:
        """Count a failure; open after too many."""
        times = [self.pause_s, self.longest_s]
        self._run(_FAIL, [str(self.threshold), *(str(round(each * 1000)) for each in times), str(_MEMORY_MS)])

    def pause(self, seconds: float) -> None:
        """Have nobody ask for so long, as the provider wants it; that is no failure."""
        self._quietly(lambda shared: shared.set(self._keys()[0], "1", px=max(1, round(seconds * 1000))))

    def _keys(self) -> list[str]:
        return [f"wire:breaker:{{{self.key}}}:{name}" for name in ("open", "failures", "trial")]

    def _run(self, script: str, arguments: Sequence[str]) -> Any:
        keys = self._keys()
        return self._quietly(lambda shared: shared.eval(script, len(keys), *keys, *arguments))

    def _quietly(self, do: Any) -> Any:
        try:
            return do(client())
        except redis.RedisError as error:
            logger.warning("breaker.redis_away", key=self.key, error=type(error).__name__)
            return None
