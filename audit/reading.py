"""Reads rows of different tables in one statement: as JSON on the way, and as the models have them after it."""

from collections.abc import Mapping
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


def _typed(column: "models.Field[Any, Any]", value: Any) -> Any:
    if value is None or isinstance(column, models.JSONField):
        return value
    if isinstance(column, models.ForeignKey):
        return _typed(column.target_field, value)
    if isinstance(column, ArrayField):
        return [_typed(column.base_field, item) for item in value]
    return column.to_python(value)


def typed(columns: Columns, row: Mapping[str, Any]) -> dict[str, Any]:
    """Answer the JSON value of `as_json` as the models have it, by attname."""
    return {column.attname: _typed(column, row[str(column.column)]) for column in columns}
