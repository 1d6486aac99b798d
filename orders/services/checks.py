"""What an order must be to be taken, and what is merely odd about it: refused by field, or kept with a warning."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import fields
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from catalog.choices import NEEDS_COLOR, ItemType
from common.errors import Invalid
from inventory.choices import Completeness, ItemCondition
from orders.choices import Flag, PaymentStatus
from orders.incoming import Address, IncomingLine, IncomingOrder
from orders.models import Order, OrderLine

_TOTAL_LIMIT, _PRICE_LIMIT, _QTY_LIMIT = Decimal(10) ** 10, Decimal(10) ** 8, 2**31
MAX_LINES = 5_000
_CURRENCY = re.compile(r"[A-Z]{3}")
_COUNTRY = re.compile(r"[A-Z]{2}")
MAX_TAGS, TAG_LENGTH, TEXT_LENGTH = 20, 30, 4_000
ADDRESS_LENGTHS = {
    "name": 200, "address1": 200, "address2": 200, "city": 120, "state": 80, "postal": 20, "country": 2, "phone": 40,
}  # fmt: skip
_SHORT_BY = Decimal("0.05")
_WEB_ADDRESS = URLValidator(schemes=["http", "https"])


def length_of(model: type[Order] | type[OrderLine], name: str) -> int:
    """Answer how long a text may be."""
    return int(getattr(model._meta.get_field(name), "max_length", 0) or TEXT_LENGTH)


def amount_problem(value: Decimal, limit: Decimal = _TOTAL_LIMIT) -> str:
    """Answer what is wrong with an amount; empty if nothing is."""
    if not value.is_finite() or value >= limit:
        return "This is no amount that can be kept."
    return "An amount can't be negative." if value < 0 else ""


class Findings:
    """What is wrong, by JSON pointer, and what is odd."""

    def __init__(self) -> None:
        self.errors: dict[str, list[str]] = {}
        self.warnings: list[dict[str, str]] = []

    def refuse(self, pointer: str, text: str) -> None:
        """Note why the order can't be taken."""
        if text:
            self.errors.setdefault(pointer, []).append(text)

    def warn(self, code: str, text: str) -> None:
        """Note what is odd, once."""
        found = {"code": code, "text": text}
        if found not in self.warnings:
            self.warnings.append(found)

    def done(self) -> None:
        """Pass, or raise Invalid."""
        if self.errors:
            raise Invalid("This order can't be taken.", errors=self.errors)


def checked(incoming: IncomingOrder) -> Findings:
    """Answer what is odd about an order. Raises Invalid, with errors by field, for what is no order at all."""
    found = Findings()
    for code, text in incoming.warnings:
        found.warn(code, text[:300])
    _head(incoming, found)
    _texts(incoming, found)
    _lines(incoming, found)
    found.done()
    _oddities(incoming, found)
    return found


def _head(incoming: IncomingOrder, found: Findings) -> None:
    if not incoming.external_order_id.strip():
        found.refuse("/external_order_id", "An order has a number on its channel.")
    if not _CURRENCY.fullmatch(incoming.currency):
        found.refuse("/currency", "Three capital letters, such as EUR.")
    for name in ("ordered_at", "as_of"):
        if getattr(incoming, name).tzinfo is None:
            found.refuse(f"/{name}", "A time with its zone.")
    if incoming.payment_status and incoming.payment_status not in PaymentStatus.values:
        found.refuse("/payment_status", "This is no payment status that is known here.")
    if unknown := incoming.flags - set(Flag.values):
        found.refuse("/flags", f"Unknown: {', '.join(sorted(unknown))}.")
    for name in ("subtotal", "shipping_cost", "insurance", "tax_amount", "discount_amount", "grand_total"):
        value = getattr(incoming, name)
        if value is not None:
            found.refuse(f"/{name}", amount_problem(value))


def _lines(incoming: IncomingOrder, found: Findings) -> None:
    if len(incoming.lines) > MAX_LINES:
        found.refuse("/lines", f"At most {MAX_LINES:,} lines.")
    ids = Counter(line.external_line_id for line in incoming.lines if line.external_line_id)
    for index, line in enumerate(incoming.lines[:MAX_LINES]):
        _line(f"/lines/{index}", line, found)
        if ids[line.external_line_id] > 1:
            found.refuse(f"/lines/{index}/external_line_id", "Two lines have this number.")


