"""What every file format of stock has in common: the contract, and the plain values that cross it."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, BinaryIO, ClassVar

from inventory.parsing.problems import HEAD_BYTES, MAX_CELL, MAX_COLUMNS, MAX_ROWS, RowProblem, Tally, UnreadableFile

__all__ = [
    "COLUMN_FIELDS", "FIELDS", "HEAD_BYTES", "MAX_CELL", "MAX_COLUMNS", "MAX_ROWS", "FileFacts", "Format", "FormatSpec",
    "Lot", "LotRow", "Reading", "RowProblem", "Table", "UnreadableFile", "all_formats", "get", "register", "sniff",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class LotRow:
    """A lot as one place of a file states it.

    `line`: where it begins in the file, from 1. `values`: typed, by the names of `FIELDS`; a field that the file
    doesn't state isn't there, which is another thing than stating it empty (None or ""). `extra`: what the file says
    beyond these fields, as text by the format's own names, kept for giving the same file back. `is_excluded`: the file
    marks it as not to be imported (BSX status X).
    """

    line: int
    values: Mapping[str, Any]
    extra: Mapping[str, Any] = field(default_factory=dict)
    is_excluded: bool = False


# The values of a LotRow, and their types. `qty` is absolute; `qty_delta` is a difference (`+5`) and stands instead.
# `locations` are codes with quantities where the format has them. `is_deleted` is a mass update's wish to remove it.
FIELDS: Mapping[str, type] = {
    "item_type": str,  # ItemType's values
    # The item's numbers elsewhere; what they mean is looked up where the row doesn't say `item_no`.
    "lego_element_id": str,
    "brickowl_id": str,
    "rebrickable_id": str,
    "ldraw_id": str,
    "item_no": str,
    "item_name": str,
    "category_name": str,
    "color_id": int,  # BrickLink's id; None where the file says that it has none
    "color_name": str,
    "condition": str,  # NEW, USED
    "completeness": str,
    "sub_condition": str,
    "qty": int,
    "qty_delta": int,
    "unit_price": Decimal,
    "cost_basis": Decimal,  # of one piece
    "sale_percent": int,
    "bulk": int,
    "tier_prices": list,  # [(quantity, Decimal), …] ascending
    "description": str,
    "remarks": str,
    "is_retain": bool,
    "is_stock_room": bool,
    "stock_room_id": str,
    "weight_grams": Decimal,  # of one piece
    "low_stock_threshold": int,
    "reserved_for": str,
    "acquired_from": str,
    "date_added": datetime,
    "last_sold_at": datetime,
    "bricklink_lot_id": int,
    "locations": list,  # [(code, quantity or None), …]
    "is_deleted": bool,
}

# What a column may mean: a field, or a half of one of the three steps of a tier price.
COLUMN_FIELDS: Mapping[str, type] = {
    **{name: kind for name, kind in FIELDS.items() if name not in ("tier_prices", "is_deleted")},
    **dict.fromkeys(("rebrickable_color_id", "brickowl_color_id", "ldraw_color_id"), int),
    **{f"tier_qty_{step}": int for step in (1, 2, 3)},
    **{f"tier_price_{step}": Decimal for step in (1, 2, 3)},
}


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a look at the file's beginning tells. `columns` and `sample` only of formats with columns.

    `currency`: as the file states it; empty where it doesn't. `guessed`: our field names by column, where a column's
    name leaves no doubt.
    """

    currency: str = ""
    columns: Sequence[str] = ()
    sample: Sequence[Sequence[str]] = ()
    guessed: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Reading:
    """A file being read: iterate it once, from beginning to end; afterwards `ignored` counts what wasn't understood.

    Raises UnreadableFile where the rest of the file can't be read at all (cut off, garbage); what came before stands.
    `notes`: sentences on the file as a whole, for whoever imports it. `around`: what the file says outside of its rows
    (an application's own settings), for giving the same file back; complete at the end.
    """

    rows: Iterator[LotRow | RowProblem]
    ignored: Counter[str] = field(default_factory=Tally)
    notes: list[str] = field(default_factory=list)
    around: dict[str, Any] = field(default_factory=dict)

    def __iter__(self) -> Iterator[LotRow | RowProblem]:
        return self.rows


