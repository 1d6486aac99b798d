"""What a change set did to which entity, and what happened to one entity."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Max, Min

from audit import labels
from audit.diff import FieldChange, Names, Step, differences
from audit.models import ChangeSet
from audit.queries.change_sets import ChangeSetRow, change_set_row, rows_of, tallies
from audit.queries.rows import Row, Span, step_between, steps, typed_key
from audit.recording import history_of, key_of, tracked_fields
from common.errors import BadRequest, NotFound


@dataclass(frozen=True, slots=True)
class EntityChange:
    """What happened to one entity: `created`, `changed`, `deleted`, or `passed` (created and deleted again)."""

    kind: labels.EntityType
    key: Any
    name: str
    deed: str
    fields: tuple[FieldChange, ...]
    step: Step

    @property
    def type_code(self) -> str:
        """Answer the type as the API calls it."""
        return self.kind.code

    @property
    def url(self) -> str:
        """Answer the entity's page, if it has one and still exists."""
        return self.kind.url(self.key) if self.kind.url and self.step.after is not None else ""


@dataclass(frozen=True, slots=True)
class EntityChanges:
    """Some of a change set's entities; `after` asks for the next ones, empty is that there are no more."""

    entities: tuple[EntityChange, ...]
    after: str = ""


@dataclass(frozen=True, slots=True)
class ChangeSetPage:
    """A change set with some of what it did."""

    row: ChangeSetRow
    changes: EntityChanges


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """One change of one entity, with the change set that it belongs to."""

    change_set: ChangeSetRow
    change: EntityChange
    at: datetime


@dataclass(frozen=True, slots=True)
class History:
    """Some of an entity's changes, newest first; `before` asks for older ones, None is that there are none."""

    kind: labels.EntityType
    key: Any
    items: tuple[HistoryItem, ...]
    before: int | None

    @property
    def name(self) -> str:
        """Answer what the entity was called last; its key's end where nothing is known of it."""
        return self.items[0].change.name if self.items else labels.short_id(self.key)


def deed_of(step: Step) -> str:
    """Answer what happened between before and after."""
    if step.after is None:
        return "deleted" if step.before is not None else "passed"
    return "created" if step.before is None and step.is_whole else "changed"


def in_words(found: Sequence[Step]) -> list[EntityChange]:
    """Answer the steps as pages show them; one query per model that their keys point to."""
    names = Names(found)
    return [
        EntityChange(
            kind=labels.type_of(step.model),
            key=step.key,
            name=names.entity(step),
            deed=deed_of(step),
            fields=differences(step, names),
            step=step,
        )
        for step in found
    ]


def spans_of(model: type[models.Model], change_set_id: UUID, *, after: int = 0, limit: int | None = None) -> list[Span]:
    """Answer the first and last history row of each entity that the change set changed, in their order."""
    grouped = (
        history_of(model)
        .objects.filter(change_set_id=change_set_id)
        .order_by()
        .values(key_of(model).attname)
        .annotate(first_id=Min("history_id"), last_id=Max("history_id"))
        .filter(first_id__gt=after)
        .order_by("first_id")
        .values_list("first_id", "last_id")
    )
    return list(grouped[:limit] if limit else grouped)


def all_steps(change_set_id: UUID) -> list[Step]:
    """Answer everything that a change set did, for its revert. The number of queries doesn't depend on how much."""
    models_changed = [tally.kind.model for tally in tallies([change_set_id]).get(change_set_id, [])]
    made = steps({model: spans_of(model, change_set_id) for model in models_changed})
    return [step for found in made.values() for step in found.values()]


def _position(after: str) -> tuple[str, int]:
    code, _, history_id = after.partition(":")
    if not history_id.isdecimal():
        raise BadRequest("The position is not one of ours.")
    return code, int(history_id)


def changes_of(change_set_id: UUID, *, after: str = "", limit: int = 50) -> EntityChanges:
    """Answer what a change set did, entity by entity; `after` is what the part before answered. Raises BadRequest."""
    code, history_id = _position(after) if after else ("", 0)
    kinds = sorted(
        (tally.kind for tally in tallies([change_set_id]).get(change_set_id, [])), key=lambda kind: kind.code
    )
    spans: dict[type[models.Model], list[Span]] = {}
    left = limit + 1
    for kind in kinds:
        if kind.code >= code and left > 0:
            start = history_id if kind.code == code else 0
            spans[kind.model] = spans_of(kind.model, change_set_id, after=start, limit=left)
            left -= len(spans[kind.model])
    found = [
        (labels.type_of(model).code, span[0], step)
        for model, made in steps(spans).items()
        for span, step in made.items()
    ]
    shown = found[:limit]
    return EntityChanges(
        entities=tuple(in_words([step for _, _, step in shown])),
        after=f"{shown[-1][0]}:{shown[-1][1]}" if len(found) > limit else "",
    )


def change_set_page(change_set_id: UUID, *, after: str = "") -> ChangeSetPage:
    """Answer a change set with some of what it did; raises NotFound, BadRequest."""
    return ChangeSetPage(change_set_row(change_set_id), changes_of(change_set_id, after=after))


def entity_history(entity_type: str, entity_id: str, *, before: int | None = None, limit: int = 20) -> History:
    """Answer what happened to one entity, newest first. Raises NotFound for a type or key that can't be."""
    kind = labels.type_named(entity_type)
    key = typed_key(kind.model, entity_id) if kind else None
    if kind is None or key is None:
        raise NotFound
    rows = history_of(kind.model).objects.filter(**{key_of(kind.model).attname: key})
    if before is not None:
        rows = rows.filter(history_id__lt=before)
    # One more than is shown: it says what was before the oldest shown, and whether there is more.
    read = list(rows.order_by("-history_id")[: limit + 1])
    shown = read[:limit]
    columns = tracked_fields(kind.model)
    states = [
        Row(row.history_type, {column.attname: getattr(row, column.attname) for column in columns}) for row in read
    ]
    changes = in_words(
        [
            step_between(kind.model, row, row, states[place + 1] if place + 1 < len(states) else None)
            for place, row in enumerate(states[:limit])
        ]
    )
    sets = ChangeSet.objects.filter(pk__in={row.change_set_id for row in shown})
    by_id = {row.id: row for row in rows_of(list(sets))}
    return History(
        kind=kind,
        key=key,
        items=tuple(
            HistoryItem(by_id[row.change_set_id], change, row.history_date)
            for row, change in zip(shown, changes, strict=True)
        ),
        before=shown[-1].history_id if len(read) > limit else None,
    )
