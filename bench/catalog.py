"""Loading the catalog (P18): made-up dumps of real size, merged, merged again, against COPY into the same indexes.

Run: `.venv/bin/python -m brikonnect.devstack.servers --test -- .venv/bin/python -m bench.catalog [--quick]`.
"""

import argparse
import gzip
import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from bench import rig, stock
from bench.report import save

_WORDS = ("Brick", "Plate", "Tile", "Slope", "Technic", "Wedge", "Panel", "Hinge", "Bracket", "Fence")
_COLORS = (0, 1, 4, 14, 15, 71, 72, 19, 2, 25)
_TABLES = ("catalog_catalogitem", "catalog_catalogexternalid", "catalog_catalogelement", "catalog_catalogitemcolor",
           "catalog_catalogsetitem", "catalog_catalogidmapping")  # fmt: skip


class Dumps:
    """Rebrickable's and BrickLink's files for a catalog of so many parts, always the same ones."""

    def __init__(self, folder: Path, *, parts: int, sets: int, rows: int) -> None:
        self.folder, self.parts, self.sets, self.rows = folder, parts, sets, rows
        self.dice = random.Random(18)  # noqa: S311  # repeatable, not secret

    def write(self) -> list[Path]:
        """Write them, and answer where they are."""
        files = {
            "codes.txt": ("Item No\tColor\tCode\n", self._codes()),
            "parts.csv": ("part_num,name,part_cat_id,part_material\n", self._parts()),
            "elements.csv": ("element_id,part_num,color_id,design_id\n", self._elements()),
            "sets.csv": ("set_num,name,year,theme_id,num_parts,img_url\n", self._sets()),
            "inventories.csv": ("id,version,set_num\n", (f"{no},1,b{no}-1\n" for no in range(self.sets))),
            "inventory_parts.csv": ("inventory_id,part_num,color_id,quantity,is_spare\n", self._contents()),
        }
        paths = []
        for name, (head, lines) in files.items():
            path = self.folder / f"{name}.gz"
            with gzip.open(path, "wt", compresslevel=1) as file:
                file.write(head)
                file.writelines(lines)
            paths.append(path)
        return paths

    def _element(self, no: int, place: int) -> str:
        return f"{10_000_000 + no * 2 + place}"

    def _codes(self) -> Iterator[str]:
        names = ("Black", "Blue")
        for no in range(0, self.parts, 2):
            for place in range(2):
                yield f"n{no}\t{names[place]}\t{self._element(no, place)}\n"

    def _parts(self) -> Iterator[str]:
        for no in range(self.parts):
            yield f"r{no},{self.dice.choice(_WORDS)} {no % 16 + 1} x {no % 7 + 1} number {no},1,Plastic\n"

    def _elements(self) -> Iterator[str]:
        for no in range(self.parts):
            for place in range(2):
                yield f"{self._element(no, place)},r{no},{_COLORS[place]},\n"

    def _sets(self) -> Iterator[str]:
        for no in range(self.sets):
            yield f"b{no}-1,Set number {no},{1980 + no % 46},1,{self.rows // self.sets},\n"

    def _contents(self) -> Iterator[str]:
        each = self.rows // self.sets
        for no in range(self.sets):
            for part in self.dice.sample(range(self.parts), each):
                yield f"{no},r{part},{_COLORS[part % 10]},{part % 9 + 1},False\n"


def _import(paths: list[Path]) -> rig.Figures:
    from django.utils import timezone  # noqa: PLC0415  # Django is set up only now

    from catalog import services  # noqa: PLC0415

    began = time.perf_counter()
    report = services.import_dumps(paths=paths, now=timezone.now(), is_forced=True)
    return {"seconds": time.perf_counter() - began, "written": sum(report.written.values())}


def _limit() -> rig.Figures:
    """COPY of the catalog's rows into empty tables with the same indexes and constraints."""
    with stock._cursor("public") as cursor:
        seconds = 0.0
        for table in _TABLES:
            rows = []
            with cursor.copy(f"COPY {table} TO STDOUT") as copy:
                rows = [bytes(piece) for piece in copy]
            cursor.execute(f"DROP TABLE IF EXISTS bench_rows; CREATE TABLE bench_rows (LIKE {table} INCLUDING ALL)")
            began = time.perf_counter()
            stock._put(cursor, "bench_rows", rows)
            seconds += time.perf_counter() - began
        cursor.execute("DROP TABLE bench_rows")
        return {"seconds": seconds}


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a tenth of it")
    options = parser.parse_args()
    from django.core.management import call_command  # noqa: PLC0415  # Django is set up only now

    call_command("migrate_all", verbosity=0)
    share = 10 if options.quick else 1
    size: dict[str, Any] = {"parts": 60_000 // share, "sets": 26_000 // share, "rows": 1_400_000 // share}
    paths = Dumps(Path(tempfile.mkdtemp(prefix="brikonnect-bench-dumps-")), **size).write()
    first = _import(paths)
    limits = [_limit()]
    again = _import(paths)
    limits.append(_limit())
    best = min(limit["seconds"] for limit in limits)
    spread = max(limit["seconds"] for limit in limits) / best
    peak = stock._peak() / 1024 / 1024
    ratio = first["seconds"] / best
    rows = [
        {"line": "P18", "figure": f"{size['rows']:,} rows of sets, {size['parts']:,} parts: loaded",
         "value": f"{first['seconds']:.1f} s against {best:.1f} s", "ratio": f"{ratio:.1f} x", "must": "4 x",
         "aim": "2 x", "met": ratio <= 4},
        {"line": "P18", "figure": "the same again", "value": f"{again['seconds']:.1f} s",
         "ratio": f"{again['seconds'] / best:.1f} x", "must": "no row written", "aim": "", "met": not again["written"]},
        {"line": "P14", "figure": "peak memory", "value": f"{peak:.0f} MB",
         "ratio": f"{psutil.Process().memory_info().rss / 1024 / 1024:.0f} MB at the end", "must": "500 MB",
         "aim": "300 MB", "met": ""},
    ]  # fmt: skip
    save(
        "catalog-quick" if options.quick else "catalog",
        {
            "limit": "COPY into empty tables with the same indexes",
            "load_average": [round(one, 2) for one in os.getloadavg()],
            "quotable": spread <= rig.UNQUIET,
            "rows": rows,
        },
    )


if __name__ == "__main__":
    rig.set_up()
    main()
