"""Carries an import out, a chunk of lines at a time: each chunk is done with all that belongs to it, or not at all."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import DataError, IntegrityError, transaction
from django.db.models import Count

from audit.recording import CHANGED, CREATED, listed, record, tracked_fields
from common import workspace
from common.errors import ProblemError
from common.steps import step
from events.bus import publish
from inventory.choices import ImportStatus, LineOutcome, MovementKind
from inventory.events import ImportCompleted, InventoryCreated, InventoryUpdated
from inventory.import_options import Options
from inventory.models import ImportLine, InventoryImport, InventoryItem
from inventory.queries.overlays import GIVEN, STATED, differs, overlay
from inventory.services import stock
from inventory.services.importing.placing import place
from inventory.services.lots import DEFAULTS, delete_lots
from jobs.runner import Run

CHUNK = 5_000
_DOES_SOMETHING = (LineOutcome.NEW, LineOutcome.MERGED, LineOutcome.CHANGED)

# Names in the statements below come from the models.
_LINES, _LOTS = ImportLine._meta.db_table, InventoryItem._meta.db_table
# A new lot is what nothing was said about, with what its line states laid over it.
_INSERT = f"""
INSERT INTO {_LOTS} ({", ".join(GIVEN)}, {", ".join(STATED)})
SELECT l.lot_id, %s, %s, 1, l.qty_delta, 0, %s, '', {", ".join(f"r.{name}" for name in STATED)}
FROM {_LINES} l, LATERAL jsonb_populate_record(NULL::{_LOTS}, %s::jsonb || jsonb_strip_nulls(l.values)) r
WHERE l.id = ANY(%s) ORDER BY l.position
RETURNING {listed(tracked_fields(InventoryItem))}
"""
_OPENING = f"""
SELECT lot_id, qty_delta AS qty, format('%%s:%%s', run_id, position) AS cause_key FROM {_LINES} WHERE id = ANY(%s)
ORDER BY position
"""


def _overlaying(options: Options) -> str:
    return f"""
UPDATE {_LOTS} t SET {", ".join(f"{name} = o.{name}" for name in STATED)}, version = t.version + 1, updated_at = %s
FROM (SELECT t.id AS lot_id, {", ".join(f"r.{name}" for name in STATED)}
      FROM {_LINES} l JOIN {_LOTS} t ON t.id = l.lot_id CROSS JOIN LATERAL {overlay(options.fields)} r
      WHERE l.id = ANY(%s) AND {differs()}) o
WHERE t.id = o.lot_id RETURNING {listed(tracked_fields(InventoryItem), "t.")}
"""


def apply(run: InventoryImport, job: Run, *, now: datetime) -> None:
    """Carry out every line that hasn't been, from the job's checkpoint on, and end the import."""
    options = Options.of(run.options)
    waiting = ImportLine.objects.filter(run=run, outcome__in=_DOES_SOMETHING)
    total = waiting.count() + job.checkpoint.get("refused", 0)
    position, done, refused = (job.checkpoint.get(name, 0) for name in ("position", "done", "refused"))
    job.progress(done, total, unit="lines")
    while lines := list(
        waiting.filter(position__gt=position)
        .order_by("position")
        .only("id", "position", "outcome", "lot_id", "is_deletion", "qty_delta", "locations", "values")[:CHUNK]
    ):
        with transaction.atomic():
            refused += _apply(run, lines, options=options, now=now)
            position, done = lines[-1].position, done + len(lines)
            job.save_checkpoint(position=position, done=done, refused=refused)
        step("inventory.import_chunk")
        job.progress(done, total, unit="lines")
    _finish(run, now=now)


def _apply(run: InventoryImport, lines: Sequence[ImportLine], *, options: Options, now: datetime) -> int:
    """Carry out some lines; one that can't be since something changed becomes a problem. Answer how many did."""
    try:
        with transaction.atomic():
            _apply_together(run, lines, options=options, now=now)
    except (ProblemError, IntegrityError, DataError) as error:
        if len(lines) == 1:
            _refuse(lines[0], error)
            return 1
        middle = len(lines) // 2
        again = partial(_apply, run, options=options, now=now)
        return again(lines[:middle]) + again(lines[middle:])
    return 0


def _refuse(line: ImportLine, error: Exception) -> None:
    reason = error.detail or error.title if isinstance(error, ProblemError) else "It clashes with another lot."
    line.outcome = LineOutcome.PROBLEM
    line.message = f"The stock has changed since the preview. {reason}"
    line.save(update_fields=["outcome", "message"])


def _apply_together(run: InventoryImport, lines: Sequence[ImportLine], *, options: Options, now: datetime) -> None:
    new = [line for line in lines if line.outcome == LineOutcome.NEW]
    known = [line for line in lines if line.outcome != LineOutcome.NEW]
    gone = [line.lot_id for line in known if line.is_deletion and line.lot_id]
    kept = [line for line in known if not line.is_deletion]
    if new:
        _insert(run, new, now=now)
    if gone:
        delete_lots(lot_ids=gone, now=now)
    if kept:
        _change(run, kept, options=options, now=now)
    place([*new, *kept], options=options)


def _insert(run: InventoryImport, lines: Sequence[ImportLine], *, now: datetime) -> None:
    line_ids = [line.pk for line in lines]
    lot_ids = [line.lot_id for line in lines if line.lot_id]
    nothing_said = json.dumps({**DEFAULTS, "unit_price": 0, "date_added": now.replace(microsecond=0).isoformat()})
    record(InventoryItem, _INSERT, [now, now, workspace.current().currency, nothing_said, line_ids], kind=CREATED)
    stock.open_balances_from(_OPENING, [line_ids], kind=MovementKind.IMPORT, cause=("import", str(run.pk)), now=now)
    publish(InventoryCreated(inventory_item_ids=tuple(lot_ids)))


def _change(run: InventoryImport, lines: Sequence[ImportLine], *, options: Options, now: datetime) -> None:
    lot_ids: Collection[UUID] = {line.lot_id for line in lines if line.lot_id}
    stock.lock_lots(lot_ids)
    changed = record(InventoryItem, _overlaying(options), [now, [line.pk for line in lines]], kind=CHANGED)
    moves = [
        stock.Move(
            lot_id=line.lot_id,
            kind=MovementKind.IMPORT,
            cause_key=f"{run.pk}:{line.position}",
            available=line.qty_delta,
            cause_type="import",
            cause_id=str(run.pk),
        )
        for line in lines
        if line.lot_id and line.qty_delta
    ]
    stock.move_stock(moves=moves, now=now)
    if changed:
        publish(InventoryUpdated(inventory_item_ids=tuple(sorted(lot_ids))))


def _finish(run: InventoryImport, *, now: datetime) -> None:
    counts = dict(
        ImportLine.objects.filter(run=run).values_list("outcome").annotate(count=Count("id")).order_by("outcome")
    )
    run.counts = {"rows": sum(counts.values()), **counts}
    run.status, run.completed_at = ImportStatus.COMPLETED, now
    with transaction.atomic():
        run.save(update_fields=["counts", "status", "completed_at"])
        publish(ImportCompleted(import_id=run.pk, counts=run.counts))
