"""What changed, field by field, in values for programs and in words for people."""

import difflib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.dateformat import format as format_date

from audit import labels
from audit.recording import key_of, tracked_fields
from common import workspace
from common.templatetags.ui import count, money_filter, unit_price

State = Mapping[str, Any]

# Columns that change with every change, or never: the pages leave them out.
NOISE = frozenset({"id", "version", "created_at", "updated_at"})
_LONG = 60
_TWO_PLACES = 2


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a long text: `same`, `was` or `now`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field, or one entry of a JSON field: its values, and how people read them. Of a list: what left and came."""

    field: str
    label: str
    old: Any
    new: Any
    before: str
    after: str
    pieces: tuple[Piece, ...] = ()
    is_list: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A row before and after: None is that it wasn't there. `is_whole` is false where retention took what was before.

    `between`: what it was in between, if it was there only then.
    """

    model: type[models.Model]
    key: Any
    before: State | None
    after: State | None
    is_whole: bool = True
    between: State | None = None

    @property
    def known(self) -> State:
        """Answer the latest state that is known, to call the row by."""
        return self.after or self.before or self.between or {}


def plain(value: Any) -> Any:
    """Answer a column's value as JSON has it."""
    match value:
        case None | bool() | int() | str():
            return value
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case list() | tuple():
            return [plain(item) for item in value]
        case dict():
            return {str(name): plain(item) for name, item in value.items()}
        case _:
            return str(value)


def plain_state(state: State | None) -> dict[str, Any] | None:
    """Answer a row's columns as JSON has them."""
    return None if state is None else {name: plain(value) for name, value in state.items()}


def changed_fields(step: Step) -> list["models.Field[Any, Any]"]:
    """Answer the tracked fields in which before and after differ."""
    if not step.is_whole:
        return []
    before, after = step.before or {}, step.after or {}
    return [
        column
        for column in tracked_fields(step.model)
        if before.get(column.attname, _ABSENT) != after.get(column.attname, _ABSENT)
    ]


_ABSENT = object()


class Names:
    """The names of what foreign keys point to, looked up together."""

    def __init__(self, steps: Iterable[Step]) -> None:
        wanted: dict[type[models.Model], set[Any]] = defaultdict(set)
        for step in steps:
            for column in tracked_fields(step.model):
                if isinstance(column, models.ForeignKey):
                    for state in (step.before, step.after, step.between):
                        if state and (value := state.get(column.attname)) is not None:
                            wanted[_target(column)].add(value)
        self._found = labels.names_of(wanted)

    def of(self, model: type[models.Model], key: Any) -> str:
        """Answer the name of a row, or the end of its key."""
        return self._found.get(model, {}).get(key) or labels.short_id(key)

    def entity(self, step: Step) -> str:
        """Answer what people know an entity by: its own name, else what it points to, else the end of its key."""
        state = step.known
        if state and (own := labels.own_name(labels.type_of(step.model), state)):
            return own
        pointed = [
            self.of(_target(column), state[column.attname])
            for column in tracked_fields(step.model)
            if isinstance(column, models.ForeignKey) and state.get(column.attname) is not None
        ]
        return " · ".join(pointed) or labels.short_id(step.key)


def _target(column: "models.ForeignKey[Any, Any]") -> type[models.Model]:
    return column.remote_field.model


def words(column: "models.Field[Any, Any]", value: Any, names: Names) -> str:
    """Answer a column's value as people read it; nothing for null."""
    shown = labels.type_of(column.model).show.get(column.attname)
    if value is None:
        return ""
    if shown:
        return shown(value)
    if isinstance(column, models.ForeignKey):
        return names.of(_target(column), value)
    choices = dict(column.flatchoices)
    if value in choices if isinstance(value, str | int) else False:
        return str(choices[value])
    if isinstance(column, models.DecimalField):
        number = Decimal(str(value))
        return money_filter(number) if column.decimal_places == _TWO_PLACES else unit_price(number)
    return _plain_words(value)


