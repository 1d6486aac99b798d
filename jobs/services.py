"""What can be done to jobs: start, cancel, take over, say how far, end. An older holder's writes are refused."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Case, F, Q, When
from django.db.models.functions import Coalesce

from common import actor, live
from common.actor import ActorKind
from common.background import enqueue
from common.errors import Conflict, NotFound
from common.ids import new_id
from events.bus import publish
from jobs import files, registry
from jobs.choices import OPEN_STATUSES, JobStatus, LogLevel
from jobs.errors import LeaseLost
from jobs.events import JobEnded
from jobs.models import JobLog, JobRun

RUN = "jobs.run"
REVERT = "audit_revert"
TOPIC = "jobs"
# A job that waits longer than this may have lost its task, and gets another; a second one does no harm.
_TASK_LOST_AFTER = timedelta(seconds=30)
# So many of a shop's waiting jobs get another task in one sweep, oldest first: a long queue isn't doubled each time.
_SWEPT_AT_ONCE = 50
_RETRY_AFTER = (timedelta(0), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
_KEY_LENGTH = 150
# Ended jobs that asked for nothing more are kept for so long.
KEPT = timedelta(days=90)


@transaction.atomic
def start(job_type: str, *, key: str = "", args: dict[str, Any] | None = None, label: str = "") -> JobRun:
    """Make a job that runs after the commit, on behalf of whoever acts now; the same key answers the same job.

    `key`: what makes it the same wish (a form's or request's idempotency key); without one each call is a job.
    `args`: plain JSON, the function's keyword arguments. `label`: what people read, else the kind's. LookupError where
    no app declares the kind.
    """
    kind = registry.get(job_type)
    if len(key) > _KEY_LENGTH:
        raise ValueError(f"a job's key has at most {_KEY_LENGTH} characters")
    identity = new_id()
    job = JobRun(
        id=identity,
        job_type=job_type,
        label=label or kind.label,
        arguments=args or {},
        idempotency_key=f"{job_type}:{key or identity}",
        correlation_id=actor.origin().correlation_id,
        **_on_behalf_of(actor.current()),
    )
    # The one of two equal wishes at once that comes second waits here for the first's commit, and inserts nothing.
    JobRun.objects.bulk_create([job], ignore_conflicts=True)
    job = JobRun.objects.get(idempotency_key=job.idempotency_key)
    if job.id == identity:
        enqueue(RUN, queue=kind.queue, job_id=str(job.id))
        _ring(job)
    return job


def start_revert(
    *, change_set_id: UUID, decisions: list[list[str]], is_trial: bool, asked_at: datetime, label: str
) -> UUID:
    """Have a job revert a large change set, or look at what that would do, and answer it; one at a time.

    For `audit.services`, which holds the change set meanwhile. Raises Conflict where somebody else's does it already.
    """
    which = {"change_set_id": str(change_set_id), "is_trial": is_trial}
    same = JobRun.objects.filter(job_type=REVERT, status__in=OPEN_STATUSES, arguments__contains=which).first()
    if same is None:
        args = {**which, "decisions": decisions, "asked_at": asked_at.isoformat()}
        length = JobRun._meta.get_field("label").max_length
        return start(REVERT, args=args, label=label[:length]).id
    if f"{same.actor_type}:{same.actor_id}" != actor.current().principal:
        raise Conflict(f"{same.actor_name} is at it already.")
    return same.id


@transaction.atomic
def cancel(*, job_id: UUID, now: datetime) -> JobRun:
    """End a waiting job now, a running one at its next checkpoint. NotFound, or Conflict if it has ended already."""
    job = JobRun.objects.select_for_update().filter(pk=job_id).first()
    if job is None:
        raise NotFound
    if not job.is_open:
        raise Conflict(f"This job has already ended ({job.get_status_display().lower()}).", status_now=job.status)
    if job.cancel_requested_at is None:
        job.cancel_requested_at = now
        job.save(update_fields=["cancel_requested_at"])
    if job.status == JobStatus.PENDING:
        _end(job, JobStatus.CANCELLED, now=now)
    _ring(job)
    return job


@transaction.atomic
def claim(*, job_id: UUID, now: datetime) -> JobRun | None:
    """Become the holder of a waiting job that is due; None if another holds it, or there is nothing to do."""
    due = Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=now)
    job = JobRun.objects.select_for_update(skip_locked=True).filter(due, pk=job_id, status=JobStatus.PENDING).first()
    if job is None:
        return None
    job.status = JobStatus.RUNNING
    job.attempt += 1
    job.next_attempt_at = None
    job.started_at = job.started_at or now
    job.last_heartbeat_at = now
    # The pace is that of this attempt alone.
    job.progress_data = {name: value for name, value in job.progress_data.items() if name not in ("from", "since")}
    job.save(update_fields=["status", "attempt", "next_attempt_at", "started_at", "last_heartbeat_at", "progress_data"])
    _ring(job)
    return job


def beat(*, job_id: UUID, attempt: int, now: datetime) -> bool:
    """Say that the holder lives; answer whether cancelling was asked for. LeaseLost if it is the holder no more.

    Never waits: where the holder's own transaction has the row locked, its commit will be the sign of life.
    """
    state = JobRun.objects.filter(pk=job_id).values_list("attempt", "status", "cancel_requested_at").first()
    if state is None or state[:2] != (attempt, JobStatus.RUNNING):
        raise LeaseLost
    with transaction.atomic():
        free = JobRun.objects.select_for_update(skip_locked=True).filter(pk=job_id, attempt=attempt)
        JobRun.objects.filter(pk__in=free.values("pk")).update(last_heartbeat_at=now)
    return state[2] is not None


def save_checkpoint(*, job_id: UUID, attempt: int, values: dict[str, Any], now: datetime) -> bool:
    """Remember where to go on; part of the caller's transaction, if there is one. Answers and raises as `beat`.

    A job that gets further has all its attempts before it again.
    """
    interruptions = Case(When(checkpoint=values, then=F("interruptions")), default=0)
    return _fenced(job_id, attempt, checkpoint=values, interruptions=interruptions, last_heartbeat_at=now)


def save_progress(
    *, job_id: UUID, attempt: int, percent: int | None, message: str, data: dict[str, Any], now: datetime
) -> bool:
    """Remember how far it is. Answers and raises as `beat`."""
    return _fenced(
        job_id,
        attempt,
        progress_percent=percent,
        progress_message=message[: JobRun._meta.get_field("progress_message").max_length],
        progress_data=data,
        last_heartbeat_at=now,
    )


def add_log(*, job_id: UUID, level: LogLevel, message: str, now: datetime) -> None:
    """Write a line for the people who read the job's page."""
    JobLog.objects.create(job_id=job_id, level=level, message=message, at=now)


