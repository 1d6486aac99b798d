"""Finds which lot each line means, and decides what it does to it: a few statements over all lines at once."""

from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from inventory.choices import LineOutcome, QuantityPolicy
from inventory.import_options import Options
from inventory.models import ImportLine, InventoryImport, InventoryItem
from inventory.queries.overlays import differs, overlay
from inventory.services.checks import INT_LIMIT

# Names in the statements below come from the models, and values from enumerations of ours.
_LINES, _LOTS = ImportLine._meta.db_table, InventoryItem._meta.db_table

# Rows wait here, in a table of the connection's own, and here is which lot each of them means.
WAITING, _PAIRS = "waiting_rows", "waiting_pairs"


class WaitingRow(NamedTuple):
    """A row of the file as it waits: the columns of a line, with what most rows have in them.

    `lot_id`: under which key it makes a lot, if it does.
    """

    run_id: UUID
    position: int
    line: int
    lot_id: UUID | None = None
    outcome: str = ""
    message: str = ""
    problem_field: str = ""
    raw: str = ""
    item_type: str = ""
    item_no: str = ""
    color_id: int | None = None
    condition: str = ""
    completeness: str = ""
    sub_condition: str = ""
    bricklink_lot_id: int | None = None
    remarks: str = ""
    unit_price: Decimal | None = None
    qty: int | None = None
    is_difference: bool = False
    is_deletion: bool = False
    qty_delta: int = 0
    values: str = "{}"
    locations: str = "[]"


COLUMNS = WaitingRow._fields

_BEGIN = f"""
ANALYZE {WAITING};
DROP TABLE IF EXISTS pg_temp.{_PAIRS};
CREATE TEMPORARY TABLE {_PAIRS} (position int, lot_id uuid) ON COMMIT DROP
"""

# The same lot of BrickLink's twice in a file: the first stands.
_DOUBLED = f"""
UPDATE {WAITING} l SET outcome = '{LineOutcome.PROBLEM}', problem_field = 'bricklink_lot_id',
       message = format('BrickLink''s lot %%s stands in line %%s already.', l.bricklink_lot_id, d.first_line)
FROM (SELECT position, first_value(line) OVER w AS first_line, row_number() OVER w AS nth FROM {WAITING}
      WHERE outcome = '' AND bricklink_lot_id IS NOT NULL
      WINDOW w AS (PARTITION BY bricklink_lot_id ORDER BY position)) d
WHERE l.position = d.position AND d.nth > 1
"""

_BY_LOT_NUMBER = f"""
INSERT INTO {_PAIRS} SELECT l.position, t.id FROM {WAITING} l JOIN {_LOTS} t USING (bricklink_lot_id)
WHERE l.outcome = ''
"""

# Whether any row without and with a lot of BrickLink's is left that names its item.
_LEFT = f"""
SELECT bool_or(bricklink_lot_id IS NULL), bool_or(bricklink_lot_id IS NOT NULL) FROM {WAITING} l
WHERE outcome = '' AND item_no <> '' AND NOT EXISTS (SELECT 1 FROM {_PAIRS} p WHERE p.position = l.position)
  AND EXISTS (SELECT 1 FROM {_LOTS})
"""

_KEY = ("item_type", "item_no", "color", "condition", "completeness")
# Equal lots stay apart: the first row of a kind means the first lot of that kind, the second the second, and so on.
# Each pass pairs what agrees in more than the next one asks for. Many files know no grades, so none is insisted on.
_AGREEMENTS = (
    ("sub_condition", "remarks", "unit_price"),
    ("remarks", "unit_price"),
    ("sub_condition", "remarks"),
    ("remarks",),
    ("unit_price",),
    (),
)


def _pairing(agreement: tuple[str, ...], *, numbered: bool) -> str:
    """Answer the statement of one pass. Numbered rows (with a lot of BrickLink's) take lots without a number only."""
    key = ", ".join((*_KEY, *agreement))
    return f"""
WITH mine AS (
    SELECT l.*, coalesce(color_id, -1) AS color FROM {WAITING} l
    WHERE outcome = '' AND item_no <> '' AND bricklink_lot_id IS {"NOT NULL" if numbered else "NULL"}
      AND NOT EXISTS (SELECT 1 FROM {_PAIRS} p WHERE p.position = l.position)
), theirs AS (
    SELECT t.id, item_type, item_no, coalesce(color_id, -1) AS color, condition,
           coalesce(completeness, '') AS completeness, coalesce(sub_condition, '') AS sub_condition, remarks, unit_price
    FROM {_LOTS} t
    WHERE EXISTS (SELECT 1 FROM mine m WHERE m.item_type = t.item_type AND m.item_no = t.item_no)
      AND NOT EXISTS (SELECT 1 FROM {_PAIRS} p WHERE p.lot_id = t.id)
      {"AND bricklink_lot_id IS NULL" if numbered else ""}
)
INSERT INTO {_PAIRS}
SELECT mine.position, theirs.id
FROM (SELECT position, {key}, row_number() OVER (PARTITION BY {key} ORDER BY position) AS nth FROM mine) mine
JOIN (SELECT id, {key}, row_number() OVER (PARTITION BY {key} ORDER BY id) AS nth FROM theirs) theirs
USING ({key}, nth)
"""


