"""Runs as tests go through them: planned, approved, carried out, job by job."""

from typing import Any

from django.utils import timezone

from inventory.services import set_item_mapping
from jobs import runner
from jobs.models import JobRun
from stores import queries as stores
from stores.models import Store
from sync.channels import Channel
from sync.choices import Action, ItemStatus
from sync.models import SyncPlanItem, SyncRun
from sync.queries import runs as queries
from sync.services import connect, runs
from sync.tests.sellers import Seller


def local() -> Store:
    """Answer the store that stands for our own stock."""
    return stores.local_store()


def channel_of(seller: Seller) -> Channel:
    """Answer what asks a seller's channel."""
    return connect(seller.store.pk, call_class="urgent")  # type: ignore[arg-type]


def work(job: JobRun | None) -> JobRun:
    """Have a worker run a job; answer it as it is then."""
    assert job is not None
    JobRun.objects.filter(pk=job.pk).update(next_attempt_at=None)
    runner.run_job(job_id=job.pk, with_heartbeat=False)
    job.refresh_from_db()
    return job


def plan(source: Store, target: Store, *, key: str = "", **more: Any) -> SyncRun:
    """Compare two stores, and answer the run once its job has ended."""
    run = runs.start_preview(
        source_store_id=source.pk, target_store_id=target.pk, idempotency_key=key or f"test:{SyncRun.objects.count()}",
        now=timezone.now(), **more,
    )  # fmt: skip
    job = work(run.plan_job)
    runs.end_preview(job_id=job.pk, status=job.status, now=timezone.now())
    return queries.get_run(run.pk)


def carry_out(run: SyncRun, *, confirmed: int | None = None) -> SyncRun:
    """Approve a run, and answer it once its job has ended."""
    return go_on(runs.approve_run(run_id=run.pk, confirmed_removals=confirmed, now=timezone.now()))


def go_on(run: SyncRun) -> SyncRun:
    """Have a worker take up what a run has left; answer the run as it is then."""
    job = work(SyncRun.objects.get(pk=run.pk).apply_job)
    runs.end_apply(job_id=job.pk, status=job.status, now=timezone.now())
    return queries.get_run(run.pk)


def lines(run: SyncRun, *actions: Action, status: ItemStatus | None = None) -> list[SyncPlanItem]:
    """Answer the lines of a run, or those of some actions."""
    found = SyncPlanItem.objects.filter(sync_run=run).order_by("pk")
    found = found.filter(action__in=actions) if actions else found
    return list(found.filter(status=status) if status else found)


def teach(seller: Seller) -> None:
    """Have this shop know what the numbers of a Brick Owl's store are, which its catalog has none of."""
    if seller.code != "brickowl":
        return
    rows = seller.sandbox.control("GET", f"sellers/{seller.id}/lots")
    numbers = {(row["type"], row["no"]) for row in rows}
    there = {lot.lot_id: lot.item for page in channel_of(seller).fetch_inventory() for lot in page}
    for row in rows:
        item = there.get(str(row["id"]))
        if item is not None and (row["type"], row["no"]) in numbers:
            set_item_mapping(
                system="brickowl", external_id=item.item_no, item_type=row["type"], item_no=row["no"],
                now=timezone.now(),
            )  # fmt: skip
