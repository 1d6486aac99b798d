"""The log as the API answers it: one flat row for each change of an entity, newest first, over all history tables."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q, QuerySet, Value

from audit import labels
from audit.diff import Step, plain_changes, plain_state
from audit.models import ChangeSet
from audit.queries.change_sets import ChangeSetRow, Filters, change_set_row, rows_touching, set_filters
from audit.queries.rows import Span, steps

# Change set, type, history row: later ones are greater.
Position = tuple[UUID, str, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of one entity, with who, when and whence."""

    id: str
    change_set_id: UUID
    actor_type: str
    actor_id: str
    actor_name: str
    action: str
    reason: str
    source: str
    entity_type: str
    entity_id: str
    before_state: dict[str, Any] | None
    after_state: dict[str, Any] | None
    changes: list[dict[str, Any]]
    correlation_id: str
    request_id: str
    ip_address: str | None
    user_agent: str
    reverts: UUID | None
    created_at: datetime
    position: Position


@dataclass(frozen=True, slots=True)
class Entries:
    """Some of the log's rows, and whether there are more in the direction in which they were read."""

    rows: list[Entry]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Detail:
    """A change set with its rows, as many as an answer takes."""

    row: ChangeSetRow
    entries: list[Entry]
    has_more: bool


def _branches(filters: Filters) -> list[tuple[labels.EntityType, "QuerySet[Any]"]]:
    """Answer the history rows of each type that the filters leave."""
    named = labels.type_named(filters.entity_type) if filters.entity_type else None
    kinds = ([named] if named else []) if filters.entity_type else labels.types()
    of_sets = set_filters(filters)
    found = []
    for kind in kinds:
        rows = rows_touching(kind.model, entity_id=filters.entity_id, field=filters.field)
        if rows is not None:
            found.append((kind, rows.filter(change_set__in=ChangeSet.objects.filter(of_sets)) if of_sets else rows))
    return found


def count_entries(filters: Filters) -> int:
    """Answer how many rows the log has."""
    return sum(rows.count() for _, rows in _branches(filters))


def _beyond(position: Position, code: str, *, ascending: bool) -> Q:
    """Answer the condition that a row of type `code` comes after the position."""
    change_set_id, place, history_id = position
    way = "gt" if ascending else "lt"
    condition = Q(**{f"change_set_id__{way}": change_set_id})
    if code == place:
        return condition | Q(change_set_id=change_set_id, **{f"history_id__{way}": history_id})
    is_further = code > place if ascending else code < place
    return condition | Q(change_set_id=change_set_id) if is_further else condition


def entries(filters: Filters, *, after: Position | None = None, ascending: bool = False, limit: int = 50) -> Entries:
    """Answer a part of the log, newest first unless `ascending`. The number of queries doesn't depend on the rows'."""
    branches = []
    order = ("change_set_id", "kind", "history_id") if ascending else ("-change_set_id", "-kind", "-history_id")
    for kind, rows in _branches(filters):
        beyond = rows.filter(_beyond(after, kind.code, ascending=ascending)) if after else rows
        named = beyond.annotate(kind=Value(kind.code, output_field=models.CharField()))
        # Each table gives as many as the page can take, in its index's order; the union sorts only these.
        branches.append(named.order_by(*order).values_list("change_set_id", "kind", "history_id")[: limit + 1])
    if not branches:
        return Entries([], has_more=False)
    union = branches[0].union(*branches[1:], all=True) if len(branches) > 1 else branches[0]
    found: list[Position] = list(union.order_by(*order)[: limit + 1] if len(branches) > 1 else union)
    return Entries(_filled(found[:limit]), has_more=len(found) > limit)


def detail(change_set_id: UUID, *, limit: int = 200) -> Detail:
    """Answer a change set with what it did, in the order in which it was done; raises NotFound."""
    row = change_set_row(change_set_id)
    read = entries(Filters(change_set_id=change_set_id), ascending=True, limit=limit)
    return Detail(row, read.rows, read.has_more)


def _filled(found: list[Position]) -> list[Entry]:
    spans: dict[type[models.Model], list[Span]] = defaultdict(list)
    of_code = {kind.code: kind.model for kind in labels.types()}
    for _, code, history_id in found:
        spans[of_code[code]].append((history_id, history_id))
    made = {
        (labels.type_of(model).code, span[0]): step
        for model, done in steps(spans).items()
        for span, step in done.items()
    }
    sets = ChangeSet.objects.in_bulk({change_set_id for change_set_id, _, _ in found})
    return [_entry(sets[position[0]], made[position[1], position[2]], position) for position in found]


def _entry(change_set: ChangeSet, step: Step, position: Position) -> Entry:
    return Entry(
        id=f"{position[1]}:{position[2]}",
        change_set_id=change_set.pk,
        actor_type=change_set.actor_type,
        actor_id=change_set.actor_id,
        actor_name=change_set.actor_name,
        action=change_set.action,
        reason=change_set.reason,
        source=change_set.source,
        entity_type=position[1],
        entity_id=str(step.key),
        before_state=plain_state(step.before),
        after_state=plain_state(step.after),
        changes=plain_changes(step),
        correlation_id=change_set.correlation_id,
        request_id=change_set.request_id,
        ip_address=change_set.ip_address,
        user_agent=change_set.user_agent,
        reverts=change_set.reverts_id,
        created_at=change_set.created_at,
        position=position,
    )
