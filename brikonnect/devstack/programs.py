"""How a child process is started and ended: own session, fewer rights, and never outliving its supervisor."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from brikonnect.devstack.accounts import Account

_PR_SET_PDEATHSIG = 1
_FILE = int | IO[bytes] | None


@dataclass(frozen=True, kw_only=True)
class Program:
    """What is run, as whom, and how it is asked to stop."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    cwd: Path = Path("/")
    account: Account | None = None
    # Descriptors that it inherits.
    keep: Sequence[int] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    # Seconds between the signal and what comes after it.
    patience: float = 15
    # Sent when patience is at its end. Never SIGKILL for a server with data.
    last_signal: signal.Signals = signal.SIGKILL


def start(program: Program, *, stdout: _FILE = None, stderr: _FILE = subprocess.STDOUT) -> subprocess.Popen[bytes]:
    """Start the program in a session of its own, so that Ctrl-C at the terminal reaches the supervisor only.

    On Linux the kernel stops it should this process be killed; elsewhere the next start finds it by its pid file.
    Call it from the main thread: the kernel watches the thread that started the child.
    """
    return subprocess.Popen(  # noqa: S603  # programs of ours, put together in this package
        list(program.argv),
        env=dict(program.env),
        cwd=program.cwd,
        user=program.account.uid if program.account else None,
        group=program.account.gid if program.account else None,
        extra_groups=[] if program.account else None,
        start_new_session=True,
        pass_fds=tuple(program.keep),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        preexec_fn=_end_with_parent(program.stop_signal),  # noqa: PLW1509  # one system call; no thread holds a lock it needs
    )


def stop(program: Program, process: subprocess.Popen[bytes]) -> None:
    """Ask the program to stop, wait for its patience, then insist; afterwards it does not run."""
    if process.poll() is None:
        process.send_signal(program.stop_signal)
        try:
            process.wait(program.patience)
        except subprocess.TimeoutExpired:
            insist(program, process)
            process.wait()


def insist(program: Program, process: subprocess.Popen[bytes]) -> None:
    """End a program that does not stop when asked: a server without harm to its data, anything else at once."""
    if program.last_signal is signal.SIGKILL:
        end_group(process)
    else:
        process.send_signal(program.last_signal)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the program's own session: it and the workers that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _end_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    # Loaded here, before the fork: between fork and exec only the call itself may happen.
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
