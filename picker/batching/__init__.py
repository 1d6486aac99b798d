"""The thinking part of picking several orders on one walk: which of them go together. Pure."""

from picker.batching.batches import Batch, Load, batches, suggestions

__all__ = ["Batch", "Load", "batches", "suggestions"]
