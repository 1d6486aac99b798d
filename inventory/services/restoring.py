"""Puts lots back as they were, many at once: fields by one statement for those alike, pieces by movements."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from audit import bulk
from catalog import colors
from common.ids import new_id
from events.bus import publish
from inventory.choices import MovementKind
from inventory.events import InventoryCreated, InventoryUpdated
from inventory.models import InventoryItem
from inventory.services import stock
from inventory.services.checks import EDITABLE


@transaction.atomic
def restore_lots(*, values: Mapping[UUID, Mapping[str, Any]], now: datetime) -> None:
    """Set fields of lots back, and by movements how many pieces of each are for sale. `values`: columns, by lot.

    Raises NotFound, InsufficientStock; and IntegrityError where what is set back doesn't fit what stays.
    """
    balances = stock.lock_lots(set(values))
    alike: dict[tuple[str, ...], list[InventoryItem]] = defaultdict(list)
    for lot_id, columns in values.items():
        own = {name: value for name, value in columns.items() if name in EDITABLE}
        if "color_id" in own:
            color = colors.get(own["color_id"])
            own["color_name"] = color.name if color else ""
        if own:
            alike[tuple(sorted(own))].append(InventoryItem(pk=lot_id, **own))
    for names, lots in alike.items():
        bulk.bulk_update(InventoryItem, lots, fields=names, rising=["version"])
    if alike:
        publish(InventoryUpdated(inventory_item_ids=tuple(sorted(lot.pk for lots in alike.values() for lot in lots))))
    cause = str(new_id())
    stock.move_stock(
        moves=[
            stock.Move(
                lot_id=lot_id,
                kind=MovementKind.REVERT,
                cause_key=f"{cause}:{lot_id}",
                available=columns["qty_available"] - balances[lot_id].available,
            )
            for lot_id, columns in values.items()
            if "qty_available" in columns
        ],
        now=now,
    )


@transaction.atomic
def recreate_lots(*, values: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Make deleted lots again under their ids, with the pieces that they had. `values`: all columns of each."""
    columns = {field.attname for field in InventoryItem._meta.concrete_fields}
    lots = [InventoryItem(**{name: value for name, value in row.items() if name in columns}) for row in values]
    bulk.bulk_create(InventoryItem, lots)
    stock.open_balances(lots=lots, kind=MovementKind.REVERT, now=now)
    publish(InventoryCreated(inventory_item_ids=tuple(lot.pk for lot in lots)))
