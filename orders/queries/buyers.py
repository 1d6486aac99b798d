"""What is asked about buyers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.urls import reverse

from common.api.pagination import CursorPagination, Page
from common.errors import NotFound
from orders.models import Buyer, BuyerIdentity, Order
from orders.queries.orders import OrderRow, rows_of

_SHOWN = 50


@dataclass(frozen=True, slots=True)
class BuyerRow:
    """A buyer as lists show them."""

    id: UUID
    name: str
    email: str
    country: str
    orders: int
    last_ordered_at: datetime | None
    is_erased: bool

    @property
    def url(self) -> str:
        """Answer the buyer's page."""
        return buyer_url(self.id)


def buyer_url(buyer_id: UUID) -> str:
    """Answer a buyer's page."""
    return reverse("orders:buyer", args=[buyer_id])


def buyers_matching(text: str) -> "QuerySet[Buyer]":
    """Answer the buyers whose name, address or user name has the text, in no order."""
    found = Buyer.objects.all()
    for word in text.lower().split()[:8]:
        known = BuyerIdentity.objects.filter(value__contains=word).values("buyer")
        found = found.filter(Q(name__icontains=word) | Q(pk__in=known))
    return found


def list_page(text: str, *, cursor: str | None = None, limit: int = 50) -> Page[Any]:
    """Answer a page of buyers, who ordered last first. Two queries."""
    pages = CursorPagination("-last_ordered_at", nulls_last=True)
    page = pages.page(buyers_matching(text), cursor=cursor, limit=limit)
    return Page(rows=buyer_rows(page.rows), next=page.next, previous=page.previous)


def buyer_rows(buyers: list[Buyer]) -> list[BuyerRow]:
    """Answer buyers as lists show them. One query more."""
    if not buyers:
        return []
    sums: dict[Any, Mapping[str, Any]] = {
        row["buyer"]: row
        for row in Order.objects.filter(buyer__in=[buyer.pk for buyer in buyers])
        .values("buyer")
        .annotate(orders=Count("pk"), country=Max("ship_country"))
        .order_by()
    }
    return [
        BuyerRow(
            buyer.pk, str(buyer), buyer.email, sums.get(buyer.pk, {}).get("country", "") or "",
            sums.get(buyer.pk, {}).get("orders", 0), buyer.last_ordered_at, buyer.erased_at is not None,
        )
        for buyer in buyers
    ]  # fmt: skip


def find_buyers(text: str, *, limit: int = 8) -> list[BuyerRow]:
    """Answer buyers for the palette."""
    return buyer_rows(list(buyers_matching(text).order_by("-last_ordered_at", "-id")[:limit]))


def get_buyer(buyer_id: UUID) -> Buyer:
    """Answer a buyer; raises NotFound."""
    buyer = Buyer.objects.filter(pk=buyer_id).first()
    if buyer is None:
        raise NotFound("There is no such buyer.")
    return buyer


@dataclass(frozen=True, slots=True)
class Spent:
    """What somebody has ordered in one currency."""

    currency: str
    total: Decimal


@dataclass(frozen=True, slots=True)
class BuyerStory:
    """What a buyer has ordered so far."""

    orders: int
    first_at: datetime | None
    spent: tuple[Spent, ...]
    rows: tuple[OrderRow, ...]
    identities: tuple[str, ...]


def story_of(buyer: Buyer) -> BuyerStory:
    """Answer a buyer's orders over all channels, the newest first. Six queries."""
    found = Order.objects.filter(buyer=buyer)
    sums = found.aggregate(orders=Count("pk"), first=Min("ordered_at"))
    kept = found.exclude(status="CANCELLED").values_list("currency").annotate(total=Sum("grand_total"))
    return BuyerStory(
        orders=sums["orders"],
        first_at=sums["first"],
        spent=tuple(Spent(currency, total or Decimal(0)) for currency, total in kept.order_by("currency")),
        rows=tuple(rows_of(list(found.select_related("store").order_by("-ordered_at", "-id")[:_SHOWN]))),
        identities=tuple(str(each) for each in buyer.identities.order_by("system", "value")),
    )


def may_be_the_same(buyer: Buyer) -> list[BuyerRow]:
    """Answer other buyers of the same name: a person says whether they are one."""
    if not buyer.name or buyer.erased_at:
        return []
    found = Buyer.objects.filter(name__iexact=buyer.name, erased_at__isnull=True).exclude(pk=buyer.pk)
    return buyer_rows(list(found.order_by("-last_ordered_at", "-id")[:5]))
