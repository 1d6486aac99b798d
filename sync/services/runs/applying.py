"""Carries an approved plan out: first here, then in the stores, the most urgent first, as far as the day's calls go.

Where it stands is in its lines: whoever takes it up again goes on with what isn't done. What is sent is worked out anew
from the lot and from what was agreed on, so nothing is sent twice, and nothing that has changed since the plan.
"""

from contextlib import ExitStack
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from audit import context
from common import workspace
from common.errors import BudgetExhausted, CredentialsRefused, OutcomeUnknown, ProblemError, ProviderError, Unavailable
from common.steps import step
from common.wire import CallClass
from events.bus import publish
from jobs.choices import JobStatus
from jobs.errors import TryAgain
from jobs.models import JobRun
from jobs.runner import Run
from stores import queries as stores
from stores import services as store_services
from stores.models import Store
from sync.choices import Action, ItemStatus, RunStatus
from sync.events import SyncCompleted, SyncFailed
from sync.models import SyncPlanItem, SyncRun
from sync.services import pulling
from sync.services.connecting import connect
from sync.services.runs.delivering import Delivery
from sync.services.runs.grounding import Place, carry_out_here, note_agreements, places_of, waiting_here
from sync.services.runs.starting import locked_run
from sync.services.runs.words import about
from sync.services.sending import SUSPENDED, settle_doubtful
from sync.services.turns import Busy, Turn, turn

_BUSY, _SUSPENDED = timedelta(seconds=15), timedelta(minutes=15)
_PAUSES = (
    timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=5), timedelta(minutes=10),
)  # fmt: skip
# So often a store that is away is asked again without anything getting done in between.
_MOST_TRIES = 40
_DOES_SOMETHING = (Action.ADD, Action.UPDATE, Action.REMOVE)


def apply_run(run_id: UUID, job: Run, *, now: datetime) -> SyncRun:
    """Carry a run out, from where it stands. Raises TryAgain where it goes on later by itself, and ProblemError."""
    run = _begun(run_id, job)
    if run.status != RunStatus.APPLYING:
        return run
    if workspace.current().is_suspended:
        raise TryAgain(SUSPENDED, after=_SUSPENDED)
    done = _done(run)
    # Taken up again, or tried again, it is still one deed.
    with context.for_job("sync.apply_run", reason=f"Run {run.number}", change_set_id=run.change_set_id):
        try:
            _carry_out(run, job, now=now)
        except Busy as busy:
            raise TryAgain(busy.detail or busy.title, after=_BUSY) from busy
        except (CredentialsRefused, TryAgain):
            raise
        except (ProviderError, BudgetExhausted, Unavailable) as error:
            raise _later(run, job, error, got_further=_done(run) > done) from error
        return _finish(run, now=timezone.now())


@transaction.atomic
def _begun(run_id: UUID, job: Run) -> SyncRun:
    run = locked_run(run_id)
    if run.status == RunStatus.APPLYING and run.change_set_id is None:
        run.change_set_id = job.job_id
        run.save(update_fields=["change_set_id", "updated_at"])
    return SyncRun.objects.select_related("source_store", "target_store").get(pk=run_id)


def _done(run: SyncRun) -> int:
    return SyncPlanItem.objects.filter(sync_run=run, applied_at__isnull=False).count()


def _carry_out(run: SyncRun, job: Run, *, now: datetime) -> None:
    places, local = places_of(run), stores.local_store()
    with ExitStack() as scope:
        turns = {key: scope.enter_context(turn(key)) for key in sorted(places)}
        for key, place in places.items():
            _prepare(place.store, now=timezone.now())
            turns[key].check()
        note_agreements(run, job, places, now=now)
        if waiting_here(run, local).exists():
            carry_out_here(run, job, places, local, now=now)
        for key, place in places.items():
            _deliver(run, job, place, turns[key])


def _prepare(store: Store, *, now: datetime) -> None:
    """Know how all stands there: what was sent without an answer, and what was sold since it was read."""
    channel = connect(store.pk, call_class=CallClass.USUAL)
    with _noted(store, now=now):
        settle_doubtful(store_id=store.pk, channel=channel, now=now)
        pulling.pull_orders(store_id=store.pk, now=now)
    step("sync.prepared")


