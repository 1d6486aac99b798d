"""The lists by which everybody names things (definitions.md): served whole, cacheable, the same for every shop."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from django.db.models import TextChoices
from django.http import HttpResponse
from django.urls import path
from django_countries import countries
from rest_framework.request import Request

from catalog import colors
from catalog.choices import LETTER_OF_ITEM_TYPE, NEEDS_COLOR, ItemType
from common import currencies
from common.access import SIGNED_IN
from common.api import serializers
from common.api.operations import operation
from common.api.views import ApiView
from common.countries import EU
from inventory.choices import Completeness, ItemCondition, SubCondition
from orders import lifecycle
from orders.choices import OrderStatus as OrderStatusChoices
from orders.lifecycle import By, Status

_CACHED_S = 24 * 3600


# --- Item types (definitions.md, section 1) ---------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class ItemTypeEntry:
    """A kind of thing that is sold. `color`: yes, no, sometimes (some gear has one) or free (custom items)."""

    code: str
    label: str
    bricklink_letter: str
    color: str
    has_completeness: bool


# Beside parts, which always have one, and those that never do.
_COLOR_OF_SOME = {ItemType.GEAR: "sometimes", ItemType.CUSTOM: "free"}
ITEM_TYPES = tuple(
    ItemTypeEntry(
        code=kind.value,
        label=str(kind.label),
        bricklink_letter=LETTER_OF_ITEM_TYPE[kind],
        color="yes" if kind in NEEDS_COLOR else _COLOR_OF_SOME.get(kind, "no"),
        has_completeness=kind is ItemType.SET,
    )
    for kind in ItemType
)


# --- Conditions (section 2) -------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Named:
    """A stored value and what people call it."""

    code: str
    label: str


@dataclass(frozen=True, slots=True)
class Condition:
    """New or used, with the completeness that a set can have in it and the grades that a used thing can have."""

    code: str
    label: str
    completeness: tuple[Named, ...]
    grades: tuple[Named, ...]


def _named(choices: Iterable[TextChoices]) -> tuple[Named, ...]:
    return tuple(Named(choice.value, str(choice.label)) for choice in choices)


_USED = ItemCondition.USED
CONDITIONS = tuple(
    Condition(
        code=condition.value,
        label=str(condition.label),
        completeness=_named(one for one in Completeness if condition is not _USED or one is not Completeness.SEALED),
        grades=_named(SubCondition if condition is _USED else ()),
    )
    for condition in ItemCondition
)


# --- Colors (section 3) -----------------------------------------------------------------------------------------------
@cache
def all_colors() -> tuple[colors.Color, ...]:
    """Answer BrickLink's colors in the order of their names."""
    return tuple(sorted(colors.all_colors().values(), key=lambda color: color.name.casefold()))


# --- Order statuses (section 6.1 and 6.2) -----------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Transitions:
    """Where a status can go, by who moves it: a person or the API, our own system, the channel, a revert."""

    user: tuple[str, ...]
    system: tuple[str, ...]
    channel: tuple[str, ...]
    revert: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrderStatus:
    """A station of an order. `stock`: what it does to the stock. `rank`: how far along it is; null for the two ends."""

    code: str
    label: str
    meaning: str
    stock: str
    rank: int | None
    transitions: Transitions


_MEANINGS = {
    Status.NEW: ("Imported or typed in, not cleared for work yet", "reserved"),
    Status.PENDING: ("Cleared: waits to be picked", "reserved"),
    Status.PICKING: ("In an open pick session", "reserved"),
    Status.PACKING: ("Picked, being packed and checked", "reserved"),
    Status.READY: ("Packed, label made or not needed", "reserved"),
    Status.SHIPPED: ("Left the house", "consumed"),
    Status.DELIVERED: ("The carrier or the buyer says so", "consumed"),
    Status.COMPLETED: ("Closed", "consumed"),
    Status.CANCELLED: ("Ended before shipping", "released"),
    Status.REFUNDED: ("Ended by a full refund", "unchanged after shipping, released before it"),
}


def _transitions(status: Status) -> Transitions:
    ways = {by: tuple(end.value for end in lifecycle.allowed(status, by)) for by in By}
    return Transitions(user=ways[By.USER], system=ways[By.SYSTEM], channel=ways[By.CHANNEL], revert=ways[By.REVERT])


ORDER_STATUSES = tuple(
    OrderStatus(
        status.value, str(OrderStatusChoices(status).label), meaning, stock, lifecycle.RANK.get(status),
        _transitions(status),
    )
    for status, (meaning, stock) in _MEANINGS.items()
)  # fmt: skip


# --- Countries (section 4) --------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Country:
    """A country by its ISO 3166-1 code, Kosovo included. `needs_state`: its addresses name a state or province."""

    code: str
    name: str
    is_eu: bool
    needs_state: bool


NEEDS_STATE = frozenset(("US", "CA", "AU", "BR", "MX"))


@cache
def all_countries() -> tuple[Country, ...]:
    """Answer the countries in the order of their names."""
    return tuple(Country(code, str(name), code in EU, code in NEEDS_STATE) for code, name in countries)


# --- Currencies (section 5) -------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class CurrencyRow:
    """A currency by its ISO 4217 code. `is_for_books`: a shop can keep its books in it."""

    code: str
    name: str
    minor_units: int
    is_for_books: bool


