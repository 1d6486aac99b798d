"""Work that takes longer than a request, as a row: what it does, how far it is, where it goes on after a crash."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from common.actor import ActorKind
from common.ids import new_id
from jobs.choices import OPEN_STATUSES, JobStatus, LogLevel

_ACTOR_TYPES = [kind.value for kind in ActorKind]


class JobRun(models.Model):
    """One run of a job type. `attempt` is the fencing number: an older holder's writes are refused."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    job_type = models.CharField(max_length=40)
    label = models.CharField(max_length=200)
    status = models.CharField(max_length=9, choices=JobStatus, default=JobStatus.PENDING)
    arguments = models.JSONField(default=dict)
    progress_percent = models.PositiveSmallIntegerField(null=True)
    progress_message = models.CharField(max_length=300, blank=True)
    # {"done": 34120, "total": 104212, "unit": "lots", "from": done when this attempt began, "since": when that was}
    progress_data = models.JSONField(default=dict)
    idempotency_key = models.CharField(max_length=200, unique=True)
    checkpoint = models.JSONField(default=dict)
    attempt = models.PositiveIntegerField(default=0)
    # How often it ended without a word or couldn't go on since it last got further; what counts towards its end, unlike
    # a worker's orderly stop.
    interruptions = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    last_heartbeat_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    error_message = models.TextField(blank=True)
    # {"message": "1,204 lots imported.", "url": …, "url_label": …, "files": [{"name", "media_type", "size", "path"}]}
    result = models.JSONField(null=True)
    correlation_id = models.CharField(max_length=64, blank=True)
    # With whose permissions it acts; a name as it was then, so that the log outlives users and keys.
    actor_type = models.CharField(
        max_length=7, choices=[(name, name) for name in _ACTOR_TYPES], default=ActorKind.SYSTEM.value
    )
    actor_id = models.CharField(max_length=64, blank=True)
    actor_name = models.CharField(max_length=200, default="Brikonnect")
    # The person who started it; empty for the system's own jobs and those of API keys.
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="job_newest"),
            models.Index(fields=["created_by", "-created_at"], name="job_creator"),
            models.Index(fields=["last_heartbeat_at"], condition=Q(status__in=["PENDING", "RUNNING"]), name="job_open"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=JobStatus.values), name="job_status"),
            models.CheckConstraint(condition=Q(actor_type__in=_ACTOR_TYPES), name="job_actor_type"),
            models.CheckConstraint(
                condition=Q(progress_percent__isnull=True) | Q(progress_percent__lte=100), name="job_percent"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["PENDING", "RUNNING"]) | Q(completed_at__isnull=False),
                name="job_ended_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} ({self.status})"

    @property
    def is_open(self) -> bool:
        """Tell whether the job still waits or runs."""
        return self.status in OPEN_STATUSES


class JobLog(models.Model):
    """A line that a job wrote for the people who read its page."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(JobRun, on_delete=models.CASCADE, related_name="logs")
    at = models.DateTimeField()
    level = models.CharField(max_length=7, choices=LogLevel)
    message = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["job", "id"], name="job_log_order")]
        constraints = [models.CheckConstraint(condition=Q(level__in=LogLevel.values), name="job_log_level")]

    def __str__(self) -> str:
        return self.message
