"""Puts the rows of dumps into tables of the connection's own, by COPY: what is merged from there is a set."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from itertools import islice

from django.db import connection

from catalog.importing.reading import Dump, DumpRefused
from catalog.importing.tables import Table

# Rows between two words about how far it is.
_STEP = 20_000


@contextmanager
def staging(tables: Collection[Table]) -> Iterator[None]:
    """Have an empty staging table for each as long as the block lasts."""
    _drop(tables)
    with connection.cursor() as cursor:
        for table in tables:
            columns = ", ".join(f"{column.name} {column.pg_type}" for column in table.columns)
            cursor.execute(f"CREATE TEMPORARY TABLE {table.staging} (subject text, {columns})")
    try:
        yield
    finally:
        # In a transaction that has failed nothing can be dropped, and nothing of it stays.
        if not connection.needs_rollback:
            _drop(tables)


def _drop(tables: Collection[Table]) -> None:
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{table.staging}")


def stage(dump: Dump, *, on_progress: Callable[[int], None]) -> None:
    """Copy the rows of a dump into its staging table. `on_progress` is told how many there are so far.

    Raises DumpRefused where the rest can't be read, and whatever `on_progress` raises.
    """
    columns = ", ".join(["subject", *(column.name for column in dump.table.columns)])
    rows, is_over = dump.rows(), False
    with connection.cursor() as cursor:
        # Between two words, since a COPY that is broken off takes the transaction around it along.
        while not is_over:
            is_over, refused = True, None
            with cursor.copy(f"COPY {dump.table.staging} ({columns}) FROM STDIN") as copy:
                try:
                    for row in islice(rows, _STEP):
                        copy.write_row((dump.subject, *row))
                        is_over = False
                except DumpRefused as error:
                    refused = error
            if refused:
                raise refused
            on_progress(dump.rows_count)
        cursor.execute(f"ANALYZE {dump.table.staging}")
