"""What goes wrong on command: inside of the services, for one seller, for some time, from now on, and in mixes."""

import http.client
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from common.testing.sandbox import SandboxProcess
from tests.sandbox.clients import BrickLinkClient, BrickOwlClient, BrikickClient
from tests.sandbox.conftest import Store

PART = {
    "item": {"no": "3001", "type": "PART"}, "color_id": 5, "quantity": 42, "new_or_used": "U", "unit_price": "0.12",
}  # fmt: skip


def test_does_a_change_twice(
    bricklink: BrickLinkClient, bricklink_store: Store, brickowl: BrickOwlClient, sandbox: SandboxProcess
) -> None:
    lot = bricklink_store.put(quantity=10)
    sandbox.fault("duplicate_effect", method="PUT", times=1)
    assert bricklink.put(f"/inventories/{lot}", {"quantity": "-3"}).data["quantity"] == 4
    assert bricklink.put(f"/inventories/{lot}", {"quantity": "-3"}).data["quantity"] == 1
    sandbox.fault("duplicate_effect", service="brickowl", method="POST")
    brickowl.post("inventory/create", boid="900111", color_id=81, quantity=1, price=1, condition="new")
    assert len(brickowl.get("inventory/list").json) == 2


@pytest.mark.parametrize("kind", ["timeout_after", "reset_after"])
def test_does_a_change_whose_answer_never_comes(
    kind: str, bricklink: BrickLinkClient, bricklink_store: Store, sandbox: SandboxProcess
) -> None:
    lot = bricklink_store.put(quantity=10)
    sandbox.fault(kind, method="PUT", times=1, seconds=0.1)
    with pytest.raises((OSError, http.client.HTTPException)):
        bricklink.put(f"/inventories/{lot}", {"quantity": "-3"})
    assert bricklink.get(f"/inventories/{lot}")["quantity"] == 7


@pytest.mark.parametrize("kind", ["timeout_before", "reset_before"])
def test_does_nothing_where_it_broke_before(
    kind: str, bricklink: BrickLinkClient, bricklink_store: Store, sandbox: SandboxProcess
) -> None:
    lot = bricklink_store.put(quantity=10)
    sandbox.fault(kind, method="PUT", times=1, seconds=0.1)
    with pytest.raises((OSError, http.client.HTTPException)):
        bricklink.put(f"/inventories/{lot}", {"quantity": "-3"})
    assert bricklink.get(f"/inventories/{lot}")["quantity"] == 10


def test_shows_lists_as_they_were(
    bricklink: BrickLinkClient, bricklink_store: Store, brickowl: BrickOwlClient, brickowl_store: Store,
    sandbox: SandboxProcess,
) -> None:  # fmt: skip
    lots = [(store, store.put(grade="new"), store.put(grade="new")) for store in (bricklink_store, brickowl_store)]
    sandbox.control("POST", "clock", {"advance_s": 100})
    bricklink.clock = lambda: time.time() + 100
    for store, kept, gone in lots:
        store.edit(kept, quantity=1)
        store.order((gone, 10))
        store.put(grade="new", remarks="later")
    assert sorted(row["quantity"] for row in bricklink.get("/inventories")) == [1, 10]
    sandbox.fault("stale_read", seconds=50)
    assert [row["quantity"] for row in bricklink.get("/inventories")] == [10, 10]
    assert [row["qty"] for row in brickowl.get("inventory/list").json] == ["10", "10"]
    assert bricklink.get("/orders") == []
    assert brickowl.get("order/list").json == []


def test_shows_an_order_as_it_was(bricklink: BrickLinkClient, bricklink_store: Store, sandbox: SandboxProcess) -> None:
    order = bricklink_store.order((bricklink_store.put(), 1))
    sandbox.control("POST", "clock", {"advance_s": 100})
    bricklink.clock = lambda: time.time() + 100
    bricklink_store.buyer(order["id"], "pay")
    sandbox.fault("stale_read", seconds=50)
    assert bricklink.get("/orders")[0]["status"] == "PENDING"
    assert bricklink.get(f"/orders/{order['id']}")["status"] == "PAID"


