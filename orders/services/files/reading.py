"""Reads a file of orders: each is held against what is here, so that it is known beforehand what it will do."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, BinaryIO, cast

from django.core.files.storage import default_storage
from django.db import transaction

from common import workspace
from common.errors import Invalid, ProblemError
from inventory.choices import ImportStatus
from inventory.models import InventoryItem
from inventory.parsing.problems import UnreadableFile
from jobs.runner import Run
from orders.choices import FileOutcome
from orders.files.columns import TITLES
from orders.files.contents import Contents, Found, Surroundings
from orders.files.reading import read_orders
from orders.files.stored import as_json, digest_of
from orders.incoming import IncomingLine, IncomingOrder
from orders.lifecycle import GONE
from orders.models import FileOrder, OrderFile
from orders.services.checks import checked
from orders.services.files.looking import changes_of
from orders.services.files.pieces import Pieces
from orders.services.files.receiving import forget_file
from orders.services.files.standing import Standing, connected, objection, standings
from orders.services.matching import match_lines
from stores.choices import Channel
from stores.queries import local_store

_CHUNK = 100
_IGNORED_SHOWN = 50
_NUMBER_LENGTH = 100
# Fields of an order that are called otherwise than the columns that they come from.
_FIELDS = {"external_order_id": "number", "ordered_at": "placed"}


def read_file(run: OrderFile, job: Run, *, now: datetime) -> None:
    """Read the file and keep what each of its orders will do. Raises UnreadableFile. A second time does nothing."""
    if run.status != ImportStatus.READING:
        return
    contents = _contents(run, now=now)
    rows: list[FileOrder] = []
    pieces = Pieces()
    while chunk := contents.orders[len(rows) : len(rows) + _CHUNK]:
        rows += _judged(run, chunk, pieces, first=len(rows) + 1, now=now, job=job)
        job.progress(len(rows), len(contents.orders), unit="orders")
    with transaction.atomic():
        FileOrder.objects.filter(file=run).delete()
        FileOrder.objects.bulk_create(rows, batch_size=500)
        run.ignored, run.notes = contents.ignored[:_IGNORED_SHOWN], contents.notes
        run.counts, run.totals = _counts(contents, rows), _totals(rows)
        run.status = ImportStatus.PREVIEW
        forget_file(run)
        run.save()


def _contents(run: OrderFile, *, now: datetime) -> Contents:
    shop = workspace.current()
    try:
        opened = default_storage.open(run.file_path)
    except FileNotFoundError:
        raise UnreadableFile("The file is no longer here. Upload it again.") from None
    with opened as stream:
        contents = read_orders(cast("BinaryIO", stream), Surroundings(shop.currency, shop.zone, now))
    if not contents.orders:
        raise UnreadableFile("The file has no orders: below the columns' names there is nothing.")
    return contents


def _counts(contents: Contents, rows: Sequence[FileOrder]) -> dict[str, int]:
    comes = [row for row in rows if row.outcome in (FileOutcome.NEW, FileOutcome.CHANGED)]
    gone = sum(
        row.outcome == FileOutcome.NEW and bool(found.order) and cast("IncomingOrder", found.order).status in GONE
        for found, row in zip(contents.orders, rows, strict=True)
    )
    sums = {
        "orders": len(rows),
        "lines": sum(row.lines_count for row in comes),
        "pieces": sum(row.qty for row in comes),
    }
    sums["unmatched"] = sum(row.unmatched_count for row in comes)
    sums["short"] = sum(row.values["short"] for row in comes)
    return {**sums, "gone": gone, **Counter(row.outcome for row in rows)}


def _totals(rows: Sequence[FileOrder]) -> list[dict[str, str]]:
    """Answer what comes in with new orders, by currency."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        if row.outcome == FileOutcome.NEW:
            sums[row.currency] += row.total or 0
    return [{"currency": currency, "total": str(total)} for currency, total in sorted(sums.items())]


def _total_of(order: IncomingOrder) -> Decimal:
    """Answer what an order comes to, as it will be summed up."""
    if order.grand_total is not None:
        return order.grand_total
    goods = sum((round(line.unit_price * line.qty, 2) for line in order.lines), Decimal(0))
    return max(goods + order.shipping_cost + order.insurance + order.tax_amount - order.discount_amount, Decimal(0))


