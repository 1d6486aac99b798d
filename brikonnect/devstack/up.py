"""The first command: everything that Brikonnect consists of, running on this machine until Ctrl-C."""

import argparse
import asyncio
import contextlib
import dataclasses
import errno
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from brikonnect import demo_stores
from brikonnect.devstack import binaries, data_folder, postgres, static_files, valkey
from brikonnect.devstack.bootstrap import ROOT
from brikonnect.devstack.combined_log import CombinedLog
from brikonnect.devstack.data_folder import DataFolder
from brikonnect.devstack.programs import Program
from brikonnect.devstack.runner import Child, Runner, describe
from brikonnect.devstack.trouble import Trouble, no_space

DEFAULT_PORT = 8000
DEMO_PASSWORD = "brikonnect-demo"  # noqa: S105  # of the demo data only; production refuses to start where it exists
DEMO_USERS = ("owner", "admin", "staff", "picker", "readonly")
_LAST_PORT = 65535
# Seconds without an answer after which a word about it is due.
_PATIENCE = 60
_POLL = 0.1
_SHORT = {"migrate_all": "migrate", "collectstatic": "static"}
_HEALTHY = 200
# By the names of their lines in the log.
_WORKERS = {"worker": "orders,default", "bulk": "sync,bulk"}
# Settings of another program's, or of a developer's shell, that the application would take for its own.
_FOREIGN = ("PYTHONHOME", "VIRTUAL_ENV", "GRANIAN_HOST", "GRANIAN_PORT", "CELERY_CONFIG_MODULE")
# Where the sandbox imitates those whom the application asks, and what each asks of its caller (sandbox/sellers.py).
_IMITATED: Mapping[str, Mapping[str, str]] = {
    "Rebrickable": {"REBRICKABLE_URL": "{url}/rebrickable/api/v3/", "REBRICKABLE_API_KEY": "sandbox-key"},
    "its downloads": {"CATALOG_DUMPS": "{url}/dumps/media/downloads/", "CATALOG_DUMP_HOSTS": "{host}"},
    "BrickLink": {
        "BRICKLINK_URL": "{url}/bricklink/api/store/v1/",
        "BRICKLINK_CONSUMER_KEY": demo_stores.BRICKLINK["consumer_key"],
        "BRICKLINK_CONSUMER_SECRET": demo_stores.BRICKLINK["consumer_secret"],
        "BRICKLINK_TOKEN": demo_stores.BRICKLINK["token"],
        "BRICKLINK_TOKEN_SECRET": demo_stores.BRICKLINK["token_secret"],
    },
    "Brick Owl": {"BRICKOWL_URL": "{url}/brickowl/v1/", "BRICKOWL_API_KEY": demo_stores.BRICKOWL["key"]},
    "Brikick": {"BRIKICK_URL": "{url}/brikick/api/v1/store/"},
    "Brickognize": {"BRICKOGNIZE_URL": "{url}/brickognize/"},
    "hosts of pictures": {"CATALOG_IMAGES_URL": "{url}/pictures"},
    "the European Central Bank": {"EXCHANGE_RATES_URL": "{url}/ecb/stats/eurofxref/"},
}
_ADDRESSES = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


class _StoppedError(Exception):
    """Somebody asked to stop while the start was still under way."""


def main(arguments: Sequence[str]) -> int:
    """Run the command line until it is stopped; answer the exit status."""
    options = _parse(arguments)
    embedded = {name for name in ("DATABASE_URL", "REDIS_URL") if not os.environ.get(name)}
    if options.reset and "DATABASE_URL" not in embedded:
        raise Trouble(
            "--reset deletes the embedded database only; unset DATABASE_URL, or empty that database yourself."
        )
    data = data_folder.choose(options.data)
    with data.in_use(port=options.port), contextlib.ExitStack() as stack:
        killed = data.clean_up()
        killed += postgres.stop_left_over(data.postgres) + valkey.stop_left_over(data.valkey)
        if options.reset:
            data.reset()
        data.check_space()
        listeners = listen(options.port)
        for listener in listeners:
            stack.callback(listener.close)
        imitated = [name for name, named in _IMITATED.items() if not any(os.environ.get(each) for each in named)]
        sandbox = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128)) if imitated else None
        found = binaries.find(account=data.account, copies=data.programs) if embedded else None
        log = _opened(stack, data)
        run_folder = stack.enter_context(data.run_folder())
        if killed:
            log.say(f"An earlier run was killed; what it left running was stopped ({killed} processes).")
        run = _Run(
            data=data, binaries=found, embedded=embedded, folder=run_folder, listeners=listeners, log=log,
            port=options.port, has_demo=not options.no_demo, imitated=imitated, sandbox=sandbox,
        )  # fmt: skip
        return asyncio.run(run.until_stopped())


