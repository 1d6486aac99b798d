"""Lots of sellers: every change writes down how it was before, and each piece that came or went."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sandbox.items import Item, items
from sandbox.sellers import Seller, World
from sandbox.state import State

# What became of a lot when its last piece is gone, by service: removed, or kept with nothing in it.
_VANISHING = frozenset(("bricklink",))


class ShortageError(Exception):
    """There are fewer pieces than are wanted."""

    def __init__(self, lot_id: int, available: int) -> None:
        super().__init__(f"lot {lot_id} has {available} pieces")
        self.lot_id, self.available = lot_id, available


@dataclass(frozen=True, slots=True)
class Lot:
    """One row of a seller's stock. Prices in ten-thousandths, weight in those of a gram (0: the catalog's)."""

    id: int
    seller_id: int
    type: str
    no: str
    color_id: int
    quantity: int
    condition: str
    completeness: str = ""
    grade: str = ""
    price: int = 0
    description: str = ""
    remarks: str | None = None
    bulk: int = 1
    is_retained: int = 0
    stockroom: str = ""
    my_cost: int = 0
    sale: int = 0
    tier_quantity1: int = 0
    tier_price1: int = 0
    tier_quantity2: int = 0
    tier_price2: int = 0
    tier_quantity3: int = 0
    tier_price3: int = 0
    weight: int = 0
    superlot: int = 0
    external_id: str | None = None
    is_for_sale: int = 1
    reserved_for: str = ""
    created_at: int = 0
    updated_at: int = 0
    version: int = 1
    born: int = 0
    # Of buyers who are checking out: taken off the quantity already.
    in_carts: int = 0
    deleted_at: int | None = None

    @property
    def tiers(self) -> list[tuple[int, int]]:
        """Answer from which quantity on which price holds."""
        pairs = (
            (self.tier_quantity1, self.tier_price1), (self.tier_quantity2, self.tier_price2),
            (self.tier_quantity3, self.tier_price3),
        )  # fmt: skip
        return [pair for pair in pairs if pair[0]]

    @property
    def item(self) -> Item | None:
        """Answer what it is a lot of; None for what is not in the catalog."""
        return items().by_no.get((self.type, self.no))

    @property
    def piece_weight(self) -> int:
        """Answer what a piece weighs, in hundredths of a gram; 0 unknown."""
        if self.weight:
            return self.weight // 100
        return self.item.weight if self.item else 0

    def price_for(self, quantity: int, unit: int = 1) -> int:
        """Answer what a piece costs of so many: tier, then sale, rounded up to `unit` ten-thousandths."""
        price = self.price
        for least, tier in self.tiers:
            if quantity >= least:
                price = tier
        return -(-price * (100 - self.sale) // (100 * unit)) * unit


COLUMNS = tuple(field.name for field in fields(Lot))
_INSERT = f"INSERT INTO lots ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608  # our names


def of(row: Sequence[Any]) -> Lot:
    """Read a row of the table, whose columns are the lot's fields."""
    return Lot(*row)


def add(world: World, writer: sqlite3.Connection, seller: Seller, values: Iterable[Mapping[str, Any]]) -> list[Lot]:
    """Put lots into a store, with numbers that nobody had."""
    rows, now_ms = list(values), world.clock.now_ms()
    if not rows:
        return []
    first = world.state.next(f"{seller.service}.lot", len(rows))
    made = [
        Lot(**{
            "created_at": now_ms, **row, "id": first + place, "seller_id": seller.id, "updated_at": now_ms,
            "born": row["quantity"],
        })
        for place, row in enumerate(rows)
    ]  # fmt: skip
    writer.executemany(_INSERT, [tuple(getattr(lot, name) for name in COLUMNS) for lot in made])
    return made


def get(connection: sqlite3.Connection, lot_id: int) -> Lot | None:
    """Answer a lot, also one that is gone."""
    row = connection.execute("SELECT * FROM lots WHERE id = ?", (lot_id,)).fetchone()
    return None if row is None else of(row)


def by_external(connection: sqlite3.Connection, seller: Seller, external_id: str) -> Lot | None:
    """Answer the lot to which the seller has given a name of his own."""
    row = connection.execute(
        "SELECT * FROM lots WHERE seller_id = ? AND external_id = ? AND deleted_at IS NULL", (seller.id, external_id)
    ).fetchone()
    return None if row is None else of(row)


