"""The pick list: a walk on paper, in its order, with boxes to tick and what goes into which tote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

from reportlab.lib import colors as paint
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.platypus import Flowable, Spacer, Table, TableStyle

from inventory.qr import matrix_of
from orders.documents.sheet import BOLD, LINE, Picture, Sheet, document, style, table, words
from orders.queries.printing import PictureKey
from picker.queries.sheet import EntryRow, StopRow

_PICTURE, _BOX, _QR = 11 * mm, 5 * mm, 26 * mm
_TOTE = 9 * mm


@dataclass(frozen=True, slots=True)
class PickList:
    """A session as it is printed. `address`: what its QR code opens."""

    shop: str
    number: int
    made_at: datetime
    address: str
    notes: str
    metres: float | None
    entries: tuple[EntryRow, ...]
    stops: tuple[StopRow, ...]


class _Code(Flowable):  # type: ignore[misc]  # reportlab has no types
    """A QR code."""

    def __init__(self, payload: str, side: float) -> None:
        super().__init__()
        self.width = self.height = side
        self._payload = payload

    def draw(self) -> None:
        rows = matrix_of(self._payload)
        size = self.width / len(rows)
        self.canv.setFillColor(paint.black)
        for y, row in enumerate(rows):
            for x, is_dark in enumerate(row):
                if is_dark:
                    # A hair wider, so that viewers draw no white between modules.
                    self.canv.rect(x * size, self.height - (y + 1) * size, size * 1.02, size * 1.02, stroke=0, fill=1)


class _Box(Flowable):  # type: ignore[misc]  # reportlab has no types
    """A box to tick."""

    def __init__(self, side: float) -> None:
        super().__init__()
        self.width = self.height = side

    def draw(self) -> None:
        self.canv.setStrokeColor(paint.black)
        self.canv.setLineWidth(0.9)
        self.canv.rect(0, 0, self.width, self.height, stroke=1, fill=0)


class _Totes(Flowable):  # type: ignore[misc]  # reportlab has no types
    """How many pieces go into which tote: letter and number, one beside the other, in as many rows as they need."""

    _HEIGHT = 5.4 * mm

    def __init__(self, shares: Sequence[tuple[str, int]]) -> None:
        super().__init__()
        self._shares = shares
        self._per_row = 1

    def wrap(self, available: float, _height: float) -> tuple[float, float]:
        self._per_row = max(1, int(available // (2 * _TOTE)))
        rows = -(-len(self._shares) // self._per_row)
        return available, rows * self._HEIGHT

    def draw(self) -> None:
        rows = -(-len(self._shares) // self._per_row)
        for place, (code, qty) in enumerate(self._shares):
            row, column = divmod(place, self._per_row)
            x, y = column * 2 * _TOTE, (rows - row - 1) * self._HEIGHT
            self.canv.setFillColor(paint.Color(0.93, 0.94, 0.96))
            self.canv.roundRect(x, y + 0.6 * mm, _TOTE * 0.72, self._HEIGHT - 1.2 * mm, 1.2 * mm, stroke=0, fill=1)
            self.canv.setFillColor(paint.black)
            self.canv.setFont(BOLD, 9)
            self.canv.drawCentredString(x + _TOTE * 0.36, y + 1.7 * mm, code)
            self.canv.drawString(x + _TOTE * 0.85, y + 1.7 * mm, f"{qty:,}")


def pick_list(paper: PickList, *, sheet: Sheet, pictures: Mapping[PictureKey, bytes] | None = None) -> bytes:
    """Answer a session's walk as PDF. `pictures`: of the things in it, JPEG."""
    drawn = {key: ImageReader(BytesIO(data)) for key, data in (pictures or {}).items()}

    def story(on: Sheet) -> list[Flowable]:
        return [_head(paper, on), Spacer(1, 4 * mm), _orders(paper, on), Spacer(1, 4 * mm), _stops(paper, on, drawn)]

    return document(story, title=f"Pick list {paper.number}", foot=f"{paper.shop}, session {paper.number}", sheet=sheet)


def _head(paper: PickList, sheet: Sheet) -> Table:
    pieces = sum(stop.left for stop in paper.stops)
    counted = f"{len(paper.stops):,} stops, {pieces:,} pieces, {len(paper.entries):,} orders"
    if paper.metres is not None:
        counted += f", {paper.metres:.0f} m"
    left = [
        words(f"Session {paper.number}", style(16, bold=True)), words(counted, style(9)),
        words(f"{paper.shop}, {paper.made_at:%d %b %Y %H:%M}", style(8, gray=True)),
    ]  # fmt: skip
    if paper.notes:
        left += [Spacer(1, 2 * mm), words(paper.notes, style(9))]
    hint = words("Scan to pick on a phone, or to confirm what was picked", style(7, gray=True))
    made = Table([[left, [_Code(paper.address, _QR), hint]]], colWidths=[sheet.inner - 44 * mm, 44 * mm])
    made.setStyle(
        TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), *((side, (0, 0), (-1, -1), 0) for side in _SIDES)])
    )  # fmt: skip
    return made


_SIDES = ("LEFTPADDING", "RIGHTPADDING", "TOPPADDING", "BOTTOMPADDING")


def _orders(paper: PickList, sheet: Sheet) -> Table:
    """Answer which order has which tote, in three columns."""
    cells = [
        [words(entry.code, style(10, bold=True)), words(f"{entry.number}  {entry.buyer}", style(8))]
        for entry in paper.entries
    ]
    rows = [[*cells[start], *_cell(cells, start + 1), *_cell(cells, start + 2)] for start in range(0, len(cells), 3)]
    wide = sheet.inner / 3
    made = Table(rows or [[""] * 6], colWidths=[12 * mm, wide - 12 * mm] * 3)
    made.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
                ("TOPPADDING", (0, 0), (-1, -1), 1.5), ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
                ("LEFTPADDING", (0, 0), (-1, -1), 3),
            ]
        )
    )  # fmt: skip
    return made


def _cell(cells: Sequence[list[Any]], place: int) -> list[Any]:
    return cells[place] if place < len(cells) else ["", ""]


def _stops(paper: PickList, sheet: Sheet, pictures: Mapping[PictureKey, ImageReader]) -> Table:
    small, gray = style(8), style(7.5, gray=True)
    head = ["", words("Place", gray), "", words("What", gray), words("Take", style(7.5, gray=True, right=True))]
    rows: list[list[Any]] = [[*head, words("Into totes", gray)]]
    for stop in paper.stops:
        about = ", ".join(part for part in (stop.color.name, stop.condition.lower()) if part)
        what = [words(f"{stop.item_no} {stop.item_name}".strip(), style(8, bold=True)), words(about, small)]
        picture = Picture(
            _PICTURE, picture=pictures.get((stop.item_type, stop.picture_no, stop.color_id or 0)), rgb=stop.color.rgb
        )
        shares = [(need.code, need.left) for need in stop.needs if need.left]
        rows.append(
            [
                _Box(_BOX), words(stop.place or "–", style(11, bold=True)), picture, what,
                words(f"{stop.left:,}", style(13, bold=True, right=True)), _Totes(shares),
            ]
        )  # fmt: skip
    wide = sheet.inner - _BOX - _PICTURE - 6 * mm
    shares_of_width = (0.2, 0.43, 0.1, 0.27)
    place, what_wide, take, totes = (share * wide for share in shares_of_width)
    widths = [_BOX + 3 * mm, place, _PICTURE + 3 * mm, what_wide, take, totes]
    return table(rows, widths, has_pictures=True)
