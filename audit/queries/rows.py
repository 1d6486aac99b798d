"""Reads history rows together with the row before each: what an entity was before and after a deed."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from audit.diff import State, Step
from audit.reading import as_json, typed
from audit.recording import CHANGED, CREATED, DELETED, history_of, key_of, quote, tracked_fields

Span = tuple[int, int]


def typed_key(model: type[models.Model], text: str) -> Any:
    """Answer the text as a key of the model, or None if no key can look so."""
    key = key_of(model)
    try:
        value = key.to_python(text)
        key.run_validators(value)
    except (ValidationError, ValueError, OverflowError):
        return None
    return value


def _before(model: type[models.Model]) -> "QuerySet[Any]":
    """Answer the rows of the same entity before the outer one, the nearest first."""
    key = key_of(model).attname
    rows = history_of(model).objects.filter(**{key: OuterRef(key)}, history_id__lt=OuterRef("history_id"))
    found: QuerySet[Any] = rows.order_by("-history_id")
    return found


def changing(model: type[models.Model], field: str) -> "QuerySet[Any]":
    """Answer the history rows that changed that field."""
    rows = history_of(model).objects.filter(history_type=CHANGED)
    before = rows.annotate(value_before=Subquery(_before(model).values(field)[:1]))
    one_is_null = Q(value_before__isnull=True, **{f"{field}__isnull": False}) | Q(
        value_before__isnull=False, **{f"{field}__isnull": True}
    )
    found: QuerySet[Any] = before.filter(one_is_null | ~Q(**{field: F("value_before")}))
    return found


@dataclass(frozen=True, slots=True)
class Row:
    """A history row: what was done, and the tracked columns as they were then."""

    kind: str
    state: State


def step_between(model: type[models.Model], first: Row, last: Row, previous: Row | None) -> Step:
    """Answer what an entity was before `first` and after `last`, two of its history rows or the same one twice."""
    before: State | None = None
    is_whole = True
    if first.kind != CREATED:
        if previous is not None and previous.kind != DELETED:
            before = previous.state
        elif first.kind == DELETED:
            # What was deleted is kept in the row that says so.
            before = first.state
        else:
            is_whole = False
    after = None if last.kind == DELETED else last.state
    between = last.state if before is None and after is None else None
    return Step(model, first.state[key_of(model).attname], before, after, is_whole, between)


def _branch(place: int, model: type[models.Model]) -> str:
    columns, key = tracked_fields(model), quote(key_of(model).column)
    table = quote(history_of(model)._meta.db_table)
    return (
        f"SELECT {place}, h.history_id, h.history_type::text, {as_json(columns, 'h')}, p.history_type::text, p.state"  # noqa: S608  # names come from the models
        f" FROM {table} h LEFT JOIN LATERAL (SELECT b.history_type, {as_json(columns, 'b')} AS state FROM {table} b"
        f" WHERE b.{key} = h.{key} AND b.history_id < h.history_id ORDER BY b.history_id DESC LIMIT 1) p ON true"
        " WHERE h.history_id = ANY(%s)"
    )


def steps(spans: Mapping[type[models.Model], Iterable[Span]]) -> dict[type[models.Model], dict[Span, Step]]:
    """Answer what lies between the first and last history row of each span. One statement, however many there are."""
    wanted = {model: list(found) for model, found in spans.items()}
    asked = [model for model, found in wanted.items() if found]
    if not asked:
        return {model: {} for model in wanted}
    ids = [[history_id for span in wanted[model] for history_id in span] for model in asked]
    rows: dict[tuple[int, int], tuple[Row, Row | None]] = {}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(_branch(*place) for place in enumerate(asked)), ids)
        for place, history_id, kind, state, kind_before, state_before in cursor.fetchall():
            columns = tracked_fields(asked[place])
            before = Row(kind_before, typed(columns, json.loads(state_before))) if state_before else None
            rows[place, history_id] = Row(kind, typed(columns, json.loads(state))), before
    made: dict[type[models.Model], dict[Span, Step]] = {model: {} for model in wanted}
    for place, model in enumerate(asked):
        for first, last in wanted[model]:
            row, before = rows[place, first]
            made[model][first, last] = step_between(model, row, rows[place, last][0], before)
    return made
