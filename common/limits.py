"""How often somebody may do something: windows counted in Redis, and in the database while Redis is away."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

import redis
import structlog
from django.db import connection
from django.utils import timezone

from common import workspace
from common.models import LimitWindow
from common.redis_client import client

logger = structlog.get_logger(__name__)

# Seconds during which a Redis that failed isn't asked again, so that each request doesn't wait for its time-out.
_PAUSE_S = 5.0

_IPV6_NETWORK = 64

# One trip for all windows of a request. A window begins with its first take and ends by expiry.
_TAKE = """
local answer = {}
for i, key in ipairs(KEYS) do
  local count = redis.call('INCR', key)
  local left = redis.call('PTTL', key)
  if left < 0 then
    redis.call('PEXPIRE', key, ARGV[i])
    left = tonumber(ARGV[i])
  end
  answer[#answer + 1] = count
  answer[#answer + 1] = left
end
return answer
"""

_TAKE_FROM_DATABASE = """
INSERT INTO {table} AS w (key, count, ends_at) VALUES (%(key)s, 1, %(ends_at)s)
ON CONFLICT (key) DO UPDATE SET
  count = CASE WHEN w.ends_at <= %(now)s THEN 1 ELSE w.count + 1 END,
  ends_at = CASE WHEN w.ends_at <= %(now)s THEN excluded.ends_at ELSE w.ends_at END
RETURNING count, ends_at
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """`amount` takes in `window_s` seconds, counted per subject. The name appears in the RateLimit headers."""

    name: str
    amount: int
    window_s: int

    @classmethod
    def of(cls, name: str, rate: str) -> "Limit":
        """Read `600/min`; the units are sec, min, hour and day."""
        amount, _, unit = rate.partition("/")
        return cls(name=name, amount=int(amount), window_s={"sec": 1, "min": 60, "hour": 3600, "day": 86400}[unit])


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is left of a limit after a take. `reset_s`: seconds until the window ends."""

    limit: Limit
    count: int
    reset_s: int

    @property
    def allowed(self) -> bool:
        """Tell whether the take was within the limit."""
        return self.count <= self.limit.amount

    @property
    def remaining(self) -> int:
        """Answer how many takes are left in the window."""
        return max(0, self.limit.amount - self.count)


def network_of(address: str | None) -> str:
    """Answer what an address is counted as: itself, or for IPv6 its network of 64 bits, which is one visitor's.

    IPv4 written as IPv6, as a socket for both has it, is IPv4: all of it would be one network.
    """
    if not address:
        return "unknown"
    parsed = ip_address(address)
    if not isinstance(parsed, IPv6Address):
        return address
    mapped = parsed.ipv4_mapped
    return str(mapped or ip_network(f"{parsed}/{_IPV6_NETWORK}", strict=False))


class _Pause:
    """Remembers for this process until when Redis isn't asked."""

    until: float = 0.0


def _key(limit: Limit, subject: str) -> str:
    return f"{workspace.current_key()}:limit:{limit.name}:{subject}"


def _take_from_redis(takes: Sequence[tuple[Limit, str]]) -> list[Verdict]:
    keys = [_key(limit, subject) for limit, subject in takes]
    windows = [str(limit.window_s * 1000) for limit, _ in takes]
    answer: Any = client().eval(_TAKE, len(keys), *keys, *windows)
    return [
        Verdict(limit=limit, count=int(answer[2 * i]), reset_s=-(-int(answer[2 * i + 1]) // 1000))
        for i, (limit, _) in enumerate(takes)
    ]


def _take_from_database(takes: Sequence[tuple[Limit, str]], now: datetime) -> list[Verdict]:
    verdicts = []
    statement = _TAKE_FROM_DATABASE.format(table=LimitWindow._meta.db_table)
    with connection.cursor() as cursor:
        for limit, subject in takes:
            ends_at = now + timedelta(seconds=limit.window_s)
            cursor.execute(statement, {"key": _key(limit, subject), "ends_at": ends_at, "now": now})
            count, ends_at = cursor.fetchone()
            left = (ends_at - now).total_seconds()
            verdicts.append(Verdict(limit=limit, count=count, reset_s=max(1, round(left))))
    return verdicts


def take_all(takes: Sequence[tuple[Limit, str]]) -> list[Verdict]:
    """Count one take against each limit and its subject; answer what is left of each.

    Never fails for Redis: while it is away the database counts, from zero. A database that is away raises.
    """
    if time.monotonic() >= _Pause.until:
        try:
            return _take_from_redis(takes)
        except redis.RedisError as error:
            _Pause.until = time.monotonic() + _PAUSE_S
            logger.warning("limits.redis_away", error=type(error).__name__)
    return _take_from_database(takes, timezone.now())


def take(limit: Limit, subject: str) -> Verdict:
    """Count one take of the subject against the limit; answer what is left."""
    return take_all([(limit, subject)])[0]


def purge_expired(*, now: datetime) -> int:
    """Delete the windows that have ended; answer how many."""
    deleted, _ = LimitWindow.objects.filter(ends_at__lte=now).delete()
    return deleted


def forget(limit: Limit, subject: str) -> None:
    """Begin the subject's window anew, as after a sign-in that succeeded."""
    LimitWindow.objects.filter(key=_key(limit, subject)).delete()
    try:
        client().delete(_key(limit, subject))
    except redis.RedisError as error:
        logger.warning("limits.redis_away", error=type(error).__name__)
