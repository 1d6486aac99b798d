"""Brikick's contract: every rule of it, and every error row."""

import gzip
import json
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from common.testing.sandbox import SandboxProcess
from tests.sandbox.clients import BrikickClient, Http
from tests.sandbox.conftest import Store

PART = {
    "item_type": "P", "item_no": "3001", "color_id": 5, "condition": "U", "quantity": 42, "unit_price": "0.0500",
}  # fmt: skip
LOT = [
    "id", "version", "external_id", "item_type", "item_no", "item_name", "color_id", "condition", "completeness",
    "sub_condition", "quantity", "reserved_quantity", "bulk_quantity", "unit_price", "currency", "sale_percentage",
    "tiers", "description", "remarks", "is_retain", "stock_room", "superlot_id", "my_cost", "weight_grams", "status",
    "listed_at", "updated_at",
]  # fmt: skip
ORDER = [
    "id", "version", "order_number", "status", "placed_at", "updated_at", "paid_at", "shipped_at", "buyer", "ship_to",
    "currency", "items_total", "shipping_cost", "insurance_cost", "tax_amount", "discount_amount", "grand_total",
    "payment_status", "shipping_method", "tracking_number", "tracking_url", "note", "lines",
]  # fmt: skip


def make(client: BrikickClient, **changed: Any) -> Any:
    reply = client.post("/lots", {**PART, **changed})
    assert reply.status == 201, reply.body
    return reply.json


def error(reply: Any) -> tuple[int, str]:
    assert set(reply.json) == {"error"}
    assert set(reply.json["error"]) == {"code", "message", "details"}
    return reply.status, reply.json["error"]["code"]


def test_tells_who_it_is(brikick: BrikickClient, sandbox: SandboxProcess) -> None:
    me = brikick.get("/me")
    assert list(me) == [
        "store_id", "name", "slug", "currency", "country", "status", "access", "scopes", "lots_count", "limits",
    ]  # fmt: skip
    assert brikick.patch("/me", {"status": "VACATION"}).json["status"] == "VACATION"
    assert error(brikick.patch("/me", {"status": "GONE"})) == (422, "validation_error")
    assert error(BrikickClient(sandbox.brikick_url, "brk_live_x").send("GET", "/me")) == (401, "invalid_token")


def test_lets_only_in_who_may(brikick: BrikickClient, brikick_store: Store) -> None:
    brikick_store.settings(scopes=["lots:read"])
    assert error(brikick.post("/lots", PART)) == (403, "scope_missing")
    assert brikick.post("/lots", PART).json["error"]["details"] == {"scope": "lots:write"}
    for access in ("DISABLED", "PENDING", "REVOKED"):
        brikick_store.settings(access=access)
        assert error(brikick.send("GET", "/me")) == (403, "store_api_not_authorized")


def test_counts_calls(sandbox: SandboxProcess, brikick_store: Store) -> None:
    client = BrikickClient(sandbox.brikick_url, sandbox.brikick_key)
    sandbox.control("POST", "clock", {"mode": "frozen", "at": "2025-03-01T10:00:30Z"})
    headers = client.send("GET", "/me").headers
    assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == ("60", "59")
    assert headers["X-RateLimit-Reset"] == "1740823260"
    assert headers["X-RateLimit-Day-Remaining"] == "9999"
    for _ in range(59):
        client.send("GET", "/nothing")
    reply = client.send("GET", "/me")
    assert error(reply) == (429, "rate_limited")
    assert reply.headers["Retry-After"] == "30"
    sandbox.control("POST", "clock", {"mode": "frozen", "advance_s": 30})
    assert client.send("GET", "/me").status == 200
    brikick_store.settings(per_day=61)
    reply = client.send("GET", "/me")
    assert int(reply.headers["Retry-After"]) > 40_000


