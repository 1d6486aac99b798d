"""Committed numbers of queries: a list that asks more than it did shows up in the diff and is argued there."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection
from django.test.utils import CaptureQueriesContext

# What a request costs before its view begins does not belong to the page: transactions' own statements, and what a
# session notes once in a while.
_BOOKKEEPING = (
    "SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK", "SET search_path", "BEGIN", "COMMIT", 'UPDATE "accounts_session"',
)  # fmt: skip


class QueryCounts:
    """The counts of one file; `update` writes what was seen instead of comparing."""

    def __init__(self, path: Path, *, update: bool) -> None:
        self.path = path
        self.update = update
        self.counts: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}

    def difference(self, name: str, statements: list[str]) -> str:
        """Compare with the committed count, or note the new one; answer what is wrong, or nothing."""
        seen = len(statements)
        if self.update:
            self.counts[name] = seen
            self.path.write_text(json.dumps(self.counts, indent=2, sort_keys=True) + "\n")
            return ""
        expected = self.counts.get(name)
        listing = "\n".join(statement[:200] for statement in statements)
        return "" if seen == expected else f"{name}: {seen} queries, {expected} in {self.path.name}\n{listing}"


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the statements made inside the block, without transactions' bookkeeping."""
    statements: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield statements
    statements += [query["sql"] for query in captured.captured_queries if not query["sql"].startswith(_BOOKKEEPING)]
