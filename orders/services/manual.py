"""Orders typed in at the counter, and what may be changed of any order by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from audit import context
from common import workspace
from common.errors import Invalid
from common.ids import new_id, new_ids
from common.money import Money
from events.bus import publish
from inventory.models import InventoryItem
from inventory.queries.holdings import lots_by_id
from orders import lifecycle
from orders.choices import Flag, PaymentStatus
from orders.errors import OrderClosed
from orders.events import OrderCreated
from orders.lifecycle import Status
from orders.models import Buyer, Order, OrderLine
from orders.services import checks, holding
from orders.services.buyers import find_or_make_buyer
from orders.services.holding import Held, hold_name, next_number, own_number, settle, settle_birth, total_of
from stores.choices import Channel
from stores.queries import local_store

MAX_LINES = 1_000
_QTY_LIMIT = 1_000_000
_EMAIL_LENGTH = 254
_WHO = frozenset({"buyer_name", "buyer_email", "buyer_username"})
_AMOUNTS = ("shipping_cost", "insurance", "tax_amount", "discount_amount")
_TEXTS = ("buyer_name", "buyer_email", "buyer_username", "shipping_method", "notes", "tracking_number", "tracking_url")
# What may be changed of an order from a channel, and of one of our own besides.
_AT_ANY_TIME = frozenset({"tracking_number", "tracking_url", "notes", "tags", "flags"})
ANY_ORDER = _AT_ANY_TIME | {"ship_to", "shipping_method"}
OWN_ORDER = ANY_ORDER | frozenset({"buyer_name", "buyer_email", "buyer_username", *_AMOUNTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLine:
    """So many pieces of a lot. Without a price, the lot's own. `line_id`: the line that this is already."""

    lot_id: UUID
    qty: int
    unit_price: Decimal | None = None
    line_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order typed in. `order_id` makes a second press of the button the same order."""

    lines: Sequence[NewLine]
    values: Mapping[str, Any] = field(default_factory=dict)
    is_paid: bool = False
    order_id: UUID | None = None


@transaction.atomic
def create_order(*, new: NewOrder, now: datetime) -> Order:
    """Make an order of the shop's own counter, in its currency, and reserve its pieces; what isn't there is short.

    A paid one waits to be picked at once. Raises Invalid with errors by field.
    """
    context.describe("orders.create_order")
    key = new.order_id or new_id()
    hold_name(f"own:{key}")
    if (present := Order.objects.filter(pk=key).first()) is not None:
        return present
    errors: dict[str, list[str]] = {}
    values = _checked(new.values, allowed=OWN_ORDER, errors=errors)
    lots = _lots_of(new.lines, errors)
    if errors:
        raise Invalid(errors=errors)
    store, number = local_store(), next_number()
    order = Order(
        pk=key, number=number, store=store, external_order_id=own_number(store.pk, number, now=now),
        status=Status.PENDING if new.is_paid else Status.NEW, status_changed_at=now,
        currency=workspace.current().currency, ordered_at=now,
        payment_status=PaymentStatus.PAID if new.is_paid else PaymentStatus.UNPAID,
        paid_at=now if new.is_paid else None,
    )  # fmt: skip
    _set(order, values)
    order.buyer = find_or_make_buyer(
        channel=store.channel, name=order.buyer_name, email=order.buyer_email, username=order.buyer_username,
        ordered_at=now,
    )  # fmt: skip
    lines = [
        _line_of(order, position, line_id, lots[each.lot_id], each)
        for position, (each, line_id) in enumerate(zip(new.lines, new_ids(len(new.lines)), strict=True), start=1)
    ]
    sum_up(order, lines)
    settle_birth(order, lines, now=now)
    holding.follow(order, lines)
    order.save(force_insert=True)
    holding.save_lines(lines, {})
    publish(
        OrderCreated(
            order_id=order.pk, store_id=store.pk, external_order_id=order.external_order_id, status=order.status,
            currency=order.currency, grand_total=str(order.grand_total),
        )
    )  # fmt: skip
    return order


@transaction.atomic
def update_order(
    *, order_id: UUID, changes: Mapping[str, Any], now: datetime, expected_version: int | None = None
) -> Order:
    """Change what may be changed of an order by hand: address, shipping, tracking, notes, tags, flags; of one of our
    own also buyer and amounts. Raises Invalid, NotFound, StaleVersion; OrderClosed for an address after it has left.
    """
    context.describe("orders.update_order")
    # Buyers are held before orders.
    buyer = _buyer_after(order_id, changes)
    held = holding.hold(order_id, expected_version=expected_version)
    order = held.order
    errors: dict[str, list[str]] = {}
    is_own = order.store.channel == Channel.LOCAL
    values = _checked(changes, allowed=OWN_ORDER if is_own else ANY_ORDER, errors=errors)
    if errors:
        raise Invalid(errors=errors)
    differing = {name for name, value in values.items() if getattr(order, name) != value}
    if order.status not in lifecycle.PROMISED and differing - _AT_ANY_TIME:
        raise OrderClosed("It has left or ended. Tracking, notes, tags and flags can still be changed.")
    _set(order, values)
    # What a person has raised the channel doesn't lower.
    raised = set(order.flags) - set(held.before["flags"])
    order.channel_flags = [flag for flag in order.channel_flags if flag not in raised]
    if is_own and differing & set(_AMOUNTS):
        sum_up(order, held.lines)
    if buyer is not None and differing & _WHO:
        order.buyer = buyer
    held.finish()
    return order


def _buyer_after(order_id: UUID, changes: Mapping[str, Any]) -> Buyer | None:
    """Answer whose order it is once the changes are made, where they say so and may."""
    if not _WHO & changes.keys():
        return None
    order = Order.objects.select_related("store").filter(pk=order_id).first()
    if order is None or order.store.channel != Channel.LOCAL or order.status not in lifecycle.PROMISED:
        return None
    name, email, username = (
        str(changes.get(part, getattr(order, part))).strip() for part in ("buyer_name", "buyer_email", "buyer_username")
    )
    if len(name) > checks.length_of(Order, "buyer_name") or "\x00" in name + email + username:
        return None
    return find_or_make_buyer(
        channel=order.store.channel, name=name, email=email[:_EMAIL_LENGTH], username=username,
        ordered_at=order.ordered_at,
    )  # fmt: skip


@transaction.atomic
def set_lines(*, order_id: UUID, lines: Sequence[NewLine], now: datetime, expected_version: int | None = None) -> Order:
    """Set what an order of our own is of, as long as nobody picks: lines that aren't named any more are taken out.

    Raises Invalid with errors by field, OrderClosed, NotFound, StaleVersion.
    """
    context.describe("orders.set_lines")
    held = holding.hold(order_id, expected_version=expected_version)
    order = held.order
    if order.store.channel != Channel.LOCAL:
        raise OrderClosed("The lines of an order from a channel are changed there.")
    if order.status not in lifecycle.EDITABLE:
        raise OrderClosed("Lines can be changed until picking begins.")
    errors: dict[str, list[str]] = {}
    lots = _lots_of(lines, errors)
    if errors:
        raise Invalid(errors=errors)
    holding.hold_stock(held.lines, *lots)
    _change_lines(held, lines, lots, now=now)
    sum_up(order, held.lines)
    settle(order, held.lines, now=now)
    held.finish()
    return order


def _change_lines(held: Held, wanted: Sequence[NewLine], lots: Mapping[UUID, InventoryItem], *, now: datetime) -> None:
    order = held.order
    kept = {each.line_id: each for each in wanted if each.line_id}
    for line in held.lines:
        each = kept.get(line.pk)
        qty = each.qty if each else 0
        if qty < line.qty_ordered:
            holding.want_fewer(line, line.qty_ordered - qty)
        line.qty_ordered = qty
        if each is not None:
            holding.be_of(order, line, lots[each.lot_id], now=now)
            line.unit_price = line.unit_price if each.unit_price is None else _unit(each.unit_price, order)
        line.line_total = total_of(line, order.currency)
    known = {line.pk for line in held.lines}
    position = max((line.position for line in held.lines), default=0)
    new = [each for each in wanted if each.line_id not in known]
    for line_id, each in zip(new_ids(len(new)), new, strict=True):
        position += 1
        held.lines.append(_line_of(order, position, line_id, lots[each.lot_id], each))


def _line_of(order: Order, position: int, line_id: UUID, lot: InventoryItem, new: NewLine) -> OrderLine:
    line = OrderLine(
        pk=line_id, order=order, position=position, inventory_item_id=lot.pk, item_type=lot.item_type,
        item_no=lot.item_no, item_name=lot.item_name, color_id=lot.color_id, color_name=lot.color_name,
        condition=lot.condition, completeness=lot.completeness or "", description=lot.description,
        qty_ordered=new.qty, unit_price=_unit(lot.unit_price if new.unit_price is None else new.unit_price, order),
    )  # fmt: skip
    line.line_total = total_of(line, order.currency)
    return line


def _unit(price: Decimal, order: Order) -> Decimal:
    return Money(price, order.currency).rounded_unit().amount


def sum_up(order: Order, lines: Sequence[OrderLine]) -> None:
    """Add up an order of our own. A discount takes off what there is, and not more."""
    order.subtotal = sum((line.line_total for line in lines), Decimal(0))
    total = order.subtotal + order.shipping_cost + order.insurance + order.tax_amount - order.discount_amount
    order.grand_total = max(total, order.refunded_total, Decimal(0))


# --- What is given --------------------------------------------------------------------------------------------------
def _lots_of(lines: Sequence[NewLine], errors: dict[str, list[str]]) -> dict[UUID, InventoryItem]:
    if not lines:
        errors["/lines"] = ["Add at least one lot."]
    elif len(lines) > MAX_LINES:
        errors["/lines"] = [f"At most {MAX_LINES:,} lines."]
    lots = lots_by_id(line.lot_id for line in lines[:MAX_LINES])
    for index, line in enumerate(lines[:MAX_LINES]):
        if line.lot_id not in lots:
            errors[f"/lines/{index}/inventory_item"] = ["This lot no longer exists."]
        if not 0 < line.qty <= _QTY_LIMIT:
            errors[f"/lines/{index}/qty"] = [f"Between 1 and {_QTY_LIMIT:,} pieces."]
        if line.unit_price is not None and (problem := checks.amount_problem(line.unit_price, Decimal(10) ** 8)):
            errors[f"/lines/{index}/unit_price"] = [problem]
    return lots


def _checked(given: Mapping[str, Any], *, allowed: frozenset[str], errors: dict[str, list[str]]) -> dict[str, Any]:
    values = dict(given)
    for name in set(values) - allowed:
        errors[f"/{name}"] = ["This can't be changed here; it is the channel's."]
    for name in set(_TEXTS) & set(values):
        values[name] = str(values[name]).strip()
        limit = checks.length_of(Order, name)
        if len(values[name]) > limit or "\x00" in values[name]:
            errors[f"/{name}"] = [f"At most {limit:,} characters."]
    if values.get("buyer_email") and "@" not in values["buyer_email"]:
        errors["/buyer_email"] = ["An address such as ana@example.com, or nothing."]
    if values.get("tracking_url") and not checks.is_web_address(values["tracking_url"]):
        errors["/tracking_url"] = ["An address such as https://example.com/track/123, or nothing."]
    for name in set(_AMOUNTS) & set(values):
        if problem := checks.amount_problem(values[name]):
            errors[f"/{name}"] = [problem]
    if "ship_to" in values:
        values["ship_to"] = _address(values["ship_to"], errors)
    _mark(values, errors)
    return values


def _mark(values: dict[str, Any], errors: dict[str, list[str]]) -> None:
    """Tidy tags and flags up."""
    if "tags" in values:
        try:
            values["tags"] = checks.tidy_tags(values["tags"])
        except Invalid as problem:
            errors.update(problem.errors)
    if "flags" in values:
        if unknown := set(values["flags"]) - set(Flag.values):
            errors["/flags"] = [f"Unknown: {', '.join(sorted(map(str, unknown)))}."]
        values["flags"] = [flag for flag in Flag.values if flag in values["flags"]]


def _address(given: Mapping[str, Any], errors: dict[str, list[str]]) -> dict[str, str]:
    address = {}
    for name, limit in checks.ADDRESS_LENGTHS.items():
        text = " ".join(str(given.get(name) or "").split())
        if len(text) > limit or "\x00" in text:
            errors[f"/ship_to/{name}"] = [f"At most {limit} characters."]
        elif name == "country" and text and not (len(text) == limit and text.isascii() and text.isupper()):
            errors["/ship_to/country"] = ["Two capital letters, such as DE."]
        elif text:
            address[name] = text
    return address


def _set(order: Order, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(order, name, value)
    if "ship_to" in values:
        order.ship_country = values["ship_to"].get("country", "")