@dataclass(frozen=True, slots=True)
class Table:
    """A file with columns, whatever it is about. `rows`: where each begins, and its cells, or in words why it has none.

    `first`: some rows from which to learn how the file writes numbers. `notes`: sentences on the file as a whole.
    `is_guarded`: texts that look like formulas have a sign before them (`columns.guarded`).
    """

    columns: Sequence[str]
    rows: Iterator[tuple[int, list[str] | str]]
    first: Sequence[Sequence[str]]
    notes: list[str]
    is_guarded: bool


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot as formats write it: every field, finished values, no queries behind it."""

    id: str
    item_type: str
    item_no: str
    item_name: str
    category_name: str
    color_id: int | None
    color_name: str
    condition: str
    completeness: str | None
    sub_condition: str | None
    qty_available: int
    qty_reserved: int
    unit_price: Decimal
    currency: str
    cost_basis: Decimal | None
    sale_percent: int
    bulk: int
    tier_prices: Sequence[tuple[int, Decimal]]
    description: str
    remarks: str
    is_retain: bool
    is_stock_room: bool
    stock_room_id: str
    weight_grams: Decimal | None
    low_stock_threshold: int | None
    reserved_for: str
    acquired_from: str
    date_added: datetime
    last_sold_at: datetime | None
    bricklink_lot_id: int | None
    locations: Sequence[tuple[str, int]]
    extra: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FormatSpec:
    """What is known of a format before a file is there."""

    code: str
    label: str
    suffix: str
    media_type: str
    # Where every claim about the format comes from.
    docs: str
    can_read: bool = True
    can_write: bool = True
    # Columns whose meaning the seller tells once.
    needs_mapping: bool = False


class Format(ABC):
    """One way of writing stock down. Reads and writes streams; knows no models."""

    spec: ClassVar[FormatSpec]

    def sniff(self, head: bytes) -> bool:  # a format that is only written recognises nothing
        """Tell whether a file that begins with `head` (HEAD_BYTES at most) is of this format."""
        return False

    def facts(self, stream: BinaryIO) -> FileFacts:
        """Answer what the file's beginning tells. Raises UnreadableFile."""
        return FileFacts()

    def read(self, stream: BinaryIO, *, mapping: Mapping[str, str] | None = None) -> Reading:
        """Answer the file's rows, one at a time, in flat memory. `mapping`: column → field of COLUMN_FIELDS."""
        raise UnreadableFile(f"{self.spec.label} is only written.")

    def table(self, stream: BinaryIO, *, names: Container[str]) -> Table:
        """Answer the rows of a file that is about something else than lots, for formats that have columns.

        `names`: of the columns that are looked for, as `parsing.columns.normal_name` has them. Raises UnreadableFile.
        """
        raise UnreadableFile(f"{self.spec.label} has no columns.")

    @abstractmethod
    def write(self, lots: Iterable[Lot], *, currency: str, around: Mapping[str, Any] | None = None) -> Iterator[bytes]:
        """Answer the file's bytes for the lots, in pieces, in flat memory.

        A lot's `extra` is what this format said of it; `around` what it said of the file (`Reading.around`).
        """


_registered: dict[str, Format] = {}


def register(cls: type[Format]) -> type[Format]:
    """Have the format offered wherever files are read or written."""
    if cls.spec.code in _registered:
        raise ValueError(f"the format {cls.spec.code} is registered twice")
    _registered[cls.spec.code] = cls()
    return cls


def get(code: str) -> Format:
    """Answer the format of that code; LookupError if there is none."""
    found = _registered.get(code)
    if found is None:
        raise LookupError(f"no format {code}")
    return found


def all_formats() -> tuple[Format, ...]:
    """Answer every format, in the order in which people see them."""
    return tuple(_registered.values())


def sniff(head: bytes) -> Format | None:
    """Answer the format that a file is of, by how it begins; None if it is none of ours."""
    return next((found for found in all_formats() if found.spec.can_read and found.sniff(head)), None)
