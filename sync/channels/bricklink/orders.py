"""BrickLink's orders in our words (channels-bricklink.md, sections 5.1 and 6; definitions.md, sections 6.3 to 6.5)."""

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sync.channels.base import amount, as_cursor, count_of, marks_in, text_of, time_of
from sync.channels.bricklink.lots import item_of, marked
from sync.remote import (
    Address,
    Buyer,
    Hint,
    Message,
    OrderFlag,
    OrderStatus,
    PaymentStatus,
    Pushed,
    RemoteLine,
    RemoteOrder,
    StatusPush,
    Topic,
)

_STATUSES: Mapping[str, tuple[OrderStatus | None, OrderFlag | None]] = {
    "PENDING": (OrderStatus.NEW, None),
    "UPDATED": (OrderStatus.NEW, OrderFlag.ITEMS_CHANGED),
    "PROCESSING": (OrderStatus.PENDING, None),
    "READY": (OrderStatus.PENDING, None),
    "PAID": (OrderStatus.PENDING, None),
    "PACKED": (OrderStatus.READY, None),
    "SHIPPED": (OrderStatus.SHIPPED, None),
    "RECEIVED": (OrderStatus.DELIVERED, None),
    "COMPLETED": (OrderStatus.COMPLETED, None),
    "OCR": (None, OrderFlag.CANCEL_REQUESTED),
    "NPB": (None, OrderFlag.PAYMENT_PROBLEM),
    "NPX": (OrderStatus.CANCELLED, None),
    "CANCELLED": (OrderStatus.CANCELLED, None),
    "NRS": (None, OrderFlag.DISPUTE),
    "NSS": (None, OrderFlag.DISPUTE),
    "PURGED": (None, None),
}
PURGED = "PURGED"
# How BrickLink calls an order that was cancelled.
CANCELLED = frozenset({"CANCELLED", "NPX"})
# How far BrickLink's own words have come; it would let us go back, which we don't.
_RANKS = {
    word: rank
    for rank, words in enumerate(
        (
            ("PENDING", "UPDATED"),
            ("PROCESSING", "READY", "PAID"),
            ("PACKED",),
            ("SHIPPED",),
            ("RECEIVED",),
            ("COMPLETED",),
        )
    )
    for word in words
}
# From where on the items don't change any more, and a change of the status moves the date.
_SETTLED = frozenset({"SHIPPED", "RECEIVED", "COMPLETED", "NPX", "CANCELLED", "NSS", PURGED})
_PAYMENTS = {
    "none": PaymentStatus.UNPAID,
    "bounced": PaymentStatus.UNPAID,
    "sent": PaymentStatus.SUBMITTED,
    "clearing": PaymentStatus.SUBMITTED,
    "received": PaymentStatus.PAID,
    "completed": PaymentStatus.PAID,
    "returned": PaymentStatus.REFUNDED,
}
_TOPICS = {"order": Topic.ORDER, "message": Topic.MESSAGE}
_TOO_LATE = datetime.max.replace(tzinfo=UTC)
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Summary:
    """An order as the list tells it. `mark` changes with whatever the list says of it."""

    order_id: str
    status: str
    placed_at: datetime
    changed_at: datetime
    mark: str

    @property
    def is_open(self) -> bool:
        """Tell whether its items may still change without its date."""
        return self.status not in _SETTLED


def summaries_of(data: Any) -> list[Summary]:
    """Read the list of orders."""
    if not isinstance(data, list):
        raise ValueError("no list of orders")
    return [_summary(row) for row in data]


def _summary(row: dict[str, Any]) -> Summary:
    placed = time_of(row["date_ordered"])
    if placed is None:
        raise ValueError("an order without a date")
    payment, cost = row.get("payment") or {}, row.get("cost") or {}
    told = [
        row["status"], row.get("date_status_changed"), row.get("total_count"), row.get("unique_count"),
        payment.get("status"), payment.get("date_paid"), str(cost.get("grand_total")),
    ]  # fmt: skip
    return Summary(
        order_id=str(int(row["order_id"])),
        status=word_of(row),
        placed_at=placed,
        changed_at=time_of(row.get("date_status_changed")) or placed,
        mark=f"{zlib.crc32(json.dumps(told).encode()):08x}",
    )


