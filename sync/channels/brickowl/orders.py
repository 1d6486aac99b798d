"""Brick Owl's orders in our words (channels-brickowl.md, section 4; definitions.md, sections 6.3 to 6.5)."""

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sync.channels.base import amount, as_cursor, count_of, marks_in
from sync.channels.brickowl.lots import item_of, marker_in, text
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

_NAMES = (
    "Pending", "Payment Submitted", "Payment Received", "Processing", "Processed", "Shipped", "Received", "On Hold",
    "Cancelled",
)  # fmt: skip
_SUBMITTED, _RECEIVED, _ON_HOLD, _CANCELLED = 1, 2, 7, 8
_STATUSES: tuple[OrderStatus | None, ...] = (
    OrderStatus.NEW, OrderStatus.NEW, OrderStatus.PENDING, OrderStatus.PENDING, OrderStatus.READY, OrderStatus.SHIPPED,
    OrderStatus.DELIVERED, None, OrderStatus.CANCELLED,
)  # fmt: skip
_WORDS = {OrderStatus.PICKING: 3, OrderStatus.READY: 4, OrderStatus.SHIPPED: 5, OrderStatus.DELIVERED: 6}
# What can follow an order on hold.
_AFTER_HOLD = frozenset({3, 4, 5})
# So many of the orders that changed last are remembered.
_REMEMBERED = 500
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Summary:
    """An order as the list tells it. `mark` changes with whatever the list says of it."""

    order_id: str
    placed_at: datetime
    mark: str


def summaries_of(data: Any) -> list[Summary]:
    """Read the list of orders, the newest change first."""
    if not isinstance(data, list):
        raise ValueError("no list of orders")
    return [_summary(row) for row in data]


def _summary(row: dict[str, Any]) -> Summary:
    told = [str(row.get(name)) for name in ("status_id", "total_quantity", "total_lots", "base_order_total")]
    placed = time_of(row["order_date"])
    if placed is None:
        raise ValueError("an order without a date")
    return Summary(str(int(row["order_id"])), placed, f"{zlib.crc32(json.dumps(told).encode()):08x}")


class Changes:
    """Which orders are to be fetched, and where one stands after each: the cursor has the marks of the last ones."""

    def __init__(self, cursor: str, since: datetime | None) -> None:
        self._marks = dict(marks_in(cursor).get("seen") or ())
        self._since = since

    @property
    def is_first(self) -> bool:
        """Tell whether nothing was seen so far."""
        return not self._marks

    def reaches_back(self, summaries: list[Summary]) -> bool:
        """Tell whether the list goes back to something that was seen."""
        return not summaries or not self._is_new(summaries[-1])

    def of(self, summaries: list[Summary]) -> Iterator[tuple[Summary, str]]:
        """Answer each order to be fetched, the oldest change first, with the cursor for when that was done."""
        for each in reversed(summaries):
            if not self._is_new(each):
                continue
            self._marks.pop(each.order_id, None)
            self._marks[each.order_id] = each.mark
            if self._since is None or each.placed_at >= self._since:
                yield each, as_cursor({"seen": list(self._marks.items())[-_REMEMBERED:]})

    def _is_new(self, summary: Summary) -> bool:
        return bool(self._marks.get(summary.order_id) != summary.mark)


def time_of(value: Any) -> datetime | None:
    """Read seconds since 1970, None where there are none."""
    seconds = int(amount(value))
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def status_id_of(row: dict[str, Any]) -> int | None:
    """Read the number of a status, by its number or its name; None for one that isn't known."""
    told = str(row.get("status_id") if row.get("status_id") is not None else "")
    if told.isdecimal() and int(told) < len(_NAMES):
        return int(told)
    return id_of_name(text(row.get("status")))


def id_of_name(name: str) -> int | None:
    """Answer the number of a status by its name."""
    names = [each.lower() for each in _NAMES]
    wanted = name.strip().lower()
    return names.index(wanted) if wanted in names else None


