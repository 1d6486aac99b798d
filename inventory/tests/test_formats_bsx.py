"""BrickStore's files come in with everything they say, and go out as BrickStore itself writes them."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings

from inventory import formats
from inventory.formats.base import Lot
from inventory.tests.stock_files import BLANK, WIRE, any_lot, as_lot, read, written

# The shape of what older programs write: another root, tabs, no prices.
OLD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE BrickStockXML>
<BrickStockXML>
\t<Inventory>
\t\t<Item>
\t\t\t<ItemID>3040</ItemID>
\t\t\t<ItemTypeID>P</ItemTypeID>
\t\t\t<ColorID>1</ColorID>
\t\t\t<CategoryID>31</CategoryID>
\t\t\t<Status>I</Status>
\t\t\t<Qty>5</Qty>
\t\t\t<Price>0.000</Price>
\t\t\t<Condition>N</Condition>
\t\t</Item>
\t</Inventory>
</BrickStockXML>
"""


def one(tags: str, before: str = "") -> str:
    """Answer a file with one lot of red bricks, and what else is said of it."""
    return (
        f"{before}<BrickStoreXML><Inventory><Item><ItemID>3001</ItemID><ItemTypeID>P</ItemTypeID>"
        f"<ColorID>5</ColorID>{tags}</Item></Inventory></BrickStoreXML>"
    )


def test_every_field_that_brickstore_writes_is_read() -> None:
    rows, problems, reading = read("bsx", (WIRE / "bsx/every_field.bsx").read_bytes())
    assert not problems
    assert not reading.ignored
    assert [row.line for row in rows] == [4, 39, 56, 73]
    assert rows[0].values == {
        "item_no": "3001",
        "item_type": "PART",
        "color_id": 5,
        "item_name": "Brick 2 x 4",
        "color_name": "Red",
        "category_name": "Brick",
        "qty": 120,
        "unit_price": Decimal("0.075"),
        "condition": "NEW",
        "bulk": 10,
        "sale_percent": 15,
        "cost_basis": Decimal("0.031"),
        "description": '<b>as new</b> & "clean", 2 × 4',
        "remarks": "A-03-2",
        "reserved_for": "brickfan77",
        "bricklink_lot_id": 412345678,
        "tier_prices": [(50, Decimal("0.070")), (100, Decimal("0.065")), (500, Decimal("0.060"))],
        "is_retain": True,
        "is_stock_room": True,
        "stock_room_id": "B",
        "weight_grams": Decimal("2.3200"),
        "date_added": datetime(2023, 11, 5, 14, 3, 59, tzinfo=UTC),
        "last_sold_at": datetime(2025, 2, 28, 9, 10, 11, tzinfo=UTC),
    }
    assert rows[0].extra["MarkerColor"] == "#ff8800"
    assert rows[1].values["completeness"] == "INCOMPLETE"
    assert rows[1].values["color_id"] is None
    assert rows[1].extra["Status"] == "E"
    assert rows[2].values["completeness"] == "SEALED"
    assert [row.is_excluded for row in rows] == [False, False, True, False]
    # BrickStore leaves empty tags out; what it remembers as other than now has been emptied.
    assert rows[3].values["remarks"] == ""
    assert "remarks" not in rows[2].values


def test_a_file_of_brickstore_comes_back_byte_for_byte() -> None:
    data = (WIRE / "bsx/every_field.bsx").read_bytes()
    rows, _, reading = read("bsx", data)
    assert written("bsx", [as_lot(row) for row in rows], around=reading.around) == data


@pytest.mark.parametrize("source", [OLD, (WIRE / "bsx/bricksync.bsx").read_text()], ids=["old", "bricksync"])
def test_a_file_of_another_program_comes_back_with_the_same_content(source: str) -> None:
    rows, problems, reading = read("bsx", source)
    assert not problems
    again, _, reread = read("bsx", written("bsx", [as_lot(row) for row in rows], around=reading.around))
    assert [row.extra for row in again] == [row.extra for row in rows]
    for before, after in zip(rows, again, strict=True):
        assert before.values.items() <= after.values.items()
    assert {**reread.around, "attributes": {}} == {**reading.around, "attributes": {}}


