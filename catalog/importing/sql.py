"""One statement that merges a query's rows into a table and leaves alone what is the same already."""

from collections import Counter
from collections.abc import Sequence

from django.db import connection

# So many rows more, and what PostgreSQL knows about the table is no longer true.
_MANY = 1_000


class Counts(Counter[str]):
    """How many rows of each kind were new or different."""

    def add(self, what: str, number: int) -> None:
        """Add to what there is of it."""
        self[what] += number


# What makes a line of a set's contents one: the columns of its unique constraint.
SET_ITEM = "set_id, item_id, color_id, is_spare, is_alternate, is_counterpart, match_id"


def merge(
    table: str, query: str, *, key: str, keeps: Sequence[str] = (), fills: Sequence[str] = (),
    is_new_only: bool = False, only_where: str = "",
) -> int:  # fmt: skip
    """Insert the query's rows, or update those of the same key that differ; answer how many rows were written.

    `key`: the columns of a unique constraint, or empty where nothing of it can be there. `keeps`: columns that a row
    which is there keeps; `fills`: those that it keeps where the query has nothing for them. `is_new_only`: rows that
    are there stay as they are; `only_where`: those that don't meet it.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({query}) q LIMIT 0")  # noqa: S608  # statements of this package
        names = [column.name for column in cursor.description]
        columns = ", ".join(names)
        if not key:
            conflict = ""
        elif is_new_only:
            conflict = f"ON CONFLICT ({key}) DO NOTHING"
        else:
            keys = {name.strip() for name in key.split(",")}
            changing = {name: _new(name, fills) for name in names if name not in keys and name not in keeps}
            conflict = (
                f"ON CONFLICT ({key}) DO UPDATE SET {', '.join(f'{name} = {new}' for name, new in changing.items())}"
                f" WHERE ({', '.join(f't.{name}' for name in changing)})"
                f" IS DISTINCT FROM ({', '.join(changing.values())})"
                f"{f' AND {only_where}' if only_where else ''}"
            )
        cursor.execute(f"INSERT INTO {table} AS t ({columns}) {query} {conflict}")
        count = int(cursor.rowcount)
        if count > _MANY:
            cursor.execute(f"ANALYZE {table}")
        return count


def _new(name: str, fills: Sequence[str]) -> str:
    if name not in fills:
        return f"excluded.{name}"
    return f"CASE WHEN coalesce(excluded.{name}::text, '') IN ('', '{{}}') THEN t.{name} ELSE excluded.{name} END"


def run(statement: str) -> int:
    """Do what the statement says; answer how many rows it concerned."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)


def have(table: str, query: str, *, key: str = "") -> None:
    """Have a table of the connection's own with a query's rows until the transaction ends. `key`: its unique column."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{table}")
        cursor.execute(f"CREATE TEMPORARY TABLE {table} ON COMMIT DROP AS {query}")
        if key:
            cursor.execute(f"CREATE UNIQUE INDEX ON {table} ({key})")
        cursor.execute(f"ANALYZE {table}")
