"""Brick Owl's key, limits and catalog."""

from common.testing.sandbox import SandboxProcess
from tests.sandbox.clients import BrickOwlClient, Http
from tests.sandbox.conftest import Store


def test_takes_the_key_of_somebody_only(brickowl: BrickOwlClient, sandbox: SandboxProcess) -> None:
    assert brickowl.get("user/details").json["has_store"] is True
    for key in ("wrong", ""):
        reply = BrickOwlClient(sandbox.brickowl_url, key).get("user/details")
        assert (reply.status, reply.json) == (403, {"error": {"status": "Invalid key"}})
    sandbox.control("POST", "switches", {"bo.error_shape": "string", "bo.error_http": "200"})
    reply = BrickOwlClient(sandbox.brickowl_url, "wrong").get("user/details")
    assert (reply.status, reply.json) == (200, {"error": "Invalid key"})
    sandbox.control("POST", "switches", {"bo.error_http": "4xx"})
    assert sandbox.asked()[-1]["query"]["key"] == "[hidden]"


def test_refuses_endpoints_and_verbs_that_are_not_there(brickowl: BrickOwlClient, sandbox: SandboxProcess) -> None:
    assert brickowl.get("catalog/nothing").status == 404
    assert brickowl.get("catalog/cart_basic").status == 405
    reply = Http(sandbox.url).send(
        "POST", f"/brickowl/v1/catalog/cart_basic?key={brickowl.key}&items=x", b'{"items":[]}',
        {"Content-Type": "application/json"},
    )  # fmt: skip
    assert reply.status == 400
    assert "items" in reply.json["error"]["status"]


def test_needs_the_staffs_approval_for_some(sandbox: SandboxProcess) -> None:
    made = sandbox.control("POST", "sellers", {"service": "brickowl", "settings": {"is_catalog_approved": False}})
    client = BrickOwlClient(sandbox.brickowl_url, made["credentials"]["key"])
    for endpoint in ("list", "lookup", "bulk_lookup", "availability", "inventory", "bulk"):
        assert client.get(f"catalog/{endpoint}").status == 403
    for endpoint in ("color_list", "condition_list"):
        assert client.get(f"catalog/{endpoint}").status == 200


def test_slows_down_who_calls_too_often(sandbox: SandboxProcess) -> None:
    made = sandbox.control("POST", "sellers", {"service": "brickowl", "settings": {"per_minute": 5}})
    sandbox.control("POST", "clock", {"mode": "frozen"})
    client = BrickOwlClient(sandbox.brickowl_url, made["credentials"]["key"])
    assert [client.get("user/details").status for _ in range(6)] == [200] * 5 + [429]
    assert client.get("user/details").headers["Retry-After"] == "60"
    sandbox.control("POST", "clock", {"mode": "frozen", "advance_s": 60})
    assert client.get("user/details").status == 200


def test_finds_what_a_number_means(brickowl: BrickOwlClient) -> None:
    boids = brickowl.get("catalog/id_lookup", id="3001", type="Part", id_type="bl_item_no").json["boids"]
    assert {boid.partition("-")[0] for boid in boids} == {"900111"}
    assert "900111-81" in boids
    assert brickowl.get("catalog/id_lookup", id="300121", type="Part", id_type="item_no").json["boids"] == ["900111-81"]
    sets = brickowl.get("catalog/id_lookup", id="60239-1", type="Set").json["boids"]
    assert len(sets) == 1
    assert brickowl.get("catalog/id_lookup", id="nothing", type="Part").json == {"boids": []}
    assert brickowl.get("catalog/id_lookup", id="3001", type="Toy").status == 400
    assert brickowl.get("catalog/id_lookup", id="3001").status == 400


def test_describes_items(brickowl: BrickOwlClient) -> None:
    item = brickowl.get("catalog/lookup", boid="900111-81").json
    assert list(item) == [
        "boid", "name", "type", "url", "permalink", "ids", "images", "color_name", "color_id", "color_hex",
        "cat_name_path", "cheapest_gbp", "missing_data",
    ]  # fmt: skip
    assert {"id": "300121", "type": "item_no"} in item["ids"]
    assert {"id": "3001", "type": "bl_item_no"} in item["ids"]
    assert (item["color_name"], item["color_id"]) == ("Red", "81")
    bad = brickowl.get("catalog/lookup", boid="12313131323")
    assert (bad.status, bad.json) == (400, {"error": {"status": "Invalid BOID - 12313131323"}})
    many = brickowl.get("catalog/bulk_lookup", boids="900111-81,900111,1").json["items"]
    assert set(many) == {"900111-81", "900111"}
    assert brickowl.get("catalog/bulk_lookup", boids=",".join("1" * 101)).status == 400
    assert brickowl.get("catalog/bulk_lookup", boids="1").json == {"items": []}


def test_escapes_as_php_does(brickowl: BrickOwlClient) -> None:
    assert b"https:\\/\\/" in brickowl.get("catalog/lookup", boid="900111").body


def test_searches_by_page(brickowl: BrickOwlClient) -> None:
    first = brickowl.get("catalog/search", query="brick 2").json
    second = brickowl.get("catalog/search", query="brick 2", page=2).json
    assert int(first["total_available"]) > 40
    assert len(first["results"]) == 20
    assert not {row["boid"] for row in first["results"]} & {row["boid"] for row in second["results"]}
    assert brickowl.get("catalog/search", query="All", page=51).status == 400


def test_lists_everything(brickowl: BrickOwlClient) -> None:
    rows = brickowl.get("catalog/list", type="Set").json
    assert len(rows) == 308
    assert set(rows[0]) == {"boid", "type", "name", "permalink"}


def test_says_who_offers_an_item(brickowl: BrickOwlClient, brickowl_store: Store) -> None:
    rows = brickowl.get("catalog/availability", boid="900111-81", country="DE").json
    assert rows
    assert all(row["boid"] == "900111-81" for row in rows.values())
    large = brickowl.get("catalog/availability", boid="900111-81", country="DE", quantity=10).json
    assert 0 < len(large) < len(rows)
    assert brickowl.get("catalog/availability", boid="900111-81").status == 400
    lot = brickowl_store.put(grade="new", quantity=4)
    (mine,) = [row for row in brickowl.get("catalog/availability", boid="900111-81", country="DE").json.values()
               if row["store_name"] == "Demo Bricks"]  # fmt: skip
    assert (mine["lot_id"], mine["qty"], mine["con"]) == (str(lot), "4", "new")


def test_knows_what_is_in_a_set(brickowl: BrickOwlClient) -> None:
    boid = brickowl.get("catalog/id_lookup", id="60239-1", type="Set").json["boids"][0]
    rows = brickowl.get("catalog/inventory", boid=boid).json["inventory"]
    assert set(rows[0]) == {"boid", "quantity", "extra_quantity", "sequence_id", "alt_link"}
    assert brickowl.get("catalog/inventory", boid="900111").status == 400


def test_maps_colors(brickowl: BrickOwlClient) -> None:
    colors = brickowl.get("catalog/color_list").json
    assert colors["38"]["bl_ids"] == ["11"]
    assert colors["163"]["bl_ids"] == ["-10"]
    assert colors["67"]["bl_ids"] == ["35", "171"]
    assert brickowl.get("catalog/condition_list").json["usedg"] == "Used (Good)"
