"""Orders, as their seller sees them."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sandbox.bricklink.call import Call, Handler
from sandbox.bricklink.catalog import color_name
from sandbox.bricklink.envelope import Answer, Refusal, entities, money, nothing
from sandbox.bricklink.fields import amount
from sandbox.bricklink.inventories import chosen
from sandbox.clock import iso, parsed
from sandbox.market import orders, papers
from sandbox.market.buyers import full_address
from sandbox.market.lists import as_of, shortened
from sandbox.market.orders import Line, Order, grand_total
from sandbox.sellers import find

FREE = ("PENDING", "UPDATED", "PROCESSING", "READY", "PAID", "PACKED", "SHIPPED", "RECEIVED", "COMPLETED")
STATUSES = (*FREE, "OCR", "NPB", "NPX", "NRS", "NSS", "CANCELLED", "PURGED")
_FINAL = ("COMPLETED", "CANCELLED", "PURGED")
PAYMENTS = ("None", "Sent", "Received", "Clearing", "Returned", "Bounced", "Completed")
_UNPAID = ("None", "Returned", "Bounced")
_COSTS = ("shipping", "insurance", "credit", "etc1", "etc2")
_Row = dict[str, Any]


def _head(call: Call, order: Order) -> _Row:
    payment: _Row = {"method": order.doc["payment"]["method"], "currency_code": call.seller.currency}
    if order.doc["payment"]["paid_at"]:
        payment["date_paid"] = iso(order.doc["payment"]["paid_at"])
    payment["status"] = order.doc["payment"]["status"]
    is_bricklinks = order.doc["tax_by"] == "site" and order.cost["tax"] > 0
    return {
        "order_id": order.id,
        "date_ordered": iso(order.placed_at),
        "date_status_changed": iso(order.changed_at),
        "seller_name": call.seller.name,
        "store_name": call.seller.store,
        "buyer_name": order.buyer,
        "status": order.status,
        "total_count": order.doc["total_count"],
        "unique_count": order.doc["unique_count"],
        "is_filed": order.doc["is_filed"],
        "salesTax_collected_by_bl": is_bricklinks and order.doc["buyer"]["country"] == "US",
        "vat_collected_by_bl": is_bricklinks and order.doc["buyer"]["country"] != "US",
        "payment": payment,
    }


def _totals(call: Call, order: Order, *, is_shown: bool) -> _Row:
    """Answer the sums. `is_shown`: as the reader sees them, totals in cents."""
    total = grand_total(order.cost)
    final = total - (order.cost["tax"] if order.doc["tax_by"] == "site" else 0)
    if is_shown:
        total, final = (-(-each // 100) * 100 for each in (total, final))
    return {
        "currency_code": call.seller.currency,
        "subtotal": money(order.cost["subtotal"]),
        "grand_total": money(total),
        "final_total": money(final),
    }


def _summary(call: Call, order: Order) -> _Row:
    return {
        **_head(call, order),
        "cost": _totals(call, order, is_shown=False),
        "disp_cost": _totals(call, order, is_shown=True),
    }


def _cost(call: Call, order: Order, *, is_shown: bool) -> _Row:
    totals, cost = _totals(call, order, is_shown=is_shown), order.cost
    is_sales_tax = order.doc["tax_by"] == "site" and order.doc["buyer"]["country"] == "US"
    row = {"currency_code": totals["currency_code"], "subtotal": totals["subtotal"]}
    row["grand_total"] = totals["grand_total"]
    row |= {name: money(cost[name]) for name in ("etc1", "etc2", "insurance", "shipping", "credit", "coupon")}
    if not is_shown:
        row[call.world.switches["bl.sales_tax_name"]] = money(cost["tax"] if is_sales_tax else 0)
    return row | {
        "final_total": totals["final_total"],
        "vat_rate": f"{0 if is_sales_tax else order.doc['tax_percent']}.00",
        "vat_amount": money(0 if is_sales_tax else cost["tax"]),
    }


def _weight(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}" if hundredths else "0"


def _detail(call: Call, connection: sqlite3.Connection, order: Order) -> _Row:
    head, buyer = _head(call, order), order.doc["buyer"]
    count = connection.execute(
        "SELECT count(*) FROM orders WHERE seller_id = ? AND buyer = ? AND id <= ?",
        (call.seller.id, order.buyer, order.id),
    ).fetchone()[0]
    row: _Row = {name: head[name] for name in list(head)[:6]}
    row |= {
        "buyer_email": buyer["email"],
        "require_insurance": order.doc["insurance"],
        "status": order.status,
        "is_invoiced": order.doc["is_invoiced"],
    }
    if order.doc["remarks"]:
        row["remarks"] = entities(order.doc["remarks"])
    row |= {
        "total_count": order.doc["total_count"],
        "unique_count": order.doc["unique_count"],
        "total_weight": _weight(order.doc["weight"]),
        "buyer_order_count": count,
        "is_filed": order.doc["is_filed"],
        "drive_thru_sent": order.doc["has_drive_thru"],
        "salesTax_collected_by_bl": head["salesTax_collected_by_bl"],
        "vat_collected_by_bl": head["vat_collected_by_bl"],
        "payment": head["payment"],
        "shipping": _shipping(order),
        "cost": _cost(call, order, is_shown=False),
        "disp_cost": _cost(call, order, is_shown=True),
    }
    return row


def _shipping(order: Order) -> _Row:
    shipping, buyer = order.doc["shipping"], order.doc["buyer"]
    row: _Row = {}
    if shipping["id"]:
        row["method_id"] = shipping["id"]
    row["method"] = shipping["name"]
    for name, value in (
        ("tracking_no", shipping["tracking_number"]),
        ("tracking_link", shipping["tracking_url"]),
        ("date_shipped", shipping["shipped_at"] and iso(shipping["shipped_at"])),
    ):
        if value:
            row[name] = value
    address: _Row = {
        "name": {"full": entities(f"{buyer['first']} {buyer['last']}")},
        "full": entities(full_address(buyer)),
        "country_code": buyer["country"],
    }
    if not buyer["is_partial"]:
        address["name"] |= {"first": entities(buyer["first"]), "last": entities(buyer["last"])}
        address |= {name: entities(buyer[name]) for name in ("address1", "address2", "city", "state", "postal_code")}
        if buyer["phone"]:
            address["phone_number"] = buyer["phone"]
    row["address"] = address
    return row


def _item(call: Call, line: Line, *, is_buyers: bool) -> _Row:
    doc, currency = line.doc, call.seller.currency
    row: _Row = {
        "inventory_id": line.lot_id,
        "item": {
            "no": doc["no"], "name": entities(doc["name"]), "type": doc["type"], "category_id": doc["category_id"],
        },
        "color_id": doc["color_id"],
        "color_name": color_name(doc["color_id"]),
        "quantity": line.quantity,
        "new_or_used": doc["condition"],
    }  # fmt: skip
    if doc["type"] == "SET":
        row["completeness"] = doc["completeness"]
    unit, final = money(doc["unit_price"]), money(doc["final_price"])
    return row | {
        "unit_price": unit,
        "description": entities(doc["description"]),
        "remarks": "" if is_buyers else entities(doc["remarks"]),
        "disp_unit_price": unit,
        "disp_unit_price_final": final,
        "unit_price_final": final,
        "order_cost": "0.0000",
        "currency_code": currency,
        "disp_currency_code": currency,
        "weight": _weight(doc["weight"]),
    }


def _numbered(call: Call, connection: sqlite3.Connection) -> Order:
    text = call.found["number"]
    order = orders.get(connection, int(text)) if text.isascii() and text.isdigit() and len(text) < 16 else None  # noqa: PLR2004  # digits
    if order is None:
        raise Refusal.unknown(f"order_id: {text}")
    return order


def _own(call: Call, connection: sqlite3.Connection) -> Order:
    """Answer an order that was placed with the seller who asks."""
    order = _numbered(call, connection)
    if order.seller_id != call.seller.id:
        raise Refusal.forbidden(f"order_id: {order.id}")
    return order


def _seen(call: Call, connection: sqlite3.Connection) -> tuple[Order, Call]:
    """Answer an order that the seller who asks received or placed, and the call as its seller's."""
    order = _numbered(call, connection)
    if order.seller_id == call.seller.id:
        return order, call
    if order.buyer != call.seller.name:
        raise Refusal.forbidden(f"order_id: {order.id}")
    return order, replace(call, seller=find(connection, order.seller_id))


