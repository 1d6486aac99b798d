"""What goes wrong on command: who is hit, and how."""

import random
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS = (
    "latency",  # `seconds` before the answer, or from `seconds` to `to_seconds`
    "slow_body",  # the body in `pieces`, `seconds` apart
    "timeout_before",  # nothing is done; hangs for `seconds`, then closes
    "timeout_after",  # it is done; hangs, then closes
    "reset_before",  # the connection is reset, nothing is done
    "reset_after",  # … after it was done
    "half_body",  # the length of a whole body, and half of it
    "half_json",  # whole HTTP, JSON that is cut in the middle
    "empty",  # 200 without a body
    "html",  # a maintenance page with `status` (200 or 503)
    "status",  # `status` with `body`
    "rate_limit",  # 429, `retry_after` (seconds, a date, nonsense) where given
    "wrong_encoding",  # Latin-1 in an answer that should be UTF-8
)


class UnknownFaultError(ValueError):
    """The command can't be read; the text says why."""


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong. An empty matcher matches everything.

    `nth`: only the n-th matching call, from 1; `times`: so often at most, 0 for always; `probability`: by the seed.
    """

    kind: str
    service: str = ""
    method: str = ""
    path: str = ""
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
                nth=int(command.get("nth", 0)),
                times=int(command.get("times", 0)),
                probability=float(command.get("probability", 1)),
                options={name: value for name, value in command.items() if name not in cls.__slots__},
            )
        except (TypeError, ValueError, re.error) as error:
            raise UnknownFaultError(str(error)) from error
        if fault.kind not in KINDS:
            raise UnknownFaultError(f"unknown kind '{fault.kind}', expected one of {', '.join(KINDS)}")
        return fault

    def matches(self, service: str, method: str, path: str) -> bool:
        """Tell whether a call is of those that it hits."""
        return (
            self.service in ("", service)
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

    def hit(self, service: str, method: str, path: str) -> Fault | None:
        """Answer what goes wrong with this call, if anything."""
        with self._lock:
            for fault in self._active:
                if not fault.matches(service, method, path):
                    continue
                fault.seen += 1
                is_due = fault.nth in (0, fault.seen) and (not fault.times or fault.hits < fault.times)
                if is_due and self._dice.random() < fault.probability:
                    fault.hits += 1
                    return fault
        return None
