"""BrickLink's orders: shapes, what a seller may set, what buyers do, and money that adds up."""

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from common.testing.sandbox import SandboxProcess
from tests.sandbox.clients import BrickLinkClient
from tests.sandbox.conftest import Store

FREE = ("PENDING", "UPDATED", "PROCESSING", "READY", "PAID", "PACKED", "SHIPPED", "RECEIVED", "COMPLETED")
SUMMARY = [
    "order_id", "date_ordered", "date_status_changed", "seller_name", "store_name", "buyer_name", "status",
    "total_count", "unique_count", "is_filed", "salesTax_collected_by_bl", "vat_collected_by_bl", "payment", "cost",
    "disp_cost",
]  # fmt: skip
DETAIL = [
    "order_id", "date_ordered", "date_status_changed", "seller_name", "store_name", "buyer_name", "buyer_email",
    "require_insurance", "status", "is_invoiced", "remarks", "total_count", "unique_count", "total_weight",
    "buyer_order_count", "is_filed", "drive_thru_sent", "salesTax_collected_by_bl", "vat_collected_by_bl", "payment",
    "shipping", "cost", "disp_cost",
]  # fmt: skip
COST = [
    "currency_code", "subtotal", "grand_total", "etc1", "etc2", "insurance", "shipping", "credit", "coupon",
    "salesTax_collected_by_BL", "final_total", "vat_rate", "vat_amount",
]  # fmt: skip
ITEM = [
    "inventory_id", "item", "color_id", "color_name", "quantity", "new_or_used", "unit_price", "description", "remarks",
    "disp_unit_price", "disp_unit_price_final", "unit_price_final", "order_cost", "currency_code", "disp_currency_code",
    "weight",
]  # fmt: skip


@pytest.fixture
def order(bricklink_store: Store) -> Any:
    part = bricklink_store.put(quantity=50, remarks="A-01")
    figure = bricklink_store.put(type="MINIFIG", no="cas019", color_id=0, price=15895, quantity=5)
    return bricklink_store.order((part, 12), (figure, 2), options={"remarks": "gift (please)"})


def test_answers_an_order_as_the_real_one_does(bricklink: BrickLinkClient, bricklink_store: Store, order: Any) -> None:
    (summary,) = bricklink.get("/orders")
    assert list(summary) == SUMMARY
    assert list(summary["cost"]) == ["currency_code", "subtotal", "grand_total", "final_total"]
    assert list(summary["payment"]) == ["method", "currency_code", "status"]
    detail = bricklink.get(f"/orders/{order['id']}")
    assert list(detail) == DETAIL
    assert list(detail["cost"]) == COST
    assert list(detail["disp_cost"]) == [name for name in COST if name != "salesTax_collected_by_BL"]
    assert isinstance(detail["order_id"], int)
    assert detail["remarks"] == "gift &#40;please&#41;"
    assert detail["cost"]["subtotal"] == "4.6190"
    assert (detail["total_count"], detail["unique_count"]) == (14, 2)
    assert {"method_id", "method", "address"} == set(detail["shipping"])
    bricklink_store.buyer(order["id"], "pay")
    paid = bricklink.get(f"/orders/{order['id']}")
    assert (paid["status"], paid["payment"]["status"], paid["is_invoiced"]) == ("PAID", "Received", True)
    assert list(paid["payment"]) == ["method", "currency_code", "date_paid", "status"]


def test_answers_items_by_batch(bricklink: BrickLinkClient, bricklink_store: Store, order: Any) -> None:
    batches = bricklink.get(f"/orders/{order['id']}/items")
    assert [len(batch) for batch in batches] == [2]
    assert list(batches[0][0]) == ITEM
    more = bricklink_store.put(type="SET", no="60239-1", color_id=0, completeness="S")
    bricklink_store.buyer(order["id"], "change_items", lines=[{"lot_id": more, "quantity": 1}])
    batches = bricklink.get(f"/orders/{order['id']}/items")
    assert [len(batch) for batch in batches] == [2, 1]
    assert batches[1][0]["completeness"] == "S"
    changed = bricklink.get(f"/orders/{order['id']}")
    assert (changed["status"], changed["total_count"], changed["unique_count"]) == ("UPDATED", 15, 3)


