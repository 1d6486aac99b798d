"""What people decide about a plan: leave lines out, approve it, stop it, try again what failed."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from audit import context
from common import actor
from common.actor import ActorKind
from common.errors import Conflict, Invalid
from jobs import services as jobs
from jobs.choices import OPEN_STATUSES
from stores.models import Store
from sync.choices import Action, ItemStatus, RunStatus, SkipReason
from sync.models import SyncPlanItem, SyncRun
from sync.queries import runs as queries
from sync.queries.runs import PlanFilters
from sync.services.runs.starting import discard_run, has_ended, locked_run

APPLY = "sync_apply"
_DOES_SOMETHING = (Action.ADD, Action.UPDATE, Action.REMOVE)
_ENDED = (RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.COMPLETED)
_MOST_IDS = 5_000


@transaction.atomic
def exclude_items(
    *, run_id: UUID, item_ids: Collection[int] | None = None, filters: PlanFilters | None = None,
    is_excluded: bool = True,
) -> int:  # fmt: skip
    """Leave lines of a plan out, or take them in again: by their ids, or all that filters leave. Answer how many.

    What depends on a line goes with it: a lot that doesn't come into our stock isn't listed elsewhere. Raises Invalid,
    NotFound, and Conflict once the plan no longer waits.
    """
    context.describe("sync.exclude_items")
    run = locked_run(run_id)
    if run.status != RunStatus.PREVIEW_READY:
        raise Conflict("This plan no longer waits to be approved.")
    if (item_ids is None) == (filters is None):
        raise Invalid(errors={"/": ["Name lines by `ids`, or by a `filter`."]})
    if filters is not None and filters.unknown:
        raise Invalid(errors={"/filter": [f"This filter isn't known: {filters.unknown[0].words}."]})
    if item_ids is not None and len(item_ids) > _MOST_IDS:
        raise Invalid(errors={"/ids": [f"At most {_MOST_IDS:,} lines at once; use a filter for more."]})
    found = queries.items(run, filters).select_related(None).order_by()
    if item_ids is not None:
        found = found.filter(pk__in=item_ids)
    found = found.filter(action__in=_DOES_SOMETHING)
    keys = [int(item.pk or 0) for item in found.only("pk")]
    mine = SyncPlanItem.objects.filter(sync_run=run, action__in=_DOES_SOMETHING)
    return _leave_out(mine, keys) if is_excluded else _take_in(mine, keys)


def _leave_out(mine: "QuerySet[SyncPlanItem]", keys: list[int]) -> int:
    values = {"status": ItemStatus.SKIPPED, "skip_reason": SkipReason.USER_EXCLUDED}
    waiting = mine.filter(status=ItemStatus.PENDING)
    return waiting.filter(pk__in=keys).update(**values) + waiting.filter(after__in=keys).update(**values)


def _take_in(mine: "QuerySet[SyncPlanItem]", keys: list[int]) -> int:
    left_out = mine.filter(status=ItemStatus.SKIPPED, skip_reason=SkipReason.USER_EXCLUDED)
    behind = left_out.filter(pk__in=keys, after__isnull=False)
    before = [key for key in behind.values_list("after_id", flat=True) if key is not None]
    values = {"status": ItemStatus.PENDING, "skip_reason": ""}
    return left_out.filter(pk__in=keys).update(**values) + left_out.filter(pk__in=before).update(**values)


@transaction.atomic
def approve_run(*, run_id: UUID, now: datetime, confirmed_removals: int | None = None) -> SyncRun:
    """Carry a plan out. A second press does nothing more.

    `confirmed_removals`: how many lots are removed, typed by whoever approves; needed where they are many. Raises
    NotFound, Invalid with errors by field, and Conflict where there is nothing to approve, something stands against it,
    it is too old, or another run is at the store.
    """
    context.describe("sync.approve_run")
    run = locked_run(run_id)
    if run.status in (RunStatus.APPLYING, RunStatus.COMPLETED):
        return run
    if run.status != RunStatus.PREVIEW_READY:
        raise Conflict("This plan no longer waits to be approved.")
    view = queries.view_of(queries.get_run(run.pk), now=now)
    _refuse_overtaken(run, view.overtaken_by, "Plan it anew first.")
    if view.is_stale:
        raise Conflict("This was planned more than a day ago. Plan it anew first.")
    if stops := [check.text for check in view.checks if check.stops]:
        raise Conflict(stops[0])
    if view.removals_to_confirm is not None and confirmed_removals != view.removals_to_confirm:
        raise Invalid(
            errors={"/confirmed_removals": [f"{view.removals_to_confirm:,} lots will be removed. Type that number."]}
        )
    if not view.to_do and not run.plan_summary.get("pairs"):
        raise Conflict("There is nothing to do.")
    return start_applying(run, now=now)


def _refuse_overtaken(run: SyncRun, other: SyncRun | None, then: str) -> None:
    if other is None:
        return
    if other.status == RunStatus.APPLYING:
        name = run.target_store.stock_name if other.target_store_id == run.target_store_id else "one of these stores"
        raise Conflict(f"Run {other.number} is changing {name} already. Wait for it, or stop it.")
    raise Conflict(f"Run {other.number} has changed these stores since this was planned. {then}")


def start_applying(run: SyncRun, *, now: datetime) -> SyncRun:
    """Start the job that carries a plan out. The row is locked. Raises Conflict where another run is at the store."""
    # Of two runs that are approved at once, the second waits here and then sees the first.
    Store.objects.select_for_update(no_key=True).get(pk=run.target_store_id)
    others = SyncRun.objects.filter(target_store=run.target_store_id, status=RunStatus.APPLYING).exclude(pk=run.pk)
    if (other := others.first()) is not None:
        raise Conflict(
            f"Run {other.number} is changing {run.target_store.stock_name} already. Wait for it, or stop it."
        )
    who = actor.current()
    if run.approved_at is None:
        run.approved_at, run.approved_by_id = now, UUID(who.id) if who.kind is ActorKind.USER else None
    run.status, run.error_message, run.completed_at = RunStatus.APPLYING, "", None
    label = f"Bring {run.target_store.stock_name} into step (run {run.number})"
    run.apply_job = jobs.start(APPLY, args={"run_id": str(run.pk)}, label=label[:200])
    run.save()
    return run


@transaction.atomic
def cancel_run(*, run_id: UUID, now: datetime) -> SyncRun:
    """Stop a run: a plan is thrown away, one that is carried out stops after the present batch. Twice is once.

    What is done stays. Raises NotFound, and Conflict for a run that has ended.
    """
    context.describe("sync.cancel_run")
    run = locked_run(run_id)
    if run.status != RunStatus.APPLYING:
        return discard_run(run_id=run_id, now=now)
    if run.apply_job is not None and run.apply_job.status in OPEN_STATUSES:
        jobs.cancel(job_id=run.apply_job.pk, now=now)
    run.refresh_from_db()
    return run


@transaction.atomic
def retry_run(*, run_id: UUID, now: datetime, reason: str = "") -> SyncRun:
    """Go on with a run that has failed or was stopped, and try again what failed; of one reason, or all.

    Lots that changed on the channel meanwhile are looked at anew first. Raises NotFound, and Conflict where there is
    nothing to try again, or another run is at the store.
    """
    context.describe("sync.retry_run")
    run = locked_run(run_id)
    if run.status == RunStatus.APPLYING and not has_ended(run.apply_job):
        return run
    # Its job may have ended without anybody having told the run yet.
    if run.approved_at is None or queries.standing(run) not in _ENDED:
        raise Conflict("Only a run that was approved and has ended can be tried again.")
    _refuse_overtaken(run, queries.overtaken(run), "Start another run.")
    failed = SyncPlanItem.objects.filter(sync_run=run, status=ItemStatus.FAILED)
    if reason:
        failed = failed.filter(error_message__startswith=reason)
    again = failed.update(status=ItemStatus.PENDING, error_message="")
    left = SyncPlanItem.objects.filter(sync_run=run, status__in=[ItemStatus.PENDING, ItemStatus.SENT]).exists()
    if not again and not left:
        raise Conflict("There is nothing to try again.")
    return start_applying(run, now=now)
