"""BrickLink's catalog and price guide: fields, filters, and what is refused."""

from decimal import Decimal

import pytest

from common.testing.sandbox import SandboxProcess
from tests.sandbox.clients import BrickLinkClient


def test_answers_as_the_real_one_does(bricklink: BrickLinkClient, sandbox: SandboxProcess) -> None:
    reply = bricklink.send("GET", "/items/part/3001")
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "text/html;charset=utf-8"
    assert reply.headers["Server"] == "BrickLink"
    assert reply.headers["Transfer-Encoding"] == "chunked"
    assert list(reply.json["meta"].items()) == [("description", "OK"), ("message", "OK"), ("code", 200)]
    assert reply.data["no"] == "3001"
    assert reply.data["type"] == "PART"
    assert isinstance(reply.data["category_id"], int)
    assert reply.data["weight"] == "2.32"
    assert reply.data["image_url"].startswith("//")
    sandbox.control("POST", "switches", {"bl.content_type": "application/json;charset=utf-8"})
    assert "json" in bricklink.send("GET", "/items/part/3001").headers["Content-Type"]


@pytest.mark.parametrize(("method", "path", "code", "message"), [
    ("GET", "/items/PART/nothing", 400, "PARAMETER_MISSING_OR_INVALID"),
    ("GET", "/items/TOY/3001", 400, "PARAMETER_MISSING_OR_INVALID"),
    ("GET", "/items/", 400, "INVALID_URI"),
    ("GET", "/nothing", 400, "INVALID_URI"),
    ("PUT", "/items/PART/3001", 405, "METHOD_NOT_ALLOWED"),
    ("GET", "/colors/9999", 404, "RESOURCE_NOT_FOUND"),
    ("GET", "/categories/999999", 404, "RESOURCE_NOT_FOUND"),
    ("GET", "/items/PART/3001/images/x", 400, "PARAMETER_MISSING_OR_INVALID"),
    ("GET", "/items/PART/3001/price?vat=X", 400, "PARAMETER_MISSING_OR_INVALID"),
    ("GET", "/items/PART/3001/price?guide_type=old", 400, "PARAMETER_MISSING_OR_INVALID"),
    ("GET", "/items/PART/3001/price?new_or_used=Q", 400, "PARAMETER_MISSING_OR_INVALID"),
    ("GET", "/items/PART/3001/price?currency_code=XXX", 400, "PARAMETER_MISSING_OR_INVALID"),
    ("GET", "/items/PART/3001/price?color_id=red", 400, "PARAMETER_MISSING_OR_INVALID"),
    ("GET", "/item_mapping/SET/60239-1", 400, "PARAMETER_MISSING_OR_INVALID"),
    ("GET", "/items/SET/60239-1/subsets?box=perhaps", 400, "PARAMETER_MISSING_OR_INVALID"),
])  # fmt: skip
def test_refuses(method: str, path: str, code: int, message: str, bricklink: BrickLinkClient) -> None:
    reply = bricklink.send(method, path)
    assert (reply.status, reply.meta["code"], reply.meta["message"]) == (200, code, message)


def test_says_where_a_path_leads_nowhere(bricklink: BrickLinkClient, sandbox: SandboxProcess) -> None:
    assert bricklink.send("GET", "/items/").meta["description"] == "/api/store/v1/items/"
    sandbox.control("POST", "switches", {"bl.strict_http_status": "yes", "bl.unknown_item": "404"})
    assert bricklink.send("GET", "/items/PART/nothing").status == 404


def test_lists_contents_with_figures_whole_or_broken(bricklink: BrickLinkClient) -> None:
    whole = bricklink.get("/items/SET/60239-1/subsets")
    assert {"match_no", "entries"} == set(whole[0])
    entry = whole[0]["entries"][0]
    assert list(entry) == ["item", "color_id", "quantity", "extra_quantity", "is_alternate", "is_counterpart"]
    assert any(each["item"]["type"] == "MINIFIG" for row in whole for each in row["entries"])
    broken = bricklink.get("/items/SET/60239-1/subsets?break_minifigs=True&instruction=true&box=true")
    kinds = {each["item"]["type"] for row in broken for each in row["entries"]}
    assert kinds == {"PART", "INSTRUCTION", "ORIGINAL_BOX"}


