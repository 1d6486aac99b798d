"""Buyers who order, pay, cancel, write and rate; and what a service does with orders by itself."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.clock import DAY_MS, iso, parsed
from sandbox.dice import Dice
from sandbox.market import events, generator, history, orders, papers
from sandbox.market.buyers import buyer
from sandbox.market.orders import Order, OrderError
from sandbox.sellers import Seller, World, find
from sandbox.steering.commands import ORDER, SELLER, CommandError, Route, Sent, Words, needed

_PURGED_AFTER_MS = 180 * DAY_MS
_COMPLETED_AFTER_MS = 30 * DAY_MS


def _described(connection: sqlite3.Connection, order: Order) -> dict[str, Any]:
    return {
        "id": order.id, "seller_id": order.seller_id, "status": order.status, "version": order.version,
        "placed_at": iso(order.placed_at), "changed_at": iso(order.changed_at), "buyer": order.doc["buyer"],
        "cost": {**order.cost, "total": orders.grand_total(order.cost)}, "payment": order.doc["payment"],
        "lines": [
            {"id": line.id, "batch": line.batch, "lot_id": line.lot_id, "quantity": line.quantity, **line.doc}
            for line in orders.lines_of(connection, order.id)
        ],
    }  # fmt: skip


def _place(world: World, found: Words, sent: Sent) -> Any:
    """Have a buyer order: `lines` of lots and quantities, or of `lots` so many by chance; or `generate` a history."""
    with world.state.changing() as writer:
        seller = find(writer, int(found["seller"]))
        if "generate" in sent:
            until = parsed(str(sent["until"])) if sent.get("until") else generator.FIXED_DAY_MS
            made = history.make(
                world, writer, seller, seed=int(sent.get("seed", 1)), count=int(sent["generate"]),
                days=int(sent.get("days", 200)), until_ms=until,
            )  # fmt: skip
            return {"count": made}
        who = sent.get("buyer", 1)
        known = {**buyer(int(who.get("number", 1)) if isinstance(who, dict) else int(who))}
        known |= who if isinstance(who, dict) else {}
        wanted = _wanted(writer, seller, sent, world.state.next("pick"))
        order = orders.place(world, writer, seller, wanted=wanted, buyer=known, options=sent.get("options"))
        if status := sent.get("status"):
            if status == orders.PAID[seller.service]:
                order = orders.pay(world, writer, seller, order)
            order = orders.change(world, writer, order, status=str(status))
        events.tell(world, writer, seller, "placed", order.id, version=order.version)
        return _described(writer, order)


def _wanted(writer: sqlite3.Connection, seller: Seller, sent: Sent, number: int) -> list[tuple[int, int]]:
    if "lines" in sent:
        return [(int(line["lot_id"]), int(line.get("quantity", 1))) for line in sent["lines"]]
    rows = writer.execute(
        "SELECT id, quantity, bulk FROM lots WHERE seller_id = ? AND deleted_at IS NULL AND stockroom = '' "
        "AND is_for_sale = 1 AND quantity >= bulk ORDER BY id",
        (seller.id,),
    ).fetchall()
    dice, picked = Dice("pick", seller.id, number), {}
    for _ in range(int(sent.get("lots", 3))):
        if rows:
            row = dice.one(rows)
            picked[row["id"]] = dice.between(1, min(4, row["quantity"] // row["bulk"])) * row["bulk"]
    if not picked:
        raise OrderError("the store has nothing for sale")
    return list(picked.items())


def _buyer(world: World, found: Words, sent: Sent) -> Any:
    """Have the buyer do something with an order."""
    action = str(needed(sent, "action"))
    if action not in _ACTIONS:
        raise CommandError(f"'action' is one of {', '.join(_ACTIONS)}")
    with world.state.changing() as writer:
        order, seller = _order(writer, found)
        changed = _ACTIONS[action](world, writer, seller, order, sent)
        event = action if action in ("message", "feedback") else "items" if action == "change_items" else "buyer"
        if changed.status == orders.CANCELLED[seller.service]:
            event = "cancelled"
        events.tell(world, writer, seller, event, order.id, version=changed.version)
        return _described(writer, changed)


def _order(connection: sqlite3.Connection, found: Words) -> tuple[Order, Seller]:
    order = orders.get(connection, int(found["order"]))
    if order is None:
        raise LookupError(f"order {found['order']}")
    return order, find(connection, order.seller_id)


def _pay(world: World, writer: sqlite3.Connection, seller: Seller, order: Order, sent: Sent) -> Order:
    default = "COMPLETED" if seller.service == "brikick" else "Received"
    return orders.pay(world, writer, seller, order, status=str(sent.get("payment_status", default)))


def _cancel(world: World, writer: sqlite3.Connection, seller: Seller, order: Order, sent: Sent) -> Order:
    if order.status == orders.CANCELLED[seller.service]:
        raise OrderError("the order is cancelled already")
    if seller.service == "brickowl":
        default = world.switches["bo.cancel_restocks"] == "yes"
    else:
        default = bool(seller.settings["restock"])
    return orders.cancel(world, writer, seller, order, restock=bool(sent.get("restock", default)))


def _request_cancel(world: World, writer: sqlite3.Connection, seller: Seller, order: Order, _sent: Sent) -> Order:
    if seller.service != "bricklink":
        raise OrderError("only BrickLink has requests to cancel")
    return orders.change(world, writer, order, status="OCR")


def _receive(world: World, writer: sqlite3.Connection, seller: Seller, order: Order, _sent: Sent) -> Order:
    return orders.change(world, writer, order, status=orders.RECEIVED[seller.service])


def _message(world: World, writer: sqlite3.Connection, seller: Seller, order: Order, sent: Sent) -> Order:
    now_ms = world.clock.now_ms()
    doc = {"body": str(needed(sent, "body")), "from": order.buyer, "to": seller.name, "dateSent": iso(now_ms)}
    if sent.get("subject"):
        doc = {"subject": str(sent["subject"]), **doc}
    papers.write(writer, seller, "message", doc, at=now_ms, ref=order.id)
    return order


def _feedback(world: World, writer: sqlite3.Connection, seller: Seller, order: Order, sent: Sent) -> Order:
    rating, comment = int(sent.get("rating", 0)), str(sent.get("comment", "Fast & safe"))
    history.feedback(writer, seller, order, rating=rating, at=world.clock.now_ms(), comment=comment)
    return order


def _change_items(world: World, writer: sqlite3.Connection, seller: Seller, order: Order, sent: Sent) -> Order:
    wanted = [(int(line["lot_id"]), int(line.get("quantity", 1))) for line in needed(sent, "lines")]
    return orders.add_batch(world, writer, seller, order, wanted)


_ACTIONS: Mapping[str, Any] = {
    "pay": _pay, "cancel": _cancel, "request_cancel": _request_cancel, "receive": _receive, "message": _message,
    "feedback": _feedback, "change_items": _change_items,
}  # fmt: skip


def _advance(world: World, found: Words, sent: Sent) -> Any:
    """Have the service do its own step: to `status`, or what the clock says is due."""
    with world.state.changing() as writer:
        order, seller = _order(writer, found)
        status = str(sent["status"]) if "status" in sent else _due(world, seller, order)
        if status:
            order = orders.change(world, writer, order, status=status)
            events.tell(world, writer, seller, "changed", order.id, version=order.version)
        return _described(writer, order)


def _advance_all(world: World, _found: Words, _sent: Sent) -> Any:
    """Have every service do what the clock says is due."""
    changed = 0
    with world.state.changing() as writer:
        for row in writer.execute("SELECT * FROM orders ORDER BY id").fetchall():
            order = Order.of(row)
            seller = find(writer, order.seller_id)
            if (status := _due(world, seller, order)) and status != order.status:
                orders.change(world, writer, order, status=status)
                changed += 1
    return {"count": changed}


def _due(world: World, seller: Seller, order: Order) -> str:
    age = world.clock.now_ms() - order.placed_at
    if seller.service == "bricklink":
        if age > _PURGED_AFTER_MS:
            return "PURGED"
        return "COMPLETED" if order.status in ("SHIPPED", "RECEIVED") and age > _COMPLETED_AFTER_MS else ""
    if seller.service == "brikick":
        return "COMPLETED" if order.status == "DELIVERED" and age > _COMPLETED_AFTER_MS else ""
    return "6" if order.status == "5" and age > _COMPLETED_AFTER_MS else ""


def _one(world: World, found: Words, _sent: Sent) -> Any:
    with world.state.reading() as reader:
        return _described(reader, _order(reader, found)[0])


ROUTES: Sequence[Route] = (
    ("POST", f"{SELLER}/orders", _place),
    ("POST", "/orders/advance", _advance_all),
    ("GET", ORDER, _one),
    ("POST", f"{ORDER}/buyer", _buyer),
    ("POST", f"{ORDER}/advance", _advance),
)
