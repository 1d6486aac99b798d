"""A file that was given: one job reads it, somebody looks at what it will do, and another job carries it out."""

from django.conf import settings
from django.db import models

from common.models import BaseModel
from inventory.choices import ImportStatus
from jobs.choices import JobStatus

# What the end of its job means for a file, where the job couldn't say so itself.
ENDS = {JobStatus.FAILED: ImportStatus.FAILED, JobStatus.CANCELLED: ImportStatus.CANCELLED}


class GivenFile(BaseModel):
    """What is known of such a file, whatever is in it."""

    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    # Of the form or request that brought it, so that a second press brings nothing.
    idempotency_key = models.CharField(max_length=150, null=True, unique=True)  # noqa: DJ001  # null: each is one of its own
    status = models.CharField(max_length=9, choices=ImportStatus, default=ImportStatus.READING)
    file_name = models.CharField(max_length=255)
    file_path = models.CharField(max_length=255)
    file_size = models.PositiveBigIntegerField()
    # Sentences on the file as a whole.
    notes = models.JSONField(default=list)
    # How many of its parts have which outcome, {"NEW": 1204, "PROBLEM": 7, …}, and other sums by names of their own.
    counts = models.JSONField(default=dict)
    error_message = models.TextField(blank=True)
    read_job = models.ForeignKey("jobs.JobRun", null=True, on_delete=models.SET_NULL, related_name="+")
    apply_job = models.ForeignKey("jobs.JobRun", null=True, on_delete=models.SET_NULL, related_name="+")
    # Of the job that carried it out, for what it changed.
    change_set_id = models.UUIDField(null=True)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.file_name

    @property
    def standing(self) -> ImportStatus:
        """Answer where the file stands. Its job knows first that it failed or was cancelled; the file is told of it."""
        status = ImportStatus(self.status)
        job = {ImportStatus.READING: self.read_job, ImportStatus.APPLYING: self.apply_job}.get(status)
        return ENDS.get(JobStatus(job.status), status) if job else status
