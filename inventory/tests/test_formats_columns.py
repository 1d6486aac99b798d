"""CSV and workbooks of any origin say the same, whatever their delimiters, encodings and ways of writing numbers."""

import csv
import io
import zipfile
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory import formats
from inventory.formats.base import COLUMN_FIELDS, Lot
from inventory.parsing import columns
from inventory.tests.stock_files import BLANK, any_lot, as_lot, read, written

HEADER = "Item No,Color,Qty,Price,Condition"


def values_of(data: bytes | str, code: str = "csv") -> dict[str, object]:
    """Answer what the only row of a file states."""
    (row,), problems, _ = read(code, data)
    assert not problems
    return dict(row.values)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_encodings_and_line_ends_make_no_difference(delimiter: str, encoding: str, end: str) -> None:
    rows = [["Item No", "Farbe", "Menge", "Preis", "Zustand", "Bemerkung"], ["3001", "Red", "5", "0.07", "neu", "Fäch"]]
    data = end.join(delimiter.join(row) for row in rows).encode(encoding)
    assert formats.sniff(data) is formats.get("csv")
    assert values_of(data) == {
        "item_no": "3001",
        "color_id": 5,
        "color_name": "Red",
        "qty": 5,
        "unit_price": Decimal("0.07"),
        "condition": "NEW",
        "remarks": "Fäch",
    }


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        (["0,07", "1.234,50"], ["0.07", "1234.50"]),
        (["0.07", "1,234.50"], ["0.07", "1234.50"]),
        (["€ 0,07", "12,50 €"], ["0.07", "12.50"]),
        (["$0.10", "US $1.250"], ["0.10", "1.250"]),
        (["1'234.50", "2.5"], ["1234.50", "2.5"]),
        (["1.234", "0,5"], ["1234", "0.5"]),
        (["1.234", "0.5"], ["1.234", "0.5"]),
        ([".5", "3"], [".5", "3"]),
    ],
)
def test_a_file_shows_how_it_writes_numbers(prices: list[str], expected: list[str]) -> None:
    body = "\n".join(f"300{place};5;1;{price}" for place, price in enumerate(prices))
    rows, problems, _ = read("csv", "Item No;Color;Qty;Price\n" + body)
    assert not problems
    assert [row.values["unit_price"] for row in rows] == [Decimal(price) for price in expected]


def test_a_number_that_could_be_two_is_a_problem() -> None:
    rows, problems, _ = read("csv", "Item No;Color;Qty;Price\n3001;5;1;1.234\n3002;5;1;12\n")
    assert [row.values["item_no"] for row in rows] == ["3002"]
    assert "two numbers" in problems[0].message


def test_a_number_unlike_the_others_is_a_problem() -> None:
    rows, problems, _ = read("csv", "Item No;Color;Qty;Price\n3001;5;1;0.07\n3002;5;1,200;0,09\n3003;5;1,200;1\n")
    assert [(row.values["item_no"], row.values["qty"]) for row in rows] == [("3001", 1), ("3003", 1200)]
    assert [problem.line for problem in problems] == [3]


def test_quoted_line_breaks_count_as_lines() -> None:
    rows, problems, _ = read("csv", f'{HEADER},Remarks\n3001,5,1,0.1,N,"a\nb\r\n""c"""\n3002,5,1,x,N,\n')
    assert rows[0].values["remarks"] == 'a\nb\r\n"c"'
    assert problems[0].line == 5


def test_an_open_quote_swallows_one_line_alone() -> None:
    lines = [f"{place},5,1,0.1,N" for place in range(3001, 3501)]
    lines[10] = '"3011,5,1,0.1,N'
    rows, problems, _ = read("csv", "\n".join([HEADER, *lines]))
    assert len(rows) == 499
    assert [problem.line for problem in problems] == [12]


def test_a_file_without_names_of_columns_is_read_as_it_is_told() -> None:
    data = "3001;5;7\n3002;11;9\n3003;1;2\n"
    facts = formats.get("csv").facts(io.BytesIO(data.encode()))
    assert facts.columns == ["Column 1", "Column 2", "Column 3"]
    assert not facts.guessed
    assert read("csv", data)[1][0].message.startswith("UNREADABLE None of the columns")
    mapping = {"Column 1": "item_no", "Column 2": "color_id", "Column 3": "qty"}
    rows, _, _ = read("csv", data, mapping=mapping)
    assert [(row.line, row.values["qty"]) for row in rows] == [(1, 7), (2, 9), (3, 2)]


