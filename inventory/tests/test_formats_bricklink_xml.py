"""BrickLink's XML is read in all its forms, and its other files are told from it."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings

from inventory import formats
from inventory.formats.base import Lot
from inventory.tests.stock_files import ADDED, BLANK, WIRE, any_lot, as_lot, read, written

# The shape of a wanted list as it is passed around: no declaration, no condition.
WANTED = """<INVENTORY>
    <ITEM>
        <ITEMTYPE>P</ITEMTYPE>
        <ITEMID>3024</ITEMID>
        <COLOR>86</COLOR>
        <MINQTY>4</MINQTY>
    </ITEM>
    <ITEM>
        <ITEMTYPE>P</ITEMTYPE>
        <ITEMID>3023</ITEMID>
        <COLOR>11</COLOR>
        <MAXPRICE>-1.0000</MAXPRICE>
        <MINQTY>.5</MINQTY>
    </ITEM>
    <ITEM><ITEMTYPE>P</ITEMTYPE><ITEMID>3022</ITEMID><MINQTY>1</MINQTY></ITEM>
    <ITEM><ITEMTYPE>M</ITEMTYPE><ITEMID>sp001</ITEMID><CONDITION>X</CONDITION><NOTIFY>N</NOTIFY></ITEM>
</INVENTORY>"""


def one(tags: str) -> str:
    """Answer a file in one line with one lot of red bricks, and what else is said of it."""
    return (
        "<INVENTORY><ITEM><ITEMTYPE>P</ITEMTYPE><ITEMID>3001</ITEMID><COLOR>5</COLOR><QTY>1</QTY>"
        f"{tags}</ITEM></INVENTORY>"
    )


def test_the_download_of_a_store_is_read() -> None:
    (brick, castle), problems, reading = read("bricklink_xml", (WIRE / "bricklink_xml/store_download.xml").read_bytes())
    assert not problems
    assert reading.ignored == {"IMAGE": 1, "ITEMWEIGHT": 1}
    assert brick.values == {
        "bricklink_lot_id": 412345678,
        "date_added": datetime(2023, 11, 5, 14, 3, 59, tzinfo=UTC),
        "color_id": 5,
        "unit_price": Decimal("0.075"),
        "qty": 1200,
        "bulk": 10,
        "description": "<b>as new</b> & clean, café été",
        "condition": "NEW",
        "item_type": "PART",
        "item_no": "3001",
        "sale_percent": 15,
        "remarks": "A-03-2",
        "is_stock_room": False,
        "stock_room_id": "",
        "cost_basis": Decimal("0.031"),
        "tier_prices": [(50, Decimal("0.07"))],
        "is_retain": True,
        "last_sold_at": datetime(2024, 7, 4, 16, 30, tzinfo=UTC),
        "reserved_for": "",
    }
    assert castle.line == 4
    assert castle.values["item_no"] == "6080-1"
    assert castle.values["remarks"] == "Kiste 3 / Fach B"
    assert castle.values["completeness"] == "INCOMPLETE"
    assert castle.values["stock_room_id"] == "C"


def test_the_currency_is_found() -> None:
    facts = formats.get("bricklink_xml").facts((WIRE / "bricklink_xml/store_download.xml").open("rb"))
    assert facts.currency == "EUR"


def test_a_wanted_list_is_read_and_said_to_be_one() -> None:
    rows, problems, reading = read("bricklink_xml", WANTED)
    assert [(row.line, row.values["item_no"], row.values["qty"]) for row in rows] == [(2, "3024", 4), (16, "sp001", 1)]
    assert all("condition" not in row.values and "unit_price" not in row.values for row in rows)
    assert [(problem.line, problem.field) for problem in problems] == [(8, "qty"), (15, "color_id")]
    assert any("wanted list" in note for note in reading.notes)


def test_a_mass_update_says_differences_and_deletions() -> None:
    rows, problems, _ = read(
        "bricklink_xml",
        "<INVENTORY><ITEM><LOTID>1</LOTID><QTY>+5</QTY></ITEM><ITEM><LOTID>2</LOTID><QTY>-3</QTY></ITEM>"
        "<ITEM><LOTID>3</LOTID><DELETE/></ITEM><ITEM><LOTID>4</LOTID><DELETE>Y</DELETE></ITEM>"
        "<ITEM><LOTID>5</LOTID><REMARKS></REMARKS></ITEM></INVENTORY>",
    )
    assert not problems
    assert [row.values for row in rows] == [
        {"bricklink_lot_id": 1, "qty_delta": 5},
        {"bricklink_lot_id": 2, "qty_delta": -3},
        {"bricklink_lot_id": 3, "is_deleted": True},
        {"bricklink_lot_id": 4, "is_deleted": True},
        {"bricklink_lot_id": 5, "remarks": ""},
    ]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("<ORDERS><ORDER></ORDER></ORDERS>", "orders"),
        ("<CATALOG><ITEM/></CATALOG>", "catalog"),
        ("<CODES><ITEM/></CODES>", "element codes"),
        ("<INVENTORY><ITEM><ITEMTYPE>P</ITEMTYPE><MATCHID>0</MATCHID></ITEM></INVENTORY>", "inventory of a set"),
        ("<INVENTORY><ITEM><EXTRA>N</EXTRA></ITEM></INVENTORY>", "inventory of a set"),
    ],
)
def test_other_files_of_bricklink_are_called_by_their_names(source: str, message: str) -> None:
    found = formats.sniff(source.encode())
    assert found is formats.get("bricklink_xml")
    rows, problems, _ = read("bricklink_xml", source)
    assert not rows
    assert problems[0].message.startswith("UNREADABLE")
    assert message in problems[0].message


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ("<CONDITION>X</CONDITION>", "isn't new or used"),
        ("<RETAIN>maybe</RETAIN>", "neither Y nor N"),
        ("<DATEADDED>13/13/2025</DATEADDED>", "isn't a date"),
        ("<PRICE>1,5</PRICE>", "isn't a price"),
        ("<STOCKROOMID>D</STOCKROOMID>", "stockrooms"),
        ("<TQ1>10</TQ1><TP1>0</TP1>", "only half"),
    ],
)
def test_a_wrong_word_is_a_problem(tags: str, message: str) -> None:
    rows, problems, _ = read("bricklink_xml", "\n" + one(tags))
    assert not rows
    assert problems[0].line == 2
    assert message in problems[0].message


def test_lots_in_another_currency_are_problems() -> None:
    euro = "<BASECURRENCYCODE>EUR</BASECURRENCYCODE>"
    source = one(euro).replace("</INVENTORY>", "") + one(euro.replace("EUR", "USD")).replace("<INVENTORY>", "")
    rows, problems, _ = read("bricklink_xml", source)
    assert len(rows) == 1
    assert problems[0].field == "currency"


def test_what_stands_behind_the_end_is_told() -> None:
    rows, problems, _ = read("bricklink_xml", one("") + "\n" + one(""))
    assert len(rows) == 1
    assert [(problem.line, "behind the end" in problem.message) for problem in problems] == [(2, True)]


@given(any_lot(places=3, is_trimmed=True))
@settings(max_examples=150, deadline=None)
def test_an_upload_holds_what_bricklink_takes_of_a_lot(lot: Lot) -> None:
    (row,), problems, _ = read("bricklink_xml", written("bricklink_xml", [lot]))
    assert not problems
    again = as_lot(row)
    assert again == replace(
        lot,
        item_name="",
        category_name="",
        sub_condition=None,
        low_stock_threshold=None,
        acquired_from="",
        date_added=ADDED,
        last_sold_at=None,
        bricklink_lot_id=None,
        locations=[],
        color_name=again.color_name,
    )


def test_an_update_names_lots_of_bricklink_alone_and_no_quantities() -> None:
    known = replace(BLANK, bricklink_lot_id=7, qty_available=5, unit_price=Decimal("0.1"), remarks="A <1>")
    data = written("bricklink_update", [BLANK, known]).decode()
    assert "<QTY>" not in data
    assert not data.startswith("<?xml")
    (row,), _, _ = read("bricklink_xml", data)
    assert row.values["bricklink_lot_id"] == 7
    assert row.values["remarks"] == "A <1>"
    assert row.values["tier_prices"] == []
