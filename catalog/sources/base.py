"""What every source of the catalog has in common: the contract, and the plain values that cross it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from http import HTTPStatus
from typing import Any, ClassVar, TypeVar

from catalog.choices import ItemType
from common.errors import ProviderUnavailable
from common.wire import Answer, Breaker, Budget, CallClass, Policy, Registry, Wire
from common.wire.client import header_retry_after

T = TypeVar("T")

# LEGO's numbers of a part in a color, beside the systems of `catalog.choices.System`, whose numbers know no color.
ELEMENT = "element"


class Can(StrEnum):
    """What a source can be asked; each is the method of that name."""

    LOOK_UP = "look_up"
    LOOK_UP_MANY = "look_up_many"
    COLORS_OF = "colors_of"
    CONTENTS_OF = "contents_of"
    COLORS = "colors"
    IDENTIFY = "identify"


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
    image_url: str
    ids: Mapping[str, tuple[str, ...]]
    year_from: int | None = None
    year_to: int | None = None


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
    """So many of a thing in a set. `color_id`: the source's own; `from_figure`: of which figure it is a part."""

    item: FoundItem
    color_id: int
    qty: int
    is_spare: bool
    element_id: str
    from_figure: str = ""


@dataclass(frozen=True, slots=True)
class SourceColor:
    """A color as a source knows it; `ids` are its numbers elsewhere, by system."""

    color_id: int
    name: str
    rgb: str
    ids: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a picture may show, by BrickLink's number; `score` from 0 to 1."""

    item_type: ItemType
    item_no: str
    name: str
    image_url: str
    score: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """What is known of a source before it is asked. Its limits hold for the whole installation."""

    code: str
    label: str
    # Where every claim about the source comes from.
    docs: str
    can: frozenset[Can]
    per_second: float
    burst: int
    # Our own measure where the source names none.
    per_day: int
    needs_key: bool = False
    # For a whole call with its repetitions; for one attempt to go on without a byte.
    total_s: float = 30.0
    read_s: float = 15.0
    policy: Policy = field(default_factory=Policy)


class UnsupportedError(Exception):
    """The source was asked for what it doesn't declare; callers look at `spec.can` first."""


class Source:
    """One source, made for one use from plain values. Knows no models, no settings and no clock."""

    spec: ClassVar[SourceSpec]

    def __init__(self, *, url: str, key: str, budget: Budget, breaker: Breaker, call_class: CallClass) -> None:
        self._wire = Wire(
            provider=self.spec.code,
            label=self.spec.label,
            base_url=url,
            budget=budget,
            breaker=breaker,
            call_class=call_class,
            headers=self.headers(key),
            secrets=(key,) if key else (),
            retry_after=self.retry_after,
            policy=self.spec.policy,
            total_s=self.spec.total_s,
            read_s=self.spec.read_s,
        )

    @staticmethod
    def headers(key: str) -> Mapping[str, str]:
        """Answer the headers that every request has."""
        return {}

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

    def colors_of(self, number: str) -> tuple[ItemColor, ...]:
        """Answer in which colors a part exists, by its own number."""
        raise UnsupportedError(Can.COLORS_OF)

    def contents_of(self, number: str) -> tuple[SetLine, ...]:
        """Answer what a set is made of, the parts of its figures included."""
        raise UnsupportedError(Can.CONTENTS_OF)

    def colors(self) -> tuple[SourceColor, ...]:
        """Answer all colors."""
        raise UnsupportedError(Can.COLORS)

    def identify(self, image: bytes, kind: ImageKind) -> tuple[Prediction, ...]:
        """Answer what a JPEG may show, best first."""
        raise UnsupportedError(Can.IDENTIFY)

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
    return [f"declares {can} and can't" for can in cls.spec.can - has] + [
        f"doesn't declare {can}" for can in has - cls.spec.can
    ]


registry: Registry[type[Source]] = Registry("source", faults=_faults)
