"""What can be wrong with a file, as a whole or at one place, and the bounds that every file keeps to."""

from dataclasses import dataclass

from common.errors import Invalid

# Bounds that keep a hostile file from eating the machine; a real store is far below each.
MAX_ROWS = 1_000_000
MAX_COLUMNS = 200
MAX_CELL = 20_000
# How much of a file's beginning `sniff` gets to see.
HEAD_BYTES = 64 * 1024


class UnreadableFile(Invalid):
    """The file as a whole can't be read as what it claims to be; says what it is instead, and what to do."""

    type = "unreadable-file"
    title = "This file can't be read"


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A place of a file that can't be taken: where, what is wrong with it in words, and what stands there."""

    line: int
    message: str
    field: str = ""
    raw: str = ""
