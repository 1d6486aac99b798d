"""Started once, taken up again, cancelled, ended: what the table says after each, and who may write it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.utils import timezone
from time_machine import travel

from common import actor, shutdown
from common.actor import ActorKind
from common.errors import Conflict, Invalid, NotFound
from events.models import Event
from jobs import files, registry, services
from jobs.choices import JobStatus, LogLevel
from jobs.errors import LeaseLost, TryAgain
from jobs.models import JobRun
from jobs.runner import Run, current, run_job
from jobs.tests.factories import acting, declared, nobody, person

pytestmark = pytest.mark.django_db


def started(**args: Any) -> JobRun:
    return services.start("bricks", args=args)


def running(job: JobRun) -> JobRun:
    claimed = services.claim(job_id=job.id, now=timezone.now())
    assert claimed is not None
    return claimed


def test_runs_after_the_commit_and_keeps_its_result(django_capture_on_commit_callbacks: Any) -> None:
    def count(run: Run, *, bricks: int) -> dict[str, Any]:
        for brick in range(bricks):
            run.save_checkpoint(brick=brick + 1)
            run.progress(brick + 1, bricks, unit="bricks")
        run.log("Counted them all.")
        return {"message": f"{bricks} bricks."}

    with declared("bricks", count), django_capture_on_commit_callbacks(execute=True):
        job = started(bricks=3)
        assert job.status == JobStatus.PENDING
    job.refresh_from_db()
    assert (job.status, job.progress_percent, job.result) == (JobStatus.COMPLETED, 100, {"message": "3 bricks."})
    assert job.checkpoint == {"brick": 3}
    assert job.progress_data["done"] == 3
    assert [line.message for line in job.logs.all()] == ["Counted them all."]
    assert Event.objects.get(event_type="job.ended").payload["data"]["status"] == "COMPLETED"


def test_makes_one_job_of_one_wish() -> None:
    with declared("bricks", lambda _run: None):
        first = services.start("bricks", key="form-1")
        assert services.start("bricks", key="form-1").id == first.id
        assert services.start("bricks", key="form-2").id != first.id
        assert services.start("bricks").id != services.start("bricks").id


def test_refuses_a_kind_that_no_app_has() -> None:
    with pytest.raises(LookupError):
        services.start("no_such_kind")


def test_acts_as_a_job_of_its_starter(django_capture_on_commit_callbacks: Any) -> None:
    seen: list[actor.Actor] = []
    with (
        declared("bricks", lambda _run: seen.append(actor.current())),
        actor.use(acting(person())),
        django_capture_on_commit_callbacks(execute=True),
    ):
        job = started()
    assert seen[0].kind is ActorKind.JOB
    assert seen[0].id == str(job.id)
    assert seen[0].name == "Counting of bricks for Ana"
    # What Ana may do now, not what she might do when she pressed the button.
    assert seen[0].permissions == {"settings:write"}


def test_lets_a_job_of_a_job_act_for_the_same_person(django_capture_on_commit_callbacks: Any) -> None:
    seen: list[str] = []

    def outer(_run: Run) -> None:
        services.start("inner")

    with (
        declared("inner", lambda _run: seen.append(actor.current().name)),
        declared("bricks", outer),
        actor.use(acting(person())),
        django_capture_on_commit_callbacks(execute=True),
    ):
        started()
    assert seen == ["Counting of bricks for Ana"]


@pytest.mark.parametrize("happening", ["switched off", "deleted"])
def test_fails_when_its_starter_may_nothing_any_more(happening: str) -> None:
    ana = person()
    with declared("bricks", lambda _run: None), actor.use(acting(ana)):
        job = started()
        if happening == "deleted":
            ana.delete()
        else:
            ana.is_active = False
            ana.save()
        run_job(job_id=job.id, with_heartbeat=False)
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert job.error_message == "The account of Ana, who started this, is switched off or gone."


def test_says_in_plain_words_why_it_failed() -> None:
    def refuse(_run: Run) -> None:
        raise Invalid("Line 3 has no item number.")

    def break_down(_run: Run) -> None:
        raise KeyError("secret inside")

    with declared("bricks", refuse), declared("towers", break_down):
        refused, broken = started(), services.start("towers")
        run_job(job_id=refused.id, with_heartbeat=False)
        run_job(job_id=broken.id, with_heartbeat=False)
    refused.refresh_from_db()
    broken.refresh_from_db()
    assert (refused.status, refused.error_message) == (JobStatus.FAILED, "Line 3 has no item number.")
    assert broken.status == JobStatus.FAILED
    assert str(broken.id) in broken.error_message
    assert "secret" not in broken.error_message


def test_ignores_a_second_delivery() -> None:
    runs: list[int] = []
    with declared("bricks", lambda run: runs.append(run.attempt)):
        job = started()
        run_job(job_id=job.id, with_heartbeat=False)
        run_job(job_id=job.id, with_heartbeat=False)
        run_job(job_id=nobody(), with_heartbeat=False)
    assert runs == [1]


def test_cancels_a_waiting_job_at_once() -> None:
    with declared("bricks", lambda _run: None):
        job = services.cancel(job_id=started().id, now=timezone.now())
        assert job.status == JobStatus.CANCELLED
        run_job(job_id=job.id, with_heartbeat=False)
    job.refresh_from_db()
    assert job.attempt == 0
    with pytest.raises(Conflict):
        services.cancel(job_id=job.id, now=timezone.now())
    with pytest.raises(NotFound):
        services.cancel(job_id=nobody(), now=timezone.now())


def test_cancels_a_running_job_at_its_next_step() -> None:
    steps: list[int] = []

    def count(run: Run) -> None:
        for step in range(5):
            steps.append(step)
            if step == 1:
                services.cancel(job_id=run.job_id, now=timezone.now())
            run.save_checkpoint(step=step)

    with declared("bricks", count):
        job = started()
        # Outside the test's transaction a checkpoint would raise by itself; inside one only `check` does.
        run_job(job_id=job.id, with_heartbeat=False)
    job.refresh_from_db()
    assert job.status == JobStatus.COMPLETED
    assert steps == [0, 1, 2, 3, 4]

    def count_and_check(run: Run) -> None:
        count(run)
        run.check()

    steps.clear()
    with declared("bricks", count_and_check):
        job = started()
        run_job(job_id=job.id, with_heartbeat=False)
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED


def test_refuses_what_an_older_holder_writes() -> None:
    with declared("bricks", lambda _run: None):
        older = running(started())
        later = timezone.now() + registry.HEARTBEAT_LIMIT + timedelta(seconds=1)
        services.sweep(now=later)
        newer = services.claim(job_id=older.id, now=later)
    assert newer is not None
    assert (older.attempt, newer.attempt) == (1, 2)
    stale: dict[str, Any] = {"job_id": older.id, "attempt": older.attempt}
    now = timezone.now()
    for write in (
        lambda: services.save_checkpoint(values={"row": 1}, now=now, **stale),
        lambda: services.save_progress(percent=50, message="", data={}, now=now, **stale),
        lambda: services.beat(now=now, **stale),
        lambda: services.complete(result=None, now=now, **stale),
        lambda: services.fail(reason="no", now=now, **stale),
        lambda: services.release(**stale),
    ):
        with pytest.raises(LeaseLost):
            write()
    newer.refresh_from_db()
    assert (newer.status, newer.checkpoint) == (JobStatus.RUNNING, {})


def test_takes_up_a_silent_job_and_gives_up_after_a_few_times() -> None:
    now = timezone.now()
    with declared("bricks", lambda _run: None):
        job = started()
        for attempt in (1, 2, 3):
            assert services.claim(job_id=job.id, now=now) is not None
            services.sweep(now=now + timedelta(seconds=5))
            job.refresh_from_db()
            assert job.status == JobStatus.RUNNING  # not silent yet
            now += timedelta(minutes=15)
            services.sweep(now=now)
            job.refresh_from_db()
            assert job.interruptions == attempt
            now += timedelta(minutes=15)
    assert job.status == JobStatus.FAILED
    assert job.error_message.startswith("Given up after 3 attempts.")


def test_gives_a_job_that_gets_further_all_its_attempts_again() -> None:
    now = timezone.now()
    with declared("bricks", lambda _run: None):
        job = started()
        # It saves the fourth checkpoint over and over, as one does whose next step kills its worker.
        for brick in (1, 2, 3, 4, 4, 4):
            held = services.claim(job_id=job.id, now=now)
            assert held is not None
            services.save_checkpoint(job_id=job.id, attempt=held.attempt, values={"brick": brick}, now=now)
            now += timedelta(minutes=15)
            services.sweep(now=now)
            now += timedelta(minutes=15)
    job.refresh_from_db()
    assert (job.status, job.attempt, job.interruptions) == (JobStatus.FAILED, 6, 3)


def test_cancels_a_silent_job_that_was_to_be_cancelled() -> None:
    with declared("bricks", lambda _run: None):
        job = running(started())
        services.cancel(job_id=job.id, now=timezone.now())
        services.sweep(now=timezone.now() + timedelta(minutes=1))
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED


def test_gives_a_job_whose_task_was_lost_another(django_capture_on_commit_callbacks: Any) -> None:
    with declared("bricks", lambda _run: None):
        job = started()  # its task is dropped with this test's hooks
        with django_capture_on_commit_callbacks(execute=True):
            services.sweep(now=timezone.now() + timedelta(seconds=10))
        job.refresh_from_db()
        assert job.status == JobStatus.PENDING
        with django_capture_on_commit_callbacks(execute=True):
            services.sweep(now=timezone.now() + timedelta(seconds=31))
    job.refresh_from_db()
    assert job.status == JobStatus.COMPLETED


def test_waits_when_it_asks_to_be_tried_again() -> None:
    tries: list[int] = []

    def ask(run: Run) -> None:
        tries.append(run.attempt)
        if run.attempt == 1:
            raise TryAgain("BrickLink isn't answering.", after=timedelta(minutes=5))

    with declared("bricks", ask):
        job = started()
        run_job(job_id=job.id, with_heartbeat=False)
        job.refresh_from_db()
        assert (job.status, job.progress_message) == (JobStatus.PENDING, "BrickLink isn't answering.")
        run_job(job_id=job.id, with_heartbeat=False)
        assert tries == [1]
        with travel(timezone.now() + timedelta(minutes=6), tick=False):
            run_job(job_id=job.id, with_heartbeat=False)
    job.refresh_from_db()
    assert (job.status, tries, job.interruptions) == (JobStatus.COMPLETED, [1, 2], 0)


def test_survives_a_database_that_fails_it() -> None:
    tries: list[int] = []

    def count(run: Run) -> None:
        tries.append(run.attempt)
        if len(tries) == 1:
            raise OperationalError("deadlock detected")

    with declared("bricks", count):
        job = started()
        run_job(job_id=job.id, with_heartbeat=False)
        job.refresh_from_db()
        assert (job.status, job.interruptions) == (JobStatus.PENDING, 1)
        run_job(job_id=job.id, with_heartbeat=False)
    job.refresh_from_db()
    assert (job.status, tries) == (JobStatus.COMPLETED, [1, 2])


def test_is_released_when_its_worker_stops(django_capture_on_commit_callbacks: Any) -> None:
    attempts: list[int] = []

    def count(run: Run) -> None:
        attempts.append(run.attempt)
        run.save_checkpoint(brick=1)
        if run.attempt == 1:
            shutdown.request()
        run.progress(1, 2)

    with declared("bricks", count):
        job = started()
        run_job(job_id=job.id, with_heartbeat=False)
        job.refresh_from_db()
        assert (job.status, job.checkpoint, job.interruptions) == (JobStatus.PENDING, {"brick": 1}, 0)
        shutdown.withdraw()
        run_job(job_id=job.id, with_heartbeat=False)
    job.refresh_from_db()
    assert (job.status, attempts) == (JobStatus.COMPLETED, [1, 2])


def test_keeps_checkpoint_and_effects_together() -> None:
    def count(run: Run) -> None:
        with transaction.atomic():
            person("Effect")
            run.save_checkpoint(done=True)
            transaction.set_rollback(True)

    with declared("bricks", count):
        job = started()
        run_job(job_id=job.id, with_heartbeat=False)
    job.refresh_from_db()
    assert job.checkpoint == {}


def test_knows_the_job_under_way() -> None:
    seen: list[Any] = []
    with declared("bricks", lambda run: seen.append(current() is run)):
        run_job(job_id=started().id, with_heartbeat=False)
    assert seen == [True]
    assert current() is None


def test_leaves_files_for_a_week() -> None:
    def export(run: Run) -> dict[str, Any]:
        with run.file("bricks.csv", media_type="text/csv") as stream:
            stream.write(b"3001,4\n")
        return {"message": "One brick."}

    with declared("bricks", export):
        job = started()
        run_job(job_id=job.id, with_heartbeat=False)
    job.refresh_from_db()
    assert job.result is not None
    entry = job.result["files"][0]
    assert (entry["name"], entry["size"]) == ("bricks.csv", 7)
    opened = files.open_file(entry)
    assert opened is not None
    assert opened.read() == b"3001,4\n"
    services.purge(now=timezone.now() + timedelta(days=8))
    assert files.open_file(entry) is None
    assert JobRun.objects.filter(pk=job.pk).exists()
    services.purge(now=timezone.now() + timedelta(days=91))
    assert not JobRun.objects.filter(pk=job.pk).exists()


def test_logs_lines_in_their_order() -> None:
    with declared("bricks", lambda _run: None):
        job = started()
    for number in range(3):
        services.add_log(job_id=job.id, level=LogLevel.INFO, message=str(number), now=timezone.now())
    assert [line.message for line in job.logs.order_by("id")] == ["0", "1", "2"]
