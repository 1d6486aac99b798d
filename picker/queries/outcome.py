"""What is left to do after a walk: what is short and what helps, places to count, pieces to put back, weights."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import F, Max, Q
from django.urls import reverse

from common.money import minor_units
from inventory.models import InventoryItem
from inventory.queries.rows import ColorLook, look_of
from orders.choices import OrderStatus
from orders.models import Order, OrderLine
from orders.queries.details import Alternative, alternatives_of
from orders.queries.orders import order_url
from picker.choices import EventType, Leaving, Remainder
from picker.models import PickEvent, PickNeed, PickSession, PickSessionOrder
from picker.queries.sessions import outcomes_of
from picker.queries.sheet import condition_of
from picker.weighing import Part


# --- What is short --------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class ShortLine:
    """Pieces of a line that weren't there."""

    line_id: UUID
    item_type: str
    item_no: str
    item_name: str
    picture_no: str
    color_id: int | None
    color: ColorLook
    condition: str
    qty: int
    ordered: int
    amount: Decimal
    others: tuple[Alternative, ...]

    @property
    def name(self) -> str:
        """Answer what people call it: `3001 · Red · New`."""
        return " · ".join(part for part in (self.item_no or self.item_name, self.color.name, self.condition) if part)


@dataclass(frozen=True, slots=True)
class ShortOrder:
    """An order of which something is short, and the words that its buyer can be told."""

    order_id: UUID
    code: str
    number: str
    store: str
    currency: str
    is_open: bool
    has_left: bool
    may_refund: bool
    lines: tuple[ShortLine, ...]
    message: str
    coupon: str

    @property
    def url(self) -> str:
        """Answer the order's page."""
        return order_url(self.order_id)

    @property
    def amount(self) -> Decimal:
        """Answer what the missing pieces cost."""
        return sum((line.amount for line in self.lines), Decimal(0))

    @property
    def refund_url(self) -> str:
        """Answer the form of a refund, filled in with what is missing."""
        items = ", ".join(f"{line.qty} × {line.name}" for line in self.lines)
        values = {"amount": str(self.amount), "reason": f"Missing: {items}"[:300]}
        values |= {f"qty_{line.line_id}": str(line.qty) for line in self.lines}
        return f"{reverse('orders:refund', args=[self.order_id])}?{urlencode(values)}"


def short_of(session: PickSession) -> list[ShortOrder]:
    """Answer the orders of a session of which something is short by now. Four queries."""
    found = [outcome for outcome in outcomes_of(session) if outcome.short]
    lines = [short.line for outcome in found for short in outcome.short]
    others = alternatives_of(lines)
    return [
        _short_order(outcome.entry, [(short.line, short.qty) for short in outcome.short], others) for outcome in found
    ]


def _short_order(
    entry: PickSessionOrder, short: Sequence[tuple[OrderLine, int]], others: dict[UUID, tuple[Alternative, ...]]
) -> ShortOrder:
    order = entry.order
    lines = tuple(_short_line(line, qty, order.currency, others.get(line.pk, ())) for line, qty in short)
    amount = sum((line.amount for line in lines), Decimal(0))
    return ShortOrder(
        order_id=order.pk, code=entry.batch_code, number=order.external_order_id, store=order.store.name,
        currency=order.currency, is_open=order.is_open, has_left=order.has_left,
        may_refund=order.status not in (OrderStatus.NEW, OrderStatus.REFUNDED)
        and order.refunded_total + amount <= order.grand_total,
        lines=lines, message=_message(order, lines, amount), coupon=_coupon(order, amount),
    )  # fmt: skip


def _short_line(line: OrderLine, qty: int, currency: str, others: tuple[Alternative, ...]) -> ShortLine:
    return ShortLine(
        line_id=line.pk, item_type=line.item_type, item_no=line.item_no or line.external_item_no,
        item_name=line.item_name, picture_no=line.item_no, color_id=line.color_id,
        color=look_of(line.color_id, line.color_name), condition=condition_of(line), qty=qty,
        ordered=line.qty_ordered, amount=_rounded(qty * line.unit_price, currency), others=others,
    )  # fmt: skip


def _rounded(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-minor_units(currency)), rounding=ROUND_HALF_UP)


def _message(order: Order, lines: Sequence[ShortLine], amount: Decimal) -> str:
    name = order.buyer_name or order.buyer_username
    listed = "\n".join(f"- {line.qty} of {line.ordered}: {line.name}" for line in lines)
    return (
        f"Hello{f' {name}' if name else ''},\n\nwhile picking your order {order.external_order_id} we found that"
        f" some pieces are missing:\n{listed}\n\nWe are sorry. We give you back what they cost,"
        f" {order.currency} {amount}, and send the rest today. If you would rather wait for these pieces, or want"
        f" others instead, tell us before it leaves.\n"
    )


