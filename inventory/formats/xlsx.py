"""Excel workbooks, streamed in both directions: a sheet is XML in a ZIP, and nothing in it is ever calculated."""

import re
import zipfile
import zlib
from array import array
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import islice
from typing import Any, BinaryIO
from xml.parsers import expat

from inventory.formats.base import (
    MAX_CELL,
    MAX_COLUMNS,
    MAX_ROWS,
    FileFacts,
    Format,
    FormatSpec,
    Lot,
    LotRow,
    Reading,
    RowProblem,
    Table,
    UnreadableFile,
    register,
)
from inventory.parsing import columns as c
from inventory.parsing.contents import kind_of
from inventory.parsing.markup import escaped
from inventory.parsing.numbers import Number
from inventory.parsing.values import WordError

_LABEL = "an Excel workbook (.xlsx)"
# What a workbook may be when unpacked; one that grows beyond this was made to do harm.
_MAX_MEMBERS = 5_000
_MAX_SIZE = 1024 * 1024 * 1024
_MAX_TEXTS = 128 * 1024 * 1024
_MAX_SMALL = 8 * 1024 * 1024
_MAX_RATIO = 150
_UNSUSPICIOUS = 16 * 1024 * 1024
_CHUNK = 64 * 1024
_MAX_TOKEN = 1024 * 1024
_LOOKED_AT = 30
_PIECE_ROWS = 500
_SIGNIFICANT = ".15g"  # as many digits as Excel itself trusts

# Excel counts days from here (and has a 29 February 1900, which only touches dates that no lot has).
_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
_EPOCH_1904 = datetime(1904, 1, 1, tzinfo=UTC)
_DAY_US = 86_400_000_000
_LAST_DAY = 2_958_465
_DATE_FORMATS = frozenset((*range(14, 23), *range(45, 48)))
_NOT_OF_FORMAT = re.compile(r'"[^"]*"|\\.|\[(?!h|m|s)[^\]]*\]', re.IGNORECASE)
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_REFERENCE = re.compile(r"([A-Z]{1,3})\d")
_NO_VALUE = "This cell is a formula without a value: open the file in your spreadsheet and save it once."
_TOO_WIDE = "cells beyond the last column"

_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


# Reading


def _open(stream: BinaryIO) -> zipfile.ZipFile:
    head = stream.read(_CHUNK)
    kind = kind_of(head)
    if not head:
        raise UnreadableFile("The file is empty.")
    if not head.startswith(b"PK"):
        raise UnreadableFile(f"This is {kind}, not {_LABEL}." if kind else f"This isn't {_LABEL}.")
    stream.seek(0)
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeDecodeError) as error:
        raise UnreadableFile("The workbook is damaged or cut off.") from error
    members = archive.infolist()
    if len(members) > _MAX_MEMBERS or sum(member.file_size for member in members) > _MAX_SIZE:
        raise UnreadableFile("Unpacked, the workbook is larger than any store: it isn't read.")
    for member in members:
        if member.file_size > _UNSUSPICIOUS and member.file_size > member.compress_size * _MAX_RATIO:
            raise UnreadableFile("The workbook is packed so tightly that it must have been made to do harm.")
        if member.flag_bits & 1:
            raise UnreadableFile("The workbook is protected by a password: save it without one.")
    return archive


