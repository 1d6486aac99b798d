"""What narrows a list: read from an address, told in words, and turned into one condition. Each app names its own."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Self

from django.db.models import Q
from django.http import QueryDict

from common import workspace

_PRICE_LIMIT, _QTY_LIMIT, _MOST_PLACES = Decimal(10) ** 8, 2**31, 30


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
class FilterSet:
    """What narrows a list. `values`: by parameter, tuples where it may be repeated; `unknown` isn't applied."""

    parameters: ClassVar[Mapping[str, Parameter]] = {}

    values: Mapping[str, Any] = field(default_factory=dict)
    unknown: tuple[Term, ...] = ()
    raw: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, params: QueryDict | Mapping[str, Any] | str, *, beside: Iterable[str] = ()) -> Self:
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
                parameter = cls.parameters.get(name)
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
            parameter = self.parameters[name]
            known.append(Term(name, text, parameter.words(parameter.read(text))))
        return (*known, *self.unknown)

    def without(self, term: Term) -> Self:
        """Answer the filters without one of their terms."""
        kept = [(name, text) for name, text in self._everything() if (name, text) != (term.name, term.raw)]
        return type(self).parse(_query_of(kept))

    def having(self, name: str, text: str) -> Self:
        """Answer the filters with one parameter set to one value, or taken away where that is empty."""
        kept = [pair for pair in self._everything() if pair[0] != name]
        return type(self).parse(_query_of([*kept, (name, text)] if text else kept))

    def as_query(self) -> str:
        """Answer the filters as an address has them: the same filters, the same text."""
        # What may be repeated means the same in any order; of the rest the first is meant.
        pairs = sorted(self._everything(), key=lambda pair: (pair[0], pair[1] if self._may_repeat(pair[0]) else ""))
        return _query_of(pairs).urlencode()

    def _everything(self) -> list[tuple[str, str]]:
        return [*self.raw, *((term.name, term.raw) for term in self.unknown)]

    def _may_repeat(self, name: str) -> bool:
        return name in self.parameters and self.parameters[name].several


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
def read_text(limit: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if len(text) > limit or "\x00" in text:
            raise ValueError(text)
        return text

    return read


def read_choice(*known: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in known:
            raise ValueError(text)
        return text

    return read


def read_whole(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) >= _QTY_LIMIT:
        raise ValueError(text)
    return int(text)


def read_amount(text: str) -> Decimal:
    try:
        amount = Decimal(text.replace(",", "."))
    except InvalidOperation:
        raise ValueError(text) from None
    if not amount.is_finite() or not 0 <= amount < _PRICE_LIMIT or _has_too_many_places(amount):
        raise ValueError(text)
    return amount


def read_moment(text: str) -> datetime:
    """Read a day, which begins in the shop's zone, or a time with its zone."""
    if "T" not in text:
        return datetime.combine(date.fromisoformat(text), time(), tzinfo=workspace.current().zone)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def _has_too_many_places(number: Decimal) -> bool:
    return int(number.as_tuple().exponent) < -_MOST_PLACES