def _list(call: Call) -> Answer:
    direction = call.word("direction", "in").lower()
    if direction not in ("in", "out"):
        raise Refusal.parameter(f"direction: {direction}")
    is_wanted = chosen(call.word("status"), STATUSES.__contains__, "status")
    is_filed = call.flag("filed")
    with call.world.state.reading() as reader:
        if direction == "out":
            placed = reader.execute("SELECT * FROM orders WHERE buyer = ? ORDER BY id", (call.seller.name,))
            found = [Order.of(row) for row in placed]
            sellers = {order.seller_id: find(reader, order.seller_id) for order in found}
        else:
            found, sellers = list(orders.each(reader, call.seller, as_of=as_of(call))), {call.seller.id: call.seller}
    rows = [
        _summary(replace(call, seller=sellers[order.seller_id]), order)
        for order in shortened(call.request, found)
        if is_wanted(order.status) and order.doc["is_filed"] == is_filed
    ]
    return Answer(rows)


def _one(call: Call) -> Answer:
    with call.world.state.reading() as reader:
        order, theirs = _seen(call, reader)
        return Answer(_detail(theirs, reader, order))


def _items(call: Call) -> Answer:
    with call.world.state.reading() as reader:
        order, theirs = _seen(call, reader)
        if order.status == "PURGED":
            if call.world.switches["bl.purged_items"] == "404":
                raise Refusal.unknown(f"order_id: {order.id}")
            return Answer([])
        batches: dict[int, list[_Row]] = {}
        for line in orders.lines_of(reader, order.id):
            batches.setdefault(line.batch, []).append(_item(theirs, line, is_buyers=theirs is not call))
    return Answer(list(batches.values()))


