"""The catalog over HTTP: found by any platform's number, item by item, with what of it is in stock."""

from typing import Any

import pytest
from django.utils import timezone

from catalog.models import CatalogExternalId, CatalogItem
from common.testing.query_counts import counted
from inventory import services
from inventory.testing import make_location, make_lot
from inventory.tests.api import Program

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    """Answer a program of the owner's."""
    return Program()


def _found(program: Program, path: str) -> list[dict[str, Any]]:
    answer = program.get(f"/api/v1{path}")
    assert answer.status_code == 200, answer.content
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def test_an_element_id_finds_the_item_in_its_color_and_what_of_it_is_in_stock(program: Program) -> None:
    red = make_lot(qty=12, location=make_location("A-01-03"))
    make_lot(qty=5, color_id=7)
    found = _found(program, "/search?q=300121")[0]
    assert (found["canonical_id"], found["color_id"], found["matched_by"]) == ("3001", 5, "LEGO element 300121")
    assert found["in_stock"] == [
        {"inventory_item_id": str(red.pk), "color_id": 5, "condition": "NEW", "qty_available": 12, "qty_reserved": 0,
         "locations": ["A-01-03"]}
    ]  # fmt: skip
    platform_ids = found["platform_ids"]
    assert platform_ids["bricklink"] == "3001"
    assert "300121" in platform_ids["lego_elements"]


def test_what_the_shop_says_itself_wins(program: Program) -> None:
    item = CatalogItem.objects.get(item_type="PART", item_no="3001")
    CatalogExternalId.objects.create(
        item=item, system="brickowl", external_id="771344", source="manual", confidence="0.98"
    )
    services.set_item_mapping(
        system="brickowl", external_id="771344", item_type="PART", item_no="3023", color_id=11, now=timezone.now(),
    )  # fmt: skip
    found = _found(program, "/search?q=boid+771344")
    assert [(one["canonical_id"], one["color_id"]) for one in found[:2]] == [("3023", 11), ("3001", None)]
    assert found[0]["matched_by"] == "Your own mapping of Brick Owl 771344"


def test_words_find_and_wrong_spellings_say_as_what_they_were_read(program: Program) -> None:
    assert _found(program, "/search?q=2x4+red+brick")[0]["color_id"] == 5
    answer = program.get("/api/v1/search?q=brik+2x4").json()
    assert (answer["corrected"], answer["results"][0]["canonical_id"]) == ("brick 2x4", "3001")


@pytest.mark.parametrize("query", ["", "q=", "q=brick&limit=51", f"q={'x' * 201}", "q=brick&sort=x"])
def test_what_is_no_search_is_refused(query: str, program: Program) -> None:
    assert program.get(f"/api/v1/search?{query}").status_code == 422


def test_an_item_has_its_numbers_colors_and_stock(program: Program) -> None:
    make_lot(qty=3)
    item = program.get("/api/v1/catalog/items/PART/3001").json()
    assert (item["name"], item["canonical_id"]) == ("Brick 2 x 4", "3001")
    assert {"system": "bricklink", "number": "3001", "is_sure": True} in item["numbers"]
    assert item["in_stock"][0]["qty_available"] == 3
    colors = {color["id"]: color for color in _found(program, "/catalog/items/part/3001/colors")}
    assert "300121" in colors[5]["element_ids"]
    assert (colors[5]["qty_in_stock"], colors[7]["qty_in_stock"]) == (3, 0)


@pytest.mark.parametrize(
    "path", ["items/PART/nothing", "items/THING/3001", "items/PART/nothing/colors", "sets/nothing/parts"]
)
def test_what_the_catalog_does_not_know_is_not_found(path: str, program: Program) -> None:
    assert program.get(f"/api/v1/catalog/{path}").status_code == 404


def test_a_set_has_its_parts(program: Program) -> None:
    parts = _found(program, "/catalog/sets/1869-1/parts")
    reds = [part for part in parts if (part["canonical_id"], part["color_id"]) == ("3001", 5)]
    assert [(part["qty"], part["kind"], part["color_name"]) for part in reds] == [(2, "regular", "Red")]


def test_categories_are_kept_by_who_has_asked_for_them(program: Program) -> None:
    answer = program.get("/api/v1/definitions/categories")
    assert answer.status_code == 200
    assert answer["ETag"]


def test_many_lots_of_one_item_hide_none_of_another(program: Program) -> None:
    for number in range(110):
        make_lot(qty=100 + number, color_id=5, remarks=f"box {number}")
    make_lot(qty=3, item_no="3003", color_id=5)
    found = {one["canonical_id"]: one["in_stock"] for one in _found(program, "/search?q=red+brick&limit=50")}
    assert len(found["3001"]) == 100
    assert found["3001"][0]["qty_available"] == 209
    assert [lot["qty_available"] for lot in found["3003"]] == [3]
    colors = {color["id"]: color for color in _found(program, "/catalog/items/PART/3001/colors")}
    assert colors[5]["qty_in_stock"] == sum(range(100, 210))


def test_a_search_asks_as_often_for_many_items_as_for_one(program: Program) -> None:
    for number in range(40):
        make_lot(qty=number + 1, item_no="3001", color_id=1 + number % 12)
    program.get("/api/v1/search?q=3001")
    costs = []
    for path in ("/api/v1/search?q=300121", "/api/v1/search?q=brick&limit=50"):
        with counted() as statements:
            assert program.get(path).status_code == 200
        costs.append(len(statements))
    assert costs[1] <= costs[0]
