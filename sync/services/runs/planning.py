"""Makes the preview: fetches both stores, compares them, and keeps what is to be done and what was checked."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit import context
from common.collecting import no_search_for_cycles
from common.steps import step
from events.bus import publish
from inventory import services as inventory
from inventory.choices import UnmappedOrigin
from jobs.runner import Run
from stores import queries as stores
from sync.choices import Action, RunStatus, SkipReason, Trigger
from sync.events import SyncPreviewReady
from sync.models import SyncRun
from sync.queries.meanings import unmapped_of
from sync.queries.unmapped import together, unmapped_in_orders, without_number
from sync.services.conflicts import note_conflicts
from sync.services.runs.approving import start_applying
from sync.services.runs.checking import calls_needed, checks_of, removal_limits
from sync.services.runs.comparing import compare
from sync.services.runs.fetching import fetch_stores
from sync.services.runs.hub import Hub
from sync.services.runs.numbering import learn_numbers
from sync.services.runs.options import Options
from sync.services.runs.repairing import repairs_by_itself
from sync.services.runs.sides import sides_of
from sync.services.runs.starting import forget_plan, locked_run
from sync.services.runs.words import about

_DOES_SOMETHING = (Action.ADD, Action.UPDATE, Action.REMOVE)
_PLANNING = (RunStatus.PENDING, RunStatus.FETCHING, RunStatus.COMPARING)


def make_preview(run_id: UUID, job: Run, *, now: datetime) -> SyncRun:
    """Fetch and compare the stores of a run, from where its job has come to. Nothing is changed by it."""
    run = _moved_to(run_id, RunStatus.FETCHING, now=now)
    if run.status != RunStatus.FETCHING:
        return run
    options = Options.of(run.options)
    run = fetch_stores(run, job, options)
    learn_numbers(run, job, options, now=now)
    run = _moved_to(run_id, RunStatus.COMPARING, now=now)
    if run.status != RunStatus.COMPARING:
        return run
    job.progress(0, None, unit="lots", message="Comparing")
    return compare_stores(run, job, now=timezone.now())


@transaction.atomic
def _moved_to(run_id: UUID, status: RunStatus, *, now: datetime) -> SyncRun:
    run = locked_run(run_id)
    if run.status in _PLANNING:
        run.status, run.started_at = status, run.started_at or now
        run.save(update_fields=["status", "started_at", "updated_at"])
    return _whole(run_id)


def _whole(run_id: UUID) -> SyncRun:
    return SyncRun.objects.select_related(
        "source_store", "target_store", "source_snapshot", "target_snapshot", "plan_job", "apply_job"
    ).get(pk=run_id)


def compare_stores(run: SyncRun, job: Run | None, *, now: datetime) -> SyncRun:
    """Compare what was fetched with our stock, and keep the plan. No call is made."""
    with no_search_for_cycles(), transaction.atomic():
        context.describe("sync.compare_stores")
        locked_run(run.pk)
        run = _whole(run.pk)
        if run.status != RunStatus.COMPARING:
            return run
        forget_plan(run)
        options = Options.of(run.options)
        hub = Hub(run, sides_of(run, options), options, local=stores.local_store(), now=now)
        compare(hub)
        hub.agreements.keep(run)
        _note_what_was_found(hub, now=now)
        _finish(run, hub, now=now)
        if job is not None:
            job.save_checkpoint(**{**job.checkpoint, "compared": True})
    step("sync.planned")
    return run


def _note_what_was_found(hub: Hub, *, now: datetime) -> None:
    for side in hub.sides:
        asked = {key: fields for key, fields in hub.asked.items() if side.was_looked_at(key)}
        note_conflicts(
            store_id=side.store.pk, asked=asked, was_looked_at=side.was_looked_at,
            left_out=side.rules.sent - side.fields, now=now,
        )  # fmt: skip
        channel = side.store.channel
        met = unmapped_of(channel, side.found.unknown, side.meanings, rate=side.rate)
        met += unmapped_in_orders(side.store, rate=side.rate)
        met += without_number(channel, hub.unmapped_lots.get(channel, ()))
        inventory.note_unmapped(origin=UnmappedOrigin.CHANNEL, met=together(met), system=channel)


def _finish(run: SyncRun, hub: Hub, *, now: datetime) -> None:
    counts = hub.writer.counts
    needed = [
        calls_needed(side, hub.writer.lines_by_store.get(side.store.pk, {}), now=now)
        for side in hub.sides
        if side.gives
    ]
    names = {side.store.pk: side.store.name for side in hub.sides} | {hub.local.pk: hub.local.name}
    run.plan_summary = {
        **{each.value.lower(): counts[each.value] for each in _DOES_SOMETHING},
        "unmatched": counts[SkipReason.UNMATCHED.value],
        "conflicts": counts[SkipReason.CONFLICT.value],
        "skip": sum(counts[each.value] for each in SkipReason),
        "equal": hub.equal,
        "unlisted": dict(hub.unlisted),
        "gone": hub.gone,
        "pairs": hub.agreements.count + hub.to_ask,
        "removal_limits": removal_limits(hub),
        "calls": [each.as_json() for each in needed],
        "worths": [
            {"store": names[key], "before": f"{value:.4f}", "after": f"{hub.after[key]:.4f}"}
            for key, value in hub.before.items()
        ],
        "fetched": {side.store.name: len(side.theirs) for side in hub.sides},
        "planned_at": now.isoformat(),
    }
    run.checks = checks_of(run, hub, needed)
    run.status = RunStatus.PREVIEW_READY
    run.save()
    _go_on(run, hub, now=now)


def _go_on(run: SyncRun, hub: Hub, *, now: datetime) -> None:
    """Have a nightly check that found nothing end, one that may repair begin, and anybody else's plan be looked at."""
    to_do = sum(hub.writer.counts[each.value] for each in _DOES_SOMETHING)
    if run.trigger == Trigger.DRIFT and not to_do and not hub.agreements.count:
        run.status, run.completed_at = RunStatus.COMPLETED, now
        run.save()
        return
    if run.trigger == Trigger.DRIFT and repairs_by_itself(run, hub):
        start_applying(run, now=now)
        return
    publish(SyncPreviewReady(**about(run), to_do=to_do))
