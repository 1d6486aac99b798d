"""How often we may ask somebody, counted for all workers together: so many a second, and so many a day."""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum, StrEnum
from typing import Any, Protocol

import redis
import structlog

from common.errors import BudgetExhausted
from common.redis_client import client

logger = structlog.get_logger(__name__)

_AWAY_S = 5
_DAY_KEY_S = 2 * 24 * 3600


class CallClass(StrEnum):
    """What a call is for. As a day's budget runs out, the lower ones stop first."""

    # A person waits, or an order.
    URGENT = "urgent"
    # Inventory.
    USUAL = "usual"
    # Price guides, refreshing what is old.
    SPARE = "spare"


# The share of a day after which a class stops.
_SHARE = {CallClass.URGENT: 1.0, CallClass.USUAL: 0.9, CallClass.SPARE: 0.7}


class _Verdict(IntEnum):
    TAKEN = 0
    TOO_FAST = 1
    DAY_IS_OVER = 2
    # Redis doesn't know how much of the day is used: it was emptied, or the day is new.
    UNKNOWN = 3


# A bucket that refills steadily, kept as the time at which it is full again; and the day's count. Redis's own clock
# counts, so that workers with different ones agree. Answers verdict, calls used today, microseconds to wait.
_TAKE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local interval, burst, patience = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local day_limit, known = tonumber(ARGV[4]), tonumber(ARGV[5])
local used = tonumber(redis.call('GET', KEYS[2]) or ARGV[5])
if used < 0 then return {3, 0, 0} end
if used < known then used = known end
if day_limit >= 0 and used >= day_limit then return {2, used, 0} end
local full_at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
local wait = math.max(0, full_at - now - (burst - 1) * interval)
if wait > patience then return {1, used, wait} end
full_at = full_at + interval
redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', string.format('%.0f', (full_at - now) / 1000 + 1000))
redis.call('SET', KEYS[2], string.format('%.0f', used + 1), 'EX', ARGV[6])
return {0, used + 1, wait}
"""


class Ledger(Protocol):
    """Where the owner of a budget keeps the day's count, so that an emptied Redis doesn't begin the day anew."""

    def used_on(self, day: date) -> int:
        """Answer the calls of the day so far."""

    def note(self, day: date, *, used: int, limit: int) -> None:
        """Keep that so many were used; never lowers the count."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A call that may be made after `wait_s`. `left`: how many the day still has, None where it isn't limited."""

    wait_s: float
    left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """`per_second` calls on average, `burst` of them at once; `per_day` by the UTC day, where there is such a limit."""

    key: str
    label: str
    per_second: float
    burst: int = 1
    per_day: int | None = None
    ledger: Ledger | None = None

    def take(self, call_class: CallClass, *, patience_s: float) -> Taken:
        """Take one call; raises BudgetExhausted with `retry_after` where it would have to wait longer than that."""
        now = datetime.now(UTC)
        verdict, used, wait_us = self._ask(call_class, patience_s=patience_s, known=-1, day=now.date())
        if verdict is _Verdict.UNKNOWN:
            known = self.ledger.used_on(now.date()) if self.ledger else 0
            verdict, used, wait_us = self._ask(call_class, patience_s=patience_s, known=known, day=now.date())
        if verdict is _Verdict.DAY_IS_OVER:
            midnight = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
            raise self._exhausted("for today are used up", (midnight - now).total_seconds())
        if verdict is _Verdict.TOO_FAST:
            raise self._exhausted("come too fast", wait_us / 1e6)
        if self.ledger and self.per_day is not None:
            self.ledger.note(now.date(), used=used, limit=self.per_day)
        return Taken(wait_s=wait_us / 1e6, left=None if self.per_day is None else max(0, self.per_day - used))

    def _ask(self, call_class: CallClass, *, patience_s: float, known: int, day: date) -> tuple[_Verdict, int, int]:
        keys = [f"wire:budget:{{{self.key}}}:rate", f"wire:budget:{{{self.key}}}:{day.isoformat()}"]
        # Spare calls take only from a full bucket, so that others always find some in it.
        burst = 1 if call_class is CallClass.SPARE else self.burst
        day_limit = -1 if self.per_day is None else math.floor(self.per_day * _SHARE[call_class])
        arguments = [
            round(1e6 / self.per_second), burst, round(patience_s * 1e6), day_limit, known, _DAY_KEY_S,
        ]  # fmt: skip
        try:
            answer: Any = client().eval(_TAKE, len(keys), *keys, *(str(each) for each in arguments))
        except redis.RedisError as error:
            logger.warning("budget.redis_away", key=self.key, error=type(error).__name__)
            raise self._exhausted("can't be counted for the moment", _AWAY_S) from error
        return _Verdict(int(answer[0])), int(answer[1]), int(answer[2])

    def _exhausted(self, why: str, seconds: float) -> BudgetExhausted:
        return BudgetExhausted(f"Our calls to {self.label} {why}.", retry_after=math.ceil(seconds))
