"""Connections beside Django's, for what must outlast its transactions or not see them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

from tenants.schemas.names import quote

# Who copies the template holds this key shared, who migrates it holds it alone.
TEMPLATE_KEY = 0x6272_696B_0001

# What Django keeps beside the parameters that a connection takes.
_NOT_FOR_LIBPQ = frozenset(
    {"pool", "cursor_factory", "context", "prepare_threshold", "assume_role", "server_side_binding", "isolation_level"}
)


def session(**changes: Any) -> "psycopg.Connection[Any]":
    """Answer a connection beside Django's, in the public schema, for what must outlast or not see its transactions."""
    params = connection.get_connection_params() | changes
    given = {name: value for name, value in params.items() if name not in _NOT_FOR_LIBPQ and value not in ("", None)}
    return psycopg.connect(**given, autocommit=True)


def _no_matter() -> None:
    """Wait without a word."""


@contextmanager
def alone(key: int, *, waiting: Callable[[], None] = _no_matter) -> Iterator[None]:
    """Be the only one with that key inside the block; `waiting` is called if somebody else is, before the wait."""
    with session() as holder:
        row = holder.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone()
        if row is None or not row[0]:
            waiting()
            holder.execute("SELECT pg_advisory_lock(%s)", [key])
        yield


@contextmanager
def snapshot(schema: str) -> Iterator["psycopg.Connection[Any]"]:
    """See the schema, and only it, as it is now for as long as the block takes, whatever is written meanwhile."""
    with session() as reader:
        reader.execute(f"SET search_path = {quote(schema)}")
        reader.autocommit = False
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.read_only = True
        yield reader
        reader.rollback()
