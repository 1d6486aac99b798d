"""What every source of the catalog has in common: the contract, and the plain values that cross it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from http import HTTPStatus
from typing import Any, ClassVar, TypeVar

from catalog.choices import ItemType
from common.errors import ProviderUnavailable
from common.wire import Answer, Breaker, Budget, CallClass, Policy, Registry, Wire
from common.wire.client import header_retry_after
from common.wire.oauth import Sign

T = TypeVar("T")

# LEGO's numbers of a part in a color, beside the systems of `catalog.choices.System`, whose numbers know no color.
ELEMENT = "element"


class Can(StrEnum):
    """What a source can be asked; each is the method of that name."""

    LOOK_UP = "look_up"
    LOOK_UP_MANY = "look_up_many"
    NUMBERS_OF = "numbers_of"
    ITEMS_OF = "items_of"
    COLORS_OF = "colors_of"
    CONTENTS_OF = "contents_of"
    IDENTIFY = "identify"
    PRICE_GUIDE = "price_guide"
    RATES = "rates"


class ImageKind(StrEnum):
    """What a picture is to be looked at for."""

    ANY = "any"
    PART = "part"
    SET = "set"
    FIGURE = "figure"


@dataclass(frozen=True, slots=True)
class FoundItem:
    """A thing as a source knows it. `number` is the source's own; `ids` are all of its numbers, by system."""

    item_type: ItemType
    number: str
    name: str
    ids: Mapping[str, tuple[str, ...]]
    image_url: str = ""
    year_from: int | None = None
    year_to: int | None = None
    # Numbers that it had earlier, or has besides, on the source's side.
    alternate_nos: tuple[str, ...] = ()
    weight_grams: Decimal | None = None
    dimensions: str = ""
    # The source's own number of its category.
    category_no: int | None = None


@dataclass(frozen=True, slots=True)
class FoundItems:
    """What a number means: none, one or several things. `color_id`: the source's own, where the number says a color."""

    items: tuple[FoundItem, ...] = ()
    color_id: int | None = None


@dataclass(frozen=True, slots=True)
class ItemColor:
    """A color in which a part exists, by the source's own number of it."""

    color_id: int
    element_ids: tuple[str, ...]
    sets_count: int
    image_url: str


@dataclass(frozen=True, slots=True)
class SetLine:
    """So many of a thing in a set or figure. `color_id`: the source's own, None of a figure."""

    item: FoundItem
    color_id: int | None
    qty: int
    is_spare: bool = False


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a picture may show, by BrickLink's number; `score` from 0 to 1."""

    item_type: ItemType
    item_no: str
    name: str
    image_url: str
    score: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceQuestion:
    """Which figures of the price guide are wanted, in BrickLink's numbers.

    `color_id`: None for what has no color. `kind`: `sold` in six months, or `stock` for what is offered now. `region`:
    a country's two letters, a region of BrickLink's (`europe`), or empty for the world.
    """

    item_type: ItemType
    item_no: str
    color_id: int | None
    condition: str
    kind: str
    currency: str
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFigures:
    """What an item goes for: amounts per piece, None where nothing was sold or is offered."""

    currency: str
    price_min: Decimal | None
    price_avg: Decimal | None
    # Weighted by the pieces of each sale or offer.
    price_qty_avg: Decimal | None
    price_max: Decimal | None
    lots_count: int
    qty: int


@dataclass(frozen=True, slots=True)
class Rates:
    """What one unit of a currency was worth in others on a day."""

    base: str
    day: date
    rates: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """What is known of a source before it is asked. Its limits hold for the whole installation."""

    code: str
    label: str
    # Where every claim about the source comes from.
    docs: str
    can: frozenset[Can]
    # Whose numbers it may know (System, and ELEMENT), where it can look up.
    systems: frozenset[str] = frozenset()
    per_second: float
    burst: int
    # Our own measure where the source names none.
    per_day: int
    # Of how many items it tells its own numbers in one request.
    numbers_at_once: int = 0
    # The names of what it wants to know of its caller; all of them are needed, and secret.
    credentials: tuple[str, ...] = ()
    # For a whole call with its repetitions; for one attempt to go on without a byte.
    total_s: float = 30.0
    read_s: float = 15.0
    policy: Policy = field(default_factory=Policy)


class UnsupportedError(Exception):
    """The source was asked for what it doesn't declare; callers look at `spec.can` first."""


