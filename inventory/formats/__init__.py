"""The ways of writing stock down. Imported in the order in which people see them."""

from inventory.formats import bsx as _bsx  # noqa: F401  # registers itself
from inventory.formats.base import all_formats, get, register, sniff

__all__ = ["all_formats", "get", "register", "sniff"]
