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


@event("inventory.oversold")
@dataclass(frozen=True, slots=True)
class InventoryOversold(Payload):
    """More pieces were ordered than there are; `qty_short` says how many of each lot are missing for this cause."""

    inventory_item_ids: tuple[UUID, ...]
    qty_short: tuple[int, ...]
    cause_type: str
    cause_id: str


@event("import.completed")
@dataclass(frozen=True, slots=True)
class ImportCompleted(Payload):
    """A file of stock was imported; `counts` by outcome."""

    import_id: UUID
    counts: dict[str, int]

    @property
    def entity_key(self) -> str:
        return f"import:{self.import_id}"


@event("repricing.held", public=False)
@dataclass(frozen=True, slots=True)
class RepricingHeld(Payload):
    """A run by schedule would move more than its rule may by itself, and waits for a person."""

    run_id: UUID
    rule_name: str
    question: str

    @property
    def entity_key(self) -> str:
        return f"repricing:{self.run_id}"