def order_of(row: dict[str, Any], items: Any) -> RemoteOrder:
    """Read an order and its lines."""
    warnings: list[str] = []
    number = status_id_of(row)
    word = _NAMES[number] if number is not None else text(row.get("status"))
    if number is None:
        warnings.append(f"Brick Owl calls the order's status “{word}”, which isn't known here.")
    placed = time_of(row["order_time"])
    if placed is None:
        raise ValueError("an order without a date")
    order_id, lines = str(int(row["order_id"])), _lines_of(items, warnings)
    if not lines and count_of(row.get("total_quantity")):
        raise ValueError("an order without its lines")
    return RemoteOrder(
        order_id=order_id,
        number=order_id,
        channel_status=word,
        status=None if number is None else _STATUSES[number],
        payment_status=_payment(number),
        flags=frozenset({OrderFlag.ON_HOLD}) if number == _ON_HOLD else frozenset(),
        buyer=Buyer(
            username=text(row.get("customer_username")),
            name=text(row.get("buyer_name")),
            email=text(row.get("customer_email")),
            user_id=text(row.get("customer_user_id")),
        ),
        ship_to=_address(row),
        shipping_method=text(row.get("ship_method_name")),
        tracking_number=text(row.get("tracking_number")),
        note=text(row.get("buyer_note")),
        ordered_at=placed,
        changed_at=time_of(row.get("updated_time")),
        weight_grams=amount(row.get("weight")) or None,
        lines=lines,
        **_money(row, warnings),
        warnings=tuple(warnings),
    )


def _payment(number: int | None) -> PaymentStatus | None:
    if number is None or number in (_ON_HOLD, _CANCELLED):
        return None
    if number >= _RECEIVED:
        return PaymentStatus.PAID
    return PaymentStatus.SUBMITTED if number == _SUBMITTED else PaymentStatus.UNPAID


def _lines_of(items: Any, warnings: list[str]) -> tuple[RemoteLine, ...]:
    if not isinstance(items, list):
        raise ValueError("no list of lines")
    lines = []
    for row in items:
        qty, price = count_of(row["ordered_quantity"]), amount(row["base_price"])
        lines.append(
            RemoteLine(
                line_id=str(int(row["order_item_id"])),
                lot_id=str(int(row["lot_id"])) if row.get("lot_id") else "",
                marker=marker_in(row),
                item=item_of(row, warnings),
                qty=qty,
                unit_price=price,
                line_total=(price * qty).quantize(_CENT, "ROUND_HALF_UP"),
                description=text(row.get("public_note")),
                remarks=text(row.get("personal_note")),
                qty_refunded=count_of(row.get("refunded_quantity")),
                weight_grams=amount(row.get("weight")) or None,
            )
        )
    return tuple(lines)


def _money(row: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    """Read the amounts. Tax may be within the prices or on top, with the EU's duty or without: the sum tells."""
    subtotal, shipping = amount(row.get("sub_total")), amount(row.get("ship_total"))
    discount, total = amount(row.get("coupon_discount")), amount(row.get("base_order_total"))
    tax, duty = amount(row.get("tax_amount")), amount(row.get("eu_duty"))
    without_tax = subtotal + shipping - discount
    fitting = [each for each in (tax + duty, tax, duty, Decimal(0)) if abs(without_tax + each - total) <= _CENT]
    if not fitting:
        warnings.append("The amounts of the order don't add up to its total.")
    return {
        "currency": str(row["base_currency"]).upper(),
        "subtotal": subtotal,
        "shipping_cost": shipping,
        "tax_amount": fitting[0] if fitting else tax + duty,
        "discount_amount": discount,
        "grand_total": total,
    }


def _address(row: Mapping[str, Any]) -> Address | None:
    told = {name.removeprefix("ship_"): text(value) for name, value in row.items() if name.startswith("ship_")}
    if not told.get("country_code") and not told.get("street_1"):
        return None
    point = told.get("collection_point", "")
    return Address(
        name=f"{told.get('first_name', '')} {told.get('last_name', '')}".strip(),
        address1=told.get("street_1", ""),
        address2=", ".join(part for part in (told.get("street_2", ""), point) if part),
        city=told.get("city", ""),
        state=told.get("region", ""),
        postal=told.get("post_code", ""),
        country=told.get("country_code", "").upper(),
        phone=told.get("phone", ""),
    )


def word_for(push: StatusPush) -> int | Pushed:
    """Answer the number of the status for where an order stands, or why it isn't told."""
    number, there = _WORDS.get(push.status), id_of_name(push.channel_status)
    if push.status is OrderStatus.CANCELLED:
        return Pushed.NOT_NEEDED if there == _CANCELLED else Pushed.BY_HAND
    if number is None or there == number:
        return Pushed.NOT_NEEDED
    if there is None or there == _CANCELLED:
        return Pushed.NOT_YET
    if there == _ON_HOLD:
        return number if number in _AFTER_HOLD else Pushed.NOT_YET
    return number if there < number else Pushed.NOT_NEEDED


def is_reached(push: StatusPush, row: dict[str, Any]) -> bool:
    """Tell whether an order stands there where it should, or is further."""
    number, there = _WORDS.get(push.status), status_id_of(row)
    return number is not None and there is not None and number <= there < _ON_HOLD
