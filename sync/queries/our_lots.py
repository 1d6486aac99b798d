"""Our own lots as they are compared with a store's: plain rows, of which there are a hundred thousand."""

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from inventory import tiers
from inventory.models import InventoryItem
from sync.pairing import Key
from sync.remote import LotState

CHUNK = 5_000
_COLUMNS = (
    "pk", "version", "item_type", "item_no", "color_id", "condition", "completeness", "item_name", "color_name",
    "bricklink_lot_id", "changed_at", "qty_available", "unit_price", "description", "remarks", "steps", "bulk",
    "sale_percent", "is_retain", "stock_room_id",
)  # fmt: skip
_STATE = _COLUMNS.index("qty_available")
_NO_STEPS = "[]"


class OurLot(NamedTuple):
    """A lot of ours, as far as stores show it."""

    pk: UUID
    version: int
    item_type: str
    item_no: str
    color_id: int | None
    condition: str
    completeness: str | None
    item_name: str
    color_name: str
    bricklink_lot_id: int | None
    # As text, until somebody asks; empty for one that isn't stored yet.
    changed_at: str
    state: LotState

    @property
    def key(self) -> Key:
        """Answer what it is, as lots are matched by it."""
        return (self.item_type, self.item_no, self.color_id, self.condition, self.completeness)

    @property
    def updated_at(self) -> datetime | None:
        """Answer when it was changed last."""
        return datetime.fromisoformat(self.changed_at) if self.changed_at else None

    @property
    def qty_available(self) -> int:
        """Answer how many pieces there are."""
        return self.state.qty


def lot_state(lot: InventoryItem) -> LotState:
    """Answer a lot as it stands in our own stock."""
    return LotState(
        qty=lot.qty_available,
        price=lot.unit_price,
        description=lot.description,
        remarks=lot.remarks,
        tiers=tuple(tiers.steps_of(lot.tier_prices)),
        bulk=lot.bulk,
        sale=lot.sale_percent,
        retain=lot.is_retain,
        stockroom=lot.stock_room_id,
    )


def our_lot(lot: InventoryItem) -> OurLot:
    """Answer a lot that was read as a whole, or that isn't stored yet."""
    # None until it is stored, whatever the model says.
    changed_at: datetime | None = lot.updated_at
    return OurLot(
        lot.pk, lot.version, lot.item_type, lot.item_no, lot.color_id, lot.condition, lot.completeness, lot.item_name,
        lot.color_name, lot.bricklink_lot_id, changed_at.isoformat() if changed_at else "", lot_state(lot),
    )  # fmt: skip


def our_lots(lots: "QuerySet[InventoryItem]") -> Iterator[list[OurLot]]:
    """Answer lots some at a time, all of them as they are when the first is answered."""
    # As text, since each would be read by itself: nearly none has any steps, and hardly anybody asks for times.
    texts = {"steps": Cast("tier_prices", TextField()), "changed_at": Cast("updated_at", TextField())}
    rows = lots.annotate(**texts).order_by().values_list(*_COLUMNS)
    left = rows.iterator(chunk_size=CHUNK)
    while chunk := [_lot(row) for row in islice(left, CHUNK)]:
        yield chunk


def _lot(row: tuple[Any, ...]) -> OurLot:
    qty, price, description, remarks, steps, *rest = row[_STATE:]
    found = () if steps == _NO_STEPS else tuple(tiers.steps_of(json.loads(steps)))
    return OurLot._make((*row[:_STATE], LotState(qty, price, description, remarks, found, *rest)))
