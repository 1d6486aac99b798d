"""A worker killed at each of its steps: the job ends as if nobody had touched it, and each effect happened once."""

import signal
import threading
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.utils import timezone

from common import steps, workspace
from common.testing.dying import in_a_process, killed, listening, recorded
from jobs import services
from jobs.choices import JobStatus, LogLevel
from jobs.models import JobRun
from jobs.runner import Run, run_job
from jobs.tests.factories import declared

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_worker")]

BRICKS = 3
LIMIT = timedelta(seconds=2)
LATER = timedelta(seconds=5)


def count(run: Run) -> dict[str, str]:
    """Write a line for each brick, in one transaction with the checkpoint that says so."""
    for brick in range(run.checkpoint.get("brick", 0), BRICKS):
        with transaction.atomic():
            run.log(f"brick {brick}")
            steps.step("count.logged")
            run.save_checkpoint(brick=brick + 1)
        steps.step("count.committed")
        run.progress(brick + 1, BRICKS, unit="bricks")
    return {"message": f"{BRICKS} bricks."}


def outcome(job: JobRun) -> tuple[str, object, object, list[str]]:
    job.refresh_from_db()
    lines = job.logs.filter(level=LogLevel.INFO).order_by("id").values_list("message", flat=True)
    return job.status, job.result, job.checkpoint, list(lines)


UNDISTURBED = (
    JobStatus.COMPLETED.value,
    {"message": "3 bricks."},
    {"brick": 3},
    ["brick 0", "brick 1", "brick 2"],
)


def test_ends_the_same_wherever_its_worker_is_killed(tmp_path: Path) -> None:
    with declared("bricks.counted", count, heartbeat_limit=LIMIT):
        clean = services.start("bricks.counted", key="clean")
        names = recorded(lambda: run_job(job_id=clean.id), tmp_path / "steps")
        assert outcome(clean) == UNDISTURBED
        assert {"jobs.claimed", "count.logged", "jobs.checkpoint", "count.committed", "jobs.ended"} <= set(names)
        for number, name in enumerate(names):
            job = services.start("bricks.counted", key=f"killed at {number}")
            work = partial(run_job, job_id=job.id)
            assert killed(work, number) == signal.SIGKILL, name
            services.sweep(now=timezone.now() + LATER)
            assert in_a_process(work) == 0
            assert outcome(job) == UNDISTURBED, f"killed at step {number}, {name}"


def test_runs_once_where_two_workers_have_its_task() -> None:
    with declared("bricks.counted", count, heartbeat_limit=LIMIT):
        job = services.start("bricks.counted")
        key, start = workspace.current_key(), threading.Barrier(4)

        def work() -> None:
            try:
                with workspace.enter(key):
                    start.wait(10)
                    run_job(job_id=job.id)
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert outcome(job) == UNDISTURBED
        assert job.attempt == 1


def test_refuses_the_effects_of_a_holder_that_was_thought_dead() -> None:
    """A worker that hung goes on after another has taken its job over: nothing it does then is kept."""
    key, hangs, goes_on = workspace.current_key(), threading.Event(), threading.Event()

    def hang(name: str) -> None:
        if threading.current_thread().name == "slow" and name == "count.committed":
            hangs.set()
            goes_on.wait(30)

    def slow() -> None:
        try:
            with workspace.enter(key):
                run_job(job_id=job.id, with_heartbeat=False)
        finally:
            connection.close()

    with declared("bricks.counted", count, heartbeat_limit=LIMIT):
        job = services.start("bricks.counted")
        with listening(hang):
            thread = threading.Thread(target=slow, name="slow")
            thread.start()
            assert hangs.wait(30)
            services.sweep(now=timezone.now() + LATER)
            run_job(job_id=job.id, with_heartbeat=False)
            assert outcome(job) == UNDISTURBED
            goes_on.set()
            thread.join(30)
    assert outcome(job) == UNDISTURBED
    assert job.attempt == 2


def test_stays_alive_while_it_is_busy() -> None:
    """The heartbeat beats while the function computes, so the sweeper leaves it alone."""
    beats: list[object] = []

    def compute(run: Run) -> None:
        for _ in range(6):
            threading.Event().wait(0.25)
            beats.append(JobRun.objects.values_list("last_heartbeat_at", flat=True).get(pk=run.job_id))

    with declared("bricks.counted", compute, heartbeat_limit=timedelta(seconds=1)):
        job = services.start("bricks.counted")
        run_job(job_id=job.id)
    assert len(set(beats)) >= 4


def test_stops_at_a_checkpoint_when_it_is_cancelled() -> None:
    def count_long(run: Run) -> None:
        for brick in range(1000):
            run.log(f"brick {brick}")
            if brick == 2:
                services.cancel(job_id=run.job_id, now=timezone.now())
            run.save_checkpoint(brick=brick)

    with declared("bricks.counted", count_long):
        job = services.start("bricks.counted")
        run_job(job_id=job.id)
    status, _, checkpoint, lines = outcome(job)
    assert (status, checkpoint, len(lines)) == (JobStatus.CANCELLED, {"brick": 2}, 3)
