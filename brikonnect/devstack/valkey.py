"""The embedded Valkey: broker, cache and locks, reached through a Unix socket only."""

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import redis

from brikonnect.devstack import folders
from brikonnect.devstack.accounts import Account
from brikonnect.devstack.binaries import Binaries
from brikonnect.devstack.programs import Program
from brikonnect.devstack.trouble import Trouble, is_no_space, no_space, tail

START_LIMIT = 60
_STOP_LIMIT = 20


@dataclass(frozen=True, kw_only=True)
class Valkey:
    """One server: where its data and its socket are, who runs it, and whether it keeps what it is told."""

    binaries: Binaries
    data: Path
    sockets: Path
    account: Account | None
    durable: bool

    @property
    def url(self) -> str:
        """The connection URL, percent-encoded."""
        return f"unix://{quote(str(self.sockets / 'valkey.sock'))}"

    def program(self) -> Program:
        """The server in the foreground, its log on standard output."""
        settings = {
            "port": "0",
            "unixsocket": str(self.sockets / "valkey.sock"),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "daemonize": "no",
            "loglevel": "warning",
            "save": "",
            "appendonly": "yes" if self.durable else "no",
            "maxmemory-policy": "noeviction",
        }
        return Program(
            name="valkey",
            argv=[
                str(self.binaries.valkey_server),
                *(word for name, value in settings.items() for word in (f"--{name}", value)),
            ],
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            account=self.account,
        )

    def prepare(self) -> None:
        """Make its folders, and stop a server that an earlier, killed run left on this data."""
        folders.closed(self.sockets, account=self.account)
        folders.closed(self.data, account=self.account)
        stop_left_over(self.data)

    def wait_until_ready(self, *, is_running: Callable[[], bool]) -> None:
        """Return when the server answers; raise Trouble when it ended instead."""
        limit = time.monotonic() + START_LIMIT
        while True:
            try:
                with redis.Redis.from_url(self.url) as client:
                    client.ping()
                return
            except redis.RedisError as error:
                if is_no_space(str(error)):
                    raise no_space(self.data) from error
                if not is_running():
                    raise Trouble("Valkey ended while it started.") from error
                if time.monotonic() > limit:
                    raise Trouble(f"Valkey did not answer within {START_LIMIT} seconds: {error}") from error
                time.sleep(0.01)


def stop_left_over(data: Path) -> bool:
    """Stop a server that an earlier, killed run left on this data; answer whether there was one."""
    found = []
    folder = data.resolve()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.name() == "valkey-server" and Path(process.cwd()) == folder:
                process.terminate()
                found.append(process)
    _, alive = psutil.wait_procs(found, timeout=_STOP_LIMIT)
    if alive:
        raise Trouble(
            f"A Valkey server of an earlier run does not stop (process {alive[0].pid}, data {data}).\n"
            f"End it with: kill -9 {alive[0].pid}"
        )
    return bool(found)


def check(url: str) -> None:
    """Raise Trouble unless the server that `url` names answers."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        raise Trouble(
            f"REDIS_URL is set, and its server does not answer:\n{tail(str(error))}\n"
            "Start it, correct REDIS_URL, or unset it to use the embedded server."
        ) from error
