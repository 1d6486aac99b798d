"""Kinds of job: each app declares its own with `@job` in its `tasks.py`; `jobs.services.start` finds them by name."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

# A holder beats four times as often. With the sweeper's 30 s a killed worker's job goes on within a minute.
HEARTBEAT_LIMIT = timedelta(seconds=20)
MAX_ATTEMPTS = 3


# Does the work, from `run.checkpoint` on; answers the result that people see, or nothing. Arguments are keywords.
JobFunction = Callable[..., dict[str, Any] | None]
F = TypeVar("F", bound=JobFunction)


@dataclass(frozen=True, slots=True)
class JobType:
    """What is known of a kind of job before it runs. `permission` lets others than its creator see and cancel it."""

    code: str
    label: str
    queue: str
    permission: str
    heartbeat_limit: timedelta
    max_attempts: int
    function: JobFunction


_types: dict[str, JobType] = {}


def job(
    code: str,
    *,
    label: str,
    queue: str = "default",
    permission: str = "",
    heartbeat_limit: timedelta = HEARTBEAT_LIMIT,
    max_attempts: int = MAX_ATTEMPTS,
) -> Callable[[F], F]:
    """Declare the function as what jobs of that kind do. `queue`: orders, sync, default or bulk.

    `max_attempts`: how often it may die without a word or meet a database that is away, without getting to another
    checkpoint in between, before it has failed.
    """

    def declare(function: F) -> F:
        if code in _types:
            raise ValueError(f"the job type {code} is declared twice")
        _types[code] = JobType(code, label, queue, permission, heartbeat_limit, max_attempts, function)
        return function

    return declare


def find(code: str) -> JobType | None:
    """Answer the kind of job of that name, or None if no app here has it."""
    return _types.get(code)


def get(code: str) -> JobType:
    """Answer the kind of job of that name; LookupError if no app here has it."""
    found = _types.get(code)
    if found is None:
        raise LookupError(f"no app declares the job type {code}")
    return found


def all_types() -> tuple[JobType, ...]:
    """Answer every kind of job, by name."""
    return tuple(_types[code] for code in sorted(_types))


def forget(code: str) -> None:
    """Take a kind of job back. For tests that declare one."""
    _types.pop(code, None)
