"""F13: in the middle of what is done at stores, who began it is switched off, a key is revoked, or the shop suspended.

What is done stays, the rest waits and is done once by whoever may; disconnecting is in `sync/tests/test_away.py`.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from django.utils.module_loading import import_string

from common import actor
from common.actor import Actor, ActorKind
from common.redis_client import client as redis
from common.testing.dying import listening
from common.testing.people import make_user
from common.testing.sandbox import SandboxProcess
from inventory import services as inventory
from inventory.models import InventoryItem
from jobs.choices import JobStatus
from stores import services as stores
from stores.choices import StoreState
from stores.models import StoreSyncState
from sync.choices import Action, RunStatus
from sync.models import SyncRun
from sync.queries import runs as queries
from sync.services import push_store, runs, start_sync
from sync.services.pulling import pull_orders
from sync.tests.running import go_on, lines, local, plan, work
from sync.tests.sellers import Seller, check_books, order_numbered, qty_of
from tests.tenancy.test_suspended import stop, take_up

CODES = ("bricklink", "brickowl")
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]


@pytest.fixture
def seller(sandbox: SandboxProcess, code: str) -> Iterator[Seller]:
    made = Seller(sandbox, code)
    for row in sandbox.control("GET", f"sellers/{made.id}/lots"):
        sandbox.control("DELETE", f"sellers/{made.id}/lots/{row['id']}")
    made.change(settings={**made.store.settings, "auto_sync": False})
    yield made
    check_books()
    found = sandbox.control("GET", "assert/conservation")
    assert found["is_conserved"], found["problems"]


def changed(seller: Seller) -> dict[str, int]:
    """Have three lots be fewer here than there; answer how many are to be there."""
    wanted = {}
    for no in ("3001", "3003", "3004"):
        lot, number = seller.listed(qty=10, no=no)
        inventory.adjust_stock(lot_id=lot.pk, qty_available=7, now=timezone.now())
        wanted[number] = 7
    return wanted


def acting(user: Any) -> Actor:
    return Actor(kind=ActorKind.USER, id=str(user.pk), name=user.display_name, permissions=frozenset())


def switch_off(user: Any) -> None:
    import_string("accounts.services.deactivate_user")(user_id=user.pk, now=timezone.now())


def at_first(name: str, deed: Callable[[], object]) -> Callable[[str], None]:
    """Answer a listener that does something once, at the first step of that name."""
    done: list[str] = []

    def listener(step: str) -> None:
        if step == name and not done:
            done.append(step)
            deed()

    return listener


def begun_by(user: Any, seller: Seller) -> SyncRun:
    """Answer a run that a user has planned and approved, and nobody has taken up."""
    with actor.use(acting(user)):
        run = plan(local(), seller.store)
        return runs.approve_run(run_id=run.pk, now=timezone.now())


@pytest.mark.parametrize("code", CODES)
def test_a_run_whose_approver_is_switched_off_stops_and_somebody_else_goes_on(code: str, seller: Seller) -> None:
    wanted = changed(seller)
    ana, ben = make_user(email="ana@shop.example"), make_user(email="ben@shop.example")
    run = begun_by(ana, seller)
    # One lot is done, if the channel takes them one by one; then it is away, and the run waits.
    nth = 2 if code == "bricklink" else 1
    method = "PUT" if code == "bricklink" else "POST"
    seller.sandbox.fault("rate_limit", service=code, method=method, nth=nth, times=1, retry_after=600)
    with listening(at_first("sync.intended", lambda: switch_off(ana))):
        run = go_on(run)
    assert run.status == RunStatus.APPLYING, run.error_message
    redis().flushdb()
    StoreSyncState.objects.update(retry_at=None)
    run = go_on(run)
    assert run.status == RunStatus.FAILED
    assert "switched off" in run.error_message
    assert seller.there() != wanted
    with actor.use(acting(ben)):
        run = go_on(runs.retry_run(run_id=run.pk, now=timezone.now()))
    assert (run.status, run.error_message, seller.there()) == (RunStatus.COMPLETED, "", wanted)
    assert run.plan_summary["applied"] == {"add": 0, "update": 3, "remove": 0, "failed": 0}
    assert set(InventoryItem.objects.values_list("qty_available", flat=True)) == {7}


@pytest.mark.parametrize("code", CODES)
def test_a_comparison_of_who_is_switched_off_is_made_by_somebody_else(code: str, seller: Seller) -> None:
    changed(seller)
    ana, ben = make_user(email="ana@shop.example"), make_user(email="ben@shop.example")
    path = "inventories" if code == "bricklink" else "inventory/list"
    seller.sandbox.fault("rate_limit", service=code, path=path, times=1, retry_after=600)
    with actor.use(acting(ana)):
        run = plan(local(), seller.store)
    assert run.plan_job is not None
    assert run.plan_job.status == JobStatus.PENDING, run.plan_job.error_message
    switch_off(ana)
    job = work(run.plan_job)
    runs.end_preview(job_id=job.pk, status=job.status, now=timezone.now())
    run = queries.get_run(run.pk)
    assert run.status == RunStatus.FAILED
    assert "switched off" in run.error_message
    assert lines(run) == []
    redis().flushdb()
    StoreSyncState.objects.update(retry_at=None)
    with actor.use(acting(ben)):
        again = runs.plan_again(run_id=run.pk, now=timezone.now())
    work(again.plan_job)
    assert len(lines(queries.get_run(run.pk), Action.UPDATE)) == 3


@pytest.mark.parametrize("code", CODES)
def test_a_comparison_whose_key_is_revoked_says_so_and_is_made_again_with_another(code: str, seller: Seller) -> None:
    changed(seller)
    path = "inventories" if code == "bricklink" else "inventory/list"
    seller.sandbox.fault("token_revoked", service=code, path=path, times=1)
    run = plan(local(), seller.store)
    assert run.status == RunStatus.FAILED
    assert run.error_message
    assert lines(run) == []
    assert StoreSyncState.objects.get(store=seller.store).state == StoreState.NEEDS_RECONNECT
    seller.sandbox.control("DELETE", "faults")
    made = seller.sandbox.control("POST", f"sellers/{seller.id}/credentials")["credentials"]
    stores.set_credentials(store_id=seller.store.pk, credentials=made)
    work(runs.plan_again(run_id=run.pk, now=timezone.now()).plan_job)
    assert len(lines(queries.get_run(run.pk), Action.UPDATE)) == 3


@pytest.mark.parametrize("code", CODES)
def test_a_run_of_a_shop_that_is_suspended_sends_nothing_more_and_goes_on_afterwards(code: str, seller: Seller) -> None:
    wanted = changed(seller)
    run = plan(local(), seller.store)
    runs.approve_run(run_id=run.pk, now=timezone.now())
    before = len(seller.sandbox.asked())
    with listening(at_first("sync.answered", stop)):
        run = go_on(run)
    # What was under way is settled; Brick Owl takes all three at once.
    sent = [row for row in seller.sandbox.asked()[before:] if row["method"] in ("PUT", "POST")]
    assert len(sent) == 1
    if code == "bricklink":
        assert run.status == RunStatus.APPLYING, run.error_message
        assert run.apply_job is not None
        assert "suspended" in run.apply_job.progress_message
        assert sorted(seller.there().values()) == [7, 10, 10]
    take_up()
    run = go_on(run)
    assert (run.status, seller.there()) == (RunStatus.COMPLETED, wanted)
    assert run.plan_summary["applied"]["update"] == 3


@pytest.mark.parametrize("code", CODES)
def test_stock_of_a_shop_that_is_suspended_waits_and_goes_on_afterwards(code: str, seller: Seller) -> None:
    wanted = changed(seller)
    with listening(at_first("sync.answered", stop)):
        job = work(start_sync(store_id=seller.store.pk))
    assert job.status in (JobStatus.PENDING, JobStatus.COMPLETED), job.error_message
    sent = [row for row in seller.sandbox.asked() if row["method"] in ("PUT", "POST")]
    assert len(sent) == 1
    take_up()
    push_store(store_id=seller.store.pk, now=timezone.now(), by_hand=True)
    assert seller.there() == wanted


@pytest.mark.parametrize("code", ["bricklink"])
def test_stock_that_somebody_sent_who_is_switched_off_is_sent_by_somebody_else(code: str, seller: Seller) -> None:
    wanted = changed(seller)
    ana, ben = make_user(email="ana@shop.example"), make_user(email="ben@shop.example")
    seller.sandbox.fault("rate_limit", service=code, method="PUT", nth=2, times=1, retry_after=600)
    with actor.use(acting(ana)), listening(at_first("sync.answered", lambda: switch_off(ana))):
        job = work(start_sync(store_id=seller.store.pk))
    assert job.status == JobStatus.PENDING, job.error_message
    job = work(job)
    assert (job.status, "switched off" in job.error_message) == (JobStatus.FAILED, True)
    redis().flushdb()
    StoreSyncState.objects.update(retry_at=None)
    with actor.use(acting(ben)):
        work(start_sync(store_id=seller.store.pk))
    assert seller.there() == wanted


@pytest.mark.parametrize("code", CODES)
def test_orders_of_a_shop_that_is_suspended_meanwhile_all_come_in(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    inventory.update_lot(lot_id=lot.pk, changes={"unit_price": Decimal("0.12")}, now=timezone.now())
    orders = [seller.order((number, 2)) for _ in range(2)]
    with listening(at_first("sync.order_taken", stop)):
        pull_orders(store_id=seller.store.pk, now=timezone.now())
    assert [order_numbered(each).lines.get().qty_reserved for each in orders] == [2, 2]
    assert qty_of(lot.pk) == (6, 4)
    assert push_store(store_id=seller.store.pk, now=timezone.now(), by_hand=True).done == 0
    take_up()
