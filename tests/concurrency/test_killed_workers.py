"""A worker that is killed over and over while it reads orders, sends stock and carries runs out loses nothing.

`KILLS=100 bin/test tests/concurrency/test_killed_workers.py` goes on for longer; `RACE_SEED` chooses other moments.
"""

import os
import time
from contextlib import suppress
from datetime import timedelta
from random import Random

import pytest
from django.db.models import Model
from django.utils import timezone

from brikonnect.celery import app
from brikonnect.tests.conftest import Start, wait_for
from brikonnect.tests.worker_app import DIED, dies_after, traces
from common.errors import ProblemError
from common.testing.sandbox import SandboxProcess
from common.testing.tasks import real_broker
from events.bus import DISPATCH
from events.models import Telling
from inventory import services as inventory
from inventory.models import InventoryExternalId, InventoryItem
from jobs import services as jobs
from jobs.choices import OPEN_STATUSES, JobStatus
from jobs.models import JobRun
from orders.models import Order, OrderLine
from stores import queries as stores
from stores.models import Store
from sync.choices import RunStatus
from sync.models import SyncRun
from sync.queries import pending
from sync.services import runs
from tests.concurrency.market import Market

KILLS = int(os.environ.get("KILLS", "2"))
SEED = int(os.environ.get("RACE_SEED", "1"))
# So many boundaries between durable effects a worker passes at most before it is killed.
LATEST = 14
SILENCE = timedelta(seconds=125)
# What beat sends every half minute or so.
SWEEPS = (DISPATCH, "sync.poll_orders", "sync.sweep_pushes", "sync.sweep_telling")


class Day:
    """What happens in a shop while its workers are killed."""

    def __init__(self, market: Market, start: Start) -> None:
        self.market = market
        self.dice = Random(SEED)  # noqa: S311  # any moment will do
        self.deaths: list[str] = []
        self.run: SyncRun | None = None
        self._start = start
        self._worker = start()

    def live(self) -> None:
        """Let a moment pass: somebody buys, counts, approves; beat sends what it always sends."""
        self.market.buy(self.dice, self.dice.choice(self.market.sellers), most=2)
        lot = self.dice.choice(self.market.lots)
        inventory.adjust_stock(lot_id=lot.pk, qty_available=self.dice.randint(0, 9), now=timezone.now())
        self.have_run()
        self.sweep()
        time.sleep(0.3)

    def sweep(self) -> None:
        """Send what beat sends, and have nobody wait for a pause to be over."""
        waiting = JobRun.objects.filter(status=JobStatus.PENDING, next_attempt_at__isnull=False)
        for key in list(waiting.values_list("pk", flat=True)):
            JobRun.objects.filter(pk=key).update(next_attempt_at=None)
            app.send_task(jobs.RUN, kwargs={"job_id": str(key)}, queue="sync")
        for name in SWEEPS:
            app.tasks[name].apply_async(expires=2)

    def have_run(self) -> None:
        """Have a run be planned, and approve it once it is."""
        if self.run is not None:
            self.run = SyncRun.objects.get(pk=self.run.pk)
        with suppress(ProblemError):
            if self.run is None or self.run.status in (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED):
                self.run = runs.start_preview(
                    source_store_id=stores.local_store().pk,
                    target_store_id=self.dice.choice(self.market.sellers).store.pk,
                    idempotency_key=f"day:{SyncRun.objects.count()}", now=timezone.now(),
                )  # fmt: skip
            elif self.run.status == RunStatus.PREVIEW_READY:
                to_do = SyncRun.objects.get(pk=self.run.pk).plan_summary
                if not sum(to_do.get(name, 0) for name in ("add", "update", "remove", "pairs")):
                    runs.cancel_run(run_id=self.run.pk, now=timezone.now())
                else:
                    runs.approve_run(
                        run_id=self.run.pk, confirmed_removals=to_do.get("remove", 0) or None, now=timezone.now()
                    )

    def kill(self) -> None:
        """Have a worker be killed at one of its next steps; every third time all of it, with whatever it had taken."""
        before = traces().llen(DIED)
        dies_after(self.dice.randint(1, LATEST))
        until = time.monotonic() + 60
        while traces().llen(DIED) == before:
            assert time.monotonic() < until, f"nothing to do: {self.log()}"
            self.live()
        self.deaths.append(traces().lindex(DIED, -1).decode())
        if len(self.deaths) % 3 == 0:
            self._worker.kill()
            self._worker = self._start()
        # Twenty seconds later and more, whoever held a job has fallen silent.
        jobs.sweep(now=timezone.now() + SILENCE)

    def come_to_rest(self) -> None:
        """Let workers do what is left, undisturbed."""
        until = time.monotonic() + 150
        while left := self.what_is_left():
            assert time.monotonic() < until, f"left: {left}\n{self.log()}"
            self.have_approved()
            self.sweep()
            time.sleep(1)

    def have_approved(self) -> None:
        """Have no plan wait for somebody."""
        for run in SyncRun.objects.filter(status=RunStatus.PREVIEW_READY):
            runs.cancel_run(run_id=run.pk, now=timezone.now())

    def what_is_left(self) -> dict[str, object]:
        """Answer what workers have still to do."""
        known = set(Order.objects.values_list("external_order_id", flat=True))
        mine = Store.objects.filter(pk__in=[seller.store.pk for seller in self.market.sellers])
        left: dict[str, object] = {
            "jobs": list(JobRun.objects.filter(status__in=OPEN_STATUSES).values_list("job_type", "progress_message")),
            "orders": sorted(set(self.market.sold) - known),
            "stores": [store.name for store in mine if pending.is_behind(store, now=timezone.now())],
            "tellings": Telling.objects.filter(done_at=None).count(),
            "plans": SyncRun.objects.filter(status=RunStatus.PREVIEW_READY).count(),
        }
        return {name: value for name, value in left.items() if value}

    def log(self) -> str:
        """Answer where it was killed, and what the worker said last."""
        return f"{self.deaths}\n{self._worker.path.read_text()[-6000:]}"


