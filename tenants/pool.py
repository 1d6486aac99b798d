"""What a database connection forgets when it goes back to the pool: whose data it saw (reliability.md, check 20)."""

from typing import Any

import psycopg


def forget_shop(connection: "psycopg.Connection[Any]") -> None:
    """Have the connection see what a new one sees. The pool calls it after a rollback, in a thread of its own."""
    connection.execute("RESET search_path")
    if not connection.autocommit:
        connection.commit()
