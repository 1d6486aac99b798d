"""Notes at a file how its job ended, where the job itself couldn't: failed, or cancelled on the way."""

from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from inventory.choices import ImportStatus
from inventory.models import GivenFile, InventoryImport
from inventory.models.given import ENDS
from jobs.choices import JobStatus

G = TypeVar("G", bound=GivenFile)


@transaction.atomic
def end_import(*, job_id: UUID, status: str, now: datetime) -> None:
    """Have the import of a job that failed or was cancelled say so. What was carried out until then stays."""
    end_file(InventoryImport, job_id=job_id, status=status, now=now)


def end_file(kind: type[G], *, job_id: UUID, status: str, now: datetime) -> G | None:
    """Have a file of that kind say that its job failed or was cancelled; answer it, held, if one was at it."""
    end = ENDS.get(JobStatus(status))
    # Its other job may end as it likes: a reader that is cancelled after its import was begun takes nothing back.
    under_way = Q(status=ImportStatus.READING, read_job=job_id) | Q(status=ImportStatus.APPLYING, apply_job=job_id)
    run: G | None = kind._default_manager.select_for_update(of=("self",)).filter(under_way).first()
    if end is None or run is None:
        return None
    job = run.read_job if run.status == ImportStatus.READING else run.apply_job
    run.status, run.completed_at = end, now
    run.error_message = job.error_message if job else ""
    run.save(update_fields=["status", "completed_at", "error_message"])
    return run
