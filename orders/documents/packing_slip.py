"""The packing slip: what is in the parcel, without prices, in the order in which the storage is walked."""

import re
from collections.abc import Mapping
from functools import partial
from io import BytesIO
from typing import Any

from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.platypus import Flowable, Spacer, Table, TableStyle

from catalog import colors
from orders.documents.sheet import Picture, Sheet, bar_code, document, one_by_one, style, table, words
from orders.queries.printing import Paper, PaperLine, PictureKey

Pictures = Mapping[PictureKey, ImageReader]
_PICTURE, _SMALL_PICTURE = 9 * mm, 8 * mm


def packing_slips(papers: list[Paper], *, sheet: Sheet, pictures: Mapping[PictureKey, bytes] | None = None) -> bytes:
    """Answer the slips of several orders in one file, each on pages of its own.

    `pictures`: of the things in them, JPEG; without any (None) there is no room for them either.
    """
    title = f"Packing slip {papers[0].number}" if len(papers) == 1 else f"{len(papers)} packing slips"
    drawn = None if pictures is None else {key: ImageReader(BytesIO(data)) for key, data in pictures.items()}
    story = one_by_one(papers, partial(_slip, pictures=drawn))
    return document(story, title=title, foot=papers[0].shop if papers else "", sheet=sheet)


def _slip(paper: Paper, sheet: Sheet, *, pictures: Pictures | None) -> list[Flowable]:
    lots, pieces = len(paper.lines), paper.pieces
    counted = f"{lots:,} lot{'' if lots == 1 else 's'}, {pieces:,} piece{'' if pieces == 1 else 's'}"
    title, gap = "Replacement" if paper.is_replacement else "Packing slip", 3 * mm if sheet.is_small else 6 * mm
    parts = [_small_head(paper, title, sheet) if sheet.is_small else head(paper, title, sheet.inner), Spacer(1, gap)]
    if paper.together_with:
        parts += [
            words(f"In the same parcel: {', '.join(paper.together_with)}", style(9, bold=True)),
            Spacer(1, 3 * mm),
        ]
    lines = _small_lines(paper, sheet.inner, pictures) if sheet.is_small else _lines(paper, sheet.inner, pictures)
    parts += [lines, Spacer(1, 3 * mm), words(counted, style(10, bold=True))]
    if paper.foot:
        parts += [Spacer(1, gap), words(paper.foot, style(8 if sheet.is_small else 9))]
    if paper.shop_address:
        back = ", ".join((paper.shop, *paper.shop_address))
        parts += [Spacer(1, 4 * mm), words(f"If undeliverable, return to: {back}", style(7.5, gray=True))]
    return parts


def head(paper: Paper, title: str, width: float) -> Table:
    """Answer the head of a paper: shop and order on the left, address and bar code on the right."""
    left = [words(paper.shop, style(15, bold=True)), *(words(line, style(8, gray=True)) for line in paper.shop_address)]
    if paper.vat_text:
        left.append(words(paper.vat_text, style(8, gray=True)))
    left += [Spacer(1, 4 * mm), words(title, style(12, bold=True)), words(f"Order {paper.number}", style(9))]
    if str(paper.own_number) != paper.number:
        left.append(words(f"Our number {paper.own_number}", style(9)))
    left.append(words(f"{paper.store}, {paper.placed_at:%d %b %Y}", style(9)))
    if paper.shipping_method:
        left.append(words(paper.shipping_method, style(9)))
    right: list[Any] = [bar_code(str(paper.own_number)), Spacer(1, 4 * mm)]
    right += [words(line, style(10)) for line in (paper.address or (paper.buyer,)) if line]
    return _side_by_side(left, right, width, share=0.55)


def _small_head(paper: Paper, title: str, sheet: Sheet) -> Table:
    """Answer the head of a slip that is no larger than a label."""
    number = f"Order {paper.number}"
    if str(paper.own_number) != paper.number:
        number += f", our number {paper.own_number}"
    left = [
        words(paper.shop, style(10, bold=True)), words(title, style(9, bold=True)), words(number, style(8)),
        words(f"{paper.store}, {paper.placed_at:%d %b %Y}", style(7.5, gray=True)), Spacer(1, 2 * mm),
        bar_code(str(paper.own_number), height=8 * mm),
    ]  # fmt: skip
    if paper.vat_text:
        left.insert(1, words(paper.vat_text, style(7, gray=True)))
    right = [words(line, style(8)) for line in (paper.address or (paper.buyer,)) if line]
    return _side_by_side(left, right, sheet.inner, share=0.58)


def _side_by_side(left: list[Any], right: list[Any], width: float, *, share: float) -> Table:
    made = Table([[left, right]], colWidths=[width * share, width * (1 - share)])
    made.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)]))
    return made


def walked(line: PaperLine) -> tuple[list[Any], str]:
    """Answer where the walk finds a line: numbers count as numbers."""
    parts = [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", line.place)]
    return ([(2, 0, "")] if not line.place else parts), line.item_no


def _picture(line: PaperLine, pictures: Pictures, side: float) -> Picture:
    color = colors.get(line.color_id) if line.color_id else None
    return Picture(side, picture=pictures.get(line.picture_key), rgb=color.rgb if color else "")


def _lines(paper: Paper, width: float, pictures: Pictures | None) -> Table:
    small, bold = style(8), style(8, bold=True)
    gray, count = style(7.5, gray=True), style(10, bold=True, right=True)
    names = ("Place", "Number", "What", "Color", "Condition")
    right = style(7.5, gray=True, right=True)
    rows: list[list[Any]] = [[*(words(text, gray) for text in names), words("Pieces", right)]]
    for line in sorted(paper.lines, key=walked):
        rows.append(
            [
                words(line.place or "–", small), words(line.item_no, bold), words(line.name, small),
                words(line.color, small), words(line.condition, small), words(f"{line.qty:,}", count),
            ]
        )  # fmt: skip
        if pictures is not None:
            rows[-1].insert(0, _picture(line, pictures, _PICTURE))
    wide = 0.0
    if pictures is not None:
        wide = _PICTURE + 2 * mm
        rows[0].insert(0, "")
    shares = (0.15, 0.16, 0.31, 0.15, 0.12, 0.11)
    return table(
        rows, [*([wide] if wide else []), *(share * (width - wide) for share in shares)], has_pictures=bool(wide)
    )


def _small_lines(paper: Paper, width: float, pictures: Pictures | None) -> Table:
    """Answer the lines where there is room for three columns: what it is in one cell."""
    small, gray, count = style(7.5), style(7, gray=True), style(9, bold=True, right=True)
    rows: list[list[Any]] = [
        [words("What", gray), words("Place", gray), words("Pieces", style(7, gray=True, right=True))]
    ]
    for line in sorted(paper.lines, key=walked):
        about = ", ".join(part for part in (line.color, line.condition.lower()) if part)
        what = [words(f"{line.item_no} {line.name}".strip(), style(7.5, bold=True)), words(about, gray)]
        rows.append([what, words(line.place or "–", small), words(f"{line.qty:,}", count)])
        if pictures is not None:
            rows[-1].insert(0, _picture(line, pictures, _SMALL_PICTURE))
    wide = 0.0
    if pictures is not None:
        wide = _SMALL_PICTURE + 2 * mm
        rows[0].insert(0, "")
    shares = (0.62, 0.22, 0.16)
    return table(
        rows, [*([wide] if wide else []), *(share * (width - wide) for share in shares)], has_pictures=bool(wide)
    )
