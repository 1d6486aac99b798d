"""Before a plan: numbers that a channel has of its own are asked for, of our lots that are to be listed there."""

from datetime import datetime

from catalog import services as catalog
from catalog.choices import ItemType, System
from inventory.models import InventoryItem
from jobs.runner import Run
from stores.models import Store
from sync.choices import Direction
from sync.models import SyncRun
from sync.services.runs.options import Options

# Channels that have numbers of their own for what everybody else calls by BrickLink's.
_OWN_NUMBERS = frozenset({System.BRICKOWL.value})
# So many items at once, those with the most money at stake first; the rest with the next run.
_AT_MOST = 5_000


def learn_numbers(run: SyncRun, job: Run, options: Options, *, now: datetime) -> None:
    """Ask for the numbers of lots that would be listed for the first time. Where nobody answers the plan says so."""
    if not options.lists_new:
        return
    stores: list[Store] = [run.target_store]
    if run.direction == Direction.BIDIRECTIONAL:
        stores.append(run.source_store)
    for store in stores:
        if store.channel in _OWN_NUMBERS:
            _learn(store, job, now=now)


def _learn(store: Store, job: Run, *, now: datetime) -> None:
    lots = (
        InventoryItem.objects.filter(qty_available__gt=0, is_stock_room=False)
        .exclude(item_type=ItemType.CUSTOM)
        .exclude(listings__store=store)
        .order_by("-unit_price", "pk")
        .values_list("item_type", "item_no")
    )
    items = list(dict.fromkeys(lots))[:_AT_MOST]
    label = f"Asking {store.get_channel_display()} for its numbers"

    def tell(done: int, total: int, why: str) -> None:
        if why:
            job.log(f"{store.get_channel_display()} was asked for {done:,} of {total:,} numbers: {why}")
        job.progress(done, total, unit="items", message=label)

    catalog.learn_numbers(code=store.channel, items=items, now=now, on_progress=tell)
