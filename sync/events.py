"""What can have happened to runs."""

from dataclasses import dataclass

from events.schemas import Payload, event


@dataclass(frozen=True, slots=True)
class AboutRun(Payload):
    """What has happened to one run."""

    run_id: str
    number: int
    trigger: str
    source_store_id: str
    target_store_id: str
    source_name: str
    target_name: str

    @property
    def entity_key(self) -> str:
        """Events of a run are told in their order."""
        return f"sync_run:{self.run_id}"


@event("sync.preview_ready")
@dataclass(frozen=True, slots=True)
class SyncPreviewReady(AboutRun):
    """Two stores were compared, and what is to be done waits to be approved."""

    to_do: int


@event("sync.approval_asked")
@dataclass(frozen=True, slots=True)
class SyncApprovalAsked(AboutRun):
    """Somebody who may not approve a plan asks those who may."""

    to_do: int
    asked_by: str


@event("sync.completed")
@dataclass(frozen=True, slots=True)
class SyncCompleted(AboutRun):
    """A run was carried out. `failed`: lines that can be tried again."""

    added: int
    updated: int
    removed: int
    failed: int


@event("sync.failed")
@dataclass(frozen=True, slots=True)
class SyncFailed(AboutRun):
    """A run stopped, for the reason given; it can go on from where it stopped."""

    error_message: str
