"""Works out what a revert would do, before anything happens: field by field clean, in conflict, done or impossible."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.db.models import CASCADE, PROTECT, RESTRICT

from audit import labels, reverters
from audit.diff import Names, Step, changed_fields, words
from audit.models import ChangeSet
from audit.queries.change_sets import ChangeSetRow, rows_of
from audit.queries.entities import all_steps
from audit.queries.parts import steps_of
from audit.queries.rows import typed_key
from audit.recording import CREATED, history_of, is_tracked, key_of, relations_to, tracked_fields
from audit.reverters import Bond, Objection, Patch, Reverter, Way

NOT_REVERTIBLE = Objection("This can't be put back.")
NO_LONGER_KNOWN = Objection("What it was before is no longer kept.")
STAYS_TOO = Objection("It stays with what it belongs to, which can't go back.")
NOT_ALONE = Objection("It goes back only together with others of the same change.", "Revert the whole change.")
HAPPENED_TWICE = Objection("It was made and taken away again; nothing is left of it.")


# An entry that a JSON field didn't have.
ABSENT: Any = object()


class State(StrEnum):
    """How a field or an entity stands to its revert."""

    CLEAN = "CLEAN"
    CONFLICT = "CONFLICT"
    DONE = "DONE"
    IMPOSSIBLE = "IMPOSSIBLE"


@dataclass(frozen=True, slots=True)
class Decision:
    """Put this back though it was changed since. Without a field: the entity as a whole."""

    entity_type: str
    entity_id: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """A field with its three values, before the change, by it, and now: in words, and as they are.

    `entry`: the name of an entry, if the column holds JSON and only that entry was changed; ABSENT if it wasn't there.
    """

    field: str
    label: str
    state: State
    before: str
    after: str
    now: str
    column: str
    value: Any
    value_after: Any
    value_now: Any
    entry: str | None = None
    reason: str = ""

    def put_back(self, values: dict[str, Any], now: Mapping[str, Any]) -> None:
        """Put the value from before into `values`, into what the JSON field has now if it is one of its entries."""
        if self.entry is None:
            values[self.column] = self.value
            return
        entries = values.setdefault(self.column, dict(now[self.column]))
        if self.value is ABSENT:
            entries.pop(self.entry, None)
        else:
            entries[self.entry] = self.value


@dataclass(frozen=True, slots=True)
class EntityPlan:
    """What would happen to one entity. `fields` only where fields go back."""

    kind: labels.EntityType
    key: Any
    name: str
    way: Way
    state: State
    fields: tuple[FieldPlan, ...]
    step: Step
    now: Mapping[str, Any] | None = None
    objection: Objection | None = None
    # The keys of its kind with which it goes back, all of them or none.
    bond: frozenset[Any] = frozenset()
    # It wasn't asked for, but goes back along with what was.
    is_company: bool = False

    @property
    def is_open(self) -> bool:
        """Tell whether something can be done."""
        return self.state in {State.CLEAN, State.CONFLICT}

    def refused(self, objection: Objection | None) -> "EntityPlan":
        """Answer the plan with the objection, if there is one and anything could be done."""
        if objection is None or not self.is_open:
            return self
        return replace(self, state=State.IMPOSSIBLE, objection=objection)

    @property
    def identity(self) -> tuple[str, str]:
        """Answer type and id as decisions name them."""
        return self.kind.code, str(self.key)

    @property
    def url(self) -> str:
        """Answer the entity's page, if it has one and exists."""
        return self.kind.url(self.key) if self.kind.url and self.way is not Way.RECREATE else ""

    def patch(self, decided: Collection[Decision] = ()) -> Patch | None:
        """Answer what is to be done, with what was decided; None if nothing is."""
        code, key = self.identity
        if self.state in {State.DONE, State.IMPOSSIBLE}:
            return None
        if self.way is Way.RESTORE:
            wanted = [
                field
                for field in self.fields
                if field.state is State.CLEAN
                or (field.state is State.CONFLICT and Decision(code, key, field.field) in decided)
            ]
            return self._patch(wanted) if wanted else None
        if self.state is State.CONFLICT and Decision(code, key) not in decided:
            return None
        return self._patch(())

    def full_patch(self) -> Patch:
        """Answer all that could be done: what permissions and objections are asked about."""
        return self._patch(field for field in self.fields if field.state in {State.CLEAN, State.CONFLICT})

    def _patch(self, fields: Iterable[FieldPlan]) -> Patch:
        values: dict[str, Any] = dict(self.step.before or {}) if self.way is Way.RECREATE else {}
        for field in fields:
            field.put_back(values, self.now or {})
        return Patch(self.step.model, self.key, self.way, values, self.now)


