"""What the benches stand on: a server under test, its CPU and PostgreSQL's, and somebody who asks it things."""

import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psutil
from cryptography.fernet import Fernet

# Two measurements of the limit that differ by more say that the machine was not quiet.
UNQUIET = 1.5
HELLO, PRODUCT = "bench.hello:application", "brikonnect.wsgi:application"

Figures = dict[str, float]


def set_up() -> None:
    """Give the process the settings of an installation of nobody's, and load Django."""
    nobodys_secrets = {
        "DJANGO_SETTINGS_MODULE": "brikonnect.settings",
        "ENVIRONMENT": "development",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "BASE_DOMAIN": "localhost",
        "PUBLIC_SCHEME": "http",
        "TRUSTED_PROXY_COUNT": "0",
        "API_RATE": "10000000/min",
        "API_SHOP_RATE": "10000000/min",
    }
    if "DATA_DIR" not in os.environ:
        os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="brikonnect-bench-")
    for name, value in nobodys_secrets.items():
        os.environ.setdefault(name, value)
    import django  # noqa: PLC0415  # the servers' addresses are in the environment only now

    django.setup()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def granian(target: str) -> Iterator[tuple[int, psutil.Process]]:
    """Serve an application as in production while the block runs; yield its port and its process."""
    port = _free_port()
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "2", "--blocking-threads", "4", "--no-access-log", "--log-level", "error", target,
    ]  # fmt: skip
    with subprocess.Popen(command) as server:  # our own command
        try:
            for _ in range(200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield port, psutil.Process(server.pid)
        finally:
            server.terminate()


def cpu_seconds(*roots: psutil.Process) -> float:
    """Answer how much CPU the processes and those that they started have used."""
    total = 0.0
    for root in roots:
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        # What has ended meanwhile, as connections do, is kept by its parent.
        total += root.cpu_times().children_user + root.cpu_times().children_system
    return total


def postgres() -> psutil.Process:
    """Answer the server whose CPU is counted: the one that the product uses."""
    from django.db import connection  # noqa: PLC0415  # Django is set up only now

    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return psutil.Process(psutil.Process(cursor.fetchone()[0]).ppid())
    except psutil.NoSuchProcess:
        raise SystemExit("PostgreSQL is not on this machine; the benchmark counts its CPU too") from None
    finally:
        connection.close()


def measure(
    port: int, roots: Sequence[psutil.Process], plan: dict[str, Any], *, connections: int = 8, seconds: float = 4.0
) -> Figures:
    """Ask what the plan says over and over; answer p50, p95 and CPU per request."""
    before = cpu_seconds(*roots)
    command = [sys.executable, "-m", "bench.load", str(connections), str(seconds)]
    out = subprocess.run(  # our own command
        command, input=json.dumps({**plan, "port": port}), check=True, capture_output=True, text=True
    )
    seen: Figures = json.loads(out.stdout)
    return {**seen, "cpu_ms": (cpu_seconds(*roots) - before) * 1000 / seen["requests"]}


def median(rounds: Sequence[Figures], figure: str) -> float:
    """Answer the median of one figure."""
    return statistics.median(one[figure] for one in rounds)


def spread(rounds: Sequence[Figures], figure: str) -> float:
    """Answer how many times the least the most is."""
    values = [one[figure] for one in rounds]
    return max(values) / min(values)


def sign_in(host: str, *, email: str, password: str) -> dict[str, dict[str, str]]:
    """Answer a browser's headers (`page`) and a program's (`api`) of a user."""
    from django.test import Client  # noqa: PLC0415  # Django is set up only now

    client = Client(headers={"host": host})
    credentials = {"email": email, "password": password}
    answer = client.post("/api/v1/auth/token", json.dumps(credentials), content_type="application/json").json()
    client.post("/account/login/", {"login": email, "password": password})
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    return {"page": {"Cookie": cookie}, "api": {"Authorization": f"Bearer {answer['access_token']}"}}
