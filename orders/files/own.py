"""Files with our own columns: a row for each line, with what its order is beside it or in the first row alone."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from inventory.choices import ItemCondition
from inventory.formats.base import Table
from inventory.parsing.columns import RowReader, Unusable, unguarded
from inventory.parsing.values import WordError, shown
from orders.choices import PaymentStatus
from orders.files import words
from orders.files.columns import TITLES, places, require
from orders.files.contents import Contents, Found, Surroundings, bounded, require_room
from orders.incoming import Address, IncomingLine, IncomingOrder
from orders.lifecycle import GONE, RANK, Status

MOST_PIECES = 1_000_000
# What of a line is read as a file of stock has it.
_AS_IN_STOCK = frozenset(
    {
        "item_type", "item_no", "item_name", "color_id", "color_name", "condition", "completeness", "qty", "unit_price",
        "description", "remarks",
    }
)  # fmt: skip
_PLAIN = ("buyer_name", "buyer_username", "buyer_note", "shipping_method", "tracking_number")
_AMOUNTS = ("shipping_cost", "insurance", "tax_amount", "discount_amount")
_ADDRESS = ("name", "address1", "address2", "city", "state", "postal", "phone")


@dataclass(slots=True)
class _Group:
    """The rows of one order: what the first of them says of it, and its lines with where they stand."""

    found: Found
    head: dict[str, tuple[str, int]] = field(default_factory=dict)
    lines: list[IncomingLine] = field(default_factory=list)

    def take_head(self, said: Mapping[str, str], line: int) -> None:
        """Take over what a row says of the order; two that disagree are two orders, or a slip."""
        for name, text in said.items():
            if not text:
                continue
            known, where = self.head.setdefault(name, (text, line))
            if known != text:
                self.found.refuse(
                    line,
                    f"{TITLES[name]} is another one here than in line {where:,}, and both are order"
                    f" {self.found.number}. Make them the same, or give one of the orders another number.",
                )


def read(table: Table, around: Surroundings) -> Contents:
    """Answer the orders of a file with our columns. Raises UnreadableFile."""
    head, line, ignored = places(table.columns)
    require(head, line)
    rows = _Rows(table, head, line)
    groups: dict[str, _Group] = {}
    strays: list[Found] = []
    last = ""
    for at, cells in bounded(table):
        if isinstance(cells, str):
            strays.append(_stray(at, cells))
            continue
        said = rows.head(cells)
        # A row that says nothing of its order goes on with the one above.
        number = str(said.pop("number")) or ("" if any(said.values()) else last)
        if isinstance(cells[head["number"]] if head["number"] < len(cells) else "", Unusable):
            strays.append(_stray(at, number))
            continue
        if not number:
            strays.append(_stray(at, "This row has no order number, by which the order would be known again."))
            continue
        last = number
        group = groups.get(number)
        if group is None:
            group = groups[number] = _Group(Found(number, at))
            require_room(len(groups), at)
        group.take_head(said, at)
        if rows.has_line(cells):
            rows.take_line(group, cells, at)
    for group in groups.values():
        _finish(group, rows, around)
    found = sorted([*(group.found for group in groups.values()), *strays], key=lambda each: each.line)
    return Contents(found, ignored, table.notes)


def _stray(line: int, text: str) -> Found:
    found = Found("", line)
    found.refuse(line, text)
    return found


class _Rows:
    """Takes rows apart, by where the columns are."""

    def __init__(self, table: Table, head: Mapping[str, int], line: Mapping[str, int]) -> None:
        self.places = head
        self._line = line
        self._is_guarded = table.is_guarded
        columns = table.columns
        mapping = {columns[place]: name for name, place in line.items() if name in _AS_IN_STOCK}
        self._reader = RowReader(columns, mapping, Counter(), is_guarded=table.is_guarded)
        self._reader.learn([cell for cell in cells if cell.__class__ is str] for cells in table.first)
        self.numbers = self._reader.numbers

    def _cell(self, cells: Sequence[str], place: int) -> str:
        cell = cells[place] if place < len(cells) else ""
        if self._is_guarded:
            cell = unguarded(cell)
        # What a cell is besides its text stays known: a date, a number, or nothing that could be taken.
        return cell if cell.__class__ is not str else cell.strip()

    def head(self, cells: Sequence[str]) -> dict[str, str]:
        """Answer what a row says of its order."""
        return {name: self._cell(cells, place) for name, place in self.places.items()}

    def has_line(self, cells: Sequence[str]) -> bool:
        """Tell whether a row is of a line at all: the first of an order may stand alone."""
        return any(self._cell(cells, place) for place in self._line.values())

    def take_line(self, group: _Group, cells: Sequence[str], at: int) -> None:
        """Add a row's line to its order, or what is wrong with it."""
        try:
            values = self._reader.values(cells)
            line = _line(values)
            if "lot" in self._line and (text := self._cell(cells, self._line["lot"])):
                line["lot_id"] = words.lot(text)
        except WordError as wrong:
            told = f" {shown(wrong.raw)} stands there." if wrong.raw and shown(wrong.raw) not in str(wrong) else ""
            column = f"{TITLES[wrong.field]}: " if wrong.field in TITLES else ""
            group.found.refuse(at, f"{column}{wrong}{told}")
            return
        group.lines.append(IncomingLine(**line))
        group.found.lines.append(at)