def each(connection: sqlite3.Connection, seller: Seller, *, as_of: int | None = None) -> Iterator[Lot]:
    """Answer a seller's lots by their numbers, as they are, or as they were at some time."""
    if as_of is None:
        query = "SELECT * FROM lots WHERE seller_id = ? AND deleted_at IS NULL ORDER BY id"
        yield from map(of, connection.execute(query, (seller.id,)))
        return
    before: dict[int, str] = {}
    for ref, doc in connection.execute(
        "SELECT ref, doc FROM past WHERE seller_id = ? AND kind = 'lot' AND at > ? ORDER BY at, rowid",
        (seller.id, as_of),
    ):
        before.setdefault(ref, doc)
    query = (
        "SELECT * FROM lots WHERE seller_id = ? AND created_at <= ? AND (deleted_at IS NULL OR deleted_at > ?) "
        "ORDER BY id"
    )
    for row in connection.execute(query, (seller.id, as_of, as_of)):
        yield Lot(**json.loads(before[row["id"]])) if row["id"] in before else of(row)


def before(state: State, lot: Lot, at: int | None) -> Lot | None:
    """Answer a lot as it was at some time, now where that is None; None where it wasn't yet."""
    if at is None or lot.updated_at <= at:
        return lot
    with state.reading() as reader:
        row = reader.execute(
            "SELECT doc FROM past WHERE seller_id = ? AND kind = 'lot' AND ref = ? AND at > ? "
            "ORDER BY at, rowid LIMIT 1",
            (lot.seller_id, lot.id, at),
        ).fetchone()
    found = Lot(**json.loads(row["doc"])) if row else lot
    return found if found.created_at <= at else None


def change(
    writer: sqlite3.Connection, seller: Seller, lot: Lot, *, now_ms: int, cause: str, order_id: int | None = None,
    **values: Any,
) -> Lot:  # fmt: skip
    """Change a lot, and answer it. One whose last piece is gone vanishes where it does, unless it is retained."""
    changed = replace(lot, **values, updated_at=now_ms, version=lot.version + 1)
    is_empty = not changed.quantity and not changed.is_retained
    if is_empty and (lot.quantity or lot.is_retained) and seller.service in _VANISHING:
        changed = replace(changed, deleted_at=now_ms)
    _write(writer, lot, changed, cause=cause, order_id=order_id)
    return changed


def remove(writer: sqlite3.Connection, lot: Lot, *, now_ms: int, cause: str) -> Lot:
    """Take a lot out of the store."""
    gone = replace(lot, quantity=0, deleted_at=now_ms, updated_at=now_ms, version=lot.version + 1)
    _write(writer, lot, gone, cause=cause, order_id=None)
    return gone


def take(
    writer: sqlite3.Connection, seller: Seller, lot: Lot, quantity: int, *, now_ms: int, order_id: int,
    may_oversell: bool = False,
) -> Lot:  # fmt: skip
    """Take pieces for an order; raises ShortageError where there are fewer."""
    available = 0 if lot.deleted_at is not None else lot.quantity
    if available < quantity and not may_oversell:
        raise ShortageError(lot.id, available)
    left = max(0, available - quantity)
    return change(writer, seller, lot, now_ms=now_ms, cause="order", order_id=order_id, quantity=left)


def give_back(
    writer: sqlite3.Connection, seller: Seller, lot: Lot, quantity: int, *, now_ms: int, order_id: int
) -> Lot:
    """Put the pieces of a cancelled order back; a lot that had vanished comes back."""
    named = by_external(writer, seller, lot.external_id) if lot.external_id else None
    external_id = None if named is not None and named.id != lot.id else lot.external_id
    return change(
        writer, seller, lot, now_ms=now_ms, cause="cancel", order_id=order_id, quantity=lot.quantity + quantity,
        deleted_at=None, external_id=external_id,
    )  # fmt: skip


def _write(writer: sqlite3.Connection, lot: Lot, changed: Lot, *, cause: str, order_id: int | None) -> None:
    at = changed.updated_at
    writer.execute("INSERT INTO past VALUES (?, 'lot', ?, ?, ?)", (lot.seller_id, lot.id, at, json.dumps(asdict(lot))))
    if changed.quantity != lot.quantity:
        writer.execute(
            "INSERT INTO movements (lot_id, delta, cause, order_id, at) VALUES (?, ?, ?, ?, ?)",
            (lot.id, changed.quantity - lot.quantity, cause, order_id, at),
        )
    names = [name for name in COLUMNS if getattr(changed, name) != getattr(lot, name)]
    if names:
        writer.execute(
            f"UPDATE lots SET {', '.join(f'{name} = ?' for name in names)} WHERE id = ?",  # noqa: S608  # our names
            (*(getattr(changed, name) for name in names), lot.id),
        )
