"""An import whose worker is killed over and over ends as one that nobody disturbed, and is undone as one."""

import io
import random
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.db.models import Count, Sum
from django.utils import timezone
from django_tenants.utils import schema_context

from audit import services as audit
from audit.models import ChangeSet
from brikonnect.celery import app
from brikonnect.tests.conftest import Start, wait_for
from common import actor
from common.actor import Actor, ActorKind
from common.testing.tasks import real_broker
from events.models import Event
from inventory import formats, generator
from inventory.choices import ImportStatus
from inventory.models import (
    ImportLine,
    InventoryImport,
    InventoryItem,
    InventoryItemLocation,
    Location,
    StockMovement,
)
from inventory.services import importing, verify_stock
from jobs import runner, services
from jobs.choices import OPEN_STATUSES, JobStatus
from jobs.models import JobRun
from tenants.testing import create_shop

KILLS = [importing.READ] * 3 + [importing.APPLY] * 7
LOTS = 8_000
OTHER = "t_other"
SILENCE = timedelta(seconds=21)


def stock_file() -> bytes:
    """Answer a store's file whose remarks say where its lots lie."""
    return b"".join(formats.get("bsx").write(generator.lots(LOTS), currency="EUR"))


def begin(content: bytes) -> InventoryImport:
    """Have a file imported without a look, by whichever worker takes the job."""
    return importing.start_import(
        file=io.BytesIO(content),
        file_name="stock.bsx",
        options=importing.Options(read_locations=True, apply_at_once=True),
        now=timezone.now(),
    )


def undisturbed(content: bytes) -> dict[str, float]:
    """Import a file here; answer how long each of its jobs took."""
    begin(content)
    seconds = {}
    for kind in (importing.READ, importing.APPLY):
        job_id = JobRun.objects.values_list("id", flat=True).get(job_type=kind)
        began = time.monotonic()
        runner.run_job(job_id=job_id, with_heartbeat=False)
        seconds[kind] = time.monotonic() - began
    return seconds


class Reaper:
    """Kills a worker at random moments of an import, and lets the time pass after which it is missed."""

    def __init__(self, start: Start, seconds: dict[str, float]) -> None:
        self.dice = random.Random()  # noqa: S311  # any moment will do
        self.strikes: list[tuple[str, float]] = []
        self._start, self._seconds = start, seconds
        self._worker = start()
        self._seen: set[tuple[Any, int]] = set()

    def strike(self, kind: str) -> None:
        """Wait until a worker takes up the job of that kind, kill it a little later, and have the job found."""
        wait_for(lambda: self._is_taken_up(kind), seconds=60, what=self.log)
        job = JobRun.objects.get(job_type=kind)
        # So early that what is left can't be done by then, though the machine may be less busy than it was.
        left = 1 - job.checkpoint.get("done", 0) / LOTS
        pause = self.dice.uniform(0, self._seconds[kind] * left * 0.4)
        time.sleep(pause)
        self.strikes.append((kind, round(pause, 2)))
        self._kill()
        job.refresh_from_db()
        assert job.is_open, f"over after {self.strikes}: {job.status} {job.error_message}"
        wait_for(lambda: self._is_missed(job), seconds=30, what=self.log)

    def log(self) -> str:
        """Answer when it struck, and what the worker said."""
        return f"{self.strikes}\n{self._worker.path.read_text()}"

    def _kill(self) -> None:
        """Kill the worker's process for tasks, which the worker replaces; every fourth time the whole worker."""
        if len(self.strikes) % 4 == 0:
            self._worker.kill()
            self._worker = self._start()
            return
        [process] = psutil.Process(self._worker.process.pid).children()
        process.send_signal(signal.SIGKILL)
        process.wait(20)

    def _is_taken_up(self, kind: str) -> bool:
        job = JobRun.objects.filter(job_type=kind, status=JobStatus.RUNNING).first()
        if job is None or (job.pk, job.attempt) in self._seen:
            return False
        self._seen.add((job.pk, job.attempt))
        return True

    def _is_missed(self, job: JobRun) -> bool:
        """Be the sweeper, twenty seconds later, and the next one after the pause that it gave the job."""
        services.sweep(now=timezone.now() + SILENCE)
        job.refresh_from_db()
        if job.next_attempt_at is not None:
            JobRun.objects.filter(pk=job.pk).update(next_attempt_at=None)
            app.send_task(services.RUN, kwargs={"job_id": str(job.pk)}, queue="bulk")
        return job.status != JobStatus.RUNNING or (job.pk, job.attempt) not in self._seen


