"""What narrows a list of orders: the page, the API and bulk actions all mean the same by the same parameters."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.db.models.lookups import Contains
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django_countries import countries

from common import workspace
from common.countries import EU
from common.filters import FilterSet, Parameter, read_amount, read_choice, read_moment, read_text, read_whole
from orders.choices import Flag, OrderStatus, PaymentStatus
from orders.lifecycle import PROMISED
from orders.models import Order, OrderLine, order_text

_INDEXED, _MAX_WORDS, _MAX_IDS, _MAX_TEXT = 3, 8, 5_000, 200
_YES_NO = read_choice("yes", "no")

# The seller's day, from left to right.
TO_DO = "todo"
TABS: Mapping[str, tuple[str, Q]] = {
    TO_DO: ("To do", Q(status__in=sorted(PROMISED))),
    "new": ("New", Q(status=OrderStatus.NEW)),
    "to_pick": ("To pick", Q(status=OrderStatus.PENDING)),
    "picking": ("Picking", Q(status=OrderStatus.PICKING)),
    "to_pack": ("To pack", Q(status=OrderStatus.PACKING)),
    "to_ship": ("To ship", Q(status=OrderStatus.READY)),
    "shipped": ("Shipped", Q(status__in=[OrderStatus.SHIPPED, OrderStatus.DELIVERED, OrderStatus.COMPLETED])),
    "problem": ("Problem", Q(needs_attention=True)),
}


class Filters(FilterSet):
    """What narrows a list of orders."""


def filtered(filters: Filters) -> "QuerySet[Order]":
    """Answer the orders that the filters leave, in no order. What they don't know narrows nothing."""
    found = Order.objects.all()
    for name, value in filters.values.items():
        found = found.filter(PARAMETERS[name].condition(value))
    return found


def search(text: str) -> Q:
    """Answer the condition that each word is in number, buyer, user name, address or tracking number; or that a line is
    of that item.

    Both are read from their index, and then put together.
    """
    words = list(dict.fromkeys(text.lower().split()))[:_MAX_WORDS]
    said = Order.objects.all()
    for word in words:
        found = Q(Contains(order_text(), word)) if len(word) >= _INDEXED else Q(external_order_id__istartswith=word)
        said = said.filter(found)
    if len(words) != 1:
        return Q(pk__in=said.order_by().values("pk"))
    forms = list(dict.fromkeys((text.strip(), words[0], words[0].upper())))
    of_item = OrderLine.objects.filter(item_no__in=forms).order_by().values("order_id")
    ids = [said.order_by().values("pk"), of_item]
    if words[0].isascii() and words[0].isdecimal() and len(words[0]) < 19:  # noqa: PLR2004  # a bigint has 19 digits
        ids.append(Order.objects.filter(number=int(words[0])).order_by().values("pk"))
    return Q(pk__in=ids[0].union(*ids[1:]))


def _ids(text: str) -> tuple[UUID, ...]:
    parts = text.replace(",", " ").split()
    if len(parts) > _MAX_IDS:
        raise ValueError(text)
    return tuple(UUID(part) for part in parts)


def _country(text: str) -> str:
    if countries.name(text):
        return text
    raise ValueError(text)


def _day_after(text: str) -> datetime:
    """Read a day, and answer when the next one begins."""
    try:
        return read_moment(text) + timedelta(days=1)
    except OverflowError:
        raise ValueError(text) from None


def _uuid(text: str) -> UUID:
    return UUID(text)


def _label(choices: Any) -> Callable[[Any], str]:
    return lambda value: str(choices(value).label)


def _day_words(words: str) -> Callable[[datetime], str]:
    return lambda value: f"{words} {format_date(value.astimezone(workspace.current().zone), 'j M Y')}"


def _late(value: str) -> Q:
    late = Q(ship_by__lt=timezone.now(), status__in=sorted(PROMISED))
    return late if value == "yes" else ~late


_REGIONS = {"eu": "European Union", "world": "Outside the European Union"}


def _region(value: str) -> Q:
    inside = Q(ship_country__in=sorted(EU))
    return inside if value == "eu" else ~inside & ~Q(ship_country="")


