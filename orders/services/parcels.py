"""Orders that belong to others: those that share a parcel, and those that send again what went wrong."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from audit import context
from common.errors import Conflict, Invalid
from common.ids import new_id, new_ids
from events.bus import publish
from orders import lifecycle
from orders.choices import PaymentStatus
from orders.events import OrderCreated
from orders.lifecycle import Status
from orders.models import Order, OrderLine
from orders.services import holding
from orders.services.holding import Held, hold_name, lock_orders, next_number, own_number, settle_birth
from stores.queries import local_store

_MOST = 50


@transaction.atomic
def ship_together(*, order_ids: Sequence[UUID], now: datetime) -> Order:
    """Have a buyer's open orders go in one parcel; answer the one that leads it, the oldest.

    Raises Invalid for fewer than two or too many, Conflict where they have different buyers or one has left, NotFound.
    """
    context.describe("orders.ship_together")
    wanted = set(order_ids)
    if not 1 < len(wanted) <= _MOST:
        text = f"Choose between 2 and {_MOST} orders of one buyer."
        raise Invalid(text, errors={"/order_ids": [text]})
    in_parcels = Order.objects.filter(ships_with__in=wanted).values_list("pk", flat=True)
    leads = Order.objects.filter(pk__in=wanted, ships_with__isnull=False).values_list("ships_with_id", flat=True)
    orders = lock_orders(wanted | set(in_parcels) | {key for key in leads if key})
    if len({order.buyer_id for order in orders}) > 1 or orders[0].buyer_id is None:
        raise Conflict("Only orders of one buyer go in one parcel. If two buyers are one person, merge them first.")
    if closed := [order.external_order_id for order in orders if order.status not in lifecycle.PROMISED]:
        raise Conflict(f"Order {closed[0]} has left or ended.")
    countries = {(order.ship_country, order.ship_to.get("postal", "")) for order in orders}
    if len(countries) > 1:
        raise Conflict("These orders go to different addresses. Change the address first.")
    lead = min(orders, key=lambda order: (order.ordered_at, order.pk))
    for order in orders:
        target = None if order is lead else lead.pk
        if order.ships_with_id != target:
            held = Held(order)
            order.ships_with_id = target
            held.finish()
    return lead


@transaction.atomic
def ship_alone(*, order_id: UUID, now: datetime) -> Order:
    """Take an order out of its parcel; where it led that, the next one leads. Raises NotFound."""
    context.describe("orders.ship_alone")
    companions = list(Order.objects.filter(ships_with=order_id).order_by("pk").values_list("pk", flat=True))
    orders = {order.pk: order for order in lock_orders({order_id, *companions})}
    order = orders.pop(order_id)
    rest = sorted(
        (each for each in orders.values() if each.ships_with_id == order_id),
        key=lambda each: (each.ordered_at, each.pk),
    )
    if order.ships_with_id is not None:
        held = Held(order)
        order.ships_with_id = None
        held.finish()
    for each in rest:
        held = Held(each)
        each.ships_with_id = None if each is rest[0] else rest[0].pk
        held.finish()
    return order


@transaction.atomic
def create_replacement(
    *, order_id: UUID, pieces: Sequence[tuple[UUID, int]], now: datetime, replacement_id: UUID | None = None
) -> Order:
    """Make an order that sends pieces of a shipped one again, for nothing. It counts for no sales.

    `replacement_id`: a second press is the same order. Raises Invalid with errors by field, Conflict, NotFound.
    """
    context.describe("orders.create_replacement")
    key = replacement_id or new_id()
    hold_name(f"own:{key}")
    if (present := Order.objects.filter(pk=key).first()) is not None:
        return present
    number, store = next_number(), local_store()
    # Names are held before orders.
    name = own_number(store.pk, number, now=now)
    held = holding.hold(order_id)
    origin = held.order
    if not origin.has_left:
        raise Conflict("What hasn't been shipped yet is changed in the order itself.")
    errors: dict[str, list[str]] = {}
    lines = {line.pk: line for line in held.lines}
    for index, (line_id, qty) in enumerate(pieces):
        if line_id not in lines:
            errors[f"/lines/{index}/line_id"] = ["This order has no such line."]
        elif not 0 < qty <= lines[line_id].qty_ordered:
            errors[f"/lines/{index}/qty"] = [f"Between 1 and {lines[line_id].qty_ordered:,} pieces."]
    if not pieces:
        errors["/lines"] = ["Say which pieces are sent again."]
    if errors:
        raise Invalid(errors=errors)
    order = Order(
        pk=key, number=number, store=store, external_order_id=name,
        status=Status.PENDING, status_changed_at=now, currency=origin.currency, ordered_at=now, paid_at=now,
        payment_status=PaymentStatus.PAID, replaces=origin, buyer_id=origin.buyer_id, buyer_name=origin.buyer_name,
        buyer_email=origin.buyer_email, buyer_username=origin.buyer_username, ship_to=origin.ship_to,
        ship_country=origin.ship_country, shipping_method=origin.shipping_method,
    )  # fmt: skip
    made = [
        _again(order, position, new_line_id, lines[line_id], qty)
        for position, (new_line_id, (line_id, qty)) in enumerate(
            zip(new_ids(len(pieces)), pieces, strict=True), start=1
        )
    ]
    settle_birth(order, made, now=now)
    holding.follow(order, made)
    order.save(force_insert=True)
    holding.save_lines(made, {})
    publish(
        OrderCreated(
            order_id=order.pk, store_id=order.store_id, external_order_id=order.external_order_id,
            status=order.status, currency=order.currency, grand_total=str(order.grand_total),
        )
    )  # fmt: skip
    return order


_COPIED = (
    "inventory_item_id", "item_type", "item_no", "item_name", "color_id", "color_name", "condition", "completeness",
    "description",
)  # fmt: skip


def _again(order: Order, position: int, line_id: UUID, line: OrderLine, qty: int) -> OrderLine:
    return OrderLine(
        pk=line_id, order=order, position=position, qty_ordered=qty, unit_price=Decimal(0), line_total=Decimal(0),
        **{name: getattr(line, name) for name in _COPIED},
    )  # fmt: skip