def _texts(incoming: IncomingOrder, found: Findings) -> None:
    for name in (
        "external_order_id", "channel_status", "buyer_name", "buyer_email", "buyer_username", "shipping_method",
        "buyer_note", "tracking_number",
    ):  # fmt: skip
        text = getattr(incoming, name)
        if len(text) > length_of(Order, name):
            found.refuse(f"/{name}", f"At most {length_of(Order, name)} characters.")
        if "\x00" in text:
            found.refuse(f"/{name}", "This text has characters that can't be kept.")
    _address(incoming.ship_to, found)


def _address(address: Address, found: Findings) -> None:
    for part in fields(address):
        text = getattr(address, part.name)
        if len(text) > ADDRESS_LENGTHS[part.name] or "\x00" in text:
            found.refuse(f"/ship_to/{part.name}", f"At most {ADDRESS_LENGTHS[part.name]} characters.")
    if address.country and not _COUNTRY.fullmatch(address.country):
        found.refuse("/ship_to/country", "Two capital letters, such as DE.")


def _line(at: str, line: IncomingLine, found: Findings) -> None:
    if not 0 <= line.qty < _QTY_LIMIT:
        found.refuse(f"{at}/qty", "A number of pieces, 0 or more.")
    found.refuse(f"{at}/unit_price", amount_problem(line.unit_price, _PRICE_LIMIT))
    if line.item_type not in ItemType.values:
        found.refuse(f"{at}/item_type", "This is no type of item.")
    if line.condition not in ItemCondition.values:
        found.refuse(f"{at}/condition", "NEW or USED.")
    if line.completeness not in ("", *Completeness.values):
        found.refuse(f"{at}/completeness", "COMPLETE, INCOMPLETE, SEALED or nothing.")
    if not (line.item_no or line.external_item_no or line.item_name or line.external_lot_id):
        found.refuse(f"{at}/item_no", "Say what this line is of: a number or a name.")
    for name in ("item_no", "item_name", "description", "external_line_id", "external_lot_id", "external_item_no",
                 "external_color"):  # fmt: skip
        text = getattr(line, name)
        if len(text) > length_of(OrderLine, name) or "\x00" in text:
            found.refuse(f"{at}/{name}", f"At most {length_of(OrderLine, name)} characters.")


def _oddities(incoming: IncomingOrder, found: Findings) -> None:
    if not incoming.lines:
        found.warn("no_lines", "The channel names no lines in this order.")
    for line in incoming.lines:
        name = line.item_no or line.external_item_no or line.item_name or line.external_lot_id
        if not line.qty:
            found.warn("zero_qty", f"{name}: no pieces of it are ordered.")
        if line.item_no and line.item_type in NEEDS_COLOR and line.color_id is None:
            found.warn("no_color", f"{name}: the channel names no color that is known here.")
    if incoming.tracking_url.strip() and not is_web_address(incoming.tracking_url.strip()):
        found.warn("tracking_url", "The channel's tracking page is no address that can be opened; it was left out.")
    if not any((incoming.buyer_name, incoming.buyer_username, incoming.buyer_email)):
        found.warn("no_buyer", "The channel names no buyer.")
    if incoming.subtotal is not None and incoming.grand_total is not None:
        parts = incoming.shipping_cost + incoming.insurance + incoming.tax_amount - incoming.discount_amount
        # Where the tax is within the prices it isn't added.
        expected = {incoming.subtotal + parts, incoming.subtotal + parts - incoming.tax_amount}
        if all(abs(each - incoming.grand_total) > _SHORT_BY for each in expected):
            found.warn("total", f"The parts add up to {max(expected)}, the channel's total is {incoming.grand_total}.")


def is_web_address(text: str) -> bool:
    """Tell whether a text is a page's address that can be kept as a link."""
    if len(text) > length_of(Order, "tracking_url"):
        return False
    try:
        _WEB_ADDRESS(text)
    except ValidationError:
        return False
    return True


def tidy_tags(tags: Iterable[str]) -> list[str]:
    """Answer tags as they are kept: trimmed, each once, in the order given. Raises Invalid."""
    tidy = list(dict.fromkeys(tag for raw in tags if (tag := " ".join(raw.split()))))
    if len(tidy) > MAX_TAGS or any(len(tag) > TAG_LENGTH or "," in tag or "\x00" in tag for tag in tidy):
        raise Invalid(errors={"/tags": [f"At most {MAX_TAGS} tags of {TAG_LENGTH} characters, without commas."]})
    return tidy
