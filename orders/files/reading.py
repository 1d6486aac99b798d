"""Opens a file of orders, whatever it is, and reads it."""

from typing import BinaryIO

from inventory import formats
from inventory.formats.base import HEAD_BYTES, Table
from inventory.parsing.contents import kind_of
from inventory.parsing.problems import UnreadableFile
from orders.files import bricklink, columns, own
from orders.files.contents import Contents, Surroundings

_NAMES = columns.NAMES | bricklink.NAMES


def recognise(stream: BinaryIO) -> None:
    """Pass where a file can be read as orders, by its columns. Raises UnreadableFile."""
    table = _table(stream)
    if not bricklink.is_ours(table.columns):
        head, line, _ignored = columns.places(table.columns)
        columns.require(head, line)


def read_orders(stream: BinaryIO, around: Surroundings) -> Contents:
    """Answer what a file says. Raises UnreadableFile."""
    table = _table(stream)
    if bricklink.is_ours(table.columns):
        return bricklink.read(table, around)
    return own.read(table, around)


def _table(stream: BinaryIO) -> Table:
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    if not head:
        raise UnreadableFile("The file is empty.")
    if formats.get("xlsx").sniff(head):
        return formats.get("xlsx").table(stream, names=_NAMES)
    if kind := kind_of(head):
        raise UnreadableFile(f"This is {kind}. Orders are read from CSV and from Excel workbooks (.xlsx).")
    return formats.get("csv").table(stream, names=_NAMES)
