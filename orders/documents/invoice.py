"""The invoice: what was sold, in the order's own currency, and how the total comes about."""

from decimal import Decimal
from typing import Any

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer, Table

from common.money import minor_units
from orders.documents.packing_slip import head
from orders.documents.sheet import Sheet, document, one_by_one, style, table, words
from orders.queries.printing import Paper


def invoices(papers: list[Paper], *, sheet: Sheet) -> bytes:
    """Answer the invoices of several orders in one file, each on pages of its own."""
    title = f"Invoice {papers[0].number}" if len(papers) == 1 else f"{len(papers)} invoices"
    return document(one_by_one(papers, _invoice), title=title, foot=papers[0].shop if papers else "", sheet=sheet)


def _invoice(paper: Paper, sheet: Sheet) -> list[Flowable]:
    date, width = paper.shipped_at or paper.placed_at, sheet.inner
    parts = [
        head(paper, f"Invoice {paper.own_number}", width), Spacer(1, 2 * mm),
        words(f"Invoice date {date:%d %b %Y}", style(9)), Spacer(1, 5 * mm), _lines(paper, width), Spacer(1, 4 * mm),
        _sums(paper, width),
    ]  # fmt: skip
    if paper.foot:
        parts += [Spacer(1, 6 * mm), words(paper.foot, style(9))]
    return parts


def _lines(paper: Paper, width: float) -> Table:
    small, gray, number = style(8), style(7.5, gray=True), style(8, right=True)
    grayed = style(7.5, gray=True, right=True)
    rows: list[list[Any]] = [
        [words("Number", gray), words("What", gray), words("Pieces", grayed), words(f"Each {paper.currency}", grayed),
         words(f"Total {paper.currency}", grayed)]
    ]  # fmt: skip
    for line in paper.lines:
        what = ", ".join(part for part in (line.name, line.color, line.condition.lower()) if part)
        rows.append(
            [
                words(line.item_no, style(8, bold=True)), words(what, small), words(f"{line.qty:,}", number),
                words(_unit(line.unit_price), number), words(_total(line.total, paper.currency), number),
            ]
        )  # fmt: skip
    shares = (0.18, 0.44, 0.1, 0.13, 0.15)
    return table(rows, [share * width for share in shares])


def _sums(paper: Paper, width: float) -> Table:
    pairs: list[tuple[str, Decimal]] = [("Goods", paper.subtotal), ("Shipping", paper.shipping_cost)]
    pairs += [("Insurance", paper.insurance)] if paper.insurance else []
    pairs += [("Discount", -paper.discount_amount)] if paper.discount_amount else []
    pairs += [("Tax", paper.tax_amount)] if paper.tax_amount else []
    rows = [
        ["", words(label, style(9)), words(_total(amount, paper.currency), style(9, right=True))]
        for label, amount in pairs
    ]
    rows.append(
        ["", words(f"Total {paper.currency}", style(10, bold=True)),
         words(_total(paper.grand_total, paper.currency), style(10, bold=True, right=True))]
    )  # fmt: skip
    if paper.refunded_total:
        rows.append(
            [
                "",
                words("Refunded", style(9)),
                words(_total(-paper.refunded_total, paper.currency), style(9, right=True)),
            ]
        )
    return table(rows, [width * 0.55, width * 0.25, width * 0.2], head=False)


def _total(amount: Decimal, currency: str) -> str:
    places = min(minor_units(currency), 2)
    return f"{'−' if amount < 0 else ''}{abs(amount):,.{places}f}"


def _unit(price: Decimal) -> str:
    whole, _, places = f"{price:,.4f}".partition(".")
    return f"{whole}.{places[:2]}{places[2:].rstrip('0')}"