def test_echoes_the_number_of_a_request_and_packs(brikick: BrikickClient) -> None:
    assert brikick.send("GET", "/me", headers={"X-Request-Id": "abc"}).headers["X-Request-Id"] == "abc"
    assert brikick.send("GET", "/me").headers["X-Request-Id"]
    reply = brikick.send("GET", "/catalog/colors", headers={"Accept-Encoding": "gzip"})
    assert reply.headers["Content-Encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(reply.body))["items"]) > 200


def test_makes_and_answers_a_lot(brikick: BrikickClient) -> None:
    tiers = [{"quantity": 25, "price": "0.0450"}, {"quantity": 100, "price": "0.0400"}]
    made = brikick.post("/lots", {**PART, "external_id": "mine", "sub_condition": "GOOD", "tiers": tiers})
    assert (made.status, made.headers["ETag"]) == (201, '"1"')
    assert list(made.json) == LOT
    assert made.json["tiers"] == tiers
    assert (made.json["status"], made.json["my_cost"], made.json["stock_room"]) == ("AVAILABLE", None, None)
    assert brikick.get(f"/lots/{made.json['id']}") == made.json
    assert error(brikick.send("GET", "/lots/1")) == (404, "not_found")
    assert make(brikick, item_type="M", item_no="cas019", color_id=None, unit_price="0.0001")["color_id"] is None


@pytest.mark.parametrize(("changed", "field"), [
    ({"item_no": "nothing"}, "item_no"), ({"item_type": "X"}, "item_type"), ({"color_id": None}, "color_id"),
    ({"color_id": 9999}, "color_id"), ({"condition": "NEW"}, "condition"), ({"quantity": -1}, "quantity"),
    ({"quantity": "1"}, "quantity"), ({"quantity": True}, "quantity"), ({"unit_price": 0.1}, "unit_price"),
    ({"unit_price": "0"}, "unit_price"), ({"unit_price": "0.00001"}, "unit_price"), ({"unit_price": "x"}, "unit_price"),
    ({"currency": "USD"}, "currency"), ({"completeness": "C"}, "completeness"),
    ({"sub_condition": "OLD"}, "sub_condition"),
    ({"sale_percentage": 100}, "sale_percentage"), ({"bulk_quantity": 0}, "bulk_quantity"),
    ({"stock_room": "D"}, "stock_room"),
    ({"tiers": [{"quantity": 5, "price": "0.0600"}]}, "tiers"), ({"tiers": [{}]}, "quantity"), ({"tiers": 1}, "tiers"),
    ({"nonsense": 1}, "nonsense"), ({"id": 1}, "id"), ({"external_id": "x" * 65}, "external_id"),
    ({"item_type": "S", "item_no": "60239-1", "color_id": None}, "completeness"), ({"status": "SOLD_OUT"}, "status"),
    ({"description": 5}, "description"), ({"condition": []}, "condition"), ({"is_retain": "yes"}, "is_retain"),
])  # fmt: skip
def test_refuses_what_is_no_lot(changed: dict[str, Any], field: str, brikick: BrikickClient) -> None:
    reply = brikick.post("/lots", {**PART, **changed})
    assert error(reply) == (422, "validation_error")
    assert field in reply.json["error"]["details"]
    assert brikick.get("/lots")["items"] == []


def test_refuses_what_is_no_json(brikick: BrikickClient) -> None:
    for body in (b"", b"{", b"[]", b"\xff", b"[" * 100_000):
        assert error(brikick.send("POST", "/lots", body)) == (400, "bad_request")


def test_caps_prices(brikick: BrikickClient, brikick_store: Store) -> None:
    reply = brikick.post("/lots", {**PART, "unit_price": "99.0000"})
    assert error(reply) == (400, "price_cap_exceeded")
    details = reply.json["error"]["details"]
    assert Decimal(details["limit"]) == 2 * Decimal(details["avg_price_6m"])
    lot = make(brikick)
    assert error(brikick.patch(f"/lots/{lot['id']}", {"unit_price": "99.0000"})) == (400, "price_cap_exceeded")
    brikick_store.settings(price_cap="block")
    assert brikick.patch(f"/lots/{lot['id']}", {"unit_price": "99.0000"}).json["status"] == "BLOCKED"
    assert brikick.patch(f"/lots/{lot['id']}", {"unit_price": "0.0500"}).json["status"] == "AVAILABLE"
    brikick_store.settings(price_cap="off")
    assert make(brikick, unit_price="99.0000")["status"] == "AVAILABLE"


def test_changes_by_difference_or_by_version(brikick: BrikickClient) -> None:
    lot = make(brikick)
    path = f"/lots/{lot['id']}"
    assert brikick.patch(path, {"quantity_delta": -2, "remarks": "A"}).json["quantity"] == 40
    assert error(brikick.patch(path, {"quantity": 7})) == (422, "validation_error")
    stale = brikick.patch(path, {"quantity": 7}, If_Match='"1"')
    assert error(stale) == (412, "version_conflict")
    assert stale.json["error"]["details"] == {"current_version": 2}
    changed = brikick.patch(path, {"quantity": 7}, If_Match='"2"')
    assert (changed.json["quantity"], changed.json["version"], changed.headers["ETag"]) == (7, 3, '"3"')
    short = brikick.patch(path, {"quantity_delta": -8})
    assert error(short) == (409, "insufficient_quantity")
    assert short.json["error"]["details"] == {"available": 7}
    assert error(brikick.patch(path, {"quantity": 1, "quantity_delta": 1}, If_Match='"3"'))[0] == 422
    assert error(brikick.patch(path, {})) == (422, "validation_error")
    assert error(brikick.patch(path, {"item_no": "3006"})) == (422, "validation_error")
    assert brikick.patch(path, {"quantity_delta": -7}).json["status"] == "SOLD_OUT"
    assert brikick.patch(path, {"status": "HIDDEN"}).json["status"] == "HIDDEN"


def test_leaves_a_trace_of_what_was_deleted(brikick: BrikickClient, sandbox: SandboxProcess) -> None:
    kept, gone = make(brikick), make(brikick)
    since = gone["updated_at"]
    assert error(brikick.send("DELETE", f"/lots/{gone['id']}", headers={"If-Match": '"9"'}))[1] == "version_conflict"
    reply = brikick.send("DELETE", f"/lots/{gone['id']}")
    assert (reply.status, reply.body) == (204, b"")
    assert [row["id"] for row in brikick.get("/lots")["items"]] == [kept["id"]]
    rows = brikick.get(f"/lots?updated_since={since}")["items"]
    assert rows[-1] == {"id": gone["id"], "deleted": True, "updated_at": rows[-1]["updated_at"]}
    sandbox.control("POST", "clock", {"advance_s": 31 * 86400})
    assert not any("deleted" in row for row in brikick.get(f"/lots?updated_since={since}")["items"])
    assert error(brikick.send("GET", "/lots?updated_since=soon")) == (422, "validation_error")


def test_pages_and_filters(brikick: BrikickClient, brikick_store: Store, sandbox: SandboxProcess) -> None:
    brikick_store.generate(25)
    seen: list[int] = []
    cursor = ""
    while True:
        page = brikick.get(f"/lots?limit=10{f'&cursor={cursor}' if cursor else ''}")
        seen += [row["id"] for row in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = page["next_cursor"]
    assert seen == sorted(row["id"] for row in brikick_store.lots())
    assert error(brikick.send("GET", "/lots?limit=2001"))[0] == 422
    assert error(brikick.send("GET", "/lots?cursor=nonsense")) == (400, "bad_request")
    sandbox.control("POST", "clock", {"advance_s": 3_700})
    assert error(brikick.send("GET", f"/lots?cursor={cursor}")) == (400, "bad_request")
    lot = make(brikick, external_id="mine", color_id=11)
    for query in (
        "external_id=mine",
        "item_no=3001&color_id=11&condition=U",
        "status=AVAILABLE&item_type=P&color_id=11",
    ):
        assert lot["id"] in [row["id"] for row in brikick.get(f"/lots?{query}")["items"]]
    for query in ("item_type=X", "status=X", "color_id=x"):
        assert error(brikick.send("GET", f"/lots?{query}"))[0] == 422


def test_does_a_repeated_request_once(brikick: BrikickClient, sandbox: SandboxProcess) -> None:
    first = brikick.post("/lots", PART, Idempotency_Key="k1")
    again = brikick.post("/lots", PART, Idempotency_Key="k1")
    assert (again.status, again.json, again.headers["ETag"]) == (201, first.json, '"1"')
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert error(brikick.post("/lots", {**PART, "quantity": 1}, Idempotency_Key="k1")) == (409, "idempotency_conflict")
    assert len(brikick.get("/lots")["items"]) == 1
    bad = brikick.post("/lots", {**PART, "quantity": -1}, Idempotency_Key="k2")
    assert brikick.post("/lots", {**PART, "quantity": -1}, Idempotency_Key="k2").json == bad.json
    assert error(brikick.post("/lots", PART, Idempotency_Key="x" * 65))[0] == 422
    sandbox.control("POST", "clock", {"advance_s": 49 * 3600})
    assert "Idempotency-Replayed" not in brikick.post("/lots", PART, Idempotency_Key="k1").headers


def test_does_what_is_asked_twice_at_once_only_once(brikick: BrikickClient, sandbox: SandboxProcess) -> None:
    clients = [BrikickClient(sandbox.brikick_url, sandbox.brikick_key) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda client: client.post("/lots", PART, Idempotency_Key="same"), clients))
    assert {reply.status for reply in replies} <= {201, 409}
    assert len(brikick.get("/lots")["items"]) == 1
    sandbox.fault("duplicate_effect", service="brikick", method="POST")
    brikick.post("/lots", PART, Idempotency_Key="proxied")
    assert len(brikick.get("/lots")["items"]) == 2
    brikick.post("/lots", PART)
    assert len(brikick.get("/lots")["items"]) == 4


def test_carries_many_operations_out(brikick: BrikickClient) -> None:
    lot, other = make(brikick), make(brikick)
    operations = [
        {"op": "create", "lot": PART}, {"op": "update", "id": lot["id"], "if_version": 9, "set": {"remarks": "x"}},
        {"op": "update", "id": lot["id"], "if_version": 1, "set": {"unit_price": "0.0400"}, "quantity_delta": -3},
        {"op": "delete", "id": other["id"]}, {"op": "delete", "id": 1}, {"op": "explode"},
        {"op": "create", "lot": {**PART, "quantity": -1}}, {"op": "update", "id": lot["id"], "quantity_delta": -99},
        7,
    ]  # fmt: skip
    results = brikick.post("/lots/batch", {"operations": operations}, Idempotency_Key="b").json["results"]
    assert [row["index"] for row in results] == list(range(9))
    assert [row["status"] for row in results] == [201, 412, 200, 204, 404, 422, 422, 409, 422]
    assert results[2] == {"index": 2, "status": 200, "id": lot["id"], "version": 2}
    assert brikick.get(f"/lots/{lot['id']}")["quantity"] == 39
    replayed = brikick.post("/lots/batch", {"operations": operations}, Idempotency_Key="b")
    assert replayed.json["results"] == results
    assert len(brikick.get("/lots")["items"]) == 2
    many = {"operations": [{"op": "delete", "id": 1}] * 501}
    assert error(brikick.post("/lots/batch", many)) == (413, "too_many_items")
    assert error(brikick.post("/lots/batch", {"operations": []}))[0] == 422


def test_exports_one_moment(brikick: BrikickClient, brikick_store: Store, sandbox: SandboxProcess) -> None:
    brikick_store.generate(30)
    before = {row["id"]: row["quantity"] for row in brikick_store.lots()}
    started = brikick.post("/lots/export")
    assert started.status == 202
    time.sleep(0.005)
    first = next(iter(before))
    brikick.patch(f"/lots/{first}", {"quantity_delta": 5})
    brikick.send("DELETE", f"/lots/{max(before)}")
    make(brikick)
    job = f"/jobs/{started.json['job_id']}"
    assert brikick.get(job)["status"] == "RUNNING"
    done = brikick.get(job)
    assert done["status"] == "DONE"
    assert done["url"].startswith(f"{sandbox.url}/brikick/exports/")
    reply = Http(sandbox.url).send("GET", done["url"].removeprefix(sandbox.url))
    rows = [json.loads(line) for line in gzip.decompress(reply.body).splitlines()]
    assert {row["id"]: row["quantity"] for row in rows} == before
    assert list(rows[0]) == LOT
    assert error(brikick.send("GET", "/jobs/999")) == (404, "not_found")


@pytest.fixture
def order(brikick: BrikickClient, brikick_store: Store) -> Any:
    lot = make(brikick, external_id="mine")
    other = brikick_store.put(price=1239, sale=10, no="3006", color_id=7)
    return brikick_store.order((lot["id"], 12), (other, 3), options={"coupon": 1000, "insurance": True})


def test_answers_orders(brikick: BrikickClient, order: Any) -> None:
    found = brikick.get(f"/orders/{order['id']}")
    assert list(found) == ORDER
    assert brikick.get("/orders") == {"items": [found], "next_cursor": None}
    assert brikick.get("/orders?status=PAID,SHIPPED")["items"] == []
    assert error(brikick.send("GET", "/orders?status=GONE"))[0] == 422
    money = {name: Decimal(found[name]) for name in ORDER if name.endswith(("_total", "_cost", "_amount"))}
    assert sum(Decimal(line["line_total"]) for line in found["lines"]) == money["items_total"]
    parts = money["items_total"] + money["shipping_cost"] + money["insurance_cost"] + money["tax_amount"]
    assert parts - money["discount_amount"] == money["grand_total"]
    assert found["lines"][0]["external_id"] == "mine"
    assert (found["paid_at"], found["payment_status"], found["note"]) == (None, "PENDING", None)
    since = found["updated_at"]
    brikick.post(f"/orders/{order['id']}/note", {"note": "gift"})
    assert brikick.get(f"/orders?updated_since={since}")["items"][0]["note"] == "gift"
    assert error(brikick.send("GET", "/orders/1")) == (404, "not_found")


ALL = (
    "PENDING", "PENDING_APPROVAL", "PAID", "PROCESSING", "SHIPPED", "DELIVERED", "COMPLETED", "CANCELLED", "REFUNDED",
    "DISPUTED",
)  # fmt: skip


@pytest.mark.parametrize("start", ALL)
def test_lets_the_seller_go_where_he_may(
    start: str, brikick: BrikickClient, brikick_store: Store, sandbox: SandboxProcess
) -> None:
    may = {
        "PENDING": {"CANCELLED"}, "PAID": {"PROCESSING", "SHIPPED", "CANCELLED"},
        "PROCESSING": {"SHIPPED", "CANCELLED"}, "SHIPPED": {"DELIVERED"},
    }  # fmt: skip
    lot = brikick_store.put(quantity=1000)
    for wanted in ALL:
        number = brikick_store.order((lot, 1))["id"]
        sandbox.control("POST", f"orders/{number}/advance", {"status": start})
        reply = brikick.post(f"/orders/{number}/status", {"status": wanted, "reason": None})
        if wanted in may.get(start, ()):
            assert reply.json["status"] == wanted
        else:
            assert error(reply) == (409, "invalid_transition")
            assert reply.json["error"]["details"] == {"from": start, "to": wanted}
    assert error(brikick.post(f"/orders/{number}/status", {"status": "GONE"}))[0] == 422


@pytest.mark.parametrize(("sent", "left"), [({}, 42), ({"restock": False}, 30)])
def test_gives_back_what_is_cancelled(sent: Any, left: int, brikick: BrikickClient, order: Any) -> None:
    brikick.post(f"/orders/{order['id']}/status", {"status": "CANCELLED", **sent}, If_Match='"1"')
    assert brikick.get("/lots?external_id=mine")["items"][0]["quantity"] == left


def test_tracks_and_refunds(brikick: BrikickClient, brikick_store: Store, order: Any) -> None:
    path = f"/orders/{order['id']}"
    assert error(brikick.post(f"{path}/refunds", {"amount": "1.00", "reason_code": "X"}))[0] == 422
    brikick_store.buyer(order["id"], "pay")
    paid = brikick.get(path)
    assert (paid["status"], paid["payment_status"]) == ("PAID", "COMPLETED")
    sent = {"carrier": "CTT", "tracking_number": "RX1", "tracking_url": None, "shipped_at": "2025-03-01T10:00:00.000Z"}
    assert brikick.post(f"{path}/tracking", sent).json["tracking_number"] == "RX1"
    assert error(brikick.post(f"{path}/tracking", {**sent, "shipped_at": "x"}))[0] == 422
    assert error(brikick.post(f"{path}/note", {"note": "x"}, If_Match='"1"')) == (412, "version_conflict")
    line = paid["lines"][0]["id"]
    refund = {"amount": "0.10", "reason_code": "ITEM_MISSING", "lines": [{"line_id": line, "quantity": 2}]}
    assert brikick.post(f"{path}/refunds", refund).json["lines"][0]["refunded_quantity"] == 2
    too_many = {**refund, "lines": [{"line_id": line, "quantity": 11}]}
    assert error(brikick.post(f"{path}/refunds", too_many))[0] == 422
    assert brikick.get(path)["lines"][0]["refunded_quantity"] == 2
    rest = Decimal(paid["grand_total"]) - Decimal("0.10")
    assert error(brikick.post(f"{path}/refunds", {"amount": str(rest + 1), "reason_code": "X"}))[0] == 422
    whole = brikick.post(f"{path}/refunds", {"amount": str(rest), "reason_code": "X"}).json
    assert whole["payment_status"] == "REFUNDED"


def test_knows_the_catalog(brikick: BrikickClient) -> None:
    (item,) = brikick.get("/catalog/items?item_type=P&item_no=3001")["items"]
    assert item | {"id": 0} == {"id": 0, "item_type": "P", "item_no": "3001", "name": "Brick 2 x 4", "status": "ACTIVE"}
    page = brikick.get("/catalog/items?limit=2")
    assert len(page["items"]) == 2
    assert page["next_cursor"]
