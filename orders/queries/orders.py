"""What is asked about orders: the list in pages, its tabs with their counts, one order with all that belongs to it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum
from django.urls import reverse
from django.utils import timezone

from common.api.pagination import CursorPagination, Page
from common.errors import NotFound
from orders.choices import Flag
from orders.lifecycle import PROMISED
from orders.models import Order, OrderLine
from orders.queries.filters import TABS, Filters, filtered

COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Sort:
    """What a list can be sorted by; each has its index."""

    key: str
    nulls_last: bool = False


SORTS: Mapping[str, Sort] = {
    "placed": Sort("ordered_at"),
    "number": Sort("number"),
    "total": Sort("grand_total"),
    "ship_by": Sort("ship_by", nulls_last=True),
    "changed": Sort("status_changed_at"),
}
DEFAULT_SORT = "-placed"


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as lists show it."""

    id: UUID
    number: str
    own_number: int
    store: str
    channel: str
    buyer_id: UUID | None
    buyer: str
    buyer_orders: int
    country: str
    lots: int
    pieces: int
    short: int
    picked: int
    total: Decimal
    currency: str
    status: str
    payment_status: str
    payment_label: str
    flags: tuple[str, ...]
    tags: tuple[str, ...]
    needs_attention: bool
    ordered_at: datetime
    ship_by: datetime | None
    is_late: bool
    is_due: bool
    version: int
    in_parcel: bool

    @property
    def may_join(self) -> bool:
        """Tell whether it can still go in a parcel with others."""
        return self.status in PROMISED

    @property
    def url(self) -> str:
        """Answer the order's page."""
        return order_url(self.id)


def order_url(order_id: UUID) -> str:
    """Answer an order's page."""
    return reverse("orders:order", args=[order_id])


def flag_labels(flags: Iterable[str]) -> tuple[str, ...]:
    """Answer flags in words."""
    return tuple(str(Flag(flag).label) for flag in flags)


def _pages(sort: str) -> CursorPagination:
    found = SORTS.get(sort.removeprefix("-")) or SORTS[DEFAULT_SORT.removeprefix("-")]
    return CursorPagination(f"{'-' if sort.startswith('-') else ''}{found.key}", nulls_last=found.nulls_last)


def list_page(filters: Filters, *, sort: str = DEFAULT_SORT, cursor: str | None = None, limit: int = 50) -> Page[Any]:
    """Answer a page of the list, as rows. Three queries. Raises BadRequest for a cursor that isn't of this order."""
    found = filtered(filters).select_related("store").defer("notes", "buyer_note", "warnings", "ship_to")
    page = _pages(sort).page(found, cursor=cursor, limit=limit)
    return Page(rows=rows_of(page.rows), next=page.next, previous=page.previous)


def rows_of(orders: Sequence[Order]) -> list[OrderRow]:
    """Answer orders as lists show them. Two queries more."""
    if not orders:
        return []
    sums: dict[UUID, Mapping[str, Any]] = {
        row["order"]: row
        for row in OrderLine.objects.filter(order__in=[order.pk for order in orders], qty_ordered__gt=0)
        .values("order")
        .annotate(
            lots=Count("pk"),
            pieces=Sum("qty_ordered"),
            short=Sum("qty_short") + Sum("qty_missing"),
            picked=Sum("qty_picked"),
        )
    }
    buyers = {order.buyer_id for order in orders if order.buyer_id}
    times = dict(Order.objects.filter(buyer__in=buyers).values_list("buyer").annotate(times=Count("pk")).order_by())
    now = timezone.now()
    return [_row(order, sums.get(order.pk, {}), times.get(order.buyer_id, 0), now=now) for order in orders]


