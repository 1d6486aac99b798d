"""Notes at an import how its job ended, where the import itself can't: failed, or cancelled on the way."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from inventory.choices import ImportStatus
from inventory.models import InventoryImport
from jobs.choices import JobStatus

_ENDS = {JobStatus.FAILED: ImportStatus.FAILED, JobStatus.CANCELLED: ImportStatus.CANCELLED}


@transaction.atomic
def end_import(*, job_id: UUID, status: str, now: datetime) -> None:
    """Have the import of a job that failed or was cancelled say so. What was carried out until then stays."""
    end = _ENDS.get(JobStatus(status))
    # Its other job may end as it likes: a reader that is cancelled after its import was begun takes nothing back.
    under_way = Q(status=ImportStatus.READING, read_job=job_id) | Q(status=ImportStatus.APPLYING, apply_job=job_id)
    run = InventoryImport.objects.select_for_update(of=("self",)).filter(under_way).first()
    if end is None or run is None:
        return
    job = run.read_job if run.status == ImportStatus.READING else run.apply_job
    run.status, run.completed_at = end, now
    run.error_message = job.error_message if job else ""
    run.save(update_fields=["status", "completed_at", "error_message"])
