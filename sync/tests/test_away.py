"""F3, F4, F13: the database or Redis goes away, or somebody switches something off, in the middle of a push or a run.

Of the steps the quick form disturbs some, `FAULTS_EVERY=1` each.
"""

import os
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from common.redis_client import client
from common.testing.dying import recorded, struck
from common.testing.sandbox import SandboxProcess
from orders.models import Order
from stores import services as stores
from sync.choices import RunStatus
from sync.models import SyncRun
from sync.services import push_store, runs
from sync.services.pulling import pull_orders
from sync.tests import test_push_kills as pushes
from sync.tests import test_run_kills as applied
from sync.tests.sellers import Seller, credentials_of

EVERY = int(os.environ.get("FAULTS_EVERY", "3"))
CODES = ("bricklink", "brickowl")
pytestmark = [
    pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick", "unthrottled", "no_worker"),
    pytest.mark.timeout(900),
]  # fmt: skip
Fault = Callable[[], object]


def cut_connections() -> None:
    """Be a database that ends every connection at once, as it does when it is restarted."""
    name = connection.settings_dict
    with psycopg.connect(
        dbname=name["NAME"], host=name["HOST"] or None, port=name["PORT"] or None, user=name["USER"] or None,
        password=name["PASSWORD"] or None, autocommit=True,
    ) as session:  # fmt: skip
        session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def flush() -> None:
    """Be a Redis that has forgotten everything."""
    client().flushdb()


FAULTS = (cut_connections, flush)


def disturbed(work: Callable[[], None], place: int, fault: Fault) -> None:
    """Do something in a process of its own, and have the fault happen at that step; how that ends is its matter."""
    reading, writing = os.pipe()
    struck(work, place, lambda: (fault(), os.write(writing, b"x")))
    os.close(writing)
    assert os.read(reading, 1) == b"x", "it never came so far"
    os.close(reading)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("code", CODES)
def test_a_push_ends_the_same_wherever_it_happens(
    code: str, fault: Fault, sandbox: SandboxProcess, tmp_path: Path
) -> None:  # fmt: skip
    seller = Seller(sandbox, code)
    clean = pushes.Round(seller, 0)
    names = recorded(lambda: pushes.push(seller), tmp_path / "steps")
    clean.check(sold=0)
    for place in range(0, len(names), EVERY):
        round_ = pushes.Round(seller, place + 1)
        disturbed(lambda: pushes.push(seller), place, fault)
        round_.sell()
        for _ in range(2):
            pull_orders(store_id=seller.store.pk, now=timezone.now())
            pushes.push(seller)
        round_.check(sold=pushes.SOLD)
    found = sandbox.control("GET", "assert/conservation")
    assert found["is_conserved"], found["problems"]


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("code", CODES)
def test_a_run_ends_as_planned_wherever_it_happens(
    code: str, fault: Fault, sandbox: SandboxProcess, tmp_path: Path
) -> None:  # fmt: skip
    seller = Seller(sandbox, code)
    seller.change(settings={**seller.store.settings, "auto_sync": False})
    clean = applied.Round(seller, 0)
    names = recorded(clean.apply, tmp_path / "steps")
    clean.check()
    for place in range(0, len(names), 2 * EVERY):
        round_ = applied.Round(seller, place + 1)
        disturbed(round_.apply, place, fault)
        round_.recover()
        round_.check()


@pytest.mark.slow
@pytest.mark.parametrize("code", CODES)
def test_a_store_that_is_disconnected_meanwhile_is_left_alone_and_goes_on_when_it_is_back(
    code: str, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    seller = Seller(sandbox, code)
    clean = pushes.Round(seller, 0)
    names = recorded(lambda: pushes.push(seller), tmp_path / "steps")
    clean.check(sold=0)

    def disconnect() -> None:
        stores.disconnect_store(store_id=seller.store.pk, now=timezone.now())

    for place in range(0, len(names), EVERY):
        round_ = pushes.Round(seller, place + 1)
        disturbed(lambda: pushes.push(seller), place, disconnect)
        before = len(sandbox.asked())
        assert push_store(store_id=seller.store.pk, now=timezone.now()).done == 0
        assert len(sandbox.asked()) == before
        stores.set_credentials(store_id=seller.store.pk, credentials=credentials_of(sandbox, code))
        seller.store.refresh_from_db()
        pushes.push(seller)
        round_.check(sold=0)


@pytest.mark.parametrize("code", CODES)
def test_a_run_whose_store_is_disconnected_says_so_and_can_be_tried_again(
    code: str, sandbox: SandboxProcess
) -> None:  # fmt: skip
    seller = Seller(sandbox, code)
    seller.change(settings={**seller.store.settings, "auto_sync": False})
    for place in (0, 3):
        round_ = applied.Round(seller, place)
        disturbed(
            round_.apply, place, lambda: stores.disconnect_store(store_id=seller.store.pk, now=timezone.now())
        )  # fmt: skip
        round_.apply()
        job = round_.run.apply_job
        assert job is not None
        job.refresh_from_db()
        runs.end_apply(job_id=job.pk, status=job.status, now=timezone.now())
        run = SyncRun.objects.get(pk=round_.run.pk)
        assert run.status == RunStatus.FAILED, (job.status, job.progress_message)
        assert "disconnected" in run.error_message or "switched off" in run.error_message, run.error_message
        stores.set_credentials(store_id=seller.store.pk, credentials=credentials_of(sandbox, code))
        again = runs.retry_run(run_id=run.pk, now=timezone.now())
        assert again.apply_job_id is not None
        round_.job_id = again.apply_job_id
        round_.recover()
        round_.check()
    assert not Order.objects.exists()