def _messages(call: Call) -> Answer:
    with call.world.state.reading() as reader:
        order, theirs = _seen(call, reader)
        return Answer([paper.doc for paper in papers.listed(reader, theirs.seller, "message", ref=order.id)])


def _feedback(call: Call) -> Answer:
    with call.world.state.reading() as reader:
        order, theirs = _seen(call, reader)
        found = papers.listed(reader, theirs.seller, "feedback", ref=order.id)
        return Answer([{"feedback_id": paper.id, **paper.doc} for paper in found])


def _update(call: Call) -> Answer:
    sent = call.body()
    if not isinstance(sent, dict):
        raise Refusal.parameter("order: expected an object")
    with call.world.state.changing() as writer:
        order = _own(call, writer)
        values: _Row = {}
        if "is_filed" in sent:
            if not isinstance(sent["is_filed"], bool):
                raise Refusal.parameter(f"is_filed: {sent['is_filed']}")
            values["is_filed"] = sent["is_filed"]
        if "remarks" in sent:
            values["remarks"] = str(sent["remarks"] or "")
        shipping = sent.get("shipping", {})
        cost = sent.get("cost", {})
        if not isinstance(shipping, dict) or not isinstance(cost, dict):
            raise Refusal.parameter("shipping, cost: expected objects")
        values["shipping"] = {**order.doc["shipping"], **_sent_shipping(shipping)}
        wanted = {name: amount(f"cost.{name}", cost[name]) for name in _COSTS if name in cost}
        if wanted and order.doc["payment"]["status"] in _UNPAID:
            order = orders.recount(call.world, writer, call.seller, order, wanted)
        order = orders.change(call.world, writer, order, **values)
        return Answer(_detail(call, writer, order))


def _sent_shipping(sent: Mapping[str, Any]) -> _Row:
    found: _Row = {}
    if "date_shipped" in sent:
        try:
            found["shipped_at"] = parsed(str(sent["date_shipped"]))
        except ValueError:
            raise Refusal.parameter(f"shipping.date_shipped: {sent['date_shipped']}") from None
    for name, target in (("tracking_no", "tracking_number"), ("tracking_link", "tracking_url")):
        if name in sent:
            found[target] = str(sent[name] or "") or None
    if "method_id" in sent:
        if isinstance(sent["method_id"], bool) or not isinstance(sent["method_id"], int):
            raise Refusal.parameter(f"shipping.method_id: {sent['method_id']}")
        found["id"] = sent["method_id"]
    return found


def _value(call: Call, field: str, known: Sequence[str]) -> str:
    sent = call.body()
    if not isinstance(sent, dict) or sent.get("field") != field:
        raise Refusal.parameter("field: " + str(sent.get("field") if isinstance(sent, dict) else sent))
    value = next((each for each in known if each.lower() == str(sent.get("value", "")).lower()), None)
    if value is None:
        raise Refusal.parameter(f"value: {sent.get('value')}")
    return value


def _set_status(call: Call) -> Answer:
    status = _value(call, "status", STATUSES)
    with call.world.state.changing() as writer:
        order = _own(call, writer)
        if status not in FREE or order.status not in FREE or order.status in _FINAL:
            description = f"NOT_IN_UPDATABLE_STATUS: from {order.status} to {status}"
            raise Refusal(422, "RESOURCE_UPDATE_NOT_ALLOWED", description)
        orders.change(call.world, writer, order, status=status)
    return nothing()


def _set_payment(call: Call) -> Answer:
    status = _value(call, "payment_status", PAYMENTS)
    with call.world.state.changing() as writer:
        order = _own(call, writer)
        if order.status in ("CANCELLED", "PURGED"):
            raise Refusal(422, "RESOURCE_UPDATE_NOT_ALLOWED", f"NOT_IN_UPDATABLE_STATUS: {order.status}")
        payment = {**order.doc["payment"], "status": status}
        if status in ("Received", "Completed"):
            payment["paid_at"] = payment["paid_at"] or call.now_ms
        elif status in _UNPAID:
            payment["paid_at"] = None
        orders.change(call.world, writer, order, payment=payment)
    return nothing()


def _drive_thru(call: Call) -> Answer:
    call.flag("mail_me")
    with call.world.state.changing() as writer:
        orders.change(call.world, writer, _own(call, writer), has_drive_thru=True)
    return nothing()


_ORDER = r"/orders/(?P<number>[^/]+)"
ROUTES: Sequence[tuple[str, str, Handler]] = (
    ("GET", "/orders", _list),
    ("GET", _ORDER, _one),
    ("PUT", _ORDER, _update),
    ("GET", f"{_ORDER}/items", _items),
    ("GET", f"{_ORDER}/messages", _messages),
    ("GET", f"{_ORDER}/feedback", _feedback),
    ("PUT", f"{_ORDER}/status", _set_status),
    ("PUT", f"{_ORDER}/payment_status", _set_payment),
    ("POST", f"{_ORDER}/drive_thru", _drive_thru),
)
