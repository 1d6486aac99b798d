"""The state of a list as its address has it: filters, sort, page, columns, density. Each list names what it has."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from django.http import QueryDict
from django.urls import reverse

from common.filters import FilterSet, Term

SIZES = (50, 100, 200)
# What the address says beside the filters.
BESIDE = frozenset({"sort", "cursor", "start", "size", "columns", "density", "view"})
# What a saved view doesn't keep: where in the list one was.
PAGING = frozenset({"cursor", "start", "view"})
_MAX_DIGITS = 9
# Of a column, in pixels.
NARROWEST, WIDEST = 48, 800


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list. `sort`: what its head sorts by; a fixed one can't be hidden."""

    name: str
    label: str
    sort: str = ""
    classes: str = ""
    is_fixed: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """A column's head as the page shows it."""

    column: Column
    sort_url: str
    sort: str
    width: int | None = None

    @property
    def name(self) -> str:
        """Answer which cells stand below."""
        return self.column.name


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that narrows the list (components/_chips.html)."""

    label: str
    remove_url: str
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class ListState:
    """What the address asks for. A list is a subclass that names its columns, sorts and filters."""

    url_name: ClassVar[str]
    all_columns: ClassVar[Mapping[str, Column]]
    default_columns: ClassVar[tuple[str, ...]]
    sorts: ClassVar[Collection[str]]
    default_sort: ClassVar[str]
    filters_class: ClassVar[type[FilterSet]]

    query: QueryDict
    filters: FilterSet
    sort: str
    size: int
    start: int
    cursor: str
    columns: tuple[Column, ...]
    # Of columns that somebody has resized, in pixels.
    widths: Mapping[str, int]
    is_compact: bool
    unknown: tuple[Term, ...]

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        """Read an address."""
        sort = query.get("sort", "")
        known = sort.removeprefix("-") in cls.sorts
        size, start = query.get("size", ""), query.get("start", "")
        return cls(
            query=query,
            filters=cls.filters_class.parse(query, beside=BESIDE),
            sort=sort if known else cls.default_sort,
            size=int(size) if size in {str(number) for number in SIZES} else SIZES[0],
            start=int(start) if start.isascii() and start.isdecimal() and len(start) <= _MAX_DIGITS else 1,
            cursor=query.get("cursor", ""),
            columns=cls._columns(query.get("columns", "")),
            widths=cls._widths(query.get("columns", "")),
            is_compact=query.get("density") == "compact",
            unknown=(Term("sort", sort, f"Sort: {sort[:60]}", is_known=False),) if sort and not known else (),
        )

    def url(self, **changes: str) -> str:
        """Answer the list's address with some of its parameters changed; an empty one goes. It begins at page one."""
        query = self.query.copy()
        for name in (*PAGING, *changes):
            query.pop(name, None)
        for name, value in changes.items():
            if value:
                query[name] = value
        return self.list_url(query.urlencode())

    def neighbor(self, cursor: str | None, start: int) -> str:
        """Answer where the page before or after is; nothing without one."""
        return self.url(cursor=cursor, start=str(max(1, start))) if cursor else ""

    @property
    def kept(self) -> str:
        """Answer what a saved view keeps of the address: the same state, the same text."""
        return canonical(self.query.urlencode())

    @property
    def filter_query(self) -> str:
        """Answer the filters alone, for what is done to all that match."""
        return self.filters.as_query()

    @property
    def chips(self) -> list[Chip]:
        """Answer each filter with the address without it."""
        return [
            Chip(term.words, self.without(term), unknown=not term.is_known)
            for term in (*self.filters.terms, *self.unknown)
        ]

    @property
    def clear_url(self) -> str:
        """Answer the list without filters, as it is sorted and shown. Never bare: that opens the user's first view."""
        return self.list_url(_only(self.query, {"sort", "size", "columns", "density"}).urlencode() or "view=all")

    def without(self, term: Term) -> str:
        """Answer the list's address without one of its filters."""
        query = QueryDict(mutable=True)
        for name in self.query:
            if name in PAGING:
                continue
            for value in self.query.getlist(name):
                if (name, value.strip()) != (term.name, term.raw):
                    query.appendlist(name, value)
        return self.list_url(query.urlencode() or "view=all")

    @property
    def heads(self) -> list[Head]:
        """Answer the columns' heads, each with what a press sorts by: ascending, descending, as at first."""
        return [self._head(column) for column in self.columns]

    def _head(self, column: Column) -> Head:
        width = self.widths.get(column.name)
        if not column.sort:
            return Head(column, "", "", width)
        if self.sort == column.sort:
            return Head(column, self.url(sort=f"-{column.sort}"), "ascending", width)
        if self.sort == f"-{column.sort}":
            return Head(column, self.url(sort=""), "descending", width)
        return Head(column, self.url(sort=column.sort), "", width)

    def named(self, columns: Iterable[str]) -> str:
        """Answer columns as an address has them, as wide as they are now."""
        return ",".join(f"{name}:{self.widths[name]}" if name in self.widths else name for name in columns)

    @classmethod
    def list_url(cls, query: str = "") -> str:
        """Answer the list's address."""
        return f"{reverse(cls.url_name)}{'?' if query else ''}{query}"

    @classmethod
    def _columns(cls, wanted: str) -> tuple[Column, ...]:
        """Answer the wanted columns in their order; those that can't be hidden are there in any case."""
        asked = (name.partition(":")[0] for name in wanted.split(","))
        names = [name for name in dict.fromkeys(asked) if name in cls.all_columns] or list(cls.default_columns)
        missing = [column.name for column in cls.all_columns.values() if column.is_fixed and column.name not in names]
        if (first := cls.default_columns[0]) in missing:
            missing.remove(first)
            names.insert(0, first)
        return tuple(cls.all_columns[name] for name in [*names, *missing])

    @classmethod
    def _widths(cls, wanted: str) -> dict[str, int]:
        """Answer the widths that an address gives to columns: `item:320,color`."""
        pairs = [part.partition(":")[::2] for part in wanted.split(",")]
        return {
            name: min(max(int(text), NARROWEST), WIDEST)
            for name, text in pairs
            if name in cls.all_columns and text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS
        }


def canonical(query: str) -> str:
    """Answer a list's state without paging, in one form, so that equal states are equal texts."""
    params = QueryDict(query.removeprefix("?"))
    pairs = sorted((name, value) for name in params if name not in PAGING for value in params.getlist(name) if value)
    made = QueryDict(mutable=True)
    for name, value in pairs:
        made.appendlist(name, value)
    return made.urlencode()


def _only(query: QueryDict, names: set[str]) -> QueryDict:
    kept = QueryDict(mutable=True)
    for name in query:
        if name in names and query.get(name):
            kept[name] = query.get(name, "")
    return kept