def check_trail(model: type[Model]) -> None:
    """Pass where the last entry of each row's history says what the row says."""
    names = [each.attname for each in model._meta.concrete_fields if each.attname not in ("created_at", "updated_at")]
    for row in model._default_manager.all():
        last = model.history.filter(**{model._meta.pk.attname: row.pk}).order_by("-history_id").first()  # type: ignore[attr-defined]  # made by history()
        assert last is not None, row
        kept = [name for name in names if hasattr(last, name)]
        assert {name: getattr(last, name) for name in kept} == {name: getattr(row, name) for name in kept}


@pytest.mark.slow
@pytest.mark.xdist_group("browser")
@pytest.mark.timeout(400 + 60 * KILLS)
@pytest.mark.django_db(transaction=True)
def test_whatever_a_worker_is_killed_at_each_effect_happens_once(sandbox: SandboxProcess, start_worker: Start) -> None:
    market = Market(sandbox, [4, 9, 6, 8, 3, 7], codes=("bricklink", "brickowl"))
    with real_broker():
        day = Day(market, start_worker)
        for _ in range(KILLS):
            day.kill()
        dies_after(0)
        day.come_to_rest()
    wait_for(lambda: not JobRun.objects.filter(status__in=OPEN_STATUSES).exists(), seconds=10, what=day.log)
    assert len(day.deaths) == KILLS
    market.check()
    for model in (InventoryItem, InventoryExternalId, Order, OrderLine):
        check_trail(model)
    # Killed three times without getting further, a job is given up, with that as its reason.
    failed = JobRun.objects.filter(status=JobStatus.FAILED).exclude(error_message__startswith="Given up after")
    assert list(failed.values_list("job_type", "error_message")) == [], day.log()
