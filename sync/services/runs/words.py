"""What a plan says of lots, and why, in words."""

from collections.abc import Mapping
from typing import Any

from inventory.models import InventoryItem
from sync.models import SyncRun
from sync.pairing import Mine
from sync.remote import RemoteItem
from sync.rules import Unlisted
from sync.services.runs.lines import What

WHY: Mapping[str, str] = {
    Unlisted.NO_PIECES: "There are none left here",
    Unlisted.KEPT_BACK: "All that is left is kept back",
    Unlisted.NO_PRICE: "It has no price here",
    Unlisted.STOCKROOM: "It is in a stockroom here",
    Unlisted.NO_RATE: "Nobody knows the exchange rate",
    Unlisted.NOT_CHOSEN: "The store's rules don't list it",
    Unlisted.LAST_PIECE: "It is the last piece, which the primary store offers",
    Unlisted.AWAY: "The shop is on vacation",
    Unlisted.TWICE: "Another lot there offers these pieces",
    Unlisted.GONE: "It was deleted here",
}


def what_of(lot: InventoryItem) -> What:
    """Answer what a lot of ours is."""
    return What(lot.item_type, lot.item_no, lot.item_name, lot.color_id, lot.color_name, lot.condition)


def what_of_mine(mine: Mine) -> What:
    """Answer what a lot of ours is that was read for comparing."""
    item_type, item_no, color_id, condition, _completeness = mine.key
    return What(item_type, item_no, mine.name, color_id, mine.color_name, condition)


def what_there(item: RemoteItem) -> What:
    """Answer what a channel says that a lot there is; its color's number isn't one of ours."""
    return What(item.item_type, item.item_no, item.name, None, item.color_name, item.condition)


def about(run: SyncRun) -> dict[str, Any]:
    """Answer what every event of a run says of it."""
    return {
        "run_id": str(run.pk), "number": run.number, "trigger": run.trigger,
        "source_store_id": str(run.source_store_id), "target_store_id": str(run.target_store_id),
        "source_name": run.source_store.stock_name, "target_name": run.target_store.stock_name,
    }  # fmt: skip
