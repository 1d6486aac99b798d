"""django_tenants' PostgreSQL over a pool, with one trip where a request begins and one where it ends."""

from typing import Any

import psycopg
from django_tenants.postgresql_backend import base
from psycopg.pq import TransactionStatus


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]  # django_tenants has no types
    """A connection is told the schema when it is taken, and has forgotten it when it goes back.

    The pool would ask each connection that it hands out whether it lives, and have a thread of its own see to what
    comes back; both cost a request more than a query does.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> "psycopg.Connection[Any]":
        """Answer a connection that sees the schema at hand. Telling it shows, too, whether it lives."""
        if not self.pool:
            return super().get_new_connection(conn_params)  # type: ignore[no-any-return]  # as above
        for _ in range(self.pool.max_size):
            connection = super().get_new_connection(conn_params)
            try:
                self._tell(connection)
            except psycopg.OperationalError:
                # It died with its server, as all that lie in the pool may have; the pool replaces it.
                self.pool.putconn(connection)
            else:
                return connection  # type: ignore[no-any-return]  # as above
        connection = super().get_new_connection(conn_params)
        self._tell(connection)
        return connection  # type: ignore[no-any-return]  # as above

    def _tell(self, connection: "psycopg.Connection[Any]") -> None:
        paths = self._get_cursor_search_paths()
        connection.execute("SET search_path = " + ", ".join(base.quote_schema_name(name) for name in paths))
        self.search_path_set_schemas = paths

    def _close(self) -> None:
        if self.connection is not None and self.pool:
            self._forget(self.connection)
        super()._close()

    @staticmethod
    def _forget(connection: "psycopg.Connection[Any]") -> None:
        """Have the connection see what a new one sees (reliability.md, check 20); the pool drops a closed one."""
        try:
            if connection.info.transaction_status is not TransactionStatus.IDLE:
                connection.rollback()
            connection.autocommit = True
            connection.execute("RESET search_path")
        except psycopg.Error:
            connection.close()
