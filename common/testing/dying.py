"""Workers that end at a step, for tests of what must hold whenever that happens (`common.steps`)."""

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from common import steps, workspace

Work = Callable[[], object]


class Killed(BaseException):
    """A worker that is no more: nothing that handles errors may catch it."""


@contextmanager
def listening(listener: Callable[[str], None]) -> Iterator[None]:
    """Have the listener told of every step inside the block."""
    steps.listen(listener)
    try:
        yield
    finally:
        steps.listen(None)


@contextmanager
def dying_at(count: int, *names: str) -> Iterator[None]:
    """Raise Killed at the so-and-so-many-th step, from 1, of those whose names begin with one of these."""
    seen = 0

    def stop(name: str) -> None:
        nonlocal seen
        if name.startswith(names):
            seen += 1
            if seen == count:
                raise Killed

    with listening(stop):
        yield


# --- In a process of its own ------------------------------------------------------------------------------------------
def in_a_process(work: Work, listener: Callable[[str], None] | None = None) -> int:
    """Do the work in a process of its own, in the present workspace; answer how that ended, as os.waitpid does."""
    key = workspace.current_key()
    connection.close()
    pid = os.fork()
    if pid == 0:
        try:
            steps.listen(listener)
            with workspace.enter(key):
                work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1]


def recorded(work: Work, record: Path) -> list[str]:
    """Answer the steps of work that nobody disturbs; they are written to a file, since it is another process."""

    def note(name: str) -> None:
        with record.open("a") as lines:
            lines.write(f"{name}\n")

    assert in_a_process(work, note) == 0
    return record.read_text().split()


def struck(work: Work, place: int, strike: Callable[[], object]) -> int:
    """Do the work in a process in which something happens at its step of that place, from 0; answer how it ended."""
    passed = 0

    def listener(_name: str) -> None:
        nonlocal passed
        if passed == place:
            strike()
        passed += 1

    return in_a_process(work, listener)


def killed(work: Work, place: int) -> int:
    """Do the work in a process that is killed at its step of that place, from 0; answer how it ended."""
    return struck(work, place, lambda: os.kill(os.getpid(), signal.SIGKILL))
