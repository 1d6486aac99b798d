"""How fast stores follow: changes applied at a channel's rate (P15, P16), and how long a sale on one channel takes
until the other shows a piece less (P17). Real workers, real HTTP, and the rates that the channels have.

Run: `.venv/bin/python -m brikonnect.devstack.servers --test -- .venv/bin/python -m bench.pace [--quick]`.
The sandbox's own books say when the other store changed. It refuses whoever asks Brick Owl faster than Brick Owl lets;
BrickLink's rate is one that we set ourselves, and its day has 5,000 calls, so that fewer changes are applied there: the
time grows with their number and with nothing else. Times are meant for a machine that does nothing else: `waits` says
how many seconds a second of CPU took, and the CPU beside a floor how much of it there was to do.
"""

import argparse
import http.client
import json
import math
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil

from bench import rig
from bench.report import save
from common.testing.sandbox import SandboxProcess

SCHEMA, HOST = "t_bench_pace", "bench-pace.localhost"
_PIECES, _AT_ONCE = 500, 500
_BATCH, _BATCHES_A_MINUTE = 50, 100
# From a notification, and from the poll.
_MOST_S = {"notification": 5, "poll": 60}
_PATIENCE_S = 120.0
_LOOKS_EVERY_S = 0.02
_QUEUES = ("orders,default", "sync,bulk")


@dataclass(frozen=True)
class Shop:
    """A store of ours, and its seller in the sandbox. `numbers`: of each lot of ours that one there."""

    channel: str
    store_id: UUID
    seller: int
    numbers: dict[UUID, str]


# --- What there is --------------------------------------------------------------------------------------------------
def _lots(count: int) -> list[UUID]:
    """Answer so many new lots of ours."""
    from django.utils import timezone  # noqa: PLC0415  # Django is set up only now

    from inventory import services as inventory  # noqa: PLC0415

    values = {
        "item_type": "PART", "item_no": "3001", "item_name": "Brick 2 x 4", "color_id": 5, "condition": "NEW",
        "unit_price": Decimal("0.12"), "qty_available": _PIECES,
    }  # fmt: skip
    made = []
    for first in range(0, count, _AT_ONCE):
        wishes = [inventory.Wish(action=inventory.Action.CREATE, values=values)] * min(_AT_ONCE, count - first)
        made += inventory.change_lots(wishes=wishes, all_or_nothing=True, now=timezone.now())
    return [one.lot_id for one in made if one.lot_id]


def _open(sandbox: SandboxProcess, channel: str, lots: Sequence[UUID]) -> Shop:
    """Answer a store that shows our lots already."""
    from django.utils import timezone  # noqa: PLC0415  # Django is set up only now

    from audit import bulk  # noqa: PLC0415
    from common.wire import CallClass  # noqa: PLC0415
    from inventory.models import InventoryExternalId  # noqa: PLC0415
    from stores import services as stores  # noqa: PLC0415
    from sync.services import connect, pulling, push_store  # noqa: PLC0415
    from sync.states import as_json  # noqa: PLC0415

    seller = next(row["id"] for row in sandbox.control("GET", "sellers") if row["service"] == channel)
    credentials = {"bricklink": dict(sandbox.bricklink_credentials), "brickowl": {"key": sandbox.brickowl_key}}
    store = stores.create_store(
        channel=channel, name=channel, credentials=credentials[channel], settings={"currency": "EUR"},
        base_url={"bricklink": sandbox.bricklink_url, "brickowl": sandbox.brickowl_url}[channel], now=timezone.now(),
    )  # fmt: skip
    row = {"type": "PART", "no": "3001", "color_id": 5, "quantity": _PIECES, "price": 1200, "grade": "new"}
    numbers: list[str] = []
    for first in range(0, len(lots), _AT_ONCE):
        rows = [row] * len(lots[first : first + _AT_ONCE])
        numbers += map(str, sandbox.control("POST", f"sellers/{seller}/lots", {"lots": rows})["ids"])
    asked = connect(store.pk, call_class=CallClass.USUAL)
    there = {lot.lot_id: as_json(lot.state) for page in asked.fetch_inventory() for lot in page}
    bulk.bulk_create(
        InventoryExternalId,
        [
            InventoryExternalId(inventory_item_id=lot, store=store, external_lot_id=number, base=there[number])
            for lot, number in zip(lots, numbers, strict=True)
        ],
    )
    pulling.pull_orders(store_id=store.pk, now=timezone.now())
    pushed = push_store(store_id=store.pk, now=timezone.now())
    if pushed.done or pushed.problem:
        raise SystemExit(f"{channel} isn't as it should be to begin with: {pushed}")
    return Shop(channel, store.pk, seller, dict(zip(lots, numbers, strict=True)))