def check_sums(order: Any, batches: Any) -> None:
    lines = [line for batch in batches for line in batch]
    cost = {name: Decimal(value) for name, value in order["cost"].items() if name != "currency_code"}
    assert sum(Decimal(line["unit_price_final"]) * line["quantity"] for line in lines) == cost["subtotal"]
    weights = sum(Decimal(line["weight"]) * line["quantity"] for line in lines)
    assert Decimal(order["total_weight"]) in (weights, 0)
    plus = sum(cost[name] for name in ("subtotal", "shipping", "insurance", "etc1", "etc2", "vat_amount"))
    plus += cost["salesTax_collected_by_BL"]
    assert plus - cost["credit"] - cost["coupon"] == cost["grand_total"]
    collected = cost["salesTax_collected_by_BL"] + (cost["vat_amount"] if order["vat_collected_by_bl"] else 0)
    assert cost["grand_total"] - collected == cost["final_total"]
    shown = order["disp_cost"]["grand_total"]
    assert shown.endswith("00")
    assert 0 <= Decimal(shown) - cost["grand_total"] < Decimal("0.01")


@pytest.mark.parametrize("options", [
    {}, {"insurance": True}, {"coupon": 10_000}, {"tax_percent": 7, "tax_by": "site"}, {"tax_percent": 21},
])  # fmt: skip
@pytest.mark.parametrize("country", ["US", "DE"])
def test_adds_up(options: Any, country: str, bricklink: BrickLinkClient, bricklink_store: Store) -> None:
    tiers = {"tier_quantity1": 5, "tier_price1": 777, "tier_quantity2": 10, "tier_price2": 555}
    lots = [
        (bricklink_store.put(price=1234), 3), (bricklink_store.put(sale=15, price=999), 7),
        (bricklink_store.put(**tiers), 6), (bricklink_store.put(**tiers, sale=10), 10),
    ]  # fmt: skip
    placed = bricklink_store.order(*lots, options=options, buyer={"number": 3, "country": country})
    order = bricklink.get(f"/orders/{placed['id']}")
    items = bricklink.get(f"/orders/{placed['id']}/items")
    check_sums(order, items)
    assert [line["unit_price_final"] for line in items[0]] == ["0.1234", "0.0850", "0.0777", "0.0500"]


def test_takes_pieces_at_once_and_gives_them_back(bricklink: BrickLinkClient, bricklink_store: Store) -> None:
    lot, last = bricklink_store.put(), bricklink_store.put(quantity=1, color_id=7)
    placed = bricklink_store.order((lot, 4), (last, 1))
    assert {row["inventory_id"]: row["quantity"] for row in bricklink.get("/inventories")} == {lot: 6}
    bricklink_store.buyer(placed["id"], "cancel")
    assert {row["inventory_id"]: row["quantity"] for row in bricklink.get("/inventories")} == {lot: 10, last: 1}
    bricklink_store.settings(restock=False)
    again = bricklink_store.order((lot, 4))
    bricklink_store.buyer(again["id"], "cancel")
    assert bricklink.get(f"/inventories/{lot}")["quantity"] == 6


def test_sells_the_last_piece_once(bricklink_store: Store, sandbox: SandboxProcess) -> None:
    lot = bricklink_store.put(quantity=1)
    bricklink_store.order((lot, 1))
    with pytest.raises(OSError, match="409"):
        bricklink_store.order((lot, 1))
    bricklink_store.settings(oversell=True)
    assert bricklink_store.order((lot, 1))["lines"][0]["quantity"] == 1