def _few_lots(most: int) -> Q:
    """Answer the condition that an open order has at most so many lots; of those that have left nobody asks."""
    lines = OrderLine.objects.filter(order__status__in=sorted(PROMISED), qty_ordered__gt=0).order_by().values("order")
    return Q(pk__in=lines.annotate(lots=Count("pk")).filter(lots__lte=most).values("order"))


def _short(value: str) -> Q:
    """Answer the condition that pieces of an open order are missing, read from a small index."""
    short = Q(pk__in=OrderLine.objects.filter(Q(qty_short__gt=0) | Q(qty_missing__gt=0)).values("order"))
    return short & Q(status__in=sorted(PROMISED)) if value == "yes" else ~short


PARAMETERS: Mapping[str, Parameter] = {
    parameter.name: parameter
    for parameter in (
        Parameter("q", "Search", read_text(_MAX_TEXT), search, lambda value: f"“{value}”"),
        Parameter("tab", "Tab", read_choice(*TABS), lambda value: TABS[value][1], lambda value: TABS[value][0]),
        Parameter(
            "status", "Status", read_choice(*OrderStatus.values), lambda value: Q(status__in=value),
            _label(OrderStatus), several=True,
        ),
        Parameter(
            "payment", "Payment", read_choice(*PaymentStatus.values), lambda value: Q(payment_status=value),
            _label(PaymentStatus),
        ),
        Parameter("store", "Store", _uuid, lambda value: Q(store=value), lambda _value: "One store"),
        Parameter(
            "country", "Country", _country, lambda value: Q(ship_country=value),
            lambda value: str(countries.name(value)),
        ),
        Parameter("region", "Region", read_choice(*_REGIONS), _region, lambda value: _REGIONS[value]),
        Parameter("lots_max", "Lots to", read_whole, _few_lots, lambda value: f"At most {value:,} lots"),
        Parameter("tag", "Tag", read_text(30), lambda value: Q(tags__contains=[value]), lambda value: f"Tag {value}"),
        Parameter(
            "flag", "Flag", read_choice(*Flag.values), lambda value: Q(flags__contains=[value]), _label(Flag)
        ),
        Parameter("buyer", "Buyer", _uuid, lambda value: Q(buyer=value), lambda _value: "One buyer"),
        Parameter(
            "item", "Item", read_text(60),
            lambda value: Q(pk__in=OrderLine.objects.filter(item_no=value, qty_ordered__gt=0).values("order")),
            lambda value: f"With item {value}",
        ),
        Parameter(
            "lot", "Lot", _uuid,
            lambda value: Q(pk__in=OrderLine.objects.filter(inventory_item=value, qty_ordered__gt=0).values("order")),
            lambda _value: "With one lot",
        ),
        Parameter(
            "short", "Short", _YES_NO, _short, lambda value: "Pieces short" if value == "yes" else "Nothing short"
        ),
        Parameter("late", "Late", _YES_NO, _late, lambda value: "Late" if value == "yes" else "Not late"),
        Parameter(
            "total_min", "Total from", read_amount, lambda value: Q(grand_total__gte=value),
            lambda value: f"Total from {value}",
        ),
        Parameter(
            "total_max", "Total to", read_amount, lambda value: Q(grand_total__lte=value),
            lambda value: f"Total to {value}",
        ),
        Parameter(
            "since", "Placed since", read_moment, lambda value: Q(ordered_at__gte=value), _day_words("Placed since")
        ),
        Parameter(
            "until", "Placed until", _day_after, lambda value: Q(ordered_at__lt=value),
            lambda value: _day_words("Placed until")(value - timedelta(days=1)),
        ),
        Parameter(
            "updated_since", "Changed since", read_moment, lambda value: Q(updated_at__gte=value),
            _day_words("Changed since"),
        ),
        Parameter("ids", "Orders", _ids, lambda value: Q(pk__in=value), lambda value: f"{len(value):,} chosen orders"),
    )
}  # fmt: skip

Filters.parameters = PARAMETERS
