"""What can be asked about jobs: whose one may see, how far they are, in words."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from common.actor import Actor, ActorKind
from common.errors import NotFound
from jobs import registry
from jobs.choices import OPEN_STATUSES, JobStatus
from jobs.models import JobLog, JobRun

_TRAY_LENGTH = 20
_LOG_LENGTH = 500
# A pace measured over less says nothing.
_PACE_AFTER_S = 3


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as lists, the tray and its page show it."""

    id: UUID
    job_type: str
    label: str
    status: JobStatus
    progress_percent: int | None
    progress_message: str
    error_message: str
    started_by: str
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    next_attempt_at: datetime | None
    is_cancelling: bool
    is_seen: bool
    is_mine: bool
    result: dict[str, Any]

    @property
    def url(self) -> str:
        """Answer the address of the job's page."""
        return reverse("jobs:detail", args=[self.id])

    @property
    def cancel_url(self) -> str:
        """Answer where it is cancelled, as long as it can be."""
        return reverse("jobs:cancel", args=[self.id]) if self.is_open and not self.is_cancelling else ""

    @property
    def is_open(self) -> bool:
        """Tell whether it waits or runs."""
        return self.status in OPEN_STATUSES

    @property
    def is_failed(self) -> bool:
        """Tell whether it ended badly."""
        return self.status == JobStatus.FAILED


@dataclass(frozen=True, slots=True)
class Tray:
    """What the header shows of one's own jobs."""

    rows: tuple[JobRow, ...]

    @property
    def open_count(self) -> int:
        """Answer how many wait or run."""
        return sum(row.is_open for row in self.rows)

    @property
    def failed_count(self) -> int:
        """Answer how many failed and weren't looked at."""
        return sum(row.is_failed for row in self.rows)

    @property
    def ended_count(self) -> int:
        """Answer how many ended and weren't looked at."""
        return len(self.rows) - self.open_count

    @property
    def percent(self) -> int:
        """Answer how far the open ones are together."""
        percents = [row.progress_percent or 0 for row in self.rows if row.is_open]
        return sum(percents) // len(percents) if percents else 100


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a job's log."""

    at: datetime
    level: str
    message: str


def has_open() -> bool:
    """Tell whether any job waits or runs."""
    return JobRun.objects.filter(status__in=OPEN_STATUSES).exists()


def find(job_id: UUID) -> JobRun | None:
    """Answer the job, whoever's it is; for our own apps."""
    return JobRun.objects.filter(pk=job_id).first()


def visible_to(who: Actor) -> QuerySet[JobRun]:
    """Answer the jobs that one started, and those of kinds that one has the permission of."""
    if who.kind is ActorKind.SYSTEM:
        return JobRun.objects.all()
    kinds = [kind.code for kind in registry.all_types() if kind.permission and who.can(kind.permission)]
    return JobRun.objects.filter(_own(who) | Q(job_type__in=kinds))


def get_visible(job_id: UUID, who: Actor) -> JobRun:
    """Answer one of the jobs that one may see; NotFound for any other."""
    job = visible_to(who).filter(pk=job_id).first()
    if job is None:
        raise NotFound
    return job


def tray(who: Actor, *, now: datetime) -> Tray:
    """Answer one's own jobs that are open, and those that ended and weren't looked at, newest first."""
    mine = JobRun.objects.filter(_own(who)).filter(Q(status__in=OPEN_STATUSES) | Q(seen_at=None))
    return Tray(tuple(row_of(job, who=who, now=now) for job in mine.order_by("-created_at", "-id")[:_TRAY_LENGTH]))


def open_jobs_for(who: Actor) -> list[JobRow]:
    """Answer the jobs under way that one may see, newest first."""
    jobs = visible_to(who).filter(status__in=OPEN_STATUSES).order_by("-created_at", "-id")[:_TRAY_LENGTH]
    return [row_of(job, who=who, now=timezone.now()) for job in jobs]


def ended_of(who: Actor) -> list[UUID]:
    """Answer one's own jobs that ended well or were cancelled, and weren't looked at."""
    ended = JobRun.objects.filter(_own(who), seen_at=None).exclude(status__in=(*OPEN_STATUSES, JobStatus.FAILED))
    return list(ended.values_list("pk", flat=True))


def log_of(job_id: UUID) -> list[LogLine]:
    """Answer the newest lines of a job's log, oldest first."""
    lines = JobLog.objects.filter(job_id=job_id).order_by("-id")[:_LOG_LENGTH]
    return [LogLine(line.at, line.level, line.message) for line in reversed(lines)]


def row_of(job: JobRun, *, who: Actor, now: datetime) -> JobRow:
    """Answer the job as pages show it."""
    return JobRow(
        id=job.id,
        job_type=job.job_type,
        label=job.label,
        status=JobStatus(job.status),
        progress_percent=job.progress_percent,
        progress_message=_words(job, now=now),
        error_message=job.error_message,
        started_by=job.actor_name,
        created_at=job.created_at,
        started_at=job.started_at,
        completed_at=job.completed_at,
        next_attempt_at=job.next_attempt_at,
        is_cancelling=job.cancel_requested_at is not None and job.is_open,
        is_seen=job.seen_at is not None,
        is_mine=who.kind is ActorKind.USER and str(job.created_by_id) == who.id,
        result=job.result or {},
    )


def _own(who: Actor) -> Q:
    if who.kind is ActorKind.USER:
        return Q(created_by=UUID(who.id)) if who.id else Q(pk__in=[])
    return Q(actor_type=who.kind.value, actor_id=who.id)


def _words(job: JobRun, *, now: datetime) -> str:
    """Say in one line how far it is: what it does, counts, time left; or how it ended."""
    if not job.is_open:
        return str((job.result or {}).get("message", ""))
    if job.cancel_requested_at is not None:
        return "Stopping at the next step"
    if job.status == JobStatus.PENDING:
        return job.progress_message if job.next_attempt_at else "Waiting for its turn"
    left = time_left(job.progress_data, now=now)
    parts = [job.progress_message, _counts(job.progress_data), f"{_span(left)} left" if left else ""]
    return " · ".join(part for part in parts if part)


def _counts(data: dict[str, Any]) -> str:
    if not data.get("done") and not data.get("total"):
        return ""
    total = f" of {data['total']:,}" if data.get("total") else ""
    return f"{data['done']:,}{total} {data.get('unit', '')}".strip()


def time_left(data: dict[str, Any], *, now: datetime) -> timedelta | None:
    """Answer how long it will take at the pace of this attempt; None while nobody can say."""
    since = parse_datetime(data.get("since", ""))
    done, total, begun = data.get("done", 0), data.get("total"), data.get("from", 0)
    if since is None or not total or done <= begun or (now - since).total_seconds() < _PACE_AFTER_S:
        return None
    left: timedelta = (now - since) * ((total - done) / (done - begun))
    return left


def _span(span: timedelta) -> str:
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    if minutes == 0:
        return f"{max(1, seconds)} s"
    hours, rest = divmod(minutes, 60)
    return f"{minutes} min" if hours == 0 else f"{hours} h {rest} min"
