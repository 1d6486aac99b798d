"""How the trail calls things: types by the data model's names, entities by what people know them by, deeds in words."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection, models

from audit.reading import as_json, typed
from audit.recording import every_tracked_model, history_of, is_tracked, key_of, quote, tracked_fields, tracked_models

Values = Mapping[str, Any]

# Columns by which people know a row, best first; a type that has none is called by what its keys point to.
_NAMES = ("display_name", "name", "title", "number", "code", "slug", "domain", "email")
_SHORT_ID = 8


@dataclass(frozen=True, slots=True)
class EntityType:
    """A tracked model as the trail shows it. `show`: how single fields are written where their type doesn't say it."""

    model: type[models.Model]
    name: str
    label: Callable[[Values], str] | None = None
    url: Callable[[Any], str] | None = None
    show: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)
    plural_name: str = ""

    @property
    def code(self) -> str:
        """Answer the name that the API and URLs use: `InventoryItem`."""
        return str(self.model._meta.object_name)

    @property
    def plural(self) -> str:
        """Answer how several of them are called."""
        if self.plural_name:
            return self.plural_name
        own = str(self.model._meta.verbose_name)
        return str(self.model._meta.verbose_name_plural) if self.name == own else f"{self.name}s"


_described: dict[type[models.Model], EntityType] = {}
_actions: dict[str, str] = {}


def describe(
    model: type[models.Model],
    *,
    name: str = "",
    label: Callable[[Values], str] | None = None,
    url: Callable[[Any], str] | None = None,
    show: Mapping[str, Callable[[Any], str]] | None = None,
    plural: str = "",
) -> None:
    """Say how the trail calls the model's rows. `label` gets a row's columns, `url` its key; both may be left out.

    `plural`: where it isn't the name with an s.
    """
    _described[model] = EntityType(model, name or str(model._meta.verbose_name), label, url, show or {}, plural)


def type_of(model: type[models.Model]) -> EntityType:
    """Answer the model as the trail shows it."""
    return _described.get(model) or EntityType(model, str(model._meta.verbose_name))


@cache
def _by_code() -> dict[str, type[models.Model]]:
    found: dict[str, type[models.Model]] = {}
    for model in every_tracked_model():
        other = found.setdefault(str(model._meta.object_name), model)
        if other is not model:
            raise ValueError(
                f"two tracked models are called {model._meta.object_name}; the trail can't tell them apart"
            )
    return found


def types() -> list[EntityType]:
    """Answer every entity type that the present schema has, by name."""
    return sorted((type_of(model) for model in tracked_models()), key=lambda kind: kind.name)


def type_named(code: str) -> EntityType | None:
    """Answer the entity type that the API calls so, if the present schema has it."""
    model = _by_code().get(code)
    return type_of(model) if model in tracked_models() else None


def name_action(action: str, words: str) -> None:
    """Say how the log calls a deed: `accounts.invite_user` is `Invited a user`."""
    _actions[action] = words


def action_words(action: str) -> str:
    """Answer a deed in words."""
    plain = action.rpartition(".")[2].replace("_", " ").strip()
    return _actions.get(action) or f"{plain[:1].upper()}{plain[1:]}"


def deed_words(action: str, reason: str) -> str:
    """Answer a deed in words with its reason, which stands alone where it says the deed itself: `Import bin 14.bsx`."""
    words = action_words(action)
    if reason.casefold().startswith(words.casefold()):
        return reason
    return f"{words}: {reason}" if reason else words


def field_words(model: type[models.Model], name: str) -> str:
    """Answer a column in words: `ship_by` is `Ship by`."""
    words = str(getattr(model._meta.get_field(name), "verbose_name", name))
    return f"{words[:1].upper()}{words[1:]}"


def short_id(value: Any) -> str:
    """Answer what is left to call something by of which only the key is known: the end, since UUIDv7s begin alike."""
    text = str(value)
    return f"…{text[-_SHORT_ID:]}" if isinstance(value, UUID) else text


def own_name(kind: EntityType, values: Values) -> str:
    """Answer what people know a row by from its own columns; empty if they know it only by what it points to."""
    if kind.label:
        return kind.label(values)
    return next((str(values[name]) for name in _NAMES if values.get(name)), "")


def _name_columns(model: type[models.Model]) -> "list[models.Field[Any, Any]]":
    """Answer the columns by which rows are named, and their key; none if they have no name of their own."""
    columns = tracked_fields(model) if is_tracked(model) else list(model._meta.concrete_fields)
    if not type_of(model).label:
        columns = [column for column in columns if column.name in _NAMES]
    key = key_of(model)
    return [key, *(column for column in columns if column is not key)] if columns else []


def _named(place: int, model: type[models.Model]) -> tuple[str, int]:
    """Answer the query for names of a model's rows, deleted ones as they were last; and how often it takes the keys."""
    columns, key = _name_columns(model), quote(key_of(model).column)
    own = quote(model._meta.db_table)
    statement = f"SELECT {place}, {as_json(columns, 't')} FROM {own} t WHERE t.{key} = ANY(%s)"  # noqa: S608  # names come from the models
    if not is_tracked(model):
        return statement, 1
    kept = [column for column in columns if column in tracked_fields(model)]
    return (
        f"{statement} UNION ALL (SELECT DISTINCT ON (h.{key}) {place}, {as_json(kept, 'h')}"  # noqa: S608  # as above
        f" FROM {quote(history_of(model)._meta.db_table)} h WHERE h.{key} = ANY(%s)"
        f" AND NOT EXISTS (SELECT 1 FROM {own} t WHERE t.{key} = h.{key}) ORDER BY h.{key}, h.history_id DESC)",
        2,
    )


def names_of(wanted: Mapping[type[models.Model], Iterable[Any]]) -> dict[type[models.Model], dict[Any, str]]:
    """Answer the names of rows by model and key. One statement, however many there are."""
    asked = [model for model, keys in wanted.items() if keys and _name_columns(model)]
    if not asked:
        return {}
    parts, params = [], []
    for place, model in enumerate(asked):
        statement, times = _named(place, model)
        parts.append(statement)
        params += [[key_of(model).get_db_prep_value(key, connection) for key in wanted[model]]] * times
    found: dict[type[models.Model], dict[Any, str]] = {model: {} for model in asked}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), params)
        for place, row in cursor.fetchall():
            model = asked[place]
            read = json.loads(row)
            values = typed([column for column in _name_columns(model) if column.column in read], read)
            found[model][values[key_of(model).attname]] = own_name(type_of(model), values)
    return found
