"""How many pieces there will be for the orders of a file, which are taken over one after the other."""

from collections.abc import Sequence
from uuid import UUID

from inventory.models import InventoryItem
from orders.incoming import IncomingOrder
from orders.lifecycle import ENDS, GONE


class Pieces:
    """What the orders so far leave of each lot."""

    def __init__(self) -> None:
        self._left: dict[UUID, int] = {}

    def take(self, order: IncomingOrder, lots: Sequence[InventoryItem | None]) -> list[int | None]:
        """Answer for each line of a new order how many of its pieces will be there; None where it waits for none."""
        if order.status in ENDS:
            return [None] * len(order.lines)
        there: list[int | None] = []
        for line, lot in zip(order.lines, lots, strict=True):
            if lot is None:
                there.append(None)
                continue
            left = self._left.setdefault(lot.pk, lot.qty_available)
            taken = min(left, line.qty)
            self._left[lot.pk] = left - taken
            there.append(None if order.status in GONE else taken)
        return there
