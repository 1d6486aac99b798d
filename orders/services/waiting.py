"""Lines that came in before their lot: once it is there it is theirs, and no piece is counted twice.

What a channel says that a lot has left is without what it sold before. A lot whose number of pieces was taken over from
there gets those of its waiting lines on top, and gives them to the orders. Any other lot gives from what it has.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audit import context
from common import workspace
from inventory import services as inventory
from inventory.choices import MovementKind
from inventory.models import InventoryExternalId, InventoryItem
from inventory.queries.holdings import lots_by_id
from orders.incoming import IncomingLine
from orders.lifecycle import PROMISED
from orders.models import OrderLine
from orders.services import holding
from orders.services.holding import Held, lock_orders, settle
from orders.services.matching import match_lines

_WAITS = Q(inventory_item__isnull=True, qty_ordered__gt=0, order__status__in=sorted(PROMISED))
_ON_TOP = "Sold there before it was brought in"
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Arrived:
    """A lot whose pieces were taken over from its channel. `counted_at`: what was placed there later was still in that
    number; None: nothing was."""

    lot_id: UUID
    counted_at: datetime | None = None


def hold_waiting(*, store_id: UUID, external_lot_ids: Collection[str]) -> list[Held]:
    """Hold the open orders of a store that wait for these lots of it; before any lot is held."""
    found = OrderLine.objects.filter(_WAITS, order__store=store_id, external_lot_id__in=set(external_lot_ids))
    keys = set(found.exclude(external_lot_id="").values_list("order_id", flat=True))
    return [Held(order) for order in lock_orders(keys)] if keys else []


def lots_of(orders: Sequence[Held]) -> set[UUID]:
    """Answer the lots that held orders have already: they are held along with all others that are needed."""
    return {line.inventory_item_id for held in orders for line in held.lines if line.inventory_item_id}


@transaction.atomic
def give_arrived(*, orders: Sequence[Held], arrived: Mapping[str, Arrived], now: datetime) -> int:
    """Have held orders' waiting lines be of the lots that came in by their store's numbers; answer how many lines."""
    lots = lots_by_id([each.lot_id for each in arrived.values()])
    matched, moves = [], []
    for held in orders:
        for line in _waiting(held):
            here = arrived.get(line.external_lot_id)
            lot = lots.get(here.lot_id) if here else None
            if here is None or lot is None:
                continue
            _be_of(held, line, lot, now=now)
            matched.append(line)
            is_in_it = here.counted_at is not None and held.order.ordered_at > here.counted_at
            if not is_in_it and held.order.moves_stock:
                moves.append(
                    inventory.Move(
                        lot_id=lot.pk, kind=MovementKind.CHANNEL_EDIT, available=line.qty_ordered - line.qty_missing,
                        note=_ON_TOP, **holding.cause_of(held.order, line),
                    )
                )  # fmt: skip
    inventory.move_stock(moves=[move for move in moves if move.available > 0], now=now)
    _finish(orders, now=now)
    return len(matched)


@transaction.atomic
def match_waiting(*, lot_ids: Collection[UUID], now: datetime) -> int:
    """Have lines that wait for a lot be of one of these, where they are the same thing; answer how many lines.

    The oldest order comes first. A lot that the line's own store lists under another number is another one.
    """
    context.describe("orders.match_waiting")
    keys = _orders_like(lot_ids)
    if not keys:
        return 0
    orders = sorted((Held(order) for order in lock_orders(keys)), key=lambda held: held.order.ordered_at)
    holding.hold_stock([line for held in orders for line in held.lines], *lot_ids)
    listed = _listed_as(lot_ids)
    count = 0
    for held in orders:
        order, lines = held.order, _waiting(held)
        matches = match_lines(
            [_incoming(line) for line in lines], store_id=order.store_id, channel=order.store.channel,
            currency=order.currency, own_currency=workspace.current().currency,
        )  # fmt: skip
        for line, match in zip(lines, matches, strict=True):
            lot = match.lot
            if lot is None or lot.pk not in lot_ids:
                continue
            numbers = listed.get((order.store_id, lot.pk))
            if numbers and line.external_lot_id and line.external_lot_id not in numbers:
                continue
            _be_of(held, line, lot, now=now)
            count += 1
    _finish(orders, now=now)
    return count


def _orders_like(lot_ids: Collection[UUID]) -> list[UUID]:
    """Answer the oldest open orders with a waiting line of the items of these lots."""
    lots = InventoryItem.objects.filter(pk__in=lot_ids, is_stock_room=False)
    numbers = set(lots.values_list("item_no", flat=True))
    if not numbers:
        return []
    found = OrderLine.objects.filter(_WAITS).filter(Q(item_no__in=numbers) | Q(item_no=""))
    rows = found.order_by("order__ordered_at", "order_id").values_list("order_id", flat=True)
    return list(dict.fromkeys(rows))[:_AT_ONCE]


def _listed_as(lot_ids: Collection[UUID]) -> dict[tuple[UUID, UUID], set[str]]:
    """Answer under which numbers lots are listed, by store and lot."""
    rows = InventoryExternalId.objects.filter(inventory_item__in=lot_ids, external_lot_id__isnull=False)
    found: dict[tuple[UUID, UUID], set[str]] = {}
    for store_id, lot_id, number in rows.values_list("store_id", "inventory_item_id", "external_lot_id"):
        if lot_id is not None:
            found.setdefault((store_id, lot_id), set()).add(str(number))
    return found


def _waiting(held: Held) -> list[OrderLine]:
    # It may have left or ended before it was held.
    if held.order.status not in PROMISED:
        return []
    return [line for line in held.lines if line.inventory_item_id is None and line.qty_ordered]


def _be_of(held: Held, line: OrderLine, lot: InventoryItem, *, now: datetime) -> None:
    names = (line.item_no, line.external_item_no, line.item_name, line.external_lot_id)
    told = tuple(f"{name}:" for name in names if name)
    holding.be_of(held.order, line, lot, now=now)
    held.order.warnings = [
        each for each in held.order.warnings if each.get("code") != "unmatched" or not each["text"].startswith(told)
    ]  # fmt: skip


def _finish(orders: Sequence[Held], *, now: datetime) -> None:
    for held in orders:
        settle(held.order, held.lines, now=now)
        held.finish()


def _incoming(line: OrderLine) -> IncomingLine:
    return IncomingLine(
        qty=line.qty_ordered, unit_price=line.unit_price, item_type=line.item_type, item_no=line.item_no,
        color_id=line.color_id, condition=line.condition, completeness=line.completeness, item_name=line.item_name,
        description=line.description, external_line_id=line.external_line_id, external_lot_id=line.external_lot_id,
        external_item_no=line.external_item_no, external_color=line.external_color,
    )  # fmt: skip