# --- What each will do ----------------------------------------------------------------------------------------------
def _judged(
    run: OrderFile, chunk: Sequence[Found], pieces: Pieces, *, first: int, now: datetime, job: Run
) -> Iterator[FileOrder]:
    """Answer the rows of some orders, the first at that position."""
    known, stores = standings([found.number for found in chunk]), connected()
    for found in chunk:
        _check(found)
    lots = _lots_of([found.order for found in chunk if found.order is not None])
    for position, found in enumerate(chunk, start=first):
        job.check()
        row = FileOrder(
            file=run, position=position, line=found.line, number=found.number[:_NUMBER_LENGTH],
            channel=found.channel, outcome=FileOutcome.PROBLEM,
        )  # fmt: skip
        standing = known.get(found.number, Standing())
        if problem := objection(found, standing, stores):
            found.order, found.problems = None, []
            found.refuse(found.line, problem)
        if standing.order is not None:
            row.order_id = standing.order.pk
        if found.order is not None:
            _fill(row, found.order, standing, lots[found.order.external_order_id], pieces, now=now, found=found)
        row.problems = [{"line": each.line, "text": each.text} for each in found.problems]
        yield row


def _check(found: Found) -> None:
    """Hold an order against what an order must be, by the lines of the file."""
    if found.order is None:
        return
    try:
        checked(found.order)
    except Invalid as wrong:
        for pointer, texts in wrong.errors.items():
            line, name = _place(found, pointer)
            found.refuse(line, f"{name}: {' '.join(texts)}")
        found.order = None


def _place(found: Found, pointer: str) -> tuple[int, str]:
    parts = pointer.strip("/").split("/")
    line, field = found.line, ".".join(parts)
    if parts[0] == "lines" and len(parts) > 2:  # noqa: PLR2004  # lines, which, what of it
        line, field = found.lines[int(parts[1])], parts[2]
    field = _FIELDS.get(field, field)
    return line, TITLES.get(field, field.capitalize())


def _lots_of(orders: Sequence[IncomingOrder]) -> Mapping[str, Sequence[InventoryItem | None]]:
    """Answer for orders, by their numbers, which lots their lines are of. A few queries by currency."""
    own, store = workspace.current().currency, local_store()
    by_currency: dict[str, list[IncomingOrder]] = defaultdict(list)
    for order in orders:
        by_currency[order.currency].append(order)
    found: dict[str, Sequence[InventoryItem | None]] = {}
    for currency, alike in by_currency.items():
        lines: list[IncomingLine] = [line for order in alike for line in order.lines]
        matches = iter(
            match_lines(lines, store_id=store.pk, channel=Channel.LOCAL, currency=currency, own_currency=own)
        )
        for order in alike:
            found[order.external_order_id] = [next(matches).lot for _line in order.lines]
    return found


def _fill(
    row: FileOrder, order: IncomingOrder, standing: Standing, lots: Sequence[InventoryItem | None], pieces: Pieces, *,
    now: datetime, found: Found,
) -> None:  # fmt: skip
    values = as_json(order)
    row.digest = digest_of(values)
    row.lines_count, row.qty = len(order.lines), sum(line.qty for line in order.lines)
    row.unmatched_count = sum(lot is None for lot in lots)
    row.currency, row.total = order.currency, _total_of(order)
    row.values = {"order": values, "lots": [str(lot.pk) if lot else None for lot in lots], "short": 0}
    if standing.order is None:
        row.outcome, there = FileOutcome.NEW, pieces.take(order, lots)
        pairs = zip(order.lines, there, strict=True)
        row.values |= {"there": there, "short": sum(line.qty - qty for line, qty in pairs if qty is not None)}
        return
    if standing.kept:
        row.outcome = FileOutcome.KEPT
        found.refuse(row.line, standing.kept)
        return
    if standing.order.file_digest == row.digest:
        row.outcome = FileOutcome.EQUAL
        return
    _compare(row, order, standing, found, now=now)


def _compare(row: FileOrder, order: IncomingOrder, standing: Standing, found: Found, *, now: datetime) -> None:
    """Decide what the file does to an order that came in by a file before."""
    here = cast("Any", standing.order)
    try:
        looked = changes_of(here, replace(order, as_of=now), now=now)
    except ProblemError as problem:
        found.refuse(row.line, problem.detail or problem.title)
        return
    row.outcome = FileOutcome.CHANGED if looked.changes else FileOutcome.EQUAL
    row.values |= {"changes": [list(change) for change in looked.changes], "short": looked.qty_short}