def test_titles_before_the_columns_and_excels_hint_are_passed_over() -> None:
    rows, _, _ = read("csv", "sep=;\nMy stock\n\nItem No;Color;Qty\n3001;Red;7\n")
    assert [(row.line, row.values["qty"]) for row in rows] == [(5, 7)]


def test_columns_that_nobody_maps_are_counted() -> None:
    _, _, reading = read("csv", "Item No,Color,Qty,Mood\n3001,5,1,fine\n3002,5,1,\n")
    assert reading.ignored == {"Mood": 1}


@pytest.mark.parametrize(
    ("header", "currency"),
    [("Price (EUR)", "EUR"), ("Price", ""), ("Price in USD", "USD"), ("Price", "GBP")],
)
def test_the_currency_is_taken_from_names_and_signs(header: str, currency: str) -> None:
    sign = "£" if currency == "GBP" else ""
    data = f"Item No,Color,Qty,{header}\n3001,5,1,{sign}0.1\n".encode()
    facts = formats.get("csv").facts(io.BytesIO(data))
    if header == "Price in USD":
        assert facts.currency in ("USD", "")
    else:
        assert facts.currency == currency


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("N", {"condition": "NEW"}),
        ("gebraucht", {"condition": "USED"}),
        ("usedn", {"condition": "USED", "sub_condition": "LIKE_NEW"}),
        ("news", {"condition": "NEW", "completeness": "SEALED"}),
    ],
)
def test_words_for_conditions(cell: str, expected: dict[str, str]) -> None:
    assert values_of(f"Type,Item No,Condition\nSet,10265-1,{cell}\n") == {
        "item_type": "SET", "item_no": "10265-1", **expected,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("3001,Blurple,1,1,N", "color_id"),
        ("3001,9999,1,1,N", "color_id"),
        ("3001,5,,1,N", "qty"),
        ("3001,5,1.5,1,N", "qty"),
        ("3001,5,-1.5,1,N", "qty"),
        ("3001,5,99999999999,1,N", "qty"),
        ("3001,5,1,1e308,N", "unit_price"),
        ("3001,5,1,NaN,N", "unit_price"),
        ("3001,5,1,Infinity,N", "unit_price"),
        ("3001,5,1,0.12345,N", "unit_price"),
        ("3001,5,1,1,perhaps", "condition"),
        (",5,1,1,N", "item_no"),
        (f"{'9' * 61},5,1,1,N", "item_no"),
        ("30\x0001,5,1,1,N", "item_no"),
        (f"{'9' * 20_001},5,1,1,N", "item_no"),
    ],
)
def test_a_wrong_cell_is_a_problem_at_its_line_and_stops_no_other(row: str, field: str) -> None:
    rows, problems, _ = read("csv", f"{HEADER}\n3002,5,1,0.10,N\n{row}\n3003,5,1,0.10,N\n" if "\0" not in row else
        f"{HEADER}\n" + "3002,5,1,0.10,N\n" * 5000 + f"{row}\n3003,5,1,0.10,N\n")  # fmt: skip
    assert [problem.field for problem in problems] == [field]
    assert rows[-1].values["item_no"] == "3003"
    assert problems[0].line == rows[-1].line - 1


def test_formulas_are_written_as_text_and_numbers_as_numbers() -> None:
    lot = replace(BLANK, remarks="=HYPERLINK(1)", description="+1", item_name="@x", unit_price=Decimal("0.07"))
    row = next(csv.DictReader(io.StringIO(written("csv", [lot]).decode("utf-8-sig"))))
    assert row["Remarks"] == "'=HYPERLINK(1)"
    assert row["Description"] == "'+1"
    assert row["Item Name"] == "'@x"
    assert row["Price (EUR)"] == "0.0700"


@given(st.text(alphabet="'=+-@\t\r\nab\"", max_size=6))
def test_the_guard_against_formulas_can_be_undone(text: str) -> None:
    assert columns.unguarded(columns.guarded(text)) == text or text.startswith('="')


@pytest.mark.parametrize("code", ["csv", "xlsx"])
@given(lot=any_lot())
@settings(max_examples=100, deadline=None)
def test_our_own_file_says_the_same_again(code: str, lot: Lot) -> None:
    (row,), problems, reading = read(code, written(code, [lot]))
    assert not problems
    assert not reading.ignored
    again = as_lot(row)
    assert again == replace(lot, color_name=again.color_name)


def test_our_columns_are_all_known_again() -> None:
    names = columns.header("EUR")
    unknown = set(names) - columns.guess(names).keys()
    assert unknown == {"Qty Reserved", "Brikonnect Lot"}
    assert columns._READERS.keys() == COLUMN_FIELDS.keys()


