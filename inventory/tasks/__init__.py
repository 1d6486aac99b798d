"""What inventory does in workers."""

from inventory.tasks import importing, lots, pricing, storage

__all__ = ["importing", "lots", "pricing", "storage"]
