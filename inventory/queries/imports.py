"""What can be asked about imports: the list, one with its lines, what a line will change."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime

from catalog import colors
from common.errors import NotFound
from inventory.choices import ImportStatus, ItemCondition, LineOutcome
from inventory.import_options import Options
from inventory.models import ImportLine, InventoryImport, InventoryItem
from inventory.queries.overlays import STATED, overlay
from inventory.queries.stretches import Stretch, stretch_of
from inventory.tiers import as_text

PAGE = 50
_RECENT = 30

# Fields that a preview doesn't mention: they follow from others, or are for machines.
_UNSPOKEN = frozenset({"extra", "color_name"})


@dataclass(frozen=True, slots=True)
class Change:
    """What a line does to a field, in words (components/_diff.html)."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line as the preview shows it."""

    line: int
    outcome: str
    item_type: str
    item_no: str
    item_name: str
    color_id: int | None
    rgb: str
    color_name: str
    color_kind: str
    condition: str
    qty: int | None
    unit_price: Decimal | None
    remarks: str
    message: str
    raw: str
    lot_id: UUID | None
    is_there: bool
    changes: Sequence[Change]


def recent_imports() -> "QuerySet[InventoryImport]":
    """Answer the latest imports, newest first."""
    found = InventoryImport.objects.select_related("created_by", "read_job", "apply_job")
    return found.order_by("-created_at", "-id")[:_RECENT]


def get_import(import_id: UUID) -> InventoryImport:
    """Answer an import with its jobs; NotFound."""
    run = InventoryImport.objects.select_related("read_job", "apply_job", "created_by").filter(pk=import_id).first()
    if run is None:
        raise NotFound
    return run


def imported_before(run: InventoryImport) -> InventoryImport | None:
    """Answer the latest import that carried out the very same file."""
    return (
        InventoryImport.objects.filter(file_sha256=run.file_sha256, status="COMPLETED")
        .exclude(pk=run.pk)
        .order_by("-created_at")
        .first()
    )


def lines_of(run: InventoryImport, *, outcome: LineOutcome, after: int = 0) -> Stretch[LineRow]:
    """Answer some of the import's lines of one outcome, with what each changes."""
    found = stretch_of(ImportLine.objects.filter(run=run, outcome=outcome), after=after, size=PAGE)
    lot_ids = [line.lot_id for line in found.rows if line.lot_id]
    is_preview = run.status == ImportStatus.PREVIEW
    differences = _differences(run, [line.pk for line in found.rows if line.lot_id]) if is_preview else {}
    there = set(InventoryItem.objects.filter(pk__in=lot_ids).values_list("pk", flat=True))
    rows = [_row(line, differences.get(line.pk, {}), is_there=line.lot_id in there) for line in found.rows]
    return Stretch(rows, found.first, found.next_position, found.previous_position)


def problems_of(run: InventoryImport) -> "QuerySet[ImportLine]":
    """Answer the lines with a problem, in the order of the file."""
    return ImportLine.objects.filter(run=run, outcome=LineOutcome.PROBLEM).order_by("position")


def _differences(run: InventoryImport, line_ids: list[int]) -> dict[int, dict[str, tuple[Any, Any]]]:
    """Answer what the lines change about their lots as these are now: before and after by field."""
    if not line_ids:
        return {}
    options = Options.of(run.options)
    columns = ", ".join(f"'{name}', jsonb_build_array(to_jsonb(t.{name}), to_jsonb(r.{name}))" for name in STATED)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT l.id, jsonb_build_object({columns}), t.qty_available FROM {ImportLine._meta.db_table} l"  # noqa: S608  # names come from the models
            f" JOIN {InventoryItem._meta.db_table} t ON t.id = l.lot_id"
            f" CROSS JOIN LATERAL {overlay(options.fields)} r WHERE l.id = ANY(%s)",
            [line_ids],
        )
        rows = cursor.fetchall()
    found: dict[int, dict[str, tuple[Any, Any]]] = {}
    for line_id, pairs, qty in rows:
        read = json.loads(pairs) if isinstance(pairs, str) else pairs
        found[line_id] = {name: (before, after) for name, (before, after) in read.items() if before != after}
        found[line_id]["qty_available"] = (qty, qty)
    return found


def _row(line: ImportLine, differences: Mapping[str, tuple[Any, Any]], *, is_there: bool) -> LineRow:
    color = colors.get(line.color_id)
    changes = [
        Change(_label(name), _words(name, before), _words(name, after))
        for name, (before, after) in differences.items()
        if name not in _UNSPOKEN and before != after
    ]
    if line.qty_delta and "qty_available" in differences:
        present = differences["qty_available"][0]
        changes.insert(0, Change("Available", f"{present:,}", f"{present + line.qty_delta:,}"))
    return LineRow(
        line=line.line,
        outcome=line.outcome,
        item_type=line.item_type,
        item_no=line.item_no or (f"lot {line.bricklink_lot_id}" if line.bricklink_lot_id else ""),
        item_name=line.values.get("item_name", ""),
        color_id=line.color_id,
        rgb=color.rgb if color else "",
        color_name=color.name if color else "",
        color_kind=color.kind if color else "solid",
        condition=ItemCondition(line.condition).label if line.condition else "",
        qty=line.qty,
        unit_price=line.unit_price,
        remarks=line.remarks,
        message=line.message,
        raw=line.raw,
        lot_id=line.lot_id,
        is_there=is_there,
        changes=changes,
    )


def _label(name: str) -> str:
    words = str(getattr(InventoryItem._meta.get_field(name), "verbose_name", name))
    return f"{words[:1].upper()}{words[1:]}"


def _words(name: str, value: Any) -> str:
    if value is None or value in ("", [], {}):
        return ""
    if name == "color_id":
        color = colors.get(value)
        return color.name if color else str(value)
    if name == "tier_prices":
        return as_text(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    moment = parse_datetime(value) if name in ("date_added", "last_sold_at") else None
    return f"{moment:%-d %b %Y}" if moment else str(value)
