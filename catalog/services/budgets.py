"""How often each source was asked today, kept where an emptied Redis doesn't forget it."""

from datetime import date

from django.db import connection

from catalog.models import SourceBudget

_NOTE = """
INSERT INTO {table} AS b (source, day, used, "limit") VALUES (%(source)s, %(day)s, %(used)s, %(limit)s)
ON CONFLICT (source, day) DO UPDATE SET used = greatest(b.used, excluded.used), "limit" = excluded."limit"
"""


class SourceLedger:
    """The day's count of one source (`common.wire.Ledger`)."""

    def __init__(self, source: str) -> None:
        self._source = source

    def used_on(self, day: date) -> int:
        """Answer the calls of the day so far."""
        used = SourceBudget.objects.filter(source=self._source, day=day).values_list("used", flat=True).first()
        return used or 0

    def note(self, day: date, *, used: int, limit: int) -> None:
        """Keep that so many were used; never lowers the count."""
        statement = _NOTE.format(table=SourceBudget._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(statement, {"source": self._source, "day": day, "used": used, "limit": limit})
