"""Throw-away servers for one command: `python -m brikonnect.devstack.servers --test -- COMMAND…`."""

import argparse
import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from brikonnect.devstack import accounts, binaries, folders, postgres, programs, valkey
from brikonnect.devstack.trouble import Trouble, is_no_space, no_space, tail

_KIND = "test"
_POSTGRES, _VALKEY = "postgres-data", "valkey-data"
# Seconds; a younger folder may belong to a run that has not locked it yet.
_SWEEP_AGE = 60


@contextlib.contextmanager
def throw_away(environ: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Run empty servers while the block runs; yield `environ` with DATABASE_URL and REDIS_URL of them.

    What `environ` names already is used instead. Afterwards, however the block ends, they are stopped and their data
    is gone; what a killed run left is swept up by the next.
    """
    wanted = {name for name in ("DATABASE_URL", "REDIS_URL") if not environ.get(name)}
    if not wanted:
        yield dict(environ)
        return
    account = accounts.for_servers()
    _sweep()
    folder = folders.temporary(_KIND, account=account, preferred=folders.in_memory())
    lock = _lock(folder)
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, lock)
        stack.callback(folders.remove, folder)
        found = binaries.find(account=account, copies=folder / "programs")
        answer = dict(environ)
        # Both start at once; each is waited for afterwards.
        waiting: list[tuple[postgres.Postgres | valkey.Valkey, subprocess.Popen[bytes]]] = []
        if "DATABASE_URL" in wanted:
            database = _postgres(folder, found, account)
            database.prepare()
            waiting.append((database, _started(stack, database.program(), folder)))
            answer["DATABASE_URL"] = database.url()
        if "REDIS_URL" in wanted:
            broker = _valkey(folder, found, account)
            broker.prepare()
            waiting.append((broker, _started(stack, broker.program(), folder)))
            answer["REDIS_URL"] = broker.url
        for server, process in waiting:
            try:
                server.wait_until_ready(is_running=lambda process=process: process.poll() is None)  # type: ignore[misc]  # a default of a lambda has no annotation
            except Trouble as trouble:
                output = "".join(path.read_text(errors="replace") for path in sorted(folder.glob("*.log")))
                raise no_space(folder) if is_no_space(output) else Trouble(f"{trouble}\n{tail(output)}") from trouble
        yield answer


def run(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command at this terminal and answer its exit status.

    Ctrl-C goes to it directly, as it shares our terminal; SIGTERM is handed on. We outlive it either way, since
    somebody has to clean up.
    """
    try:
        child = subprocess.Popen(list(command), env=dict(environ))  # noqa: S603  # the command is what the caller asked for
    except OSError as error:
        raise Trouble(f"{command[0]} can't be run: {error.strerror}.") from error
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: child.terminate()),
        signal.SIGHUP: signal.signal(signal.SIGHUP, lambda *_: child.terminate()),
    }
    try:
        status = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 - status if status < 0 else status


def _postgres(folder: Path, found: binaries.Binaries, account: accounts.Account | None) -> postgres.Postgres:
    return postgres.Postgres(
        binaries=found, data=folder / _POSTGRES, sockets=folder / "postgres", account=account, durable=False
    )


def _valkey(folder: Path, found: binaries.Binaries, account: accounts.Account | None) -> valkey.Valkey:
    return valkey.Valkey(
        binaries=found, data=folder / _VALKEY, sockets=folder / "valkey", account=account, durable=False
    )


def _started(stack: contextlib.ExitStack, program: programs.Program, folder: Path) -> subprocess.Popen[bytes]:
    with (folder / f"{program.name}.log").open("wb") as log:
        process = programs.start(program, stdout=log)
    stack.callback(programs.stop, program, process)
    return process


def _lock(folder: Path) -> int:
    descriptor = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def _sweep() -> None:
    """Clean up after runs that were killed: their folders have a lock that nobody holds."""
    for folder in folders.left(_KIND):
        with contextlib.suppress(OSError):
            status = folder.lstat()
            if status.st_uid != os.geteuid() or not folder.is_dir() or time.time() - status.st_mtime < _SWEEP_AGE:
                continue
            with os.fdopen(_lock(folder)):
                postgres.stop_left_over(folder / _POSTGRES)
                valkey.stop_left_over(folder / _VALKEY)
                folders.remove(folder)


def main(arguments: Sequence[str]) -> int:
    """Run the command line; answer the exit status."""
    parser = argparse.ArgumentParser(prog="python -m brikonnect.devstack.servers", description=__doc__)
    parser.add_argument("--test", action="store_true", required=True, help="empty servers, gone when the command ends")
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="what to run, after --")
    options = parser.parse_args(arguments)
    try:
        with throw_away(os.environ) as environ:
            return run(options.command, environ)
    except Trouble as trouble:
        sys.stderr.write(f"{trouble}\n")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
