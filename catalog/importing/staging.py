"""Puts the rows of dumps into tables of the connection's own, by COPY: what is merged from there is a set."""

from collections.abc import Callable

from django.db import connection

from catalog.importing.reading import Dump
from catalog.importing.tables import Table

# Rows between two words about how far it is.
_STEP = 20_000


def make_staging(tables: tuple[Table, ...]) -> None:
    """Have an empty staging table for each, until the transaction ends."""
    with connection.cursor() as cursor:
        for table in tables:
            columns = ", ".join(f"{column.name} {column.pg_type}" for column in table.columns)
            cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{table.staging}")
            cursor.execute(f"CREATE TEMPORARY TABLE {table.staging} (subject text, {columns}) ON COMMIT DROP")


def stage(dump: Dump, *, on_progress: Callable[[int], None]) -> None:
    """Copy the rows of a dump into its staging table. `on_progress` is told how many there are so far."""
    columns = ", ".join(["subject", *(column.name for column in dump.table.columns)])
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY {dump.table.staging} ({columns}) FROM STDIN") as copy:
            for row in dump.rows():
                copy.write_row((dump.subject, *row))
                if dump.rows_count % _STEP == 0:
                    on_progress(dump.rows_count)
        cursor.execute(f"ANALYZE {dump.table.staging}")
    on_progress(dump.rows_count)
