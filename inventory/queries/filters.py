"""What narrows a list of lots: read from an address, told in words, and turned into one condition.

The list, the API, bulk edits and exports all mean the same by the same parameters.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.db.models.lookups import Contains
from django.utils import timezone
from django.utils.dateformat import format as format_date

from catalog import colors
from catalog.choices import ItemType
from catalog.queries.search import SURE, Hit
from catalog.search import number_of
from common import workspace
from common.filters import FilterSet, Parameter, Term, read_amount, read_choice, read_moment, read_text, read_whole
from inventory.choices import Completeness, ItemCondition, StockRoom, SubCondition
from inventory.models import InventoryItem, InventoryItemLocation
from inventory.models.lots import searchable
from inventory.queries.mappings import meant_by

# A word of the search needs three characters for the trigram index to say anything.
_INDEXED = 3
_MAX_TEXT, _MAX_WORDS, _MAX_IDS = 200, 8, 5000
# So many lots are sooner found and sorted than met in the order of a list.
_FEW = 5_000

__all__ = ["PARAMETERS", "Filters", "Parameter", "Term", "filtered", "leaves_few", "resolved", "stale_before"]

_YES, _NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class Filters(FilterSet):
    """What narrows a list of lots."""

    # What the search means on other platforms, if it is in no lot as it stands; None: not looked for yet (`resolved`).
    meant: tuple[Hit, ...] | None = None


def filtered(filters: Filters) -> "QuerySet[InventoryItem]":
    """Answer the lots that the filters leave, in no order. What they don't know narrows nothing.

    Two queries where a number is searched for that isn't resolved yet.
    """
    filters = resolved(filters)
    found = InventoryItem.objects.all()
    for name, value in filters.values.items():
        is_meant = name == "q" and filters.meant
        found = found.filter(_of_items(filters.meant or ()) if is_meant else PARAMETERS[name].condition(value))
    return found


def resolved(filters: Filters) -> Filters:
    """Answer the filters with what a number in the search means, where no lot has it as it stands.

    An element id or a number of Rebrickable's then finds the lots of that item and color. One query for a number, some
    more where no lot has it; none for words.
    """
    text = filters.values.get("q", "")
    if filters.meant is not None or number_of(text) is None:
        return filters
    if InventoryItem.objects.filter(_search(text)).order_by().exists():
        return replace(filters, meant=())
    return replace(filters, meant=tuple(hit for hit in meant_by(text) if hit.confidence >= SURE))


def _of_items(hits: Iterable[Hit]) -> Q:
    """Answer the condition that a lot is of one of the items, in its color where the number says which."""
    found = Q(pk__in=[])
    for hit in hits:
        color = {} if hit.color_id is None else {"color_id": hit.color_id}
        found |= Q(item_type=hit.item_type, item_no=hit.item_no, **color)
    return found


def leaves_few(filters: Filters) -> bool:
    """Tell whether a search leaves few lots, as far as PostgreSQL can tell beforehand.

    In the order of a list these may all come behind every other lot of the shop. A query, where words are searched for.
    """
    if not _words_of(filters.values.get("q", "")):
        return False
    plan = filtered(resolved(filters)).order_by().values("pk").explain(format="json")
    # What no lot can meet, such as being one of no lots, isn't asked and has no plan.
    return not plan or bool(json.loads(plan)[0]["Plan"]["Plan Rows"] <= _FEW)


# --- Reading --------------------------------------------------------------------------------------------------------
def _color(text: str) -> int:
    number = read_whole(text)
    if colors.get(number) is None:
        raise ValueError(text)
    return number


def _ids(text: str) -> tuple[UUID, ...]:
    parts = text.replace(",", " ").split()
    if len(parts) > _MAX_IDS:
        raise ValueError(text)
    return tuple(UUID(part) for part in parts)


# --- Conditions -----------------------------------------------------------------------------------------------------
def _prefix(word: str) -> Q:
    """Answer the condition that a lot's number begins so, in whichever case the file wrote it."""
    found = Q()
    for form in dict.fromkeys((word, word.lower(), word.upper())):
        found |= Q(item_no__startswith=form)
    return found


def _words_of(text: str) -> list[str]:
    return list(dict.fromkeys(text.lower().split()))[:_MAX_WORDS]


def _search(text: str) -> Q:
    """Answer the condition that each word of the text is somewhere in number, name, color, remarks or description.

    A word too short for the index narrows what the longer ones found; alone, it is the beginning of a number.
    """
    found = Q()
    words = _words_of(text)
    is_indexed = any(len(word) >= _INDEXED for word in words)
    for word in words:
        if is_indexed:
            found &= Q(Contains(searchable(), word))
        else:
            found &= _prefix(word)
    return found


def _at(code: str) -> Q:
    """Answer the condition that pieces lie at a place: of that code, or of one that begins so (`A-03*`)."""
    places = InventoryItemLocation.objects.filter(qty__gt=0)
    if code.endswith("*"):
        places = places.filter(location__code__istartswith=code.rstrip("*"))
    else:
        places = places.filter(location__code__iexact=code)
    return Q(pk__in=places.values("inventory_item"))


def stale_before(now: datetime) -> datetime:
    """Answer since when a lot must have been neither sold nor added to be stale."""
    return now - timedelta(days=workspace.current().stale_after_days)


def _stale(value: str) -> Q:
    before = stale_before(timezone.now())
    condition = Q(date_added__lt=before) & (Q(last_sold_at__isnull=True) | Q(last_sold_at__lt=before))
    return condition if value == _YES else ~condition


