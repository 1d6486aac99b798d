"""What can be asked about files of orders: the latest, one with its orders, what each will do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from catalog import colors
from common.errors import NotFound
from inventory.choices import ItemCondition
from inventory.models import InventoryItem
from inventory.queries.imports import Change
from inventory.queries.stretches import Stretch, stretch_of
from orders.choices import FileOutcome, OrderStatus
from orders.files.stored import of_json
from orders.incoming import IncomingLine, IncomingOrder
from orders.lifecycle import Status
from orders.models import FileOrder, Order, OrderFile

PAGE = 25
# An order of hundreds of lines is told by its first; the order itself has them all.
LINES_SHOWN = 60
_RECENT = 20


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of an order as the preview shows it."""

    qty: int
    item_type: str
    item_no: str
    item_name: str
    color_id: int | None
    color_name: str
    rgb: str
    color_kind: str
    condition: str
    unit_price: Decimal
    lot_id: UUID | None
    remarks: str
    # Of a new order: how many of its pieces will be there. None: nobody says, or it waits for none.
    qty_there: int | None

    @property
    def is_short(self) -> bool:
        """Tell whether some of its pieces won't be there."""
        return self.qty_there is not None and self.qty_there < self.qty


@dataclass(frozen=True, slots=True)
class Row:
    """An order of a file. What it says of its buyer and lines is there while it is a preview."""

    line: int
    number: str
    order_id: UUID | None
    buyer: str
    placed: datetime | None
    status: str
    currency: str
    total: Decimal | None
    lines_count: int
    qty: int
    unmatched_count: int
    qty_short: int
    problems: Sequence[Mapping[str, Any]]
    changes: Sequence[Change]
    lines: Sequence[LineRow]
    more_lines: int


def recent_files() -> "QuerySet[OrderFile]":
    """Answer the latest files, newest first."""
    return OrderFile.objects.select_related("created_by", "read_job", "apply_job").order_by("-created_at", "-id")[
        :_RECENT
    ]


def get_file(file_id: UUID) -> OrderFile:
    """Answer a file with its jobs; NotFound."""
    run = OrderFile.objects.select_related("read_job", "apply_job", "created_by").filter(pk=file_id).first()
    if run is None:
        raise NotFound
    return run


def orders_of(run: OrderFile, *, outcome: FileOutcome, after: int = 0) -> Stretch[Row]:
    """Answer some of a file's orders of one outcome."""
    found = stretch_of(FileOrder.objects.filter(file=run, outcome=outcome), after=after, size=PAGE)
    here = Order.objects.in_bulk([row.order_id for row in found.rows if row.order_id])
    lot_ids = {UUID(lot) for row in found.rows for lot in row.values.get("lots", ())[:LINES_SHOWN] if lot}
    lots = InventoryItem.objects.only("remarks").in_bulk(lot_ids)
    rows = [_row(row, here, lots) for row in found.rows]
    return Stretch(rows, found.first, found.next_position, found.previous_position)


def _row(row: FileOrder, here: Mapping[UUID, Order], lots: Mapping[UUID, InventoryItem]) -> Row:
    order = here.get(row.order_id) if row.order_id else None
    told = of_json(row.values["order"]) if row.values.get("order") else None
    lines = told.lines if told else ()
    of_lines = row.values.get("lots", ())
    there = row.values.get("there") or [None] * len(of_lines)
    return Row(
        line=row.line,
        number=row.number,
        order_id=order.pk if order else None,
        buyer=(told.buyer_name or told.buyer_username) if told else order.buyer_name if order else "",
        placed=told.ordered_at if told else order.ordered_at if order else None,
        status=_status(told, order),
        currency=row.currency,
        total=row.total,
        lines_count=row.lines_count,
        qty=row.qty,
        unmatched_count=row.unmatched_count,
        qty_short=row.values.get("short", 0),
        problems=row.problems,
        changes=[Change(*change) for change in row.values.get("changes", ())],
        lines=[
            _line(line, lot, lots, qty) for line, lot, qty in zip(lines[:LINES_SHOWN], of_lines, there, strict=False)
        ],
        more_lines=max(0, len(lines) - LINES_SHOWN),
    )


def _status(told: IncomingOrder | None, order: Order | None) -> str:
    """Answer where an order will stand that isn't here yet, or where it does."""
    if told is not None and order is None:
        return OrderStatus(told.status or Status.NEW).value
    return order.status if order else ""


def _line(line: IncomingLine, lot: str | None, lots: Mapping[UUID, InventoryItem], qty_there: int | None) -> LineRow:
    color = colors.get(line.color_id)
    found = lots.get(UUID(lot)) if lot else None
    return LineRow(
        qty=line.qty,
        item_type=line.item_type,
        item_no=line.item_no,
        item_name=line.item_name,
        color_id=line.color_id,
        color_name=color.name if color else "",
        rgb=color.rgb if color else "",
        color_kind=color.kind if color else "solid",
        condition=str(ItemCondition(line.condition).label),
        unit_price=line.unit_price,
        lot_id=found.pk if found else None,
        remarks=found.remarks if found else "",
        qty_there=qty_there,
    )
