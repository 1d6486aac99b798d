"""CSV: of any delimiter, encoding and way of writing numbers; written so that no text is taken for a formula."""

import csv
import io
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, BinaryIO

from inventory.formats.base import (
    HEAD_BYTES,
    MAX_CELL,
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
from inventory.parsing.contents import encoding_of, errors_for, head_text, kind_of, mended
from inventory.parsing.values import WordError

_DELIMITERS = ",;\t|"
# A quote that isn't closed would swallow the rest of the file: a cell that goes on for longer was never quoted.
_MAX_LINES_OF_CELL = 200
_MAX_LINE = MAX_CELL * 50
_LOOKED_AT = 30
_PIECE_ROWS = 500
_START_SHOWN = 100

_Record = tuple[int, list[str] | str]


class _RunawayError(Exception):
    """A quoted cell doesn't end within reason."""


class _Records:
    """The rows of a file with the lines in which they begin; where a row can't be read, a sentence instead of it."""

    def __init__(self, lines: Iterator[str], delimiter: str) -> None:
        self._lines = lines
        self._delimiter = delimiter
        # Lines that are read again after a quote that was none.
        self._again: list[str] = []
        self._pulled: list[str] = []
        self._pulled_size = 0
        self.line = 0

    def _pull(self) -> Iterator[str]:
        while True:
            if self._again:
                line = self._again.pop()
            else:
                line = next(self._lines, "")
                if not line:
                    return
            self._pulled.append(line)
            self._pulled_size += len(line)
            if len(self._pulled) > 1 and (len(self._pulled) > _MAX_LINES_OF_CELL or self._pulled_size > _MAX_LINE):
                raise _RunawayError
            yield line

    def __iter__(self) -> Iterator[_Record]:
        reader = csv.reader(self._pull(), delimiter=self._delimiter)
        while True:
            begun = self.line + 1
            self._pulled.clear()
            self._pulled_size = 0
            try:
                cells = next(reader)
            except StopIteration:
                return
            except _RunawayError:
                yield begun, 'A quote (") is opened in this line and not closed.'
                self._again.extend(reversed(self._pulled[1:]))
                self.line = begun
                reader = csv.reader(self._pull(), delimiter=self._delimiter)
                continue
            except csv.Error as error:
                yield begun, f"This line can't be read as CSV ({error})."
                self.line += len(self._pulled)
                reader = csv.reader(self._pull(), delimiter=self._delimiter)
                continue
            self.line += len(self._pulled)
            if len(self._pulled) == 1 and len(self._pulled[0]) > _MAX_LINE:
                yield begun, "This line is too long."
            else:
                yield begun, cells


class _Bytes(io.RawIOBase):
    """A stream of which the head has been read already, and which whoever opened it closes."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer from the head, then from the stream."""
        size = len(buffer)
        piece, self._head = (self._head[:size], self._head[size:]) if self._head else (self._stream.read(size), b"")
        buffer[: len(piece)] = piece
        return len(piece)


def _lines(head: bytes, stream: BinaryIO, encoding: str) -> Iterator[str]:
    """Answer the lines, each with its end. One that is too long comes shortened, but longer than is let through."""
    source = io.BufferedReader(_Bytes(head, stream), HEAD_BYTES)
    text = io.TextIOWrapper(source, encoding=encoding, errors=errors_for(encoding), newline="")
    is_first = True
    while line := text.readline(_MAX_LINE + 1):
        if len(line) > _MAX_LINE and not line.endswith(("\n", "\r")):
            while (rest := text.readline(_MAX_LINE)) and not rest.endswith(("\n", "\r")):
                pass
        if is_first:
            line = line.removeprefix("\ufeff")
            is_first = False
        yield line if line.isascii() else mended(line)


class _Shape:
    """What the beginning of a file tells: its delimiter, its columns, and how wide its rows are."""

    def __init__(self, head: bytes, names: Container[str] = c.NAMES) -> None:
        text = head_text(head)
        if len(head) >= HEAD_BYTES:
            text = text[: text.rfind("\n") + 1] or text
        self.delimiter, records = self._delimited(text, names)
        rows = [(line, cells) for line, cells in records if isinstance(cells, list) and any(map(str.strip, cells))]
        self.layout = c.Layout(rows, names)
        self.widths = [len(cells) for _, cells in rows]

    @staticmethod
    def _delimited(text: str, names: Container[str]) -> tuple[str, list[_Record]]:
        start = text[:_START_SHOWN].lstrip()
        if start[:4].casefold() == "sep=" and start[4:5] in _DELIMITERS:
            # Excel's own hint.
            records = list(islice(_Records(iter(text.splitlines(keepends=True)), start[4]), _LOOKED_AT))
            return start[4], records[1:]
        best: tuple[tuple[int, float, int], str, list[_Record]] | None = None
        lines = text.splitlines(keepends=True)[: _LOOKED_AT * 5]
        for delimiter in _DELIMITERS:
            records = list(islice(_Records(iter(lines), delimiter), _LOOKED_AT))
            widths = [len(cells) for _, cells in records if isinstance(cells, list) and cells]
            usual = max(set(widths), key=widths.count, default=0)
            known = max(
                (
                    sum(c.normal_name(cell) in names for cell in cells)
                    for _, cells in records
                    if isinstance(cells, list)
                ),
                default=0,
            )
            score = (known, widths.count(usual) / len(widths) if usual > 1 else 0.0, usual)
            if best is None or score > best[0]:
                best = (score, delimiter, records)
        return (best[1], best[2]) if best else (",", [])


def _require_text(head: bytes) -> None:
    if kind := kind_of(head):
        raise UnreadableFile(f"This is {kind}, not a CSV file.")
    if not head_text(head).strip():
        raise UnreadableFile("The file is empty.")


def _rows_below(shape: _Shape, head: bytes, stream: BinaryIO) -> Iterator[_Record]:
    """Answer the rows below the columns' names, without those that are empty."""
    for line, cells in _Records(_lines(head, stream, encoding_of(head)), shape.delimiter):
        if line <= shape.layout.header_line:
            continue
        if isinstance(cells, str) or (any(cells) and not (line == 1 and cells[0][:4].casefold() == "sep=")):
            yield line, cells


# By place, since asking each of 34 cells what it is takes longer than all else. The writer knows None and numbers.
_HEADER = c.header("EUR")
_AMOUNTS = [_HEADER.index(name) for name in ("Price (EUR)", "Cost", "TP1", "TP2", "TP3", "Weight (g)")]
_MOMENTS = [_HEADER.index(name) for name in ("Date Added", "Last Sold")]
_TEXTS = [
    _HEADER.index(name)
    for name in (
        "Item No", "Item Name", "Category", "Color Name", "Description", "Remarks", "Reserved For", "Acquired From",
        "Locations",
    )
]  # fmt: skip


def _cells(lot: Lot) -> list[Any]:
    """Answer a lot's cells as text that no spreadsheet takes for a formula."""
    cells: list[Any] = c.cells(lot)
    for place in _TEXTS:
        if cells[place]:
            cells[place] = c.guarded(cells[place])
    for place in _AMOUNTS:
        if cells[place] is not None:
            cells[place] = f"{cells[place]:.4f}"
    for place in _MOMENTS:
        if cells[place] is not None:
            cells[place] = c.iso(cells[place])
    return cells


@register
class CsvFile(Format):
    """Columns of text, in whose names their meaning is found or told."""

    spec = FormatSpec(
        code="csv",
        label="CSV",
        suffix=".csv",
        media_type="text/csv",
        docs="https://www.rfc-editor.org/rfc/rfc4180",
        needs_mapping=True,
    )

    def sniff(self, head: bytes) -> bool:
        """Tell it by columns with known names, or by rows of the same width."""
        if kind_of(head) or head_text(head)[:_START_SHOWN].lstrip()[:1] in ("", "<", "{", "["):
            return False
        shape = _Shape(head)
        if shape.layout.is_known:
            return True
        return len(shape.widths) > 2 and len(set(shape.widths)) == 1 and shape.widths[0] > 1  # noqa: PLR2004  # rows that show a pattern

    def facts(self, stream: BinaryIO) -> FileFacts:
        """Answer the columns, the first rows, and what the columns' names tell."""
        head = stream.read(HEAD_BYTES)
        _require_text(head)
        layout = _Shape(head).layout
        layout.require_bounds()
        guessed, sample = layout.guessed(), layout.sample()
        return FileFacts(
            currency=c.currency_of(layout.columns, sample, guessed),
            columns=layout.columns,
            sample=[[c.unguarded(cell) for cell in cells] for cells in sample],
            guessed=guessed,
        )

    def read(self, stream: BinaryIO, *, mapping: Mapping[str, str] | None = None) -> Reading:
        """Answer the rows; without a mapping, by what the columns' names tell."""
        reading = Reading(rows=iter(()))
        reading.rows = self._rows(stream, reading, mapping)
        return reading

    def table(self, stream: BinaryIO, *, names: Container[str]) -> Table:
        """Answer the rows below the columns' names."""
        head = stream.read(HEAD_BYTES)
        _require_text(head)
        shape = _Shape(head, names)
        shape.layout.require_bounds()
        rows = _rows_below(shape, head, stream)
        return Table(shape.layout.columns, rows, shape.layout.rows, [], is_guarded=True)

    def _rows(
        self, stream: BinaryIO, reading: Reading, mapping: Mapping[str, str] | None
    ) -> Iterator[LotRow | RowProblem]:
        head = stream.read(HEAD_BYTES)
        _require_text(head)
        shape = _Shape(head)
        layout = shape.layout
        layout.require_bounds()
        row = c.RowReader(
            layout.columns, layout.guessed() if mapping is None else mapping, reading.ignored, is_guarded=True
        )
        row.learn(layout.rows)
        count = 0
        for line, cells in _rows_below(shape, head, stream):
            if isinstance(cells, str):
                yield RowProblem(line, cells)
                continue
            count += 1
            if count > MAX_ROWS:
                raise UnreadableFile(f"Line {line}: a file may have {MAX_ROWS:,} lots at most.")
            try:
                yield LotRow(line, row.values(cells))
            except WordError as wrong:
                yield RowProblem(line, str(wrong), wrong.field, wrong.raw)

    def write(self, lots: Iterable[Lot], *, currency: str, around: Mapping[str, Any] | None = None) -> Iterator[bytes]:
        """Answer the file, in UTF-8 with its mark, without which Excel takes it for Windows' table."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        yield b"\xef\xbb\xbf"
        rows = chain([[c.guarded(name) for name in c.header(currency)]], map(_cells, lots))
        while batch := list(islice(rows, _PIECE_ROWS)):
            writer.writerows(batch)
            yield text.getvalue().encode("utf-8", "replace")
            text.seek(0)
            text.truncate()
