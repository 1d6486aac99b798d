"""JSON is read as a stream, in three shapes, and its types are meant."""

import json

import pytest
from hypothesis import given, settings

from inventory.formats.base import Lot
from inventory.tests.stock_files import BLANK, any_lot, as_lot, read, written

BRICK = {"item_type": "PART", "item_no": "3001", "color_id": 5, "condition": "NEW", "qty": 5, "unit_price": "0.07"}


def test_three_shapes_say_the_same() -> None:
    lots = [BRICK, {**BRICK, "item_no": "3002", "unit_price": 0.08}]
    shapes = [
        json.dumps({"currency": "EUR", "lots": lots, "mood": [1]}, indent=1),
        json.dumps(lots, indent=1),
        "\n".join(map(json.dumps, lots)),
    ]
    found = [read("json", shape) for shape in shapes]
    assert [problems for _, problems, _ in found] == [[], [], []]
    assert len({json.dumps([row.values for row in rows], default=str) for rows, _, _ in found}) == 1
    assert found[0][2].ignored == {"mood": 1}
    assert [row.line for row in found[1][0]] == [2, 10]
    assert [row.line for row in found[2][0]] == [1, 2]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"qty": "5"}, "qty"),
        ({"qty": 1.5}, "qty"),
        ({"qty": True}, "qty"),
        ({"qty": -1}, "qty"),
        ({"qty": 10**30}, "qty"),
        ({"unit_price": 1e308}, "unit_price"),
        ({"unit_price": float("nan")}, "unit_price"),
        ({"unit_price": float("inf")}, "unit_price"),
        ({"unit_price": None}, "unit_price"),
        ({"color_id": 9999}, "color_id"),
        ({"item_type": "P"}, "item_type"),
        ({"item_no": ""}, "item_no"),
        ({"item_no": 3001}, "item_no"),
        ({"remarks": "x\u0003"}, "remarks"),
        ({"remarks": "\ud800"}, "remarks"),
        ({"is_retain": "yes"}, "is_retain"),
        ({"date_added": "yesterday"}, "date_added"),
        ({"tier_prices": [{"qty": 5}]}, "tier_prices"),
        ({"tier_prices": [{"qty": 9, "price": 1}, {"qty": 5, "price": 1}]}, "tier_prices"),
        ({"locations": ["A-1"]}, "locations"),
    ],
)
def test_a_wrong_member_is_a_problem_at_its_line(change: dict[str, object], field: str) -> None:
    data = "[\n" + ",\n".join(map(json.dumps, [BRICK, {**BRICK, **change}, BRICK])) + "]"
    rows, problems, _ = read("json", data)
    assert len(rows) == 2
    assert [(problem.line, problem.field) for problem in problems] == [(3, field)]


def test_huge_exponents_are_refused_at_once() -> None:
    data = json.dumps([BRICK]).replace('"0.07"', "1e999999999").replace(": 5,", f": {'9' * 6000},", 1)
    rows, problems, _ = read("json", data)
    assert not rows
    assert len(problems) == 1


def test_a_member_that_stands_twice_is_a_problem() -> None:
    rows, problems, _ = read("json", '[{"item_no": "1", "item_no": "2"}, {"item_no": "3"}]')
    assert [row.values["item_no"] for row in rows] == ["3"]
    assert "more than once" in problems[0].message


@pytest.mark.parametrize(
    ("data", "count", "message"),
    [
        ('[{"item_no": "3001"}, {"item_no": "30', 1, "too early"),
        ('[{"item_no": "3001"}, {"item_no" "3002"}]' + " " * 99, 1, "isn't JSON"),
        ('[{"item_no": "3001"} {"item_no": "3002"}]', 1, "comma"),
        ("[" * 100_000, 0, "nested"),
        ('{"currency": "EUR"}', 0, "no array"),
        ("", 0, "empty"),
        ('[{"item_no": "3001"}] x', 1, "behind the end"),
        ('{"item_no": "3001"}\n{"item_no": \n{"item_no": "3002"}', 2, "isn't JSON"),
    ],
)
def test_what_came_before_the_trouble_stands(data: str, count: int, message: str) -> None:
    rows, problems, _ = read("json", data)
    assert len(rows) == count
    assert message in problems[0].message


@given(any_lot())
@settings(max_examples=100, deadline=None)
def test_our_own_file_says_the_same_again(lot: Lot) -> None:
    (row,), problems, reading = read("json", written("json", [lot]))
    assert not problems
    assert not reading.ignored
    again = as_lot(row)
    assert {**_members(again), "color_name": ""} == {**_members(lot), "color_name": ""}


def _members(lot: Lot) -> dict[str, object]:
    found: dict[str, object] = {name: getattr(lot, name) for name in Lot.__slots__}
    return found


def test_a_file_of_many_lots_is_one_lot_a_line() -> None:
    data = written("json", [BLANK] * 3).decode()
    assert len(data.splitlines()) == 5
    assert [row.line for row in read("json", data)[0]] == [2, 3, 4]