def test_leaves_a_part_of_a_list_out(
    bricklink: BrickLinkClient, bricklink_store: Store, sandbox: SandboxProcess
) -> None:
    bricklink_store.generate(30)
    sandbox.fault("short_list", path="inventories$", every=3, times=1)
    assert len(bricklink.get("/inventories")) == 20
    sandbox.fault("short_list", path="inventories$", most=4, times=1)
    assert len(bricklink.get("/inventories")) == 4
    assert len(bricklink.get("/inventories")) == 30


def test_loses_a_part_of_a_batch(
    bricklink: BrickLinkClient, brickowl: BrickOwlClient, brikick: BrikickClient, sandbox: SandboxProcess
) -> None:
    sandbox.fault("batch_partial", every=2)
    assert bricklink.post("/inventories", [PART] * 4).meta["code"] == 201
    assert len(bricklink.get("/inventories")) == 2
    create = {
        "endpoint": "inventory/create", "request_method": "POST",
        "params": [{"boid": "900111", "color_id": 81, "quantity": 1, "price": 1, "condition": "new"}],
    }  # fmt: skip
    answers = brickowl.post("bulk/batch", requests=json.dumps({"requests": [create] * 4})).json
    assert ["error" in answer for answer in answers] == [False, True, False, True]
    lot = {"item_type": "P", "item_no": "3001", "color_id": 5, "condition": "U", "quantity": 1, "unit_price": "0.0500"}
    results = brikick.post("/lots/batch", {"operations": [{"op": "create", "lot": lot}] * 4}).json["results"]
    assert [row["status"] for row in results] == [201, 500, 201, 500]
    sandbox.control("DELETE", "faults")
    sandbox.fault("batch_partial", every=2, silently=True)
    answers = brickowl.post("bulk/batch", requests=json.dumps({"requests": [create] * 4})).json
    assert all(answer["status"] == "success" for answer in answers)
    assert len(brickowl.get("inventory/list").json) == 4


def test_skews_the_clock(bricklink: BrickLinkClient, sandbox: SandboxProcess) -> None:
    sandbox.fault("clock_skew", seconds=3_600, times=1)
    assert bricklink.send("GET", "/colors/5").meta["description"].startswith("TIMESTAMP_REFUSED")
    assert bricklink.send("GET", "/colors/5").meta["code"] == 200


@pytest.mark.parametrize(("kind", "bricklink_says", "brickowl_says", "brikick_says"), [
    ("token_revoked", "TOKEN_REJECTED", 403, 401), ("quota_gone", "API call limit exceeded", 429, 429),
    ("ip_changed", "TOKEN_IP_MISMATCHED", 200, 200),
])  # fmt: skip
def test_lets_something_befall_a_seller_for_good(
    kind: str, bricklink_says: str, brickowl_says: int, brikick_says: int, sandbox: SandboxProcess,
) -> None:  # fmt: skip
    bricklink = BrickLinkClient(sandbox.bricklink_url, sandbox.bricklink_credentials)
    brickowl = BrickOwlClient(sandbox.brickowl_url, sandbox.brickowl_key)
    brikick = BrikickClient(sandbox.brikick_url, sandbox.brikick_key)
    sandbox.fault(kind, nth=2, path="colors/5|details|/me")
    for _ in range(2):
        last = bricklink.send("GET", "/colors/5")
    assert last.meta["description"].startswith(bricklink_says)
    sandbox.control("DELETE", "faults")
    assert bricklink.send("GET", "/colors/5").meta["description"].startswith(bricklink_says)
    for service, ask, says in (
        ("brickowl", lambda: brickowl.get("user/details").status, brickowl_says),
        ("brikick", lambda: brikick.send("GET", "/me").status, brikick_says),
    ):
        assert ask() == 200
        sandbox.fault(kind, service=service, times=1)
        assert [ask(), ask()] == [says, says]


def test_a_seller_gets_other_credentials(brickowl: BrickOwlClient, sandbox: SandboxProcess) -> None:
    sandbox.fault("token_revoked", service="brickowl", times=1)
    assert [brickowl.get("user/details").status for _ in range(2)] == [403, 403]
    seller = next(row for row in sandbox.control("GET", "sellers") if row["service"] == "brickowl")
    made = sandbox.control("POST", f"sellers/{seller['id']}/credentials")["credentials"]
    assert BrickOwlClient(sandbox.brickowl_url, made["key"]).get("user/details").status == 200
    assert brickowl.get("user/details").status == 403


