"""Orders coming in over real HTTP from the imitated Brikick, to committed with their reservations (P21).

What follows from an order is handed to the broker, as it is to the workers beside. On a busy machine only the figure by
processor time says something: this process's own and that of its connection to PostgreSQL.

Run on throw-away servers: `python -m brikonnect.devstack.servers --test -- python -m bench.orders`.
"""

import os
import time
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brikonnect.settings_test")

import django
import psutil

django.setup()

from celery import current_app  # noqa: E402  # Django is set up only now
from django.core.management import call_command  # noqa: E402  # see above
from django.db import connection  # noqa: E402  # see above
from django.utils import timezone  # noqa: E402  # see above
from django_tenants.utils import schema_context  # noqa: E402  # see above

from bench.report import save  # noqa: E402  # see above
from common.testing.sandbox import SandboxProcess  # noqa: E402  # see above
from common.wire import CallClass  # noqa: E402  # see above
from inventory.models import InventoryExternalId  # noqa: E402  # see above
from inventory.testing import make_lot  # noqa: E402  # see above
from orders.models import OrderLine  # noqa: E402  # see above
from stores import services as stores  # noqa: E402  # see above
from stores.models import Store  # noqa: E402  # see above
from sync.models import ListingState  # noqa: E402  # see above
from sync.services import connect, pulling  # noqa: E402  # see above
from sync.states import as_json  # noqa: E402  # see above
from tenants.testing import create_shop  # noqa: E402  # see above

ORDERS, LINES, LOTS = 500, 12, 600
_AT_LEAST, _AIM = 20, 50
# A load of two cores at which nothing else gets into the way.
_QUIET = 2.0


def _prepare(sandbox: SandboxProcess) -> Store:
    """Answer a store whose lots are listed on both sides, and of which 500 orders wait."""

    sellers = sandbox.control("GET", "sellers")
    seller = next(each["id"] for each in sellers if each["service"] == "brikick")
    store = stores.create_store(
        channel="brikick", name="Bench", credentials={"api_key": sandbox.brikick_key}, base_url=sandbox.brikick_url,
        settings={"currency": "EUR"}, now=timezone.now(),
    )  # fmt: skip
    lots = [
        {"type": "PART", "no": "3001", "color_id": 5, "quantity": 10_000, "price": 1000 + each} for each in range(LOTS)
    ]
    numbers = sandbox.control("POST", f"sellers/{seller}/lots", {"lots": lots})["ids"]
    remotes = {
        lot.lot_id: lot for page in connect(store.pk, call_class=CallClass.USUAL).fetch_inventory() for lot in page
    }
    for number in map(str, numbers):
        listing = InventoryExternalId.objects.create(
            inventory_item=make_lot(qty=10_000), store=store, external_lot_id=number,
            base=as_json(remotes[number].state),
        )  # fmt: skip
        ListingState.objects.create(listing=listing, store=store)
    for each in range(ORDERS):
        chosen = [numbers[(each * LINES + line) % LOTS] for line in range(LINES)]
        lines = [{"lot_id": number, "quantity": 2} for number in chosen]
        sandbox.control("POST", f"sellers/{seller}/orders", {"lines": lines, "buyer": each % 50})
    return store


def measure() -> dict[str, Any]:
    """Answer how many orders a second come in, reserved and committed."""
    current_app.conf.task_always_eager = False
    with SandboxProcess.running() as sandbox:
        store = _prepare(sandbox)
        database = _backend()
        own, theirs, began = time.process_time(), _cpu_s(database), time.monotonic()
        done = pulling.pull_orders(store_id=store.pk, now=timezone.now())
        seconds = time.monotonic() - began
        own, theirs = time.process_time() - own, _cpu_s(database) - theirs
    reserved = OrderLine.objects.filter(order__store=store, qty_reserved=2).count()
    are_all = reserved == ORDERS * LINES
    rows = [
        {
            "figure": f"P21 {ORDERS} orders × {LINES} lines, a second{how}", "value": f"{done.taken / took:.1f}",
            "must": _AT_LEAST, "aim": _AIM, "met": done.taken / took >= _AT_LEAST and are_all,
        }
        for how, took in ((", by the clock", seconds), (" of processor time", own + theirs))
    ]  # fmt: skip
    load = os.getloadavg()
    return {
        "rows": rows, "seconds": round(seconds, 2), "own_cpu_s": round(own, 2), "postgres_cpu_s": round(theirs, 2),
        "reserved": reserved, "load_average": [round(each, 2) for each in load], "quotable": load[0] < _QUIET,
    }  # fmt: skip


def _backend() -> psutil.Process:
    """Answer PostgreSQL's process that works for our connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return psutil.Process(cursor.fetchone()[0])


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    call_command("migrate_all", verbosity=0)
    create_shop(schema="t_bench_orders", host="bench-orders.localhost")
    with schema_context("t_bench_orders"):
        save("orders", measure())
