"""Has whatever is encrypted in a schema written anew under the current key, while everybody goes on reading it.

A column of ours is found by its type; an app that keeps encrypted text otherwise says where (`also`). A row that
somebody writes meanwhile is left to them: they write under the current key already.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

from common import crypto
from common.crypto import UndecipherableError
from common.fields import EncryptedJSONField

_BATCH = 500
# Answers the text under the current key; raises UndecipherableError.
Rewrite = Callable[[str], str]
# Beside an encrypted column it names the key.
_KEY_COLUMN = "encryption_key_id"
_more: list[tuple[type[models.Model], str, Rewrite]] = []


@dataclass(slots=True)
class Rotated:
    """What came of it: values written anew, and those whose key is gone, by table."""

    count: int = 0
    lost: dict[str, int] | None = None

    def note_lost(self, table: str) -> None:
        """Count a value that no key opens."""
        self.lost = {**(self.lost or {}), table: (self.lost or {}).get(table, 0) + 1}


def also(model: type[models.Model], column: str, rewrite: Rewrite = crypto.rotate) -> None:
    """Have a text column rotated too; `rewrite` where only a part of the text is encrypted."""
    _more.append((model, column, rewrite))


def rotate() -> Rotated:
    """Write every encrypted value of the present schema under the current key; may be broken off and run again."""
    result = Rotated()
    for model, column, rewrite in _columns():
        _rotate_column(model, column, rewrite, result)
    return result


def _columns() -> Iterator[tuple[type[models.Model], str, Rewrite]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        present = {name for (name,) in cursor.fetchall()}
    declared = [
        (model, str(field.column), crypto.rotate)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, EncryptedJSONField)
    ]
    yield from ((model, column, how) for model, column, how in (*declared, *_more) if model._meta.db_table in present)


def _rotate_column(model: type[models.Model], column: str, rewrite: Rewrite, result: Rotated) -> None:
    quote = connection.ops.quote_name
    table, key = quote(model._meta.db_table), quote(str(model._meta.pk.column))
    names_key = any(field.column == _KEY_COLUMN for field in model._meta.local_fields)
    sets = f"{quote(column)} = %s" + (f", {quote(_KEY_COLUMN)} = %s" if names_key else "")
    last: Any = None
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            where = "" if last is None else f"AND {key} > %s"
            cursor.execute(
                f"SELECT {key}, {quote(column)}::text FROM {table} WHERE {quote(column)} IS NOT NULL {where}"  # noqa: S608  # names from the models
                f" ORDER BY {key} LIMIT {_BATCH}",
                [] if last is None else [last],
            )
            rows = cursor.fetchall()
            for row_key, text in rows:
                try:
                    fresh = rewrite(text)
                except UndecipherableError:
                    result.note_lost(model._meta.db_table)
                    continue
                if fresh == text:
                    continue
                cursor.execute(
                    f"UPDATE {table} SET {sets} WHERE {key} = %s AND {quote(column)}::text = %s",  # noqa: S608  # names from the models
                    [fresh, *([crypto.key_id()] if names_key else []), row_key, text],
                )
                result.count += cursor.rowcount
        if len(rows) < _BATCH:
            return
        last = rows[-1][0]