def _deliver(run: SyncRun, job: Run, place: Place, held: Turn) -> None:
    store = place.store
    delivery = Delivery(run, job, store, held, read_at=place.read_at)
    if not delivery.is_anything():
        return
    with _noted(store, now=timezone.now()):
        delivery.carry_out()
    store_services.note_pushed(store_id=store.pk, now=timezone.now())


class _noted:  # noqa: N801  # used as a function
    """Keep with a store how it fares."""

    def __init__(self, store: Store, *, now: datetime) -> None:
        self._store, self._now = store, now

    def __enter__(self) -> None:
        return

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ProviderError | BudgetExhausted):
            store_services.note_failure(store_id=self._store.pk, error=error, now=timezone.now())
        elif error is None:
            store_services.note_success(store_id=self._store.pk, now=timezone.now())


def _later(run: SyncRun, job: Run, error: ProblemError, *, got_further: bool) -> Exception:
    """Answer when a run goes on that a store has stopped: after what the store says, else ever a little later."""
    tries = 0 if got_further else job.checkpoint.get("tries", 0)
    if tries >= _MOST_TRIES:
        return error
    job.save_checkpoint(**{**job.checkpoint, "tries": tries + 1})
    wait = error.extra.get("retry_after")
    pause = timedelta(seconds=wait) if isinstance(wait, int | float) and wait > 0 else None
    if isinstance(error, OutcomeUnknown):
        pause = timedelta(seconds=1)
    left = SyncPlanItem.objects.filter(sync_run=run, status__in=[ItemStatus.PENDING, ItemStatus.SENT]).count()
    words = f"{error.detail or error.title} {left:,} lines are left; it goes on by itself."
    return TryAgain(words, after=pause or _PAUSES[min(tries, len(_PAUSES) - 1)])


@transaction.atomic
def _finish(run: SyncRun, *, now: datetime) -> SyncRun:
    run = locked_run(run.pk)
    if run.status != RunStatus.APPLYING:
        return run
    run = SyncRun.objects.select_related("source_store", "target_store").get(pk=run.pk)
    counts = _counts(run)
    run.status, run.completed_at, run.error_message = RunStatus.COMPLETED, now, ""
    run.plan_summary = {**run.plan_summary, "applied": counts}
    run.save()
    publish(
        SyncCompleted(
            **about(run), added=counts["add"], updated=counts["update"], removed=counts["remove"],
            failed=counts["failed"],
        )
    )  # fmt: skip
    return run


def _counts(run: SyncRun) -> dict[str, int]:
    rows = (
        SyncPlanItem.objects.filter(sync_run=run, action__in=_DOES_SOMETHING)
        .values_list("action", "status")
        .annotate(count=Count("id"))
        .order_by()
    )
    found = {"add": 0, "update": 0, "remove": 0, "failed": 0}
    for action, status, count in rows:
        if status == ItemStatus.APPLIED:
            found[action.lower()] += count
        elif status == ItemStatus.FAILED:
            found["failed"] += count
    return found


@transaction.atomic
def end_apply(*, job_id: UUID, status: str, now: datetime) -> None:
    """Have the run of a job that failed or was cancelled say so. What was done until then stays."""
    ends = {JobStatus.FAILED: RunStatus.FAILED, JobStatus.CANCELLED: RunStatus.CANCELLED}
    end = ends.get(JobStatus(status))
    run = (
        SyncRun.objects.select_for_update(of=("self",))
        .select_related("source_store", "target_store")
        .filter(apply_job=job_id, status=RunStatus.APPLYING)
        .first()
    )
    if end is None or run is None:
        return
    job = JobRun.objects.filter(pk=job_id).first()
    run.error_message = (job.error_message if job else "")[:500]
    run.status, run.completed_at = end, now
    run.plan_summary = {**run.plan_summary, "applied": _counts(run)}
    run.save()
    if end == RunStatus.FAILED:
        publish(SyncFailed(**about(run), error_message=run.error_message))
