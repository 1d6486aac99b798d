"""Begins runs: which stores, how, and the job that looks at both. Nothing is changed by it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from audit import context
from common import actor
from common.actor import ActorKind
from common.errors import Conflict, Invalid, NotFound
from events.bus import publish
from inventory.queries.filters import Filters
from jobs import services as jobs
from jobs.choices import OPEN_STATUSES, JobStatus
from jobs.models import JobRun
from stores import queries as stores
from stores.channels import Can
from stores.choices import Channel
from stores.models import Store
from stores.settings_schema import StoreSettings
from sync.choices import Direction, RunStatus, Trigger
from sync.events import SyncFailed
from sync.models import SyncAgreement, SyncPlanItem, SyncRun
from sync.services.runs.options import NewThere, Options
from sync.services.runs.words import about

PREVIEW = "sync_preview"
_PLANNING = (RunStatus.PENDING, RunStatus.FETCHING, RunStatus.COMPARING)
_NEEDED = (Can.FETCH_INVENTORY, Can.APPLY)


@transaction.atomic
def start_preview(
    *, source_store_id: UUID, target_store_id: UUID, direction: str = Direction.SOURCE_TO_TARGET,
    options: Mapping[str, Any] | None = None, idempotency_key: str, now: datetime, trigger: str = Trigger.BY_HAND,
) -> SyncRun:  # fmt: skip
    """Look at two stores and plan what brings them into step; the same key answers the same run.

    Either may be the local store, which is our own stock. Raises Invalid with errors by field, NotFound, and Conflict
    where a store can't be asked.
    """
    context.describe("sync.start_preview")
    chosen = Options.of(options or {})
    if direction not in Direction.values:
        raise Invalid(errors={"/direction": [f"One of {', '.join(Direction.values)}."]})
    if source_store_id == target_store_id:
        raise Invalid(errors={"/target_store_id": ["Choose another store than the one that it is compared with."]})
    source = _comparable(source_store_id, "/source_store_id")
    target = _comparable(target_store_id, "/target_store_id")
    if chosen.lots and (unknown := Filters.parse(chosen.lots).unknown):
        raise Invalid(errors={"/options/lots": [f"This filter isn't known: {unknown[0].words}."]})
    who = actor.current()
    run = SyncRun(
        number=next_number(), source_store=source, target_store=target, direction=direction, trigger=trigger,
        options=chosen.as_json(), idempotency_key=idempotency_key,
        created_by_id=UUID(who.id) if who.kind is ActorKind.USER else None,
    )  # fmt: skip
    # The one of two equal wishes at once that comes second waits here for the first's commit, and inserts nothing.
    SyncRun.objects.bulk_create([run], ignore_conflicts=True)
    kept = SyncRun.objects.get(idempotency_key=idempotency_key)
    if kept.pk == run.pk:
        _begin(kept)
    return kept


def start_inverse(*, run_id: UUID, idempotency_key: str, now: datetime) -> SyncRun:
    """Plan how the store is brought back to what our stock says once a run was undone here.

    The lots that the run listed there are taken away again; those that it brought in stay where they came from.
    Raises NotFound, and Conflict for one that listed nothing.
    """
    run = SyncRun.objects.filter(pk=run_id).select_related("target_store").first()
    if run is None:
        raise NotFound("There is no such run.")
    if run.target_store.channel == Channel.LOCAL:
        raise Conflict("This run changed nothing on a channel.")
    return start_preview(
        source_store_id=stores.local_store().pk, target_store_id=run.target_store_id,
        options={"inverse_of": str(run.pk), "new_there": NewThere.LEAVE}, idempotency_key=idempotency_key, now=now,
    )  # fmt: skip


@transaction.atomic
def plan_again(*, run_id: UUID, now: datetime) -> SyncRun:
    """Fetch and compare anew. A second press does nothing more. Raises NotFound, and Conflict once it was approved."""
    run = locked_run(run_id)
    if run.status in _PLANNING and not has_ended(run.plan_job):
        return run
    if run.approved_at is not None or run.status in (RunStatus.APPLYING, RunStatus.COMPLETED):
        raise Conflict("What was approved can't be planned anew. Start another run.")
    forget_plan(run)
    run.error_message, run.completed_at, run.started_at = "", None, None
    _begin(run)
    return run


@transaction.atomic
def discard_run(*, run_id: UUID, now: datetime) -> SyncRun:
    """Throw a plan away, or stop making it. Twice is once. Raises NotFound, and Conflict once it is being applied."""
    run = locked_run(run_id)
    if run.status == RunStatus.CANCELLED:
        return run
    if run.status not in (*_PLANNING, RunStatus.PREVIEW_READY):
        raise Conflict("This plan no longer waits to be approved.")
    if run.status in _PLANNING and run.plan_job is not None and run.plan_job.status in OPEN_STATUSES:
        jobs.cancel(job_id=run.plan_job.pk, now=now)
    discard(run, now=now)
    return run


def discard(run: SyncRun, *, now: datetime) -> None:
    """Throw a plan away. The row is locked."""
    run.status, run.completed_at = RunStatus.CANCELLED, now
    run.save()
    forget_plan(run)


def forget_plan(run: SyncRun) -> None:
    """Forget what a run would do."""
    SyncPlanItem.objects.filter(sync_run=run).delete()
    SyncAgreement.objects.filter(sync_run=run).delete()


def locked_run(run_id: UUID) -> SyncRun:
    """Answer a run under its lock. Raises NotFound."""
    run = SyncRun.objects.select_for_update(of=("self",)).filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such run.")
    return run


def has_ended(job: JobRun | None) -> bool:
    """Tell whether a job is over, or was never made."""
    return job is None or job.status not in OPEN_STATUSES


def end_preview(*, job_id: UUID, status: str, now: datetime) -> None:
    """Have the run whose planning failed or was cancelled say so."""
    ends = {JobStatus.FAILED: RunStatus.FAILED, JobStatus.CANCELLED: RunStatus.CANCELLED}
    end = ends.get(JobStatus(status))
    with transaction.atomic():
        found = SyncRun.objects.select_for_update(of=("self",)).select_related("source_store", "target_store")
        run = found.filter(plan_job=job_id, status__in=_PLANNING).first()
        if end is None or run is None:
            return
        job = JobRun.objects.filter(pk=job_id).first()
        run.error_message = (job.error_message if job else "")[:500]
        run.status, run.completed_at = end, now
        run.save()
        forget_plan(run)
        # Who asked for it by hand is told by the job.
        if end == RunStatus.FAILED and run.trigger == Trigger.DRIFT:
            publish(SyncFailed(**about(run), error_message=run.error_message))


def _begin(run: SyncRun) -> None:
    run.status = RunStatus.PENDING
    label = f"Compare {run.source_store.stock_name} with {run.target_store.stock_name}"
    run.plan_job = jobs.start(PREVIEW, args={"run_id": str(run.pk)}, label=label[:200])
    run.save()


def _comparable(store_id: UUID, pointer: str) -> Store:
    try:
        store = stores.get_store(store_id)
    except NotFound:
        raise Invalid(errors={pointer: ["There is no such store."]}) from None
    if store.channel == Channel.LOCAL:
        return store
    spec = stores.spec_for(store.channel)
    if spec is None or not set(_NEEDED) <= spec.can:
        raise Invalid(errors={pointer: [f"{store.name} has no stock that can be compared."]})
    if store.disconnected_at is not None:
        raise Conflict(f"{store.name} is disconnected. Connect it again first.")
    if not store.is_enabled:
        raise Conflict(f"{store.name} is switched off. Switch it on first.")
    if StoreSettings.of(store.settings).is_away:
        raise Conflict(f"{store.name} is on vacation. Open it again first.")
    return store


def next_number() -> int:
    """Answer the next number of a run."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'number'))", [SyncRun._meta.db_table])
        number: int = cursor.fetchone()[0]
    return number
