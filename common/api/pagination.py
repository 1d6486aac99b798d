"""Lists by cursor: a page begins after the last row of the one before, so rows that come and go shift nothing."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.core import signing
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import F, Field, Model, Q, QuerySet

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


class CursorPagination:
    """Pages through a queryset in one order. A cursor is signed, and good for that order of that shop only."""

    def __init__(self, ordering: str) -> None:
        self.name = ordering.removeprefix("-")
        self.descending = ordering.startswith("-")
        # Rows with equal values are told apart by their keys, in the same direction.
        self.names = (self.name,) if self.name == "id" else (self.name, "id")

    def page(self, queryset: QuerySet[M], *, cursor: str | None, limit: int) -> Page[M]:
        """Answer the page at the cursor, or the first. Raises BadRequest for a cursor that isn't ours."""
        backwards, position = self._decode(queryset, cursor) if cursor else (False, None)
        found = queryset
        if position is not None:
            found = found.filter(self._beyond(position, backwards=backwards))
        rows = list(found.order_by(*self._order(backwards=backwards))[: limit + 1])
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

    def _order(self, *, backwards: bool) -> list[Any]:
        turned = self.descending != backwards
        # Nulls come last when ascending and first when descending, which is how PostgreSQL indexes are read both ways.
        return [F(name).desc() if turned else F(name).asc() for name in self.names]

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
    def _typed(queryset: QuerySet[M], name: str, value: Any) -> Any:
        if value is None:
            return None
        field: Field[Any, Any] = (
            queryset.query.annotations[name].output_field
            if name in queryset.query.annotations
            else queryset.model._meta.get_field(name)  # type: ignore[assignment]  # lists are ordered by columns only
        )
        try:
            return field.to_python(value)
        except (ValidationError, FieldDoesNotExist) as error:
            raise BadRequest("The cursor is not one of ours.") from error
