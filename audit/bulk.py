"""Writes many rows and their history at once: few in one statement, many by COPY to a temporary table and then one."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from itertools import islice
from operator import attrgetter
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection, models, transaction
from django.db.models import CASCADE, DO_NOTHING, PROTECT, RESTRICT, ProtectedError, QuerySet
from django.db.models.sql import UpdateQuery
from psycopg.types.json import Jsonb

from audit.recording import (
    CHANGED,
    CREATED,
    DELETED,
    Columns,
    is_tracked,
    key_of,
    listed,
    quote,
    record,
    relations_to,
    tracked_fields,
)
from common.ids import new_id

M = TypeVar("M", bound=models.Model)

# So many rows take one statement; a bigger list is cut, so that neither side holds it all at once.
BATCH = 10_000
# So few are handed over with their statement: a table of their own would cost more than all the rest.
FEW = 100

# What the plain fields store just as it is. Asking each field about each value costs more than all the rest of a batch.
_AS_IT_IS: dict[type["models.Field[Any, Any]"], type] = {
    models.CharField: str,
    models.TextField: str,
    models.BooleanField: bool,
    models.SmallIntegerField: int,
    models.IntegerField: int,
    models.BigIntegerField: int,
    models.PositiveSmallIntegerField: int,
    models.PositiveIntegerField: int,
    models.DecimalField: Decimal,
    models.UUIDField: UUID,
    models.DateTimeField: datetime,
}
_NULL = type(None)


def _batches(objs: Iterable[M], size: int) -> Iterator[list[M]]:
    rest = iter(objs)
    while batch := list(islice(rest, size)):
        yield batch


def _writable(model: type[models.Model]) -> list["models.Field[Any, Any]"]:
    return [field for field in model._meta.concrete_fields if not field.generated]


def _stored(objs: Sequence[models.Model], field: "models.Field[Any, Any]", *, add: bool) -> list[Any]:
    """Answer the field's values of all the objects, as the database takes them."""
    is_moment = type(field) is models.DateTimeField and not (field.auto_now or field.auto_now_add)
    if is_moment or type(field).pre_save is models.Field.pre_save:
        values = list(map(attrgetter(field.attname), objs))
    else:
        values = [field.pre_save(obj, add=add) for obj in objs]
    return values if _is_as_it_is(field, values) else [field.get_db_prep_save(value, connection) for value in values]


def _is_as_it_is(field: "models.Field[Any, Any]", values: list[Any]) -> bool:
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    if type(field) not in _AS_IT_IS or not set(map(type, values)) <= {_AS_IT_IS[type(field)], _NULL}:
        return False
    match field:
        case models.DateTimeField():
            return all(value is None or value.tzinfo is not None for value in values)
        case models.DecimalField():
            return all(value is None or value.is_finite() for value in values)
        case _:
            return True


@contextmanager
def _rows(
    objs: Sequence[models.Model], fields: Columns, *, add: bool, joins: bool = False
) -> Iterator[tuple[str, list[Any]]]:
    """Answer what a statement names in its FROM to read the objects' values as `s`, and its parameters.

    It is there inside the block. `joins`: they are joined by the first field.
    """
    if len(objs) <= FEW and (values := _as_json(objs, fields, add=add)) is not None:
        columns = ", ".join(f"{quote(field.column)} {_type_of(field)}" for field in fields)
        yield f"json_to_recordset(%s) s ({columns})", [values]
        return
    with _staged(objs, fields, add=add) as name:
        if joins:
            # The join is planned by this; of the other columns nothing is asked.
            with connection.cursor() as cursor:
                cursor.execute(f"ANALYZE {name} ({quote(fields[0].column)})")
        yield f"{name} s", []


def _as_json(objs: Sequence[models.Model], fields: Columns, *, add: bool) -> str | None:
    """Answer the objects' values as a list of JSON objects by column; None if JSON has no way to write one."""
    columns = [field.column for field in fields]
    rows = zip(*(_stored(objs, field, add=add) for field in fields), strict=True)
    try:
        return json.dumps([dict(zip(columns, row, strict=True)) for row in rows], default=_plain, allow_nan=False)
    except (TypeError, ValueError):
        return None


def _plain(value: Any) -> Any:
    match value:
        case UUID() | Decimal():
            return str(value)
        case date():
            return value.isoformat()
        case Jsonb() if value.obj is not None:
            return json.loads(value.dumps(value.obj)) if value.dumps else value.obj
        case _:
            # JSON's own null among them: on its way it would become none at all.
            raise TypeError(f"{type(value).__name__} isn't written as JSON")


@cache
def _type_of(field: "models.Field[Any, Any]") -> str:
    """Answer the column's type, without its length: what is too long shall be refused and not be cut."""
    return re.sub(r"\([^)]*\)", "", str(field.cast_db_type(connection)))


@contextmanager
def _staged(objs: Sequence[models.Model], fields: Columns, *, add: bool) -> Iterator[str]:
    """Hold the objects' values in a temporary table inside the block, and answer its name."""
    table, name = quote(objs[0]._meta.db_table), f"bulk_{new_id().hex}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS SELECT {listed(fields)} FROM {table} WITH NO DATA"  # noqa: S608  # names come from the models
        )
        # COPY is the driver's own, and so would its errors be: callers know Django's.
        with connection.wrap_database_errors, cursor.copy(f"COPY {name} ({listed(fields)}) FROM STDIN") as copy:
            for row in zip(*(_stored(objs, field, add=add) for field in fields), strict=True):
                copy.write_row(row)
        yield name
        cursor.execute(f"DROP TABLE {name}")


