"""Sets the prices that were worked out: chunk by chunk, each lot that has changed since judged anew under its lock."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, Q

from audit import bulk
from common.errors import Conflict, NotFound
from common.steps import step
from events.bus import publish
from inventory.choices import PriceOutcome, RepricingStatus
from inventory.events import InventoryUpdated
from inventory.models import InventoryItem, RepricingLine, RepricingRun
from inventory.repricing import Terms, judge
from inventory.services.bulk_edit import Selection
from inventory.services.repricing.covering import covered, read_these
from inventory.tiers import stored
from jobs import services as jobs
from jobs.choices import JobStatus
from jobs.models import JobRun
from jobs.runner import Run

APPLY = "repricing_apply"
CHUNK = 5_000
# Older ones are worked out anew before they are set: lots and figures have moved on.
GOOD_FOR = timedelta(days=1)
# How long the lines of a run are kept; the last one of each lot stays, since it says why the lot has its price.
KEPT = timedelta(days=90)
# What became of lots between looking and setting: how many weren't set, and why.
LEFT = "left"
GONE, UNCOVERED, EQUAL_NOW = "gone", "uncovered", "equal"
_CHANGES = (PriceOutcome.RISES, PriceOutcome.FALLS)
_LINES, _RUNS, _LOTS = RepricingLine._meta.db_table, RepricingRun._meta.db_table, InventoryItem._meta.db_table
_PURGE = f"""
DELETE FROM {_LINES} l USING {_RUNS} r
WHERE r.id = l.run_id AND r.created_at < %s AND (l.applied_at IS NULL
    OR NOT EXISTS (SELECT 1 FROM {_LOTS} t WHERE t.id = l.lot_id)
    OR EXISTS (SELECT 1 FROM {_LINES} m WHERE m.lot_id = l.lot_id AND m.applied_at IS NOT NULL AND m.id > l.id))
