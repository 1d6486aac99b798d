"""The one statement that writes history: from the rows in the database, with the change set if it is the first."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection, models, router
from django.utils import timezone

from audit.context import Deed, current_deed
from audit.models import ChangeSet

CREATED, CHANGED, DELETED = "+", "~", "-"

Columns = Sequence["models.Field[Any, Any]"]


def is_tracked(model: type[models.Model]) -> bool:
    """Tell whether rows of the model leave a history."""
    return hasattr(model._meta, "simple_history_manager_attribute")


def every_tracked_model() -> list[type[models.Model]]:
    """Answer every model of the installation whose rows leave a history."""
    return list(filter(is_tracked, apps.get_models()))


def tracked_models() -> list[type[models.Model]]:
    """Answer every model whose history has its table in the present schema; its rows may lie in another."""
    return [model for model in every_tracked_model() if router.allow_migrate_model(connection.alias, history_of(model))]


@cache
def history_of(model: type[models.Model]) -> Any:
    """Answer the model of the history table."""
    # Kept, because simple-history makes a manager's class each time it is asked.
    return getattr(model, model._meta.simple_history_manager_attribute).model  # type: ignore[attr-defined]  # simple-history's


def tracked_fields(model: type[models.Model]) -> list["models.Field[Any, Any]"]:
    """Answer the fields whose values the history keeps; secrets and noise are not among them."""
    fields: list[models.Field[Any, Any]] = history_of(model).tracked_fields
    return fields


def key_of(model: type[models.Model]) -> "models.Field[Any, Any]":
    """Answer the field of the primary key."""
    assert model._meta.pk is not None  # noqa: S101  # only abstract models have none
    return model._meta.pk


def relations_to(model: type[models.Model]) -> list[Any]:
    """Answer the relations by which rows of other tables hang on the model's."""
    return [
        relation
        for relation in model._meta.get_fields(include_hidden=True)
        if relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one)
    ]


@cache
def quote(name: str | None) -> str:
    """Answer a table's or column's name as a statement takes it."""
    return connection.ops.quote_name(str(name))


def listed(fields: Columns, prefix: str = "") -> str:
    """Answer the columns for a statement: `t."id", t."name"`."""
    return ", ".join(f"{prefix}{quote(field.column)}" for field in fields)


def _opening(deed: Deed) -> tuple[str, list[Any]]:
    """Answer the part of the statement that makes the change set if any row changed; nothing where it is there."""
    if deed.row().is_written:
        return "", []
    row, fields = deed.values(), ChangeSet._meta.concrete_fields
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    typed = ", ".join(f"%s::{field.cast_db_type(connection)}" for field in fields)
    return (
        # It may be there unseen: while Django runs the hooks of a commit, those still to come look like rolled back.
        f", opened AS (INSERT INTO {quote(ChangeSet._meta.db_table)} ({listed(fields)})"  # noqa: S608  # names come from the models
        f" SELECT {typed} WHERE EXISTS (SELECT 1 FROM changed) ON CONFLICT DO NOTHING)",
        values,
    )


def _differs(model: type[models.Model]) -> str:
    """Answer the condition that a row `s` isn't what its history says last."""
    kept, key = tracked_fields(model), quote(key_of(model).column)
    trail = quote(history_of(model)._meta.db_table)
    return (
        f" WHERE NOT EXISTS (SELECT 1 FROM (SELECT h.history_type, {listed(kept, 'h.')} FROM {trail} h"  # noqa: S608  # names come from the models
        f" WHERE h.{key} = s.{key} ORDER BY h.history_id DESC LIMIT 1) l"
        f" WHERE l.history_type <> '{DELETED}'"
        f" AND ROW({listed(kept, 'l.')}) IS NOT DISTINCT FROM ROW({listed(kept, 's.')}))"
    )


def record(
    model: type[models.Model], statement: str, params: Sequence[Any], *, kind: str, if_different: bool = False
) -> int:
    """Write history of the rows that `statement` answers (with the tracked columns); answer how many.

    The statement may itself write (`UPDATE … RETURNING`), so that rows and history are one. `if_different`: only of
    rows that aren't what their history says last. Call it inside the transaction of the change.
    """
    deed = current_deed()
    opening, values = _opening(deed)
    kept = listed(tracked_fields(model))
    row = deed.row()
    whole = (
        f"WITH source AS ({statement}), changed AS (SELECT s.* FROM source s{_differs(model) if if_different else ''})"  # noqa: S608  # as above
        f"{opening} INSERT INTO {quote(history_of(model)._meta.db_table)}"
        f" ({kept}, history_date, history_type, change_set_id) SELECT {kept}, %s, %s, %s FROM changed"
    )
    with connection.cursor() as cursor:
        cursor.execute(whole, [*params, *values, timezone.now(), kind, row.id])
        count: int = cursor.rowcount
    if count and opening:
        row.mark_written()
    return count


def record_present(model: type[models.Model], key: Any, *, kind: str) -> int:
    """Write history of one row as it is in the database now; a change of nothing that is kept leaves none."""
    pk = key_of(model)
    statement = (
        f"SELECT {listed(tracked_fields(model))} FROM {quote(model._meta.db_table)} WHERE {quote(pk.column)} = %s"  # noqa: S608  # as above
    )
    value = pk.get_db_prep_value(key, connection)
    return record(model, statement, [value], kind=kind, if_different=kind == CHANGED)
