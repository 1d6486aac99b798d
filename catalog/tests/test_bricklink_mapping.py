"""What BrickLink's answers come to: literal ones, from its documentation (channels-bricklink.md)."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from catalog.choices import ItemType
from catalog.sources import bricklink
from catalog.sources.base import FoundItem, PriceFigures, PriceQuestion

ITEM = {
    "no": "3001", "name": "Brick 2 x 4 &#40;old&#41; & more", "type": "PART", "category_id": 5,
    "alternate_no": "3001old, 3001a", "image_url": "//img.bricklink.com/PL/3001.jpg",
    "thumbnail_url": "//img.bricklink.com/P/0/3001.jpg", "weight": "2.32", "dim_x": "2.00", "dim_y": "4.00",
    "dim_z": "1.00", "year_released": 1954, "is_obsolete": False,
}  # fmt: skip
GUIDE = {
    "item": {"no": "3006", "type": "PART"}, "new_or_used": "N", "currency_code": "USD", "min_price": "0.0525",
    "max_price": "3.4290", "avg_price": "0.5332", "qty_avg_price": "0.3653", "unit_quantity": 2, "total_quantity": 7,
    "price_detail": [{"quantity": 1, "unit_price": "0.6384", "seller_country_code": "US", "buyer_country_code": "US",
                      "date_ordered": "2025-02-16T23:58:22.797Z"}],
}  # fmt: skip
QUESTION = PriceQuestion(
    item_type=ItemType.PART, item_no="3006", color_id=11, condition="USED", kind="sold", currency="EUR"
)


def _meta(code: Any, message: str = "", description: str = "") -> dict[str, Any]:
    return {"description": description, "message": message, "code": code}


@pytest.mark.parametrize(("status", "data", "means"), [
    (200, {"meta": _meta(200, "OK"), "data": [1]}, (200, [1])),
    (200, {"meta": _meta("200", "OK"), "data": {}}, (200, {})),
    (200, {"meta": _meta(201, "OK_CREATED", "OK_CREATED")}, (201, None)),
    (200, {"meta": _meta(204, "OK_NO_CONTENT")}, (204, None)),
    (204, None, (204, None)),
    (502, {"meta": _meta(200, "OK"), "data": {}}, (502, None)),
    (404, {"meta": _meta(404, "RESOURCE_NOT_FOUND")}, (404, None)),
    (200, {"meta": _meta(404, "RESOURCE_NOT_FOUND")}, (404, None)),
    (200, {"meta": _meta(400, "PARAMETER_MISSING_OR_INVALID", "ITEM NO: limit")}, (404, None)),
    (200, {"meta": _meta(400, "INVALID_URI", "/api/store/v1/items/")}, (400, None)),
    (200, {"meta": _meta(401, "BAD_OAUTH_REQUEST", "SIGNATURE_INVALID: Invalid Signature")}, (401, None)),
    (200, {"meta": _meta(401, "BAD_OAUTH_REQUEST", "TOKEN_IP_MISMATCHED: consumer: CK IP: 198.51.100.7")}, (401, None)),
    (200, {"meta": _meta(401, "BAD_OAUTH_REQUEST", "… blocked consumer_key …")}, (429, None)),
    (401, {"meta": _meta(401, "BAD_OAUTH_REQUEST", "API call limit exceeded")}, (429, None)),
    (200, {"meta": _meta(429, "", "")}, (429, None)),
    (200, {"meta": _meta(403, "PERMISSION_DENIED")}, (403, None)),
    (200, {"meta": _meta(422, "RESOURCE_UPDATE_NOT_ALLOWED")}, (422, None)),
    (200, {"meta": _meta(500, "INTERNAL_SERVER_ERROR")}, (500, None)),
])  # fmt: skip
def test_believes_the_envelope(status: int, data: Any, means: tuple[int, Any]) -> None:
    assert bricklink.envelope(status, data) == means


@pytest.mark.parametrize("data", [
    None, [], {}, "", 3, {"meta": None}, {"meta": []}, {"meta": {}}, {"meta": _meta("OK")}, {"meta": _meta(7)},
    {"meta": _meta(9999)},
])  # fmt: skip
def test_takes_nothing_else_for_an_envelope(data: Any) -> None:
    with pytest.raises(ValueError, match=r"meta|invalid|status"):
        bricklink.envelope(200, data)


def test_waits_long_once_the_day_is_used_up() -> None:
    assert bricklink.BrickLink.retry_after(429, {}, b"{}") == 3600
    assert bricklink.BrickLink.retry_after(429, {"Retry-After": "7"}, b"{}") == 7
    assert bricklink.BrickLink.retry_after(503, {}, b"{}") is None


def test_reads_an_item() -> None:
    assert bricklink.item_result(ITEM) == FoundItem(
        item_type=ItemType.PART,
        number="3001",
        name="Brick 2 x 4 (old) & more",
        image_url="https://img.bricklink.com/PL/3001.jpg",
        ids={"bricklink": ("3001",)},
        year_from=1954,
        alternate_nos=("3001old", "3001a"),
        weight_grams=Decimal("2.32"),
        dimensions="2 x 4 x 1",
        category_no=5,
    )


def test_reads_an_item_of_which_little_is_known() -> None:
    found = bricklink.item_result(
        {"no": "7657-1", "name": "AT-ST", "type": "ORIGINAL_BOX", "weight": "0.00", "dim_x": "0.00"}
    )
    assert found == FoundItem(
        item_type=ItemType.BOX, number="7657-1", name="AT-ST", image_url="", ids={"bricklink": ("7657-1",)}
    )
    assert bricklink.item_result(None) is None
    assert bricklink.item_result({}) is None


def test_reads_elements_and_colors() -> None:
    rows = [
        {"item": {"no": "3001", "type": "PART"}, "color_id": 5, "color_name": "Red", "element_id": "300121"},
        {"item": {"no": "3001", "type": "PART"}, "color_id": 5, "color_name": "Red", "element_id": "4114319"},
        {"item": {"no": "3001", "type": "PART"}, "color_id": 0, "color_name": "(Not Applicable)", "element_id": "1"},
    ]
    assert bricklink.element_result(rows[:1]) == ((ItemType.PART, "3001", 5),)
    assert bricklink.element_result(rows[2:]) == ((ItemType.PART, "3001", None),)
    assert bricklink.elements_result(rows) == {5: ("300121", "4114319")}
    assert bricklink.colors_result([{"color_id": 5, "quantity": 12}, {"color_id": 0, "quantity": 1}]) == (5,)
    assert (bricklink.element_result(None), bricklink.elements_result(None), bricklink.colors_result([])) == (
        (),
        {},
        (),
    )


def test_reads_the_price_guide() -> None:
    assert bricklink.price_result(GUIDE) == PriceFigures(
        currency="USD",
        price_min=Decimal("0.0525"),
        price_avg=Decimal("0.5332"),
        price_qty_avg=Decimal("0.3653"),
        price_max=Decimal("3.4290"),
        lots_count=2,
        qty=7,
    )


def test_knows_that_nothing_was_sold() -> None:
    prices = dict.fromkeys(("min_price", "max_price", "avg_price", "qty_avg_price"), "0.0000")
    figures = bricklink.price_result({**GUIDE, **prices, "unit_quantity": 0, "total_quantity": 0, "price_detail": []})
    assert figures is not None
    assert (figures.price_min, figures.price_qty_avg, figures.lots_count, figures.qty) == (None, None, 0, 0)
    assert bricklink.price_result(None) is None


@pytest.mark.parametrize("wrong", [{"min_price": "-1"}, {"avg_price": "NaN"}, {"unit_quantity": -1}])
def test_refuses_figures_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="below nothing"):
        bricklink.price_result({**GUIDE, **wrong})


def test_asks_for_the_price_guide_of_a_part_of_the_world() -> None:
    whole = {"guide_type": "sold", "new_or_used": "U", "currency_code": "EUR", "color_id": 11}
    assert bricklink.price_request(QUESTION)["path"] == "items/PART/3006/price"
    assert bricklink.price_request(QUESTION)["params"] == whole
    for region, params in {
        "europe": {"region": "europe"},
        "eu": {"region": "eu"},
        "de": {"country_code": "DE"},
        "GB": {"country_code": "UK"},
    }.items():
        assert bricklink.price_request(replace(QUESTION, region=region))["params"] == whole | params
    box = replace(QUESTION, item_type=ItemType.BOX, color_id=None, condition="NEW")
    assert bricklink.price_request(box)["path"] == "items/ORIGINAL_BOX/3006/price"
    assert bricklink.price_request(box)["params"] == {"guide_type": "sold", "new_or_used": "N", "currency_code": "EUR"}


@pytest.mark.parametrize(("number", "first", "how_many"), [
    ("75192-1", ItemType.SET, 3), ("sw0001", ItemType.MINIFIG, 3), ("cas319a", ItemType.MINIFIG, 3),
    ("3001", ItemType.PART, 4), ("973pb0001c01", ItemType.PART, 4), ("5005358", ItemType.PART, 4),
])  # fmt: skip
def test_asks_first_for_what_it_probably_is(number: str, first: ItemType, how_many: int) -> None:
    kinds = bricklink.types_of(number)
    assert (kinds[0], len(set(kinds))) == (first, how_many)


def test_keeps_a_number_from_leading_elsewhere() -> None:
    assert bricklink.item_request(ItemType.PART, "../orders?x=1")["path"] == "items/PART/..%2Forders%3Fx%3D1"
