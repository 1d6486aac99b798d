"""What can have happened to pick sessions."""

from dataclasses import dataclass
from uuid import UUID

from events.schemas import Payload, event


@dataclass(frozen=True, slots=True)
class _OfSession(Payload):
    """Something about one session."""

    session_id: UUID
    number: int
    order_ids: tuple[UUID, ...]

    @property
    def entity_key(self) -> str:
        return f"pick_session:{self.session_id}"


@event("pick_session.started")
@dataclass(frozen=True, slots=True)
class PickSessionStarted(_OfSession):
    """Somebody begins to walk."""

    total_items: int


@event("pick_session.completed")
@dataclass(frozen=True, slots=True)
class PickSessionCompleted(_OfSession):
    """A walk is over."""

    picked_items: int
    missing_items: int
