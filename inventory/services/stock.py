"""The one place that writes quantities: every change of stock is a movement, made once, under the lot's lock."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Sum

from audit import bulk
from audit.context import current_deed
from audit.recording import CHANGED, listed, record, tracked_fields
from common.errors import NotFound
from common.ids import new_id
from events.bus import publish
from inventory.choices import MovementKind
from inventory.errors import InsufficientStock
from inventory.events import InventoryLowStock, InventoryUpdated
from inventory.models import InventoryItem, InventoryItemLocation, Location, StockMovement
from inventory.queries.totes import in_totes_of
from inventory.services.keys import refresh_location_keys

# Kinds that mean that pieces were sold.
_SALES = (MovementKind.SHIP,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A wish to change a lot's quantities. `cause_key` makes it happen once among moves of its kind.

    `location_id`: where the pieces come from or go to; without one, pieces come out of the unplaced rest first.
    """

    lot_id: UUID
    kind: MovementKind
    cause_key: str
    available: int = 0
    reserved: int = 0
    cause_type: str = ""
    cause_id: str = ""
    note: str = ""
    amount: Decimal | None = None
    location_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """What a lot has: pieces for sale, and pieces promised to orders; below how many for sale it is low."""

    available: int
    reserved: int
    low_below: int | None = field(default=None, compare=False)

    @property
    def on_hand(self) -> int:
        """Answer how many pieces are in the house."""
        return self.available + self.reserved


@dataclass(frozen=True, slots=True)
class Need:
    """So many pieces of a lot for one cause, such as an order's line."""

    lot_id: UUID
    qty: int
    cause_key: str
    cause_type: str = ""
    cause_id: str = ""


@dataclass(frozen=True, slots=True)
class Reservation:
    """What became of a need: how many pieces are promised to it, and how many are missing."""

    need: Need
    qty_reserved: int

    @property
    def qty_short(self) -> int:
        """Answer how many pieces aren't there."""
        return self.need.qty - self.qty_reserved


def hold_lots(lot_ids: Collection[UUID]) -> dict[UUID, Balance]:
    """Hold those of the lots that exist until the transaction ends, in the order of their keys; answer what each has.

    The house's lock order is order, session, purchase, lot, location, listing.
    """
    rows = (
        InventoryItem.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=lot_ids)
        .order_by("pk")
        .values_list("pk", "qty_available", "qty_reserved", "low_stock_threshold")
    )
    return {key: Balance(available, reserved, low_below) for key, available, reserved, low_below in rows}


def lock_lots(lot_ids: Collection[UUID]) -> dict[UUID, Balance]:
    """Hold the lots as `hold_lots` does. NotFound if one of them doesn't exist."""
    found = hold_lots(lot_ids)
    if len(found) < len(set(lot_ids)):
        raise NotFound("A lot of these no longer exists.")
    return found


@transaction.atomic
def move_stock(*, moves: Iterable[Move], now: datetime) -> list[StockMovement]:
    """Make the movements that haven't been made yet, all or none; answer those made now.

    Raises InsufficientStock, with the lots that it concerns, where a quantity would fall below zero; NotFound.
    """
    wanted = list(moves)
    balances = lock_lots({move.lot_id for move in wanted})
    return _post(_not_yet_made(wanted), balances, now=now)


@transaction.atomic
def reserve_stock(*, needs: Sequence[Need], now: datetime) -> list[Reservation]:
    """Promise pieces to the needs, as many as there are; what isn't there is short, and never a negative lot.

    A need that was met before is answered as it was then.
    """
    return reserve_held(needs=needs, balances=lock_lots({need.lot_id for need in needs}), now=now)


