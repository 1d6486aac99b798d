"""What picking found of an order's lines. Pieces that weren't there leave the books; the line says that they miss."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit import context
from common.errors import Invalid
from inventory import services as inventory
from inventory.choices import MovementKind
from orders import lifecycle
from orders.errors import OrderClosed
from orders.models import Order
from orders.services import holding


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """How many pieces of a line are picked by now, and how many weren't found. `location_id`: where they should lie."""

    qty_picked: int
    qty_missing: int = 0
    location_id: UUID | None = None


@transaction.atomic
def note_picks(*, order_id: UUID, picks: Mapping[UUID, Picked], now: datetime) -> Order:
    """Set how far the picking of lines is, by line: the whole counts, so that the same again changes nothing.

    Pieces that are missing are no longer promised nor in the house; those that turn up after all are both again.
    Raises Invalid with errors by line, NotFound; OrderClosed where it has left or ended.
    """
    context.describe("orders.note_picks")
    held = holding.hold(order_id)
    order = held.order
    if order.status not in lifecycle.PROMISED:
        raise OrderClosed("It has left or ended; its lines stay as they are.")
    holding.hold_stock(held.lines)
    errors: dict[str, list[str]] = {}
    moves = []
    for line_id, pick in picks.items():
        line = held.line(line_id)
        more = pick.qty_missing - line.qty_missing
        most = line.qty_reserved + line.qty_missing
        if pick.qty_picked < 0 or pick.qty_missing < 0 or pick.qty_picked + pick.qty_missing > most:
            errors[f"/{line_id}"] = [f"Picked and missing are {most:,} pieces at most."]
            continue
        line.qty_picked = pick.qty_picked
        if not more or line.inventory_item_id is None:
            continue
        line.qty_missing, line.qty_reserved = pick.qty_missing, line.qty_reserved - more
        moves.append(
            inventory.Move(
                lot_id=line.inventory_item_id, kind=MovementKind.PICK_MISSING, reserved=-more,
                location_id=pick.location_id, **holding.cause_of(order, line),
            )
        )  # fmt: skip
    if errors:
        raise Invalid(errors=errors)
    inventory.move_stock(moves=moves, now=now)
    held.finish()
    return order
