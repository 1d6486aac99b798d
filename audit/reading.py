"""Reads rows of different tables in one statement: as JSON on the way, and as the models have them after it."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from audit.recording import Columns, quote


def _cast(column: "models.Field[Any, Any]") -> str:
    return "::text" if isinstance(column, models.DecimalField) else ""


def as_json(columns: Columns, alias: str) -> str:
    """Answer the expression for a table's columns as one JSON value. Amounts travel as text, or they'd be rounded."""
    listed = ", ".join(f"{alias}.{quote(column.column)}{_cast(column)} AS {quote(column.column)}" for column in columns)
    return f"(SELECT to_jsonb(x) FROM (SELECT {listed}) x)"  # noqa: S608  # names come from the models


# What JSON reads just as the models have it.
_AS_IT_IS = frozenset(
    {
        models.CharField,
        models.TextField,
        models.BooleanField,
        models.SmallIntegerField,
        models.IntegerField,
        models.BigIntegerField,
        models.PositiveSmallIntegerField,
        models.PositiveIntegerField,
        models.JSONField,
    }
)


@cache
def _reader(column: "models.Field[Any, Any]") -> Callable[[Any], Any] | None:
    """Answer what makes a column's value of a JSON one that isn't null; None where it is that already."""
    if isinstance(column, models.ForeignKey):
        return _reader(column.target_field)
    if type(column) in _AS_IT_IS:
        return None
    if isinstance(column, ArrayField):
        read = _reader(column.base_field)
        return (lambda items: [item if item is None else read(item) for item in items]) if read else None
    return column.to_python


def typed(columns: Columns, row: Mapping[str, Any]) -> dict[str, Any]:
    """Answer the JSON value of `as_json` as the models have it, by attname."""
    values = {}
    for column in columns:
        value, read = row[column.column], _reader(column)  # type: ignore[index]  # every concrete field has a column
        values[column.attname] = value if value is None or read is None else read(value)
    return values