def _number(model: type[models.Model], objs: Sequence[models.Model]) -> None:
    """Give keys to objects whose keys the database counts."""
    key = key_of(model)
    missing = [obj for obj in objs if obj.pk is None]
    if not missing:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [quote(model._meta.db_table), key.column, len(missing)],
        )
        for obj, (number,) in zip(missing, cursor.fetchall(), strict=True):
            obj.pk = number


def bulk_create(model: type[M], objs: Iterable[M], *, batch_size: int = BATCH) -> int:
    """Insert the objects with their history; answer how many. Keys and moments are set on them, as `save` would."""
    count = 0
    fields = _writable(model)
    with transaction.atomic(savepoint=False):
        for batch in _batches(objs, batch_size):
            _number(model, batch)
            with _rows(batch, fields, add=True) as (source, values):
                insert = (
                    f"INSERT INTO {quote(model._meta.db_table)} ({listed(fields)}) SELECT {listed(fields)}"  # noqa: S608  # as above
                    f" FROM {source} RETURNING {listed(tracked_fields(model))}"
                )
                count += record(model, insert, values, kind=CREATED)
            for obj in batch:
                obj._state.adding, obj._state.db = False, connection.alias
    return count


def bulk_update(
    model: type[M], objs: Iterable[M], *, fields: Sequence[str], rising: Sequence[str] = (), batch_size: int = BATCH
) -> int:
    """Store those fields of the objects, with history of the rows that differ; answer how many did.

    `auto_now` moments are stored along, and `rising` columns (`version`) go up by one. A row that equals what is stored
    is left alone, its moments and versions too.
    """
    key = key_of(model)
    wanted = [model._meta.get_field(name) for name in fields]
    chosen: list[models.Field[Any, Any]] = [field for field in wanted if isinstance(field, models.Field)]
    if len(chosen) != len(wanted) or key in chosen or not all(field.concrete for field in chosen):
        raise ValueError(f"{model.__name__}: only columns other than the key can be updated, not {', '.join(fields)}")
    moments = [field for field in _writable(model) if getattr(field, "auto_now", False) and field not in chosen]
    stored = [*chosen, *moments]
    columns = [quote(model._meta.get_field(name).column) for name in rising]  # type: ignore[union-attr]  # columns by name
    sets = ", ".join(
        [f"{quote(field.column)} = s.{quote(field.column)}" for field in stored]
        + [f"{column} = t.{column} + 1" for column in columns]
    )
    count = 0
    with transaction.atomic(savepoint=False):
        for batch in _batches(objs, batch_size):
            with _rows(batch, [key, *stored], add=False, joins=True) as (source, values):
                update = (
                    f"UPDATE {quote(model._meta.db_table)} t SET {sets} FROM {source}"  # noqa: S608  # as above
                    f" WHERE t.{quote(key.column)} = s.{quote(key.column)}"
                    f" AND ROW({listed(chosen, 't.')}) IS DISTINCT FROM ROW({listed(chosen, 's.')})"
                    f" RETURNING {listed(tracked_fields(model), 't.')}"
                )
                count += _record_or_run(
                    model, update, values, only_untracked=not set(chosen) & set(tracked_fields(model))
                )
    return count


def _record_or_run(model: type[models.Model], statement: str, params: Sequence[Any], *, only_untracked: bool) -> int:
    """Run the statement with history, or alone where it changes nothing that the history keeps."""
    if not only_untracked:
        return record(model, statement, params, kind=CHANGED)
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        count: int = cursor.rowcount
    return count


def update(queryset: "QuerySet[M]", **values: Any) -> int:
    """Set the same values or expressions on all rows of the queryset; answer how many differ then. History as ever."""
    model = queryset.model
    moments = {
        field.name: field.pre_save(model(), add=False)
        for field in _writable(model)
        if getattr(field, "auto_now", False) and field.name not in values
    }
    rows = model._base_manager.filter(pk__in=queryset.order_by().values("pk"))
    query: Any = rows.query.chain(UpdateQuery)
    query.add_update_values({**moments, **values})
    try:
        statement, params = query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return 0
    table = quote(model._meta.db_table)
    with transaction.atomic(savepoint=False):
        return record(
            model,
            f"{statement} RETURNING {listed(tracked_fields(model), f'{table}.')}",
            params,
            kind=CHANGED,
            if_different=True,
        )


def bulk_delete(queryset: "QuerySet[M]") -> int:
    """Delete the rows with their history, and what hangs on them as their keys say; answer how many the queryset had.

    Raises ProtectedError where something depends on one of them.
    """
    model = queryset.model
    key = key_of(model)
    with transaction.atomic():
        # Locked, so that nothing new hangs itself on them in between.
        keys = list(queryset.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
        if not keys:
            return 0
        for relation in relations_to(model):
            _let_go(relation, keys)
        statement = f"DELETE FROM {quote(model._meta.db_table)} WHERE {quote(key.column)} = ANY(%s)"  # noqa: S608  # as above
        values = [[key.get_db_prep_value(value, connection) for value in keys]]
        return record(model, f"{statement} RETURNING {listed(tracked_fields(model))}", values, kind=DELETED)


def _let_go(relation: Any, keys: list[Any]) -> None:
    """Do with the rows of one relation what its foreign key says."""
    found = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": keys})
    match relation.on_delete:
        case how if how is DO_NOTHING:
            return
        case how if how in {PROTECT, RESTRICT}:
            if held := set(found[:10]):
                raise ProtectedError(f"{relation.related_model._meta.verbose_name_plural} depend on it", held)
        case how if how is CASCADE:
            if is_tracked(relation.related_model):
                bulk_delete(found)
            else:
                found.delete()
        case _:
            cleared = {relation.field.name: relation.field.get_default()}
            if is_tracked(relation.related_model):
                update(found, **cleared)
            else:
                found.update(**cleared)
