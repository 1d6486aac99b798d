"""Reads the rows of a file: typed, checked one by one, so that a wrong one never stops a right one.

They wait in a table of the connection's own, without indexes, until it is decided what each does; only then are they
written as lines of the import, once. Nothing is changed by reading, so a reader that is killed begins again.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice
from typing import Any, BinaryIO, cast

from django.db import connection, transaction

from catalog import colors
from common.errors import Invalid
from common.ids import new_ids
from inventory import formats
from inventory.choices import ImportStatus, LineOutcome, UnmappedOrigin
from inventory.formats.base import LotRow, RowProblem, UnreadableFile
from inventory.import_options import Options
from inventory.models import ImportLine, InventoryImport
from inventory.queries.mappings import own_meanings
from inventory.services.checks import completed
from inventory.services.importing.leaving_out import positions_left_out
from inventory.services.importing.matching import COLUMNS, WAITING, WaitingRow, match
from inventory.services.importing.receiving import open_file, rate_of, start_applying
from inventory.services.importing.referring import Gathering, resolved
from inventory.services.unmapped import note_unmapped
from inventory.tiers import stored
from jobs.runner import Run

CHUNK = 5_000
_FOUR_PLACES = Decimal("0.0001")
_RAW_LENGTH, _FIELD_LENGTH = 300, 40
_IGNORED_SHOWN = 100

# What has columns or a meaning of its own in a line.
_APART = frozenset({"qty", "qty_delta", "locations", "is_deleted"})
# What a lot without it would have; enough to check a row that states only some of it.
_ANY_LOT: Mapping[str, Any] = {
    "item_type": "PART", "item_no": "1", "color_id": 1, "condition": "NEW", "completeness": None, "sub_condition": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _How:
    """By what rows are read: the file's format, its owner's choices, and the rate of its money."""

    format: str
    options: Options
    rate: Decimal

    @classmethod
    def of(cls, run: InventoryImport) -> "_How":
        return cls(run.format, Options.of(run.options), rate_of(run))


def read_file(run: InventoryImport, job: Run) -> None:
    """Read the file's rows, decide what each will do, and write them as the import's lines."""
    how = _How.of(run)
    with open_file(run) as opened, _waiting_rows() as waiting:
        stream = cast("BinaryIO", opened)
        reading = formats.get(run.format).read(stream, mapping=how.options.mapping or None)
        wanted, own, gathering = positions_left_out(run), own_meanings(), Gathering()
        rows = (
            (place, row)
            for place, row in enumerate(_until_unreadable(iter(reading)), 1)
            if wanted is None or place in wanted
        )
        while numbered := list(islice(rows, CHUNK)):
            chunk, position = resolved([row for _, row in numbered], own, gathering), numbered[-1][0]
            keys = new_ids(len(chunk))
            lines = (
                _line(WaitingRow(run.pk, place, row.line, key), row, how)
                for (place, _), row, key in zip(numbered, chunk, keys, strict=True)
            )
            _copy(waiting, lines)
            # How many rows there are is only known at the end; until then as many as the pace so far promises.
            expected = position * run.file_size // max(1, stream.tell())
            job.progress(position, max(position + 1, expected), unit="rows")
        run.notes, run.around = reading.notes, reading.around
        run.ignored = dict(reading.ignored.most_common(_IGNORED_SHOWN))
        with transaction.atomic():
            ImportLine.objects.filter(run=run).delete()
            run.counts = match(run)
            note_unmapped(origin=UnmappedOrigin.IMPORT, met=gathering.met(rate=how.rate), run=run)
            run.status = ImportStatus.PREVIEW
            run.save(update_fields=["notes", "around", "ignored", "counts", "status"])
            if how.options.apply_at_once:
                start_applying(run)


@contextmanager
def _waiting_rows() -> Iterator[str]:
    """Have a table for rows as long as the block lasts, and answer its name."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{WAITING}")
        columns = ", ".join(f'"{name}"' for name in COLUMNS)
        cursor.execute(f"CREATE TEMPORARY TABLE {WAITING} AS SELECT {columns} FROM {ImportLine._meta.db_table} LIMIT 0")
    yield WAITING
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE pg_temp.{WAITING}")


def _until_unreadable(rows: Iterator[LotRow | RowProblem]) -> Iterator[LotRow | RowProblem]:
    """Have what can't be read any further end in a problem, so that what came before it can be imported."""
    count = 0
    try:
        for row in rows:
            count += 1
            yield row
    except UnreadableFile as error:
        if not count:
            raise
        yield RowProblem(
            line=error.extra.get("line", 0), message=f"The file can't be read from here on. {error.detail}"
        )