def reserve_held(*, needs: Sequence[Need], balances: Mapping[UUID, Balance], now: datetime) -> list[Reservation]:
    """Promise pieces as `reserve_stock` does, of lots that are held and of which nothing has moved since.

    `balances`: what each of them has, as `hold_lots` answered it. Inside their transaction.
    """
    met = _made(MovementKind.RESERVE, [need.cause_key for need in needs])
    left = {lot_id: balance.available for lot_id, balance in balances.items()}
    moves, reservations = [], []
    for need in needs:
        if need.cause_key in met:
            reservations.append(Reservation(need, met[need.cause_key].delta_reserved))
            continue
        qty = min(need.qty, left[need.lot_id])
        left[need.lot_id] -= qty
        reservations.append(Reservation(need, qty))
        if qty:
            moves.append(_move_for(need, MovementKind.RESERVE, available=-qty, reserved=qty))
    _post(moves, balances, now=now)
    return reservations


def release_stock(*, needs: Sequence[Need], now: datetime) -> list[StockMovement]:
    """Give promised pieces back. Raises InsufficientStock where fewer are promised."""
    moves = [_move_for(need, MovementKind.RELEASE, available=need.qty, reserved=-need.qty) for need in needs]
    return move_stock(moves=moves, now=now)


def consume_stock(
    *, needs: Sequence[Need], now: datetime, amounts: Mapping[str, Decimal] | None = None
) -> list[StockMovement]:
    """Take promised pieces out of the house. `amounts`: what each was sold for, by cause key."""
    moves = [
        replace(_move_for(need, MovementKind.SHIP, reserved=-need.qty), amount=(amounts or {}).get(need.cause_key))
        for need in needs
    ]
    return move_stock(moves=moves, now=now)


def restock(*, needs: Sequence[Need], now: datetime) -> list[StockMovement]:
    """Put pieces that came back up for sale again."""
    return move_stock(moves=[_move_for(need, MovementKind.RESTOCK, available=need.qty) for need in needs], now=now)


@transaction.atomic
def adjust_stock(*, lot_id: UUID, qty_available: int, now: datetime, cause_key: str = "", note: str = "") -> None:
    """Set how many pieces of a lot are for sale, by hand. What is promised stays promised."""
    balance = lock_lots([lot_id])[lot_id]
    move = Move(
        lot_id=lot_id,
        kind=MovementKind.ADJUST,
        cause_key=cause_key or str(new_id()),
        available=qty_available - balance.available,
        note=note,
    )
    _post(_not_yet_made([move]), {lot_id: balance}, now=now)


@transaction.atomic
def count_stock(
    *, counts: Mapping[UUID, int], now: datetime, cause_key: str = "", note: str = ""
) -> list[StockMovement]:
    """Set how many pieces of each lot are in the house, as counted. Promised pieces are part of what is counted.

    Raises InsufficientStock where fewer were counted than are promised: that is an order's matter first.
    """
    balances = lock_lots(set(counts))
    key = cause_key or str(new_id())
    moves = [
        Move(
            lot_id=lot_id,
            kind=MovementKind.COUNT,
            cause_key=f"{key}:{lot_id}",
            available=counted - balances[lot_id].on_hand,
            note=note,
        )
        for lot_id, counted in sorted(counts.items())
    ]
    return _post(_not_yet_made(moves), balances, now=now)


def open_balances(*, lots: Sequence[InventoryItem], kind: MovementKind, now: datetime, cause_type: str = "") -> None:
    """Write the first movement of lots that were just inserted with their quantities. Inside their transaction."""
    deed = current_deed().row().id
    StockMovement.objects.bulk_create(
        StockMovement(
            inventory_item_id=lot.pk,
            kind=kind,
            delta_available=lot.qty_available,
            delta_reserved=lot.qty_reserved,
            balance_available=lot.qty_available,
            balance_reserved=lot.qty_reserved,
            cause_type=cause_type,
            cause_key=f"{deed}:{lot.pk}",
            change_set_id=deed,
            created_at=now,
        )
        for lot in lots
        if lot.qty_available or lot.qty_reserved
    )


_OPEN = f"""
INSERT INTO {StockMovement._meta.db_table} (inventory_item_id, kind, delta_available, delta_reserved, balance_available,
    balance_reserved, cause_type, cause_id, cause_key, note, change_set_id, created_at)
SELECT s.lot_id, %s, s.qty, 0, s.qty, 0, %s, %s, s.cause_key, '', %s, %s FROM ({{source}}) s WHERE s.qty <> 0
"""  # noqa: S608  # names come from the models