def test_the_words_of_bricksync_are_understood_and_kept() -> None:
    (row,), _, reading = read("bsx", (WIRE / "bsx/bricksync.bsx").read_bytes())
    assert row.values["sub_condition"] == "GOOD"
    assert row.values["completeness"] == "COMPLETE"
    assert row.values["cost_basis"] == 80
    assert row.extra["OwlLotID"] == "515151"
    assert row.extra["OrigQty"] == "2"
    assert reading.around["before"][0].startswith("<Order>")


def test_unknown_tags_and_attributes_are_counted_and_given_back_in_their_order() -> None:
    source = one("<Zebra>1</Zebra><Apple a='&quot;'>x<b/>y</Apple><Qty>1</Qty><Plain>&lt;Plain&gt;</Plain>").replace(
        "<Item>", "<Item mark='7'>"
    )
    (row,), _, reading = read("bsx", source)
    assert reading.ignored == {"Zebra": 1, "Apple": 1, "Plain": 1, "@mark": 1}
    text = written("bsx", [as_lot(row)]).decode()
    assert '<Item mark="7">' in text
    unknown = '   <Zebra>1</Zebra>\n   <Apple a="&quot;">x<b/>y</Apple>\n   <Plain>&lt;Plain&gt;</Plain>\n'
    assert unknown in text


@pytest.mark.parametrize(
    ("tags", "changes", "expected"),
    [
        ("<Price>0.07</Price>", {}, "<Price>0.07</Price>"),
        ("<Price>0.07</Price>", {"unit_price": Decimal("0.08")}, "<Price>0.080</Price>"),
        ("<Qty>7</Qty><TotalWeight>5</TotalWeight>", {}, "<TotalWeight>5</TotalWeight>"),
        ("<Qty>7</Qty><TotalWeight>5</TotalWeight>", {"qty_available": 14}, "<TotalWeight>10.0002</TotalWeight>"),
        ("<Retain>Y</Retain>", {}, "<Retain>Y</Retain>"),
        ("<Retain>Y</Retain>", {"is_retain": False}, None),
        ("<TQ1>0</TQ1><TP1>0.000</TP1>", {}, "<TQ1>0</TQ1>"),
        ("<TQ1>9</TQ1><TP1>.5</TP1>", {"tier_prices": [(9, Decimal("0.4"))]}, "<TP1>0.400</TP1>"),
        ("<Stockroom/>", {}, "<Stockroom></Stockroom>"),
        ("<Stockroom/>", {"stock_room_id": "C"}, "<Stockroom>C</Stockroom>"),
        ("<DateAdded>2024-05-06T07:08:09+02:00</DateAdded>", {}, "<DateAdded>2024-05-06T07:08:09+02:00</DateAdded>"),
        ("<SubCondition>C</SubCondition>", {}, "<SubCondition>C</SubCondition>"),
    ],
)
def test_a_text_is_given_back_as_long_as_it_says_what_the_lot_says(
    tags: str, changes: dict[str, object], expected: str | None
) -> None:
    (row,), _, _ = read("bsx", one(tags))
    text = written("bsx", [replace(as_lot(row), **changes)]).decode()  # type: ignore[arg-type]  # as parametrized
    assert expected in text if expected else "Retain" not in text


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ("<Condition>X</Condition>", "isn't new or used"),
        ("<Condition>?</Condition>", "neither new"),
        ("<Qty>1.5</Qty>", "whole number"),
        ("<Qty></Qty>", "empty"),
        ("<Qty>1000000000000000000000000000000</Qty>", "between"),
        ("<Price>1e308</Price>", "isn't a price"),
        ("<Price>NaN</Price>", "isn't a price"),
        ("<Price>-1</Price>", "negative"),
        ("<Price>0.12345</Price>", "more than four decimals"),
        ("<Price>100000000</Price>", "too high"),
        ("<Sale>101</Sale>", "between 0 and 100"),
        ("<Bulk>0</Bulk>", "between 1"),
        ("<TQ1>10</TQ1>", "only half"),
        ("<TQ1>10</TQ1><TP1>1</TP1><TQ2>5</TQ2><TP2>0.9</TP2>", "ascend"),
        (f"<Remarks>{'x' * 5001}</Remarks>", "more than 5000"),
        (f"<Whatever>{'x' * 20_001}</Whatever>", "more than 20,000"),
        ("<Qty>1</Qty><Qty>2</Qty>", "more than once"),
    ],
)
def test_a_wrong_lot_is_a_problem_at_its_line_and_stops_no_other(tags: str, message: str) -> None:
    good = "<Item><ItemID>3002</ItemID><ItemTypeID>P</ItemTypeID><ColorID>1</ColorID></Item></Inventory>"
    rows, problems, _ = read("bsx", one(tags, "\n\n").replace("</Inventory>", good))
    assert [row.values["item_no"] for row in rows] == ["3002"]
    assert [problem.line for problem in problems] == [3]
    assert message in problems[0].message


