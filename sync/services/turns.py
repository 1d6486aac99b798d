"""Whose turn it is: one process at a time changes what a store shows.

Held by a session of its own at PostgreSQL, which lets go of it by itself when the process or the connection dies.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection

from common import workspace
from common.errors import Conflict, Unavailable

# What Django keeps beside the parameters that a connection takes.
_NOT_FOR_LIBPQ = frozenset(
    {"pool", "cursor_factory", "context", "prepare_threshold", "assume_role", "server_side_binding", "isolation_level"}
)


class Busy(Conflict):
    """Somebody else is at this store's stock; whoever it is finds what is wanted now by itself."""

    title = "The store's stock is being changed already"


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn at a store."""

    store_id: UUID
    _session: "psycopg.Connection[Any]"

    def check(self) -> None:
        """Raise Unavailable where the turn was lost, because the database was away; asked before each request."""
        try:
            self._session.execute("SELECT 1")
        except psycopg.Error as error:
            raise Unavailable("The database was away for a moment. It goes on by itself.") from error


@contextmanager
def turn(store_id: UUID) -> Iterator[Turn]:
    """Be the only one that changes what a store shows; raises Busy where somebody else does."""
    params = connection.get_connection_params()
    given = {name: value for name, value in params.items() if name not in _NOT_FOR_LIBPQ and value not in ("", None)}
    key = f"sync.turn:{workspace.current_key()}:{store_id}"
    with psycopg.connect(**given, autocommit=True) as session:
        row = session.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key]).fetchone()
        if row is None or not row[0]:
            raise Busy("Somebody is at this store's stock already.")
        try:
            yield Turn(store_id, session)
        finally:
            # The server notices a moment later that a session was closed, and whoever comes next would be sent away.
            with suppress(psycopg.Error):
                session.execute("SELECT pg_advisory_unlock_all()")
