"""Tasks find their tenant in a real worker, jobs outlive it, and beat asks only those who have something to do."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from django_tenants.utils import schema_context

from brikonnect.celery import app, broker_url, fan_out
from brikonnect.tests.conftest import Start, wait_for
from brikonnect.tests.worker_app import TRACE, traces
from common import periodic, workspace
from jobs import services
from jobs.choices import JobStatus, LogLevel
from jobs.models import JobRun
from tenants.testing import create_shop

SHOP, OTHER, PUBLIC = "t_shop", "t_other", "public"


def trace() -> list[str]:
    return [line.decode() for line in traces().lrange(TRACE, 0, -1)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_worker")
def test_runs_tasks_of_two_tenants_in_turn_each_in_its_schema(start_worker: Start) -> None:
    create_shop(schema=OTHER, host=f"other.{settings.BASE_DOMAIN}")
    sent = []
    for number in range(9):
        schema = (SHOP, OTHER, PUBLIC)[number % 2 if number < 6 else 2]
        with schema_context(schema):
            app.send_task("tests.look", kwargs={"number": number})
        sent.append(f"{number}:{schema}:{schema}:SYSTEM")
    worker = start_worker()
    wait_for(lambda: len(trace()) == len(sent), seconds=30, what=worker.path.read_text)
    assert trace() == sent


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_worker")
def test_refuses_the_task_of_a_tenant_that_is_gone(start_worker: Start) -> None:
    with schema_context("t_deleted"):
        app.send_task("tests.look", kwargs={"number": 1})
    with schema_context(SHOP):
        app.send_task("tests.look", kwargs={"number": 2})
    worker = start_worker()
    wait_for(trace, seconds=30, what=worker.path.read_text)
    assert trace() == [f"2:{SHOP}:{SHOP}:SYSTEM"]
    assert "task.without_tenant" in worker.path.read_text()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_worker")
def test_goes_on_with_a_job_whose_worker_was_killed(start_worker: Start) -> None:
    from brikonnect.tests import worker_app  # noqa: F401, PLC0415  # declares the job here too

    job = services.start("tests.count", args={"bricks": 6, "pause_s": 0.2})
    first = start_worker()
    wait_for(lambda: len(trace()) >= 2, seconds=30, what=first.path.read_text)
    first.kill()
    assert JobRun.objects.get(pk=job.id).status == JobStatus.RUNNING

    # What beat does every 30 seconds, once the heartbeat is older than its limit.
    second = start_worker()
    services.sweep(now=timezone.now() + timedelta(seconds=21))
    wait_for(lambda: not JobRun.objects.get(pk=job.id).is_open, seconds=30, what=second.path.read_text)
    job.refresh_from_db()
    assert (job.status, job.attempt, job.interruptions) == (JobStatus.COMPLETED, 2, 0)
    lines = job.logs.filter(level=LogLevel.INFO).order_by("id").values_list("message", flat=True)
    assert list(lines) == [f"brick {brick}" for brick in range(6)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_worker")
def test_stops_at_a_checkpoint_when_its_worker_is_asked_to(start_worker: Start) -> None:
    job = services.start("tests.count", args={"bricks": 500, "pause_s": 0.1})
    worker = start_worker()
    wait_for(lambda: len(trace()) >= 2, seconds=30, what=worker.path.read_text)
    assert worker.terminate() < 10
    job.refresh_from_db()
    assert (job.status, job.interruptions) == (JobStatus.PENDING, 0)
    assert job.checkpoint["brick"] == job.logs.count() < 500
    # Its task is back in the queue for another worker.
    assert traces().llen("bulk") >= 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_worker")
def test_sends_periodic_tasks_only_to_who_has_something_to_do() -> None:
    create_shop(schema=OTHER, host=f"other.{settings.BASE_DOMAIN}")
    asked: list[str] = []

    def only_if() -> bool:
        asked.append(workspace.current_key())
        return workspace.current_key() == OTHER

    periodic.every(app.tasks["tests.look"], seconds=30, only_if=only_if)
    try:
        fan_out.run(task="tests.look")
    finally:
        periodic._registered.pop("tests.look")
    assert asked == [PUBLIC, OTHER, SHOP]
    assert traces().llen("default") == 1
    assert OTHER.encode() in traces().lindex("default", 0)


@pytest.mark.django_db
def test_what_is_asked_before_a_task_can_be_asked_where_there_is_no_shop() -> None:
    with schema_context(PUBLIC):
        for each in periodic.registered():
            assert each.only_if is None or each.only_if() in (True, False), each.task


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock?virtual_host=0"),
        ("unix:///run/redis.sock?db=3", "redis+socket:///run/redis.sock?virtual_host=3"),
        ("redis://cache:6379", "redis://cache:6379/0"),
        ("redis://:secret@cache:6379/2", "redis://:secret@cache:6379/2"),
        ("redis://cache:6379?db=4", "redis://cache:6379/4"),
    ],
)
def test_writes_the_brokers_address_as_celery_does(given: str, wanted: str) -> None:
    assert broker_url(given) == wanted