@pytest.mark.parametrize("item", ["<ColorID>5</ColorID>", "<ItemID>3001</ItemID><ItemTypeID>P</ItemTypeID>"])
def test_a_lot_needs_a_number_and_a_part_a_color(item: str) -> None:
    rows, problems, _ = read("bsx", f"<BrickStoreXML><Inventory><Item>{item}</Item></Inventory></BrickStoreXML>")
    assert not rows
    assert len(problems) == 1


def test_an_undecided_lot_that_stays_out_is_no_problem() -> None:
    (row,), problems, _ = read("bsx", one("<Status>X</Status><Condition>X</Condition>"))
    assert not problems
    assert row.is_excluded
    assert row.extra["Condition"] == "X"


def test_a_quantity_below_zero_is_a_difference() -> None:
    (row,), _, _ = read("bsx", one("<Qty>-3</Qty>"))
    assert row.values["qty_delta"] == -3
    assert "qty" not in row.values


def test_what_has_no_meaning_for_a_thing_is_only_kept() -> None:
    (row,), _, _ = read("bsx", one("<SubCondition>C</SubCondition><Condition>N</Condition><UsedGrade>G</UsedGrade>"))
    assert "completeness" not in row.values
    assert "sub_condition" not in row.values
    assert row.extra == {"SubCondition": "C", "UsedGrade": "G"}


def test_lines_are_right_far_into_a_file() -> None:
    rows, _, _ = read("bsx", one("").replace("<Inventory>", "<Inventory>" + "\n" * 70_000 + "<!-- \r\n \r -->"))
    assert rows[0].line == 70_003


@given(any_lot())
@settings(max_examples=150, deadline=None)
def test_any_lot_survives_the_way_out_and_in(lot: Lot) -> None:
    (row,), problems, _ = read("bsx", written("bsx", [lot]))
    assert not problems
    again = as_lot(row)
    kept = {name: getattr(again, name) for name in ("low_stock_threshold", "acquired_from", "locations", "extra")}
    expected = replace(
        lot,
        **kept,
        # The file knows seconds, and the weight of the whole lot.
        date_added=lot.date_added.replace(microsecond=0),
        last_sold_at=lot.last_sold_at and lot.last_sold_at.replace(microsecond=0),
        weight_grams=(lot.weight_grams or None) if lot.qty_available else None,
        color_name=again.color_name,
    )
    assert again == expected


def test_the_currency_is_what_the_file_states() -> None:
    bsx = formats.get("bsx")
    assert bsx.facts((WIRE / "bsx/every_field.bsx").open("rb")).currency == "EUR"
    assert bsx.facts((WIRE / "bsx/bricksync.bsx").open("rb")).currency == ""


def test_a_file_without_lots_is_one() -> None:
    assert read("bsx", written("bsx", []))[:2] == ([], [])
    assert BLANK.item_no in written("bsx", [BLANK]).decode()