@transaction.atomic
def complete(*, job_id: UUID, attempt: int, result: dict[str, Any] | None, now: datetime) -> None:
    """End the job with its result. LeaseLost if another holds it by now."""
    job = _held(job_id, attempt)
    job.result = result
    _end(job, JobStatus.COMPLETED, now=now)


@transaction.atomic
def fail(*, job_id: UUID, attempt: int, reason: str, now: datetime) -> None:
    """End the job with a reason in plain words. LeaseLost if another holds it by now."""
    job = _held(job_id, attempt)
    _fail(job, reason, now=now)


@transaction.atomic
def end_cancelled(*, job_id: UUID, attempt: int, now: datetime) -> None:
    """End the job because it was asked to. LeaseLost if another holds it by now."""
    _end(_held(job_id, attempt), JobStatus.CANCELLED, now=now)


@transaction.atomic
def release(*, job_id: UUID, attempt: int) -> None:
    """Let another worker go on from the checkpoint at once. LeaseLost if another holds it by now."""
    job = _held(job_id, attempt)
    job.status = JobStatus.PENDING
    job.save(update_fields=["status"])
    _send(job)


@transaction.atomic
def put_off(*, job_id: UUID, attempt: int, reason: str, after: timedelta, now: datetime) -> None:
    """Let a worker go on from the checkpoint after a while. LeaseLost if another holds it by now."""
    job = _held(job_id, attempt)
    job.status = JobStatus.PENDING
    job.next_attempt_at = now + after
    job.progress_message = reason[: JobRun._meta.get_field("progress_message").max_length]
    job.save(update_fields=["status", "next_attempt_at", "progress_message"])
    _ring(job)


@transaction.atomic
def interrupt(*, job_id: UUID, attempt: int, reason: str, now: datetime) -> None:
    """Note that the job could not go on: it is tried again from its checkpoint, a few times, each a little later."""
    _interrupt(_held(job_id, attempt), reason, now=now)


def sweep(*, now: datetime) -> None:
    """Find what was left lying: running jobs whose holder is silent, and waiting ones whose task may be lost."""
    for kind_code, job_id in JobRun.objects.filter(status=JobStatus.RUNNING).values_list("job_type", "id"):
        kind = registry.find(kind_code)
        limit = kind.heartbeat_limit if kind else registry.HEARTBEAT_LIMIT
        _take_from_silent_holder(job_id, limit=limit, now=now)
    waiting_since = Coalesce("next_attempt_at", F("created_at") + _TASK_LOST_AFTER)
    waiting = JobRun.objects.filter(status=JobStatus.PENDING).annotate(waiting_since=waiting_since)
    for job in waiting.filter(waiting_since__lte=now).order_by("waiting_since", "id")[:_SWEPT_AT_ONCE]:
        _send(job)


