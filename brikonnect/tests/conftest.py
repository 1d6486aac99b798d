"""Real workers: processes of their own, on the test's database and Redis."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connection

from brikonnect.tests.worker_app import traces

Start = Callable[[], "Worker"]
BOOT_S = 60


class Worker:
    """A Celery worker with one process for tasks, in a session of its own. Its files lie beside its log."""

    def __init__(self, log: Path) -> None:
        self._log = log.open("ab")
        self.path = log
        database = settings.DATABASES["default"]
        url = f"postgresql:///{database['NAME']}?host={database['HOST']}&user={database['USER']}"
        if database["PORT"]:
            url += f"&port={database['PORT']}"
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        ready = traces().llen("ready")
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "celery", "-A", "brikonnect.tests.worker_app:app", "worker", "--concurrency=1",
                "--without-mingle", "--without-gossip", "--loglevel=INFO",
            ],
            env={
                **environ,
                "DATABASE_URL": url,
                "REDIS_URL": settings.REDIS_URL,
                "DATA_DIR": str(log.parent),
                # Those of the tests keep files in the process's memory.
                "DJANGO_SETTINGS_MODULE": "brikonnect.settings",
            },
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        wait_for(lambda: traces().llen("ready") > ready, seconds=BOOT_S, what=self.path.read_text)

    def kill(self) -> None:
        """End it and its children without a word."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def terminate(self) -> float:
        """Ask it to stop; answer after how many seconds it had."""
        began = time.monotonic()
        self.process.terminate()
        self.process.wait(40)
        return time.monotonic() - began

    def close(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.kill()
        self._log.close()


def wait_for(condition: Callable[[], object], *, seconds: float, what: Callable[[], str] = lambda: "") -> None:
    """Wait until the condition holds; fail with `what` if it doesn't in time."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            pytest.fail(f"waited {seconds} s in vain\n{what()}")
        time.sleep(0.05)


@pytest.fixture
def start_worker(tmp_path: Path, transactional_db: None) -> Iterator[Start]:  # must come before it
    """Answer a function that starts a worker and waits until it is ready."""
    started: list[Worker] = []

    def start() -> Worker:
        started.append(Worker(tmp_path / f"worker{len(started)}.log"))
        return started[-1]

    yield start
    for worker in started:
        worker.close()
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    connection.close()
