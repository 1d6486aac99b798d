"""What inventory does in workers."""

from inventory.tasks import importing, lots, storage

__all__ = ["importing", "lots", "storage"]