_BOOKS = ("EUR", "USD", "GBP")
_WITHOUT_CENTS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_NO_CENTS = frozenset(_WITHOUT_CENTS.split())
_THREE_DIGITS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))


def minor_units(code: str) -> int:
    """Answer how many decimals a currency has: none, three, or as most do two."""
    return 0 if code in _NO_CENTS else 3 if code in _THREE_DIGITS else 2


CURRENCIES = tuple(
    CurrencyRow(code, name, minor_units(code), code in _BOOKS) for code, name in sorted(currencies.NAMES.items())
)


# --- Endpoints --------------------------------------------------------------------------------------------------------
class NamedOut(serializers.Serializer):
    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a declared field; DRF takes it off the class


class ItemTypeOut(NamedOut):
    bricklink_letter = serializers.CharField(help_text="As BrickLink's XML and dumps have it.")
    color = serializers.ChoiceField(choices=["yes", "no", "sometimes", "free"])
    has_completeness = serializers.BooleanField()


class ConditionOut(NamedOut):
    completeness = NamedOut(many=True, help_text="Of sets.")
    grades = NamedOut(many=True, help_text="`sub_condition` of used things.")


class ColorOut(serializers.Serializer):
    id = serializers.IntegerField(help_text="BrickLink's; 0 is (Not Applicable).")
    name = serializers.CharField()
    rgb = serializers.CharField(help_text="Six hexadecimal digits; empty for (Not Applicable).")
    color_type = serializers.CharField(help_text="Solid, Transparent, Pearl …")
    rebrickable_id = serializers.IntegerField(allow_null=True)
    brickowl_id = serializers.IntegerField(allow_null=True)
    ldraw_id = serializers.IntegerField(allow_null=True)
    lego_ids = serializers.ListField(child=serializers.IntegerField())
    year_from = serializers.IntegerField(allow_null=True)
    year_to = serializers.IntegerField(allow_null=True)


class TransitionsOut(serializers.Serializer):
    user = serializers.ListField(child=serializers.CharField())
    system = serializers.ListField(child=serializers.CharField())
    channel = serializers.ListField(child=serializers.CharField())
    revert = serializers.ListField(child=serializers.CharField())


class OrderStatusOut(NamedOut):
    meaning = serializers.CharField()
    stock = serializers.CharField(help_text="What the status does to the stock.")
    rank = serializers.IntegerField(allow_null=True, help_text="How far along; null for the two ends.")
    transitions = TransitionsOut(help_text="Where the status can go, by who moves it.")


class CountryOut(serializers.Serializer):
    code = serializers.CharField(help_text="ISO 3166-1 alpha-2; XK is Kosovo.")
    name = serializers.CharField()
    is_eu = serializers.BooleanField()
    needs_state = serializers.BooleanField(help_text="Addresses name a state or province.")


class CurrencyOut(serializers.Serializer):
    code = serializers.CharField(help_text="ISO 4217.")
    name = serializers.CharField()
    minor_units = serializers.IntegerField()
    is_for_books = serializers.BooleanField(help_text="A shop can keep its books in it.")


class DefinitionView(ApiView):
    """The lists by which everybody names things."""

    public_api = ()


class ItemTypesView(DefinitionView):
    access = {"GET": SIGNED_IN}

    @operation("List item types", answers=ItemTypeOut, many=True, cached_s=_CACHED_S)
    def get(self, _request: Request) -> HttpResponse:
        return self.answer(ITEM_TYPES)


class ConditionsView(DefinitionView):
    access = {"GET": SIGNED_IN}

    @operation("List conditions", answers=ConditionOut, many=True, cached_s=_CACHED_S)
    def get(self, _request: Request) -> HttpResponse:
        return self.answer(CONDITIONS)


class ColorsView(DefinitionView):
    access = {"GET": SIGNED_IN}

    @operation("List colors", answers=ColorOut, many=True, cached_s=_CACHED_S)
    def get(self, _request: Request) -> HttpResponse:
        return self.answer(all_colors())


class OrderStatusesView(DefinitionView):
    access = {"GET": SIGNED_IN}

    @operation("List order statuses with their transitions", answers=OrderStatusOut, many=True, cached_s=_CACHED_S)
    def get(self, _request: Request) -> HttpResponse:
        return self.answer(ORDER_STATUSES)


class CountriesView(DefinitionView):
    access = {"GET": SIGNED_IN}

    @operation("List countries", answers=CountryOut, many=True, cached_s=_CACHED_S)
    def get(self, _request: Request) -> HttpResponse:
        return self.answer(all_countries())


class CurrenciesView(DefinitionView):
    access = {"GET": SIGNED_IN}

    @operation("List currencies", answers=CurrencyOut, many=True, cached_s=_CACHED_S)
    def get(self, _request: Request) -> HttpResponse:
        return self.answer(CURRENCIES)


api_urlpatterns = [
    path("definitions/item-types", ItemTypesView.as_view(), name="item-types"),
    path("definitions/conditions", ConditionsView.as_view(), name="conditions"),
    path("definitions/colors", ColorsView.as_view(), name="colors"),
    path("definitions/order-statuses", OrderStatusesView.as_view(), name="order-statuses"),
    path("definitions/countries", CountriesView.as_view(), name="countries"),
    path("definitions/currencies", CurrenciesView.as_view(), name="currencies"),
]