def _coupon(order: Order, amount: Decimal) -> str:
    return (
        f"As a thank you for your patience with order {order.external_order_id} you get {order.currency} {amount} off"
        f" your next order with us, on top of what we give you back."
    )


# --- Places, pieces -------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class PlaceToCount:
    """A place where the books had more than was found."""

    location_id: UUID
    code: str


def places_to_count(session: PickSession) -> list[PlaceToCount]:
    """Answer the places of a session that wait to be counted, in walking order. One query."""
    missing = PickEvent.objects.filter(
        Q(remainder="") | Q(remainder=Remainder.LATER), session=session, event_type=EventType.MISSING,
        stop__location__isnull=False,
    )  # fmt: skip
    undone = Q(corrections__isnull=False)
    counted = Q(stop__location__last_counted_at__gt=F("picked_at"))
    rows: Any = (
        missing.exclude(undone)
        .exclude(counted)
        .order_by()
        .values_list("stop__location", "stop__location__code", "stop__location__route_key")
        .annotate(last=Max("picked_at"))
        .order_by("stop__location__route_key")
    )
    return [PlaceToCount(key, code) for key, code, _route, _last in rows]


@dataclass(frozen=True, slots=True)
class PieceToPutBack:
    """Pieces in a tote that nobody waits for any more."""

    code: str
    number: str
    order_id: UUID
    name: str
    qty: int
    place: str


@dataclass(frozen=True, slots=True)
class Kept:
    """An order that waits again, and whose tote has pieces already."""

    code: str
    number: str
    order_id: UUID
    qty: int


def to_put_back(session: PickSession) -> list[PieceToPutBack]:
    """Answer what was picked for orders that have ended meanwhile, by tote. Two queries."""
    ended = (OrderStatus.CANCELLED, OrderStatus.REFUNDED)
    needs = PickNeed.objects.filter(stop__session=session, qty_picked__gt=0, order_line__order__status__in=ended)
    found = list(needs.select_related("order_line__order", "stop").order_by("stop__position"))
    codes = _codes(session) if found else {}
    return [
        PieceToPutBack(
            codes.get(need.order_line.order_id, "–"), need.order_line.order.external_order_id, need.order_line.order_id,
            _line_name(need.order_line), need.qty_picked, need.stop.location_code,
        )
        for need in found
    ]  # fmt: skip


def kept_in_totes(session: PickSession) -> list[Kept]:
    """Answer the orders that left the session to wait again with pieces in their totes. One query."""
    sums: dict[UUID, int] = defaultdict(int)
    entries = session.entries.filter(leaving__in=(Leaving.UNTOUCHED, Leaving.CANCELLED, Leaving.REMOVED))
    waiting = {entry.order_id: entry for entry in entries.select_related("order")}
    still = [key for key, entry in waiting.items() if entry.order.status in (OrderStatus.PENDING, OrderStatus.NEW)]
    for order_id, qty in OrderLine.objects.filter(order__in=still, qty_picked__gt=0).values_list("order", "qty_picked"):
        sums[order_id] += qty
    return [
        Kept(entry.batch_code, entry.order.external_order_id, key, sums[key])
        for key, entry in waiting.items()
        if sums.get(key)
    ]


def _codes(session: PickSession) -> dict[UUID, str]:
    return dict(PickSessionOrder.objects.filter(session=session).values_list("order_id", "batch_code"))


def _line_name(line: OrderLine) -> str:
    color = look_of(line.color_id, line.color_name)
    return " · ".join(part for part in (line.item_no or line.item_name, color.name, condition_of(line)) if part)


# --- Weights --------------------------------------------------------------------------------------------------------
def parts_of(order_ids: Collection[UUID]) -> dict[UUID, list[Part]]:
    """Answer what is picked for each order, with what a piece weighs. Two queries."""
    lines = list(OrderLine.objects.filter(order__in=order_ids, qty_picked__gt=0).order_by("position"))
    lots = {line.inventory_item_id for line in lines if line.inventory_item_id}
    grams = dict(InventoryItem.objects.filter(pk__in=lots).values_list("pk", "weight_grams"))
    parts: dict[UUID, list[Part]] = defaultdict(list)
    for line in lines:
        lot = line.inventory_item_id
        parts[line.order_id].append(Part(_line_name(line), line.qty_picked, grams.get(lot) if lot else None))
    return parts
