"""What happens to tenants without anybody asking: exports in a worker, deletions that are due, forgotten sign-ups."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from common import periodic
from jobs.registry import job
from jobs.runner import Run
from tenants import services
from tenants.services.exporting import JOB
from tenants.workspace import from_connection


@job(JOB, label="Export of everything", queue="bulk", permission="settings:write")
def export(run: Run, **_future: Any) -> dict[str, Any]:
    """Write all of the shop into a file on the job's page."""
    now = timezone.now()
    name = f"{from_connection().slug}-{now:%Y-%m-%d}.zip"
    with run.file(name, media_type="application/zip") as stream:
        count = services.write_export(
            stream=stream, now=now, progress=lambda done, total: run.progress(done, total, unit="rows")
        )
    return {"message": f"{count:,} rows exported."}


@shared_task(name="tenants.delete_due")
def delete_due(**_future: Any) -> None:
    """Delete the shops whose grace period is over."""
    services.delete_due(now=timezone.now())


@shared_task(name="tenants.clear_sign_ups")
def clear_sign_ups(**_future: Any) -> None:
    """Forget sign-ups that nobody finished."""
    services.clear_sign_ups(now=timezone.now())


periodic.every(delete_due, seconds=3600, once=True)
periodic.every(clear_sign_ups, seconds=3600, once=True)
