"""What goes wrong on command: who is hit, and how."""

import random
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log
from typing import Any

from sandbox.clock import parsed

# How widely waits are spread around their median.
_SIGMA = 0.6

# What the service itself lets go wrong, as only it can.
IN_SERVICE = (
    "duplicate_effect",  # the change is done twice, as by a proxy that repeats
    "stale_read",  # a list as it was `seconds` ago
    "short_list",  # a list without every so many rows (`every`), or cut after so many (`most`)
    "clock_skew",  # the server's clock is off by `seconds`
    "batch_partial",  # of a batch every so many (`every`) fail, in answers or (`silently`) without a word
)
# What begins with a call and stays until the reset.
LASTING = ("token_revoked", "ip_changed", "quota_gone")
KINDS = (
    "latency",  # `seconds` before the answer, from `seconds` to `to_seconds`, or log-normal around `median_seconds`
    "slow_body",  # the body in `pieces`, `seconds` apart
    "timeout_before",  # nothing is done; hangs for `seconds`, then closes
    "timeout_after",  # it is done; hangs, then closes
    "reset_before",  # the connection is reset, nothing is done
    "reset_after",  # … after it was done
    "half_body",  # the length of a whole body, and half of it
    "half_json",  # whole HTTP, JSON that is cut in the middle
    "empty",  # 200 without a body
    "html",  # a maintenance page with `status` (200 or 503)
    "status",  # `status` with `body`; `meta_code` with `message`, `description`: BrickLink's envelope, HTTP 200
    "rate_limit",  # 429, `retry_after` (seconds, a date, nonsense) where given
    "wrong_encoding",  # Latin-1 in an answer that should be UTF-8
    *IN_SERVICE,
    *LASTING,
)
MIXES: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "calm": (),
    "bad_day": (
        {"kind": "status", "status": 500, "probability": 0.02},
        {"kind": "timeout_after", "seconds": 30, "probability": 0.01},
        {"kind": "half_body", "probability": 0.01},
        {"kind": "latency", "median_seconds": 0.4},
    ),
    "storm": (
        {"kind": "status", "status": 500, "probability": 0.04},
        {"kind": "status", "status": 503, "probability": 0.03},
        {"kind": "html", "status": 503, "probability": 0.02},
        {"kind": "timeout_after", "seconds": 30, "probability": 0.02},
        {"kind": "reset_before", "probability": 0.03},
        {"kind": "reset_after", "probability": 0.02},
        {"kind": "half_json", "probability": 0.02},
        {"kind": "rate_limit", "retry_after": 1, "probability": 0.02},
    ),
    "quota_cliff": ({"kind": "quota_gone", "nth": 51},),
}


class UnknownFaultError(ValueError):
    """The command can't be read; the text says why."""


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong. An empty matcher matches everything.

    `seller`: only calls with that seller's credentials; `from_ms`, `until_ms`: only then, by the sandbox's clock;
    `nth`: only the n-th matching call, from 1; `times`: so often at most, 0 for always; `probability`: by the seed.
    """

    kind: str
    service: str = ""
    method: str = ""
    path: str = ""
    seller: str = ""
    from_ms: int = 0
    until_ms: int = 0
    nth: int = 0
    times: int = 0
    probability: float = 1.0
    options: Mapping[str, Any] = field(default_factory=dict)
    seen: int = 0
    hits: int = 0

    @classmethod
    def of(cls, command: Mapping[str, Any]) -> "Fault":
        """Read a command; raises UnknownFaultError."""
        try:
            re.compile(str(command.get("path", "")))
            fault = cls(
                kind=str(command.get("kind", "")),
                service=str(command.get("service", "")),
                method=str(command.get("method", "")),
                path=str(command.get("path", "")),
                seller=str(command.get("seller", "")),
                from_ms=parsed(str(command["from"])) if command.get("from") else 0,
                until_ms=parsed(str(command["until"])) if command.get("until") else 0,
                nth=int(command.get("nth", 0)),
                times=int(command.get("times", 0)),
                probability=float(command.get("probability", 1)),
                options={
                    name: value for name, value in command.items() if name not in (*cls.__slots__, "from", "until")
                },
            )
        except (TypeError, ValueError, re.error) as error:
            raise UnknownFaultError(str(error)) from error
        if fault.kind not in KINDS:
            raise UnknownFaultError(f"unknown kind '{fault.kind}', expected one of {', '.join(KINDS)}")
        return fault

    def matches(self, service: str, method: str, path: str, *, seller: str = "", now_ms: int = 0) -> bool:
        """Tell whether a call is of those that it hits."""
        return (
            self.service in ("", service)
            and self.seller in ("", seller)
            and self.from_ms <= now_ms
            and (not self.until_ms or now_ms < self.until_ms)
            and self.method.upper() in ("", method)
            and re.search(self.path, path) is not None
        )


class Faults:
    """The faults that are on. The first that matches wins; the same seed and calls give the same faults."""

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._active: list[Fault] = []
        self._dice = random.Random(seed)  # noqa: S311  # the same each time is what is wanted

    def add(self, fault: Fault) -> None:
        """Switch a fault on."""
        with self._lock:
            self._active.append(fault)

    def clear(self, seed: int = 0) -> None:
        """Switch all off, and begin the dice anew."""
        with self._lock:
            self._active.clear()
            self._dice.seed(seed)

    def listed(self) -> list[dict[str, Any]]:
        """Answer those that are on, and how often each has hit."""
        with self._lock:
            return [
                {"kind": fault.kind, "service": fault.service, "path": fault.path, "hits": fault.hits, **fault.options}
                for fault in self._active
            ]

    @property
    def ask_for_seller(self) -> bool:
        """Tell whether some fault hits one seller only."""
        with self._lock:
            return any(fault.seller for fault in self._active)

    def hit(self, service: str, method: str, path: str, *, seller: str = "", now_ms: int = 0) -> Fault | None:
        """Answer what goes wrong with this call, if anything."""
        with self._lock:
            for fault in self._active:
                if not fault.matches(service, method, path, seller=seller, now_ms=now_ms):
                    continue
                fault.seen += 1
                is_due = fault.nth in (0, fault.seen) and (not fault.times or fault.hits < fault.times)
                if is_due and self._dice.random() < fault.probability:
                    fault.hits += 1
                    return self._drawn(fault)
        return None

    def _drawn(self, fault: Fault) -> Fault:
        """Answer a fault with the seconds that fall to this call."""
        if fault.kind != "latency":
            return fault
        first = float(fault.options.get("seconds", 1))
        seconds = self._dice.uniform(first, float(fault.options.get("to_seconds", first)))
        if "median_seconds" in fault.options:
            seconds = self._dice.lognormvariate(log(float(fault.options["median_seconds"])), _SIGMA)
        return replace(fault, options={**fault.options, "seconds": seconds})
