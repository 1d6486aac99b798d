"""More was promised elsewhere than is here: said once, by the floor whose pieces are missing."""

from collections.abc import Mapping
from uuid import UUID

from events.bus import publish
from inventory.events import InventoryOversold


def tell_oversold(*, short: Mapping[UUID, int], cause_type: str, cause_id: str) -> None:
    """Tell how many pieces of which lots are missing for one cause. Inside the transaction that found out."""
    lots = tuple(sorted(short))
    publish(
        InventoryOversold(
            inventory_item_ids=lots, qty_short=tuple(short[lot] for lot in lots), cause_type=cause_type,
            cause_id=cause_id,
        )
    )  # fmt: skip
