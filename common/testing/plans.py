"""How the database means to find what it is asked for."""

from collections.abc import Iterable
from typing import Any


class Explain:
    """Explains each question about one of the tables before it is asked, where this is an execute wrapper."""

    def __init__(self, *tables: str) -> None:
        self.tables = tables
        self.plans: list[str] = []

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001  # Django's signature
        if sql.startswith(("SELECT", "WITH")) and any(table in sql for table in self.tables):
            execute(f"EXPLAIN {sql}", params, many, context)
            self.plans.append("\n".join(row[0] for row in context["cursor"].fetchall()))
        return execute(sql, params, many, context)


def scans(plans: Iterable[str], *tables: str) -> list[str]:
    """Answer the plans that read one of the tables from beginning to end."""
    return [plan for plan in plans if any(f"Seq Scan on {table} " in plan for table in tables)]
