"""The enumerations of jobs (definitions.md, section 7)."""

from django.db import models


class JobStatus(models.TextChoices):
    """Where a job stands."""

    PENDING = "PENDING", "Pending"
    RUNNING = "RUNNING", "Running"
    COMPLETED = "COMPLETED", "Completed"
    FAILED = "FAILED", "Failed"
    CANCELLED = "CANCELLED", "Cancelled"


OPEN_STATUSES = (JobStatus.PENDING, JobStatus.RUNNING)


class LogLevel(models.TextChoices):
    """How much a line of a job's log matters."""

    INFO = "INFO", "Note"
    WARNING = "WARNING", "Warning"
    ERROR = "ERROR", "Error"
