"""A worker killed at each step of a run: the store shows what the plan says, and no lot is there twice."""

import signal
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db.models import F
from django.utils import timezone

from common.testing.dying import killed, recorded
from common.testing.sandbox import SandboxProcess
from inventory import services as inventory
from inventory.models import InventoryExternalId, InventoryItem, StockMovement
from inventory.testing import make_lot
from jobs import runner
from jobs import services as jobs
from jobs.models import JobRun
from sync.choices import ItemStatus, RunStatus
from sync.models import Snapshot, SyncPlanItem, SyncRun
from sync.services import push_store, runs
from sync.tests.running import lines, local, plan, teach
from sync.tests.sellers import Seller, check_books

pytestmark = [
    pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick", "unthrottled", "no_worker"),
    pytest.mark.timeout(900),
]  # fmt: skip
SILENCE = timedelta(seconds=125)
FEWER, PRICE, NEW, SECOND, EDITED, CAME, WAS = 4, 10, 6, 3, 12, 7, 10
SHELF = "Z-9"


class Round:
    """Lots of which each needs another thing: here, there, or both. `is_old`: what is overwritten is looked at first,
    and somebody has edited it since the plan."""

    def __init__(self, seller: Seller, number: int, *, is_old: bool = False) -> None:
        self.seller, color = seller, (1, 5, 11, 7, 8, 9)[number % 6]
        self.fewer, self.fewer_no = seller.listed(qty=WAS, no="3003", color_id=color)
        self.price, self.price_no = seller.listed(qty=WAS, no="3005", color_id=color)
        self.gone, self.gone_no = seller.listed(qty=WAS, no="3004", color_id=color)
        self.edited, self.edited_no = seller.listed(qty=WAS, no="3002", color_id=color)
        assert push_store(store_id=seller.store.pk, now=timezone.now()).problem == ""
        self.came_no = seller.put(no="3001", quantity=CAME, color_id=color, price=700)
        teach(seller)
        number_of = self.price.item_no
        self.new = [make_lot(qty=qty, item_no=number_of, color_id=15) for qty in (NEW, SECOND)]
        self.before = set(seller.there())
        now = timezone.now()
        inventory.adjust_stock(lot_id=self.fewer.pk, qty_available=FEWER, now=now)
        inventory.update_lot(lot_id=self.price.pk, changes={"unit_price": Decimal("0.08")}, now=now)
        inventory.delete_lots(lot_ids=[self.gone.pk], now=now)
        seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{self.edited_no}", {"quantity": EDITED})
        self.run = plan(local(), seller.store, key=f"round:{number}")
        assert self.run.status == RunStatus.PREVIEW_READY, self.run.error_message
        assert len(lines(self.run)) == 7
        self.run = runs.approve_run(run_id=self.run.pk, confirmed_removals=1, now=now)
        assert self.run.apply_job_id is not None
        self.job_id, self.is_old = self.run.apply_job_id, is_old
        if is_old:
            Snapshot.objects.update(fetched_at=F("fetched_at") - timedelta(minutes=10))
            seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{self.price_no}", {"remarks": SHELF})

    def apply(self) -> None:
        """Be the worker that takes the run up."""
        runner.run_job(job_id=self.job_id, with_heartbeat=False)

    def recover(self) -> None:
        """Be the sweeper that finds a silent job, and the workers that take it up until it has ended."""
        for _ in range(6):
            jobs.sweep(now=timezone.now() + SILENCE)
            JobRun.objects.filter(pk=self.job_id).update(next_attempt_at=None)
            self.apply()
            if SyncRun.objects.get(pk=self.run.pk).status == RunStatus.COMPLETED:
                return

    def check(self) -> None:
        run = SyncRun.objects.get(pk=self.run.pk)
        job = JobRun.objects.get(pk=self.job_id)
        assert run.status == RunStatus.COMPLETED, (job.status, job.error_message, job.progress_message)
        assert [item.error_message for item in lines(run) if item.status == ItemStatus.FAILED] == []
        assert not SyncPlanItem.objects.filter(
            sync_run=run, status__in=[ItemStatus.PENDING, ItemStatus.SENT]
        ).exists()  # fmt: skip
        there = self.seller.there()
        numbers = [str(InventoryExternalId.objects.get(inventory_item=lot).external_lot_id) for lot in self.new]
        assert [there[number] for number in numbers] == [NEW, SECOND]
        assert there[self.fewer_no] == FEWER
        assert there[self.price_no] == PRICE
        assert there.get(self.gone_no, 0) == 0
        assert there[self.edited_no] == EDITED
        assert there[self.came_no] == CAME
        assert set(there) - self.before == set(numbers)
        came = InventoryExternalId.objects.get(external_lot_id=self.came_no, store=self.seller.store)
        assert came.inventory_item is not None
        pieces = {row.pk: (row.qty_available, row.qty_reserved) for row in InventoryItem.objects.all()}
        assert pieces[came.inventory_item.pk] == (CAME, 0)
        assert pieces[self.edited.pk] == (EDITED, 0)
        assert StockMovement.objects.filter(kind="CHANNEL_EDIT", inventory_item=self.edited).count() == 1
        if self.is_old:
            self.price.refresh_from_db()
            rows = self.seller.sandbox.control("GET", f"sellers/{self.seller.id}/lots")
            (price,) = [row for row in rows if str(row["id"]) == self.price_no]
            assert (self.price.remarks, price["remarks"], price["price"]) == (SHELF, SHELF, 800)
        check_books()


@pytest.mark.slow
@pytest.mark.parametrize(("code", "is_old"), [("bricklink", False), ("brickowl", False), ("bricklink", True)])
def test_ends_as_planned_wherever_its_worker_is_killed(
    code: str, is_old: bool, sandbox: SandboxProcess, tmp_path: Path  # noqa: FBT001  # a case of the test
) -> None:  # fmt: skip
    seller = Seller(sandbox, code)
    seller.change(settings={**seller.store.settings, "auto_sync": False})
    clean = Round(seller, 0, is_old=is_old)
    names = recorded(clean.apply, tmp_path / "steps")
    clean.check()
    assert {"sync.prepared", "sync.grounded", "sync.lines_sent", "sync.intended", "sync.answered"} <= set(names)
    assert ("sync.looked_first" in names) is is_old
    for place, name in enumerate(names):
        disturbed = Round(seller, place + 1, is_old=is_old)
        assert killed(disturbed.apply, place) == signal.SIGKILL, name
        disturbed.recover()
        disturbed.check()
    found = sandbox.control("GET", "assert/conservation")
    assert found["is_conserved"], found["problems"]