"""


@transaction.atomic
def approve_repricing(*, run_id: UUID, now: datetime) -> RepricingRun:
    """Set the prices that are shown. A second press does nothing more.

    Raises Conflict where there is nothing to approve, or it was worked out too long ago.
    """
    run = RepricingRun.objects.select_for_update().filter(pk=run_id).first()
    if run is None:
        raise NotFound
    if run.status in (RepricingStatus.APPLYING, RepricingStatus.COMPLETED):
        return run
    if run.status != RepricingStatus.READY:
        raise Conflict("These prices no longer wait to be approved.")
    if is_too_old(run, now=now):
        raise Conflict("These prices were worked out more than a day ago. Work them out anew first.")
    return start_applying(run)


def is_too_old(run: RepricingRun, *, now: datetime) -> bool:
    """Tell whether prices were worked out too long ago to be set as they are."""
    return run.updated_at < now - GOOD_FOR


def start_applying(run: RepricingRun) -> RepricingRun:
    """Start the job that sets the prices. The row is locked."""
    # Which lots keep their price was for looking before; how many stays.
    RepricingLine.objects.filter(run=run, outcome=PriceOutcome.SKIPPED).delete()
    run.status, run.question = RepricingStatus.APPLYING, ""
    run.apply_job = jobs.start(APPLY, key=str(run.pk), args={"run_id": str(run.pk)}, label=f"Set prices: {run}"[:200])
    run.change_set_id = run.apply_job.pk
    run.save()
    return run


def apply_prices(run: RepricingRun, job: Run, *, now: datetime) -> RepricingRun:
    """Set every price that hasn't been, from the job's checkpoint on, and end the run."""
    waiting = RepricingLine.objects.filter(run=run, outcome__in=_CHANGES)
    after, done = job.checkpoint.get("after", 0), job.checkpoint.get("done", 0)
    total = done + waiting.filter(pk__gt=after).count()
    while True:
        job.progress(done, total, unit="lots")
        with transaction.atomic():
            # In the order of the lots' keys, as they were worked out.
            lines = list(waiting.filter(pk__gt=after).order_by("pk")[:CHUNK])
            if not lines:
                break
            set_prices(run, lines, now=now)
            after, done = lines[-1].pk, done + len(lines)
            job.save_checkpoint(after=after, done=done)
        step("inventory.repricing_chunk")
    return _finish(run, now=now)


@transaction.atomic
def set_prices(run: RepricingRun, lines: Sequence[RepricingLine], *, now: datetime) -> int:
    """Set the prices of some lines, under the locks of their lots; answer how many lots changed.

    What was approved is set. A lot that has changed since is judged anew: it may be locked, sold into another filter,
    cost more, or be gone by now.
    """
    rows = InventoryItem.objects.select_for_update(of=("self",), no_key=True).filter(
        pk__in=[line.lot_id for line in lines]
    )
    lots = {lot.pk: lot for lot in rows.order_by("pk")}
    stale = [line for line in lines if line.lot_id in lots and lots[line.lot_id].version != line.lot_version]
    _judge_anew(run, stale, now=now)
    for line in lines:
        if line.lot_id not in lots:
            _leave(line, GONE)
    changing = [line for line in lines if line.outcome in _CHANGES]
    for line in changing:
        lot = lots[line.lot_id]
        lot.unit_price = line.price_after  # type: ignore[assignment]  # the table has no change without one
        if line.tiers_after is not None:
            lot.tier_prices = line.tiers_after
        line.applied_at = now
    changed = [lots[line.lot_id] for line in changing]
    bulk.bulk_update(InventoryItem, changed, fields=["unit_price", "tier_prices"], rising=["version"])
    _keep(lines, changing, stale, now=now)
    if changed:
        publish(InventoryUpdated(inventory_item_ids=tuple(lot.pk for lot in changed)))
    return len(changed)


def _judge_anew(run: RepricingRun, lines: Sequence[RepricingLine], *, now: datetime) -> None:
    if not lines:
        return
    terms = Terms.from_json(run.terms)
    where = covered(Selection.from_json(run.selection), run.above)
    present = read_these(where, [line.lot_id for line in lines], now=now)
    for line in lines:
        lot = present.get(line.lot_id)
        if lot is None:
            _leave(line, UNCOVERED)
            continue
        verdict = judge(lot.thing, lot.guide, terms)
        line.price_before, line.steps = lot.thing.price, list(verdict.steps)
        if verdict.price is None:
            _leave(line, verdict.skip.value if verdict.skip else "")
        elif verdict.price == lot.thing.price:
            _leave(line, EQUAL_NOW)
        else:
            line.price_after = verdict.price
            line.outcome = PriceOutcome.RISES if verdict.price > lot.thing.price else PriceOutcome.FALLS
            line.tiers_after = stored(verdict.tiers) if verdict.tiers != lot.thing.tiers else None


def _leave(line: RepricingLine, reason: str) -> None:
    line.outcome, line.reason, line.price_after, line.tiers_after = PriceOutcome.SKIPPED, reason, None, None


def _keep(
    lines: Sequence[RepricingLine], changing: Sequence[RepricingLine], stale: Sequence[RepricingLine], *, now: datetime
) -> None:
    """Note at the lines what became of them: most are as they were approved."""
    other = {line.pk for line in stale} | {line.pk for line in lines if line.outcome not in _CHANGES}
    RepricingLine.objects.filter(pk__in=[line.pk for line in changing if line.pk not in other]).update(applied_at=now)
    RepricingLine.objects.bulk_update(
        [line for line in lines if line.pk in other],
        ["outcome", "reason", "price_before", "price_after", "tiers_after", "steps", "applied_at"],
    )


@transaction.atomic
def _finish(run: RepricingRun, *, now: datetime) -> RepricingRun:
    run = RepricingRun.objects.select_for_update().get(pk=run.pk)
    if run.status != RepricingStatus.APPLYING:
        return run
    lines = RepricingLine.objects.filter(run=run)
    done = dict(lines.values_list("outcome").annotate(count=Count("id")).order_by("outcome"))
    run.counts = {**run.counts, LEFT: done.get(PriceOutcome.SKIPPED, 0)}
    run.counts |= {name.value: done.get(name, 0) for name in _CHANGES}
    run.status, run.completed_at = RepricingStatus.COMPLETED, now
    run.save()
    return run


@transaction.atomic
def end_repricing(*, job_id: UUID, status: str, now: datetime) -> None:
    """Have the run of a job that failed or was cancelled say so. Prices that were set until then stay."""
    ends = {JobStatus.FAILED: RepricingStatus.FAILED, JobStatus.CANCELLED: RepricingStatus.CANCELLED}
    end = ends.get(JobStatus(status))
    under_way = Q(status=RepricingStatus.PLANNING, plan_job=job_id) | Q(
        status=RepricingStatus.APPLYING, apply_job=job_id
    )
    run = RepricingRun.objects.select_for_update(of=("self",)).filter(under_way).first()
    if end is None or run is None:
        return
    job = JobRun.objects.filter(pk=job_id).first()
    run.question = (job.error_message if job else "")[:300]
    run.status, run.completed_at = end, now
    run.save()


def purge_repricing(*, now: datetime) -> int:
    """Forget old runs; what says why a lot has its price stays as long as the lot does. Answer how many runs went."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_PURGE, [now - KEPT])
        old = RepricingRun.objects.filter(created_at__lt=now - KEPT, lines__isnull=True).exclude(
            status__in=[RepricingStatus.PLANNING, RepricingStatus.APPLYING]
        )
        count, _ = old.delete()
    return count