def _line(values: Mapping[str, Any]) -> dict[str, Any]:
    qty = values.get("qty")
    if qty is None or not 0 < qty <= MOST_PIECES:
        raise WordError(f"A number between 1 and {MOST_PIECES:,} is needed.", field="qty")
    if values.get("unit_price") is None:
        raise WordError("The price of a piece is missing. Write 0 where it cost nothing.", field="unit_price")
    if values.get("condition") not in ItemCondition.values:
        raise WordError("Say whether it is new or used.", field="condition")
    item_type = values.get("item_type") or "PART"
    if item_type == "PART" and values.get("color_id") is None:
        raise WordError("A part needs a color: its name, or BrickLink's number.", field="color_name")
    return {
        "qty": qty, "unit_price": values["unit_price"], "item_type": item_type, "item_no": values["item_no"],
        "color_id": values.get("color_id"), "condition": values["condition"],
        "completeness": values.get("completeness") or "", "item_name": values.get("item_name", ""),
        "description": values.get("description", ""), "remarks": values.get("remarks", ""),
    }  # fmt: skip


def _finish(group: _Group, rows: _Rows, around: Surroundings) -> None:
    """Make the order of what its rows say, where nothing is wrong with them."""
    found, read = group.found, _Head(group, rows)
    zone = around.zone
    placed = read.of("placed", lambda text: words.moment(text, zone, now=around.now))
    if placed is None and "placed" not in group.head:
        found.refuse(found.line, "Placed: say when it was ordered, such as 2025-12-31.")
    status = read.of("status", words.status)
    payment = read.of("payment_status", words.payment) or _payment(status)
    values: dict[str, Any] = {
        "currency": read.of("currency", words.currency) or around.currency,
        "buyer_email": read.of("buyer_email", words.email) or "",
        "paid_at": read.of("paid_at", lambda text: words.moment(text, zone, now=around.now)),
        "shipped_at": read.of("shipped_at", lambda text: words.moment(text, zone, now=around.now)),
        "grand_total": read.of("grand_total", lambda text: words.money(text, rows.numbers)),
    }
    values |= {name: read.of(name, lambda text: words.money(text, rows.numbers)) or Decimal(0) for name in _AMOUNTS}
    values |= {name: read.of(name, str) or "" for name in _PLAIN}
    address = {name: read.of(f"ship_to.{name}", str) or "" for name in _ADDRESS}
    address["country"] = read.of("ship_to.country", words.country) or ""
    found.channel = words.channel(read.of("channel", str) or "")
    if not group.lines and not found.problems:
        found.refuse(found.line, "No row says what was sold: item number, pieces and price are empty.")
    if placed is None or found.problems:
        return
    if payment == PaymentStatus.PAID:
        values["paid_at"] = values["paid_at"] or placed
    if status in GONE:
        values["shipped_at"] = values["shipped_at"] or placed
    found.order = IncomingOrder(
        external_order_id=found.number, as_of=placed, ordered_at=placed, lines=tuple(group.lines),
        status=status or (Status.PENDING if payment == PaymentStatus.PAID else None), payment_status=payment,
        ship_to=Address(**address), unsaid=_unsaid(rows.places), **values,
    )  # fmt: skip


def _payment(status: Status | None) -> str:
    """Answer what is to be thought of the payment where a file doesn't say: what is worked on was paid."""
    is_paid = status in RANK and RANK[status] > RANK[Status.NEW] if status else False
    return PaymentStatus.PAID if is_paid else PaymentStatus.UNPAID


def _unsaid(head: Mapping[str, int]) -> frozenset[str]:
    """Answer of what a file without these columns says nothing."""
    address = [f"ship_to.{name}" for name in (*_ADDRESS, "country")]
    can_say = ("buyer_email", "payment_status", "paid_at", *_PLAIN, *_AMOUNTS, *address)
    return frozenset({"flags", "channel_status", *(name for name in can_say if name not in head)})


class _Head:
    """Reads what the rows of an order say of it."""

    def __init__(self, group: _Group, rows: _Rows) -> None:
        self._group = group
        self._rows = rows

    def of(self, name: str, read: Callable[[str], Any]) -> Any:
        """Answer a field's value; None where nothing is said, or what is wrong was noted."""
        text, line = self._group.head.get(name, ("", 0))
        if not text:
            return None
        try:
            if isinstance(text, Unusable):
                raise WordError(text)
            return read(text)
        except WordError as wrong:
            self._group.found.refuse(line, f"{TITLES[name]}: {wrong}")
            return None
