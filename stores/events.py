"""What can have happened to stores. Payloads name them by id; nothing of what opens them is ever in one."""

from dataclasses import dataclass

from events.schemas import Payload, event


@dataclass(frozen=True, slots=True)
class AboutStore(Payload):
    """What has happened to one store."""

    store_id: str
    channel: str

    @property
    def entity_key(self) -> str:
        """Events of a store are told in their order."""
        return f"store:{self.store_id}"


@event("store.connected", public=False)
@dataclass(frozen=True, slots=True)
class StoreConnected(AboutStore):
    """A store can be talked to: it was added, or connected again. `account`: its own number on the channel."""

    account: str = ""


@event("store.updated", public=False)
@dataclass(frozen=True, slots=True)
class StoreUpdated(AboutStore):
    """A store's name, settings or role changed, or it was switched on or off."""


@event("store.disconnected", public=False)
@dataclass(frozen=True, slots=True)
class StoreDisconnected(AboutStore):
    """What opens a store was erased; its orders and listings stay as they were."""


@event("store.paused")
@dataclass(frozen=True, slots=True)
class StorePaused(AboutStore):
    """A store is not talked to until `retry_at`, or until its seller has connected it again, for the reason given."""

    name: str
    state: str
    reason: str
    retry_at: str | None = None