def _low(value: str) -> Q:
    condition = Q(low_stock_threshold__isnull=False) & Q(qty_available__lt=F("low_stock_threshold"))
    return condition if value == _YES else ~condition


def _either(yes: Q, no: Q | None = None) -> Callable[[str], Q]:
    return lambda value: yes if value == _YES else (~yes if no is None else no)


def _stock_room(value: str) -> Q:
    if value == "none":
        return Q(is_stock_room=False)
    return Q(is_stock_room=True) if value == "any" else Q(is_stock_room=True, stock_room_id=value)


# --- Words ----------------------------------------------------------------------------------------------------------
def _color_name(color_id: int) -> str:
    color = colors.get(color_id)
    return color.name if color else str(color_id)


def _label(choices: Any) -> Callable[[Any], str]:
    return lambda value: str(choices(value).label)


def _said(yes: str, no: str) -> Callable[[str], str]:
    return lambda value: yes if value == _YES else no


def _price_words(words: str) -> Callable[[Decimal], str]:
    return lambda value: f"{words} {value.normalize():f}"


def _day_words(words: str) -> Callable[[datetime], str]:
    return lambda value: f"{words} {format_date(value.astimezone(workspace.current().zone), 'j M Y')}"


_YES_NO = read_choice(_YES, _NO)

PARAMETERS: Mapping[str, Parameter] = {
    parameter.name: parameter
    for parameter in (
        Parameter("q", "Search", read_text(_MAX_TEXT), _search, lambda value: f"“{value}”"),
        Parameter("item_no", "Item", read_text(60), lambda value: Q(item_no=value), lambda value: f"Item {value}"),
        Parameter(
            "type", "Type", read_choice(*ItemType.values), lambda value: Q(item_type__in=value), _label(ItemType),
            several=True,
        ),
        Parameter(
            "color", "Color", _color, lambda value: Q(color_id__in=value), _color_name, several=True
        ),
        Parameter(
            "category", "Category", read_text(200), lambda value: Q(category_name=value),
            lambda value: f"Category: {value}",
        ),
        Parameter(
            "condition", "Condition", read_choice(*ItemCondition.values), lambda value: Q(condition=value),
            _label(ItemCondition),
        ),
        Parameter(
            "completeness", "Completeness", read_choice(*Completeness.values), lambda value: Q(completeness=value),
            _label(Completeness),
        ),
        Parameter(
            "grade", "Grade", read_choice(*SubCondition.values), lambda value: Q(sub_condition=value),
            _label(SubCondition),
        ),
        Parameter("location", "Location", read_text(41), _at, lambda value: f"At {value}"),
        Parameter(
            "placed", "Placed", _YES_NO, _either(Q(location_key__gt=""), Q(location_key="")),
            _said("Has a location", "No location"),
        ),
        Parameter(
            "price_min", "Price from", read_amount, lambda value: Q(unit_price__gte=value), _price_words("Price from")
        ),
        Parameter(
            "price_max", "Price to", read_amount, lambda value: Q(unit_price__lte=value), _price_words("Price to")
        ),
        Parameter(
            "qty_min", "Available from", read_whole, lambda value: Q(qty_available__gte=value),
            lambda value: f"Available from {value:,}",
        ),
        Parameter(
            "qty_max", "Available to", read_whole, lambda value: Q(qty_available__lte=value),
            lambda value: f"Available to {value:,}",
        ),
        Parameter(
            "reserved", "Reserved", _YES_NO, _either(Q(qty_reserved__gt=0), Q(qty_reserved=0)),
            _said("Reserved for orders", "Nothing reserved"),
        ),
        Parameter(
            "stockroom", "Stockroom", read_choice("any", "none", *StockRoom.values), _stock_room,
            lambda value: {"any": "In a stockroom", "none": "For sale"}.get(value, f"Stockroom {value}"),
        ),
        Parameter(
            "retain", "Retain", _YES_NO, _either(Q(is_retain=True), Q(is_retain=False)),
            _said("Retained", "Not retained"),
        ),
        Parameter(
            "sale", "Sale", _YES_NO, _either(Q(sale_percent__gt=0), Q(sale_percent=0)),
            _said("On sale", "Not on sale"),
        ),
        Parameter(
            "cost", "Cost", _YES_NO, _either(Q(cost_basis__isnull=False), Q(cost_basis__isnull=True)),
            _said("With cost", "Without cost"),
        ),
        Parameter("low", "Low stock", _YES_NO, _low, _said("Low stock", "Not low")),
        Parameter("stale", "Stale", _YES_NO, _stale, _said("Stale", "Not stale")),
        Parameter("tiers", "Tier prices", _YES_NO, _either(~Q(tier_prices=[]), Q(tier_prices=[])),
                  _said("With tier prices", "Without tier prices")),
        Parameter(
            "locked", "Price lock", _YES_NO, _either(Q(price_locked=True), Q(price_locked=False)),
            _said("Price locked", "Price not locked"),
        ),
        Parameter(
            "reserved_for", "Reserved for", read_text(60), lambda value: Q(reserved_for=value),
            lambda value: f"Reserved for {value}",
        ),
        Parameter(
            "added_since", "Added since", read_moment, lambda value: Q(date_added__gte=value), _day_words("Added since")
        ),
        Parameter(
            "updated_since", "Changed since", read_moment, lambda value: Q(updated_at__gte=value),
            _day_words("Changed since"),
        ),
        Parameter("ids", "Lots", _ids, lambda value: Q(pk__in=value), lambda value: f"{len(value):,} chosen lots"),
    )
}  # fmt: skip

Filters.parameters = PARAMETERS
