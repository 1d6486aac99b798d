"""Puts the pieces of imported lots where their lines say that they lie."""

from collections.abc import Sequence
from uuid import UUID

from inventory.choices import QuantityPolicy
from inventory.import_options import Options
from inventory.models import ImportLine, InventoryItem, InventoryItemLocation
from inventory.services.places import locations_of_codes
from inventory.services.stock import write_placements

Stated = list[tuple[str, int | None]]


def place(lines: Sequence[ImportLine], *, options: Options) -> None:
    """Set the placements of the lines' lots, which are locked or new; never more pieces than are on hand."""
    stated = {line.lot_id: _stated(line) for line in lines if line.lot_id}
    wanted = {lot_id: places for lot_id, places in stated.items() if places}
    if not wanted:
        return
    ids = locations_of_codes({code for places in wanted.values() for code, _ in places})
    on_hand = {
        lot_id: available + reserved
        for lot_id, available, reserved in InventoryItem.objects.filter(pk__in=wanted).values_list(
            "pk", "qty_available", "qty_reserved"
        )
    }
    present: dict[UUID, dict[UUID, int]] = {lot_id: {} for lot_id in wanted}
    for row in InventoryItemLocation.objects.filter(inventory_item__in=wanted):
        present[row.inventory_item_id][row.location_id] = row.qty
    quantities: dict[tuple[UUID, UUID], int] = {}
    for lot_id, places in wanted.items():
        adds = options.quantity == QuantityPolicy.ADD
        target = dict(present[lot_id]) if adds else dict.fromkeys(present[lot_id], 0)
        left = on_hand[lot_id] - sum(target.values())
        for code, qty in places:
            pieces = max(0, left if qty is None else min(qty, left))
            target[ids[code.casefold()]] = target.get(ids[code.casefold()], 0) + pieces
            left -= pieces
        quantities |= {(lot_id, location_id): qty for location_id, qty in target.items()}
    write_placements(quantities)


def _stated(line: ImportLine) -> Stated:
    return [(str(code).strip(), qty) for code, qty in line.locations if str(code).strip()]