class Changes:
    """Which orders are to be fetched, and where one stands after each.

    There is no "changed since". The cursor has the newest change that was seen, and the mark of each order that may
    still change or changed just then: what has another mark now, or none, is fetched.
    """

    def __init__(self, cursor: str, since: datetime | None) -> None:
        marks = marks_in(cursor)
        self._until = str(marks.get("until") or "")
        self._marks: dict[str, str] = dict(marks.get("marks") or {})
        self._since = since

    def of(self, summaries: list[Summary]) -> Iterator[tuple[Summary, str]]:
        """Answer each order to be fetched, the oldest change first, with the cursor for when that was done."""
        until = time_of(self._until)
        known = {each.order_id: each for each in summaries}
        for each in sorted(summaries, key=lambda summary: (summary.changed_at, summary.order_id)):
            if self._since is not None and each.placed_at < self._since:
                continue
            # One that was open when it was last seen may be listed late with a change of earlier.
            is_recent = until is None or each.changed_at >= until or each.order_id in self._marks
            if (is_recent or each.is_open) and self._marks.get(each.order_id) != each.mark:
                until = max(until or each.changed_at, each.changed_at)
                self._marks[each.order_id] = each.mark
                yield each, self._cursor(until, known)

    def _cursor(self, until: datetime, known: Mapping[str, Summary]) -> str:
        keep = {
            order_id: mark
            for order_id, mark in self._marks.items()
            if (order := known.get(order_id)) is not None and (order.is_open or order.changed_at >= until)
        }
        return as_cursor({"until": until.isoformat(), "marks": keep})


def word_of(row: dict[str, Any]) -> str:
    """Read BrickLink's word for where an order stands."""
    return str(row["status"]).strip().upper()


def order_of(row: dict[str, Any], batches: Any) -> RemoteOrder:
    """Read an order and the batches of its lines, None where they aren't there any more."""
    word = word_of(row)
    warnings: list[str] = []
    if word not in _STATUSES:
        warnings.append(f"BrickLink calls the order's status “{word}”, which isn't known here.")
    status, flag = _STATUSES.get(word, (None, None))
    payment, shipping, cost = row.get("payment") or {}, row.get("shipping") or {}, row["cost"]
    paid_word = str(payment.get("status") or "").strip().lower()
    if paid_word and paid_word not in _PAYMENTS:
        warnings.append(f"BrickLink calls the payment “{paid_word}”, which isn't known here.")
    placed = time_of(row["date_ordered"])
    if placed is None:
        raise ValueError("an order without a date")
    order_id, lines = str(int(row["order_id"])), lines_of(batches, warnings)
    if lines == () and count_of(row.get("total_count")):
        raise ValueError("an order without its lines")
    return RemoteOrder(
        order_id=order_id,
        number=order_id,
        channel_status=word,
        status=status,
        payment_status=_PAYMENTS.get(paid_word),
        flags=frozenset({flag}) if flag else frozenset(),
        buyer=Buyer(
            username=text_of(row.get("buyer_name")),
            name=_name(shipping.get("address") or {}),
            email=text_of(row.get("buyer_email")),
        ),
        ship_to=_address(shipping.get("address")),
        shipping_method=text_of(shipping.get("method")),
        tracking_number=text_of(shipping.get("tracking_no")),
        tracking_url=text_of(shipping.get("tracking_link")),
        note=text_of(row.get("remarks")),
        ordered_at=placed,
        changed_at=time_of(row.get("date_status_changed")),
        paid_at=time_of(payment.get("date_paid")),
        shipped_at=time_of(shipping.get("date_shipped")),
        weight_grams=amount(row.get("total_weight")) or None,
        lines=lines,
        **_money(cost, warnings),
        warnings=tuple(warnings),
    )


def lines_of(batches: Any, warnings: list[str]) -> tuple[RemoteLine, ...] | None:
    """Read the lines of an order: an array for each batch. BrickLink gives them no id; batch and lot make one."""
    if batches is None:
        return None
    if not isinstance(batches, list):
        raise ValueError("no batches")
    lines: list[RemoteLine] = []
    seen: dict[str, int] = {}
    for number, batch in enumerate(batches if not batches or isinstance(batches[0], list) else [batches], 1):
        for row in batch:
            lot_id = str(int(row["inventory_id"]))
            key = f"{number}-{lot_id}"
            seen[key] = seen.get(key, 0) + 1
            qty = count_of(row["quantity"])
            price = amount(row["unit_price_final"] if row.get("unit_price_final") is not None else row["unit_price"])
            remarks, marker = marked(text_of(row.get("remarks")))
            lines.append(
                RemoteLine(
                    line_id=key if seen[key] == 1 else f"{key}-{seen[key]}",
                    lot_id=lot_id,
                    marker=marker,
                    item=item_of(row, warnings),
                    qty=qty,
                    unit_price=price,
                    line_total=(price * qty).quantize(_CENT, "ROUND_HALF_UP"),
                    description=text_of(row.get("description")),
                    remarks=remarks,
                    weight_grams=amount(row.get("weight")) or None,
                )
            )
    return tuple(lines)


