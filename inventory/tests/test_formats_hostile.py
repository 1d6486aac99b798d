"""Whatever is given to be read: no format crashes, hangs or eats the machine, and each refusal says what is wrong."""

import io
import time
import tracemalloc
import zlib
from collections import deque
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory import formats, generator
from inventory.formats.base import Format, UnreadableFile
from inventory.tests.stock_files import WIRE, read, written

READABLE = [found.spec.code for found in formats.all_formats() if found.spec.can_read]
LOTS = list(generator.lots(60, seed=7))
SAMPLES = {code: written(code, LOTS) for code in READABLE}
XML_SAMPLES = [(WIRE / "bsx/every_field.bsx").read_bytes(), (WIRE / "bricklink_xml/store_download.xml").read_bytes()]
MEGABYTE = 1_000_000


def through(found: Format, data: bytes) -> None:
    """Read all of it; whatever comes is a row, a problem with a line, or an error that says something."""
    with suppress(UnreadableFile):
        found.facts(io.BytesIO(data))
    rows, problems, _ = read(found.spec.code, data)
    assert all(row.line > 0 for row in rows)
    assert all(problem.message.removeprefix("UNREADABLE ") for problem in problems)
    assert all(problem.line > 0 for problem in problems if not problem.message.startswith("UNREADABLE"))


def test_formats_stand_in_the_order_in_which_people_see_them() -> None:
    codes = [found.spec.code for found in formats.all_formats()]
    assert codes == ["bsx", "bricklink_xml", "csv", "xlsx", "json", "bricklink_update"]


@pytest.mark.parametrize("code", READABLE)
def test_each_format_knows_its_own_files_and_no_other(code: str) -> None:
    assert formats.sniff(SAMPLES[code][:65_536]) is formats.get(code)


@pytest.mark.parametrize("code", READABLE)
@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a PNG"),
        (b"\x1f\x8b\x08" + bytes(50), "a GZIP"),
        (b"Rar!\x1a\x07", "a RAR"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "a web page"),
        (b"MZ\x90\x00" + bytes(100), "a program"),
        (bytes(500), ""),
        (b"", "empty"),
    ],
)
def test_what_is_something_else_is_called_by_its_name(code: str, data: bytes, name: str) -> None:
    assert formats.sniff(data) is None
    rows, problems, _ = read(code, data)
    assert not rows
    assert len(problems) == 1
    assert problems[0].message.startswith("UNREADABLE")
    assert name in problems[0].message


def test_a_zip_is_called_one() -> None:
    for code in ("bsx", "bricklink_xml", "csv", "json"):
        assert "Excel workbook" in read(code, SAMPLES["xlsx"])[1][0].message


@pytest.mark.parametrize("root", [("<BrickStoreXML><Inventory>", "bsx"), ("<INVENTORY>", "bricklink_xml")])
@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://localhost/x"> %p;]>',
        "<!DOCTYPE x []>",
    ],
)
def test_what_a_doctype_declares_is_refused(root: tuple[str, str], doctype: str) -> None:
    rows, problems, _ = read(root[1], doctype + root[0] + "<Item><ItemID>&b;</ItemID></Item>")
    assert not rows
    assert "DOCTYPE" in problems[0].message


def test_an_external_doctype_is_never_loaded_and_unknown_entities_stay_text() -> None:
    source = (
        '<!DOCTYPE BrickStoreXML SYSTEM "http://localhost:1/x.dtd"><BrickStoreXML><Inventory><Item><ItemID>3001</ItemID>'
        "<ItemTypeID>P</ItemTypeID><ColorID>5</ColorID><Remarks>&xxe; &eacute; R&D</Remarks></Item></Inventory>"
        "</BrickStoreXML>"
    )
    (row,), problems, _ = read("bsx", source)
    assert not problems
    assert row.values["remarks"] == "&xxe; é R&D"


