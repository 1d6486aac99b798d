"""What inventory does in workers."""

from inventory.tasks import importing, storage

__all__ = ["importing", "storage"]