# Workbooks

NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def workbook(rows: str, *, texts: str = "", sheets: str = "", **members: str) -> bytes:
    """Answer a workbook as Excel writes it, with a date format as its style 1."""
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": f'<workbook xmlns="{NAMESPACE}" xmlns:r="{relations}"><sheets>'
        f'<sheet name="Stock" sheetId="1" r:id="rId1"/>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
        "xl/styles.xml": f'<styleSheet xmlns="{NAMESPACE}">'
        '<numFmts><numFmt numFmtId="165" formatCode="d/m/yy"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="165"/><xf numFmtId="2"/></cellXfs></styleSheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{NAMESPACE}">{texts}</sst>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{NAMESPACE}"><sheetData>{rows}</sheetData></worksheet>',
        **members,
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return file.getvalue()


TEXTS = (
    "<si><t>Item No</t></si><si><t>Color</t></si><si><t>Qty</t></si><si><t>Price</t></si><si><t>Date Added</t></si>"
    "<si><t>Remarks</t></si><si><r><t>A-</t></r><r><t>03</t></r><rPh><t>x</t></rPh></si>"
)
NAMES = (
    '<row r="1">'
    + "".join(f'<c r="{letter}1" t="s"><v>{place}</v></c>' for place, letter in enumerate("ABCDEF"))
    + "</row>"
)


def test_the_cells_of_a_workbook_are_typed() -> None:
    row = (
        '<row r="3"><c r="A3"><v>3001</v></c><c r="B3" t="inlineStr"><is><t>Red</t></is></c><c r="C3"><v>5</v></c>'
        '<c r="D3" s="2"><f>1+1</f><v>7.0000000000000007E-2</v></c><c r="E3" s="1"><v>45417.5</v></c>'
        '<c r="F3" t="s"><v>6</v></c></row>'
    )
    data = workbook(NAMES + row, texts=TEXTS, sheets='<sheet name="Old" sheetId="2" r:id="rId9"/>')
    assert formats.sniff(data) is formats.get("xlsx")
    (found,), problems, reading = read("xlsx", data)
    assert not problems
    assert found.line == 3
    assert found.values["item_no"] == "3001"
    assert found.values["unit_price"] == Decimal("0.07")
    assert found.values["date_added"].isoformat() == "2024-05-05T12:00:00+00:00"
    assert found.values["remarks"] == "A-03"
    assert "“Old”" in reading.notes[0]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ('<c r="D2"><f>SUM(A1)</f></c>', "formula without a value"),
        ('<c r="D2" t="e"><v>#DIV/0!</v></c>', "#DIV/0!"),
        ('<c r="D2" t="s"><v>99</v></c>', "doesn't have"),
        ('<c r="D2"><v>1e999999999</v></c>', "isn't a"),
        ('<c r="D2"><v>1E+300</v></c>', "isn't a"),
    ],
)
def test_a_cell_that_says_nothing_is_a_problem(cell: str, message: str) -> None:
    good = '<row r="3"><c r="A3"><v>3002</v></c><c r="B3"><v>5</v></c><c r="C3"><v>1</v></c></row>'
    bad = f'<row r="2"><c r="A2"><v>3001</v></c><c r="B2"><v>5</v></c><c r="C2"><v>1</v></c>{cell}</row>'
    rows, problems, _ = read("xlsx", workbook(NAMES + bad + good, texts=TEXTS))
    assert [row.values["item_no"] for row in rows] == ["3002"]
    assert problems[0].line == 2
    assert message in problems[0].message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (workbook("")[:200], "damaged"),
        (workbook(NAMES, texts="<!DOCTYPE x>"), "damaged"),
        (workbook("<row/>"), "empty"),
        (workbook("", **{"xl/workbook.bin": ""}), "xlsb"),
        (b"%PDF-1.7 not a workbook", "a PDF"),
        (b"\xd0\xcf\x11\xe0" + bytes(100), "old Excel"),
        (workbook(NAMES + "<row>" + "<c/>" * 10 + " " * 40_000_000 + "</row>"), "made to do harm"),
    ],
    ids=["cut", "doctype", "empty", "xlsb", "pdf", "xls", "bomb"],
)
def test_what_is_no_workbook_is_refused(data: bytes, message: str) -> None:
    rows, problems, _ = read("xlsx", data)
    assert not rows
    assert problems[0].message.startswith("UNREADABLE")
    assert message in problems[0].message