class Source:
    """One source, made for one use from plain values. Knows no models, no settings and no clock."""

    spec: ClassVar[SourceSpec]

    def __init__(
        self, *, url: str, credentials: Mapping[str, str], budget: Budget, breaker: Breaker, call_class: CallClass,
        total_s: float | None = None,
    ) -> None:  # fmt: skip
        self._wire = Wire(
            provider=self.spec.code,
            label=self.spec.label,
            base_url=url,
            budget=budget,
            breaker=breaker,
            call_class=call_class,
            headers=self.headers(credentials),
            params=self.params(credentials),
            sign=self.signer(credentials),
            unwrap=self.unwrap,
            secrets=tuple(credentials.values()),
            retry_after=self.retry_after,
            policy=self.spec.policy,
            total_s=min(self.spec.total_s, total_s or self.spec.total_s),
            read_s=self.spec.read_s,
        )

    @staticmethod
    def headers(credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Answer the headers that every request has."""
        return {}

    @staticmethod
    def params(credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Answer what every query has."""
        return {}

    @staticmethod
    def signer(credentials: Mapping[str, str]) -> Sign | None:
        """Answer what signs each attempt, where the source wants that."""
        return None

    @staticmethod
    def unwrap(status: int, data: Any) -> tuple[int, Any]:
        """Answer status and data as the source means them; raises ValueError for what isn't its own answer."""
        return status, data

    @staticmethod
    def retry_after(status: int, headers: Mapping[str, str], body: bytes) -> float | None:
        """Answer for how many seconds the source wants to be left alone, None where it doesn't say."""
        return header_retry_after(status, headers, body)

    def look_up(self, system: str, number: str) -> FoundItems:
        """Answer what the number of that system (System, or ELEMENT) means."""
        raise UnsupportedError(Can.LOOK_UP)

    def look_up_many(self, numbers: Sequence[str]) -> tuple[FoundItem, ...]:
        """Answer the parts of those of its own numbers that it knows."""
        raise UnsupportedError(Can.LOOK_UP_MANY)

    def numbers_of(self, items: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """Answer which numbers of its own it has for items by type and BrickLink's number: none, one, or several.

        At most `spec.numbers_at_once` of them, in one request; of those that it said nothing of there is no answer.
        """
        raise UnsupportedError(Can.NUMBERS_OF)

    def items_of(self, numbers: Sequence[str]) -> Mapping[str, FoundItem]:
        """Answer what those of its own numbers are that it knows; at most `spec.numbers_at_once`, in one request."""
        raise UnsupportedError(Can.ITEMS_OF)

    def colors_of(self, number: str) -> tuple[ItemColor, ...]:
        """Answer in which colors a part exists, by its own number."""
        raise UnsupportedError(Can.COLORS_OF)

    def contents_of(self, number: str) -> tuple[SetLine, ...]:
        """Answer what a set or figure is made of; a set's figures are lines of it, and made of something themselves."""
        raise UnsupportedError(Can.CONTENTS_OF)

    def identify(self, image: bytes, kind: ImageKind) -> tuple[Prediction, ...]:
        """Answer what a JPEG may show, best first."""
        raise UnsupportedError(Can.IDENTIFY)

    def price_guide(self, question: PriceQuestion) -> PriceFigures | None:
        """Answer what an item goes for; None where the source doesn't know the item."""
        raise UnsupportedError(Can.PRICE_GUIDE)

    def rates(self) -> Rates:
        """Answer the newest exchange rates."""
        raise UnsupportedError(Can.RATES)

    def _ask(self, operation: str, read: Callable[[Any], T], request: Mapping[str, Any]) -> T:
        """Send a request, and answer what `read` makes of the answer's data, which is None where there is nothing.

        Raises ProviderUnavailable where the answer has another form than the one that `read` knows.
        """
        return self._read(operation, read, self._wire.call(operation, **request))

    def _read(self, operation: str, read: Callable[[Any], T], answer: Answer) -> T:
        try:
            return read(None if answer.status == HTTPStatus.NOT_FOUND else answer.data)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
            unknown = f"{self.spec.label} answered in a form that we don't know."
            raise ProviderUnavailable(unknown, provider=self.spec.code, operation=operation) from error


def _faults(cls: type[Source]) -> list[str]:
    has = {can for can in Can if getattr(cls, can.value) is not getattr(Source, can.value)}
    wrong = [f"declares {can} and can't" for can in cls.spec.can - has]
    wrong += [f"doesn't declare {can}" for can in has - cls.spec.can]
    if (Can.LOOK_UP in cls.spec.can) != bool(cls.spec.systems):
        wrong.append("doesn't say whose numbers it looks up")
    return wrong


registry: Registry[type[Source]] = Registry("source", faults=_faults)
