"""Changes many lots at once: shown first, then done as one change set, in chunks that a dying worker doesn't repeat."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import connection, transaction

from audit import context
from audit.recording import CHANGED, listed, record, tracked_fields
from common.errors import Invalid
from events.bus import publish
from inventory.events import InventoryUpdated
from inventory.models import InventoryItem, InventoryItemLocation, Location
from inventory.queries.filters import Filters, filtered
from inventory.services import stock
from inventory.services.bulk_sql import Program, Sql, program_of
from inventory.services.lots import delete_lots
from jobs import services as jobs
from jobs.models import JobRun

# What changes more lots than this is a job.
AT_ONCE = 2_000
CHUNK = 5_000
SHOWN = 20
JOB = "inventory_bulk_edit"
_TABLE = InventoryItem._meta.db_table
_NIL = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which lots: those named, or all that a filter leaves (`query`, as the list's address has it)."""

    ids: tuple[UUID, ...] = ()
    query: str | None = None

    @property
    def where(self) -> Sql:
        """Answer the condition that a lot is one of them. Raises Invalid where the filter isn't wholly understood."""
        if self.query is None:
            return Sql("id = ANY(%s)", (list(self.ids),))
        filters = Filters.parse(self.query)
        if filters.unknown:
            raise Invalid(f"Nobody knows which lots these are: {', '.join(term.words for term in filters.unknown)}.")
        query = filtered(filters).order_by().query
        try:
            text, params = query.where.as_sql(query.get_compiler(connection=connection), connection)
        except EmptyResultSet:
            return Sql("false")
        except FullResultSet:
            return Sql("true")
        return Sql(text, tuple(params))

    def as_json(self) -> dict[str, Any]:
        """Answer it for a job's arguments."""
        return {"ids": [str(lot_id) for lot_id in self.ids], "query": self.query}

    @classmethod
    def from_json(cls, made: Mapping[str, Any]) -> "Selection":
        """Read what `as_json` wrote."""
        return cls(tuple(UUID(lot_id) for lot_id in made["ids"]), made["query"])


