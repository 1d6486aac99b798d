"""What narrows a list of lots: read from an address, told in words, and turned into one condition.

The list, the API, bulk edits and exports all mean the same by the same parameters.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.db.models.lookups import Contains
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateformat import format as format_date

from catalog import colors
from catalog.choices import ItemType
from catalog.queries.search import SURE, Hit
from catalog.search import number_of
from common import workspace
from inventory.choices import Completeness, ItemCondition, StockRoom, SubCondition
from inventory.models import InventoryItem, InventoryItemLocation
from inventory.models.lots import searchable
from inventory.queries.mappings import meant_by
from inventory.tiers import has_too_many_places

# A word of the search needs three characters for the trigram index to say anything.
_INDEXED = 3
_MAX_TEXT, _MAX_WORDS, _MAX_IDS = 200, 8, 5000
# So many lots are sooner found and sorted than met in the order of a list.
_FEW = 5_000
_PRICE_LIMIT, _QTY_LIMIT = Decimal(10) ** 8, 2**31
_YES, _NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an address. `read` raises ValueError for what it doesn't know; `several`: it may be repeated."""

    name: str
    label: str
    read: Callable[[str], Any]
    condition: Callable[[Any], Q]
    words: Callable[[Any], str]
    several: bool = False


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that a list is narrowed by, or is asked to be but isn't, since nobody knows what it means."""

    name: str
    raw: str
    words: str
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Filters:
    """What narrows a list of lots. `values`: by parameter, tuples where it may be repeated; `unknown` isn't applied."""

    values: Mapping[str, Any] = field(default_factory=dict)
    unknown: tuple[Term, ...] = ()
    raw: tuple[tuple[str, str], ...] = ()
    # What the search means on other platforms, if it is in no lot as it stands; None: not looked for yet (`resolved`).
    meant: tuple[Hit, ...] | None = None

    @classmethod
    def parse(cls, params: QueryDict | Mapping[str, Any] | str, *, beside: Iterable[str] = ()) -> "Filters":
        """Read an address. `beside`: its parameters that aren't filters. What isn't understood is kept as unknown."""
        query = params if isinstance(params, QueryDict) else _as_query(params)
        values: dict[str, Any] = {}
        unknown: list[Term] = []
        raw: list[tuple[str, str]] = []
        for name in query:
            if name in beside:
                continue
            for text in dict.fromkeys(part.strip() for part in query.getlist(name)):
                if not text:
                    continue
                parameter = PARAMETERS.get(name)
                if parameter is None:
                    unknown.append(Term(name, text, f"{name[:40]}: {text[:60]}", is_known=False))
                    continue
                try:
                    value = parameter.read(text)
                except ValueError:
                    unknown.append(Term(name, text, f"{parameter.label}: {text[:60]}", is_known=False))
                    continue
                if parameter.several:
                    values[name] = (*values.get(name, ()), value)
                elif name in values:
                    unknown.append(Term(name, text, f"{parameter.label}: {text[:60]}", is_known=False))
                    continue
                else:
                    values[name] = value
                raw.append((name, text))
        return cls(values, tuple(unknown), tuple(raw))

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing narrows the list."""
        return not self.values

    @property
    def terms(self) -> tuple[Term, ...]:
        """Answer what narrows the list, one by one, in words; then what isn't known."""
        known = []
        for name, text in self.raw:
            parameter = PARAMETERS[name]
            known.append(Term(name, text, parameter.words(parameter.read(text))))
        return (*known, *self.unknown)

    def without(self, term: Term) -> "Filters":
        """Answer the filters without one of their terms."""
        kept = [(name, text) for name, text in self._everything() if (name, text) != (term.name, term.raw)]
        return Filters.parse(_query_of(kept))

    def having(self, name: str, text: str) -> "Filters":
        """Answer the filters with one parameter set to one value, or taken away where that is empty."""
        kept = [pair for pair in self._everything() if pair[0] != name]
        return Filters.parse(_query_of([*kept, (name, text)] if text else kept))

    def as_query(self) -> str:
        """Answer the filters as an address has them: the same filters, the same text."""
        # What may be repeated means the same in any order; of the rest the first is meant.
        pairs = sorted(self._everything(), key=lambda pair: (pair[0], pair[1] if _may_repeat(pair[0]) else ""))
        return _query_of(pairs).urlencode()

    def _everything(self) -> list[tuple[str, str]]:
        return [*self.raw, *((term.name, term.raw) for term in self.unknown)]


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


