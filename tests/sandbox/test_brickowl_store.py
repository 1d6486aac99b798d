"""Brick Owl's store: lots, orders, batches, wish lists; shapes, refusals, and each value of each switch."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from common.testing.sandbox import SandboxProcess
from tests.sandbox.clients import BrickOwlClient
from tests.sandbox.conftest import Store

LOT = {
    "con", "full_con", "qty", "lot_id", "price", "base_price", "final_price", "url", "owl_id", "public_note",
    "personal_note", "sale_percent", "bulk_qty", "for_sale", "my_cost", "lot_weight", "reserve_uid", "boid",
    "external_lot_ids", "type", "ids", "tier_price",
}  # fmt: skip
ITEM = {
    "image_small", "condition", "full_con", "name", "type", "boid", "personal_note", "bl_lot_id", "external_lot_ids",
    "remaining_quantity", "refunded_quantity", "weight", "public_note", "ordered_quantity", "order_item_id",
    "base_price", "color_name", "color_id", "lot_id", "ids",
}  # fmt: skip
PART = {"boid": "900111", "color_id": 81, "quantity": 12, "price": "0.72", "condition": "new"}
DONE = {"status": "success"}


def make(client: BrickOwlClient, **changed: Any) -> str:
    values = {name: value for name, value in {**PART, **changed}.items() if value is not None}
    made = client.post("inventory/create", **values)
    assert made.json["status"] == "success", made.json
    return str(made.json["lot_id"])


def one(client: BrickOwlClient, lot: str) -> Any:
    (found,) = client.get("inventory/list", lot_id=lot, active_only=0).json
    return found


def refused(reply: Any) -> bool:
    return reply.status == 400 and set(reply.json) == {"error"} and bool(reply.json["error"]["status"])


def test_answers_a_lot_as_the_real_one_does(brickowl: BrickOwlClient) -> None:
    lot = make(brickowl, external_id="301000021")
    assert set(one(brickowl, lot)) == LOT
    found = one(brickowl, lot)
    assert (found["con"], found["full_con"], found["qty"], found["price"]) == ("new", "new", "12", "0.720")
    assert found["external_lot_ids"] == {"other": "301000021"}
    assert found["boid"] == "900111-81"
    assert {"id": "900111-81", "type": "boid"} in found["ids"]
    assert one(brickowl, make(brickowl))["external_lot_ids"] == []
    assert all(isinstance(found[name], str) for name in ("lot_id", "qty", "sale_percent", "bulk_qty", "for_sale"))


def test_names_a_lot_by_number_or_by_its_own_name(
    brickowl: BrickOwlClient, sandbox: SandboxProcess, switch: Callable[..., None]
) -> None:
    lot = make(brickowl, external_id="mine")
    assert brickowl.get("inventory/list", external_id_1="mine").json[0]["lot_id"] == lot
    assert brickowl.get("inventory/list", lot_id=1).json == []
    switch(**{"bo.single_lot": "object"})
    assert brickowl.get("inventory/list", lot_id=lot).json["lot_id"] == lot
    assert refused(brickowl.post("inventory/create", **PART, external_id="mine"))
    assert refused(brickowl.post("inventory/update", lot_id=lot, external_id="mine", price=1))
    assert refused(brickowl.post("inventory/update", price=1))
    assert brickowl.post("inventory/update", external_id="mine", update_external_id_1="other").json == DONE
    assert refused(brickowl.post("inventory/update", external_id="mine", price=1))
    other = sandbox.control("POST", "sellers", {"service": "brickowl", "name": "other"})
    stranger = BrickOwlClient(sandbox.brickowl_url, other["credentials"]["key"])
    assert refused(stranger.post("inventory/delete", lot_id=lot))
    assert brickowl.post("inventory/delete", external_id="other").json == DONE
    assert brickowl.get("inventory/list", active_only=0).json == []


@pytest.mark.parametrize("changed", [
    {"boid": "1"}, {"boid": ""}, {"color_id": 999}, {"color_id": "red"}, {"color_id": None}, {"quantity": 0},
    {"quantity": -1}, {"quantity": 1.5}, {"quantity": None}, {"price": 0}, {"price": "x"}, {"price": None},
    {"condition": "old"}, {"condition": "newc"}, {"condition": None}, {"boid": "933884", "condition": "newc"},
    {"boid": "933884", "color_id": None, "condition": "new"},
])  # fmt: skip
def test_refuses_what_is_no_lot(changed: dict[str, Any], brickowl: BrickOwlClient) -> None:
    values = {name: value for name, value in {**PART, **changed}.items() if value is not None}
    assert refused(brickowl.post("inventory/create", **values))
    assert brickowl.get("inventory/list", active_only=0).json == []


def test_takes_a_color_behind_the_dash(brickowl: BrickOwlClient) -> None:
    assert one(brickowl, make(brickowl, boid="900111-81", color_id=None))["boid"] == "900111-81"
    found = one(brickowl, make(brickowl, boid="933884", color_id=None, condition="usedi"))
    assert (found["boid"], found["type"], found["full_con"]) == ("933884", "Set", "usedi")


@pytest.mark.parametrize(("sent", "field", "shown"), [
    ({"absolute_quantity": 9}, "qty", "9"), ({"absolute_quantity": 0}, "qty", "0"),
    ({"relative_quantity": 3}, "qty", "15"), ({"relative_quantity": -12}, "qty", "0"),
    ({"price": "0.7005"}, "base_price", "0.701"), ({"sale_percent": 25}, "final_price", "0.540"),
    ({"sale_percent": -50}, "final_price", "1.080"), ({"personal_note": "A03"}, "personal_note", "A03"),
    ({"public_note": "nice"}, "public_note", "nice"), ({"bulk_qty": 4}, "bulk_qty", "4"),
    ({"tier_price": "25:0.650,100:0.6"}, "tier_price", [["25", "0.650"], ["100", "0.600"]]),
    ({"condition": "usedg"}, "full_con", "usedg"), ({"for_sale": 0}, "for_sale", "0"),
    ({"my_cost": 0.1}, "my_cost", "0.100"), ({"lot_weight": 2.5}, "lot_weight", "2.500"),
])  # fmt: skip
def test_changes(sent: dict[str, Any], field: str, shown: Any, brickowl: BrickOwlClient) -> None:
    lot = make(brickowl)
    assert brickowl.post("inventory/update", lot_id=lot, **sent).json == DONE
    assert one(brickowl, lot)[field] == shown


def test_clears_texts_tiers_and_bulk(brickowl: BrickOwlClient) -> None:
    lot = make(brickowl)
    brickowl.post("inventory/update", lot_id=lot, personal_note="x", bulk_qty=5, tier_price="5:0.5")
    brickowl.post("inventory/update", lot_id=lot, personal_note="", bulk_qty=1, tier_price="remove")
    found = one(brickowl, lot)
    assert (found["personal_note"], found["bulk_qty"], found["tier_price"]) == ("", "1", None)


@pytest.mark.parametrize("sent", [
    {}, {"absolute_quantity": -1}, {"relative_quantity": -13}, {"absolute_quantity": 1, "relative_quantity": 1},
    {"absolute_quantity": ""}, {"price": 0}, {"price": "NaN"}, {"sale_percent": 96}, {"bulk_qty": 0}, {"for_sale": 2},
    {"tier_price": "5"}, {"tier_price": "5:1"}, {"tier_price": "5:0.5,4:0.4"}, {"tier_price": "1:0.1"},
    {"tier_price": "5:.5,6:.4,7:.3,8:.2"}, {"condition": "newc"}, {"nonsense": 1},
])  # fmt: skip
def test_refuses_changes(sent: dict[str, Any], brickowl: BrickOwlClient) -> None:
    lot = make(brickowl)
    before = one(brickowl, lot)
    assert refused(brickowl.post("inventory/update", lot_id=lot, **sent))
    assert one(brickowl, lot) == before


def test_keeps_what_is_empty_or_not_for_sale_but_does_not_show_it(brickowl: BrickOwlClient) -> None:
    empty, hidden, shown = make(brickowl), make(brickowl), make(brickowl)
    brickowl.post("inventory/update", lot_id=empty, absolute_quantity=0)
    brickowl.post("inventory/update", lot_id=hidden, for_sale=0)
    assert [row["lot_id"] for row in brickowl.get("inventory/list").json] == [shown]
    assert len(brickowl.get("inventory/list", active_only=0).json) == 3
    assert brickowl.get("inventory/list", type="Set").json == []
    assert len(brickowl.get("inventory/list", type="Part", active_only=0).json) == 3
    assert refused(brickowl.get("inventory/list", type="Toy"))


def test_turns_switches(brickowl: BrickOwlClient, switch: Callable[..., None]) -> None:
    lot = make(brickowl)
    brickowl.post("inventory/update", lot_id=lot, sale_percent=50)
    switch(**{"bo.price_meaning": "final", "bo.below_zero": "floor", "bo.null_text": "yes"})
    assert (one(brickowl, lot)["price"], one(brickowl, lot)["base_price"]) == ("0.360", "0.720")
    assert one(brickowl, lot)["my_cost"] == "null"
    assert brickowl.post("inventory/update", lot_id=lot, relative_quantity=-99).json == DONE
    assert one(brickowl, lot)["qty"] == "0"


def test_reads_no_arguments_from_the_query_of_a_post(brickowl: BrickOwlClient) -> None:
    lot = make(brickowl)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    path = f"{brickowl.http.path}/inventory/delete?key={brickowl.key}&lot_id={lot}"
    assert brickowl.http.send("POST", path, b"", form).status == 400
    assert brickowl.http.send("POST", path, f"lot_id={lot}".encode(), form).json == DONE
    body = json.dumps({"key": brickowl.key, "lot_id": lot}).encode()
    reply = brickowl.http.send(
        "POST", f"{brickowl.http.path}/inventory/delete", body, {"Content-Type": "application/json"}
    )
    assert reply.status == 403
    assert brickowl.get("inventory/delete", lot_id=lot).status == 405


def test_needs_the_permission(sandbox: SandboxProcess) -> None:
    made = sandbox.control("POST", "sellers", {"service": "brickowl", "settings": {"permissions": ["orders"]}})
    client = BrickOwlClient(sandbox.brickowl_url, made["credentials"]["key"])
    assert client.get("inventory/list").status == 403
    assert client.get("inventory/list").json["error"]["status"] != "Invalid key"
    assert client.get("order/list").json == []
    assert client.get("affiliate/stores").status == client.post("user/get_token").status == 403


@pytest.fixture
def order(brickowl: BrickOwlClient, brickowl_store: Store) -> Any:
    lot = make(brickowl, external_id="301000044")
    other = brickowl_store.put(no="3006", color_id=7, price=1990, grade="usedg", condition="U", sale=10)
    return brickowl_store.order((int(lot), 5), (other, 3), options={"coupon": 5000})


def test_answers_orders_as_the_real_one_does(brickowl: BrickOwlClient, order: Any, switch: Callable[..., None]) -> None:
    (head,) = brickowl.get("order/list").json
    assert list(head) == [
        "order_id", "order_date", "total_quantity", "total_lots", "base_order_total", "status", "status_id",
        "base_currency", "url",
    ]  # fmt: skip
    assert all(isinstance(value, str) for value in head.values())
    view = brickowl.get("order/view", order_id=head["order_id"]).json
    assert view["iso_processed_time"] == "1970-01-01T01:00:00+01:00"
    assert view["processed_time"] is None
    assert isinstance(view["brickowl_fee"], float)
    lines = brickowl.get("order/items", order_id=head["order_id"]).json
    assert all(set(line) == ITEM for line in lines)
    assert lines[0]["external_lot_ids"] == {"other": "301000044"}
    assert lines[0]["bl_lot_id"] == "301000044"
    assert lines[1]["external_lot_ids"] == []
    assert (lines[0]["condition"], lines[1]["condition"]) == ("New", "Used (Good)")
    assert [line["remaining_quantity"] for line in lines] == ["7", "7"]
    assert lines[1]["base_price"] == "0.180"
    sums = [Decimal(line["base_price"]) * int(line["ordered_quantity"]) for line in lines]
    assert sum(each.quantize(Decimal("0.01")) for each in sums) == Decimal(view["sub_total"])
    total = Decimal(view["sub_total"]) + Decimal(view["ship_total"]) + Decimal(view["tax_amount"])
    assert total - Decimal(view["coupon_discount"]) == Decimal(view["base_order_total"])
    assert refused(brickowl.get("order/view", order_id=1))
    assert refused(brickowl.get("order/items"))
    switch(**{"bo.fresh_totals": "null"})
    assert brickowl.get("order/list").json[0]["base_order_total"] is None


@pytest.mark.parametrize("start", range(9))
def test_goes_only_forwards(start: int, brickowl: BrickOwlClient, order: Any, sandbox: SandboxProcess) -> None:
    allowed = {
        0: {1, 2, 3, 4, 5, 6, 7}, 1: {2, 3, 4, 5, 6, 7}, 2: {3, 4, 5, 6, 7}, 3: {4, 5, 6, 7}, 4: {5, 6, 7}, 5: {6, 7},
        6: set(), 7: {2, 3, 4, 5}, 8: set(),
    }  # fmt: skip
    for wanted in range(10):
        sandbox.control("POST", f"orders/{order['id']}/advance", {"status": str(start)})
        reply = brickowl.post("order/set_status", order_id=order["id"], status_id=wanted)
        assert (reply.json == DONE) == (wanted in allowed[start]), (start, wanted)
        shown = brickowl.get("order/view", order_id=order["id"]).json["status_id"]
        assert shown == str(wanted if wanted in allowed[start] else start)


def test_writes_tracking_notes_and_feedback(brickowl: BrickOwlClient, order: Any) -> None:
    number = order["id"]
    assert brickowl.post("order/tracking", order_id=number, tracking_id="RX1").json == DONE
    assert brickowl.post("order/note", order_id=number, note="packed").json == DONE
    view = brickowl.get("order/view", order_id=number).json
    assert (view["tracking_number"], view["seller_note"], view["status_id"]) == ("RX1", "packed", "0")
    assert refused(brickowl.post("order/feedback", order_id=number, rating=2))
    assert refused(brickowl.post("order/feedback", order_id=number, rating=1, comment="x" * 121))
    assert brickowl.post("order/feedback", order_id=number, rating=1, comment="fine").json == DONE
    assert refused(brickowl.post("order/feedback", order_id=number, rating=1))
    assert refused(brickowl.post("order/tracking", order_id=number))
    assert brickowl.get("order/tax_schemes").status == 200


def test_lists_orders_newest_first(brickowl: BrickOwlClient, brickowl_store: Store, sandbox: SandboxProcess) -> None:
    lot = brickowl_store.put(quantity=100, grade="new")
    numbers = []
    for _ in range(3):
        numbers.append(str(brickowl_store.order((lot, 1))["id"]))
        sandbox.control("POST", "clock", {"advance_s": 10})

    def shown(**arguments: Any) -> list[str]:
        return [row["order_id"] for row in brickowl.get("order/list", **arguments).json]

    assert shown() == numbers[::-1]
    assert shown(limit=1) == numbers[2:]
    brickowl.post("order/set_status", order_id=numbers[0], status_id=3)
    assert shown(sort_by="updated", limit=1) == numbers[:1]
    assert shown(status="Processing") == shown(status=3) == numbers[:1]
    placed = brickowl.get("order/list").json[1]["order_date"]
    assert shown(order_time=placed) == numbers[:0:-1]
    assert shown(list_type="customer") == []
    for bad in ({"limit": 0}, {"limit": 5001}, {"status": "gone"}, {"list_type": "x"}, {"sort_by": "x"}):
        assert refused(brickowl.get("order/list", **bad))


@pytest.mark.parametrize(("value", "left"), [("yes", "12"), ("no", "7")])
def test_gives_back_what_was_cancelled(
    value: str, left: str, brickowl: BrickOwlClient, brickowl_store: Store, order: Any
) -> None:
    brickowl_store.sandbox.control("POST", "switches", {"bo.cancel_restocks": value})
    brickowl_store.buyer(order["id"], "cancel")
    assert brickowl.get("order/view", order_id=order["id"]).json["status"] == "Cancelled"
    assert brickowl.get("inventory/list", external_id_1="301000044").json[0]["qty"] == left


def batch(client: BrickOwlClient, *requests: Any) -> Any:
    return client.post("bulk/batch", requests=json.dumps({"requests": list(requests)}))


def update(lot: str, **values: Any) -> dict[str, Any]:
    return {"endpoint": "inventory/update", "request_method": "POST", "params": [{"lot_id": lot, **values}]}


def test_answers_many_calls_in_order(brickowl: BrickOwlClient, switch: Callable[..., None]) -> None:
    lot = make(brickowl)
    calls = (
        update(lot, absolute_quantity=2), update("1", absolute_quantity=2), update(lot, price=0.5),
        {"endpoint": "inventory/list", "request_method": "GET", "params": [{"lot_id": lot}]},
        {"endpoint": "inventory/nothing", "request_method": "GET", "params": []},
        {"endpoint": "bulk/batch", "request_method": "POST", "params": []},
    )  # fmt: skip
    done, lost, priced, listed, unknown, nested = batch(brickowl, *calls).json
    assert done == priced == DONE
    assert "error" in lost
    assert "error" in unknown
    assert "error" in nested
    assert (listed[0]["qty"], listed[0]["base_price"]) == ("2", "0.500")
    switch(**{"bo.batch_shape": "responses"})
    rows = batch(brickowl, *calls).json["responses"]
    assert [row["status_code"] for row in rows[:2]] == [200, 400]
    assert list(rows[0]) == ["endpoint", "status_code", "body"]


def test_limits_a_batch(brickowl: BrickOwlClient, sandbox: SandboxProcess, switch: Callable[..., None]) -> None:
    lot = make(brickowl)
    assert len(batch(brickowl, *[update(lot, absolute_quantity=2)] * 50).json) == 50
    assert refused(batch(brickowl, *[update(lot, absolute_quantity=2)] * 51))
    assert refused(batch(brickowl))
    for text in ("", "{", "[]", '{"requests":1}', '{"requests":[{}]}', '{"requests":[{"endpoint":"x","params":[1]}]}'):
        assert refused(brickowl.post("bulk/batch", requests=text))
    made = sandbox.control(
        "POST", "sellers", {"service": "brickowl", "settings": {"batch_per_minute": 2, "per_minute": 9}}
    )
    sandbox.control("POST", "clock", {"mode": "frozen"})
    client = BrickOwlClient(sandbox.brickowl_url, made["credentials"]["key"])
    assert [batch(client, update("1")).status for _ in range(3)] == [200, 200, 429]
    sandbox.control("POST", "clock", {"mode": "frozen", "advance_s": 120})
    switch(**{"bo.batch_strict": "yes"})
    answers = batch(client, *[update("1")] * 12).json
    assert sum("Too many" in str(answer) for answer in answers) == 4


def test_keeps_wish_lists(brickowl: BrickOwlClient) -> None:
    made = brickowl.post("wishlist/create_list", name="Castle").json["wishlist_id"]
    lot = brickowl.post("wishlist/create_lot", wishlist_id=made, boid="900111", color_id=81).json["lot_id"]
    assert brickowl.post("wishlist/update", wishlist_id=made, lot_id=lot, note="x").json == DONE
    (row,) = brickowl.get("wishlist/lots", wishlist_id=made).json
    assert (row["lot_id"], row["boid"], row["note"]) == (lot, "900111-81", "x")
    assert brickowl.post("wishlist/update_list", wishlist_id=made, name="Town").json == DONE
    assert brickowl.get("wishlist/lists").json[0]["name"] == "Town"
    assert brickowl.post("wishlist/delete_lot", wishlist_id=made, lot_id=lot).json == DONE
    assert brickowl.post("wishlist/delete_list", wishlist_id=made).json == DONE
    assert brickowl.get("wishlist/lists").json == []
    owned = brickowl.post("collection/create_lot", boid="933884").json["lot_id"]
    assert brickowl.post("collection/update", lot_id=owned, quantity=2).json == DONE
    assert brickowl.get("collection/lots").json[0]["quantity"] == "2"
    assert brickowl.post("collection/delete_lot", lot_id=owned).json == DONE
