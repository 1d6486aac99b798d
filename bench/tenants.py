"""Two hundred shops: what the last one costs against the first, and a deployment that has nothing to migrate (P23).

Run on throw-away servers: `python -m brikonnect.devstack.servers --test -- python -m bench.tenants [COUNT]`.
Times are of this machine; the ratios are what is compared.
"""

import os
import statistics
import sys
import time
from io import StringIO
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brikonnect.settings_test")

import django

django.setup()

from django.core.management import call_command  # noqa: E402  # Django is set up only now
from django.db import connection  # noqa: E402  # see above
from django.utils import timezone  # noqa: E402  # see above

from bench.report import save  # noqa: E402  # see above
from tenants.services import Founder, found_tenant  # noqa: E402  # see above

COUNT = 200
ROUND = 10
MUST_S, NOOP_S = 5, 30


def _timed(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _found(number: int) -> None:
    found_tenant(
        slug=f"bench-{number}",
        name=f"Shop {number}",
        founder=Founder(email=f"owner-{number}@example.com", display_name="Ana", password_hash="md5$x$x"),  # noqa: S106  # nobody signs in
        now=timezone.now(),
    )


def _migrate() -> str:
    out = StringIO()
    call_command("migrate_all", stdout=out)
    return out.getvalue().strip().splitlines()[-1]


def _bytes_each(count: int) -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname LIKE 't\\_bench%'"
        )
        return float(cursor.fetchone()[0]) / count


def _row(figure: str, value: str, *, must: str = "", aim: str = "", is_met: bool | None = None) -> dict[str, Any]:
    return {"figure": figure, "value": value, "must": must, "aim": aim, "met": "" if is_met is None else is_met}


def measure(count: int) -> dict[str, Any]:
    """Found so many shops, then deploy nothing over them; answer the figures."""
    empty = _timed(_migrate)
    times = [_timed(lambda number=number: _found(number)) for number in range(count)]
    first, last = statistics.median(times[:ROUND]), statistics.median(times[-ROUND:])
    noop = statistics.median(_timed(_migrate) for _ in range(3))
    rows = [
        _row("a new shop, first ten", f"{first:.3f} s", must="5 s", aim="2 s", is_met=first <= MUST_S),
        _row(f"a new shop, last ten of {count}", f"{last:.3f} s", must="5 s", aim="2 s", is_met=last <= MUST_S),
        _row("the slowest of all", f"{max(times):.3f} s", must="5 s", aim="2 s", is_met=max(times) <= MUST_S),
        _row(
            "the last ten against the first ten",
            f"{last / first:.2f} x",
            must="1.5 x",
            aim="1 x",
            is_met=last <= 1.5 * first,
        ),
        _row(
            f"migrate_all, nothing to do, {count} shops",
            f"{noop:.2f} s",
            must="30 s",
            aim="10 s",
            is_met=noop <= NOOP_S,
        ),
        _row("an empty shop on disk", f"{_bytes_each(count) / 1e6:.1f} MB"),
    ]
    return {"shops": count, "first_migration_s": round(empty, 2), "rows": rows, "said": _migrate()}


if __name__ == "__main__":
    save("tenants", measure(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT))