@pytest.mark.parametrize("start", [*FREE[:-1], "OCR", "NPB", "CANCELLED", "PURGED", "COMPLETED"])
def test_lets_the_seller_set_some_statuses(
    start: str, bricklink: BrickLinkClient, bricklink_store: Store, order: Any, sandbox: SandboxProcess
) -> None:
    for wanted in (*FREE[:-1], "OCR", "NRS", "CANCELLED", "PURGED", "COMPLETED"):
        sandbox.control("POST", f"orders/{order['id']}/advance", {"status": start})
        reply = bricklink.put(f"/orders/{order['id']}/status", {"field": "status", "value": wanted})
        if start in FREE[:-1] and wanted in FREE:
            assert reply.meta["code"] == 200
            assert "data" not in reply.json
            assert bricklink.get(f"/orders/{order['id']}")["status"] == wanted
        else:
            assert (reply.meta["code"], reply.meta["message"]) == (422, "RESOURCE_UPDATE_NOT_ALLOWED")
            assert "NOT_IN_UPDATABLE_STATUS" in reply.meta["description"]
            assert bricklink.get(f"/orders/{order['id']}")["status"] == start


@pytest.mark.parametrize("body", [
    {"field": "status", "value": "GONE"}, {"field": "state", "value": "PAID"}, {"value": "PAID"}, [], "x",
])  # fmt: skip
def test_refuses_what_is_no_status(body: Any, bricklink: BrickLinkClient, order: Any) -> None:
    assert bricklink.put(f"/orders/{order['id']}/status", body).meta["code"] == 400


def test_moves_the_day_of_the_status_only_with_it(
    bricklink: BrickLinkClient, sandbox: SandboxProcess, order: Any
) -> None:
    before = bricklink.get(f"/orders/{order['id']}")["date_status_changed"]
    sandbox.control("POST", "clock", {"advance_s": 60})
    bricklink.clock = lambda: time.time() + 60
    bricklink.put(f"/orders/{order['id']}", {"remarks": "x"})
    assert bricklink.get(f"/orders/{order['id']}")["date_status_changed"] == before
    bricklink.put(f"/orders/{order['id']}/status", {"field": "status", "value": "packed"})
    assert bricklink.get(f"/orders/{order['id']}")["date_status_changed"] > before


@pytest.mark.parametrize(("value", "shown"), [("Received", "Received"), ("COMPLETED", "Completed"), ("none", "None")])
def test_lets_the_seller_set_the_payment(value: str, shown: str, bricklink: BrickLinkClient, order: Any) -> None:
    path = f"/orders/{order['id']}"
    assert "data" not in bricklink.put(f"{path}/payment_status", {"field": "payment_status", "value": value}).json
    payment = bricklink.get(path)["payment"]
    assert payment["status"] == shown
    assert ("date_paid" in payment) == (shown != "None")
    assert bricklink.put(f"{path}/payment_status", {"field": "payment_status", "value": "x"}).meta["code"] == 400


def test_lets_the_seller_change_shipping_and_cost(
    bricklink: BrickLinkClient, bricklink_store: Store, order: Any
) -> None:
    path = f"/orders/{order['id']}"
    sent = {
        "shipping": {"tracking_no": "RX1", "tracking_link": "https://t.example/RX1",
                     "date_shipped": "2025-02-28T10:11:21.703Z", "method_id": 116411},
        "cost": {"shipping": "5.5", "insurance": 1, "credit": "0.50", "etc1": "0.2", "etc2": 0, "subtotal": "0"},
        "is_filed": True, "remarks": "mine", "status": "SHIPPED",
    }  # fmt: skip
    changed = bricklink.put(path, sent).data
    assert changed["shipping"]["tracking_no"] == "RX1"
    assert changed["shipping"]["date_shipped"] == "2025-02-28T10:11:21.703Z"
    assert changed["cost"]["shipping"] == "5.5000"
    assert (changed["is_filed"], changed["status"]) == (True, "PENDING")
    check_sums(changed, bricklink.get(f"{path}/items"))
    assert bricklink.get("/orders") == []
    assert len(bricklink.get("/orders?filed=true")) == 1
    bricklink_store.buyer(order["id"], "pay")
    assert bricklink.put(path, {"cost": {"shipping": "9"}}).data["cost"]["shipping"] == "5.5000"
    refused: tuple[Any, ...] = (
        {"is_filed": "x"}, {"cost": {"shipping": "-1"}}, {"cost": 1}, {"shipping": {"date_shipped": "x"}}, [],
    )  # fmt: skip
    for bad in refused:
        bricklink.put(f"{path}/payment_status", {"field": "payment_status", "value": "None"})
        assert bricklink.put(path, bad).meta["code"] == 400


