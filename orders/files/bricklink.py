"""BrickLink's own file of orders received: a row for each order, then one for each of its lines without the order's."""

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from catalog import colors
from catalog.choices import MAY_HAVE_COLOR, ItemType
from inventory.formats.base import Table
from inventory.parsing import values as v
from inventory.parsing.columns import normal_name, unguarded
from inventory.parsing.numbers import Numbers, whole_part
from inventory.parsing.problems import UnreadableFile
from inventory.parsing.values import WordError, shown
from orders.choices import Flag, PaymentStatus
from orders.files import words
from orders.files.contents import Contents, Found, Surroundings, bounded, require_room
from orders.incoming import Address, IncomingLine, IncomingOrder
from orders.lifecycle import GONE, RANK, Status
from stores.choices import Channel

_MARKS = frozenset(("orderid", "basegrandtotal", "itemnumber", "invid"))
_KNOWN = (
    "Order ID", "Order Date", "Buyer", "Base Currency", "Shipping", "Insurance", "Add Chrg 1", "Add Chrg 2", "Credit",
    "Coupon Credit", "Order Total", "Tax", "Base Grand Total", "Order Status", "Order Note", "Tracking No", "Location",
    "Condition", "Item Description", "Qty", "Each", "Item Type", "Item Number", "Inv ID", "Sub-Condition",
)  # fmt: skip
NAMES = frozenset((*map(normal_name, _KNOWN), "seller"))
_STATUSES: Mapping[str, tuple[Status | None, Flag | None]] = {
    "PENDING": (Status.NEW, None),
    "UPDATED": (Status.NEW, None),
    "PROCESSING": (Status.PENDING, None),
    "READY": (Status.PENDING, None),
    "PAID": (Status.PENDING, None),
    "PACKED": (Status.READY, None),
    "SHIPPED": (Status.SHIPPED, None),
    "RECEIVED": (Status.DELIVERED, None),
    "COMPLETED": (Status.COMPLETED, None),
    "OCR": (None, Flag.CANCEL_REQUESTED),
    "NPB": (None, Flag.PAYMENT_PROBLEM),
    "NPX": (Status.CANCELLED, None),
    "CANCELLED": (Status.CANCELLED, None),
    "NRS": (None, Flag.DISPUTE),
    "NSS": (None, Flag.DISPUTE),
    "PURGED": (None, None),
}
_TYPES: Mapping[str, str] = {
    word.casefold(): kind.value for kind in ItemType for word in (kind.value, str(kind.label), f"{kind.label}s")
}
_SIGNS = {"€": "EUR", "£": "GBP", "US $": "USD", "US$": "USD", "$": "USD"}
# What a file with fewer columns than the API says can't know of an order that is here already.
_UNSAID = frozenset(
    {
        "flags", "buyer_name", "buyer_email", "shipping_method", "payment_status", "paid_at",
        *(f"ship_to.{part}" for part in ("name", "address1", "address2", "city", "state", "postal", "phone")),
    }
)  # fmt: skip


def is_ours(columns: Sequence[str]) -> bool:
    """Tell whether a file with these columns is BrickLink's."""
    return {normal_name(column) for column in columns} >= _MARKS


@dataclass(slots=True)
class _Group:
    """An order's row, and what came of those of its lines."""

    found: Found
    head: Mapping[str, str]
    lines: list[IncomingLine] = field(default_factory=list)


def read(table: Table, around: Surroundings) -> Contents:
    """Answer the orders of a file of BrickLink's. Raises UnreadableFile."""
    places = {normal_name(column): place for place, column in enumerate(table.columns)}
    if "buyer" not in places:
        raise UnreadableFile("These are orders that you placed, not orders that you received: it names sellers.")
    numbers = Numbers()
    groups: list[_Group] = []
    strays: list[Found] = []
    for at, cells in bounded(table):
        if isinstance(cells, str):
            strays.append(_stray(at, cells))
            continue
        row = {name: _text(cells, place) for name, place in places.items() if name in NAMES}
        if row["orderid"]:
            groups.append(_Group(Found(row["orderid"], at, channel=Channel.BRICKLINK), row))
            require_room(len(groups), at)
        if row["itemnumber"]:
            if groups:
                _take_line(groups[-1], row, at, numbers)
            else:
                strays.append(_stray(at, "This line stands before the first order."))
    seen: dict[str, int] = {}
    for group in groups:
        first = seen.setdefault(group.found.number, group.found.line)
        if first != group.found.line:
            group.found.refuse(group.found.line, f"Order {group.found.number} stands in line {first:,} already.")
        _finish(group, numbers, around)
    found = sorted([*(group.found for group in groups), *strays], key=lambda each: each.line)
    return Contents(found, notes=table.notes)


