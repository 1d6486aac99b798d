"""The preview of a run at size: from the bodies that two stores answered to the plan in the database (P12b, P14).

Run: `.venv/bin/python -m brikonnect.devstack.servers --test -- .venv/bin/python -m bench.preview`, with `--quick` for a
fifth of it, and `--rounds N`.
The shop's stock and its listings on BrickLink and Brick Owl are known; the second has drifted by what a store drifts in
weeks. The limit is what nobody can do without: reading both bodies, and the bare difference of two dictionaries. Limit
and product alternate, each in a process of its own so that its memory can be told.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from bench import rig, stock
from bench.report import save

SCHEMA = "t_bench_preview"
_MB = 1024 * 1024
# Of 100,000 lots so many are new here, changed, and gone here (performance.md).
_ADDS, _UPDATES, _REMOVALS = 1_940, 6_017, 2_000
_NAMES = ("bricklink", "brickowl")
# Store, lot, number there, and the state that both agreed on.
_Listing = tuple[UUID, UUID | None, str, Any]
_KINDS = {"BOX": "ORIGINAL_BOX", "CUSTOM": "UNSORTED_LOT"}
_WORDS = {"MINIFIG": "minifigure", "INSTRUCTION": "instructions", "BOX": "packaging"}


# --- What both sides have -------------------------------------------------------------------------------------------
def _bricklink_row(number: int, lot: Any) -> dict[str, Any]:
    steps = {f"tier_quantity{place}": 0 for place in (1, 2, 3)} | {f"tier_price{place}": "0.0" for place in (1, 2, 3)}
    return {
        "inventory_id": number,
        "item": {"no": lot.item_no, "name": lot.item_name, "type": _KINDS.get(lot.item_type, lot.item_type),
                 "category_id": 5},
        "color_id": lot.color_id or 0, "color_name": lot.color_name, "quantity": lot.qty_available,
        "new_or_used": lot.condition[0], "unit_price": f"{lot.unit_price:f}", "bind_id": 0,
        "description": lot.description, "remarks": lot.remarks, "bulk": lot.bulk, "is_retain": lot.is_retain,
        "is_stock_room": False, "date_created": "2024-03-01T05:00:00.000Z", "my_cost": "0.0000", "sale_rate": 0,
        "my_weight": "0.0000", **steps,
    }  # fmt: skip


def _brickowl_row(number: int, lot: Any, *, qty: int, price: Decimal) -> dict[str, Any]:
    return {
        "con": "usedg" if lot.condition == "USED" else "new", "qty": str(qty), "full_con": "", "lot_id": str(number),
        "boid": f"{700_000 + number // 30}-{number % 30 + 1}", "type": _WORDS.get(lot.item_type, lot.item_type.lower()),
        "url": f"https://www.brickowl.com/catalog/{number}", "for_sale": "1", "price": f"{price:f}",
        "base_price": f"{price:f}", "tier_price": None, "sale_percent": "0", "bulk_qty": str(lot.bulk),
        "public_note": lot.description, "personal_note": lot.remarks, "lot_weight": None, "my_cost": None,
        "external_lot_ids": {"other": str(number)}, "name": lot.item_name, "color_name": lot.color_name,
    }  # fmt: skip


def prepare(lots: int, folder: Path) -> None:
    """Make a shop with its lots, listings of them on two stores, and what those stores answer."""
    from django.core.management import call_command  # noqa: PLC0415  # Django is set up only now

    from tenants.testing import create_shop  # noqa: PLC0415

    call_command("migrate_all")
    create_shop(schema=SCHEMA, host="bench-preview.localhost")
    call_command("make_stock_file", str(folder / "stock.bsx"), lots=lots, verbosity=0)
    stock.run("import", SCHEMA, str(folder / "stock.bsx"))
    _list_everywhere(lots, folder)


def _list_everywhere(lots: int, folder: Path) -> None:
    from django.utils import timezone  # noqa: PLC0415  # Django is set up only now

    from common import workspace  # noqa: PLC0415
    from inventory.models import InventoryItem  # noqa: PLC0415
    from stores import services as stores  # noqa: PLC0415
    from sync.channels.bricklink import lots as bricklink  # noqa: PLC0415
    from sync.channels.brickowl import lots as brickowl  # noqa: PLC0415

    secret = "0" * 32  # nobody is asked
    keys = {
        "bricklink": dict.fromkeys(("consumer_key", "consumer_secret", "token", "token_secret"), secret),
        "brickowl": {"key": secret * 2},
    }
    with workspace.enter(SCHEMA):
        first, second = (
            stores.create_store(
                channel=name, name=name, credentials=keys[name], settings={"currency": "EUR"}, now=timezone.now()
            )
            for name in _NAMES
        )
        adds, updates, removals = (share * lots // 100_000 for share in (_ADDS, _UPDATES, _REMOVALS))
        there: dict[str, list[dict[str, Any]]] = {name: [] for name in _NAMES}
        listings: list[_Listing] = []
        _plainly_priced()
        for number, lot in enumerate(InventoryItem.objects.order_by("id").iterator(), start=1):
            row = _bricklink_row(number, lot)
            there["bricklink"].append(row)
            listings.append((first.pk, lot.pk, str(number), bricklink.lot_of(row).state))
            if number <= adds:
                continue
            qty, price = lot.qty_available, lot.unit_price
            row = _brickowl_row(number, lot, qty=qty, price=price)
            listings.append((second.pk, lot.pk, str(number), brickowl.lot_of(row).state))
            if adds < number <= adds + updates:
                row["qty"] = str(qty + 1)
            there["brickowl"].append(row)
        sample = there["brickowl"][-1]
        for number in range(lots + 1, lots + 1 + removals):
            row = {**sample, "lot_id": str(number)}
            there["brickowl"].append(row)
            listings.append((second.pk, None, str(number), brickowl.lot_of(row).state))
        _list(listings)
    for name, rows in there.items():
        body = {"meta": {"code": 200}, "data": rows} if name == "bricklink" else rows
        (folder / name).write_text(json.dumps(body))


def _plainly_priced() -> None:
    """Have lots without steps, sales and stockrooms, at prices that both stores can have, and all of them on sale."""
    from django.db import connection  # noqa: PLC0415  # Django is set up only now

    from inventory.models import InventoryItem  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {InventoryItem._meta.db_table} SET tier_prices = '[]', sale_percent = 0, is_stock_room = false,"  # noqa: S608  # the name comes from the model
            " stock_room_id = '', is_retain = false, unit_price = greatest(round(unit_price, 2), 0.01)"
        )


def _list(listings: list[_Listing]) -> None:
    """Store listings without a trail, as nobody made them."""
    from django.db import connection  # noqa: PLC0415  # Django is set up only now

    from inventory.models import InventoryExternalId  # noqa: PLC0415
    from sync.models import ListingState  # noqa: PLC0415
    from sync.states import as_json  # noqa: PLC0415

    table, states = InventoryExternalId._meta.db_table, ListingState._meta.db_table
    names = "id, created_at, updated_at, store_id, inventory_item_id, external_lot_id, external_inventory_id, base"
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for store_id, lot_id, number, base in listings:
                kept = "{}" if base is None else json.dumps(as_json(base))
                copy.write_row((uuid4(), "now", "now", store_id, lot_id, number, "", kept))
        columns = "store_id, sales_count, may_have_fewer, may_have_more, must_read, is_put_away, attempts, error"
        cursor.execute(
            f"INSERT INTO {states} (listing_id, {columns})"  # noqa: S608  # see above
            f" SELECT id, store_id, 0, 0, 0, false, false, 0, '' FROM {table}"
        )
        cursor.execute("ANALYZE")


# --- The product, and the limit -------------------------------------------------------------------------------------
def _bodies(folder: Path) -> Iterator[tuple[str, str]]:
    for name in _NAMES:
        yield name, (folder / name).read_text()


def _product(folder: Path) -> int:
    """Read the bodies as the adapters do, keep them, compare, and keep the plan; answer how many lines it has."""
    from django.utils import timezone  # noqa: PLC0415  # Django is set up only now

    from common import workspace  # noqa: PLC0415
    from common.collecting import no_search_for_cycles  # noqa: PLC0415
    from stores.models import Store  # noqa: PLC0415
    from sync.channels.bricklink import lots as bricklink  # noqa: PLC0415
    from sync.channels.brickowl import lots as brickowl  # noqa: PLC0415
    from sync.models import Snapshot, SyncPlanItem, SyncRun  # noqa: PLC0415
    from sync.services.runs.planning import compare_stores  # noqa: PLC0415
    from sync.snapshots import Packer  # noqa: PLC0415

    with workspace.enter(SCHEMA):
        kept = {}
        for name, body in _bodies(folder):
            reader: Any = bricklink if name == "bricklink" else brickowl
            packer = Packer()
            with no_search_for_cycles():
                data = json.loads(body, object_hook=reader.lot_hook)
                packer.add(reader.lots_of(data["data"] if name == "bricklink" else data))
                del data
            store = Store.objects.get(channel=name)
            kept[name] = Snapshot.objects.create(
                store=store, fetched_at=timezone.now(), lots_count=packer.count, body=packer.body()
            )
        source, target = (kept[name] for name in _NAMES)
        run = SyncRun.objects.create(
            number=SyncRun.objects.count() + 1, source_store=source.store, target_store=target.store,
            status="COMPARING", idempotency_key=str(uuid4()), source_snapshot=source, target_snapshot=target,
        )  # fmt: skip
        run = compare_stores(run, None, now=timezone.now())
        print(json.dumps(run.plan_summary), file=sys.stderr)
        return int(SyncPlanItem.objects.filter(sync_run=run).count())


def _limit(folder: Path) -> int:
    """Read the bodies, and answer how many lots the bare difference has."""
    bricklink, brickowl = (json.loads(body) for _name, body in _bodies(folder))
    left = {str(row["inventory_id"]): (row["quantity"], Decimal(row["unit_price"])) for row in bricklink["data"]}
    right = {row["lot_id"]: (int(row["qty"]), Decimal(row["price"])) for row in brickowl}
    different = sum(1 for key, value in left.items() if key in right and right[key] != value)
    return different + len(left.keys() ^ right.keys())


def _child(what: str, folder: Path) -> None:
    rig.set_up()
    import psutil  # noqa: PLC0415  # beside Django

    base = psutil.Process().memory_info().rss
    began, used = time.perf_counter(), time.process_time()
    count = _product(folder) if what == "product" else _limit(folder)
    seconds = time.perf_counter() - began
    print(json.dumps({
        "seconds": seconds, "cpu_s": time.process_time() - used, "count": count, "peak_mb": stock._peak() / _MB,
        "base_mb": base / _MB,
    }))  # fmt: skip


def _run(what: str, folder: Path) -> rig.Figures:
    command = [sys.executable, "-m", "bench.preview", what, str(folder)]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # our own command
    figures: rig.Figures = json.loads(out.stdout.splitlines()[-1])
    return figures


def measure(count: int, rounds: int, folder: Path, *, name: str) -> None:
    """Have limit and product alternate on what was prepared, and save their figures."""
    limits, products = [], []
    for _ in range(rounds):
        limits.append(_run("limit", folder))
        products.append(_run("product", folder))
    limits.append(_run("limit", folder))
    ratio = rig.median(products, "seconds") / rig.median(limits, "seconds")
    cpu = rig.median(products, "cpu_s") / rig.median(limits, "cpu_s")
    is_quiet = rig.spread(limits, "seconds") <= rig.UNQUIET
    peak = max(one["peak_mb"] for one in products)
    took = f"{rig.median(products, 'seconds'):.1f} s against {rig.median(limits, 'seconds'):.1f} s"
    save(
        name,
        {
            "lots": count, "lines": products[0]["count"], "rounds": rounds,
            "load_average": [round(one, 2) for one in os.getloadavg()], "quotable": is_quiet,
            "rows": [
                {"line": "P12b", "figure": f"preview, {count:,} × {count:,} lots", "value": took,
                 "ratio": f"{ratio:.1f} x ({cpu:.1f} x own CPU)", "must": "5 x", "aim": "3 x",
                 "met": (ratio if is_quiet else cpu) <= 5},
                {"line": "P14", "figure": "peak memory of it", "value": f"{peak:.0f} MB",
                 "ratio": f"{rig.median(products, 'base_mb'):.0f} MB before it", "must": "500 MB", "aim": "300 MB",
                 "met": peak <= 500},
            ],
        },
    )  # fmt: skip


def main() -> None:
    """Prepare, measure and save."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="20,000 lots, two rounds")
    parser.add_argument("--rounds", type=int, help="so many instead of five")
    options = parser.parse_args()
    count, rounds = (20_000, 2) if options.quick else (100_000, 5)
    folder = Path(tempfile.mkdtemp(prefix="brikonnect-bench-preview-"))
    prepare(count, folder)
    measure(count, options.rounds or rounds, folder, name="preview-quick" if options.quick else "preview")


if __name__ == "__main__":
    if sys.argv[1:2] in (["limit"], ["product"]):
        _child(sys.argv[1], Path(sys.argv[2]))
    else:
        rig.set_up()
        main()