def listen(port: int) -> list[socket.socket]:
    """Take the port on this machine's own addresses; raises Trouble where somebody else has it."""
    listeners: list[socket.socket] = []
    for family, address in _ADDRESSES:
        try:
            listener = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            continue
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family is socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((address, port))
            listener.listen(128)
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRNOTAVAIL and listeners:
                continue  # a machine without IPv6
            for other in listeners:
                other.close()
            raise _no_port(port, error) from error
        listeners.append(listener)
    return listeners


def _no_port(port: int, error: OSError) -> Trouble:
    if error.errno == errno.EADDRINUSE:
        return Trouble(
            f"Port {port} is taken{_by_whom(port)}.\nEnd that one, or choose another port: bin/up --port {port + 1}"
        )
    return Trouble(f"Port {port} can't be used: {error.strerror}.\nChoose one above 1023 with --port N.")


def _by_whom(port: int) -> str:
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.pid and connection.laddr[1:] == (port,):
                process = psutil.Process(connection.pid)
                data = data_folder.mark_of(process)
                if data:
                    return f" by another Brikonnect (data folder {data})"
                return f" by process {process.pid} ({' '.join(process.cmdline())[:100]})"
    return ""


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/up", description="Set Brikonnect up and run it until Ctrl-C.")
    parser.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, metavar="N", help="port of the application (%(default)s)"
    )
    parser.add_argument("--data", metavar="DIR", help="folder of databases, files and logs (var)")
    parser.add_argument("--no-demo", action="store_true", help="leave out the demo tenant and its users")
    parser.add_argument("--reset", action="store_true", help="delete the data in the folder first")
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port, which is a number from 1 to {_LAST_PORT}")
    return int(text)


def _opened(stack: contextlib.ExitStack, data: DataFolder) -> CombinedLog:
    try:
        log = CombinedLog(data.log)
    except OSError as error:
        raise Trouble(f"The log file {data.log} can't be written: {error.strerror}.") from error
    stack.callback(log.close)
    return log