def _row(order: Order, sums: Mapping[str, Any], times: int, *, now: datetime) -> OrderRow:
    is_waiting = order.is_open and order.ship_by is not None
    return OrderRow(
        id=order.pk, number=order.external_order_id, own_number=order.number, store=order.store.name,
        channel=order.store.get_channel_display(), buyer_id=order.buyer_id,
        buyer=order.buyer_name or order.buyer_username or order.buyer_email, buyer_orders=times,
        country=order.ship_country, lots=sums.get("lots", 0), pieces=sums.get("pieces", 0),
        short=sums.get("short", 0) if order.is_open else 0, picked=sums.get("picked", 0), total=order.grand_total,
        currency=order.currency,
        status=order.status, payment_status=order.payment_status, payment_label=order.get_payment_status_display(),
        flags=flag_labels(order.flags), tags=tuple(order.tags), needs_attention=order.needs_attention,
        ordered_at=order.ordered_at, ship_by=order.ship_by,
        is_late=bool(is_waiting and order.ship_by and order.ship_by < now),
        is_due=bool(is_waiting and order.ship_by and order.ship_by.date() == now.date()),
        version=order.version, in_parcel=order.ships_with_id is not None,
    )  # fmt: skip


def capped_count(found: "QuerySet[Any]", limit: int = COUNTED) -> int:
    """Answer how many there are, or one more than the limit."""
    return found.order_by()[: limit + 1].count()


def count_of(filters: Filters) -> int:
    """Answer how many orders the filters leave, or one more than is counted. Read in the order of their indexes."""
    return filtered(filters).order_by("ordered_at")[: COUNTED + 1].count()


def tab_counts() -> dict[str, int]:
    """Answer how many orders wait in each tab that calls for action. One query, from small indexes."""
    counted = {name: condition for name, (_label, condition) in TABS.items() if name not in {"shipped", "problem"}}
    waiting = Order.objects.filter(TABS["todo"][1]).aggregate(
        **{name: Count("pk", filter=condition) for name, condition in counted.items()}
    )
    return {**waiting, "problem": capped_count(Order.objects.filter(needs_attention=True))}


def any_orders() -> bool:
    """Tell whether there is any order at all."""
    return Order.objects.exists()


def get_order(order_id: UUID) -> Order:
    """Answer an order with its store and buyer; raises NotFound."""
    order = Order.objects.select_related("store", "buyer", "replaces", "ships_with").filter(pk=order_id).first()
    if order is None:
        raise NotFound("This order doesn't exist.")
    return order


def find(order_id: UUID) -> Order | None:
    """Answer an order with its store, or None."""
    return Order.objects.select_related("store").filter(pk=order_id).first()


def find_orders(text: str, *, limit: int = 8) -> list[OrderRow]:
    """Answer orders by number, buyer or item, the newest first, for the palette."""
    found = filtered(Filters.parse({"q": text[:200]})) if text.strip() else Order.objects.all()
    return rows_of(list(found.select_related("store").order_by("-ordered_at", "-id")[:limit]))


def orders_of_lot(lot_id: UUID, *, limit: int = 20) -> list[OrderRow]:
    """Answer the newest orders with pieces of a lot. Three queries."""
    found = filtered(Filters.parse({"lot": str(lot_id)})).select_related("store")
    return rows_of(list(found.order_by("-ordered_at", "-id")[:limit]))


@dataclass(frozen=True, slots=True)
class OpenDemand:
    """What open orders want of an item."""

    orders: int
    pieces: int
    rows: tuple[OrderRow, ...]


def open_demand(item_type: str, item_no: str, *, limit: int = 5) -> OpenDemand:
    """Answer which open orders contain an item, the oldest first. Four queries."""
    lines = OrderLine.objects.filter(TAB_OPEN, item_type=item_type, item_no=item_no, qty_ordered__gt=0)
    sums = lines.aggregate(orders=Count("order", distinct=True), pieces=Sum("qty_ordered"))
    if not sums["orders"]:
        return OpenDemand(0, 0, ())
    found = Order.objects.filter(pk__in=lines.values("order")).select_related("store")
    return OpenDemand(
        sums["orders"], sums["pieces"] or 0, tuple(rows_of(list(found.order_by("ordered_at", "id")[:limit])))
    )


TAB_OPEN = Q(order__status__in=sorted(PROMISED))