def test_characters_that_xml_cannot_hold_are_left_out_and_told() -> None:
    body = (
        b"\n<ITEM><ITEMTYPE>P</ITEMTYPE><ITEMID>3001</ITEMID><COLOR>5</COLOR>"
        b"\n<REMARKS>caf\xe9 \x03\x00&#2;</REMARKS></ITEM>"
    )
    rows, problems, _ = read(
        "bricklink_xml", b'<?xml version="1.0" encoding="utf-8"?><INVENTORY>' + body + b"</INVENTORY>"
    )
    assert rows[0].values["remarks"] == "café \ufffd"
    assert [problem.line for problem in problems] == [3]


@pytest.mark.parametrize("declared", ["utf-16", "rot13", "punycode", "nonsense", "iso-8859-1", "ascii"])
def test_a_wrong_declaration_does_no_harm(declared: str) -> None:
    source = f'<?xml version="1.0" encoding="{declared}"?><INVENTORY><ITEM><ITEMTYPE>P</ITEMTYPE><ITEMID>3001</ITEMID>'
    source += "<COLOR>5</COLOR><REMARKS>café</REMARKS></ITEM></INVENTORY>"
    (row,), _, _ = read("bricklink_xml", source)
    assert row.values["remarks"] == "café"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8-sig", "utf-32"])
def test_xml_of_any_unicode_is_read(encoding: str) -> None:
    (row,), problems, _ = read(
        "bricklink_xml",
        "\n <INVENTORY><ITEM><ITEMTYPE>P</ITEMTYPE><ITEMID>3001</ITEMID><COLOR>5</COLOR></ITEM></INVENTORY>".encode(
            encoding
        ),
    )
    assert not problems
    assert row.line == 2


