"""What the worker processes of these tests run: the real app, and tasks and jobs that leave traces in Redis."""

import os
import signal
import time
from functools import cache
from typing import Any

import django
import redis
from celery import signals
from django.conf import settings

django.setup()

from django.db import connection, transaction  # noqa: E402  # Django must be set up before its models are imported

from brikonnect.celery import app  # noqa: E402
from common import actor, steps, workspace  # noqa: E402
from jobs.models import JobRun  # noqa: E402
from jobs.registry import job  # noqa: E402
from jobs.runner import Run  # noqa: E402

TRACE = "trace"
DIED = "died"
_DIES_AFTER = "dies_after"


@cache
def traces() -> Any:
    """Answer the Redis in which the tests look."""
    return redis.Redis.from_url(settings.REDIS_URL)


def dies_after(count: int) -> None:
    """Have the next worker that has passed so many steps be killed; 0 for none."""
    traces().set(_DIES_AFTER, count)


def _pass(name: str) -> None:
    """Be killed at a step of keeping in step, where that was asked for."""
    if name.startswith(("sync.", "jobs.")) and traces().decr(_DIES_AFTER) == 0:
        traces().rpush(DIED, name)
        os.kill(os.getpid(), signal.SIGKILL)


@signals.worker_process_init.connect
def _be_mortal(**_kwargs: Any) -> None:
    steps.listen(_pass)


@signals.worker_init.connect
def _be_a_worker(**_kwargs: Any) -> None:
    app.conf.task_always_eager = False


@signals.worker_ready.connect
def _say_ready(**_kwargs: Any) -> None:
    traces().rpush("ready", os.getpid())


def search_path() -> str:
    """Answer which schema the connection really looks at."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        return str(cursor.fetchone()[0])


@app.task(name="tests.look")
def look(number: int = 0, **_future: Any) -> None:
    """Leave a trace of the schema and of who acts; every third time with an exception."""
    who = actor.current()
    traces().rpush(TRACE, f"{number}:{workspace.current_key()}:{search_path()}:{who.kind}")
    if number % 3 == 0:
        raise ValueError("on purpose")


@job("tests.count", label="Counting", queue="bulk")
def count(run: Run, *, bricks: int, pause_s: float = 0.0) -> dict[str, Any]:
    """Write a line for each brick in one transaction with its checkpoint, slowly."""
    for brick in range(run.checkpoint.get("brick", 0), bricks):
        with transaction.atomic():
            run.log(f"brick {brick}")
            run.save_checkpoint(brick=brick + 1)
        traces().rpush(TRACE, f"{os.getpid()}:{brick}")
        time.sleep(pause_s)
        run.progress(brick + 1, bricks, unit="bricks")
    return {"message": f"{bricks} bricks in {JobRun.objects.count()} jobs."}