def open_balances_from(
    source: str, params: Sequence[Any], *, kind: MovementKind, cause: tuple[str, str], now: datetime
) -> None:
    """Write the first movements of lots that were just inserted with their quantities, for a bulk path.

    `source`: a query for (lot_id, qty, cause_key). `cause`: its type and id.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OPEN.format(source=source), [kind, *cause, current_deed().row().id, now, *params])


def close_balances(*, balances: Mapping[UUID, Balance], kind: MovementKind, now: datetime, note: str = "") -> None:
    """Write the last movement of lots that are about to be deleted, which leaves them at zero. They are locked."""
    deed = current_deed().row().id
    StockMovement.objects.bulk_create(
        StockMovement(
            inventory_item_id=lot_id,
            kind=kind,
            delta_available=-balance.available,
            delta_reserved=-balance.reserved,
            balance_available=0,
            balance_reserved=0,
            cause_key=f"{deed}:{lot_id}:closed",
            note=note,
            change_set_id=deed,
            created_at=now,
        )
        for lot_id, balance in balances.items()
        if balance.on_hand
    )


# --- The way of a movement ------------------------------------------------------------------------------------------


def _move_for(need: Need, kind: MovementKind, *, available: int = 0, reserved: int = 0) -> Move:
    return Move(
        lot_id=need.lot_id,
        kind=kind,
        cause_key=need.cause_key,
        available=available,
        reserved=reserved,
        cause_type=need.cause_type,
        cause_id=need.cause_id,
    )


def _made(kind: MovementKind, keys: Collection[str]) -> dict[str, StockMovement]:
    return {made.cause_key: made for made in StockMovement.objects.filter(kind=kind, cause_key__in=keys)}


def _not_yet_made(moves: Iterable[Move]) -> list[Move]:
    """Leave out what was made before. The lots are locked, so that nobody makes the same beside us."""
    by_kind: dict[MovementKind, dict[str, Move]] = {}
    for move in moves:
        if move.available or move.reserved:
            by_kind.setdefault(move.kind, {}).setdefault(move.cause_key, move)
    left: list[Move] = []
    for kind, wanted in by_kind.items():
        made = _made(kind, wanted.keys())
        left += [move for key, move in wanted.items() if key not in made]
    return left


def _post(moves: Sequence[Move], balances: Mapping[UUID, Balance], *, now: datetime) -> list[StockMovement]:
    """Write the movements of locked lots, and the lots' new quantities with them."""
    if not moves:
        return []
    deed = current_deed().row().id
    after = dict(balances)
    rows = []
    for move in moves:
        before = after[move.lot_id]
        new = Balance(before.available + move.available, before.reserved + move.reserved)
        after[move.lot_id] = new
        rows.append(
            StockMovement(
                inventory_item_id=move.lot_id,
                kind=move.kind,
                delta_available=move.available,
                delta_reserved=move.reserved,
                balance_available=max(new.available, 0),
                balance_reserved=max(new.reserved, 0),
                cause_type=move.cause_type,
                cause_id=move.cause_id,
                cause_key=move.cause_key,
                note=move.note,
                amount=move.amount,
                change_set_id=deed,
                created_at=now,
            )
        )
        if new.available < 0 or new.reserved < 0:
            raise InsufficientStock(
                "There are fewer pieces than are to be taken.",
                shortages=[
                    {
                        "inventory_item_id": str(move.lot_id),
                        "qty_available": before.available,
                        "qty_reserved": before.reserved,
                    }
                ],
            )
    changed = {move.lot_id: after[move.lot_id] for move in moves}
    sold = {move.lot_id for move in moves if move.kind in _SALES}
    _write_quantities(changed, sold=sold, now=now)
    StockMovement.objects.bulk_create(rows)
    _settle_placements(moves, changed)
    _tell(balances, changed)
    return rows


