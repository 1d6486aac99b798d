"""What Brick Owl's answers come to: literal ones, from its documentation (channels-brickowl.md)."""

from typing import Any

import pytest

from catalog.choices import ItemType
from catalog.sources import brickowl
from catalog.sources.base import ELEMENT, FoundItem

TILE = {
    "boid": "487300", "name": "LEGO Tile 1 x 2 with Groove (3069)", "type": "Part",
    "url": "https://www.brickowl.com/catalog/x", "permalink": "https://www.brickowl.com/boid/487300",
    "ids": [
        {"id": "3069", "type": "design_id"}, {"id": "306926", "type": "item_no"}, {"id": "3069b", "type": "ldraw"},
        {"id": "487300-38", "type": "boid"}, {"id": "3069", "type": "bl_item_no"}, {"id": "x", "type": "peeron_id"},
        {"id": "3069b", "type": "bl_item_no"}, {"id": "3069", "type": "design_id"}, {"id": "5", "type": "upc"},
    ],
    "images": [{"small": "//img.brickowl.com/s.jpg", "medium": "//img.brickowl.com/m.jpg", "large": None}],
    "cat_name_path": "Parts / Tiles", "missing_data": [],
}  # fmt: skip


def test_reads_an_item_with_its_numbers() -> None:
    assert brickowl.item_result(TILE, {}) == FoundItem(
        item_type=ItemType.PART,
        number="487300",
        name="Tile 1 x 2 with Groove (3069)",
        image_url="https://img.brickowl.com/m.jpg",
        ids={
            "brickowl": ("487300",), "lego_design": ("3069",), "ldraw": ("3069b",), "bricklink": ("3069", "3069b"),
        },
    )  # fmt: skip


def test_learns_the_number_that_it_was_found_by() -> None:
    found = brickowl.item_result({**TILE, "ids": []}, {"bricklink": "3069"})
    assert found is not None
    assert found.ids == {"brickowl": ("487300",), "bricklink": ("3069",)}
    found = brickowl.item_result(TILE, {"bricklink": "3069"})
    assert found is not None
    assert found.ids["bricklink"] == ("3069", "3069b")


def test_takes_the_number_of_a_set_for_bricklinks_where_it_is_one() -> None:
    row = {"boid": "111", "name": "LEGO AT-ST Set 7657", "ids": [{"id": "7657-1", "type": "set_number"}], "images": []}
    for kind, item_type in {
        "Set": ItemType.SET,
        "Instructions": ItemType.INSTRUCTION,
        "Packaging": ItemType.BOX,
    }.items():
        found = brickowl.item_result({**row, "type": kind}, {})
        assert found is not None
        assert (found.item_type, found.ids.get("bricklink")) == (item_type, ("7657-1",))
    found = brickowl.item_result({**row, "type": "Minifigure"}, {})
    assert found is not None
    assert "bricklink" not in found.ids
    assert brickowl.item_result({**row, "type": "Person"}, {}) is None
    assert brickowl.item_result([], {}) is None


def test_reads_boids() -> None:
    assert brickowl.boids_result({"boids": ["487300-38", "487300-92"]}) == ("487300-38", "487300-92")
    assert brickowl.boids_result({"boids": []}) == brickowl.boids_result([]) == brickowl.boids_result(None) == ()


@pytest.mark.parametrize(("system", "number", "searches"), [
    ("bricklink", "3001", [("Part", "bl_item_no"), ("Gear", "bl_item_no")]),
    ("bricklink", "75290stk01", [("Sticker", "bl_item_no"), ("Gear", "bl_item_no")]),
    ("bricklink", "sw0001", [("Minifigure", "bl_item_no"), ("Part", "bl_item_no")]),
    ("bricklink", "7657-1", [("Set", "set_number")]),
    ("ldraw", "3069b", [("Part", "ldraw")]),
    ("lego_design", "3069", [("Part", "design_id")]),
    (ELEMENT, "306926", [("Part", "item_no")]),
])  # fmt: skip
def test_asks_as_what_a_number_may_be(system: str, number: str, searches: list[tuple[str, str]]) -> None:
    assert list(brickowl.searches(system, number)) == searches


@pytest.mark.parametrize(("status", "data", "means"), [
    (200, {"boids": []}, (200, {"boids": []})),
    (200, [], (200, [])),
    (403, {"error": {"status": "Invalid key"}}, (403, None)),
    (200, {"error": "Invalid key"}, (403, None)),
    (400, {"error": {"status": "You don't have permission to do that"}}, (403, None)),
    (400, {"error": {"status": "Unknown BOID"}}, (404, None)),
    (200, {"error": {"status": None, "message": "Unknown BOID"}}, (404, None)),
    (429, {"error": {"status": "Too many requests for this key"}}, (429, None)),
    (500, {"error": "x"}, (500, None)),
    (400, {"detail": "x"}, (400, {"detail": "x"})),
])  # fmt: skip
def test_takes_an_error_for_one_whatever_its_status(status: int, data: Any, means: tuple[int, Any]) -> None:
    assert brickowl.enveloped(status, data) == means
