"""The ways of writing stock down. Imported one by one, in the order in which people see them."""

# ruff: noqa: F401, I001  # each registers itself by being imported, and the order is that of the menus
from inventory.formats import bsx
from inventory.formats import bricklink_xml
from inventory.formats import csv_file
from inventory.formats import xlsx
from inventory.formats import json_file
from inventory.formats.base import all_formats, get, register, sniff

# Only written, so it stands behind all that are read.
register(bricklink_xml.BrickLinkUpdate)

__all__ = ["all_formats", "get", "register", "sniff"]