def _money(cost: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    """Read the amounts. Tax is what is added on top; VAT may be within the prices, which its sum tells."""
    got = {
        name: amount(cost.get(name))
        for name in (
            "subtotal",
            "grand_total",
            "shipping",
            "etc1",
            "etc2",
            "insurance",
            "credit",
            "coupon",
            "vat_amount",
        )
    }
    sales_tax = amount(cost.get("salesTax_collected_by_BL", cost.get("salesTax")))
    shipping, discount = got["shipping"] + got["etc1"] + got["etc2"], got["credit"] + got["coupon"]
    without_tax = got["subtotal"] + shipping + got["insurance"] - discount
    fitting = [
        tax
        for tax in (sales_tax, sales_tax + got["vat_amount"])
        if abs(without_tax + tax - got["grand_total"]) <= _CENT
    ]
    if not fitting:
        warnings.append("The amounts of the order don't add up to its total.")
    return {
        "currency": str(cost["currency_code"]).upper(),
        "subtotal": got["subtotal"],
        "shipping_cost": shipping,
        "insurance": got["insurance"],
        "tax_amount": fitting[0] if fitting else sales_tax,
        "discount_amount": discount,
        "grand_total": got["grand_total"],
    }


def _name(address: dict[str, Any]) -> str:
    name = address.get("name") or {}
    return text_of(name.get("full")) or f"{text_of(name.get('first'))} {text_of(name.get('last'))}".strip()


def _address(row: dict[str, Any] | None) -> Address | None:
    if not row:
        return None
    country = str(row.get("country_code") or "").upper()
    full = text_of(row.get("full"))
    return Address(
        name=_name(row),
        # Parts are there only where the buyer filled them in; the whole always is.
        address1=text_of(row.get("address1")) or ", ".join(line.strip() for line in full.splitlines() if line.strip()),
        address2=text_of(row.get("address2")),
        city=text_of(row.get("city")),
        state=text_of(row.get("state")),
        postal=text_of(row.get("postal_code")),
        country="GB" if country == "UK" else country,
        phone=text_of(row.get("phone_number")),
        full=full,
    )


def word_for(push: StatusPush) -> str | Pushed:
    """Answer BrickLink's word for where an order stands, or why it isn't told."""
    there = push.channel_status.strip().upper()
    if there == PURGED:
        return Pushed.NOT_NEEDED
    if push.status is OrderStatus.CANCELLED:
        return Pushed.NOT_NEEDED if there in CANCELLED else Pushed.BY_HAND
    words = {
        OrderStatus.PICKING: "PROCESSING",
        OrderStatus.READY: "PACKED" if push.is_paid else "READY",
        OrderStatus.SHIPPED: "SHIPPED",
        OrderStatus.DELIVERED: "RECEIVED",
        OrderStatus.COMPLETED: "COMPLETED",
    }
    word = words.get(push.status)
    if word is None or there == word:
        return Pushed.NOT_NEEDED
    if there not in _RANKS:
        # Problems and ends are left by BrickLink alone.
        return Pushed.NOT_YET
    # Among the words of one rank, READY and PAID may follow PROCESSING, and nothing goes back from PAID.
    is_forward = _RANKS[there] < _RANKS[word] or (word == "READY" and there == "PROCESSING")
    return word if is_forward else Pushed.NOT_NEEDED


def is_reached(push: StatusPush, word_there: str) -> bool:
    """Tell whether an order stands there where it should, or is further."""
    wanted = word_for(
        StatusPush(order_id=push.order_id, status=push.status, channel_status="PENDING", is_paid=push.is_paid)
    )
    return wanted in _RANKS and _RANKS.get(word_there.strip().upper(), -1) >= _RANKS[wanted]


def messages_of(data: Any) -> tuple[Message, ...]:
    """Read the messages about an order."""
    read = [
        Message(
            sender=text_of(row.get("from")),
            recipient=text_of(row.get("to")),
            subject=text_of(row.get("subject")),
            body=text_of(row.get("body")),
            sent_at=time_of(row.get("dateSent")),
        )
        for row in data or ()
    ]
    return tuple(sorted(read, key=lambda message: message.sent_at or _TOO_LATE))


def hints_of(data: Any) -> tuple[Hint, ...]:
    """Read a list of notifications, with or without the envelope."""
    rows = data.get("data") if isinstance(data, dict) else data
    if isinstance(rows, dict):
        rows = [rows]
    if not isinstance(rows, list):
        raise ValueError("no list of notifications")
    return tuple(
        Hint(
            topic=topic,
            resource_id=str(int(row["resource_id"])),
            hint_id=f"{row['event_type']}:{row['resource_id']}:{row.get('timestamp', '')}",
        )
        for row in rows
        if (topic := _TOPICS.get(str(row["event_type"]).lower())) is not None
    )