@transaction.atomic
def mark_seen(*, job_ids: list[UUID], now: datetime) -> None:
    """Note that their people have seen how these jobs ended."""
    jobs = JobRun.objects.filter(pk__in=job_ids, seen_at=None).exclude(status__in=OPEN_STATUSES)
    creators = set(jobs.values_list("created_by_id", flat=True))
    jobs.update(seen_at=now)
    for creator in creators - {None}:
        live.notify(TOPIC, user_id=creator)


def purge(*, now: datetime) -> int:
    """Delete files of jobs that ended a week ago, and jobs that ended long ago with their logs; answer how many."""
    with_files = JobRun.objects.filter(completed_at__lt=now - files.KEPT, result__files__isnull=False)
    for job in with_files.iterator():
        for entry in (job.result or {})["files"]:
            files.forget(entry)
    _, deleted = JobRun.objects.filter(completed_at__lt=now - KEPT).delete()
    return deleted.get(JobRun._meta.label, 0)


def _on_behalf_of(who: actor.Actor) -> dict[str, Any]:
    """Answer the columns that say with whose permissions the job acts; a job's own job acts for the same person."""
    if who.kind is ActorKind.JOB:
        parent = JobRun.objects.get(pk=who.id)
        names = ("actor_type", "actor_id", "actor_name", "created_by_id")
        return {name: getattr(parent, name) for name in names}
    if not who.id:
        who = actor.SYSTEM
    return {
        "actor_type": who.kind.value,
        "actor_id": who.id,
        "actor_name": who.name,
        "created_by_id": UUID(who.id) if who.kind is ActorKind.USER else None,
    }


def _fenced(job_id: UUID, attempt: int, **values: Any) -> bool:
    held = JobRun.objects.filter(pk=job_id, attempt=attempt, status=JobStatus.RUNNING)
    if not held.update(**values):
        raise LeaseLost
    return JobRun.objects.filter(pk=job_id, cancel_requested_at__isnull=False).exists()


def _held(job_id: UUID, attempt: int) -> JobRun:
    job = JobRun.objects.select_for_update().filter(pk=job_id, attempt=attempt, status=JobStatus.RUNNING).first()
    if job is None:
        raise LeaseLost
    return job


def _end(job: JobRun, status: JobStatus, *, now: datetime) -> None:
    job.status, job.completed_at, job.next_attempt_at = status, now, None
    if status == JobStatus.COMPLETED:
        job.progress_percent = 100
    job.save()
    publish(JobEnded(job_id=job.id, job_type=job.job_type, status=status.value))
    _ring(job)


def _fail(job: JobRun, reason: str, *, now: datetime) -> None:
    job.error_message = reason
    add_log(job_id=job.id, level=LogLevel.ERROR, message=reason, now=now)
    _end(job, JobStatus.FAILED, now=now)


def _take_from_silent_holder(job_id: UUID, *, limit: timedelta, now: datetime) -> None:
    with transaction.atomic():
        silent = JobRun.objects.filter(pk=job_id, status=JobStatus.RUNNING, last_heartbeat_at__lt=now - limit)
        # A row that is locked belongs to a holder who is just writing: it isn't silent.
        job = silent.select_for_update(skip_locked=True).first()
        if job is not None:
            _interrupt(job, "The worker stopped without a word.", now=now)


def _interrupt(job: JobRun, reason: str, *, now: datetime) -> None:
    if job.cancel_requested_at is not None:
        _end(job, JobStatus.CANCELLED, now=now)
        return
    kind = registry.find(job.job_type)
    job.interruptions += 1
    if job.interruptions >= (kind.max_attempts if kind else registry.MAX_ATTEMPTS):
        _fail(job, f"Given up after {job.interruptions} attempts. {reason} What was done until then is kept.", now=now)
        return
    wait = _RETRY_AFTER[min(job.interruptions, len(_RETRY_AFTER)) - 1]
    add_log(job_id=job.id, level=LogLevel.WARNING, message=f"{reason} It goes on from where it was.", now=now)
    job.status = JobStatus.PENDING
    job.next_attempt_at = now + wait if wait else None
    job.save(update_fields=["status", "interruptions", "next_attempt_at"])
    if not wait:
        _send(job)
    _ring(job)


def _send(job: JobRun) -> None:
    kind = registry.find(job.job_type)
    enqueue(RUN, queue=kind.queue if kind else "", job_id=str(job.id))


def _ring(job: JobRun) -> None:
    live.notify(TOPIC, user_id=job.created_by_id)
