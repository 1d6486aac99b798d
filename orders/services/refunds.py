"""Money that goes back, and pieces that come back with it."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from audit import context
from common import actor
from common.errors import Conflict, Invalid, NotFound
from events.bus import publish
from orders import lifecycle
from orders.choices import Flag, PaymentStatus
from orders.events import OrderRefunded
from orders.lifecycle import By, Status
from orders.models import Order, OrderLine, Refund
from orders.services import holding
from orders.services.holding import Held, set_flags, settle, total_of
from orders.services.moving import check_step, move
from orders.services.statuses import REASON_LENGTH


@transaction.atomic
def refund_order(
    *, order_id: UUID, now: datetime, amount: Decimal | None = None, reason: str = "",
    pieces: Sequence[tuple[UUID, int]] = (), restock: bool = False, refund_id: UUID | None = None,
    expected_version: int | None = None,
) -> Refund:  # fmt: skip
    """Record that money was given back: all that is left of an order without an `amount`, which ends it.

    `pieces`, by line: what it is for. Before shipping these are taken off the order; after it, `restock` puts them back
    where they lay (all, where none are named). `refund_id`: a second press is the same refund.
    Raises Invalid with errors by field, IllegalTransition, NotFound, StaleVersion.
    """
    context.describe("orders.refund_order")
    holding.lock_order(order_id)
    if refund_id and (present := Refund.objects.filter(pk=refund_id, order_id=order_id).first()):
        return present
    held = holding.hold(order_id, expected_version=expected_version)
    order = held.order
    left = order.grand_total - order.refunded_total
    chosen = left if amount is None else amount
    _check(held, chosen, left, reason, pieces)
    is_full = chosen == left
    if is_full:
        check_step(order, Status.REFUNDED, by=By.USER)
    taken = _take_pieces(held, pieces, restock=restock, is_full=is_full, now=now)
    values = {"pk": refund_id} if refund_id else {}
    refund = Refund(
        order=order, amount=chosen, currency=order.currency, reason=reason.strip(), lines=taken, refunded_at=now,
        made_by=actor.current().name, **values,
    )  # fmt: skip
    refund.save(force_insert=True)
    order.refunded_total += chosen
    order.payment_status = PaymentStatus.REFUNDED if is_full else PaymentStatus.PARTIALLY_REFUNDED
    set_flags(order, add=[] if is_full else [Flag.PARTIALLY_REFUNDED])
    if is_full:
        set_flags(order, remove=[Flag.PARTIALLY_REFUNDED, Flag.DISPUTE])
        move(held, Status.REFUNDED, by=By.USER, now=now, reason=reason)
    held.finish()
    publish(
        OrderRefunded(
            order_id=order.pk, store_id=order.store_id, external_order_id=order.external_order_id,
            refund_id=refund.pk, amount=str(chosen), currency=order.currency,
        )
    )  # fmt: skip
    return refund


@transaction.atomic
def remove_refund(*, refund_id: UUID) -> None:
    """Take back the record of a refund in part that was never made. Raises NotFound; Conflict where it ended the order
    or moved pieces."""
    context.describe("orders.remove_refund")
    refund = Refund.objects.filter(pk=refund_id).first()
    if refund is None:
        raise NotFound("There is no such refund.")
    held = holding.hold(refund.order_id)
    order = held.order
    if why := why_it_stays(refund, order):
        raise Conflict(why)
    refund.delete()
    order.refunded_total -= refund.amount
    if not order.refunded_total:
        order.payment_status = PaymentStatus.PAID
        set_flags(order, remove=[Flag.PARTIALLY_REFUNDED])
    held.finish()


def why_it_stays(refund: Refund, order: Order) -> str:
    """Answer why a refund can't be taken back; empty if it can."""
    if order.status == Status.REFUNDED:
        return "It ended the order, and a refunded order stays refunded."
    if refund.lines:
        return "Pieces were taken off the order or put back with it."
    return ""


def _check(held: Held, chosen: Decimal, left: Decimal, reason: str, pieces: Sequence[tuple[UUID, int]]) -> None:
    order = held.order
    errors: dict[str, list[str]] = {}
    if order.status == Status.NEW:
        raise Conflict("Nothing of it is cleared yet. Cancel the order, or set it to pending first.")
    if left <= 0:
        raise Conflict("Everything of this order was given back already.")
    if not chosen.is_finite() or not 0 < chosen <= left or chosen != chosen.quantize(Decimal("0.01")):
        errors["/amount"] = [f"Between 0.01 and {left} {order.currency}, with two decimals."]
    if len(reason) > REASON_LENGTH or "\x00" in reason:
        errors["/reason"] = [f"At most {REASON_LENGTH} characters."]
    lines = {line.pk: line for line in held.lines}
    seen: set[UUID] = set()
    for index, (line_id, qty) in enumerate(pieces):
        line = lines.get(line_id)
        if line is None or line_id in seen:
            errors[f"/lines/{index}/line_id"] = ["This order has no such line, or it is named twice."]
            continue
        seen.add(line_id)
        most = line.qty_shipped - line.qty_restocked if order.has_left else line.qty_ordered
        if not 0 < qty <= most:
            errors[f"/lines/{index}/qty"] = [f"Between 1 and {most} pieces." if most else "Nothing of it is left."]
    if errors:
        raise Invalid(errors=errors)


def _take_pieces(
    held: Held, pieces: Sequence[tuple[UUID, int]], *, restock: bool, is_full: bool, now: datetime
) -> list[dict[str, Any]]:
    """Put pieces back, or take them off the order; answer what was done, as the refund keeps it."""
    order = held.order
    by_id = {line.pk: line for line in held.lines}
    wanted = [(by_id[line_id], qty) for line_id, qty in pieces]
    # All of the order's at once: ending it holds them too, and everybody holds lots in one order.
    holding.hold_stock(held.lines)
    if order.has_left:
        if restock and not wanted:
            wanted = [(line, line.qty_shipped - line.qty_restocked) for line in held.lines]
        if restock:
            holding.put_back(order, wanted, now=now)
    elif not is_full and order.status in lifecycle.PROMISED:
        for line, qty in wanted:
            take_off(held, line, qty)
        settle(order, held.lines, now=now)
    return [{"line_id": str(line.pk), "qty": qty, "restocked": restock} for line, qty in wanted if qty]


def take_off(held: Held, line: OrderLine, qty: int) -> None:
    """Have fewer pieces of a line ordered: what is missing or short goes first. The channel still says what it said."""
    holding.want_fewer(line, qty)
    line.line_total = total_of(line, held.order.currency)