@pytest.mark.parametrize("code", ["bsx", "bricklink_xml"])
def test_rows_before_a_cut_stand(code: str) -> None:
    data = SAMPLES[code]
    rows, problems, _ = read(code, data[: len(data) // 2])
    assert 20 < len(rows) < 40
    assert len(problems) == 1
    assert "cut off" in problems[0].message
    assert problems[0].line > 20


def _deep() -> bytes:
    return b"<BrickStoreXML><Inventory><Item>" + b"<a>" * 300_000


def _in_bsx(inside: bytes) -> bytes:
    return b"<BrickStoreXML><Inventory><Item>" + inside + b"</Item></Inventory></BrickStoreXML>"


HOSTILE = {
    "deep xml": ("bsx", _deep()),
    "long tag": ("bsx", _in_bsx(b"<a " + b"b" * MEGABYTE + b"='1'/>")),
    "many attributes": ("bsx", _in_bsx(b"<a " + b" ".join(b"a%d='1'" % place for place in range(80_000)) + b"/>")),
    "long comment": ("bsx", _in_bsx(b"<!-- " + b"> <" * 330_000 + b"-->")),
    "long text": ("bsx", _in_bsx(b"<Remarks>" + b"x" * MEGABYTE + b"</Remarks>")),
    "ampersands": ("bsx", _in_bsx(b"<Remarks>" + b"&" * MEGABYTE + b"</Remarks>")),
    "brackets": ("bsx", _in_bsx(b"<Remarks>" + b"]" * MEGABYTE + b"</Remarks>")),
    "angles": ("bsx", _in_bsx(b"<Remarks>" + b"<" * MEGABYTE)),
    "cdata": ("bsx", _in_bsx(b"<Remarks><![CDATA[" + b"&<" * 500_000 + b"]]></Remarks>")),
    "many tags": ("bsx", _in_bsx(b"".join(b"<t%d/>" % place for place in range(100_000)))),
    "many items": ("bricklink_xml", b"<INVENTORY>" + b"<ITEM/>" * 140_000 + b"</INVENTORY>"),
    "blanks": ("bsx", b" " * MEGABYTE),
    "prolog": ("bsx", b"<?a b?>" * 140_000),
    "wide csv": ("csv", b",".join(b"c%d" % place for place in range(10_000)) + b"\n" + b"1," * 400_000),
    "long cell": ("csv", b"Item No,Color,Qty\n3001,5," + b"9" * MEGABYTE + b"\n3002,5,1\n"),
    "open quotes": ("csv", b"Item No,Color,Qty\n" + b'"3001,5\n' * 120_000),
    "one quote": ("csv", b'Item No,Color,Qty\n"' + b"3001,5,1\n" * 110_000),
    "quotes": ("csv", b"Item No,Color,Qty\n" + b'"' * MEGABYTE),
    "short rows": ("csv", b"Item No,Color,Qty\n" + b"1,5,1\n" * 160_000),
    "commas": ("csv", b"," * MEGABYTE),
    "deep json": ("json", b"[" * MEGABYTE),
    "deep object": ("json", b'{"a":' * 200_000),
    "long string": ("json", b'[{"item_no": "' + b"x" * MEGABYTE),
    "long number": ("json", b'[{"qty": ' + b"9" * MEGABYTE + b"}]"),
    "many members": ("json", b'[{"item_no": "1"' + b"".join(b', "m%d": 1' % place for place in range(70_000)) + b"}]"),
    "short objects": ("json", b"[" + b"{}," * 330_000 + b"{}]"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_megabyte_made_to_do_harm_takes_little(name: str) -> None:
    code, data = HOSTILE[name]
    began = time.process_time()
    rows, problems, _ = read(code, data)
    # A second on a quiet machine; this one may be shared.
    assert time.process_time() - began < 3
    tracemalloc.start()
    try:
        # Rows are let go as they come. Tracing is slow, so files of many of them are traced in part.
        reading = formats.get(code).read(
            io.BytesIO(data if len(rows) + len(problems) < 1000 else data[: MEGABYTE // 10])
        )
        with suppress(UnreadableFile):
            deque(reading, maxlen=1)
        assert tracemalloc.get_traced_memory()[1] < 100 * MEGABYTE
    finally:
        tracemalloc.stop()


def test_one_problem_among_many_rows_costs_that_row_alone() -> None:
    code, data = HOSTILE["long cell"]
    rows, problems, _ = read(code, data)
    assert [row.values["item_no"] for row in rows] == ["3002"]
    assert len(problems) == 1


@pytest.mark.parametrize("code", READABLE)
@given(data=st.binary(max_size=2000))
@settings(max_examples=60, deadline=None)
def test_garbage_never_crashes(code: str, data: bytes) -> None:
    through(formats.get(code), data)


@pytest.mark.parametrize("code", READABLE)
@given(
    cuts=st.lists(
        st.tuples(st.integers(0, 1 << 16), st.integers(0, 40), st.binary(max_size=12)), min_size=1, max_size=6
    )
)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_files_never_crash(code: str, cuts: list[tuple[int, int, bytes]]) -> None:
    samples = [SAMPLES[code], *(XML_SAMPLES if code in ("bsx", "bricklink_xml") else [])]
    for sample in samples:
        data = sample
        for place, length, insert in cuts:
            at = place % (len(data) + 1)
            data = data[:at] + insert + data[at + length :]
        through(formats.get(code), data)


def test_every_wrong_line_of_a_file_is_named() -> None:
    lines = SAMPLES["csv"].decode("utf-8-sig").splitlines(keepends=True)
    wrong = set(range(2, len(lines), 7))
    for place in wrong:
        lines[place - 1] = lines[place - 1].replace(",New,", ",perhaps,").replace(",Used,", ",perhaps,")
    rows, problems, _ = read("csv", "".join(lines))
    assert {problem.line for problem in problems} == wrong
    assert len(rows) == len(LOTS) - len(wrong)
    assert zlib.crc32(SAMPLES["csv"]) != zlib.crc32("".join(lines).encode())