def _rows(model: Any, *left_out: str, order: str) -> list[tuple[Any, ...]]:
    names = [field.attname for field in model._meta.concrete_fields if field.attname not in left_out]
    return list(model.objects.order_by(order).values_list(*names))


def outcome() -> dict[str, Any]:
    """Answer all that an import leaves in the shop, but for keys and times."""
    run = InventoryImport.objects.get()
    assert run.change_set_id is not None
    places = {
        lot_id: place for place, lot_id in enumerate(InventoryItem.objects.order_by("id").values_list("id", flat=True))
    }
    trail = InventoryItem, InventoryItemLocation, Location
    created = (
        Event.objects.filter(event_type="inventory.created").order_by("sequence").values_list("payload", flat=True)
    )
    return {
        "import": (run.status, run.counts, run.ignored, run.notes),
        "lines": list(ImportLine.objects.order_by("position").values_list("line", "outcome", "message", "qty_delta")),
        "lots": _rows(InventoryItem, "id", "created_at", "updated_at", order="id"),
        "locations": _rows(Location, "id", "created_at", "updated_at", order="route_key"),
        "placements": sorted(
            (places[lot_id], code, qty)
            for lot_id, code, qty in InventoryItemLocation.objects.values_list(
                "inventory_item_id", "location__code", "qty"
            )
        ),
        "movements": [
            (places[lot_id], *rest)
            for lot_id, *rest in StockMovement.objects.order_by("id").values_list(
                "inventory_item_id", "kind", "delta_available", "delta_reserved", "balance_available", "cause_type"
            )
        ],
        "sums": StockMovement.objects.aggregate(count=Count("id"), available=Sum("delta_available")),
        "history": {
            model.__name__: dict(model.history.values_list("history_type").annotate(count=Count("history_id")))
            for model in trail
        },
        "change sets": [
            (deed.action, model.history.filter(change_set_id=deed.pk).count())
            for deed in ChangeSet.objects.filter(pk=run.change_set_id)
            for model in trail
        ],
        "change sets in all": ChangeSet.objects.count(),
        "told": [len(payload["data"]["inventory_item_ids"]) for payload in created],
        "differences": verify_stock(),
    }


@pytest.mark.slow
@pytest.mark.xdist_group("browser")
@pytest.mark.timeout(300)
@pytest.mark.django_db(transaction=True)
def test_an_import_whose_worker_is_killed_ten_times_ends_as_an_undisturbed_one(
    start_worker: Start, settings: Any, tmp_path: Path
) -> None:
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path / "files"}}
    settings.STORAGES = {**settings.STORAGES, "default": files}
    content = stock_file()
    create_shop(schema=OTHER, host=f"other.{settings.BASE_DOMAIN}")
    with schema_context(OTHER), real_broker():
        seconds = undisturbed(content)
        wanted = outcome()
    assert wanted["import"][0] == ImportStatus.COMPLETED
    assert wanted["placements"]
    assert wanted["told"]
    assert wanted["differences"] == []
    with real_broker():
        run = begin(content)
        reaper = Reaper(start_worker, seconds)
        for kind in KILLS:
            reaper.strike(kind)
        wait_for(lambda: not JobRun.objects.filter(status__in=OPEN_STATUSES).exists(), seconds=60, what=reaper.log)
    found = outcome()
    for what, value in wanted.items():
        assert found[what] == value, f"{what}, killed at {reaper.strikes}"
    run.refresh_from_db()
    _undo(run)


def _undo(run: InventoryImport) -> None:
    """Take the whole import back by one revert, and find the shop empty."""
    assert run.change_set_id is not None
    with actor.use(Actor(kind=ActorKind.SYSTEM, id="", name="A test")):
        done = audit.start_revert(change_set_id=run.change_set_id)
    if isinstance(done, audit.HandedOver):
        runner.run_job(job_id=done.job_id, with_heartbeat=False)
        job = JobRun.objects.get(pk=done.job_id)
        assert job.status == JobStatus.COMPLETED, job.error_message
    assert not InventoryItem.objects.exists()
    assert not InventoryItemLocation.objects.exists()
    assert StockMovement.objects.aggregate(sum=Sum("delta_available"))["sum"] == 0
    assert verify_stock() == []