def _line(begun: WaitingRow, row: LotRow | RowProblem, how: _How) -> WaitingRow:
    if isinstance(row, RowProblem):
        return _problem(begun, row)
    try:
        return _read(begun, row, how)
    except Invalid as error:
        [(pointer, messages), *_] = error.errors.items()
        named = pointer.removeprefix("/")
        stated = row.values.get(named)
        problem = RowProblem(row.line, " ".join(messages), named, "" if stated is None else str(stated))
        return _problem(begun, problem)


def _problem(begun: WaitingRow, problem: RowProblem) -> WaitingRow:
    return begun._replace(
        outcome=LineOutcome.PROBLEM,
        message=problem.message,
        problem_field=problem.field[:_FIELD_LENGTH],
        raw=problem.raw[:_RAW_LENGTH].replace("\x00", "�"),
    )


def _read(begun: WaitingRow, row: LotRow, how: _How) -> WaitingRow:
    values = dict(row.values)
    stated = {name for name in values if name not in _APART}
    if how.rate != 1:
        _convert(values, how.rate)
    if "tier_prices" in values:
        values["tier_prices"] = stored(values["tier_prices"] or [])
    if "is_stock_room" in values and not values["is_stock_room"]:
        values["stock_room_id"] = ""
        stated.add("stock_room_id")
    has_identity = bool(values.get("item_no")) and bool(values.get("item_type"))
    if not has_identity and not values.get("bricklink_lot_id"):
        raise Invalid(errors={"/item_no": ["The row names neither an item nor a lot of BrickLink's."]})
    if has_identity:
        _check_stated(values)
    made = completed({**({} if has_identity else _ANY_LOT), "unit_price": Decimal(0), **values})
    stated |= {"is_stock_room", "stock_room_id"} if stated & {"is_stock_room", "stock_room_id"} else set()
    if has_identity:
        # Together they say what it is; one that isn't stated is none, but a grade that a file doesn't know stays.
        stated |= {"item_type", "item_no", "color_id", "color_name", "condition"}
        if made["item_type"] != "SET":
            made["completeness"] = None
            stated.add("completeness")
    kept = {name: made[name] for name in stated if name in made}
    if row.extra:
        kept["extra"] = {how.format: row.extra}
    qty, is_difference = _quantity(values)
    is_left_out = row.is_excluded and not how.options.with_excluded
    identity = {
        "item_type": made["item_type"],
        "item_no": made["item_no"],
        "color_id": made["color_id"],
        "condition": made["condition"],
        "completeness": made["completeness"] or "",
        "sub_condition": made["sub_condition"] or "",
    }
    places = values.get("locations")
    return begun._replace(
        outcome=LineOutcome.SKIPPED if is_left_out else "",
        message="The file marks it as not to be imported." if is_left_out else "",
        bricklink_lot_id=values.get("bricklink_lot_id"),
        remarks=kept.get("remarks") or "",
        unit_price=kept.get("unit_price"),
        qty=qty,
        is_difference=is_difference,
        is_deletion=bool(values.get("is_deleted")),
        values=_as_json(kept),
        locations=_as_json(places) if places else "[]",
        **(identity if has_identity else {}),
    )


def _check_stated(values: Mapping[str, Any]) -> None:
    """Ask for what says which lot it is, in words about the file."""
    if not values.get("condition"):
        raise Invalid(errors={"/condition": ["The row doesn't say whether it is new or used."]})
    if values["item_type"] == "PART" and values.get("color_id") is None:
        raise Invalid(errors={"/color_id": ["A part needs a color."]})
    color_id = values.get("color_id")
    if color_id is not None and colors.get(color_id) is None:
        raise Invalid(errors={"/color_id": [f"There is no color {color_id}."]})


def _quantity(values: Mapping[str, Any]) -> tuple[int | None, bool]:
    if values.get("qty_delta") is not None:
        return values["qty_delta"], True
    qty = values.get("qty")
    if qty is not None and qty < 0:
        raise Invalid(errors={"/qty": ["A quantity is 0 or more."]})
    return qty, False


def _convert(values: dict[str, Any], rate: Decimal) -> None:
    def in_own(amount: Decimal) -> Decimal:
        return (amount * rate).quantize(_FOUR_PLACES, rounding=ROUND_HALF_UP)

    for name in ("unit_price", "cost_basis"):
        if values.get(name) is not None:
            values[name] = in_own(values[name])
    if values.get("tier_prices"):
        values["tier_prices"] = [(qty, in_own(price)) for qty, price in values["tier_prices"]]


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no value of a lot")


# Made once: json.dumps makes an encoder for each call that asks for something of its own.
_as_json = json.JSONEncoder(default=_plain, ensure_ascii=False).encode


def _copy(table: str, lines: Iterable[WaitingRow]) -> None:
    columns = ", ".join(f'"{name}"' for name in COLUMNS)
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for line in lines:
            copy.write_row(line)
