"""Orders, as their seller sees them."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.brikick.call import LETTERS, Answer, BrikickError, Call, Route, amount, checked, one_of, text_of, whole
from sandbox.brikick.fields import money
from sandbox.clock import iso, parsed
from sandbox.items import COLORED
from sandbox.market import orders
from sandbox.market.orders import Line, Order, grand_total

STATUSES = (
    "PENDING", "PENDING_APPROVAL", "PAID", "PROCESSING", "SHIPPED", "DELIVERED", "COMPLETED", "CANCELLED", "REFUNDED",
    "DISPUTED",
)  # fmt: skip
# What the seller may set from where.
_MAY: Mapping[str, Sequence[str]] = {
    "PENDING": ("CANCELLED",), "PAID": ("PROCESSING", "SHIPPED", "CANCELLED"), "PROCESSING": ("SHIPPED", "CANCELLED"),
    "SHIPPED": ("DELIVERED",),
}  # fmt: skip
_PAYMENTS = {"None": "PENDING", "Received": "COMPLETED"}
_UPDATED = "max(changed_at, coalesce(json_extract(doc, '$.updated_at'), 0))"


def order_row(connection: sqlite3.Connection, order: Order, currency: str) -> dict[str, Any]:
    """Answer an order with its lines."""
    doc, cost, buyer = order.doc, order.cost, order.doc["buyer"]
    updated = max(order.changed_at, doc.get("updated_at", 0))
    name = f"{buyer['first']} {buyer['last']}"
    return {
        "id": order.id, "version": order.version, "order_number": f"BK-{order.id}", "status": order.status,
        "placed_at": iso(order.placed_at), "updated_at": iso(updated), "paid_at": _time(doc["paid_at"]),
        "shipped_at": _time(doc["shipped_at"]),
        "buyer": {"id": buyer["id"], "username": order.buyer, "name": name, "email": buyer["email"]},
        "ship_to": {
            "name": name, **{field: buyer[field] for field in ("address1", "address2", "city", "state", "postal_code")},
            "country": "GB" if buyer["country"] == "UK" else buyer["country"], "phone": buyer["phone"] or None,
        },
        "currency": currency, "items_total": money(cost["subtotal"], 2), "shipping_cost": money(cost["shipping"], 2),
        "insurance_cost": money(cost["insurance"], 2), "tax_amount": money(cost["tax"], 2),
        "discount_amount": money(cost["coupon"] + cost["credit"], 2), "grand_total": money(grand_total(cost), 2),
        "payment_status": _PAYMENTS.get(doc["payment"]["status"], doc["payment"]["status"]),
        "shipping_method": doc["shipping"]["name"], "tracking_number": doc["shipping"]["tracking_number"],
        "tracking_url": doc["shipping"]["tracking_url"], "note": doc["note"],
        "lines": [_line(line) for line in orders.lines_of(connection, order.id)],
    }  # fmt: skip


def _time(at_ms: int | None) -> str | None:
    return iso(at_ms) if at_ms else None


def _line(line: Line) -> dict[str, Any]:
    doc = line.doc
    return {
        "id": line.id, "lot_id": line.lot_id, "external_id": doc["external_id"], "item_type": LETTERS[doc["type"]],
        "item_no": doc["no"], "item_name": doc["name"],
        "color_id": doc["color_id"] if doc["type"] in COLORED and doc["color_id"] else None,
        "condition": doc["condition"], "completeness": doc["completeness"] or None, "description": doc["description"],
        "remarks": doc["remarks"], "quantity": line.quantity, "unit_price": money(doc["final_price"]),
        "line_total": money(line.total, 2), "refunded_quantity": line.refunded,
    }  # fmt: skip


def _list(call: Call) -> Answer:
    since, wanted = call.since(), [part for part in call.request.word("status").split(",") if part]
    for status in wanted:
        one_of("status", status, STATUSES)
    where, values = ["seller_id = ?"], [call.seller.id, *wanted]
    if wanted:
        where.append(f"status IN ({', '.join('?' * len(wanted))})")
    if since is not None:
        where.append(f"{_UPDATED} >= ?")
        values.append(since)
    statement = f"SELECT * FROM orders WHERE {' AND '.join(where)} AND id > ? ORDER BY id"  # noqa: S608  # our names
    with call.world.state.reading() as reader:
        return call.page(
            lambda after: (statement, (*values, after)),
            lambda row: order_row(reader, Order.of(row), call.seller.currency),
        )


def _own(call: Call, connection: sqlite3.Connection) -> Order:
    order = orders.get(connection, call.number("order"))
    if order is None or order.seller_id != call.seller.id:
        raise BrikickError.missing(f"order {call.found['order']}")
    if call.request.method != "GET":
        call.check_version(order.version)
    return order


def _shown(call: Call, connection: sqlite3.Connection, order: Order) -> Answer:
    return Answer(order_row(connection, order, call.seller.currency), version=order.version)


def _one(call: Call) -> Answer:
    with call.world.state.reading() as reader:
        return _shown(call, reader, _own(call, reader))


def _set_status(call: Call) -> Answer:
    sent = call.body(("status", "reason", "restock"), ("status",))
    status = one_of("status", sent["status"], STATUSES)
    restock = one_of("restock", sent.get("restock", True), (True, False))
    text_of("reason", sent.get("reason"))
    with call.world.state.changing() as writer:
        order = _own(call, writer)
        if status not in _MAY.get(order.status, ()):
            details = {"from": order.status, "to": status}
            raise BrikickError(409, "invalid_transition", f"{order.status} can't become {status}", details)
        if status == "CANCELLED":
            order = orders.cancel(call.world, writer, call.seller, order, restock=restock)
        else:
            shipped: dict[str, Any] = (
                {"shipped_at": order.doc["shipped_at"] or call.now_ms} if status == "SHIPPED" else {}
            )
            order = orders.change(call.world, writer, order, status=status, **shipped)
        return _shown(call, writer, order)


def _track(call: Call) -> Answer:
    sent = call.body(("carrier", "tracking_number", "tracking_url", "shipped_at"), ("tracking_number",))
    values: dict[str, Any] = {
        "carrier": text_of("carrier", sent.get("carrier")) or None,
        "tracking_number": text_of("tracking_number", sent["tracking_number"], longest=100),
        "tracking_url": text_of("tracking_url", sent.get("tracking_url")) or None,
    }
    try:
        shipped_at = parsed(str(sent["shipped_at"])) if sent.get("shipped_at") else None
    except ValueError:
        raise BrikickError.invalid("shipped_at", "is not a time") from None
    with call.world.state.changing() as writer:
        order = _own(call, writer)
        shipping = {**order.doc["shipping"], **values}
        changed: dict[str, Any] = {"shipping": shipping, **({"shipped_at": shipped_at} if shipped_at else {})}
        return _shown(call, writer, orders.change(call.world, writer, order, **changed))


def _refund(call: Call) -> Answer:
    sent = call.body(("amount", "reason_code", "lines"), ("amount", "reason_code"))
    wanted = amount("amount", sent["amount"])
    text_of("reason_code", sent["reason_code"], longest=40)
    lines = sent.get("lines") or []
    if not isinstance(lines, list):
        raise BrikickError.invalid("lines", "is a list")
    with call.world.state.changing() as writer:
        order = _own(call, writer)
        refunded = int(order.doc.get("refunded", 0)) + wanted
        if refunded > grand_total(order.cost) or not order.doc["paid_at"]:
            raise BrikickError.invalid("amount", "is more than was paid")
        known = {line.id: line for line in orders.lines_of(writer, order.id)}
        for row in lines:
            given = checked(row, ("line_id", "quantity"), ("line_id", "quantity"))
            line = known.get(whole("line_id", given["line_id"], most=10**15))
            if line is None:
                raise BrikickError.invalid("lines", f"there is no line {given['line_id']}")
            quantity = whole("quantity", given["quantity"], least=1)
            if line.refunded + quantity > line.quantity:
                raise BrikickError.invalid("lines", f"line {line.id} has {line.quantity - line.refunded} left")
            writer.execute("UPDATE order_lines SET refunded = refunded + ? WHERE id = ?", (quantity, line.id))
            known[line.id] = orders.lines_of(writer, order.id)[list(known).index(line.id)]
        payment = dict(order.doc["payment"])
        if refunded == grand_total(order.cost):
            payment["status"] = "REFUNDED"
        order = orders.change(call.world, writer, order, refunded=refunded, payment=payment)
        return _shown(call, writer, order)


def _note(call: Call) -> Answer:
    sent = call.body(("note",))
    with call.world.state.changing() as writer:
        order = _own(call, writer)
        note = text_of("note", sent.get("note")) or None
        return _shown(call, writer, orders.change(call.world, writer, order, note=note))


_ORDER = r"/orders/(?P<order>\d+)"
ROUTES: Sequence[Route] = (
    Route("GET", "/orders", _list, "orders:read"),
    Route("GET", _ORDER, _one, "orders:read"),
    Route("POST", f"{_ORDER}/status", _set_status, "orders:write"),
    Route("POST", f"{_ORDER}/tracking", _track, "orders:write"),
    Route("POST", f"{_ORDER}/refunds", _refund, "orders:write"),
    Route("POST", f"{_ORDER}/note", _note, "orders:write"),
)