class _Run:
    """One run, from the first process started to the last one stopped."""

    def __init__(
        self, *, data: DataFolder, binaries: binaries.Binaries | None, embedded: set[str], folder: Path,
        listeners: Sequence[socket.socket], log: CombinedLog, port: int, has_demo: bool, imitated: Sequence[str],
        sandbox: socket.socket | None,
    ) -> None:  # fmt: skip
        self._data = data
        self._binaries = binaries
        self._embedded = embedded
        self._listeners = listeners
        self._log = log
        self._port = port
        self._has_demo = has_demo
        self._imitated = imitated
        self._sandbox = sandbox
        self._folder = folder
        self._web_socket = folder / "web.sock"
        self._live_socket = folder / "live.sock"
        self._began = time.monotonic()
        # Stopped last to first, each group at once: nobody loses what it still needs.
        self._servers: list[Child] = []
        self._processes: list[Child] = []
        self._environ: dict[str, str] = {}

    async def until_stopped(self) -> int:
        """Start everything, wait for a signal, stop everything; 0 when that is how it went."""
        self._stopping = asyncio.Event()
        self._runner = Runner(self._log)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal)
        try:
            await self._start()
            await self._stopping.wait()
        except _StoppedError:
            pass
        except Trouble as trouble:
            raise (no_space(self._data.path) if self._log.full_since is not None else trouble) from trouble
        finally:
            await self._stop()
        return 0

    def _on_signal(self) -> None:
        if self._stopping.is_set():
            self._log.say("Not waiting for the others; PostgreSQL still closes its files.")
            self._runner.hurry()
        else:
            self._log.say("Stopping …")
            self._stopping.set()

    async def _start(self) -> None:
        self._log.say(f"Starting Brikonnect; its data is in {self._data.path}.")
        # First, so that a browser is told to wait from the start.
        self._processes.append(self._runner.keep(self._forwarder()))
        await self._start_servers()
        self._environ = self._application_environ()
        await self._unless_stopped(self._set_up())
        self._processes.append(self._keep_listening(self._web(), self._web_socket))
        self._processes.append(self._keep_listening(self._live(), self._live_socket))
        if self._has_demo:
            await self._unless_stopped(self._manage("demo", problem="The demo data could not be made"))
        # The pages first: starting all at once would only make everybody wait for everybody.
        await self._unless_stopped(self._wait_for_web())
        self._processes += [self._runner.keep(worker) for worker in self._workers()]
        self._processes.append(self._runner.keep(self._beat()))
        if self._sandbox is not None:
            # Whoever asks before it runs waits at its socket.
            self._processes.append(self._runner.keep(self._imitation(self._sandbox)))
        self._greet()

    async def _start_servers(self) -> None:
        database = os.environ.get("DATABASE_URL", "")
        broker = os.environ.get("REDIS_URL", "")
        waiting: list[tuple[postgres.Postgres | valkey.Valkey, Child]] = []
        if self._binaries is not None and "DATABASE_URL" in self._embedded:
            cluster = postgres.Postgres(
                binaries=self._binaries, data=self._data.postgres, sockets=self._folder / "postgres",
                account=self._data.account, durable=True,
            )  # fmt: skip
            if not self._data.postgres.exists():
                self._log.say("Making the database …")
            database = cluster.url()
            waiting.append((cluster, self._keep_server(cluster)))
        else:
            await asyncio.to_thread(postgres.check, database)
        if self._binaries is not None and "REDIS_URL" in self._embedded:
            server = valkey.Valkey(
                binaries=self._binaries, data=self._data.valkey, sockets=self._folder / "valkey",
                account=self._data.account, durable=True,
            )  # fmt: skip
            broker = server.url
            waiting.append((server, self._keep_server(server)))
        else:
            await asyncio.to_thread(valkey.check, broker)
        for each, child in waiting:
            await self._unless_stopped(asyncio.to_thread(each.wait_until_ready, is_running=self._still(child)))
            child.is_settled = True
        self._environ = {"DATABASE_URL": database, "REDIS_URL": broker}

    def _keep_server(self, server: postgres.Postgres | valkey.Valkey) -> Child:
        server.prepare()
        child = self._runner.keep(server.program(), before_restart=server.prepare, is_settled=False)
        self._servers.append(child)
        return child

    def _still(self, child: Child) -> Callable[[], bool]:
        return lambda: child.is_running and not self._stopping.is_set()

    def _keep_listening(self, program: Program, path: Path) -> Child:
        return self._runner.keep(program, before_restart=lambda: path.unlink(missing_ok=True))

    async def _set_up(self) -> None:
        steps = [self._manage("migrate_all", problem="The database could not be brought up to date")]
        if static_files.are_outdated(self._data):
            steps.append(self._collect_static_files())
        tasks = [asyncio.create_task(step) for step in steps]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _collect_static_files(self) -> None:
        digest = static_files.digest()
        await self._manage(
            "collectstatic", "--noinput", "--clear", "--verbosity=0", problem="The static files could not be collected"
        )
        static_files.note(self._data, digest)

    async def _manage(self, command: str, *arguments: str, problem: str) -> None:
        name = _SHORT.get(command, command)
        status = await self._runner.run(self._python(name, "manage.py", command, *arguments))
        if status:
            raise Trouble(f"{problem}: manage.py {command} ended with {describe(status)}; the log above says why.")

    async def _unless_stopped(self, step: Coroutine[Any, Any, None]) -> None:
        """Do the step; when somebody asks to stop meanwhile, break it off and raise _StoppedError."""
        doing = asyncio.create_task(step)
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait((doing, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if self._stopping.is_set():
            doing.cancel()
            await asyncio.gather(doing, return_exceptions=True)
            raise _StoppedError
        await doing

    async def _wait_for_web(self) -> None:
        """Return when the application says that it is healthy; say so when that takes long."""
        began = time.monotonic()
        reminder = _PATIENCE
        while True:
            status = await _ask(self._web_socket, target="/api/v1/health", host=f"localhost:{self._port}")
            if status == _HEALTHY:
                return
            if time.monotonic() - began > reminder:
                answer = f"answers with status {status}" if status else "does not answer"
                self._log.say(f"The application {answer} after {reminder} s; the log above says why. Ctrl-C stops it.")
                reminder *= 2
            await asyncio.sleep(_POLL)

    async def _stop(self) -> None:
        await self._runner.stop(*self._processes)
        await self._runner.stop(*self._servers)
        self._log.say("Stopped.")

    def _greet(self) -> None:
        seconds = time.monotonic() - self._began
        lines = [
            "",
            f"Brikonnect runs (after {seconds:.1f} s). Ctrl-C stops it.",
            "",
            f"  Site   http://localhost:{self._port}",
        ]
        if self._has_demo:
            lines += [
                f"  Demo   http://demo.localhost:{self._port}",
                f"         {', '.join(f'{user}@demo.example' for user in DEMO_USERS)}",
                f"         password {DEMO_PASSWORD}",
            ]
        lines += [f"  API    http://api.localhost:{self._port}/api/v1", f"  Log    {self._data.log}"]
        if self._imitated:
            lines.append(f"         Imitated here, at {self._sandbox_url}: {', '.join(self._imitated)}")
        lines.append("")
        self._log.say("\n".join(lines))

    # --- What is run ---------------------------------------------------------------------------------------------

    @property
    def _sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self._sandbox.getsockname()[1]}" if self._sandbox else ""

    def _application_environ(self) -> dict[str, str]:
        environ = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
        for service in self._imitated:
            for name, value in _IMITATED[service].items():
                environ[name] = value.format(url=self._sandbox_url, host=self._sandbox_url.removeprefix("http://"))
        return (
            environ
            | self._environ
            | self._data.secrets()
            | {
                "DJANGO_SETTINGS_MODULE": "brikonnect.settings",
                "ENVIRONMENT": "development",
                "DEBUG": "true" if os.environ.get("DEBUG") == "true" else "false",
                "BASE_DOMAIN": "localhost",
                "PUBLIC_SCHEME": "http",
                "PUBLIC_PORT": str(self._port),
                "TRUSTED_PROXY_COUNT": "1",
                "DATA_DIR": str(self._data.path),
                "PYTHONUNBUFFERED": "1",
                # Nothing of the application starts a second one by accident, and a later start knows its processes.
                data_folder.MARK: str(self._data.path),
            }
        )

    def _python(self, name: str, *arguments: str, **more: Any) -> Program:
        return Program(name=name, argv=[sys.executable, *arguments], cwd=ROOT, env=self._environ, **more)

    def _web(self) -> Program:
        return self._python(
            "web", "-m", "granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "4",
            "--uds", str(self._web_socket), "--no-ws", "--respawn-failed-workers", "--workers-kill-timeout", "8",
            "brikonnect.wsgi:application",
        )  # fmt: skip

    def _live(self) -> Program:
        # Event streams end only when they are cut off, so waiting for them is of no use.
        return self._python(
            "live", "-m", "granian", "--interface", "asgi", "--uds", str(self._live_socket), "--no-ws",
            "--workers-kill-timeout", "1", "brikonnect.asgi:application",
        )  # fmt: skip

    def _workers(self) -> Iterator[Program]:
        """Answer the two of docs/operations.md: long jobs hold up neither a sale nor a mail."""
        for name, queues in _WORKERS.items():
            told = (f"--queues={queues}", f"--hostname={name}@%h", "--concurrency=2")
            worker = self._celery("worker", *told, "--without-gossip", "--without-mingle")
            # It gives the jobs under way 25 seconds to get to a checkpoint.
            yield dataclasses.replace(worker, name=name, patience=30)

    def _beat(self) -> Program:
        return self._celery("beat", f"--schedule={self._data.beat / 'schedule'}", "--pidfile=")

    def _celery(self, kind: str, *options: str) -> Program:
        # Who runs `bin/up` as root has decided that already; the servers with the data have another account.
        quiet = ("-W", "ignore:You're running the worker with superuser privileges")
        app = ("-m", "celery", "--quiet", "-A", "brikonnect.celery:app")
        return self._python(kind, *quiet, *app, kind, "--loglevel=INFO", *options)

    def _imitation(self, listener: socket.socket) -> Program:
        return Program(
            name="sandbox",
            argv=[
                sys.executable, "-m", "sandbox", "--fd", str(listener.fileno()), "--profile", "demo",
                "--state", str(self._data.path / "sandbox.sqlite3"),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", data_folder.MARK: str(self._data.path)},
            keep=[listener.fileno()],
            patience=3,
        )  # fmt: skip

    def _forwarder(self) -> Program:
        descriptors = [listener.fileno() for listener in self._listeners]
        return Program(
            name="forwarder",
            argv=[
                sys.executable, "-m", "brikonnect.devstack.forwarder", *(f"--fd={number}" for number in descriptors),
                "--web", str(self._web_socket), "--live", str(self._live_socket),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", data_folder.MARK: str(self._data.path)},
            keep=descriptors,
            patience=3,
        )  # fmt: skip


async def _ask(path: Path, *, target: str, host: str) -> int | None:
    """Answer the status of one request to a process behind, or None when it does not answer."""
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_unix_connection(str(path))
            try:
                writer.write(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                words = (await reader.readline()).split()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else None
