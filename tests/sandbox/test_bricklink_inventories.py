"""BrickLink's store inventory: shapes, filters, every refusal, and each value of each switch."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest

from common.testing.sandbox import SandboxProcess
from tests.sandbox.clients import BrickLinkClient
from tests.sandbox.conftest import Store

PART = {
    "item": {"no": "3001", "type": "PART"}, "color_id": 5, "quantity": 42, "new_or_used": "U", "unit_price": "0.12",
}  # fmt: skip
SET = {
    "item": {"no": "7657-1", "type": "SET"}, "color_id": 0, "quantity": 1, "new_or_used": "U", "completeness": "C",
    "unit_price": "50", "is_stock_room": True, "stock_room_id": "A", "remarks": "S-02",
}  # fmt: skip
LOT = [
    "inventory_id", "item", "color_id", "color_name", "quantity", "new_or_used", "unit_price", "bind_id", "description",
    "remarks", "bulk", "is_retain", "is_stock_room", "date_created", "my_cost", "sale_rate", "tier_quantity1",
    "tier_price1", "tier_quantity2", "tier_price2", "tier_quantity3", "tier_price3", "my_weight",
]  # fmt: skip
TIERS = {
    "tier_quantity1": 25, "tier_price1": "0.11", "tier_quantity2": 100, "tier_price2": 0.1, "tier_quantity3": 0,
    "tier_price3": "0",
}  # fmt: skip


def test_answers_a_lot_as_the_real_one_does(bricklink: BrickLinkClient, sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "clock", {"mode": "frozen", "at": "2024-06-11T20:17:33Z"})
    bricklink.clock = lambda: 1718137053
    made = bricklink.post("/inventories/", {**PART, **TIERS, "remarks": "A-01-03", "description": "light play wear"})
    assert made.status == 200
    assert made.meta == {"description": "OK_CREATED", "message": "OK_CREATED", "code": 201}
    assert list(made.data) == [name for name in LOT if name != "color_name"]
    assert made.data["date_created"] == "2024-06-11T20:17:00.000Z"
    lot = bricklink.get(f"/inventories/{made.data['inventory_id']}")
    assert list(lot) == LOT
    assert lot | {"inventory_id": 301000017} == json.loads(
        '{"inventory_id":301000017,"item":{"no":"3001","name":"Brick 2 x 4","type":"PART","category_id":5},'
        '"color_id":5,"color_name":"Red","quantity":42,"new_or_used":"U","unit_price":"0.1200","bind_id":0,'
        '"description":"light play wear","remarks":"A-01-03","bulk":1,"is_retain":false,"is_stock_room":false,'
        '"date_created":"2024-06-11T04:00:00.000Z","my_cost":"0.0000","sale_rate":0,"tier_quantity1":25,'
        '"tier_price1":"0.1100","tier_quantity2":100,"tier_price2":"0.1000","tier_quantity3":0,"tier_price3":"0.0000",'
        '"my_weight":"0.0000"}'
    )
    assert bricklink.get("/inventories") == [lot]


def test_answers_a_set_in_a_stockroom(bricklink: BrickLinkClient) -> None:
    made = bricklink.post("/inventories", SET).data
    assert made["completeness"] == "C"
    assert (made["is_stock_room"], made["stock_room_id"]) == (True, "A")
    assert made["description"] == ""
    without = bricklink.post("/inventories", {name: value for name, value in SET.items() if name != "remarks"}).data
    assert "remarks" not in without
    assert "completeness" not in bricklink.post("/inventories", PART).data


def test_rounds_money_up(bricklink: BrickLinkClient) -> None:
    for price, shown in (("0.12341", "0.1235"), (0.125, "0.1250"), (0.1, "0.1000"), ("50", "50.0000"), (3, "3.0000")):
        assert bricklink.post("/inventories", {**PART, "unit_price": price}).data["unit_price"] == shown


@pytest.mark.parametrize("changed", [
    {"item": {"no": "nothing", "type": "PART"}}, {"item": {"no": "3001", "type": "TOY"}}, {"item": None},
    {"color_id": 9999}, {"color_id": "red"}, {"quantity": 0}, {"quantity": -1}, {"quantity": 1.5}, {"quantity": True},
    {"new_or_used": "X"}, {"unit_price": "0"}, {"unit_price": -1}, {"unit_price": "cheap"}, {"unit_price": None},
    {"unit_price": "NaN"}, {"unit_price": "1e400"}, {"bulk": 0}, {"sale_rate": 100}, {"is_retain": "perhaps"},
    {"stock_room_id": "A"}, {"is_stock_room": True, "stock_room_id": "D"}, {"tier_quantity1": 5},
    {**TIERS, "tier_price1": "0.12"}, {**TIERS, "tier_quantity2": 25}, {**TIERS, "tier_quantity1": 1},
    {**TIERS, "tier_quantity1": 0, "tier_price1": "0"}, {"item": {"no": "60239-1", "type": "SET"}, "color_id": 0},
    {"item": {"no": "60239-1", "type": "SET"}, "completeness": "C", "color_id": 5}, {"remarks": 5},
])  # fmt: skip
def test_refuses_what_is_no_lot(changed: dict[str, Any], bricklink: BrickLinkClient) -> None:
    reply = bricklink.post("/inventories", {**PART, **changed})
    assert (reply.meta["code"], reply.meta["message"]) == (400, "PARAMETER_MISSING_OR_INVALID")
    assert bricklink.get("/inventories") == []


@pytest.mark.parametrize("missing", ["item", "color_id", "quantity", "new_or_used", "unit_price"])
def test_needs(missing: str, bricklink: BrickLinkClient) -> None:
    reply = bricklink.post("/inventories", {name: value for name, value in PART.items() if name != missing})
    assert missing in reply.meta["description"]


def test_needs_json(bricklink: BrickLinkClient) -> None:
    for body in (b"{", b"", b"\xff", b"[" * 100_000, b'{"a": NaN}'):
        reply = bricklink.send("POST", "/inventories", body)
        assert (reply.meta["code"], reply.meta["message"]) == (400, "INVALID_REQUEST_BODY")
    reply = bricklink.send("POST", "/inventories", b"<xml/>", headers={"Content-Type": "text/xml"})
    assert (reply.meta["code"], reply.meta["message"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert bricklink.post("/inventories", "text").meta["code"] == 400
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in (json.dumps(PART).encode(), quote(json.dumps(PART)).encode()):
        assert bricklink.send("POST", "/inventories", body, headers=form).meta["code"] == 201


def test_makes_many_at_once_without_data(bricklink: BrickLinkClient, switch: Callable[..., None]) -> None:
    reply = bricklink.post("/inventories", [PART, SET, PART])
    assert reply.json == {"meta": {"description": "OK_CREATED", "message": "OK_CREATED", "code": 201}}
    assert len(bricklink.get("/inventories")) == 3
    assert "data" not in bricklink.post("/inventories", [PART]).json
    assert bricklink.post("/inventories", []).meta["code"] == 400
    switch(**{"bl.single_array_returns": "lot"})
    assert bricklink.post("/inventories", [PART]).data["quantity"] == 42


def test_makes_all_or_the_good_ones(bricklink: BrickLinkClient, switch: Callable[..., None]) -> None:
    mixed = [PART, {**PART, "quantity": -1}, PART]
    assert bricklink.post("/inventories", mixed).meta["code"] == 400
    assert bricklink.get("/inventories") == []
    switch(**{"bl.bulk_partial": "keep_good"})
    assert bricklink.post("/inventories", mixed).meta["code"] == 201
    assert len(bricklink.get("/inventories")) == 2


@pytest.mark.parametrize(("quantity", "after"), [("+5", 15), ("-3", 7), (5, 15), (-3, 7), ("+0", 10)])
def test_takes_quantities_as_differences(
    quantity: Any, after: int, bricklink: BrickLinkClient, bricklink_store: Store
) -> None:
    lot = bricklink_store.put()
    reply = bricklink.put(f"/inventories/{lot}", {"quantity": quantity, "inventory_id": lot})
    assert reply.data["quantity"] == after
    assert "color_name" not in reply.data
    assert bricklink.get(f"/inventories/{lot}")["quantity"] == after


@pytest.mark.parametrize("quantity", ["5", "five", "", 1.5, None, True, "+", "--3", "-99999999999"])
def test_refuses_other_quantities(quantity: Any, bricklink: BrickLinkClient, bricklink_store: Store) -> None:
    lot = bricklink_store.put()
    assert bricklink.put(f"/inventories/{lot}", {"quantity": quantity, "remarks": "x"}).meta["code"] == 400
    assert bricklink.get(f"/inventories/{lot}")["quantity"] == 10
    assert "remarks" not in bricklink.get(f"/inventories/{lot}")


def test_takes_other_quantities_where_it_shall(
    bricklink: BrickLinkClient, bricklink_store: Store, switch: Callable[..., None]
) -> None:
    lot = bricklink_store.put()
    switch(**{"bl.unsigned_quantity": "delta", "bl.int_quantity": "refuse"})
    assert bricklink.put(f"/inventories/{lot}", {"quantity": "5"}).data["quantity"] == 15
    assert bricklink.put(f"/inventories/{lot}", {"quantity": 5}).meta["code"] == 400


def test_goes_not_below_zero(bricklink: BrickLinkClient, bricklink_store: Store, switch: Callable[..., None]) -> None:
    lot = bricklink_store.put()
    reply = bricklink.put(f"/inventories/{lot}", {"quantity": "-11"})
    assert (reply.meta["code"], reply.meta["message"]) == (422, "RESOURCE_UPDATE_NOT_ALLOWED")
    assert bricklink.get(f"/inventories/{lot}")["quantity"] == 10
    switch(**{"bl.below_zero": "floor"})
    assert bricklink.put(f"/inventories/{lot}", {"quantity": "-11"}).data["quantity"] == 0


def test_removes_an_empty_lot_unless_it_is_retained(bricklink: BrickLinkClient, bricklink_store: Store) -> None:
    lot, kept = bricklink_store.put(), bricklink_store.put(is_retained=1)
    for each in (lot, kept):
        assert bricklink.put(f"/inventories/{each}", {"quantity": "-10"}).data["quantity"] == 0
    assert bricklink.send("GET", f"/inventories/{lot}").meta["code"] == 404
    assert [row["inventory_id"] for row in bricklink.get("/inventories")] == [kept]
    assert bricklink.put(f"/inventories/{kept}", {"is_retain": False}).meta["code"] == 200
    assert bricklink.get("/inventories") == []


def test_creates_an_empty_lot_only_retained(bricklink: BrickLinkClient, switch: Callable[..., None]) -> None:
    empty = {**PART, "quantity": 0}
    assert bricklink.post("/inventories", empty).meta["code"] == 400
    assert bricklink.post("/inventories", {**empty, "is_retain": True}).meta["code"] == 201
    switch(**{"bl.zero_quantity": "any"})
    assert bricklink.post("/inventories", empty).meta["code"] == 201
    switch(**{"bl.zero_quantity": "refuse"})
    assert bricklink.post("/inventories", {**empty, "is_retain": True}).meta["code"] == 400


def test_changes_what_can_be_changed(bricklink: BrickLinkClient, bricklink_store: Store) -> None:
    lot = bricklink_store.put()
    sent = {
        "unit_price": "0.1300", "remarks": "A-01-04", "description": "it&#39;s <b>nice</b>", "bulk": 2, "sale_rate": 10,
        "is_retain": True, "is_stock_room": True, "stock_room_id": "C", "my_cost": "0.05", **TIERS,
    }  # fmt: skip
    fixed = {"color_id": 1, "new_or_used": "N", "item": {"no": "3006", "type": "PART"}, "nonsense": 1}
    changed = bricklink.put(f"/inventories/{lot}", {**sent, **fixed}).data
    assert (changed["unit_price"], changed["remarks"], changed["bulk"], changed["sale_rate"]) == (
        "0.1300", "A-01-04", 2, 10,
    )  # fmt: skip
    assert (changed["stock_room_id"], changed["is_retain"], changed["tier_price2"]) == ("C", True, "0.1000")
    assert changed["description"] == "it&#39;s <b>nice</b>"
    assert (changed["color_id"], changed["item"]["no"]) == (5, "3001")
    back = bricklink.put(f"/inventories/{lot}", {"is_stock_room": False}).data
    assert "stock_room_id" not in back
    assert bricklink.put(f"/inventories/{lot}", {"unit_price": "0.11"}).meta["code"] == 400


def test_deletes(bricklink: BrickLinkClient, bricklink_store: Store, switch: Callable[..., None]) -> None:
    first, second = bricklink_store.put(), bricklink_store.put()
    reply = bricklink.send("DELETE", f"/inventories/{first}")
    assert (reply.status, reply.body) == (204, b"")
    assert bricklink.send("DELETE", f"/inventories/{first}").meta["code"] == 404
    switch(**{"bl.delete_answer": "envelope"})
    reply = bricklink.send("DELETE", f"/inventories/{second}")
    assert reply.json == {"meta": {"description": "OK_NO_CONTENT", "message": "OK_NO_CONTENT", "code": 204}}
    assert reply.status == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_keeps_others_lots_from_a_seller(method: str, bricklink: BrickLinkClient, sandbox: SandboxProcess) -> None:
    other = sandbox.control("POST", "sellers", {"service": "bricklink", "name": "other"})
    lot = Store(sandbox, other["id"]).put()
    reply = bricklink.send(method, f"/inventories/{lot}", {} if method == "PUT" else None)
    assert (reply.meta["code"], reply.meta["message"]) == (403, "PERMISSION_DENIED")
    assert bricklink.send(method, "/inventories/999", {} if method == "PUT" else None).meta["code"] == 404
    assert bricklink.get("/inventories") == []


@pytest.mark.parametrize(("query", "wanted"), [
    ("item_type=part", "PQRT"), ("item_type=part,set", "PQRST"), ("item_type=-part", "SM"),
    ("item_type=part,minifig,-minifig", "PQRT"), ("color_id=5", "P"), ("color_id=-5", "QRSTM"), ("status=Y", "PSM"),
    ("status=S", "Q"), ("status=C", "R"), ("status=N", "T"), ("status=-Y,-N", "QR"), ("category_id=9", "M"),
    ("item_type=part&status=Y", "P"), ("status=y", "PSM"), ("unknown=1", "PQRSTM"),
])  # fmt: skip
def test_filters(query: str, wanted: str, bricklink: BrickLinkClient, bricklink_store: Store) -> None:
    bricklink_store.put(remarks="P")
    bricklink_store.put(remarks="Q", color_id=7, stockroom="A")
    bricklink_store.put(remarks="R", color_id=11, stockroom="C")
    bricklink_store.put(remarks="S", type="SET", no="60239-1", color_id=0, completeness="S")
    bricklink_store.put(remarks="T", color_id=6, quantity=0, is_retained=1)
    bricklink_store.put(remarks="M", type="MINIFIG", no="cas019", color_id=0)
    rows = bricklink.get(f"/inventories?{query}")
    assert {row["remarks"] for row in rows} == set(wanted)


@pytest.mark.parametrize("query", ["item_type=toy", "status=X", "color_id=red", "category_id=-x"])
def test_refuses_other_filters(query: str, bricklink: BrickLinkClient) -> None:
    assert bricklink.send("GET", f"/inventories?{query}").meta["code"] == 400


def test_writes_down_what_a_seller_typed(bricklink: BrickLinkClient) -> None:
    for text in ("a & b < c", "<b>x</b>", "it's (used)", "🧱 עברית", "tab\there", '"quoted"'):
        lot = bricklink.post("/inventories", {**PART, "description": text, "remarks": text}).data
        shown = bricklink.get(f"/inventories/{lot['inventory_id']}")["description"]
        assert shown == text.replace("'", "&#39;").replace("(", "&#40;").replace(")", "&#41;")


def test_gives_no_number_twice_and_loses_no_piece_to_a_race(
    bricklink: BrickLinkClient, bricklink_store: Store, sandbox: SandboxProcess
) -> None:
    lot = bricklink_store.put(quantity=500)
    clients = [BrickLinkClient(sandbox.bricklink_url, sandbox.bricklink_credentials) for _ in range(6)]

    def work(client: BrickLinkClient) -> list[int]:
        for _ in range(10):
            client.put(f"/inventories/{lot}", {"quantity": "-2"})
        return [client.post("/inventories", PART).data["inventory_id"] for _ in range(10)]

    with ThreadPoolExecutor(6) as pool:
        numbers = [number for found in pool.map(work, clients) for number in found]
    assert len(set(numbers)) == 60
    assert bricklink.get(f"/inventories/{lot}")["quantity"] == 380


def test_lists_lag_behind_where_they_shall(bricklink: BrickLinkClient, bricklink_store: Store) -> None:
    lot = bricklink_store.put()
    bricklink_store.settings(eventual_ms=60_000)
    bricklink.put(f"/inventories/{lot}", {"quantity": "-3"})
    assert bricklink.get("/inventories") == []
    assert bricklink.get(f"/inventories/{lot}")["quantity"] == 7
    bricklink_store.settings(eventual_ms=0)
    assert bricklink.get("/inventories")[0]["quantity"] == 7
