"""A seller's whole stock: pages and API (P1 to P7), import and export (P8 to P11), memory (P14), from one run.

Run: `.venv/bin/python -m brikonnect.devstack.servers --test -- .venv/bin/python -m bench.inventory [--quick]`.
Limits and product alternate; medians are reported. `cpu_ms` is the application's and PostgreSQL's per request. Lines
against InvenTree and the earlier FastAPI implementation say "no peer" where neither runs: then CPU is told as such, and
as a multiple of hello world under the same server.
"""

import argparse
import os
import random
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

from bench import rig, stock
from bench.report import save

PASSWORD = "bench-bench-bench"  # noqa: S105  # of nobody
NO_PEER = "no peer"
FORMATS = ("bsx", "bricklink_xml", "csv", "json", "xlsx")

Row = dict[str, Any]


class Run:
    """Two shops, a small and a large one, and all that is measured on them."""

    def __init__(self, *, is_quick: bool) -> None:
        self.small, self.large = (4_000, 20_000) if is_quick else (20_000, 100_000)
        self.rounds, self.seconds = (2, 1.5) if is_quick else (5, 4.0)
        self.bulk_rounds = 2 if is_quick else 5
        self.folder = Path(tempfile.mkdtemp(prefix="brikonnect-bench-files-"))
        self.rows: list[Row] = []
        self.is_quotable = True

    # --- preparing ----------------------------------------------------------------------------------------------------
    def prepare(self) -> None:
        """Make files and shops."""
        from django.core.management import call_command  # noqa: PLC0415  # Django is set up only now

        call_command("migrate_all")
        call_command("collectstatic", interactive=False, verbosity=0)
        self.files = {count: self._file(count) for count in (self.small, self.large)}
        self.drifted = self._file(self.large, drift=0.1)
        self.schemas = {count: self._shop(f"bench-{count}") for count in (self.small, self.large)}
        for count, schema in self.schemas.items():
            stock.run("import", schema, str(self.files[count]))
            self._analyze(schema)

    def _file(self, count: int, *, drift: float = 0.0) -> Path:
        from django.core.management import call_command  # noqa: PLC0415  # Django is set up only now

        path = self.folder / f"{count}-{drift}.bsx"
        call_command("make_stock_file", str(path), lots=count, drift=drift, verbosity=0)
        return path

    @staticmethod
    def _shop(slug: str) -> str:
        from django.contrib.auth.hashers import make_password  # noqa: PLC0415  # Django is set up only now
        from django.utils import timezone  # noqa: PLC0415

        from tenants.models import Tenant  # noqa: PLC0415
        from tenants.services import Founder, found_tenant  # noqa: PLC0415

        email = f"owner@{slug}.example"
        founder = Founder(email=email, display_name="Ana", password_hash=make_password(PASSWORD))
        found_tenant(slug=slug, name=slug, founder=founder, now=timezone.now())
        return str(Tenant.objects.get(slug=slug).schema_name)

    @staticmethod
    def _analyze(schema: str) -> None:
        with stock._cursor(schema) as cursor:
            cursor.execute("ANALYZE")

    # --- pages and API ------------------------------------------------------------------------------------------------
    def web(self) -> None:
        """Measure what is answered while somebody waits."""
        plans = {count: self._plans(count) for count in (self.small, self.large)}
        postgres = rig.postgres()
        limits: list[rig.Figures] = []
        seen: dict[tuple[str, int], list[rig.Figures]] = {}
        with rig.granian(rig.HELLO) as (hello_port, hello), rig.granian(rig.PRODUCT) as (port, web):
            for _ in range(self.rounds):
                limits.append(self._hello(hello_port, hello))
                for count, named in plans.items():
                    for name, plan in named.items():
                        figures = rig.measure(port, [web, postgres], plan, seconds=self.seconds)
                        seen.setdefault((name, count), []).append(figures)
                limits.append(self._hello(hello_port, hello))
        spread = rig.spread(limits, "cpu_ms")
        self.is_quotable &= spread <= rig.UNQUIET
        self.limit = {
            "cpu_ms": round(rig.median(limits, "cpu_ms"), 4),
            "p95_ms": round(rig.median(limits, "p95_ms"), 2),
            "spread": round(spread, 2),
        }
        for name in plans[self.large]:
            self._web_rows(name, seen[name, self.small], seen[name, self.large])

    def _hello(self, port: int, hello: psutil.Process) -> rig.Figures:
        return rig.measure(port, [hello], {"paths": ["/"], "host": "localhost", "headers": {}}, seconds=self.seconds)

    def _web_rows(self, name: str, small: list[rig.Figures], large: list[rig.Figures]) -> None:
        line, _, figure = name.partition(" ")
        cpu, p95 = rig.median(large, "cpu_ms"), rig.median(large, "p95_ms")
        ratio = cpu / self.limit["cpu_ms"]
        row: Row = {"line": line, "figure": figure, "value": f"{cpu:.2f} ms CPU, p95 {p95:.0f} ms at c8"}
        if line == "P6":
            self._row(**row, ratio=f"{ratio:.0f} x hello world", must="100 x", aim="50 x", is_met=ratio <= 100)
        else:
            self._row(**row, ratio=f"{ratio:.0f} x hello world", must=NO_PEER)
        if line in ("P1", "P2", "P3"):
            growth = cpu / rig.median(small, "cpu_ms")
            self._row(
                line="P4", figure=f"growth {self.small:,} to {self.large:,}: {figure}", value=f"{growth:.2f} x CPU",
                ratio="itself", must="1.25 x", aim="1.1 x", is_met=growth <= 1.25,
            )  # fmt: skip

    def _plans(self, count: int) -> dict[str, dict[str, Any]]:
        from common import workspace  # noqa: PLC0415  # Django is set up only now
        from inventory.models import InventoryItem  # noqa: PLC0415
        from inventory.queries import lots as queries  # noqa: PLC0415

        host = f"bench-{count}.{os.environ['BASE_DOMAIN']}"
        headers = rig.sign_in(host, email=f"owner@bench-{count}.example", password=PASSWORD)
        dice = random.Random(count)  # noqa: S311  # repeatable, not secret
        with workspace.enter(self.schemas[count]):
            pages = queries.ordering_of("number")
            ordered = InventoryItem.objects.order_by("item_no", "id")
            middle = [pages.cursor_at(ordered[dice.randrange(count)], backwards=False) for _ in range(40)]
            last = pages.cursor_at(ordered[count - 30], backwards=False)
            some = list(InventoryItem.objects.exclude(remarks="").order_by("?")[:40])
            names = [name for name in (lot.item_name.split()[-1] for lot in some if lot.item_name) if len(name) > 2]
            changed = [str(lot.pk) for lot in some[:8]]
        page, api = {"host": host, "headers": headers["page"]}, {"host": host, "headers": headers["api"]}
        numbers = [f"/inventory/?q={quote(lot.item_no)}" for lot in some]
        return {
            "P1 page, first 50": {"paths": ["/inventory/"], **page},
            "P1 page, filtered by color and condition": {"paths": ["/inventory/?color=11&condition=NEW"], **page},
            "P1 page, sorted by price": {"paths": ["/inventory/?sort=-price"], **page},
            "P2 page, anywhere": {"paths": [f"/inventory/?cursor={quote(cursor)}" for cursor in middle], **page},
            "P2 page, the last": {"paths": [f"/inventory/?cursor={quote(last)}"], **page},
            "P3 search by number": {"paths": numbers, **page},
            "P3 search by name": {"paths": [f"/inventory/?q={quote(name)}" for name in names], **page},
            "P3 search by remarks": {"paths": [f"/inventory/?q={quote(lot.remarks)}" for lot in some], **page},
            "P5 API, read a lot": {"paths": [f"/api/v1/inventory/{lot.pk}" for lot in some], **api},
            "P5 API, change a lot": {
                "paths": [f"/api/v1/inventory/{lot}" for lot in changed], "method": "PATCH",
                "body": '{"description": "seen {number} times"}', **api,
            },
            "P6 API, list of 50": {"paths": ["/api/v1/inventory"], **api},
        }  # fmt: skip

    # --- queries ------------------------------------------------------------------------------------------------------
    def queries(self) -> None:
        """Count what each asks the database."""
        most = {"inventory page": 6, "API list": 4, "change of a lot": 8}
        counts = {count: self._queries(count) for count in (self.small, self.large)}
        for name, bound in most.items():
            few, many = counts[self.small][name], counts[self.large][name]
            self._row(
                line="P7", figure=f"queries: {name}", value=str(many), ratio=f"{few} at {self.small:,}",
                must=str(bound), is_met=few == many <= bound,
            )  # fmt: skip

    def _queries(self, count: int) -> Mapping[str, int]:
        from django.test import Client  # noqa: PLC0415  # Django is set up only now

        from common import workspace  # noqa: PLC0415
        from common.testing.query_counts import counted  # noqa: PLC0415
        from inventory.models import InventoryItem  # noqa: PLC0415

        host = f"bench-{count}.{os.environ['BASE_DOMAIN']}"
        with workspace.enter(self.schemas[count]):
            lot = InventoryItem.objects.order_by("id")[7]
        headers = rig.sign_in(host, email=f"owner@bench-{count}.example", password=PASSWORD)
        browser, program = (
            Client(headers={"host": host, **{name.lower(): value for name, value in headers[who].items()}})
            for who in ("page", "api")
        )
        asked: dict[str, Callable[[int], Any]] = {
            "inventory page": lambda _: browser.get("/inventory/"),
            "API list": lambda _: program.get("/api/v1/inventory"),
            "change of a lot": lambda time: program.patch(
                f"/api/v1/inventory/{lot.pk}", {"remarks": f"R{time}", "version": lot.version + time},
                content_type="application/json",
            ),
        }  # fmt: skip
        found = {}
        for name, ask in asked.items():
            ask(0)  # what is looked up once and kept
            with counted() as statements:
                answer = ask(1)
            if answer.status_code != 200:
                raise SystemExit(f"{name} answered {answer.status_code}: {answer.content[:300]!r}")
            found[name] = len(statements)
        return found

    # --- files --------------------------------------------------------------------------------------------------------
    def bulk(self) -> None:
        """Measure files going in and out."""
        seen: dict[str, list[rig.Figures]] = {}

        def note(name: str, figures: rig.Figures) -> None:
            seen.setdefault(name, []).append(figures)

        for number in range(self.bulk_rounds):
            schema = self._shop(f"bench-round-{number}")
            new = stock.run("import", schema, str(self.files[self.large]))
            note("new", new)
            rows = stock.rows_of(schema)
            note("copy", stock.copy_in(schema, rows))
            note("equal", stock.run("import", schema, str(self.files[self.large])))
            note("sparing", stock.upsert(schema, rows, sparing=True))
            note("upsert", stock.upsert(schema, rows))
            note("drifted", stock.run("import", schema, str(self.drifted)))
            stock.copy_in(schema, rows)
            note("upsert_drifted", stock.upsert(schema, stock.rows_of(schema)))
            note("copy_out", stock.copy_out(schema))
            for code in FORMATS:
                note(code, stock.run("export", schema, code))
            note("copy_out", stock.copy_out(schema))
        for name in ("copy", "copy_out"):
            self.is_quotable &= rig.spread(seen[name], "seconds") <= rig.UNQUIET
        self._bulk_rows(seen)

    def _bulk_rows(self, seen: Mapping[str, list[rig.Figures]]) -> None:
        self._against(seen, "P8", f"import, {self.large:,} new lots (BSX)", "new", "copy", must=8, aim=4)
        self._against(seen, "P9", "the same file again", "equal", "upsert", must=2, aim=1)
        self._against(seen, "P9", "the same, against an upsert that spares equal rows", "equal", "sparing")
        self._against(seen, "P9", "10 % of it changed", "drifted", "upsert_drifted", must=3, aim=2)
        speed = self.large / rig.median(seen["new"], "seconds")
        self._row(line="P10", figure="import, rows a second", value=f"{speed:,.0f}", must=NO_PEER)
        for code in FORMATS:
            self._against(seen, "P11", f"export, {code}", code, "copy_out", must=10, aim=5)
        for name in ("new", "equal", "drifted", *FORMATS):
            peak = max(one["peak_mb"] for one in seen[name])
            base = rig.median(seen[name], "base_mb")
            self._row(
                line="P14", figure=f"peak memory: {name}", value=f"{peak:.0f} MB", ratio=f"{base:.0f} MB before it",
                must="500 MB", aim="300 MB", is_met=peak <= 500,
            )  # fmt: skip

    def _against(
        self, seen: Mapping[str, list[rig.Figures]], line: str, figure: str, name: str, limit: str, *, must: int = 0,
        aim: int = 0,
    ) -> None:  # fmt: skip
        own, best = rig.median(seen[name], "seconds"), rig.median(seen[limit], "seconds")
        cpu = rig.median(seen[name], "cpu_s") / rig.median(seen[limit], "cpu_s")
        self._row(
            line=line, figure=figure, value=f"{own:.2f} s against {best:.2f} s",
            ratio=f"{own / best:.1f} x ({cpu:.1f} x CPU)", must=f"{must} x" if must else "",
            aim=f"{aim} x" if aim else "",
            is_met=own / best <= must if must else None,
        )  # fmt: skip

    def _row(
        self, *, line: str, figure: str, value: str, ratio: str = "", must: str = "", aim: str = "",
        is_met: bool | None = None,
    ) -> None:  # fmt: skip
        met: bool | str = "" if is_met is None else is_met
        self.rows.append(
            {"line": line, "figure": figure, "value": value, "ratio": ratio, "must": must, "aim": aim, "met": met}
        )


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="20,000 lots, two rounds")
    parser.add_argument("--only", choices=["web", "bulk"], help="a half of it")
    options = parser.parse_args()
    run = Run(is_quick=options.quick)
    run.prepare()
    if options.only != "bulk":
        run.web()
        run.queries()
    if options.only != "web":
        run.bulk()
    save(
        "inventory-quick" if options.quick else "inventory",
        {
            "lots": run.large,
            "limit": "hello world, WSGI, granian 2 × 4",
            "limit_figures": getattr(run, "limit", None),
            "load_average": [round(one, 2) for one in os.getloadavg()],
            "quotable": run.is_quotable,
            "rows": sorted(run.rows, key=lambda row: (int(row["line"][1:]), run.rows.index(row))),
        },
    )


if __name__ == "__main__":
    rig.set_up()
    main()