@dataclass(frozen=True, slots=True)
class Plan:
    """The preview of a revert."""

    change_set: ChangeSetRow
    entities: tuple[EntityPlan, ...]
    # How many entities weren't looked at: of a large change set only the first ones are.
    more: int = 0

    def count(self, state: State) -> int:
        """Answer how many entities stand so."""
        return sum(entity.state is state for entity in self.entities)

    @property
    def clean(self) -> int:
        """Answer how many entities go back as they were."""
        return self.count(State.CLEAN)

    @property
    def conflicts(self) -> int:
        """Answer how many entities were changed since, in what would go back."""
        return self.count(State.CONFLICT)

    @property
    def impossible(self) -> int:
        """Answer how many entities can't be put back."""
        return self.count(State.IMPOSSIBLE)

    @property
    def done(self) -> int:
        """Answer how many entities are as they were already."""
        return self.count(State.DONE)


# --- The present ----------------------------------------------------------------------------------------------------
Rows = dict[type[models.Model], dict[Any, dict[str, Any]]]


def _by_model(steps: Iterable[Step]) -> dict[type[models.Model], list[Step]]:
    found: dict[type[models.Model], list[Step]] = defaultdict(list)
    for step in steps:
        found[step.model].append(step)
    return found


def _present(steps: Sequence[Step], *, lock: bool) -> Rows:
    """Answer the rows as they are now; one query per model. `lock` holds what guards them."""
    of_model = _by_model(steps)
    if lock:
        _hold(of_model)
    found: Rows = {}
    for model, mine in of_model.items():
        columns = [column.attname for column in tracked_fields(model)]
        rows = model._base_manager.filter(pk__in={step.key for step in mine}).values(*columns)
        found[model] = {row[key_of(model).attname]: row for row in rows}
    return found


class _Grown(Exception):  # noqa: N818  # nothing that goes wrong: it lets go of what was held
    """More is to be held than was known before."""


def _hold(of_model: Mapping[type[models.Model], Sequence[Step]]) -> None:
    """Hold what guards the rows, all before anything is done: models in the house's order, rows in that of their keys.

    Where more guards them by then, all is let go and begun again.
    """
    while True:
        try:
            with transaction.atomic():
                guards = _guards(of_model)
                for model in sorted(guards, key=_lock_place):
                    rows = model._base_manager.filter(pk__in=guards[model]).order_by("pk")
                    is_shared = not _is_closed(model, of_model.get(model, ()))
                    list(rows.select_for_update(of=("self",), no_key=is_shared).values_list("pk"))
                if any(keys - guards[model] for model, keys in _guards(of_model).items()):
                    raise _Grown
        except _Grown:
            continue
        return


def _guards(of_model: Mapping[type[models.Model], Sequence[Step]]) -> dict[type[models.Model], set[Any]]:
    guards: dict[type[models.Model], set[Any]] = defaultdict(set)
    for model, mine in of_model.items():
        reverter = reverters.get(model)
        for guard, keys in (reverter.guards(mine) if reverter else {model: {step.key for step in mine}}).items():
            guards[guard].update(keys)
    return guards


def _is_closed(model: type[models.Model], steps: Sequence[Step]) -> bool:
    """Tell whether rows are held as firmly as their going takes: a lock that grows later would wait out of order."""
    ways = {_way(step) for step in steps}
    return Way.REMOVE in ways or (Way.RESTORE in ways and (reverters.get(model) or Reverter).is_closed)


