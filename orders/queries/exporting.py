"""Orders as rows of a table: one for each, or one for each of their lines. Streamed, in flat memory."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet, Sum

from orders.models import Order, OrderLine
from orders.queries.orders import flag_labels

_CHUNK = 500
Row = list[str | int | Decimal | datetime | None]
Sums = Mapping[str, Any]


class Per(StrEnum):
    """What a row is."""

    ORDER = "orders"
    LINE = "lines"


# The columns that both have, so that either can be joined with the other.
_HEAD: Mapping[str, Callable[[Order], Any]] = {
    "Order": lambda order: order.external_order_id,
    "Our number": lambda order: order.number,
    "Store": lambda order: order.store.name,
    "Channel": lambda order: str(order.store.get_channel_display()),
    "Status": lambda order: str(order.get_status_display()),
    "Placed": lambda order: order.ordered_at,
    "Buyer": lambda order: order.buyer_name or order.buyer_username,
    "Country": lambda order: order.ship_country,
    "Currency": lambda order: order.currency,
}
_ORDER: Mapping[str, Callable[[Order, Sums], Any]] = {
    "Lots": lambda _order, sums: sums.get("lots", 0),
    "Pieces": lambda _order, sums: sums.get("pieces", 0),
    "Goods": lambda order, _sums: order.subtotal,
    "Shipping": lambda order, _sums: order.shipping_cost,
    "Insurance": lambda order, _sums: order.insurance,
    "Tax": lambda order, _sums: order.tax_amount,
    "Discount": lambda order, _sums: order.discount_amount,
    "Total": lambda order, _sums: order.grand_total,
    "Refunded": lambda order, _sums: order.refunded_total,
    "Payment": lambda order, _sums: str(order.get_payment_status_display()),
    "Paid": lambda order, _sums: order.paid_at,
    "Ship by": lambda order, _sums: order.ship_by,
    "Shipped": lambda order, _sums: order.shipped_at,
    "Shipping method": lambda order, _sums: order.shipping_method,
    "Tracking number": lambda order, _sums: order.tracking_number,
    "User name": lambda order, _sums: order.buyer_username,
    "E-mail": lambda order, _sums: order.buyer_email,
    "Name on the parcel": lambda order, _sums: order.ship_to.get("name", ""),
    "Street": lambda order, _sums: order.ship_to.get("address1", ""),
    "Second line": lambda order, _sums: order.ship_to.get("address2", ""),
    "Postcode": lambda order, _sums: order.ship_to.get("postal", ""),
    "City": lambda order, _sums: order.ship_to.get("city", ""),
    "State or region": lambda order, _sums: order.ship_to.get("state", ""),
    "Telephone": lambda order, _sums: order.ship_to.get("phone", ""),
    "Tags": lambda order, _sums: ", ".join(order.tags),
    "Flags": lambda order, _sums: ", ".join(flag_labels(order.flags)),
    "Buyer's note": lambda order, _sums: order.buyer_note,
    "Notes": lambda order, _sums: order.notes,
}
_LINE: Mapping[str, Callable[[OrderLine], Any]] = {
    "Line": lambda line: line.position,
    "Type": lambda line: str(line.get_item_type_display()),
    "Item number": lambda line: line.item_no or line.external_item_no,
    "Item name": lambda line: line.item_name,
    "Color number": lambda line: line.color_id,
    "Color": lambda line: line.color_name,
    "Condition": lambda line: str(line.get_condition_display()),
    "Completeness": lambda line: str(line.get_completeness_display()),
    "Description": lambda line: line.description,
    "Pieces": lambda line: line.qty_ordered,
    "Short": lambda line: line.qty_short + line.qty_missing,
    "Shipped": lambda line: line.qty_shipped,
    "Put back": lambda line: line.qty_restocked,
    "Price": lambda line: line.unit_price,
    "Total": lambda line: line.line_total,
}


def header(per: Per) -> list[str]:
    """Answer the columns' names."""
    return [*_HEAD, *(_ORDER if per is Per.ORDER else _LINE)]


def stream_rows(found: "QuerySet[Order]", *, per: Per) -> Iterator[Row]:
    """Answer the rows of the orders, in the order in which they came in. Two queries for each 500."""
    orders = found.select_related("store").order_by("id")
    after: UUID | None = None
    while chunk := list((orders.filter(id__gt=after) if after else orders)[:_CHUNK]):
        after = chunk[-1].pk
        yield from _orders(chunk) if per is Per.ORDER else _lines(chunk)


def _head(order: Order) -> Row:
    return [read(order) for read in _HEAD.values()]


def _orders(orders: list[Order]) -> Iterator[Row]:
    rows = OrderLine.objects.filter(order__in=orders, qty_ordered__gt=0).values("order").order_by()
    sums = {row["order"]: row for row in rows.annotate(lots=Count("pk"), pieces=Sum("qty_ordered"))}
    for order in orders:
        yield [*_head(order), *(read(order, sums.get(order.pk, {})) for read in _ORDER.values())]


def _lines(orders: list[Order]) -> Iterator[Row]:
    lines: dict[UUID, list[OrderLine]] = defaultdict(list)
    for line in OrderLine.objects.filter(order__in=orders, qty_ordered__gt=0).order_by("order", "position"):
        lines[line.order_id].append(line)
    for order in orders:
        head = _head(order)
        for line in lines[order.pk]:
            yield [*head, *(read(line) for read in _LINE.values())]
