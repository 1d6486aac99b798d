"""The ways of writing stock down. Imported in the order in which people see them."""

from inventory.formats import bsx as _bsx  # noqa: F401  # registers itself
from inventory.formats import bricklink_xml as _bricklink_xml
from inventory.formats import csv_file as _csv_file  # noqa: F401  # registers itself
from inventory.formats.base import all_formats, get, register, sniff

register(_bricklink_xml.BrickLinkUpdate)

__all__ = ["all_formats", "get", "register", "sniff"]