def _parse(archive: zipfile.ZipFile, name: str, parser: expat.XMLParserType, limit: int) -> Iterator[None]:
    """Have the parser read a member, pausing between its pieces. Raises UnreadableFile."""
    fed = 0

    def refuse(*_: object) -> None:
        raise UnreadableFile("The workbook declares a document type of its own; such files aren't read.")

    parser.StartDoctypeDeclHandler = refuse
    try:
        with archive.open(name) as member:
            while piece := member.read(_CHUNK):
                parser.Parse(piece, False)  # noqa: FBT003  # expat takes it by position
                fed += len(piece)
                if fed > limit or fed - parser.CurrentByteIndex > _MAX_TOKEN:
                    raise UnreadableFile("A part of the workbook is larger than any store's.")
                yield
            parser.Parse(b"", True)  # noqa: FBT003  # as above
            yield
    except KeyError as error:
        raise UnreadableFile(f"This is a ZIP archive, but not {_LABEL}: it has no {name}.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, expat.ExpatError) as error:
        raise UnreadableFile("The workbook is damaged or cut off; from there on nothing was read.") from error


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = 1 << 16
    return parser


def _elements(archive: zipfile.ZipFile, name: str) -> list[tuple[str, dict[str, str]]]:
    """Answer a small member's elements, without their texts."""
    found: list[tuple[str, dict[str, str]]] = []
    parser = _parser()
    parser.StartElementHandler = lambda tag, attributes: found.append((tag.rpartition(":")[2], attributes))
    for _ in _parse(archive, name, parser, _MAX_SMALL):
        pass
    return found


def _attribute(attributes: Mapping[str, str], name: str) -> str:
    """Answer an attribute whatever its namespace."""
    return next((value for key, value in attributes.items() if key.rpartition(":")[2] == name), "")


class _Texts:
    """The workbook's shared texts, in one piece of memory."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", [0])
        if "xl/sharedStrings.xml" in archive.namelist():
            self._read(archive)

    def __getitem__(self, place: int) -> str:
        if not 0 <= place < len(self._ends) - 1:
            raise IndexError(place)
        return self._bytes[self._ends[place] : self._ends[place + 1]].decode()

    def _read(self, archive: zipfile.ZipFile) -> None:
        parts: list[str] = []
        # Texts for reading aloud (`rPh`) aren't the cell's.
        depth_of_phonetic = 0

        def start(tag: str, _: dict[str, str]) -> None:
            nonlocal depth_of_phonetic
            name = tag.rpartition(":")[2]
            if name == "rPh":
                depth_of_phonetic += 1
            parser.CharacterDataHandler = parts.append if name == "t" and not depth_of_phonetic else None

        def end(tag: str) -> None:
            nonlocal depth_of_phonetic
            name = tag.rpartition(":")[2]
            parser.CharacterDataHandler = None
            if name == "rPh":
                depth_of_phonetic -= 1
            elif name == "si":
                self._bytes += _decoded("".join(parts)).encode("utf-8", "replace")
                self._ends.append(len(self._bytes))
                parts.clear()

        parser = _parser()
        parser.StartElementHandler, parser.EndElementHandler = start, end
        for _ in _parse(archive, "xl/sharedStrings.xml", parser, _MAX_TEXTS):
            if sum(map(len, parts)) > MAX_CELL:
                parts[:] = ["".join(parts)[: MAX_CELL + 1]]


def _decoded(text: str) -> str:
    """Answer a text without Excel's own way of escaping characters."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


class _Book:
    """What of a workbook is needed for reading its first sheet."""

    def __init__(self, stream: BinaryIO) -> None:
        self.archive = _open(stream)
        names = frozenset(self.archive.namelist())
        if "xl/workbook.bin" in names:
            raise UnreadableFile("This is a binary workbook (.xlsb): save it as .xlsx.")
        if "xl/workbook.xml" not in names:
            kind = "an OpenDocument spreadsheet (.ods)" if "content.xml" in names else "a ZIP archive"
            raise UnreadableFile(f"This is {kind}, not {_LABEL}.")
        self.sheets: list[tuple[str, str]] = []
        self.epoch = _EPOCH
        for tag, attributes in _elements(self.archive, "xl/workbook.xml"):
            if tag == "workbookPr" and attributes.get("date1904") in ("1", "true"):
                self.epoch = _EPOCH_1904
            if tag == "sheet" and attributes.get("state", "visible") == "visible":
                self.sheets.append((attributes.get("name", ""), _attribute(attributes, "id")))
        targets = {
            attributes.get("Id", ""): attributes.get("Target", "")
            for tag, attributes in _elements(self.archive, "xl/_rels/workbook.xml.rels")
            if tag == "Relationship"
        }
        if not self.sheets:
            raise UnreadableFile("The workbook has no sheet.")
        target = targets.get(self.sheets[0][1], "")
        self.sheet = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        self.texts = _Texts(self.archive)
        self.date_styles = self._date_styles() if "xl/styles.xml" in names else frozenset()

    def _date_styles(self) -> frozenset[str]:
        """Answer which of the styles show a number as a date."""
        formats: dict[str, bool] = {}
        styles: list[str] = []
        is_in_cells = False
        for tag, attributes in _elements(self.archive, "xl/styles.xml"):
            if tag == "numFmt":
                code = _NOT_OF_FORMAT.sub("", attributes.get("formatCode", "")[:255])
                formats[attributes.get("numFmtId", "")] = any(letter in code.casefold() for letter in "ymdhs")
            elif tag in ("cellStyleXfs", "cellXfs", "cellStyles"):
                is_in_cells = tag == "cellXfs"
            elif tag == "xf" and is_in_cells:
                styles.append(attributes.get("numFmtId", ""))
        return frozenset(
            str(place)
            for place, number in enumerate(styles)
            if formats.get(number, number.isdecimal() and int(number[:4]) in _DATE_FORMATS)
        )


@lru_cache(maxsize=16_384)
def _number(raw: str) -> str:
    """Answer a number of a cell as plain text: 7.0000000000000007E-2 is 0.07."""
    if raw.isdecimal():
        return Number(raw)
    try:
        return Number(f"{Decimal(format(float(raw), _SIGNIFICANT)):f}")
    except (ValueError, InvalidOperation, OverflowError):
        return raw


def _moment(raw: str, epoch: datetime) -> str:
    try:
        days = float(raw)
    except ValueError:
        return raw
    if not 0 <= days <= _LAST_DAY:
        return raw
    # Exactly: a product of floats could be a microsecond off.
    numerator, denominator = days.as_integer_ratio()
    moment = epoch + timedelta(microseconds=(2 * numerator * _DAY_US + denominator) // (2 * denominator))
    return c.Moment(moment.isoformat())


@lru_cache(maxsize=1024)
def _column(letters: str) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - 64
    return place - 1


class _Sheet:
    """The first sheet's rows, with their numbers. `wide`: rows in which cells stand beyond the last column read."""

    def __init__(self, book: _Book) -> None:
        self._book = book
        self._done: list[tuple[int, list[str]]] = []
        self.wide: set[int] = set()
        self._parts: list[str] = []
        self._cells: list[str] = []
        self._row = 0
        self._place = -1
        self._kind = ""
        self._style = ""
        self._is_formula = False

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        parser = _parser()
        parser.StartElementHandler, parser.EndElementHandler = self._handlers(parser)
        for _ in _parse(self._book.archive, self._book.sheet, parser, _MAX_SIZE):
            yield from self._done
            self._done.clear()
            if sum(map(len, self._parts)) > MAX_CELL:
                self._parts[:] = ["".join(self._parts)[: MAX_CELL + 1]]

    def _handlers(  # noqa: C901  # closures, so that a cell costs few calls
        self, parser: expat.XMLParserType
    ) -> tuple[Callable[[str, dict[str, str]], None], Callable[[str], None]]:
        parts = self._parts
        append = parts.append

        def start(tag: str, attributes: dict[str, str]) -> None:
            if tag == "c":
                found = _REFERENCE.match(attributes["r"]) if "r" in attributes else None
                self._place = _column(found[1]) if found else self._place + 1
                self._kind = attributes.get("t", "")
                self._style = attributes.get("s", "")
                self._is_formula = False
            elif tag in ("v", "t"):
                parser.CharacterDataHandler = append
            elif tag == "row":
                number = attributes.get("r", "")
                self._row = int(number) if number.isdecimal() and len(number) < 9 else self._row + 1  # noqa: PLR2004  # of a row
                self._cells = []
                self._place = -1
            elif tag == "f":
                self._is_formula = True
            elif ":" in tag:
                start(tag.rpartition(":")[2], attributes)

        def end(tag: str) -> None:
            if tag in ("v", "t"):
                parser.CharacterDataHandler = None
            elif tag == "c":
                if parts or self._is_formula:
                    self._add(parts[0] if len(parts) == 1 else "".join(parts))
                    parts.clear()
            elif tag == "row":
                self._done.append((self._row, self._cells))
            elif ":" in tag:
                end(tag.rpartition(":")[2])

        return start, end

    def _add(self, raw: str) -> None:
        place, cells = self._place, self._cells
        if place >= MAX_COLUMNS:
            self.wide.add(self._row)
            return
        if place > len(cells):
            cells.extend([""] * (place - len(cells)))
        text = self._text(raw)
        if place == len(cells):
            cells.append(text)
        else:
            cells[place] = text

    def _text(self, raw: str) -> str:
        kind = self._kind
        if kind == "s":
            try:
                return self._book.texts[int(raw)]
            except (ValueError, IndexError):
                return c.Unusable("This cell names a text that the workbook doesn't have.")
        if kind in ("str", "inlineStr"):
            return _decoded(raw)
        if kind == "e":
            return c.Unusable(f"This cell holds the error {raw[:20]}.")
        if not raw:
            return c.Unusable(_NO_VALUE) if self._is_formula else ""
        if kind == "b":
            return "Y" if raw.strip() == "1" else "N"
        if self._style and self._style in self._book.date_styles:
            return _moment(raw, self._book.epoch)
        return raw if kind == "d" else _number(raw.strip())


def _notes(book: _Book) -> list[str]:
    if len(book.sheets) == 1:
        return []
    others = ", ".join(f"“{name[:40]}”" for name, _ in book.sheets[1:6])
    return [f"The first sheet, “{book.sheets[0][0][:40]}”, is read; {others} isn't."]


# Writing


class _Pipe:
    """Where the ZIP is written to, and its bytes are taken from."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Take bytes in."""
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits here."""

    def taken(self) -> bytes:
        """Give out what has come in."""
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def _shown(text: str) -> str:
    if "_x" in text:
        text = _ESCAPE.sub(r"_x005F_x\1_", text)
    if "\r" in text:
        text = text.replace("\r", "_x000D_")
    return escaped(text)


def _letters(place: int) -> str:
    """Answer the letters of a column."""
    return chr(65 + place) if place < 26 else chr(64 + place // 26) + chr(65 + place % 26)  # noqa: PLR2004  # the alphabet's


def _row(number: int, cells: Sequence[c.Cell], style: str = "") -> str:
    """Answer a row. Empty cells are left out; only the cell behind such a gap needs to say where it stands."""
    parts = [f'<row r="{number}">']
    is_gap = False
    for place, value in enumerate(cells):
        if value is None or value == "":
            is_gap = True
            continue
        at = style
        if is_gap:
            at += f' r="{_letters(place)}{number}"'
            is_gap = False
        if value.__class__ is str:
            parts.append(f'<c{at} t="inlineStr"><is><t xml:space="preserve">{_shown(value)}</t></is></c>')
        elif isinstance(value, datetime):
            since = value.astimezone(UTC) - _EPOCH
            # Of whole microseconds, so that the nearest float leads back to the same one.
            parts.append(f'<c{at} s="1"><v>{(since // timedelta(microseconds=1)) / _DAY_US!r}</v></c>')
        else:
            parts.append(f"<c{at}><v>{value}</v></c>")
    parts.append("</row>")
    return "".join(parts)


_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_FIXED = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
    '<Override PartName="/xl/styles.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_NAMESPACE}" xmlns:r="{_RELATIONS}">'
    '<sheets><sheet name="Lots" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_RELATIONS}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{_NAMESPACE}">'
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}
_SHEET_START = (
    f'<worksheet xmlns="{_NAMESPACE}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
)


@register
class Xlsx(Format):
    """The first sheet of a workbook, with columns as CSV has them."""

    spec = FormatSpec(
        code="xlsx",
        label="Excel (XLSX)",
        suffix=".xlsx",
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        docs="https://ecma-international.org/publications-and-standards/standards/ecma-376/",
        needs_mapping=True,
    )

    def sniff(self, head: bytes) -> bool:
        """Tell it by the names that a workbook's archive begins with."""
        return head.startswith(b"PK\x03\x04") and b"xl/" in head

    def facts(self, stream: BinaryIO) -> FileFacts:
        """Answer the columns, the first rows, and what the columns' names tell. The stream can be sought in."""
        _, layout = self._looked_at(_Book(stream))
        guessed, sample = layout.guessed(), layout.sample()
        return FileFacts(
            currency=c.currency_of(layout.columns, sample, guessed),
            columns=layout.columns,
            sample=sample,
            guessed=guessed,
        )

    def table(self, stream: BinaryIO, *, names: Container[str]) -> Table:
        """Answer the first sheet's rows. The stream can be sought in."""
        book = _Book(stream)
        _, layout = self._looked_at(book, names)
        rows = ((line, cells) for line, cells in _Sheet(book) if line > layout.header_line and any(cells))
        return Table(layout.columns, rows, layout.rows, _notes(book), is_guarded=False)

    @staticmethod
    def _looked_at(book: _Book, names: Container[str] | None = None) -> tuple[_Sheet, c.Layout]:
        sheet = _Sheet(book)
        rows = [row for row in islice(sheet, _LOOKED_AT) if any(map(str.strip, row[1]))]
        if not rows:
            raise UnreadableFile(f"The sheet “{book.sheets[0][0][:60]}” is empty.")
        layout = c.Layout(rows) if names is None else c.Layout(rows, names)
        if layout.header_line in sheet.wide:
            raise UnreadableFile(f"The sheet has more than {MAX_COLUMNS} columns.")
        return sheet, layout

    def read(self, stream: BinaryIO, *, mapping: Mapping[str, str] | None = None) -> Reading:
        """Answer the rows; without a mapping, by what the columns' names tell. The stream can be sought in."""
        reading = Reading(rows=iter(()))
        reading.rows = self._rows(stream, reading, mapping)
        return reading

    def _rows(
        self, stream: BinaryIO, reading: Reading, mapping: Mapping[str, str] | None
    ) -> Iterator[LotRow | RowProblem]:
        book = _Book(stream)
        _, layout = self._looked_at(book)
        reading.notes += _notes(book)
        row = c.RowReader(
            layout.columns, layout.guessed() if mapping is None else mapping, reading.ignored, is_guarded=False
        )
        row.learn([cell for cell in cells if cell.__class__ is str] for cells in layout.rows)
        count = 0
        sheet = _Sheet(book)
        for line, cells in sheet:
            if line <= layout.header_line or not any(cells):
                continue
            count += 1
            if count > MAX_ROWS:
                raise UnreadableFile(f"Row {line}: a file may have {MAX_ROWS:,} lots at most.")
            if sheet.wide:
                reading.ignored[_TOO_WIDE] += len(sheet.wide)
                sheet.wide.clear()
            try:
                yield LotRow(line, row.values(cells))
            except WordError as wrong:
                yield RowProblem(line, str(wrong), wrong.field, wrong.raw)

    def write(self, lots: Iterable[Lot], *, currency: str, around: Mapping[str, Any] | None = None) -> Iterator[bytes]:
        """Answer the workbook: one sheet, its header frozen, numbers as numbers, dates (in UTC) as dates."""
        pipe = _Pipe()
        with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:  # type: ignore[call-overload]
            for name, text in _FIXED.items():
                archive.writestr(name, _DECLARATION + text)
            with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
                names = _row(1, c.header(currency), ' s="2"')
                sheet.write(f"{_DECLARATION}{_SHEET_START}{names}".encode())
                rows = (_row(number, c.cells(lot)) for number, lot in enumerate(lots, start=2))
                while batch := "".join(islice(rows, _PIECE_ROWS)):
                    sheet.write(batch.encode("utf-8", "replace"))
                    if data := pipe.taken():
                        yield data
                sheet.write(b"</sheetData></worksheet>")
        yield pipe.taken()
