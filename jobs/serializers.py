"""How the API shows jobs."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from common import workspace
from common.api import serializers
from jobs import files
from jobs.choices import JobStatus, LogLevel
from jobs.models import JobRun


class FileRow(serializers.Serializer):
    """A file that a job left."""

    name = serializers.CharField()
    media_type = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    url = serializers.CharField(help_text="Fetches it without a credential, for ten minutes; ask again for another.")


class ProgressRow(serializers.Serializer):
    """Counts of how far a job is."""

    done = serializers.IntegerField(allow_null=True)
    total = serializers.IntegerField(allow_null=True)
    unit = serializers.CharField(help_text="What is counted, such as `lots`.")


class ResultRow(serializers.Serializer):
    """What a job that ended leaves."""

    message = serializers.CharField()
    files = FileRow(many=True)


class JobRow(serializers.Serializer):
    """A job."""

    id = serializers.UUIDField()
    job_type = serializers.CharField()
    label = serializers.CharField(help_text="What people call it.")  # type: ignore[assignment]  # a field named as an attribute of DRF's fields
    status = serializers.ChoiceField(choices=JobStatus.choices)
    progress_percent = serializers.IntegerField(allow_null=True)
    progress_message = serializers.CharField()
    progress_data = ProgressRow()
    attempt = serializers.IntegerField(help_text="How often a worker took it up.")
    result = ResultRow(allow_null=True)
    error_message = serializers.CharField(help_text="Why it failed, in words.")
    created_by = serializers.UUIDField(allow_null=True, help_text="The user who started it.")
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)
    last_heartbeat_at = serializers.DateTimeField(allow_null=True)
    next_attempt_at = serializers.DateTimeField(allow_null=True)


class JobQuery(serializers.QuerySerializer):
    """Filters of the list of jobs."""

    status = serializers.ChoiceField(choices=JobStatus.choices, required=False)
    job_type = serializers.CharField(max_length=40, required=False)


class LogRow(serializers.Serializer):
    """A line of a job's log."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    level = serializers.ChoiceField(choices=LogLevel.choices)
    message = serializers.CharField()


def job_row(job: JobRun) -> dict[str, Any]:
    """Answer a job as `JobRow` shows it."""
    return {
        "id": job.id,
        "job_type": job.job_type,
        "label": job.label,
        "status": job.status,
        "progress_percent": job.progress_percent,
        "progress_message": job.progress_message,
        "progress_data": {
            "done": job.progress_data.get("done"),
            "total": job.progress_data.get("total"),
            "unit": job.progress_data.get("unit", ""),
        },
        "attempt": job.attempt,
        "result": None if job.result is None else _result(job),
        "error_message": job.error_message,
        "created_by": job.created_by_id,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "completed_at": job.completed_at,
        "last_heartbeat_at": job.last_heartbeat_at,
        "next_attempt_at": job.next_attempt_at,
    }


def _result(job: JobRun) -> dict[str, Any]:
    result = job.result or {}
    return {
        "message": result.get("message", ""),
        "files": [{**entry, "url": _file_url(job, number)} for number, entry in enumerate(result.get("files", []))],
    }


def _file_url(job: JobRun, number: int) -> str:
    path_of_file = reverse("jobs:ticket", settings.ROOT_URLCONF, [files.ticket(job_id=job.id, number=number)])
    return workspace.current().url + path_of_file