def test_hits_one_seller_for_some_time(bricklink: BrickLinkClient, sandbox: SandboxProcess) -> None:
    made = sandbox.control("POST", "sellers", {"service": "bricklink", "name": "other"})
    other = BrickLinkClient(sandbox.bricklink_url, made["credentials"])
    now = time.time()
    sandbox.control("POST", "faults", {
        "kind": "status", "status": 503, "seller": "other", "from": now - 60, "until": now + 60,
    })  # fmt: skip
    assert bricklink.send("GET", "/colors/5").status == 200
    assert other.send("GET", "/colors/5").status == 503
    sandbox.control("POST", "clock", {"advance_s": 120})
    other.clock = lambda: time.time() + 120
    assert other.send("GET", "/colors/5").status == 200


def test_answers_any_code_of_the_envelope(bricklink: BrickLinkClient, sandbox: SandboxProcess) -> None:
    sandbox.fault("status", meta_code=500, message="INTERNAL_SERVER_ERROR", description="oops", service="bricklink")
    reply = bricklink.send("GET", "/colors/5")
    assert (reply.status, reply.json) == (
        200, {"meta": {"description": "oops", "message": "INTERNAL_SERVER_ERROR", "code": 500}},
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "options", "check"), [
    ("half_json", {}, lambda reply: not is_json(reply)), ("empty", {}, lambda reply: reply.body == b""),
    ("html", {"status": 503}, lambda reply: reply.status == 503 and b"<html" in reply.body),
    ("rate_limit", {"retry_after": "soon"}, lambda reply: reply.headers["Retry-After"] == "soon"),
    ("wrong_encoding", {}, lambda reply: b"\xe9" in reply.body),
])  # fmt: skip
def test_spoils_a_long_list_too(
    kind: str, options: dict[str, Any], check: Callable[[Any], bool], bricklink: BrickLinkClient,
    bricklink_store: Store,
) -> None:  # fmt: skip
    sandbox = bricklink_store.sandbox
    bricklink_store.generate(200)
    sandbox.fault(kind, path="inventories$", **options)
    assert check(bricklink.send("GET", "/inventories"))


def is_json(reply: Any) -> bool:
    try:
        json.loads(reply.body)
    except ValueError:
        return False
    return True


def test_cuts_a_list_that_comes_in_chunks(
    bricklink: BrickLinkClient, bricklink_store: Store, sandbox: SandboxProcess
) -> None:
    bricklink_store.generate(200)
    sandbox.fault("half_body", path="inventories$", times=1)
    with pytest.raises(http.client.IncompleteRead):
        bricklink.send("GET", "/inventories")
    sandbox.fault("slow_body", path="inventories$", pieces=5, seconds=0.01, times=1)
    assert len(bricklink.get("/inventories")) == 200


def test_rolls_the_same_dice_each_time(bricklink: BrickLinkClient, sandbox: SandboxProcess) -> None:
    def run(seed: int) -> list[int]:
        sandbox.control("POST", "faults", {"mix": "calm", "seed": seed})
        sandbox.fault("status", status=500, probability=0.3)
        sandbox.fault("status", status=503, probability=0.3)
        return [bricklink.send("GET", "/colors/5").status for _ in range(40)]

    first = run(5)
    assert {200, 500, 503} == set(first)
    assert run(5) == first
    assert run(6) != first


def test_has_mixes_of_faults_ready(bricklink: BrickLinkClient, sandbox: SandboxProcess) -> None:
    for mix, count in (("bad_day", 4), ("storm", 8), ("calm", 0)):
        sandbox.control("POST", "faults", {"mix": mix})
        assert len(sandbox.control("GET", "faults")) == count
    sandbox.control("POST", "faults", {"mix": "quota_cliff"})
    codes = [bricklink.send("GET", "/colors/5").meta["code"] for _ in range(52)]
    assert codes == [200] * 50 + [429] * 2


def test_waits_as_long_as_it_shall(bricklink: BrickLinkClient, sandbox: SandboxProcess) -> None:
    sandbox.fault("latency", median_seconds=0.05)
    began = time.monotonic()
    for _ in range(5):
        bricklink.send("GET", "/colors/5")
    assert 0.05 < time.monotonic() - began < 5
