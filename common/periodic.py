"""What is to be done again and again: each app names its own tasks, the composition root makes beat entries of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from celery.app.task import Task
from celery.schedules import crontab

Schedule = timedelta | crontab


@dataclass(frozen=True, slots=True)
class Periodic:
    """A task and when it is due. `once`: for the installation; else for each workspace, that of no shop included."""

    task: str
    schedule: Schedule
    once: bool = False
    # Asked in each workspace before the task is sent there, so that idle shops cost one query and no task.
    only_if: Callable[[], bool] | None = None


_registered: dict[str, Periodic] = {}


def every(
    task: "Task[..., object]", *, seconds: float, once: bool = False, only_if: Callable[[], bool] | None = None
) -> None:
    """Have the task run every so many seconds."""
    _add(Periodic(task.name, timedelta(seconds=seconds), once=once, only_if=only_if))


def daily(
    task: "Task[..., object]", *, hour: int, minute: int, once: bool = False, only_if: Callable[[], bool] | None = None
) -> None:
    """Have the task run every day at that time, in UTC."""
    _add(Periodic(task.name, crontab(hour=str(hour), minute=str(minute)), once=once, only_if=only_if))


def registered() -> tuple[Periodic, ...]:
    """Answer what is to be done again and again, by task name."""
    return tuple(_registered[name] for name in sorted(_registered))


def find(task: str) -> Periodic | None:
    """Answer when and where the task of that name is due."""
    return _registered.get(task)


def _add(periodic: Periodic) -> None:
    if periodic.task in _registered:
        raise ValueError(f"{periodic.task} has a schedule already")
    _registered[periodic.task] = periodic