# --- Before ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Example:
    """A lot before and after: its values by column."""

    lot_id: UUID
    name: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Left:
    """Lots that something isn't done to: why, how many, and some of them."""

    words: str
    count: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a bulk edit would do."""

    words: str
    chosen: int
    changing: int
    value_before: Decimal
    value_after: Decimal
    examples: tuple[Example, ...]
    left: tuple[Left, ...]
    location: str = ""
    is_deletion: bool = False

    @property
    def value_change(self) -> Decimal:
        """Answer by how much the stock would be worth more."""
        return self.value_after - self.value_before

    @property
    def is_long(self) -> bool:
        """Tell whether it would be a job."""
        return self.changing > AT_ONCE


def _rows(text: str, params: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


_NAME = "concat_ws(' · ', item_no, nullif(color_name, ''), initcap(condition))"


def preview_bulk_edit(*, selection: Selection, changes: Mapping[str, Any], now: datetime) -> Preview:
    """Answer what the changes would do to the lots, by the expressions that the change writes. Raises Invalid."""
    program, where = program_of(changes, now=now), selection.where
    differs, refusals = program.is_different, program.all_refusals
    price = program.columns.get("unit_price", Sql("unit_price"))
    after = (
        Sql(f"CASE WHEN {differs.text} THEN 0 ELSE qty_available * unit_price END", differs.params)
        if program.is_deletion
        else Sql(f"qty_available * ({price.text})", price.params)
    )
    counts = "".join(f", count(*) FILTER (WHERE {refusal.condition.text})" for refusal in refusals)
    [(chosen, changing, before, then, *left)] = _rows(
        f"SELECT count(*), count(*) FILTER (WHERE {differs.text}), coalesce(sum(qty_available * unit_price), 0),"  # noqa: S608  # pieces of our own, values as parameters
        f" coalesce(sum({after.text}), 0){counts} FROM {_TABLE} WHERE {where.text}",
        (*differs.params, *after.params, *(p for refusal in refusals for p in refusal.condition.params), *where.params),
    )
    target = Location.objects.filter(pk=program.location_id).first() if program.location_id else None
    if program.location_id and target is None:
        raise Invalid(errors={"/location": ["There is no such location."]})
    return Preview(
        words=program.words,
        chosen=chosen,
        changing=changing,
        value_before=before,
        value_after=then,
        examples=_examples(program, where),
        left=tuple(
            Left(refusal.words, count, _names(refusal.condition, where))
            for refusal, count in zip(refusals, left, strict=True)
            if count
        ),
        location=target.code if target else "",
        is_deletion=program.is_deletion,
    )


def _examples(program: Program, where: Sql) -> tuple[Example, ...]:
    columns, differs = program.columns, program.is_different
    befores = "".join(f", {name}" for name in columns)
    afters = "".join(f", {value.text}" for value in columns.values())
    rows = _rows(
        f"SELECT id, {_NAME}{befores}{afters} FROM {_TABLE} WHERE {where.text} AND {differs.text}"  # noqa: S608  # as above
        f" ORDER BY item_no, id LIMIT {SHOWN}",
        (*(p for value in columns.values() for p in value.params), *where.params, *differs.params),
    )
    width = len(columns)
    return tuple(
        Example(
            lot_id,
            name,
            dict(zip(columns, values[:width], strict=True)),
            dict(zip(columns, values[width:], strict=True)),
        )
        for lot_id, name, *values in rows
    )


def _names(condition: Sql, where: Sql) -> tuple[str, ...]:
    rows = _rows(
        f"SELECT {_NAME} FROM {_TABLE} WHERE {where.text} AND {condition.text} ORDER BY item_no, id LIMIT {SHOWN}",  # noqa: S608  # as above
        (*where.params, *condition.params),
    )
    return tuple(name for (name,) in rows)


# --- Doing it -------------------------------------------------------------------------------------------------------
@transaction.atomic
def edit_lots(*, selection: Selection, changes: Mapping[str, Any], now: datetime) -> int:
    """Do the changes to the lots, as one change set; answer how many differ now. Raises Invalid."""
    program = program_of(changes, now=now)
    return sum(len(keys) for keys in _chunks(selection, program, now=now))


def start_bulk_edit(*, selection: Selection, changes: Mapping[str, Any], label: str, total: int, key: str) -> JobRun:
    """Have the changes done by a job; the same key answers the same job."""
    args = {"selection": selection.as_json(), "changes": dict(changes), "total": total}
    return jobs.start(JOB, key=key, args=args, label=label[:200])


def _chunks(selection: Selection, program: Program, *, now: datetime) -> Iterator[list[UUID]]:
    after = _NIL
    while keys := change_chunk(selection, program, after=after, now=now):
        yield keys
        after = keys[-1]


@transaction.atomic
def change_chunk(selection: Selection, program: Program, *, after: UUID, now: datetime) -> list[UUID]:
    """Change the next lots behind a key, in the order of their keys; answer which. None is that all is done."""
    context.describe("inventory.bulk_edit", reason=program.words)
    where, differs = selection.where, program.is_different
    rows = _rows(
        f"SELECT id FROM {_TABLE} WHERE {where.text} AND id > %s AND {differs.text} ORDER BY id LIMIT {CHUNK}"  # noqa: S608  # as above
        " FOR NO KEY UPDATE",
        (*where.params, after, *differs.params),
    )
    keys: list[UUID] = [key for (key,) in rows]
    if not keys:
        return []
    if program.is_deletion:
        delete_lots(lot_ids=keys, now=now)
        return keys
    if columns := program.columns:
        sets = ", ".join(f"{name} = {value.text}" for name, value in columns.items())
        record(
            InventoryItem,
            f"UPDATE {_TABLE} SET {sets}, version = version + 1, updated_at = %s WHERE id = ANY(%s)"  # noqa: S608  # as above
            f" RETURNING {listed(tracked_fields(InventoryItem))}",
            [*(p for value in columns.values() for p in value.params), now, keys],
            kind=CHANGED,
        )
    if program.location_id:
        _move(keys, program.location_id)
    publish(InventoryUpdated(inventory_item_ids=tuple(keys)))
    return keys


def _move(keys: list[UUID], location_id: UUID) -> None:
    """Have all pieces of the lots lie at one place."""
    lots = InventoryItem.objects.filter(pk__in=keys).values_list("pk", "qty_available", "qty_reserved")
    places = InventoryItemLocation.objects.filter(inventory_item__in=keys).values_list(
        "inventory_item_id", "location_id"
    )
    wanted = dict.fromkeys(places, 0)
    wanted |= {(lot_id, location_id): available + reserved for lot_id, available, reserved in lots}
    stock.write_placements(wanted)
