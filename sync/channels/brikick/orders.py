"""Brikick's orders in our words (channels-brikick.md, section 4; definitions.md, sections 6.3 to 6.5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sync.channels.base import MISREAD, amount, count_of, text_of, time_of
from sync.channels.brikick.lots import item_of
from sync.remote import (
    Address,
    Buyer,
    OrderFlag,
    OrderStatus,
    PaymentStatus,
    Pushed,
    RemoteLine,
    RemoteOrder,
    StatusPush,
)

_STATUSES: Mapping[str, OrderStatus | None] = {
    "PENDING": OrderStatus.NEW,
    "PENDING_APPROVAL": OrderStatus.NEW,
    "PAID": OrderStatus.PENDING,
    "PROCESSING": OrderStatus.PENDING,
    "SHIPPED": OrderStatus.SHIPPED,
    "DELIVERED": OrderStatus.DELIVERED,
    "COMPLETED": OrderStatus.COMPLETED,
    "CANCELLED": OrderStatus.CANCELLED,
    "REFUNDED": OrderStatus.REFUNDED,
    "DISPUTED": None,
}
_PAYMENTS = {
    "PENDING": PaymentStatus.UNPAID,
    "FAILED": PaymentStatus.UNPAID,
    "PROCESSING": PaymentStatus.SUBMITTED,
    "COMPLETED": PaymentStatus.PAID,
    "REFUNDED": PaymentStatus.REFUNDED,
}
_WORDS = {
    OrderStatus.PICKING: "PROCESSING",
    OrderStatus.SHIPPED: "SHIPPED",
    OrderStatus.DELIVERED: "DELIVERED",
    OrderStatus.CANCELLED: "CANCELLED",
}
_RANKS = {"PENDING": 0, "PENDING_APPROVAL": 0, "PAID": 1, "PROCESSING": 2, "SHIPPED": 3, "DELIVERED": 4, "COMPLETED": 5}
_BEFORE_SHIPPING, _ENDED = frozenset({"PENDING", "PAID", "PROCESSING"}), frozenset({"CANCELLED", "REFUNDED"})


@dataclass(frozen=True, slots=True)
class Dated:
    """An order, the moment of its last change as Brikick writes it, and its version; None where it can't be read."""

    order_id: str
    order: RemoteOrder | None
    moment: str
    version: int


def dated_order_of(row: dict[str, Any]) -> Dated:
    """Read an order of a list."""
    order_id, moment, version = str(int(row["id"])), str(row["updated_at"]), int(row["version"])
    try:
        return Dated(order_id, order_of(row), moment, version)
    except MISREAD:
        return Dated(order_id, None, moment, version)


def order_of(row: dict[str, Any]) -> RemoteOrder:
    """Read an order and its lines."""
    warnings: list[str] = []
    word, paid_word = str(row["status"]), str(row["payment_status"])
    if word not in _STATUSES:
        warnings.append(f"Brikick calls the order's status “{word}”, which isn't known here.")
    placed = time_of(row["placed_at"])
    if placed is None:
        raise ValueError("an order without a date")
    buyer = row["buyer"] or {}
    return RemoteOrder(
        order_id=str(int(row["id"])),
        number=text_of(row["order_number"]),
        channel_status=word,
        status=_STATUSES.get(word),
        payment_status=_PAYMENTS.get(paid_word),
        flags=frozenset({OrderFlag.DISPUTE}) if word == "DISPUTED" else frozenset(),
        buyer=Buyer(
            username=text_of(buyer.get("username")),
            name=text_of(buyer.get("name")),
            email=text_of(buyer.get("email")),
            user_id=text_of(buyer.get("id")),
        ),
        ship_to=_address(row["ship_to"]),
        shipping_method=text_of(row["shipping_method"]),
        tracking_number=text_of(row["tracking_number"]),
        tracking_url=text_of(row["tracking_url"]),
        currency=str(row["currency"]).upper(),
        subtotal=amount(row["items_total"]),
        shipping_cost=amount(row["shipping_cost"]),
        insurance=amount(row["insurance_cost"]),
        tax_amount=amount(row["tax_amount"]),
        discount_amount=amount(row["discount_amount"]),
        grand_total=amount(row["grand_total"]),
        note=text_of(row["note"]),
        ordered_at=placed,
        changed_at=time_of(row["updated_at"]),
        paid_at=time_of(row["paid_at"]),
        shipped_at=time_of(row["shipped_at"]),
        lines=tuple(_line_of(line, warnings) for line in row["lines"]),
        warnings=tuple(warnings),
    )


def _line_of(row: dict[str, Any], warnings: list[str]) -> RemoteLine:
    return RemoteLine(
        line_id=str(int(row["id"])),
        lot_id="" if row["lot_id"] is None else str(int(row["lot_id"])),
        marker=text_of(row["external_id"]),
        item=item_of(row, warnings),
        qty=count_of(row["quantity"]),
        unit_price=amount(row["unit_price"]),
        line_total=amount(row["line_total"]),
        description=text_of(row["description"]),
        remarks=text_of(row["remarks"]),
        qty_refunded=count_of(row["refunded_quantity"]),
    )


def _address(row: Mapping[str, Any] | None) -> Address | None:
    if not row:
        return None
    return Address(
        name=text_of(row.get("name")),
        address1=text_of(row.get("address1")),
        address2=text_of(row.get("address2")),
        city=text_of(row.get("city")),
        state=text_of(row.get("state")),
        postal=text_of(row.get("postal_code")),
        country=text_of(row.get("country")).upper(),
        phone=text_of(row.get("phone")),
    )


def moment(at: datetime) -> str:
    """Answer a time as Brikick writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def before(written: str, by: timedelta) -> str:
    """Answer a time as Brikick writes it, so much earlier; empty for none, and for what is no time."""
    try:
        at = time_of(written)
    except ValueError:
        return ""
    return moment(at - by) if at is not None else ""


def words_for(push: StatusPush) -> tuple[str, ...] | Pushed:
    """Answer by which of Brikick's words an order comes to where it stands, or why it isn't told."""
    word, there = _WORDS.get(push.status), push.channel_status
    if word is None or word == there:
        return Pushed.NOT_NEEDED
    if word == "CANCELLED":
        return (word,) if there in _BEFORE_SHIPPING else Pushed.NOT_NEEDED if there in _ENDED else Pushed.NOT_YET
    if there not in _RANKS or _RANKS[there] < _RANKS["PAID"]:
        # Before it is paid, and while it is disputed, only others move it.
        return Pushed.NOT_YET
    if _RANKS[there] >= _RANKS[word]:
        return Pushed.NOT_NEEDED
    # What is delivered was shipped, which comes first.
    return ("SHIPPED", word) if word == "DELIVERED" and there != "SHIPPED" else (word,)


def is_reached(push: StatusPush, word_there: str) -> bool:
    """Tell whether an order stands there where it should, or is further."""
    word = _WORDS.get(push.status)
    return word == word_there or (word in _RANKS and word_there in _RANKS and _RANKS[word_there] >= _RANKS[word])