def test_offers_alternatives_in_one_match(bricklink: BrickLinkClient) -> None:
    groups = [
        row
        for number in ("10696-1", "11001-1", "21033-1", "31058-1", "75263-1", "76112-1")
        for row in bricklink.get(f"/items/SET/{number}/subsets")
        if row["match_no"]
    ]
    assert groups
    for group in groups:
        assert [entry["is_alternate"] for entry in group["entries"]].count(False) == 1
        assert len(group["entries"]) > 1


def test_finds_what_a_part_is_in(bricklink: BrickLinkClient) -> None:
    rows = bricklink.get("/items/PART/3001/supersets?color_id=5")
    assert [row["color_id"] for row in rows] == [5]
    assert {"item", "quantity", "appears_as"} == set(rows[0]["entries"][0])


def test_maps_elements_both_ways(bricklink: BrickLinkClient, sandbox: SandboxProcess) -> None:
    rows = bricklink.get("/item_mapping/PART/3001?color_id=5")
    assert rows[0]["color_name"] == "Red"
    assert bricklink.get(f"/item_mapping/{rows[0]['element_id']}") == rows
    assert bricklink.get("/item_mapping/1") == []
    sandbox.control("POST", "switches", {"bl.no_mapping": "404"})
    assert bricklink.send("GET", "/item_mapping/1").meta["code"] == 404


def test_writes_names_with_entities(bricklink: BrickLinkClient) -> None:
    assert "&#40;" in bricklink.get("/items/PART/3626c")["name"]


@pytest.mark.parametrize("kind", ["sold", "stock"])
@pytest.mark.parametrize("item", ["PART/3001", "SET/60239-1", "MINIFIG/cas019"])
@pytest.mark.parametrize("condition", ["N", "U"])
def test_prices_hold_together(kind: str, item: str, condition: str, bricklink: BrickLinkClient) -> None:
    path = f"/items/{item}/price?guide_type={kind}&new_or_used={condition}&currency_code=EUR"
    guide = bricklink.get(path)
    detail = guide["price_detail"]
    low, high = Decimal(guide["min_price"]), Decimal(guide["max_price"])
    assert low <= Decimal(guide["avg_price"]) <= high
    assert low <= Decimal(guide["qty_avg_price"]) <= high
    assert guide["unit_quantity"] == len(detail)
    assert guide["total_quantity"] == sum(row["quantity"] for row in detail)
    if detail:
        assert low == min(Decimal(row["unit_price"]) for row in detail)
    fields = {
        "sold": {"quantity", "unit_price", "seller_country_code", "buyer_country_code", "date_ordered"},
        "stock": {"quantity", "qunatity", "unit_price", "shipping_available"},
    }
    assert all(set(row) == fields[kind] for row in detail)
    assert bricklink.get(path) == guide


def test_prices_by_region(bricklink: BrickLinkClient) -> None:
    path = "/items/PART/3001/price?color_id=5&guide_type=sold"
    world, europe = bricklink.get(path), bricklink.get(f"{path}&region=europe")
    assert 0 < europe["unit_quantity"] < world["unit_quantity"]
    assert bricklink.get(f"{path}&region=atlantis") == world
    country = bricklink.get(f"{path}&country_code=DE")
    assert {row["seller_country_code"] for row in country["price_detail"]} <= {"DE"}
    taxed = bricklink.get(f"{path}&country_code=DE&vat=Y")
    assert Decimal(taxed["max_price"]) > Decimal(country["max_price"])


def test_has_nothing_for_a_color_that_does_not_exist(bricklink: BrickLinkClient) -> None:
    guide = bricklink.get("/items/PART/3001/price?color_id=123")
    assert (guide["avg_price"], guide["unit_quantity"], guide["price_detail"]) == ("0.0000", 0, [])
