"""What can be done about a line whose pieces aren't there, or that is of no lot that is known."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audit import context
from catalog.choices import System
from common.errors import Conflict, Invalid, NotFound
from common.ids import new_id
from inventory import services as inventory
from inventory.models import InventoryItem
from inventory.queries.holdings import lots_by_id
from orders import lifecycle
from orders.errors import OrderClosed
from orders.models import Order, OrderLine
from orders.services import holding
from orders.services.holding import Held, lock_orders, settle, total_of

_AT_ONCE = 200


@transaction.atomic
def take_from_lot(
    *, order_id: UUID, line_id: UUID, lot_id: UUID, now: datetime, qty: int | None = None,
    expected_version: int | None = None,
) -> OrderLine:  # fmt: skip
    """Have another lot step in for the pieces that a line is short of, at the line's price; answer the line that does.

    Raises Invalid where none are short, Conflict where the lot has none, NotFound, OrderClosed, StaleVersion.
    """
    context.describe("orders.take_from_lot")
    held = _open(order_id, expected_version)
    line, lot = held.line(line_id), _lot(lot_id)
    short = line.qty_short + line.qty_missing
    chosen = short if qty is None else qty
    if not 0 < chosen <= short:
        raise Invalid(errors={"/qty": [f"Between 1 and {short:,} pieces are short." if short else "None are short."]})
    if lot_id == line.inventory_item_id:
        raise Invalid(errors={"/inventory_item": ["This is the lot that is short."]})
    there = holding.hold_stock(held.lines, lot_id)
    if there.get(lot_id) is None or there[lot_id].available < chosen:
        raise Conflict("That lot has fewer pieces for sale by now.")
    holding.want_fewer(line, chosen)
    line.line_total = total_of(line, held.order.currency)
    cover = next(
        (each for each in held.lines if each.covers_id == line.pk and each.inventory_item_id == lot_id), None
    ) or _cover(held, line, lot)
    cover.qty_ordered += chosen
    cover.line_total = total_of(cover, held.order.currency)
    settle(held.order, held.lines, now=now)
    held.finish()
    return cover


@transaction.atomic
def drop_short(*, order_id: UUID, line_id: UUID, now: datetime, expected_version: int | None = None) -> Order:
    """Take what a line is short of off the order; what it cost is given back by a refund. Raises as `take_from_lot`."""
    context.describe("orders.drop_short")
    held = _open(order_id, expected_version)
    line = held.line(line_id)
    short = line.qty_short + line.qty_missing
    if not short:
        raise Conflict("Nothing of this line is short any more.")
    holding.want_fewer(line, short)
    line.line_total = total_of(line, held.order.currency)
    settle(held.order, held.lines, now=now)
    held.finish()
    return held.order


@transaction.atomic
def match_line(
    *, order_id: UUID, line_id: UUID, lot_id: UUID, now: datetime, remember: bool = False,
    decided_by_id: UUID | None = None, expected_version: int | None = None,
) -> OrderLine:  # fmt: skip
    """Say which lot a line is of. `remember`: the channel's number means that item from now on, for this shop.

    Raises Conflict where pieces of it were picked, NotFound, OrderClosed, StaleVersion.
    """
    context.describe("orders.match_line")
    held = _open(order_id, expected_version)
    line, lot = held.line(line_id), _lot(lot_id)
    if line.qty_picked:
        raise Conflict("Pieces of this line were picked already. Put them back first.")
    number, color = line.external_item_no or line.item_no, line.external_color
    holding.hold_stock(held.lines, lot_id)
    holding.be_of(held.order, line, lot, now=now)
    settle(held.order, held.lines, now=now)
    held.order.warnings = [warning for warning in held.order.warnings if not _is_about(warning, number)]
    held.finish()
    channel = held.order.store.channel
    if remember and number and channel in System.values:
        inventory.set_item_mapping(
            system=channel, external_id=number, item_type=lot.item_type, item_no=lot.item_no,
            external_color=color, color_id=lot.color_id if color else None, decided_by_id=decided_by_id,
            now=now,
        )  # fmt: skip
    return line


@transaction.atomic
def reserve_again(*, order_id: UUID, now: datetime, expected_version: int | None = None) -> Order:
    """Try once more to reserve what is short. Raises NotFound, OrderClosed, StaleVersion."""
    context.describe("orders.reserve_again")
    held = _open(order_id, expected_version)
    settle(held.order, held.lines, now=now)
    held.finish()
    return held.order


@transaction.atomic
def cover_shortages(*, lot_ids: Collection[UUID], now: datetime) -> int:
    """Give pieces that have come in to the orders that wait for them, the oldest first; answer how many orders got
    some."""
    context.describe("orders.cover_shortages")
    waiting = (
        OrderLine.objects.filter(
            Q(qty_short__gt=0), inventory_item__in=lot_ids, order__status__in=sorted(lifecycle.PROMISED),
            inventory_item__qty_available__gt=0,
        )
        .order_by("order__ordered_at", "order_id")
        .values_list("order_id", flat=True)[:_AT_ONCE]
    )  # fmt: skip
    keys = list(dict.fromkeys(waiting))
    if not keys:
        return 0
    place = {key: index for index, key in enumerate(keys)}
    held = [Held(order) for order in lock_orders(keys)]
    # Every lot that is needed at once, so that they are held in one order.
    holding.hold_stock([line for each in held for line in each.lines])
    count = 0
    for each in sorted(held, key=lambda each: place[each.order.pk]):
        settle(each.order, each.lines, now=now)
        count += bool(each.finish())
    return count


def _open(order_id: UUID, version: int | None) -> Held:
    held = holding.hold(order_id, expected_version=version)
    if held.order.status not in lifecycle.PROMISED:
        raise OrderClosed("It has left or ended; its lines stay as they are.")
    return held


def _lot(lot_id: UUID) -> InventoryItem:
    lot = lots_by_id([lot_id]).get(lot_id)
    if lot is None:
        raise NotFound("This lot no longer exists.")
    return lot


def _cover(held: Held, line: OrderLine, lot: InventoryItem) -> OrderLine:
    cover = OrderLine(
        pk=new_id(), order=held.order, position=max(each.position for each in held.lines) + 1, covers_id=line.pk,
        inventory_item_id=lot.pk, item_type=lot.item_type, item_no=lot.item_no, item_name=lot.item_name,
        color_id=lot.color_id, color_name=lot.color_name, condition=lot.condition,
        completeness=lot.completeness or "", qty_ordered=0, unit_price=line.unit_price,
    )  # fmt: skip
    held.lines.append(cover)
    return cover


def _is_about(warning: dict[str, str], number: str) -> bool:
    return warning.get("code") == "unmatched" and warning.get("text", "").startswith(f"{number}:")