def _plain_words(value: Any) -> str:  # noqa: PLR0911  # one line for each kind of value
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return count(value)
        case float() | Decimal():
            return unit_price(value)
        case datetime():
            return format_date(value.astimezone(workspace.current().zone), "j M Y, H:i:s")
        case date():
            return format_date(value, "j M Y")
        case UUID():
            return labels.short_id(value)
        case list() | tuple():
            return ", ".join(_plain_words(item) for item in value)
        case dict():
            return json.dumps(plain(value), ensure_ascii=False, sort_keys=True)
        case _:
            return str(value)


def word_diff(before: str, after: str) -> tuple[Piece, ...]:
    """Answer two texts as one, in stretches of words that stayed, left and came."""
    old, new = re.findall(r"\s+|[^\s]+", before), re.findall(r"\s+|[^\s]+", after)
    pieces: list[Piece] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", "".join(old[a:b])))
            continue
        pieces += [Piece("was", "".join(old[a:b]))] if b > a else []
        pieces += [Piece("now", "".join(new[c:d]))] if d > c else []
    return tuple(pieces)


def _list_change(column: "models.Field[Any, Any]", label: str, old: Any, new: Any) -> FieldChange:
    left = [item for item in old or [] if item not in (new or [])]
    came = [item for item in new or [] if item not in (old or [])]
    if not left and not came:  # only the order, or how often, has changed
        left, came = list(old or []), list(new or [])
    return FieldChange(column.name, label, plain(old), plain(new), _plain_words(left), _plain_words(came), is_list=True)


def _entries(path: str, label: str, old: Any, new: Any) -> list[FieldChange]:
    """Answer the entries of a JSON field that differ, however deep they are."""
    if isinstance(old, dict | None) and isinstance(new, dict | None) and (old or new):
        before, after = old or {}, new or {}
        return [
            change
            for name in sorted({*before, *after}, key=str)
            if before.get(name, _ABSENT) != after.get(name, _ABSENT)
            for change in _entries(
                f"{path}.{name}", f"{label} › {str(name).replace('_', ' ')}", before.get(name), after.get(name)
            )
        ]
    return [FieldChange(path, label, plain(old), plain(new), _plain_words(old), _plain_words(new))]


def _in_words(column: "models.Field[Any, Any]", old: Any, new: Any, names: Names) -> list[FieldChange]:
    label = labels.field_words(column.model, column.name)
    is_written = column.attname in labels.type_of(column.model).show
    if not is_written and (isinstance(old, list) or isinstance(new, list)):
        return [_list_change(column, label, old, new)]
    if not is_written and isinstance(column, models.JSONField):
        return _entries(column.name, label, old, new)
    before, after = words(column, old, names), words(column, new, names)
    is_long = (
        isinstance(column, models.CharField | models.TextField)
        and before
        and after
        and max(len(before), len(after)) > _LONG
    )
    pieces = word_diff(before, after) if is_long else ()
    return [FieldChange(column.name, label, plain(old), plain(new), before, after, pieces)]


def _says_something(step: Step, column: "models.Field[Any, Any]") -> bool:
    """Tell whether a column of a row that came or went is worth showing: what every such row has is not."""
    if step.before and step.after:
        return True
    value = (step.after or step.before or {}).get(column.attname)
    return value not in (None, "", [], {}) and value != column.get_default()


def differences(step: Step, names: Names) -> tuple[FieldChange, ...]:
    """Answer what differs between before and after, for people."""
    hidden = {*NOISE, key_of(step.model).name}
    before, after = step.before or {}, step.after or {}
    return tuple(
        change
        for column in changed_fields(step)
        if column.name not in hidden and _says_something(step, column)
        for change in _in_words(column, before.get(column.attname), after.get(column.attname), names)
    )


def plain_changes(step: Step) -> list[dict[str, Any]]:
    """Answer what differs between before and after, for programs: field, old, new."""
    before, after = step.before or {}, step.after or {}
    return [
        {"field": column.attname, "old": plain(before.get(column.attname)), "new": plain(after.get(column.attname))}
        for column in changed_fields(step)
    ]