def test_lists_by_status_and_direction(
    bricklink: BrickLinkClient, bricklink_store: Store, sandbox: SandboxProcess
) -> None:
    lot = bricklink_store.put(quantity=100)
    for status in ("PENDING", "PAID", "PURGED"):
        bricklink_store.order((lot, 1), status=status)

    def shown(query: str) -> list[str]:
        return [row["status"] for row in bricklink.get(f"/orders?{query}")]

    assert shown("") == shown("direction=in") == ["PENDING", "PAID", "PURGED"]
    assert shown("status=paid,purged") == ["PAID", "PURGED"]
    assert shown("status=-purged") == ["PENDING", "PAID"]
    assert bricklink.send("GET", "/orders?status=gone").meta["code"] == 400
    assert bricklink.send("GET", "/orders?direction=up").meta["code"] == 400
    assert shown("direction=out") == []
    other = sandbox.control("POST", "sellers", {"service": "bricklink", "name": "other"})
    shop = Store(sandbox, other["id"])
    shop.order((shop.put(remarks="secret"), 1), buyer={"username": "demoseller"})
    (placed,) = bricklink.get("/orders?direction=out")
    assert (placed["seller_name"], placed["buyer_name"]) == ("other", "demoseller")
    path = f"/orders/{placed['order_id']}"
    assert bricklink.get(path)["seller_name"] == "other"
    assert bricklink.get(f"{path}/items")[0][0]["remarks"] == ""
    assert bricklink.put(f"{path}/status", {"field": "status", "value": "PACKED"}).meta["code"] == 403


def test_forgets_the_details_of_old_orders(
    bricklink: BrickLinkClient, order: Any, sandbox: SandboxProcess, switch: Callable[..., None]
) -> None:
    sandbox.control("POST", "clock", {"advance_s": 181 * 86400})
    bricklink.clock = lambda: time.time() + 181 * 86400
    sandbox.control("POST", f"orders/{order['id']}/advance")
    assert bricklink.get("/orders")[0]["status"] == "PURGED"
    assert bricklink.send("GET", f"/orders/{order['id']}/items").meta["code"] == 404
    switch(**{"bl.purged_items": "empty"})
    assert bricklink.get(f"/orders/{order['id']}/items") == []


@pytest.mark.parametrize("path", ["", "/items", "/messages", "/feedback"])
def test_keeps_others_orders_from_a_seller(path: str, bricklink: BrickLinkClient, sandbox: SandboxProcess) -> None:
    other = sandbox.control("POST", "sellers", {"service": "bricklink", "name": "other"})
    shop = Store(sandbox, other["id"])
    placed = shop.order((shop.put(), 1))
    assert bricklink.send("GET", f"/orders/{placed['id']}{path}").meta["code"] == 403
    assert bricklink.send("GET", f"/orders/1{path}").meta["code"] == 404


def test_tells_what_happened_once(bricklink: BrickLinkClient, bricklink_store: Store, order: Any) -> None:
    (told,) = bricklink.get("/notifications")
    assert (told["event_type"], told["resource_id"]) == ("Order", order["id"])
    assert list(told) == ["event_type", "resource_id", "timestamp"]
    assert bricklink.get("/notifications") == []
    bricklink_store.buyer(order["id"], "message", body="Hello", subject="Hi")
    bricklink_store.buyer(order["id"], "message", body="Again")
    bricklink_store.buyer(order["id"], "feedback", rating=0)
    bricklink_store.buyer(order["id"], "request_cancel")
    assert [row["event_type"] for row in bricklink.get("/notifications")] == ["Message", "Message", "Feedback", "Order"]
    first, second = bricklink.get(f"/orders/{order['id']}/messages")
    assert set(first) == {"subject", "body", "from", "to", "dateSent"}
    assert "subject" not in second


