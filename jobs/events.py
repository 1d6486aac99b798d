"""What can have happened to a job."""

from dataclasses import dataclass
from uuid import UUID

from events.schemas import Payload, event


@event("job.ended", public=False)
@dataclass(frozen=True, slots=True)
class JobEnded(Payload):
    """A job completed, failed or was cancelled."""

    job_id: UUID
    job_type: str
    status: str

    @property
    def entity_key(self) -> str:
        return f"job:{self.job_id}"
