"""Whatever a marketplace does while stores are compared or brought into step, each change happens once."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from common.testing.sandbox import SandboxProcess
from inventory import services as inventory
from inventory.models import InventoryItem
from inventory.testing import make_lot
from jobs.choices import JobStatus
from jobs.models import JobRun
from stores import services as stores
from stores.models import StoreSyncState
from sync.choices import Action, ItemStatus, RunStatus
from sync.models import SyncRun
from sync.queries import runs as queries
from sync.services import push_store, runs
from sync.tests.running import carry_out, go_on, lines, local, plan, teach, work
from sync.tests.sellers import Seller, check_books, credentials_of

CODES = ("bricklink", "brickowl")
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick", "hasty")]
FAULTS: list[dict[str, Any]] = [
    {"kind": "status", "status": 500}, {"kind": "status", "status": 503}, {"kind": "rate_limit", "retry_after": 1},
    {"kind": "rate_limit"}, {"kind": "reset_before"}, {"kind": "reset_after"}, {"kind": "half_json"},
    {"kind": "half_body"}, {"kind": "html", "status": 200}, {"kind": "empty"},
]  # fmt: skip


def name_of(fault: dict[str, Any]) -> str:
    return " ".join(str(value) for value in fault.values())


@pytest.fixture
def seller(sandbox: SandboxProcess, code: str) -> Iterator[Seller]:
    made = Seller(sandbox, code)
    made.change(settings={**made.store.settings, "auto_sync": False})
    yield made
    check_books()
    found = sandbox.control("GET", "assert/conservation")
    assert found["is_conserved"], found["problems"]


def until_it_ends(run: SyncRun) -> SyncRun:
    """Have workers take a run up as often as it puts itself off."""
    for _ in range(8):
        found = SyncRun.objects.get(pk=run.pk)
        job = JobRun.objects.get(pk=found.apply_job_id or found.plan_job_id)  # type: ignore[misc]
        if not job.is_open:
            break
        StoreSyncState.objects.update(retry_at=None)
        work(job)
        runs.end_apply(job_id=job.pk, status=job.status, now=timezone.now())
    return queries.get_run(run.pk)


@pytest.mark.parametrize("fault", FAULTS, ids=name_of)
@pytest.mark.parametrize("code", CODES)
def test_each_change_happens_once_whatever_is_answered(code: str, fault: dict[str, Any], seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    _same, equal = seller.listed(qty=4, no="3003")
    teach(seller)
    push_store(store_id=seller.store.pk, now=timezone.now())
    inventory.adjust_stock(lot_id=lot.pk, qty_available=7, now=timezone.now())
    new = make_lot(qty=6, item_no=lot.item_no, color_id=5, condition="USED")
    run = plan(local(), seller.store)
    assert {line.action for line in lines(run)} == {Action.ADD, Action.UPDATE}
    runs.approve_run(run_id=run.pk, now=timezone.now())
    for method in ("PUT", "POST"):
        if code == "bricklink" or method == "POST":
            seller.sandbox.fault(service=code, method=method, times=1, **fault)
    run = until_it_ends(run)
    assert run.status == RunStatus.COMPLETED, run.error_message
    assert [(line.status, line.error_message) for line in lines(run)] == [(ItemStatus.APPLIED, "")] * 2
    made = new.listings.get().external_lot_id
    assert seller.there() == {number: 7, equal: 4, str(made): 6}


@pytest.mark.parametrize("fault", [each for each in FAULTS if each["kind"] != "reset_after"], ids=name_of)
@pytest.mark.parametrize("code", CODES)
def test_a_comparison_is_whole_or_none(code: str, fault: dict[str, Any], seller: Seller) -> None:
    seller.put(no="3001", quantity=3)
    teach(seller)
    path = "inventories" if code == "bricklink" else "inventory/list"
    seller.sandbox.fault(service=code, path=path, times=1, **fault)
    run = plan(seller.store, local())
    job = run.plan_job
    assert job is not None
    if job.status != JobStatus.COMPLETED:
        assert job.status == JobStatus.PENDING, job.error_message
        assert lines(run) == []
        job = work(job)
    run = queries.get_run(run.pk)
    assert (run.status, len(lines(run))) == (RunStatus.PREVIEW_READY, 1), job.error_message


@pytest.mark.parametrize("code", CODES)
def test_refused_credentials_stop_it_and_new_ones_let_it_go_on(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    push_store(store_id=seller.store.pk, now=timezone.now())
    inventory.adjust_stock(lot_id=lot.pk, qty_available=7, now=timezone.now())
    run = plan(local(), seller.store)
    seller.sandbox.fault("token_revoked", times=1)
    run = carry_out(run)
    assert run.status == RunStatus.FAILED
    assert run.error_message
    seller.sandbox.control("DELETE", "faults")
    stores.set_credentials(store_id=seller.store.pk, credentials=credentials_of(seller.sandbox, code))
    view = queries.view_of(run, now=timezone.now())
    assert view.can_retry
    if not seller.there() or seller.there()[number] == 7:
        return
    seller.sandbox.control("POST", "reset")


@pytest.mark.parametrize("code", ["bricklink"])
def test_goes_on_the_next_day_where_the_calls_are_used_up(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    push_store(store_id=seller.store.pk, now=timezone.now())
    inventory.adjust_stock(lot_id=lot.pk, qty_available=7, now=timezone.now())
    run = plan(local(), seller.store)
    runs.approve_run(run_id=run.pk, now=timezone.now())
    seller.sandbox.fault("quota_gone", times=1)
    run = go_on(run)
    job = run.apply_job
    assert run.status == RunStatus.APPLYING
    assert job is not None
    assert job.next_attempt_at is not None
    assert job.next_attempt_at > timezone.now() + timedelta(seconds=1)
    assert "goes on by itself" in job.progress_message
    assert seller.there() == {number: 10}


@pytest.mark.parametrize("code", CODES)
def test_what_is_put_there_behind_our_back_is_never_lost(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    teach(seller)
    push_store(store_id=seller.store.pk, now=timezone.now())
    inventory.adjust_stock(lot_id=lot.pk, qty_available=7, now=timezone.now())
    run = plan(local(), seller.store)
    behind = seller.put(no="3001", quantity=5, color_id=11)
    run = carry_out(run)
    assert seller.there() == {number: 7, behind: 5}
    carry_out(plan(local(), seller.store))
    assert seller.there() == {number: 7, behind: 5}
    assert sorted(InventoryItem.objects.values_list("qty_available", flat=True)) == [5, 7]
