"""Runs and conflicts as pages show them, for tests: written as comparing writes them, and no channel asked."""

from decimal import Decimal
from typing import Any

from django.utils import timezone

from inventory.models import InventoryExternalId
from inventory.testing import make_lot
from stores import queries as stores
from stores import services as store_services
from stores.channels import LotField
from stores.models import Store
from sync.choices import Action, RunStatus, SkipReason
from sync.models import SyncConflict, SyncRun
from sync.remote import LotState
from sync.services.runs.lines import Line, What, Writer
from sync.services.runs.starting import next_number

_FIELDS = frozenset({LotField.QTY, LotField.PRICE})


def owl(name: str = "Owl") -> Store:
    """Answer a store that can be compared."""
    return store_services.create_store(
        channel="brickowl", name=name, credentials={"key": f"key-{Store.objects.count():08}"}, now=timezone.now()
    )


def lines_of(store: Store, action: Action, count: int, *, start: int = 0, **more: Any) -> list[Line]:
    """Answer so many lines that do the same: of parts 3000, 3001 …, each worth more than the one before."""
    before, after = LotState(qty=4, price=Decimal("0.10")), LotState(qty=2, price=Decimal("0.12"))
    found = []
    for number in range(start, start + count):
        line = Line(
            store=store, action=action, what=What("PART", str(3000 + number), f"Brick {number}", 5, "Red", "N"),
            before=None if action is Action.ADD else before, next=None if action is Action.REMOVE else after,
            fields=_FIELDS, worth=Decimal(number + 1), **more,
        )  # fmt: skip
        found.append(line)
    return found


def make_run(
    target: Store, *, add: int = 0, update: int = 0, remove: int = 0, unmatched: int = 0, status: str = "PREVIEW_READY",
    limit: int | None = 1_000_000, age: Any = None, **values: Any,
) -> SyncRun:  # fmt: skip
    """Answer a run that brings our stock to a store, with a plan."""
    now = timezone.now() - age if age else timezone.now()
    run: SyncRun = SyncRun.objects.create(
        number=next_number(), source_store=stores.local_store(), target_store=target,
        status=RunStatus(status), idempotency_key=f"test:{SyncRun.objects.count()}",
        plan_summary={
            "add": add, "update": update, "remove": remove, "equal": 1200, "pairs": 0,
            "removal_limits": {} if limit is None else {str(target.pk): limit},
            "planned_at": now.isoformat(), "fetched": {target.name: 1234}, "worths": [
                {"store": target.name, "before": "36204.0000", "after": "38011.5000"}
            ],
            "calls": [{"store": target.name, "needed": 57, "left": None, "seconds": 34, "days": 1}],
        },
        checks=[{"code": "fetch", "verdict": "ok", "text": "Fetched all lots: Owl 1,234."}], **values,
    )  # fmt: skip
    writer = Writer(run)
    start = 0
    for action, count in ((Action.ADD, add), (Action.UPDATE, update), (Action.REMOVE, remove)):
        for line in lines_of(target, action, count, start=start, lot_id=make_lot(item_no=f"9{start}").pk):
            writer.add(line)
        start += count
    for line in lines_of(target, Action.SKIP, unmatched, start=start, skip=SkipReason.UNMATCHED, reason="No number."):
        writer.add(line)
    writer.flush()
    return run


def make_conflict(store: Store, field: str = "price", *, ours: Any = "0.10", theirs: Any = "0.12") -> SyncConflict:
    """Answer a field that was changed here and in a store, of a lot of its own."""
    number = SyncConflict.objects.count()
    lot, base = make_lot(item_no=f"77{number}", qty=5), {"qty": 5, "price": "0.08"}
    listing = InventoryExternalId.objects.create(
        inventory_item=lot, store=store, external_lot_id=str(9000 + number), base=base
    )
    made: SyncConflict = SyncConflict.objects.create(
        listing=listing, store=store, field=field, base=base.get(field), ours=ours, theirs=theirs,
        found_at=timezone.now(),
    )  # fmt: skip
    return made