def _write_quantities(changed: Mapping[UUID, Balance], *, sold: Collection[UUID], now: datetime) -> None:
    keys = sorted(changed)
    statement = (
        f"UPDATE {InventoryItem._meta.db_table} t SET qty_available = v.available, qty_reserved = v.reserved,"  # noqa: S608  # names come from the models
        " version = t.version + 1, updated_at = %s, last_sold_at = CASE WHEN v.sold THEN %s ELSE t.last_sold_at END"
        " FROM unnest(%s::uuid[], %s::int[], %s::int[], %s::bool[]) v (id, available, reserved, sold)"
        f" WHERE t.id = v.id RETURNING {listed(tracked_fields(InventoryItem), 't.')}"
    )
    params = [
        now,
        now,
        keys,
        [changed[key].available for key in keys],
        [changed[key].reserved for key in keys],
        [key in sold for key in keys],
    ]
    record(InventoryItem, statement, params, kind=CHANGED)


def _settle_placements(moves: Sequence[Move], changed: Mapping[UUID, Balance]) -> None:
    """Keep what lies at locations within what is on hand and in no tote: moves that name a place change it, the rest
    gives way. What is shipped comes out of totes first."""
    at_places: dict[tuple[UUID, UUID], int] = {}
    for move in moves:
        if move.location_id and (delta := move.available + move.reserved):
            key = (move.lot_id, move.location_id)
            at_places[key] = at_places.get(key, 0) + delta
    fewer = {move.lot_id for move in moves if move.available + move.reserved < 0}
    if not at_places and not fewer:
        return
    concerned = {lot_id for lot_id, _ in at_places} | fewer
    placements = list(
        InventoryItemLocation.objects.select_for_update().filter(inventory_item__in=concerned).order_by("location_id")
    )
    qty = {(place.inventory_item_id, place.location_id): place.qty for place in placements}
    kept = dict(qty)
    for key, delta in at_places.items():
        kept[key] = max(0, kept.get(key, 0) + delta)
    places_of: dict[UUID, list[tuple[UUID, UUID]]] = {}
    for key in kept:
        places_of.setdefault(key[0], []).append(key)
    shipped = {move.lot_id for move in moves if move.kind in _SALES}
    totes = in_totes_of(fewer - shipped)
    for lot_id, places in places_of.items():
        mine = sorted(places, key=lambda key: (kept[key], key[1]))
        excess = sum(kept[key] for key in mine) - changed[lot_id].on_hand
        if lot_id in totes:
            excess += totes[lot_id].taken
        # The smallest heap first: that empties a place.
        for key in mine:
            taken = min(max(excess, 0), kept[key])
            kept[key] -= taken
            excess -= taken
    write_placements({key: value for key, value in kept.items() if value != qty.get(key, 0)})


_KEEP = f"""
SELECT count(*) FROM (SELECT id FROM {Location._meta.db_table} WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE) kept
"""  # noqa: S608  # names come from the models


def keep_locations(location_ids: Collection[UUID]) -> None:
    """Have the locations stay until the transaction ends, in the order of their keys, after the lots.

    Putting pieces there takes this anyway, but in the order in which they are put. NotFound if one doesn't exist.
    """
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [list(location_ids)])
        if cursor.fetchone()[0] < len(set(location_ids)):
            raise NotFound("A location of these no longer exists.")


_KEEP_IN_USE = f"""
SELECT id FROM {Location._meta.db_table} WHERE id = ANY(%s) AND is_active ORDER BY id FOR KEY SHARE
"""  # noqa: S608  # names come from the models


def keep_locations_in_use(location_ids: Collection[UUID]) -> frozenset[UUID]:
    """Have those of the locations stay that are there and in use, as `keep_locations` does; answer them."""
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_IN_USE, [list(location_ids)])
        return frozenset(row[0] for row in cursor.fetchall())


