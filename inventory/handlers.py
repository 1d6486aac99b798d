"""What inventory does when something happened elsewhere."""

from uuid import UUID

from django.utils import timezone

from events.bus import on
from events.schemas import Occurrence
from inventory.services import importing, repricing


@on("job.ended")
def on_job_ended(occurrence: Occurrence) -> None:
    """Note how the job of an import, or of a repricing, ended."""
    if occurrence.data["job_type"] in (importing.READ, importing.APPLY):
        importing.end_import(
            job_id=UUID(occurrence.data["job_id"]), status=occurrence.data["status"], now=timezone.now()
        )
    if occurrence.data["job_type"] in (repricing.PLAN, repricing.APPLY):
        repricing.end_repricing(
            job_id=UUID(occurrence.data["job_id"]), status=occurrence.data["status"], now=timezone.now()
        )
