"""Orders, as their seller sees them."""

import ipaddress
import sqlite3
from collections.abc import Mapping
from typing import Any

from sandbox.brickowl.boids import Boid, ids_of, name_of, slug, type_of
from sandbox.brickowl.call import Call, Endpoint, OwlError, fixed
from sandbox.brickowl.catalog import CONDITIONS
from sandbox.clock import iso, london
from sandbox.items import COLORED, items
from sandbox.market import orders, papers
from sandbox.market.lists import as_of, shortened
from sandbox.market.orders import Line, Order, grand_total
from sandbox.sellers import change_settings

STATUSES = (
    "Pending", "Payment Submitted", "Payment Received", "Processing", "Processed", "Shipped", "Received", "On Hold",
    "Cancelled",
)  # fmt: skip
_RECEIVED, _ON_HOLD, _CANCELLED = 6, 7, 8
_PROCESSED, _SHIPPED = 4, 5
_AFTER_HOLD = range(2, 6)
_DEFAULT_LIMIT, _MOST = 500, 5_000
_LONGEST_COMMENT = 120
_DONE = {"status": "success"}


def _seconds(at_ms: int | None) -> str | None:
    return None if not at_ms else str(at_ms // 1000)


def _updated_at(order: Order) -> int:
    return int(order.doc.get("updated_at", order.changed_at))


def _head(call: Call, order: Order) -> dict[str, Any]:
    is_fresh = order.status == "0" and call.world.switches["bo.fresh_totals"] == "null"
    return {
        "order_id": str(order.id),
        "order_date": _seconds(order.placed_at),
        "total_quantity": str(order.doc["total_count"]),
        "total_lots": str(order.doc["unique_count"]),
        "base_order_total": None if is_fresh else fixed(grand_total(order.cost), 2),
        "status": STATUSES[int(order.status)],
        "status_id": order.status,
        "base_currency": call.seller.currency,
        "url": f"https://www.brickowl.com/mystore/orders/view/{order.id}",
    }


def _list(call: Call) -> Any:
    limit, since = call.whole("limit", _DEFAULT_LIMIT), call.whole("order_time")
    kind, sort_by = call.word("list_type", "store"), call.word("sort_by", "created")
    if not 1 <= limit <= _MOST:
        raise OwlError("Invalid limit")
    if kind not in ("store", "customer") or sort_by not in ("created", "updated"):
        raise OwlError("Invalid list_type" if sort_by in ("created", "updated") else "Invalid sort_by")
    status = _status(call.word("status"))
    with call.world.state.reading() as reader:
        if kind == "customer":
            query = (
                "SELECT orders.* FROM orders JOIN sellers ON sellers.id = seller_id "
                "WHERE service = 'brickowl' AND buyer = ?"
            )
            found = [Order.of(row) for row in reader.execute(query, (call.seller.name,))]
        else:
            found = list(orders.each(reader, call.seller, as_of=as_of(call)))
    found = [
        order for order in found if order.placed_at // 1000 >= since and (status is None or order.status == status)
    ]
    found.sort(key=lambda order: (_updated_at(order) if sort_by == "updated" else order.placed_at, order.id))
    return [_head(call, order) for order in shortened(call.request, found[::-1][:limit])]


def _status(text: str) -> str | None:
    if not text:
        return None
    for number, name in enumerate(STATUSES):
        if text.lower() in (name.lower(), str(number)):
            return str(number)
    raise OwlError("Invalid status")


def _own(call: Call, connection: sqlite3.Connection) -> Order:
    call.needed("order_id")
    order = orders.get(connection, call.whole("order_id"))
    is_mine = order is not None and (order.seller_id == call.seller.id or order.buyer == call.seller.name)
    if order is None or not is_mine or (call.request.method == "POST" and order.seller_id != call.seller.id):
        raise OwlError("Order not found")
    return order


def _view(call: Call) -> Any:
    with call.world.state.reading() as reader:
        order = _own(call, reader)
        messages = len(papers.listed(reader, call.seller, "message", ref=order.id))
        rated = {paper.doc["from"] for paper in papers.listed(reader, call.seller, "feedback", ref=order.id)}
    doc, cost, buyer, head = order.doc, order.cost, order.doc["buyer"], _head(call, order)
    is_paid = doc["payment"]["paid_at"] is not None
    fee = round(cost["subtotal"] / 10_000 * 0.025, 5)
    total = fixed(grand_total(cost), 2)
    return {
        "order_id": head["order_id"], "order_time": head["order_date"], "updated_time": _seconds(_updated_at(order)),
        "processed_time": _seconds(doc["processed_at"]), "iso_order_time": london(order.placed_at),
        "iso_processed_time": london(doc["processed_at"] or 0), "store_id": str(order.seller_id),
        "ship_method_name": doc["shipping"]["name"], "ship_method_id": str(doc["shipping"]["id"]),
        "status": head["status"], "status_id": head["status_id"], "url": head["url"],
        "weight": fixed(doc["weight"] * 100, 3), "ship_total": fixed(cost["shipping"], 2),
        "buyer_note": doc["remarks"], "total_quantity": head["total_quantity"], "total_lots": head["total_lots"],
        "base_currency": call.seller.currency, "payment_method_type": "paypal_standard", "payment_method_note": "",
        "payment_currency": call.seller.currency, "payment_total": total,
        "payment_transaction_id": f"TX{order.id}" if is_paid else None, "base_order_total": head["base_order_total"],
        "sub_total": fixed(cost["subtotal"], 2), "coupon_discount": fixed(cost["coupon"], 2),
        "tax_rate": f"{doc['tax_percent']}.00", "tax_amount": fixed(cost["tax"], 2), "tax_scheme_id": None,
        "eu_duty": "0.00", "tracking_number": doc["shipping"]["tracking_number"],
        "tracking_advice": None, "buyer_name": f"{buyer['first']} {buyer['last']}", "combine_with": None,
        "refund_shipping": "0.00", "refund_eu_duty": "0.00", "refund_adjustment": "0.00", "refund_subtotal": "0.00",
        "refund_total": "0.00", "refund_note": None, "my_cost_total": 0, "affiliate_fee": 0, "brickowl_fee": fee,
        "seller_note": doc["note"], "customer_email": buyer["email"], "customer_user_id": str(buyer["id"]),
        "customer_username": order.buyer, "message_count": str(messages),
        "customer_feedback_left": order.buyer in rated, "store_feedback_left": call.seller.name in rated,
        "utm_source": None, "utm_medium": None, "notices": [],
        **_address("ship", buyer), **_address("billing", buyer), "ship_tax": "", "ship_collection_point": "",
    }  # fmt: skip


def _address(prefix: str, buyer: Mapping[str, Any]) -> dict[str, str]:
    values = {
        "first_name": buyer["first"], "last_name": buyer["last"], "country_code": _country(buyer["country"]),
        "country": buyer["country_name"], "post_code": buyer["postal_code"], "street_1": buyer["address1"],
        "street_2": buyer["address2"], "city": buyer["city"], "region": buyer["state"], "phone": buyer["phone"],
    }  # fmt: skip
    return {f"{prefix}_{name}": value for name, value in values.items()}


def _country(code: str) -> str:
    # Only BrickLink says UK.
    return "GB" if code == "UK" else code


def _items(call: Call) -> Any:
    with call.world.state.reading() as reader:
        order = _own(call, reader)
        is_customers = order.seller_id != call.seller.id
        return [_line(line, is_customers=is_customers) for line in orders.lines_of(reader, order.id)]


def _line(line: Line, *, is_customers: bool) -> dict[str, Any]:
    doc = line.doc
    item = items().by_no[doc["type"], doc["no"]]
    owl = items().colors[doc["color_id"]].owl_id if item.type in COLORED and doc["color_id"] else None
    boid = Boid(item, owl)
    external = None if is_customers else doc["external_id"]
    return {
        "image_small": f"//img.brickowl.com/files/image_cache/small/{slug(name_of(boid))}.png",
        "condition": CONDITIONS.get(doc["grade"], "Other"),
        "full_con": doc["grade"] or None,
        "name": name_of(boid),
        "type": type_of(item),
        "boid": boid.text,
        "personal_note": "" if is_customers else doc["remarks"],
        "bl_lot_id": external,
        "external_lot_ids": {"other": external} if external else [],
        "remaining_quantity": str(doc["left"]),
        "refunded_quantity": str(line.refunded),
        "weight": fixed(doc["weight"] * 100, 3),
        "public_note": doc["description"],
        "ordered_quantity": str(line.quantity),
        "order_item_id": str(line.id),
        "base_price": fixed(doc["final_price"], 3),
        "color_name": boid.color.owl_name if boid.color else "",
        "color_id": str(owl or 0),
        "lot_id": str(line.lot_id),
        "ids": ids_of(boid),
    }


def _set_status(call: Call) -> Any:
    call.needed("status_id")
    wanted = call.whole("status_id")
    with call.world.state.changing() as writer:
        order = _own(call, writer)
        if not _may(int(order.status), wanted):
            raise OwlError(f"Unable to change the status from {STATUSES[int(order.status)]}")
        changed: dict[str, Any] = {}
        if wanted in (_PROCESSED, _SHIPPED):
            changed["processed_at"] = order.doc["processed_at"] or call.now_ms
        if wanted == _SHIPPED:
            changed["shipped_at"] = call.now_ms
        orders.change(call.world, writer, order, status=str(wanted), **changed)
    return dict(_DONE)


def _may(status: int, wanted: int) -> bool:
    """Tell whether a seller may go from one status to another: only forwards, or on hold and on from there."""
    if not 1 <= wanted <= _ON_HOLD or status in (_RECEIVED, _CANCELLED):
        return False
    if status == _ON_HOLD:
        return wanted in _AFTER_HOLD
    return wanted > status


def _tracking(call: Call) -> Any:
    with call.world.state.changing() as writer:
        order = _own(call, writer)
        shipping = {**order.doc["shipping"], "tracking_number": call.needed("tracking_id")}
        orders.change(call.world, writer, order, shipping=shipping)
    return dict(_DONE)


def _note(call: Call) -> Any:
    if "note" not in call.arguments:
        raise OwlError("Missing argument note")
    with call.world.state.changing() as writer:
        orders.change(call.world, writer, _own(call, writer), note=call.word("note") or None)
    return dict(_DONE)


def _feedback(call: Call) -> Any:
    call.needed("rating")
    rating, comment = call.whole("rating"), call.word("comment")
    if rating not in (-1, 0, 1) or len(comment) > _LONGEST_COMMENT:
        raise OwlError("Invalid rating" if len(comment) <= _LONGEST_COMMENT else "Invalid comment")
    with call.world.state.changing() as writer:
        order = _own(call, writer)
        known = papers.listed(writer, call.seller, "feedback", ref=order.id)
        if any(paper.doc["from"] == call.seller.name for paper in known):
            raise OwlError("Feedback has already been left")
        doc = {"order_id": order.id, "from": call.seller.name, "to": order.buyer, "rating": rating, "comment": comment,
               "date_rated": iso(call.now_ms)}  # fmt: skip
        papers.write(writer, call.seller, "feedback", doc, at=call.now_ms, ref=order.id)
    return dict(_DONE)


def _notify(call: Call) -> Any:
    address = call.word("ip").strip()
    if address:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise OwlError("Invalid ip") from None
    change_settings(call.world, call.seller.id, {"notify_ip": address})
    return dict(_DONE)


def _tax_schemes(call: Call) -> Any:
    return [{"tax_scheme_id": "1", "name": "VAT", "country": call.seller.country, "rate": "21.00"}]


ENDPOINTS: Mapping[str, Endpoint] = {
    "order/list": Endpoint("GET", _list, "orders"),
    "order/view": Endpoint("GET", _view, "orders"),
    "order/items": Endpoint("GET", _items, "orders"),
    "order/tax_schemes": Endpoint("GET", _tax_schemes, "orders"),
    "order/set_status": Endpoint("POST", _set_status, "orders"),
    "order/tracking": Endpoint("POST", _tracking, "orders"),
    "order/note": Endpoint("POST", _note, "orders"),
    "order/feedback": Endpoint("POST", _feedback, "orders"),
    "order/notify": Endpoint("POST", _notify, "orders"),
}