def test_exchanges_feedback(bricklink: BrickLinkClient, bricklink_store: Store, order: Any) -> None:
    bricklink_store.buyer(order["id"], "feedback", rating=2, comment="Slow")
    (received,) = bricklink.get("/feedback")
    assert (received["rating"], received["rating_of_bs"]) == (2, "S")
    given = bricklink.post("/feedback", {"order_id": order["id"], "rating": 0, "comment": "Fine"})
    assert given.meta["code"] == 201
    assert bricklink.get("/feedback?direction=out") == [given.data]
    assert len(bricklink.get(f"/orders/{order['id']}/feedback")) == 2
    assert bricklink.post("/feedback", {"order_id": order["id"], "rating": 0}).meta["code"] == 422
    assert bricklink.post("/feedback", {"order_id": order["id"], "rating": 3}).meta["code"] == 400
    assert bricklink.post("/feedback", {"order_id": 1, "rating": 0}).meta["code"] == 404
    reply = f"/feedback/{received['feedback_id']}/reply"
    assert bricklink.post(reply, {"reply": "Sorry"}).meta["code"] == 201
    assert bricklink.get(f"/feedback/{received['feedback_id']}")["reply"] == "Sorry"
    assert bricklink.post(reply, {"reply": "Again"}).meta["code"] == 422
    rating = bricklink.get("/members/demoseller/ratings")
    assert rating == {"user_name": "demoseller", "rating": {"PRAISE": 0, "NEUTRAL": 0, "COMPLAINT": 1}}
    assert bricklink.send("GET", "/members/nobody/ratings").meta["code"] == 404


def test_keeps_notes_of_members(bricklink: BrickLinkClient, order: Any) -> None:
    path = "/members/buyer1/my_notes"
    assert bricklink.send("GET", path).meta["code"] == 404
    assert bricklink.put(path, {"note_text": "x"}).meta["code"] == 404
    assert bricklink.post(path, {"note_text": "pays late"}).data["note_text"] == "pays late"
    assert bricklink.post(path, {"note_text": "x"}).meta["code"] == 422
    assert bricklink.put(path, {"note_text": "pays at once"}).data["note_text"] == "pays at once"
    assert set(bricklink.get(path)) == {"note_id", "user_name", "note_text", "date_noted"}
    assert bricklink.send("DELETE", path).meta["code"] == 204
    assert bricklink.send("DELETE", path).meta["code"] == 404


def test_issues_coupons(bricklink: BrickLinkClient, switch: Callable[..., None]) -> None:
    sent = {"buyer_name": "buyer1", "discount_type": "S", "discount_rate": 10, "max_discount_amount": "5"}
    made = bricklink.post("/coupons", sent).data
    assert (made["status"], made["discount_rate"], made["max_discount_amount"]) == ("O", 10, "5.0000")
    path = f"/coupons/{made['coupon_id']}"
    assert bricklink.put(path, {"remarks": "thanks"}).data["remarks"] == "thanks"
    assert len(bricklink.get("/coupons?status=O")) == 1
    assert bricklink.get("/coupons?status=S") == []
    assert bricklink.get("/coupons?direction=in") == []
    assert bricklink.post("/coupons", {"buyer_name": "x"}).meta["code"] == 400
    assert bricklink.send("DELETE", path).meta["code"] == 204
    assert bricklink.send("GET", path).meta["code"] == 404


def test_lists_shipping_methods(bricklink: BrickLinkClient) -> None:
    methods = bricklink.get("/settings/shipping_methods")
    assert set(methods[0]) == {"method_id", "name", "note", "insurance", "is_default", "area", "is_available"}
    assert bricklink.get(f"/settings/shipping_methods/{methods[1]['method_id']}") == methods[1]
    assert bricklink.send("GET", "/settings/shipping_methods/1").meta["code"] == 404


def test_sends_by_itself(bricklink: BrickLinkClient, order: Any) -> None:
    assert "data" not in bricklink.send("POST", f"/orders/{order['id']}/drive_thru?mail_me=true").json
    assert bricklink.get(f"/orders/{order['id']}")["drive_thru_sent"] is True