def _stray(line: int, text: str) -> Found:
    found = Found("", line)
    found.refuse(line, text)
    return found


def _text(cells: Sequence[str], place: int) -> str:
    return html.unescape(unguarded(cells[place])).strip() if place < len(cells) else ""


def _take_line(group: _Group, row: Mapping[str, str], at: int, numbers: Numbers) -> None:
    try:
        group.lines.append(_line(row, numbers))
        group.found.lines.append(at)
    except WordError as wrong:
        group.found.refuse(at, str(wrong))


def _line(row: Mapping[str, str], numbers: Numbers) -> IncomingLine:
    kind = _TYPES.get(row.get("itemtype", "").casefold())
    if kind is None:
        raise WordError(f"{shown(row.get('itemtype', ''))} is no type of item that is known here.")
    condition = {"n": "NEW", "new": "NEW", "u": "USED", "used": "USED"}.get(row.get("condition", "").casefold())
    if condition is None:
        raise WordError(f"{shown(row.get('condition', ''))} is neither new nor used.")
    qty = v.whole(whole_part(numbers.plain(row.get("qty", ""))), "The number of pieces", 1)
    name = row.get("itemdescription", "")
    # There is no column for it: the color is what the description begins with.
    color = _color(name) if kind in MAY_HAVE_COLOR else None
    is_half = kind == ItemType.SET
    return IncomingLine(
        qty=qty, unit_price=v.amount(numbers.plain(row.get("each", ""))), item_type=kind, item_no=row["itemnumber"],
        color_id=color.id if color else None, condition=condition,
        completeness=v.COMPLETENESS_OF_LETTER.get(row.get("subcondition", "")[:1].upper(), "") if is_half else "",
        item_name=(name[len(color.name) :].strip() if color else name)[: v.LENGTHS["item_name"]],
        external_lot_id=row.get("invid", ""),
    )  # fmt: skip


def _color(description: str) -> colors.Color | None:
    """Answer the color with the longest name with which a description begins."""
    words_of = description.split(" ")
    for count in range(min(len(words_of), 5), 0, -1):
        if found := colors.named(" ".join(words_of[:count])):
            return found
    return None


def _finish(group: _Group, numbers: Numbers, around: Surroundings) -> None:
    found, head = group.found, group.head

    def of(name: str, read: Callable[[str], Any]) -> Any:
        text = head.get(name, "")
        try:
            return read(text) if text else None
        except WordError as wrong:
            found.refuse(found.line, str(wrong))
            return None

    def amount(name: str) -> Decimal:
        return of(name, lambda text: words.money(text.replace("-", "", 1), numbers)) or Decimal(0)

    placed = of("orderdate", _moment)
    if placed is None and not found.problems:
        found.refuse(found.line, "The order has no date.")
    code = of("basecurrency", lambda text: words.currency(_SIGNS.get(text, text))) or around.currency
    word = head.get("orderstatus", "").upper()
    status, flag = _STATUSES.get(word, (None, None))
    totals: dict[str, Any] = {
        "subtotal": amount("ordertotal"), "tax_amount": amount("tax"), "insurance": amount("insurance"),
        "shipping_cost": amount("shipping") + amount("addchrg1") + amount("addchrg2"),
        "discount_amount": amount("credit") + amount("couponcredit"), "grand_total": amount("basegrandtotal"),
    }  # fmt: skip
    if placed is None or found.problems:
        return
    is_paid = status in RANK and RANK[status] >= RANK[Status.READY] if status else False
    is_paid = is_paid or word == "PAID"
    country = _country(head.get("location", ""))
    found.order = IncomingOrder(
        external_order_id=found.number, as_of=placed, ordered_at=placed, currency=code, lines=tuple(group.lines),
        status=status, channel_status=word.capitalize()[:60], flags=frozenset({flag} if flag else ()),
        payment_status=PaymentStatus.PAID if is_paid else PaymentStatus.UNPAID,
        paid_at=placed if is_paid else None, shipped_at=placed if status in GONE else None,
        buyer_username=head.get("buyer", ""), buyer_note=head.get("ordernote", ""),
        tracking_number=head.get("trackingno", ""), ship_to=Address(country=country),
        unsaid=_UNSAID if country else _UNSAID | {"ship_to.country"}, **totals,
    )  # fmt: skip


def _moment(text: str) -> Any:
    found = v.us_time(text) or v.iso_time(text)
    if found is None:
        raise WordError(f"{shown(text)} isn't a date as BrickLink writes it, such as 12/31/2025.")
    return found


def _country(location: str) -> str:
    """Answer where a buyer lives, as far as the file's word for it is known; it may name a state besides."""
    try:
        return words.country(location.split(",", maxsplit=1)[0].strip()) if location else ""
    except WordError:
        return ""
