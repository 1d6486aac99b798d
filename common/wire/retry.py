"""Asks again where that is safe: by what the operation is, and not by the answer alone."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

from common.errors import ProviderUnavailable

T = TypeVar("T")

# Beyond what the other side asked for, so that those who were refused together don't come back together.
_SPREAD_S = 0.25


@dataclass(frozen=True, slots=True)
class Policy:
    """How often it is asked in all, and how long the pauses between may grow."""

    attempts: int = 3
    base_s: float = 0.5
    longest_s: float = 8.0

    def pause_s(self, number: int, *, retry_after: float | None) -> float:
        """Answer the pause after attempt `number`: full jitter over a doubling span, or what the other side wants."""
        if retry_after is not None:
            return retry_after + random.uniform(0, _SPREAD_S)  # noqa: S311  # spreads, hides nothing
        return random.uniform(0, min(self.longest_s, self.base_s * 2 ** (number - 1)))  # noqa: S311  # see above


def persist(attempt: Callable[[int], T], *, policy: Policy, is_repeatable: bool, ends_at: float) -> T:
    """Answer what `attempt` (given its number, from 1) answers; again after ProviderUnavailable, if it may be repeated.

    Never sleeps past `ends_at`, of the monotonic clock: the caller then learns at once when to come back.
    """
    for number in count(1):
        try:
            return attempt(number)
        except ProviderUnavailable as error:
            pause = policy.pause_s(number, retry_after=error.extra.get("retry_after"))
            if not is_repeatable or number >= policy.attempts or time.monotonic() + pause >= ends_at:
                raise
            time.sleep(pause)
    raise AssertionError("counts for ever")
