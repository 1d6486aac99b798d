"""A sheet of paper: fonts that print Latin, Greek and Cyrillic, and text that can't be markup."""

import io
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from xml.sax.saxutils import escape

from reportlab import rl_config
from reportlab.graphics.barcode import code128
from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4, A6, LETTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import inch, mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageBreak, PageTemplate, Paragraph, Table, TableStyle

from common.paper import SlipPaper

# As text a file is a quarter larger, and with pictures takes a third longer; whoever reads PDF reads bytes.
rl_config.useA85 = 0

T = TypeVar("T")

_FONTS = Path(__file__).resolve().parents[2] / "common" / "fonts"
PLAIN, BOLD = "DejaVuSans", "DejaVuSans-Bold"
GRAY = colors.Color(0.42, 0.45, 0.5)
LINE = colors.Color(0.82, 0.84, 0.87)
MARGIN = 15 * mm
_SMALL, _FOOT, _SHORT_FOOT = 120 * mm, 90, 40
# Where paper is of that size.
_LETTER_COUNTRIES = frozenset({"US", "CA", "MX", "PH", "CL", "CO"})


@cache
def _fonts() -> bool:
    """Have reportlab know the fonts; once in a process."""
    for name in (PLAIN, BOLD):
        pdfmetrics.registerFont(TTFont(name, str(_FONTS / f"{name}.ttf")))
    pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)
    return True


@cache
def _known() -> frozenset[int]:
    _fonts()
    return frozenset(pdfmetrics.getFont(PLAIN).face.charToGlyph)


def printable(text: object) -> str:
    """Answer a text as it can be printed: what the font doesn't have, such as emoji, is left out."""
    plain = unicodedata.normalize("NFC", str(text))
    known = _known()
    kept = "".join(
        char if ord(char) in known else " " if char.isspace() else ""
        for char in plain
        if unicodedata.category(char) not in {"Cc", "Cf", "Cs"} or char == "\n"
    )
    return kept.strip()


def words(text: object, style: ParagraphStyle) -> Paragraph:
    """Answer a text as a paragraph; nothing in it is markup."""
    return Paragraph(escape(printable(text)).replace("\n", "<br/>"), style)


def style(size: float = 9, *, bold: bool = False, gray: bool = False, right: bool = False) -> ParagraphStyle:
    """Answer how a text looks."""
    _fonts()
    made = ParagraphStyle(
        "text", fontName=BOLD if bold else PLAIN, fontSize=size, leading=size * 1.3,
        textColor=GRAY if gray else colors.black, splitLongWords=1,
    )  # fmt: skip
    if right:
        made.alignment = TA_RIGHT
    return made


def bar_code(value: str, *, height: float = 11 * mm) -> Flowable:
    """Answer a Code 128 of the value, for the scanner at the packing table."""
    return code128.Code128(value, barHeight=height, barWidth=0.33 * mm, humanReadable=False)


class Picture(Flowable):  # type: ignore[misc]  # reportlab has no types
    """A thing as it is drawn beside its line: its picture, else its color. Equal ones are in the file once."""

    def __init__(self, side: float, *, picture: ImageReader | None, rgb: str) -> None:
        super().__init__()
        self.width = self.height = side
        self._picture, self._rgb = picture, rgb

    def draw(self) -> None:
        if self._picture is not None:
            self.canv.drawImage(self._picture, 0, 0, self.width, self.height)
        elif self._rgb:
            self.canv.setFillColor(colors.HexColor(f"#{self._rgb}"))
            self.canv.setStrokeColor(LINE)
            self.canv.roundRect(0.3 * self.width, 0.3 * self.width, 0.4 * self.width, 0.4 * self.width, 1.5, fill=1)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is printed on, in points."""

    width: float
    height: float
    margin: float = MARGIN

    @property
    def is_small(self) -> bool:
        """Tell whether it is a label more than a page."""
        return bool(self.width < _SMALL)

    @property
    def inner(self) -> float:
        """Answer how wide what stands on it may be."""
        return self.width - 2 * self.margin


def sheet_of(country: str, paper: str = SlipPaper.SHEET) -> Sheet:
    """Answer what a paper is printed on there."""
    if paper == SlipPaper.A6:
        return Sheet(A6[0], A6[1], margin=5 * mm)
    if paper == SlipPaper.FOUR_BY_SIX:
        return Sheet(4 * inch, 6 * inch, margin=5 * mm)
    width, height = LETTER if country in _LETTER_COUNTRIES else A4
    return Sheet(width, height)


def table(
    rows: Sequence[Sequence[Any]], widths: Sequence[float], *, head: bool = True, has_pictures: bool = False
) -> Table:
    """Answer a table whose head is repeated on each page."""
    made = Table(rows, colWidths=widths, repeatRows=1 if head else 0)
    made.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE" if has_pictures else "TOP"),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
                ("LEFTPADDING", (0, 0), (-1, -1), 3),
                ("RIGHTPADDING", (0, 0), (-1, -1), 3),
                ("TOPPADDING", (0, 0), (-1, -1), 2.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
            ]
        )
    )
    return made


class _Numbered(Canvas):  # type: ignore[misc]  # reportlab has no types
    """Writes "page x of y" once it is known how many there are."""

    foot = ""
    margin = MARGIN

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802  # reportlab's name
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self._pages, start=1):
            self.__dict__.update(page)
            self.setFont(PLAIN, 7)
            self.setFillColor(GRAY)
            self.drawRightString(
                self._pagesize[0] - self.margin, 0.6 * self.margin, f"page {number} of {len(self._pages)}"
            )
            self.drawString(self.margin, 0.6 * self.margin, self.foot)
            super().showPage()
        super().save()


def one_by_one(papers: Sequence[T], draw: Callable[[T, Sheet], list[Flowable]]) -> Callable[[Sheet], list[Flowable]]:
    """Answer the story of several papers, each on pages of its own."""

    def story(sheet: Sheet) -> list[Flowable]:
        parts: list[Flowable] = []
        for paper in papers:
            if parts:
                parts.append(PageBreak())
            parts += draw(paper, sheet)
        return parts

    return story


def document(story: Callable[[Sheet], list[Flowable]], *, title: str, foot: str, sheet: Sheet) -> bytes:
    """Answer a document as PDF. `story` answers what stands on it."""
    _fonts()
    stream = io.BytesIO()
    low = sheet.margin + 4 * mm
    made = BaseDocTemplate(
        stream, pagesize=(sheet.width, sheet.height), title=printable(title), author="", creator="Brikonnect",
        leftMargin=sheet.margin, rightMargin=sheet.margin, topMargin=sheet.margin, bottomMargin=low,
    )  # fmt: skip
    frame = Frame(sheet.margin, low, sheet.inner, sheet.height - sheet.margin - low, 0, 0, 0, 0)
    made.addPageTemplates([PageTemplate(id="page", frames=[frame])])
    shown = printable(foot)[: _SHORT_FOOT if sheet.is_small else _FOOT]
    numbered = type("Numbered", (_Numbered,), {"foot": shown, "margin": sheet.margin})
    made.build(story(sheet), canvasmaker=numbered)
    return stream.getvalue()
