"""File formats of stock."""

from inventory.formats.base import all_formats, get, sniff

__all__ = ["all_formats", "get", "sniff"]
