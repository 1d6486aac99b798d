"""What a file of orders says, whatever wrote it: its orders as they arrive here, and what is wrong with each."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from inventory.formats.base import Table
from inventory.parsing.problems import UnreadableFile
from orders.incoming import IncomingOrder

MOST_ORDERS = 5_000
MOST_ROWS = 100_000
MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a file doesn't say and means all the same: the shop's currency and clock, and what time it is."""

    currency: str
    zone: ZoneInfo
    now: datetime


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a line of the file, and what to do about it."""

    line: int
    text: str


@dataclass(slots=True)
class Found:
    """An order of a file. `order` is None where its problems leave none; `lines`: where in the file each of its stands.

    `channel`: on which marketplace the file says that it was sold; its `as_of` is no more than when it was placed.
    """

    number: str
    line: int
    order: IncomingOrder | None = None
    lines: list[int] = field(default_factory=list)
    channel: str = ""
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, line: int, text: str) -> None:
        """Note a problem, as long as anybody would read them all."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(line, text))


@dataclass(slots=True)
class Contents:
    """A whole file: its orders in their sequence, the columns that nobody knows, and what is to be said of it."""

    orders: list[Found]
    ignored: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def bounded(table: Table) -> Iterator[tuple[int, list[str] | str]]:
    """Answer the rows. Raises UnreadableFile where there are more than are taken."""
    for count, (line, cells) in enumerate(table.rows, start=1):
        if count > MOST_ROWS:
            raise UnreadableFile(f"Line {line:,}: a file may have {MOST_ROWS:,} rows at most. Split it, by orders.")
        yield line, cells


def require_room(orders: int, line: int) -> None:
    """Pass, or raise UnreadableFile where there are more orders than are taken at once."""
    if orders > MOST_ORDERS:
        raise UnreadableFile(f"Line {line:,}: a file may have {MOST_ORDERS:,} orders at most. Split it.")