def _may_repeat(name: str) -> bool:
    return name in PARAMETERS and PARAMETERS[name].several


def _as_query(params: Mapping[str, Any] | str) -> QueryDict:
    if isinstance(params, str):
        return QueryDict(params.removeprefix("?"))
    return _query_of(
        (name, str(value))
        for name, values in params.items()
        for value in (values if isinstance(values, list | tuple) else [values])
    )


def _query_of(pairs: Iterable[tuple[str, str]]) -> QueryDict:
    query = QueryDict(mutable=True)
    for name, text in pairs:
        query.appendlist(name, text)
    return query


# --- Reading --------------------------------------------------------------------------------------------------------
def _text(limit: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if len(text) > limit or "\x00" in text:
            raise ValueError(text)
        return text

    return read


def _choice(*known: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in known:
            raise ValueError(text)
        return text

    return read


def _color(text: str) -> int:
    number = _whole(text)
    if colors.get(number) is None:
        raise ValueError(text)
    return number


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) >= _QTY_LIMIT:
        raise ValueError(text)
    return int(text)


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text.replace(",", "."))
    except InvalidOperation:
        raise ValueError(text) from None
    if not amount.is_finite() or not 0 <= amount < _PRICE_LIMIT or has_too_many_places(amount):
        raise ValueError(text)
    return amount


def _moment(text: str) -> datetime:
    """Read a day, which begins in the shop's zone, or a time with its zone."""
    if "T" not in text:
        return datetime.combine(date.fromisoformat(text), time(), tzinfo=workspace.current().zone)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


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


_YES_NO = _choice(_YES, _NO)

PARAMETERS: Mapping[str, Parameter] = {
    parameter.name: parameter
    for parameter in (
        Parameter("q", "Search", _text(_MAX_TEXT), _search, lambda value: f"“{value}”"),
        Parameter("item_no", "Item", _text(60), lambda value: Q(item_no=value), lambda value: f"Item {value}"),
        Parameter(
            "type", "Type", _choice(*ItemType.values), lambda value: Q(item_type__in=value), _label(ItemType),
            several=True,
        ),
        Parameter(
            "color", "Color", _color, lambda value: Q(color_id__in=value), _color_name, several=True
        ),
        Parameter(
            "category", "Category", _text(200), lambda value: Q(category_name=value), lambda value: f"Category: {value}"
        ),
        Parameter(
            "condition", "Condition", _choice(*ItemCondition.values), lambda value: Q(condition=value),
            _label(ItemCondition),
        ),
        Parameter(
            "completeness", "Completeness", _choice(*Completeness.values), lambda value: Q(completeness=value),
            _label(Completeness),
        ),
        Parameter(
            "grade", "Grade", _choice(*SubCondition.values), lambda value: Q(sub_condition=value), _label(SubCondition)
        ),
        Parameter("location", "Location", _text(41), _at, lambda value: f"At {value}"),
        Parameter(
            "placed", "Placed", _YES_NO, _either(Q(location_key__gt=""), Q(location_key="")),
            _said("Has a location", "No location"),
        ),
        Parameter(
            "price_min", "Price from", _amount, lambda value: Q(unit_price__gte=value), _price_words("Price from")
        ),
        Parameter("price_max", "Price to", _amount, lambda value: Q(unit_price__lte=value), _price_words("Price to")),
        Parameter(
            "qty_min", "Available from", _whole, lambda value: Q(qty_available__gte=value),
            lambda value: f"Available from {value:,}",
        ),
        Parameter(
            "qty_max", "Available to", _whole, lambda value: Q(qty_available__lte=value),
            lambda value: f"Available to {value:,}",
        ),
        Parameter(
            "reserved", "Reserved", _YES_NO, _either(Q(qty_reserved__gt=0), Q(qty_reserved=0)),
            _said("Reserved for orders", "Nothing reserved"),
        ),
        Parameter(
            "stockroom", "Stockroom", _choice("any", "none", *StockRoom.values), _stock_room,
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
            "reserved_for", "Reserved for", _text(60), lambda value: Q(reserved_for=value),
            lambda value: f"Reserved for {value}",
        ),
        Parameter(
            "added_since", "Added since", _moment, lambda value: Q(date_added__gte=value), _day_words("Added since")
        ),
        Parameter(
            "updated_since", "Changed since", _moment, lambda value: Q(updated_at__gte=value),
            _day_words("Changed since"),
        ),
        Parameter("ids", "Lots", _ids, lambda value: Q(pk__in=value), lambda value: f"{len(value):,} chosen lots"),
    )
}  # fmt: skip