def _lock_place(model: type[models.Model]) -> tuple[int, str]:
    reverter = reverters.get(model)
    return reverter.lock_place if reverter else Reverter.lock_place, model._meta.label


def _company(steps: Sequence[Step], change_set_id: UUID) -> list[Step]:
    """Answer what goes back along with these, and along with that, until nothing more does."""
    known = {(step.model, step.key) for step in steps}
    found: list[Step] = []
    new: Sequence[Step] = steps
    while new:
        wanted: dict[type[models.Model], set[Any]] = defaultdict(set)
        for model, mine in _by_model(new).items():
            reverter = reverters.get(model)
            for other, keys in (reverter.company(mine, change_set_id=change_set_id) if reverter else {}).items():
                wanted[other] |= {key for key in keys if (other, key) not in known}
        new = [step for model, keys in wanted.items() if keys for step in steps_of(model, keys, change_set_id)]
        known |= {(step.model, step.key) for step in new}
        found += new
    return found


def _dependents(
    removed: Mapping[type[models.Model], set[Any]], *, together_with: UUID | None
) -> dict[tuple[type[models.Model], Any], str]:
    """Answer in words what hangs on rows that would be removed, and wouldn't go with them. One query per relation.

    `together_with`: a change set of which only a part is looked at; what it made goes too.
    """
    held: dict[tuple[type[models.Model], Any], str] = {}
    for model, keys in removed.items():
        for relation in relations_to(model):
            other, column = relation.related_model, relation.field
            # What isn't tracked and goes with its owner (sessions, tokens) is part of it.
            counts = relation.on_delete in {PROTECT, RESTRICT} or (relation.on_delete is CASCADE and is_tracked(other))
            if not counts:
                continue
            rows = other._base_manager.filter(**{f"{column.name}__in": keys}).exclude(pk__in=removed.get(other, set()))
            if together_with and is_tracked(other):
                made = history_of(other).objects.filter(change_set_id=together_with, history_type=CREATED)
                rows = rows.exclude(pk__in=made.values(key_of(other).attname))
            number: dict[Any, int] = defaultdict(int)
            for key in rows.values_list(column.attname, flat=True):
                number[key] += 1
            kind = labels.type_of(other)
            held |= {
                (model, key): f"1 {kind.name} depends on it."
                if count == 1
                else f"{count:,} {kind.plural} depend on it."
                for key, count in number.items()
            }
    return held


# --- The plan -------------------------------------------------------------------------------------------------------
def _way(step: Step) -> Way:
    if step.before is None and step.is_whole:
        return Way.REMOVE
    return Way.RECREATE if step.after is None else Way.RESTORE


def _entries(
    column: "models.Field[Any, Any]", before: Any, after: Any, now: Any
) -> list[tuple[str | None, Any, Any, Any]]:
    """Answer what is put back by itself: the whole field, or those entries of a JSON field that were changed."""
    if not (isinstance(column, models.JSONField) and all(isinstance(value, dict) for value in (before, after, now))):
        return [(None, before, after, now)]
    return [
        (entry, before.get(entry, ABSENT), after.get(entry, ABSENT), now.get(entry, ABSENT))
        for entry in sorted({*before, *after})
        if before.get(entry, ABSENT) != after.get(entry, ABSENT)
    ]


def _stands(before: Any, after: Any, now: Any) -> State:
    if now == before:
        return State.DONE
    return State.CLEAN if now == after else State.CONFLICT


