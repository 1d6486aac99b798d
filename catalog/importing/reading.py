"""Opens a dump and answers its rows, whatever it is packed in: told apart by what is in it, never read whole."""

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from catalog.choices import ITEM_TYPE_OF_LETTER, ItemType
from catalog.importing import tables
from catalog.importing.tables import Table
from common.errors import Invalid

# The longest line of a real dump has some 600 characters.
_MAX_LINE = 64 * 1024
_MAX_BYTES = 4 * 1024**3
_PROBLEMS_SHOWN, _LONGEST_NUMBER = 100, 40


class DumpRefused(Invalid):  # reads as what it says, like the other errors
    """A file that is no dump, or one that lacks what it needs. The detail says what to do."""

    title = "Dump refused"


@dataclass(slots=True)
class Dump:
    """A file with a table in it. Its problems are known when its rows have been read."""

    path: Path
    table: Table
    header: tuple[str, ...]
    # Of the contents of one set or figure: its number, from the file's name.
    subject: str = ""
    rows_count: int = 0
    problems_count: int = 0
    problems: list[str] = field(default_factory=list)

    def sha256(self) -> str:
        """Answer the digest of the file as it is."""
        with self.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def problem(self, line: int, what: str) -> None:
        """Note a line that is left out."""
        self.problems_count += 1
        if len(self.problems) < _PROBLEMS_SHOWN:
            self.problems.append(f"{self.path.name}, line {line:,}: {what}")

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Answer the rows as the staging table has them. What is wrong in a line is noted, and the line left out."""
        readers = [
            (column.header, self.header.index(column.header) if column.header in self.header else -1, column.read)
            for column in self.table.columns
        ]
        width = len(self.header)
        for line, cells in self._lines():
            if not cells:
                self.problem(line, "is half a line, or something is amiss with its quotation marks")
                continue
            if len(cells) != width:
                self.problem(line, f"has {len(cells)} columns instead of {width}")
                continue
            row: list[object] = []
            try:
                for _, place, read in readers:
                    row.append(None if place < 0 else read(cells[place]))
            except (ValueError, KeyError) as error:
                header, place, _ = readers[len(row)]
                self.problem(line, f"{header} “{cells[place][:40]}” can't be read ({error})")
                continue
            self.rows_count += 1
            yield tuple(row)

    def _lines(self) -> Iterator[tuple[int, Sequence[str]]]:
        with _opened(self.path) as stream:
            watched = _Watched(stream, self.path)
            lines = _xml_lines(watched, self.header) if _is_xml(self.path) else _text_lines(watched, self.path)
            try:
                yield from lines
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise DumpRefused(f"{self.path.name} is cut off or broken. Fetch it again.") from error


class _Watched(io.RawIOBase):
    """Passes bytes on, and counts them: a few bytes may unpack to any number."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self._stream, self._path, self._count = stream, path, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        room = memoryview(cast("bytearray", buffer))
        found = self._stream.read(len(room))
        self._count += len(found)
        if self._count > _MAX_BYTES:
            raise DumpRefused(f"{self._path.name} unpacks to more than 4 GB. That is no dump of a catalog.")
        room[: len(found)] = found
        return len(found)


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as stream:
        is_packed = stream.read(2) == b"\x1f\x8b"
    return cast("BinaryIO", gzip.open(path) if is_packed else path.open("rb"))


def _head(path: Path) -> str:
    try:
        with _opened(path) as stream:
            return _decoded(stream.read(_MAX_LINE))
    except (EOFError, zlib.error, gzip.BadGzipFile, OSError) as error:
        raise DumpRefused(f"{path.name} can't be opened: it is cut off or broken. Fetch it again.") from error


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # A sequence may be cut at the end; older files of BrickLink are Latin-1.
        if error.start >= len(raw) - 3:
            return raw[: error.start].decode("utf-8-sig")
        return raw.decode("latin-1")


def _is_xml(path: Path) -> bool:
    return _head(path).lstrip().startswith("<")


def _lenient(text: Iterator[bytes], path: Path) -> Iterator[str]:
    for raw in text:
        if len(raw) > _MAX_LINE:
            raise DumpRefused(f"{path.name} has a line of more than {_MAX_LINE:,} characters. That is no dump.")
        try:
            yield raw.decode()
        except UnicodeDecodeError:
            yield raw.decode("latin-1")


def _text_lines(stream: io.RawIOBase, path: Path) -> Iterator[tuple[int, Sequence[str]]]:
    buffered = io.BufferedReader(stream, 1024 * 1024)
    lines = _lenient(iter(lambda: buffered.readline(_MAX_LINE + 1), b""), path)
    first = next(lines, "").removeprefix("\ufeff")
    if "\t" in first:
        for number, line in enumerate(lines, 2):
            if text := line.rstrip("\r\n"):
                yield number, text.split("\t")
        return
    for number, line in enumerate(lines, 2):
        # No row of Rebrickable's goes over two lines, so that one with half a quotation takes none along.
        cells = () if line.count('"') % 2 else _cells(line)
        if cells is not None:
            yield number, cells


