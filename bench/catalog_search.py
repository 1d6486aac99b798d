"""Two hundred things that people search for, typed letter by letter: how many are found, and how fast (catalog.md).

Run on the catalog that is loaded: `DATABASE_URL=… python -m bench.catalog_search`. Searches for items that this catalog
hasn't got are left out, and counted. Times are of this machine.
"""

import csv
import statistics
import time
from collections import Counter
from pathlib import Path

from bench import rig

rig.set_up()

from django.db import connection  # noqa: E402  # Django is set up only now

from bench.report import save  # noqa: E402  # see above
from catalog.models import CatalogItem  # noqa: E402  # see above
from catalog.queries.search import Hit, search  # noqa: E402  # see above

SEARCHES = Path(__file__).resolve().parent.parent / "catalog" / "tests" / "searches.csv"
FIRST, MUST_MS, SHOWN = 3, 50, 20


def _is_found(hits: tuple[Hit, ...], items: set[str], color_id: str) -> bool:
    return any(
        f"{hit.item_type}:{hit.item_no}" in items and (not color_id or str(hit.color_id) == color_id)
        for hit in hits[:FIRST]
    )


def _known(items: set[str]) -> bool:
    pairs = [item.partition(":")[::2] for item in items]
    return any(CatalogItem.objects.filter(item_type=kind, item_no=no).exists() for kind, no in pairs)


def _milliseconds(text: str) -> float:
    began = time.perf_counter()
    search(text, limit=SHOWN)
    return (time.perf_counter() - began) * 1000


def _p(share: int, times: list[float]) -> float:
    return round(statistics.quantiles(times, n=100)[share - 1], 1)


def main() -> None:
    """Search for each, whole and as it is typed; report by kind."""
    with SEARCHES.open(newline="") as table:
        rows = list(csv.DictReader(table))
    asked, found, left_out = Counter[str](), Counter[str](), 0
    times: dict[str, list[float]] = {}
    for row in rows:
        kind, text, items = row["kind"], row["query"], set(row["items"].split("/"))
        if not _known(items):
            left_out += 1
            continue
        asked[kind] += 1
        hits = search(text, limit=SHOWN).hits
        if _is_found(hits, items, row["color_id"]):
            found[kind] += 1
        else:
            first = ", ".join(f"{hit.item_type}:{hit.item_no}" for hit in hits[:FIRST])
            print(f"not among the first {FIRST}: {text!r} → {row['items']} (first: {first})")
        times.setdefault(kind, []).extend(_milliseconds(text[:end]) for end in range(1, len(text) + 1))
    table_rows = [
        {
            "kind": kind,
            "searches": count,
            "found": found[kind],
            "p50_ms": _p(50, times[kind]),
            "p95_ms": _p(95, times[kind]),
        }
        for kind, count in asked.items()
    ]
    every = [one for each in times.values() for one in each]
    whole = {
        "kind": "all",
        "searches": asked.total(),
        "found": found.total(),
        "p50_ms": _p(50, every),
        "p95_ms": _p(95, every),
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM catalog_catalogitem")
        [(count,)] = cursor.fetchall()
    save(
        "catalog-search",
        {"items": count, "left_out": left_out, "must_ms": MUST_MS, "typed": len(every), "rows": [*table_rows, whole]},
    )


if __name__ == "__main__":
    main()