def _field_plans(step: Step, now: Mapping[str, Any], reverter: Reverter, names: Names | None) -> tuple[FieldPlan, ...]:
    before, after = step.before or {}, step.after or {}
    plans = []
    for column in changed_fields(step):
        if reverter.is_followed(column):
            continue
        reason = reverter.keeps.get(column.name) or reverter.keeps.get(column.attname, "")
        label = labels.field_words(step.model, column.name)
        name = column.attname
        for entry, was, made, present in _entries(column, before[name], after[name], now[name]):
            shown = (
                [words(column, None if value is ABSENT else value, names) for value in (was, made, present)]
                if names
                else [""] * 3
            )
            plans.append(
                FieldPlan(
                    field=name if entry is None else f"{name}.{entry}",
                    label=label if entry is None else f"{label} › {entry.replace('_', ' ')}",
                    state=State.IMPOSSIBLE if reason else _stands(was, made, present),
                    before=shown[0],
                    after=shown[1],
                    now=shown[2],
                    column=name,
                    value=was,
                    value_after=made,
                    value_now=present,
                    entry=entry,
                    reason=reason,
                )
            )
    return tuple(plans)


def _state_of(fields: Iterable[FieldPlan]) -> State:
    states = {field.state for field in fields}
    return next((state for state in (State.CONFLICT, State.CLEAN, State.IMPOSSIBLE) if state in states), State.DONE)


def _was_touched(step: Step, now: Mapping[str, Any], reverter: Reverter) -> bool:
    after = step.after or {}
    return any(
        now[column.attname] != after.get(column.attname)
        for column in tracked_fields(step.model)
        if not reverter.is_followed(column)
    )


def _entity_plan(  # noqa: PLR0911  # one line for each standing
    step: Step, now: Mapping[str, Any] | None, names: Names | None
) -> EntityPlan:
    kind, way = labels.type_of(step.model), _way(step)
    name = names.entity(step) if names else ""
    reverter = reverters.get(step.model)

    def plan(state: State, objection: Objection | None = None, fields: tuple[FieldPlan, ...] = ()) -> EntityPlan:
        return EntityPlan(kind, step.key, name, way, state, fields, step, now, objection)

    if step.before is None and step.after is None:
        return plan(State.DONE if step.is_whole else State.IMPOSSIBLE, HAPPENED_TWICE)
    if reverter is None or not reverter.can(way):
        return plan(State.IMPOSSIBLE, NOT_REVERTIBLE)
    if not step.is_whole:
        return plan(State.IMPOSSIBLE, NO_LONGER_KNOWN)
    if reverter.is_consequence(step):
        return plan(State.DONE)
    if way is Way.RECREATE:
        return plan(State.CLEAN if now is None else State.DONE)
    if way is Way.REMOVE:
        if now is None:
            return plan(State.DONE)
        return plan(State.CONFLICT if _was_touched(step, now, reverter) else State.CLEAN)
    if now is None:
        return plan(State.IMPOSSIBLE, Objection("It was deleted since.", "Revert its deletion first."))
    fields = _field_plans(step, now, reverter, names)
    return plan(_state_of(fields), None, fields)


def _with_objections(plans: list[EntityPlan], *, change_set_id: UUID, together_with: UUID | None) -> list[EntityPlan]:
    """Answer the plans after those who know were asked: what depends on it, and the owner of the rows."""
    removed: dict[type[models.Model], set[Any]] = defaultdict(set)
    for plan in plans:
        if plan.way is Way.REMOVE and plan.is_open:
            removed[plan.step.model].add(plan.key)
    held = _dependents(removed, together_with=together_with)
    found: dict[int, Objection] = {}
    asked: dict[type[models.Model], list[EntityPlan]] = defaultdict(list)
    for plan in plans:
        if not plan.is_open:
            continue
        if depending := held.get((plan.step.model, plan.key)):
            found[id(plan)] = Objection(depending)
        asked[plan.step.model].append(plan)
    for model, group in asked.items():
        reverter = reverters.get(model)
        patches = [plan.full_patch() for plan in group]
        answers = reverter.objections(patches) if reverter else [NOT_REVERTIBLE] * len(group)
        # What the owner says comes first: what hangs on a row may hang there for that very reason.
        found |= {id(plan): answer for plan, answer in zip(group, answers, strict=True) if answer is not None}
    action = ChangeSet.objects.filter(pk=change_set_id).values_list("action", flat=True).first() or ""
    if (kept := reverters.why_kept(action)) is not None:
        # Whatever else stands in the way: this comes first.
        return [
            plan if plan.state is State.DONE else replace(plan, state=State.IMPOSSIBLE, objection=kept)
            for plan in plans
        ]
    bound = _bound([plan.refused(found.get(id(plan))) for plan in plans], change_set_id)
    stuck = {(plan.step.model, plan.key) for plan in bound if plan.state is State.IMPOSSIBLE}
    return [plan.refused(STAYS_TOO if _owner_of(plan) in stuck else None) for plan in bound]