def _cells(line: str) -> Sequence[str] | None:
    try:
        return next(csv.reader((line,)), None) or None
    except csv.Error:
        return ()


def _xml_lines(stream: io.RawIOBase, header: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """Answer the items of an XML dump; their number stands for the line, which an element doesn't know."""
    buffered = io.BufferedReader(stream, 1024 * 1024)
    number = 0
    try:
        for event, element in ElementTree.iterparse(buffered, events=("start", "end"), forbid_dtd=True):
            if event == "start":
                if number == 0 and element.tag in ("CATALOG", "INVENTORY"):
                    root = element
                continue
            if element.tag == "ITEM":
                number += 1
                found = {_header_of(child.tag, element): child.text or "" for child in element}
                yield number, [found.get(name, "") for name in header]
                root.clear()
    except (ParseError, DefusedXmlException, UnicodeDecodeError, UnboundLocalError) as error:
        raise DumpRefused(f"After {number:,} items this is no XML of BrickLink's catalog any more: {error}.") from error


def _header_of(tag: str, element: Element) -> str:
    """Answer the text files' name of a tag, which means other things in other kinds of files."""
    if tag == "COLOR" and element.find("CODENAME") is not None:
        return "Color"
    if tag == "ITEMID" and (element.find("CODENAME") is not None or element.find("QTY") is not None):
        return "Item No"
    if tag == "ITEMTYPE" and element.find("QTY") is not None:
        return "Type"
    return tables.XML_HEADERS.get(tag, tag)


def open_dump(path: Path) -> Dump:
    """Answer what is in a file. Raises DumpRefused where that is no table that we know."""
    head = _head(path)
    if head.lstrip().startswith("<"):
        return _open_xml(path)
    first = head.splitlines()[0] if head.strip() else ""
    header = tuple(cell.strip() for cell in next(csv.reader([first], delimiter="\t" if "\t" in first else ","), []))
    return _dump_of(path, header)


def _open_xml(path: Path) -> Dump:
    with _opened(path) as stream:
        try:
            for _, element in ElementTree.iterparse(stream, events=("end",), forbid_dtd=True):
                if element.tag == "ITEM":
                    header = tuple(_header_of(child.tag, element) for child in element)
                    kind = (element.findtext("ITEMTYPE") or "").strip()
                    dump = _dump_of(path, header, letter=kind if "Number" in header else "")
                    # Tags may be left out where an item has nothing to say.
                    dump.header = tuple(column.header for column in dump.table.columns)
                    return dump
        except (ParseError, DefusedXmlException) as error:
            raise DumpRefused(f"{path.name} is no XML of BrickLink's catalog: {error}.") from error
    raise DumpRefused(f"{path.name} is XML without a single item.")


def _dump_of(path: Path, header: tuple[str, ...], *, letter: str = "") -> Dump:
    named = set(header)
    if {"Category ID", "Number"} <= named:
        return Dump(path, tables.BRICKLINK_ITEMS[_kind_of(path, letter)], header)
    known = (*tables.REBRICKABLE, *tables.BRICKLINK)
    fitting = [table for table in known if table.headers <= named]
    if not fitting:
        near = max(known, key=lambda table: len(table.headers & named) / len(table.headers))
        missing = sorted(near.headers - named)
        if len(missing) < len(near.headers) / 2:
            raise DumpRefused(f"{path.name} looks like {near.code}, but lacks the column {', '.join(missing)}.")
        raise DumpRefused(
            f"{path.name} is no dump that is known here. Take the CSV files of rebrickable.com/downloads, or the text"
            " or XML files of BrickLink's catalog download."
        )
    table = max(fitting, key=lambda each: len(each.headers))
    return Dump(path, table, header, _subject_of(path) if table is tables.BRICKLINK_CONTENTS else "")


def _subject_of(path: Path) -> str:
    subject = _stem(path)
    if len(subject) > _LONGEST_NUMBER:
        raise DumpRefused(f"{path.name} is what a set is made of. Name it by the number of the set: 75192-1.txt.")
    return subject


def _stem(path: Path) -> str:
    name = path.name
    for ending in (".gz", ".zip", ".csv", ".txt", ".xml"):
        name = name.removesuffix(ending)
    return name


def _kind_of(path: Path, letter: str) -> ItemType:
    if letter:
        found = ITEM_TYPE_OF_LETTER.get(letter)
    else:
        stem = _stem(path).lower().replace("-", " ").replace("_", " ").split()
        found = tables.ITEM_TYPE_OF_FILE.get(stem[0] if stem else "")
    if found is None or found not in tables.BRICKLINK_ITEMS:
        raise DumpRefused(
            f"{path.name} lists items of BrickLink, but its name doesn't say which. Name it as BrickLink does:"
            " Parts.txt, Sets.txt, Minifigures.txt, Gear.txt, Books.txt, Catalogs.txt, Instructions.txt or Original"
            " Boxes.txt."
        )
    return found
