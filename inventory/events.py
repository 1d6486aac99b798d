"""What can have happened to stock. A bulk path publishes one event for each chunk, with its lots."""

from dataclasses import dataclass
from uuid import UUID

from events.schemas import Payload, event


@event("inventory.created")
@dataclass(frozen=True, slots=True)
class InventoryCreated(Payload):
    """Lots were added."""

    inventory_item_ids: tuple[UUID, ...]


@event("inventory.updated")
@dataclass(frozen=True, slots=True)
class InventoryUpdated(Payload):
    """Lots changed: quantities or fields."""

    inventory_item_ids: tuple[UUID, ...]


@event("inventory.deleted")
@dataclass(frozen=True, slots=True)
class InventoryDeleted(Payload):
    """Lots were deleted."""

    inventory_item_ids: tuple[UUID, ...]


@event("inventory.low_stock")
@dataclass(frozen=True, slots=True)
class InventoryLowStock(Payload):
    """Lots fell below their thresholds."""

    inventory_item_ids: tuple[UUID, ...]


@event("import.completed")
@dataclass(frozen=True, slots=True)
class ImportCompleted(Payload):
    """A file of stock was imported; `counts` by outcome."""

    import_id: UUID
    counts: dict[str, int]

    @property
    def entity_key(self) -> str:
        return f"import:{self.import_id}"
