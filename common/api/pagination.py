"""Lists by cursor: a page begins after the last row of the one before, so rows that come and go shift nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.core import signing
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import BooleanField, F, Field, Func, Model, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from common import workspace
from common.errors import BadRequest

M = TypeVar("M", bound=Model)

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Some rows of a list, and the cursors of its neighbors; None where there is none."""

    rows: list[M]
    next: str | None
    previous: str | None


def _salt() -> str:
    return f"cursor:{workspace.current_key()}"


def _plain(value: Any) -> Any:
    match value:
        case datetime() | date():
            return value.isoformat()
        case UUID() | Decimal():
            return str(value)
        case _:
            return value


class _Beyond(Func):
    """(name, id) > (value, key): as one condition an index is read from there on; an OR would only filter it."""

    output_field = BooleanField()

    def __init__(self, *expressions: Any, turned: bool = False) -> None:
        super().__init__(*expressions)
        self.turned = turned

    def as_sql(self, compiler: Any, connection: Any, *_ways: Any, **_more: Any) -> tuple[str, tuple[Any, ...]]:
        parts = [compiler.compile(expression) for expression in self.get_source_expressions()]
        (name, key, value, bound), sign = (sql for sql, _ in parts), "<" if self.turned else ">"
        return f"({name}, {key}) {sign} ({value}, {bound})", tuple(param for _, params in parts for param in params)


class CursorPagination:
    """Pages through a queryset in one order. A cursor is signed, and good for that order of that shop only.

    `nulls_last`: rows without a value come at the end either way; they are read in a query of their own, where a page
    reaches them, so that both stretches come out of an index. `sorts`: rows are found first and then sorted, not met
    one by one in the order of an index; for conditions that are dear to check and leave few.
    """

    def __init__(self, ordering: str, *, nulls_last: bool = False, sorts: bool = False) -> None:
        self.name = ordering.removeprefix("-")
        self.descending = ordering.startswith("-")
        self.nulls_last = nulls_last
        self.sorts = sorts
        # Rows with equal values are told apart by their keys, in the same direction.
        self.names = (self.name,) if self.name == "id" else (self.name, "id")

    def page(self, queryset: QuerySet[M], *, cursor: str | None, limit: int) -> Page[M]:
        """Answer the page at the cursor, or the first. Raises BadRequest for a cursor that isn't ours."""
        backwards, position = self._decode(queryset, cursor) if cursor else (False, None)
        rows: list[M] = []
        for stretch, names in self._stretches(queryset, position, backwards=backwards):
            rows += stretch.order_by(*self._order(names, backwards=backwards))[: limit + 1 - len(rows)]
            if len(rows) > limit:
                break
        more, rows = len(rows) > limit, rows[:limit]
        if backwards:
            rows.reverse()
        has_next = more if not backwards else bool(rows)
        has_previous = (position is not None and bool(rows)) if not backwards else more
        return Page(
            rows=rows,
            next=self._encode(rows[-1], backwards=False) if rows and has_next else None,
            previous=self._encode(rows[0], backwards=True) if rows and has_previous else None,
        )

    def _stretches(
        self, queryset: QuerySet[M], position: list[Any] | None, *, backwards: bool
    ) -> Sequence[tuple[QuerySet[M], tuple[str, ...]]]:
        """Answer what is read one after the other from the position on, each with what it is ordered by."""
        if not self.nulls_last:
            found = queryset if position is None else queryset.filter(self._after_all(queryset, position, backwards))
            return [(found, self.names)]
        valued = queryset.filter(**{f"{self.name}__isnull": False})
        empty = queryset.filter(**{f"{self.name}__isnull": True})
        if position is not None and position[0] is None:
            empty = empty.filter(**{"id__lt" if self.descending != backwards else "id__gt": position[1]})
        elif position is not None:
            valued = valued.filter(self._bound(queryset, position, backwards=backwards))
        stretches = [(valued, self.names), (empty, ("id",))]
        if backwards:
            stretches.reverse()
        # What lies on the other side of the position isn't read.
        begins_inside = position is not None and (position[0] is None) != backwards
        return stretches[1:] if begins_inside else stretches

    def _after_all(self, queryset: QuerySet[M], position: list[Any], backwards: bool) -> Any:  # noqa: FBT001  # passed on
        if len(self.names) == 1 or self._may_be_null(queryset):
            return self._beyond(position, backwards=backwards)
        return self._bound(queryset, position, backwards=backwards)

    def _may_be_null(self, queryset: QuerySet[M]) -> bool:
        if self.name in queryset.query.annotations:
            return True
        return bool(getattr(queryset.model._meta.get_field(self.name), "null", True))

    def _bound(self, queryset: QuerySet[M], position: list[Any], *, backwards: bool) -> _Beyond:
        values = [
            Value(value, output_field=self._field(queryset, name))
            for name, value in zip(self.names, position, strict=True)
        ]
        return _Beyond(*(F(name) for name in self.names), *values, turned=self.descending != backwards)

    def _order(self, names: tuple[str, ...], *, backwards: bool) -> list[Any]:
        turned = self.descending != backwards
        # Nulls come last when ascending and first when descending, which is how PostgreSQL indexes are read both ways.
        # The same value twice is the same value, but no index is known to have its order.
        keys = [Coalesce(F(name), F(name)) if self.sorts else F(name) for name in names]
        return [key.desc() if turned else key.asc() for key in keys]

    def _beyond(self, position: list[Any], *, backwards: bool) -> Q:
        turned = self.descending != backwards
        condition = Q(pk__in=[])
        equal = Q()
        for name, value in zip(self.names, position, strict=True):
            condition |= equal & self._after(name, value, turned=turned)
            equal &= Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})
        return condition

    @staticmethod
    def _after(name: str, value: Any, *, turned: bool) -> Q:
        if turned:
            return Q(**{f"{name}__isnull": False}) if value is None else Q(**{f"{name}__lt": value})
        return Q(pk__in=[]) if value is None else Q(**{f"{name}__gt": value}) | Q(**{f"{name}__isnull": True})

    def cursor_at(self, row: Model, *, backwards: bool) -> str:
        """Answer the cursor of what comes after a row, or before it."""
        return self._encode(row, backwards=backwards)

    def _encode(self, row: Model, *, backwards: bool) -> str:
        values = [_plain(getattr(row, name)) for name in self.names]
        return signing.dumps([self.name, self.descending, backwards, values], salt=_salt())

    def _decode(self, queryset: QuerySet[M], cursor: str) -> tuple[bool, list[Any]]:
        try:
            name, descending, backwards, values = signing.loads(cursor, salt=_salt())
        except (signing.BadSignature, ValueError) as error:
            raise BadRequest("The cursor is not one of ours.") from error
        if (name, descending) != (self.name, self.descending):
            raise BadRequest("The cursor belongs to another ordering; begin again without it.")
        return backwards, [self._typed(queryset, *pair) for pair in zip(self.names, values, strict=True)]

    @staticmethod
    def _field(queryset: QuerySet[M], name: str) -> "Field[Any, Any]":
        found: Field[Any, Any] = (
            queryset.query.annotations[name].output_field
            if name in queryset.query.annotations
            else queryset.model._meta.get_field(name)  # type: ignore[assignment]  # lists are ordered by columns only
        )
        return found

    @classmethod
    def _typed(cls, queryset: QuerySet[M], name: str, value: Any) -> Any:
        if value is None:
            return None
        try:
            return cls._field(queryset, name).to_python(value)
        except (ValidationError, FieldDoesNotExist) as error:
            raise BadRequest("The cursor is not one of ours.") from error