@contextmanager
def _workers(folder: Path) -> Iterator[list[psutil.Process]]:
    """Run workers and beat as docs/operations.md has them, while the block runs; yield the workers' processes."""
    from brikonnect.celery import app  # noqa: PLC0415  # Django is set up only now

    celery = [sys.executable, "-m", "celery", "--quiet", "-A", "brikonnect.celery:app"]
    alone = ["--concurrency=2", "--without-gossip", "--without-mingle"]
    commands = [
        *([*celery, "worker", f"--queues={queues}", f"--hostname={queues}", *alone] for queues in _QUEUES),
        [*celery, "beat", f"--schedule={folder / 'schedule'}", "--pidfile="],
    ]  # fmt: skip
    with ExitStack() as stack:
        log = stack.enter_context((folder / "workers.log").open("wb"))
        started = [subprocess.Popen(command, stdout=log, stderr=log) for command in commands]  # our own commands
        try:
            while len(app.control.ping(timeout=2) or ()) < len(_QUEUES):
                if any(process.poll() is not None for process in started):
                    raise SystemExit(f"a worker ended; see {log.name}")
            yield [psutil.Process(process.pid) for process in started[:-1]]
        finally:
            for process in started:
                process.terminate()
            for process in started:
                process.wait()


class Bench:
    """Two stores, workers, and the channel's own books."""

    def __init__(self, sandbox: SandboxProcess, books: Path, lots: Sequence[UUID], port: int) -> None:
        self.sandbox, self.lots, self.port = sandbox, lots, port
        self.bricklink, self.brickowl = (_open(sandbox, channel, lots) for channel in ("bricklink", "brickowl"))
        self._books = sqlite3.connect(f"file:{books}?mode=ro", uri=True)
        self._next, self._prices = 0, 0
        # Whose CPU counts: PostgreSQL's, and the workers' once they run.
        self.roots = [rig.postgres()]

    # --- A sale -----------------------------------------------------------------------------------------------------
    def sale(self, here: Shop, there: Shop, *, by: str) -> float:
        """Have a piece be sold here; answer how many seconds passed from the news of it until there was one less."""
        lot = self.lots[self._next % len(self.lots)]
        # Far from each other, and each of a lot of its own.
        self._next += 7
        before, _moment = self._stands(there.numbers[lot])
        lines = [{"lot_id": int(here.numbers[lot]), "quantity": 1}]
        order = self.sandbox.control("POST", f"sellers/{here.seller}/orders", {"lines": lines})
        began = time.time()
        self._tell(here, order["id"]) if by == "notification" else self._poll(here)
        while time.time() < began + _PATIENCE_S:
            qty, moment = self._stands(there.numbers[lot])
            if qty == before - 1:
                return moment - began
            time.sleep(_LOOKS_EVERY_S)
        raise SystemExit(f"a sale on {here.channel} hasn't reached {there.channel} after {_PATIENCE_S:.0f} s")

    def _stands(self, number: str) -> tuple[int, float]:
        """Answer how many pieces a lot has there, and since when."""
        row = self._books.execute("SELECT quantity, updated_at FROM lots WHERE id = ?", (int(number),)).fetchone()
        return row[0], row[1] / 1000

    def _tell(self, shop: Shop, order_id: int) -> None:
        """Say in BrickLink's words that there is an order, as its servers do: at the shop's own host."""
        from sync.models import NotifyAddress  # noqa: PLC0415  # Django is set up only now

        token = NotifyAddress.objects.values_list("token", flat=True).get(store=shop.store_id)
        body = json.dumps([{"event_type": "Order", "resource_id": order_id, "timestamp": "2026-11-26T12:00:00.000Z"}])
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Host": HOST, "Content-Type": "application/json"}
        connection.request("POST", f"/api/v1/channels/{shop.channel}/notify/{token}", body, headers)
        status = connection.getresponse().status
        connection.close()
        if status != http.client.NO_CONTENT:
            raise SystemExit(f"a notification was answered with {status}")

    @staticmethod
    def _poll(shop: Shop) -> None:
        from common.background import enqueue  # noqa: PLC0415  # Django is set up only now
        from sync.services import pulling  # noqa: PLC0415

        enqueue(pulling.PULL, store_id=str(shop.store_id))

    def sales(self, here: Shop, there: Shop, count: int, *, by: str, what: str = "") -> dict[str, Any]:
        """Answer a row about so many sales, one after the other."""
        took = []
        used = rig.cpu_seconds(*self.roots)
        for _ in range(count):
            took.append(self.sale(here, there, by=by))
            time.sleep(0.3)
        used = (rig.cpu_seconds(*self.roots) - used) / count
        took.sort()
        p95, middle = took[math.ceil(0.95 * count) - 1], took[count // 2]
        most = _MOST_S[by]
        figure = f"sale on {here.channel} to {there.channel}, from a {by}{what}, {count} sales"
        return _row(
            "P17", figure, f"p50 {middle:.2f} s, worst {took[-1]:.2f} s; {used:.2f} s CPU each",
            ratio=f"p95 {p95:.2f} s", must=f"{most} s", aim="2 s" if by == "notification" else "", met=p95 <= most,
        )  # fmt: skip

    # --- Many changes -----------------------------------------------------------------------------------------------
    def change(self, count: int) -> None:
        """Give so many lots another price."""
        from django.utils import timezone  # noqa: PLC0415  # Django is set up only now

        from inventory import services as inventory  # noqa: PLC0415
        from inventory.models import InventoryItem  # noqa: PLC0415

        self._prices += 1
        price = Decimal("0.12") + Decimal(self._prices) / 100
        for first in range(0, count, _AT_ONCE):
            some = self.lots[first : min(count, first + _AT_ONCE)]
            versions = InventoryItem.objects.filter(pk__in=some).values_list("pk", "version")
            wishes = [
                inventory.Wish(
                    action=inventory.Action.UPDATE, lot_id=lot, version=version, values={"unit_price": price}
                )
                for lot, version in versions
            ]  # fmt: skip
            inventory.change_lots(wishes=wishes, all_or_nothing=True, now=timezone.now())

    @staticmethod
    def keep_in_step(shop: Shop, *, is_on: bool) -> None:
        """Have changes go to a store by themselves, or wait."""
        from audit import bulk  # noqa: PLC0415  # Django is set up only now
        from stores.models import Store  # noqa: PLC0415
        from sync.services import bells  # noqa: PLC0415

        bulk.update(Store.objects.filter(pk=shop.store_id), settings={"currency": "EUR", "auto_sync": is_on})
        if is_on:
            bells.ring(shop.store_id)

    def waiting(self, shop: Shop) -> int:
        """Answer how many lots a store shows at another price than ours have."""
        price = int((Decimal("0.12") + Decimal(self._prices) / 100) * 10_000)
        query = "SELECT count(*) FROM lots WHERE seller_id = ? AND deleted_at IS NULL AND price != ?"
        row = self._books.execute(query, (shop.seller, price)).fetchone()
        return int(row[0])

    def apply(self, shop: Shop, *, floor: Callable[[int], float], least: Callable[[int], int]) -> list[dict[str, Any]]:
        """Plan what differs at a store, approve it, and answer rows about how long it took, and how many calls.

        `floor`: in how many seconds the channel's rate lets so many changes through; `least`: by how many calls.
        """
        from django.utils import timezone  # noqa: PLC0415  # Django is set up only now

        from stores import queries as stores  # noqa: PLC0415
        from sync.choices import RunStatus  # noqa: PLC0415
        from sync.services import runs  # noqa: PLC0415

        before = self._calls(shop)
        run = runs.start_preview(
            source_store_id=stores.local_store().pk, target_store_id=shop.store_id, now=timezone.now(),
            idempotency_key=f"bench:{shop.channel}",
        )  # fmt: skip
        run = self._until(run.pk, RunStatus.PREVIEW_READY)
        count, used, began = run.plan_summary["update"], rig.cpu_seconds(*self.roots), timezone.now()
        runs.approve_run(run_id=run.pk, now=began)
        run = self._until(run.pk, RunStatus.COMPLETED)
        took, used = (run.completed_at - began).total_seconds(), rig.cpu_seconds(*self.roots) - used
        calls, limit, needed = self._calls(shop) - before, floor(count), 1 + least(count)
        if run.plan_summary["applied"] != {"add": 0, "update": count, "remove": 0, "failed": 0}:
            raise SystemExit(f"not all was done: {run.plan_summary}")
        return [
            _row(
                "P16", f"{count:,} changes applied at {shop.channel}",
                f"{took:.1f} s, floor {limit:.1f} s, {used:.1f} s CPU",
                ratio=f"{took / limit:.3f} x", must="1.15 x", aim="1.05 x", met=took <= 1.15 * limit,
            ),
            _row(
                "P15", f"calls of that plan at {shop.channel}", f"{calls:,}", ratio=f"{calls / needed:.3f} x the least",
                must="1 x", met=calls == needed,
            ),
        ]  # fmt: skip

    @staticmethod
    def _until(run_id: UUID, status: str) -> Any:
        from sync.models import SyncRun  # noqa: PLC0415  # Django is set up only now

        while True:
            run = SyncRun.objects.get(pk=run_id)
            if run.status == status:
                return run
            if run.error_message:
                raise SystemExit(f"run {run.number}: {run.error_message}")
            time.sleep(0.1)

    def _calls(self, shop: Shop) -> int:
        """Answer how many calls about stock a channel has counted."""
        rows = self.sandbox.control("GET", "counts")
        return sum(row["count"] for row in rows if row["service"] == shop.channel and "/order" not in row["path"])

    def refused(self) -> dict[str, Any]:
        """Answer a row about calls that came too fast."""
        rows = self.sandbox.control("GET", "counts")
        count = sum(row["count"] for row in rows if row["status"] == http.client.TOO_MANY_REQUESTS)
        return _row("P16", "calls refused as too many", f"{count}", must="0", met=not count)


def _row(
    line: str, figure: str, value: str, *, must: str, met: bool, ratio: str = "", aim: str = ""
) -> dict[str, Any]:  # fmt: skip
    return {"line": line, "figure": figure, "value": value, "ratio": ratio, "must": must, "aim": aim, "met": met}


# --- All of it --------------------------------------------------------------------------------------------------------
def _measured(bench: Bench, *, few: int, sales: int) -> list[dict[str, Any]]:
    from stores.channels import spec_of  # noqa: PLC0415  # Django is set up only now

    bricklink, brickowl, count = bench.bricklink, bench.brickowl, len(bench.lots)
    spec = spec_of("bricklink")
    rows = [
        bench.sales(bricklink, brickowl, sales, by="notification"), bench.sales(brickowl, bricklink, sales, by="poll"),
    ]  # fmt: skip
    for shop in (bricklink, brickowl):
        bench.keep_in_step(shop, is_on=False)
    bench.change(few)
    rows += bench.apply(
        bricklink, floor=lambda changes: (changes - spec.burst) / spec.per_second, least=lambda changes: changes
    )
    bench.change(count)
    rows += bench.apply(
        brickowl, floor=lambda changes: (math.ceil(changes / _BATCH) - 1) * 60 / _BATCHES_A_MINUTE,
        least=lambda changes: math.ceil(changes / _BATCH),
    )  # fmt: skip
    for here, there, by in ((brickowl, bricklink, "poll"), (bricklink, brickowl, "notification")):
        if there is brickowl:
            bench.change(count)
        bench.keep_in_step(there, is_on=True)
        began, many = bench.waiting(there), sales if there is bricklink else sales // 2
        row = bench.sales(here, there, many, by=by, what=f", {began:,} changes waiting")
        left = bench.waiting(there)
        rows.append({**row, "value": f"{row['value']}; {left:,} left at the end", "met": row["met"] and left > 0})
        bench.keep_in_step(there, is_on=False)
    return [*rows, bench.refused()]


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="1,000 lots, fewer sales")
    options = parser.parse_args()
    count, few, sales = (1_000, 100, 6) if options.quick else (5_000, 400, 20)
    from django.core.management import call_command  # noqa: PLC0415  # Django is set up only now

    from common import workspace  # noqa: PLC0415
    from tenants.testing import create_shop  # noqa: PLC0415

    folder = Path(tempfile.mkdtemp(prefix="brikonnect-bench-pace-"))
    call_command("migrate_all")
    create_shop(schema=SCHEMA, host=HOST)
    with ExitStack() as stack:
        sandbox = stack.enter_context(SandboxProcess.running(state=str(folder / "sandbox.sqlite")))
        port, _server = stack.enter_context(rig.granian(rig.PRODUCT))
        stack.enter_context(workspace.enter(SCHEMA))
        bench = Bench(sandbox, folder / "sandbox.sqlite", _lots(count), port)
        bench.roots += stack.enter_context(_workers(folder))
        _wait_until_told()
        waits = [_waits()]
        rows = _measured(bench, few=few, sales=sales)
        waits.append(_waits())
    load = [round(one, 2) for one in os.getloadavg()]
    found = {"lots": count, "load_average": load, "waits": waits, "quotable": max(waits) <= rig.UNQUIET, "rows": rows}
    save("pace-quick" if options.quick else "pace", found)


def _waits() -> float:
    """Answer how many seconds a second of CPU takes: more than one where others are at the machine too."""
    began, used = time.monotonic(), time.process_time()
    while time.process_time() < used + 1:
        pass
    return round(time.monotonic() - began, 2)


def _wait_until_told() -> None:
    """Wait until the workers have heard of all that was made, and BrickLink's store has its address."""
    from events.models import Telling  # noqa: PLC0415  # Django is set up only now
    from sync.models import NotifyAddress  # noqa: PLC0415

    while Telling.objects.filter(done_at=None).exists() or not NotifyAddress.objects.exists():
        time.sleep(0.5)


if __name__ == "__main__":
    rig.set_up()
    main()