_DELTAS = {
    QuantityPolicy.SET: "CASE WHEN l.is_difference THEN l.qty ELSE l.qty - t.qty_available END",
    QuantityPolicy.ADD: "l.qty",
    QuantityPolicy.KEEP: "0",
}


# What can become of a row, in the words that its line shows. {lot} and {available} are filled in.
_VERDICTS = {
    "new": (LineOutcome.NEW, "", ""),
    "merged": (LineOutcome.MERGED, "", ""),
    "changed": (LineOutcome.CHANGED, "", ""),
    "equal": (LineOutcome.EQUAL, "", ""),
    "deleted": (LineOutcome.CHANGED, "The lot will be deleted.", ""),
    "not_wanted": (LineOutcome.SKIPPED, "There is no such lot here, and none is to be added.", ""),
    "no_such_lot": (LineOutcome.PROBLEM, "There is no lot with BrickLink's number {lot} here.", "bricklink_lot_id"),
    "nothing_to_delete": (LineOutcome.PROBLEM, "There is no such lot here to be deleted.", ""),
    "nothing_to_take": (LineOutcome.PROBLEM, "There is no such lot here to take pieces from.", "qty"),
    "promised": (LineOutcome.PROBLEM, "Pieces of this lot are promised to orders, so it can't be deleted.", ""),
    "too_few": (LineOutcome.PROBLEM, "The lot has only {available} pieces for sale.", "qty"),
    "too_many": (LineOutcome.PROBLEM, "That would be more pieces than can be counted.", "qty"),
}


def _decide(options: Options) -> tuple[str, list[list[str]]]:
    """Answer the statement that writes the waiting rows as lines, each with what it will do; and its parameters."""
    decided = ("outcome", "message", "problem_field", "qty_delta", "lot_id")
    kept = [name for name in COLUMNS if name not in decided]
    moved = "merged" if options.quantity == QuantityPolicy.ADD else "changed"
    statement = f"""
INSERT INTO {_LINES} ({", ".join(f'"{name}"' for name in (*kept, *decided))})
SELECT {", ".join(f'l."{name}"' for name in kept)}, coalesce(w.outcome, l.outcome),
       coalesce(replace(replace(w.message, '{{lot}}', l.bricklink_lot_id::text),
                        '{{available}}', t.qty_available::text), w.message, l.message),
       coalesce(w.field, l.problem_field), CASE WHEN w.outcome IN ('{LineOutcome.NEW}', '{LineOutcome.MERGED}',
       '{LineOutcome.CHANGED}') THEN c.delta ELSE 0 END,
       CASE w.outcome WHEN '{LineOutcome.NEW}' THEN l.lot_id ELSE p.lot_id END
FROM {WAITING} l
LEFT JOIN {_PAIRS} p USING (position)
LEFT JOIN {_LOTS} t ON t.id = p.lot_id
CROSS JOIN LATERAL (SELECT coalesce(CASE WHEN t.id IS NULL THEN l.qty ELSE {_DELTAS[options.quantity]} END, 0)::bigint
                           AS delta) c
CROSS JOIN LATERAL {overlay(options.fields)} r
CROSS JOIN LATERAL (SELECT CASE
    WHEN l.outcome <> '' THEN NULL
    WHEN t.id IS NULL AND l.is_deletion THEN 'nothing_to_delete'
    WHEN t.id IS NULL AND l.item_no = '' THEN 'no_such_lot'
    WHEN t.id IS NULL AND c.delta < 0 THEN 'nothing_to_take'
    WHEN t.id IS NULL THEN '{"new" if options.create_new else "not_wanted"}'
    WHEN l.is_deletion AND t.qty_reserved > 0 THEN 'promised'
    WHEN l.is_deletion THEN 'deleted'
    WHEN t.qty_available + c.delta < 0 THEN 'too_few'
    WHEN t.qty_available + c.delta >= {INT_LIMIT} THEN 'too_many'
    WHEN c.delta <> 0 THEN '{moved}'
    WHEN {differs()} THEN 'changed'
    ELSE 'equal' END AS verdict) v
LEFT JOIN unnest(%s::text[], %s::text[], %s::text[], %s::text[]) w (verdict, outcome, message, field) USING (verdict)
ORDER BY l.position
"""
    words = [list(_VERDICTS), *([verdict[place] for verdict in _VERDICTS.values()] for place in range(3))]
    return statement, words


def match(run: InventoryImport) -> dict[str, int]:
    """Decide what each waiting row does to the stock as it is now, and write the rows as lines of the import.

    Answers how many lines of each outcome there are, and of `rows`. Inside the caller's transaction.
    """
    options = Options.of(run.options)
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, None)
        cursor.execute(_DOUBLED, [])
        cursor.execute(_BY_LOT_NUMBER, [])
        for agreement in _AGREEMENTS:
            cursor.execute(_LEFT, [])
            for numbered, is_left in enumerate(cursor.fetchone()):
                if is_left:
                    cursor.execute(_pairing(agreement, numbered=bool(numbered)), [])
        cursor.execute(f"ANALYZE {_PAIRS}")
        cursor.execute(*_decide(options))
        cursor.execute(f"SELECT outcome, count(*) FROM {_LINES} WHERE run_id = %s GROUP BY outcome", [run.pk])
        counts: dict[str, int] = dict(cursor.fetchall())
    return {"rows": sum(counts.values()), **counts}