def write_placements(
    quantities: Mapping[tuple[UUID, UUID], int], *, keys: Mapping[tuple[UUID, UUID], UUID] | None = None
) -> None:
    """Set how many pieces of a lot lie at a location, by (lot, location); zero takes the row away. Lots are locked.

    `keys`: under which keys rows that aren't there are made, where they were there before.
    """
    if not quantities:
        return
    lots = {lot_id for lot_id, _ in quantities}
    present = {
        (row.inventory_item_id, row.location_id): row
        for row in InventoryItemLocation.objects.filter(inventory_item__in=lots)
    }
    gone = [present[key].pk for key, qty in quantities.items() if not qty and key in present]
    new = [
        InventoryItemLocation(
            id=(keys or {}).get((lot_id, location_id)) or new_id(),
            inventory_item_id=lot_id,
            location_id=location_id,
            qty=qty,
        )
        for (lot_id, location_id), qty in quantities.items()
        if qty and (lot_id, location_id) not in present
    ]
    other = []
    for key, qty in quantities.items():
        if qty and key in present and present[key].qty != qty:
            present[key].qty = qty
            other.append(present[key])
    if gone:
        bulk.bulk_delete(InventoryItemLocation.objects.filter(pk__in=gone))
    if new:
        keep_locations({row.location_id for row in new})
        bulk.bulk_create(InventoryItemLocation, new)
    if other:
        bulk.bulk_update(InventoryItemLocation, other, fields=["qty"])
    refresh_location_keys(lots)


def _tell(before: Mapping[UUID, Balance], after: Mapping[UUID, Balance]) -> None:
    publish(InventoryUpdated(inventory_item_ids=tuple(sorted(after))))
    low = tuple(
        lot_id
        for lot_id in sorted(after)
        if (limit := before[lot_id].low_below) is not None
        and after[lot_id].available < limit <= before[lot_id].available
    )
    if low:
        publish(InventoryLowStock(inventory_item_ids=low))


def qty_placed(lot_id: UUID) -> int:
    """Answer how many pieces of a lot lie at locations."""
    total: int | None = InventoryItemLocation.objects.filter(inventory_item=lot_id).aggregate(total=Sum("qty"))["total"]
    return total or 0


@dataclass(frozen=True, slots=True)
class Difference:
    """A lot whose quantities and ledger, or whose places and stock, don't agree."""

    lot_id: UUID
    what: str


_VERIFY = """
SELECT t.id, CASE
    WHEN t.qty_available <> coalesce(m.available, 0) OR t.qty_reserved <> coalesce(m.reserved, 0)
    THEN format('has %%s available and %%s reserved, its movements add up to %%s and %%s',
                t.qty_available, t.qty_reserved, coalesce(m.available, 0), coalesce(m.reserved, 0))
    ELSE format('has %%s pieces, but %%s lie at its locations', t.qty_available + t.qty_reserved, p.placed) END
FROM inventory_inventoryitem t
LEFT JOIN (SELECT inventory_item_id, sum(delta_available) AS available, sum(delta_reserved) AS reserved
           FROM inventory_stockmovement GROUP BY inventory_item_id) m ON m.inventory_item_id = t.id
LEFT JOIN (SELECT inventory_item_id, sum(qty) AS placed FROM inventory_inventoryitemlocation
           GROUP BY inventory_item_id) p ON p.inventory_item_id = t.id
WHERE t.qty_available <> coalesce(m.available, 0) OR t.qty_reserved <> coalesce(m.reserved, 0)
   OR coalesce(p.placed, 0) > t.qty_available + t.qty_reserved
UNION ALL
SELECT m.inventory_item_id, format('is gone, but its movements add up to %%s and %%s', sum(m.delta_available),
                                   sum(m.delta_reserved))
FROM inventory_stockmovement m
WHERE NOT EXISTS (SELECT 1 FROM inventory_inventoryitem t WHERE t.id = m.inventory_item_id)
GROUP BY m.inventory_item_id HAVING sum(m.delta_available) <> 0 OR sum(m.delta_reserved) <> 0
ORDER BY 1
"""


def verify_stock() -> list[Difference]:
    """Prove the books: answer every lot whose quantities aren't the sums of its movements, or that lies at more places
    than it has pieces. None is as it should be."""
    with connection.cursor() as cursor:
        cursor.execute(_VERIFY, [])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return [Difference(lot_id, what) for lot_id, what in rows]
