"""How orders are put back by a revert: by the same steps that a person could take, and those that only a revert may."""

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from common.errors import NotFound
from inventory.queries.holdings import lots_by_id
from orders import lifecycle
from orders.errors import OrderClosed
from orders.lifecycle import By, Status
from orders.models import Order, OrderLine
from orders.services import holding
from orders.services.holding import settle, total_of
from orders.services.moving import move

# What is set back as it is; all else follows from the status and the lines.
PLAIN = frozenset(
    {
        "ship_to", "ship_country", "shipping_method", "tracking_number", "tracking_url", "notes", "tags", "flags",
        "buyer_id", "buyer_name", "buyer_email", "buyer_username", "shipping_cost", "insurance", "tax_amount",
        "discount_amount", "subtotal", "grand_total", "payment_status", "paid_at", "ship_by", "ships_with_id",
        "warnings",
    }
)  # fmt: skip
LINE_PLAIN = frozenset(
    {
        "qty_ordered", "unit_price", "description", "item_type", "item_no", "item_name",
        "color_id", "color_name", "condition", "completeness",
    }
)  # fmt: skip


def steps_back(start: Status, end: Status) -> list[tuple[Status, By]] | None:
    """Answer the shortest way from a status to another by steps of a revert or a person; None if there is none.

    Nothing is ended on the way.
    """
    queue: deque[tuple[Status, list[tuple[Status, By]]]] = deque([(start, [])])
    seen = {start}
    while queue:
        here, way = queue.popleft()
        if here is end:
            return way
        for each in (*lifecycle.WAY, *lifecycle.ENDS):
            by = next((by for by in (By.REVERT, By.USER) if by in lifecycle.TABLE.get((here, each), ())), None)
            is_end = each in lifecycle.ENDS and each is not end
            if by is None or is_end or each in seen:
                continue
            seen.add(each)
            queue.append((each, [*way, (each, by)]))
    return None


@transaction.atomic
def restore_order(*, order_id: UUID, values: Mapping[str, Any], now: datetime) -> None:
    """Put columns of an order back, its status by the steps that lead there. Raises NotFound, OrderClosed."""
    held = holding.hold(order_id)
    order = held.order
    for name in PLAIN & values.keys():
        setattr(order, name, values[name])
    if "status" in values:
        way = steps_back(Status(order.status), Status(values["status"]))
        if way is None:
            raise OrderClosed("No step leads back there.")
        for status, by in way:
            move(held, status, by=by, now=now)
    if "flags" in values:
        # What the step set of itself isn't meant.
        order.flags = values["flags"]
    held.finish()


@transaction.atomic
def restore_line(*, line_id: UUID, values: Mapping[str, Any], now: datetime) -> None:
    """Put columns of a line back, its pieces with them. Raises NotFound; OrderClosed after it has left."""
    order_id = OrderLine.objects.filter(pk=line_id).values_list("order_id", flat=True).first()
    if order_id is None:
        raise NotFound("There is no such line.")
    held = holding.hold(order_id)
    if held.order.status not in lifecycle.PROMISED:
        raise OrderClosed("It has left or ended; its lines stay as they are.")
    line = held.line(line_id)
    wanted = values.get("inventory_item_id", line.inventory_item_id)
    holding.hold_stock(held.lines, *([wanted] if wanted else []))
    if wanted != line.inventory_item_id:
        if wanted is None:
            holding.be_of_none(held.order, line, now=now)
        elif lot := lots_by_id([wanted]).get(wanted):
            holding.be_of(held.order, line, lot, now=now)
        else:
            raise NotFound("Its lot no longer exists.")
    for name in LINE_PLAIN & values.keys():
        setattr(line, name, values[name])
    line.line_total = total_of(line, held.order.currency)
    settle(held.order, held.lines, now=now)
    held.finish()


def why_it_stays(order: Order, status: str) -> str:
    """Answer why an order can't be put back to a status; empty if it can."""
    if steps_back(Status(order.status), Status(status)) is None:
        return f"An order that is {order.get_status_display().lower()} doesn't go back there."
    return ""