def _owner_of(plan: EntityPlan) -> tuple[type[models.Model], Any] | None:
    reverter = reverters.get(plan.step.model)
    return reverter.falls_with(plan.step) if reverter else None


def _bound(plans: list[EntityPlan], change_set_id: UUID) -> list[EntityPlan]:
    """Answer the plans, each with those with which it goes back; where one of them can't, none does."""
    bonds: dict[tuple[type[models.Model], Any], Bond] = {}
    places = {(plan.step.model, plan.key): plan for plan in plans}
    of_model: dict[type[models.Model], list[EntityPlan]] = defaultdict(list)
    for plan in plans:
        of_model[plan.step.model].append(plan)
    for model, group in of_model.items():
        reverter = reverters.get(model)
        standings = [(plan.step, plan.now) for plan in group]
        for bond in reverter.bonds(standings, change_set_id=change_set_id) if reverter else ():
            stuck = [plan for key in bond.keys if (plan := places[model, key]).state is State.IMPOSSIBLE]
            reason = stuck[0].objection.reason if stuck and stuck[0].objection else NOT_REVERTIBLE.reason
            why = bond.objection or (Objection(f"It goes back only together with another: {reason}") if stuck else None)
            bonds |= {(model, key): Bond(bond.keys, why) for key in bond.keys}
    bound = []
    for plan in plans:
        mine = bonds.get((plan.step.model, plan.key))
        bound.append(replace(plan.refused(mine.objection), bond=mine.keys) if mine and plan.is_open else plan)
    return bound


def entity_plans(
    steps: Sequence[Step], *, change_set_id: UUID, lock: bool, in_words: bool = True, is_part: bool = False
) -> tuple[EntityPlan, ...]:
    """Answer what putting back what a change set did to the entities would do, and to those that go back along with
    them; `lock` holds what guards them.

    `in_words=False` leaves the names and values for people empty. `is_part`: what else the change set made goes too.
    """
    company = _company(steps, change_set_id)
    every = [*steps, *company]
    present = _present(every, lock=lock)
    names = None
    if in_words:
        now_steps = [
            Step(step.model, step.key, None, present[step.model][step.key])
            for step in every
            if step.key in present[step.model]
        ]
        names = Names([*every, *now_steps])
    plans = [_entity_plan(step, present[step.model].get(step.key), names) for step in every]
    plans[len(steps) :] = [replace(plan, is_company=True) for plan in plans[len(steps) :]]
    together_with = change_set_id if is_part else None
    return tuple(_with_objections(plans, change_set_id=change_set_id, together_with=together_with))


def _step_of(change_set_id: UUID, entity_type: str, entity_id: str) -> list[Step]:
    kind = labels.type_named(entity_type)
    key = typed_key(kind.model, entity_id) if kind else None
    return [] if kind is None or key is None else steps_of(kind.model, [key], change_set_id)


def plan_for(change_set: ChangeSet, *, entity: tuple[str, str] | None, lock: bool) -> Plan:
    """Answer what reverting the change set, or its change of one entity, would do; `lock` holds what guards it."""
    steps = all_steps(change_set.pk) if entity is None else _step_of(change_set.pk, *entity)
    plans = entity_plans(steps, change_set_id=change_set.pk, lock=lock)
    asked = tuple(plan.refused(NOT_ALONE if plan.bond - {plan.key} else None) if entity else plan for plan in plans)
    return Plan(rows_of([change_set])[0], tuple(plan for plan in asked if not plan.is_company))
