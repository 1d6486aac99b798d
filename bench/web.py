"""An empty list endpoint and a page with the shell, against a bare WSGI hello world under the same server.

Run: `.venv/bin/python -m brikonnect.devstack.servers --test -- .venv/bin/python -m bench.web`.
Rounds alternate limit, product, limit; the medians of CPU per request (application and PostgreSQL together) and of p95
at eight connections are reported as ratios.
"""

import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
from cryptography.fernet import Fernet

from bench.report import save

CONNECTIONS = 8
SECONDS = 4.0
ROUNDS = 5
# Two measurements of the limit that differ by more say that the machine was not quiet.
UNQUIET = 1.5


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _granian(target: str) -> Iterator[tuple[int, psutil.Process]]:
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


def _cpu_seconds(*roots: psutil.Process) -> float:
    total = 0.0
    for root in roots:
        for process in (root, *root.children(recursive=True)):
            times = process.cpu_times()
            total += times.user + times.system
        # What has ended meanwhile, as connections do, is kept by its parent.
        total += root.cpu_times().children_user + root.cpu_times().children_system
    return total


def _postgres() -> psutil.Process:
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


def _measure(port: int, roots: tuple[psutil.Process, ...], plan: dict[str, Any]) -> dict[str, float]:
    before = _cpu_seconds(*roots)
    out = subprocess.run(  # our own command
        [sys.executable, "-m", "bench.load", json.dumps({**plan, "port": str(port)}), str(CONNECTIONS), str(SECONDS)],
        check=True,
        capture_output=True,
        text=True,
    )
    seen: dict[str, float] = json.loads(out.stdout)
    return {**seen, "cpu_ms": (_cpu_seconds(*roots) - before) * 1000 / seen["requests"]}


def _sign_in() -> dict[str, dict[str, str]]:
    """Prepare the demo shop; answer its session cookie and token as headers."""
    import django  # noqa: PLC0415  # the servers' addresses are in the environment only now

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    call_command("migrate_all")
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("demo")
    host = f"demo.{os.environ['BASE_DOMAIN']}"
    client = Client(headers={"host": host})
    credentials = {"email": "owner@demo.example", "password": "brikonnect-demo"}
    answer = client.post("/api/v1/auth/token", json.dumps(credentials), content_type="application/json").json()
    client.post("/account/login/", {"login": credentials["email"], "password": credentials["password"]})
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    return {
        "page": {"Cookie": cookie},
        "api": {"Authorization": f"Bearer {answer['access_token']}"},
    }


def main() -> None:
    """Measure and save."""
    headers = _sign_in()
    host = f"demo.{os.environ['BASE_DOMAIN']}"
    plans = {
        "empty list endpoint (GET /api/v1/jobs)": {
            "path": "/api/v1/jobs",
            "host": host,
            "headers": json.dumps(headers["api"]),
        },
        "page with shell (GET /)": {"path": "/", "host": host, "headers": json.dumps(headers["page"])},
    }
    limit_plan = {"path": "/", "host": host, "headers": "{}"}
    postgres = _postgres()
    limits: list[dict[str, float]] = []
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in plans}
    with (
        _granian("bench.hello:application") as (hello_port, hello),
        _granian("brikonnect.wsgi:application") as (port, web),
    ):
        for _ in range(ROUNDS):
            limits.append(_measure(hello_port, (hello,), limit_plan))
            for name, plan in plans.items():
                seen[name].append(_measure(port, (web, postgres), plan))
            limits.append(_measure(hello_port, (hello,), limit_plan))

    def median(rounds: list[dict[str, float]], figure: str) -> float:
        return statistics.median(one[figure] for one in rounds)

    spread = max(one["cpu_ms"] for one in limits) / min(one["cpu_ms"] for one in limits)
    rows = [
        {
            "figure": name,
            "cpu_ms": round(median(rounds, "cpu_ms"), 3),
            "p95_ms": round(median(rounds, "p95_ms"), 2),
            "cpu_ratio": round(median(rounds, "cpu_ms") / median(limits, "cpu_ms"), 1),
            "p95_ratio": round(median(rounds, "p95_ms") / median(limits, "p95_ms"), 1),
            "range_cpu_ms": [
                round(min(one["cpu_ms"] for one in rounds), 3),
                round(max(one["cpu_ms"] for one in rounds), 3),
            ],
        }
        for name, rounds in seen.items()
    ]
    limit = {
        "cpu_ms": round(median(limits, "cpu_ms"), 4),
        "p95_ms": round(median(limits, "p95_ms"), 2),
        "spread": round(spread, 2),
    }
    save(
        "web",
        {
            "limit": "hello world, WSGI, granian 2 × 4",
            "limit_figures": limit,
            "quotable": spread <= UNQUIET,
            "rows": rows,
        },
    )


if __name__ == "__main__":
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
        "DATA_DIR": tempfile.mkdtemp(prefix="brikonnect-bench-"),
    }
    for name, value in nobodys_secrets.items():
        os.environ.setdefault(name, value)
    main()
