"""Which lots a repricing covers, and what of each its price depends on, with the figures of the price guide beside."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from catalog.choices import ItemType, PriceKind
from catalog.models import PriceGuide
from catalog.queries.pricing import USED_FOR
from inventory.models import InventoryItem
from inventory.queries.pricing import market
from inventory.repricing import Figures, Guide, Thing
from inventory.services.bulk_edit import Selection
from inventory.services.bulk_sql import Sql
from inventory.tiers import steps_of

NIL = UUID(int=0)
LOTS, GUIDE = InventoryItem._meta.db_table, PriceGuide._meta.db_table
_FIGURES = ("price_min", "price_avg", "price_qty_avg", "price_max", "lots_count", "qty")
_WIDTH = len(_FIGURES)


def _joined(alias: str, kind: PriceKind) -> str:
    return (
        f" LEFT JOIN {GUIDE} {alias} ON {alias}.item_no = t.item_no AND {alias}.item_type = t.item_type"
        f" AND {alias}.color_id = coalesce(t.color_id, 0) AND {alias}.condition = t.condition"
        f" AND {alias}.currency = %s AND {alias}.region = %s AND {alias}.kind = '{kind.value}'"
        f" AND {alias}.fetched_at > %s"
    )


_READ = (
    "SELECT t.id, t.version, t.qty_available, t.unit_price, t.cost_basis, t.price_locked AND"
    " (t.price_lock_expires_at IS NULL OR t.price_lock_expires_at > %s), t.item_type, t.completeness, t.tier_prices,"
    f" sold.id IS NOT NULL, {', '.join(f'sold.{name}' for name in _FIGURES)},"
    f" stock.id IS NOT NULL, {', '.join(f'stock.{name}' for name in _FIGURES)}"
    f" FROM {LOTS} t{_joined('sold', PriceKind.SOLD)}{_joined('stock', PriceKind.STOCK)}"
)


@dataclass(frozen=True, slots=True)
class PricedLot:
    """A lot with what its price depends on."""

    lot_id: UUID
    version: int
    qty: int
    thing: Thing
    guide: Guide


def covered(selection: Selection, above: Iterable[str] = ()) -> Sql:
    """Answer the condition that a lot is one of the selection, and of no filter of `above`, whose rules go first.

    Raises Invalid where a filter isn't wholly understood.
    """
    where = selection.where
    for query in above:
        other = Selection(query=query).where
        where = Sql(f"({where.text}) AND NOT coalesce(({other.text}), false)", (*where.params, *other.params))
    return where


def count_covered(where: Sql) -> int:
    """Answer how many lots it is true of."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {LOTS} WHERE {where.text}", where.params)
        [count] = cursor.fetchone()
    return int(count)


def read_next(where: Sql, *, after: UUID, limit: int, now: datetime) -> list[PricedLot]:
    """Answer the next lots behind a key, in the order of their keys. One query."""
    return _read(
        f" WHERE t.id IN (SELECT id FROM {LOTS} WHERE ({where.text}) AND id > %s ORDER BY id LIMIT %s) ORDER BY t.id",
        (*where.params, after, limit),
        now=now,
    )


def read_these(where: Sql, lot_ids: Sequence[UUID], *, now: datetime) -> dict[UUID, PricedLot]:
    """Answer those of the lots that the condition is still true of. One query."""
    found = _read(
        f" WHERE t.id IN (SELECT id FROM {LOTS} WHERE ({where.text}) AND id = ANY(%s))",
        (*where.params, list(lot_ids)),
        now=now,
    )
    return {lot.lot_id: lot for lot in found}


def _read(condition: str, params: tuple[Any, ...], *, now: datetime) -> list[PricedLot]:
    here, oldest = market(), now - USED_FOR
    place = (here.currency, here.region, oldest)
    with connection.cursor() as cursor:
        cursor.execute(_READ + condition, (now, *place, *place, *params))
        rows = cursor.fetchall()
    return [_lot(row) for row in rows]


def _lot(row: tuple[Any, ...]) -> PricedLot:
    lot_id, version, qty, price, cost, is_locked, item_type, completeness, tiers, *figures = row
    thing = Thing(
        price=price,
        cost=cost,
        is_locked=is_locked,
        is_custom=item_type == ItemType.CUSTOM,
        completeness=completeness,
        tiers=_tiers(tiers),
    )
    sold, stock = figures[: _WIDTH + 1], figures[_WIDTH + 1 :]
    return PricedLot(lot_id, version, qty, thing, Guide(_figures(sold), _figures(stock)))


def _tiers(stored: Any) -> tuple[tuple[int, Decimal], ...]:
    # Raw from the database: JSON as text.
    found = json.loads(stored) if isinstance(stored, str) else stored
    return tuple(steps_of(found)) if found else ()


def _figures(values: Sequence[Any]) -> Figures | None:
    return Figures(*values[1:]) if values[0] else None
