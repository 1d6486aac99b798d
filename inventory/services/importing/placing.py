"""Puts the pieces of imported lots where their lines say that they lie."""

from collections.abc import Sequence
from uuid import UUID

from common import workspace
from inventory.choices import QuantityPolicy
from inventory.import_options import Options
from inventory.models import ImportLine, InventoryItem, InventoryItemLocation
from inventory.remarks import Pattern, compiled, shares
from inventory.services.places import locations_of_codes
from inventory.services.stock import write_placements

Stated = list[tuple[str, int | None]]
# Remarks that are nothing but a location, where the shop has said nothing else.
BARE = "{location}"


def place(lines: Sequence[ImportLine], *, options: Options) -> None:
    """Set the placements of the lines' lots, which are locked or new; never more pieces than are on hand."""
    pattern = compiled(workspace.current().remarks_pattern or BARE) if options.read_locations else None
    stated = {line.lot_id: _stated(line, pattern) for line in lines if line.lot_id}
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
        for code, pieces in shares(places, max(left, 0)).items():
            if location_id := ids.get(code.strip().lower()):
                target[location_id] = target.get(location_id, 0) + pieces
        quantities |= {(lot_id, location_id): qty for location_id, qty in target.items()}
    write_placements(quantities)


def _stated(line: ImportLine, pattern: Pattern | None) -> Stated:
    """Answer the places that the line has in columns of its own, else those in its remarks."""
    if line.locations:
        return [(str(code).strip(), qty) for code, qty in line.locations if str(code).strip()]
    found = pattern.read(line.values.get("remarks") or "") if pattern else None
    return list(found.codes) if found else []
