"""What picking finds of an order's lines. Picked pieces lie in totes; those that weren't there leave the books."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.errors import Conflict, NotFound
from inventory import services as inventory
from inventory.choices import MovementKind
from orders import lifecycle
from orders.errors import OrderClosed
from orders.models import OrderLine
from orders.services import holding
from orders.services.holding import Held


@dataclass(frozen=True, slots=True, kw_only=True)
class PickChange:
    """So many pieces of a line more, or fewer, are picked and missing. `location_id`: where they lie or should."""

    line_id: UUID
    picked: int = 0
    missing: int = 0
    location_id: UUID | None = None


def apply_picks(held: Held, changes: Sequence[PickChange], *, now: datetime) -> None:
    """Change how far the picking of a held order is. The caller finishes it.

    Pieces that are missing are no longer promised nor in the house; those that turn up after all are both again.
    Raises Conflict where more would be picked than is promised, NotFound; OrderClosed where it has left or ended.
    """
    order = held.order
    if order.status not in lifecycle.PROMISED:
        raise OrderClosed("This order has left or ended; its lines stay as they are.")
    lots = holding.hold_stock(held.lines)
    moves, taken, back = [], {}, {}
    for change in changes:
        line = held.line(change.line_id)
        _check(line, change)
        if line.inventory_item_id not in lots:
            raise NotFound("The lot of this line no longer exists.")
        assert line.inventory_item_id is not None  # noqa: S101  # it is among the lots
        line.qty_picked += change.picked
        if change.missing:
            line.qty_missing += change.missing
            line.qty_reserved -= change.missing
            moves.append(
                inventory.Move(
                    lot_id=line.inventory_item_id, kind=MovementKind.PICK_MISSING, reserved=-change.missing,
                    location_id=change.location_id, **holding.cause_of(order, line),
                )
            )  # fmt: skip
        if change.location_id and change.picked:
            key = (line.inventory_item_id, change.location_id)
            if change.picked > 0:
                taken[line.pk, key] = change.picked
            else:
                back[line.pk, key] = -change.picked
    inventory.move_stock(moves=moves, now=now)
    for (line_id, key), qty in taken.items():
        found = inventory.take_to_totes(pieces={key: qty})
        holding.remember_place(held.line(line_id), key[1], found.get(key, 0))
    down: dict[tuple[UUID, UUID], int] = {}
    for (line_id, key), qty in back.items():
        down[key] = down.get(key, 0) + holding.forget_place(held.line(line_id), key[1], qty)
    if any(down.values()):
        inventory.put_down(pieces=down)
    # What is in totes beyond what is picked goes back to its places.
    holding.put_excess_down(order, held.lines)


def _check(line: OrderLine, change: PickChange) -> None:
    picked, missing = line.qty_picked + change.picked, line.qty_missing + change.missing
    reserved = line.qty_reserved - change.missing
    if picked < 0 or missing < 0 or picked > reserved:
        most = max(0, line.qty_reserved - line.qty_picked)
        raise Conflict(f"{most:,} {'piece' if most == 1 else 'pieces'} of this line can be picked by now, not more.")
