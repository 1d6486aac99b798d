"""Where pieces lie: put them to a place, move them, take them out. Never more than are on hand, or than fit."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db import transaction

from audit import context
from common.errors import Conflict, Invalid, NotFound
from events.bus import publish
from inventory.errors import InsufficientStock
from inventory.events import InventoryUpdated
from inventory.models import InventoryItemLocation, Location
from inventory.queries.totes import InTotes, in_totes_of, loose
from inventory.services.stock import Balance, hold_lots, lock_lots, write_placements

Placements = dict[tuple[UUID, UUID], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceMove:
    """A wish to move pieces of a lot. Without a source they come out of the unplaced ones that are in no tote, without
    a target they become unplaced; `qty` None is everything that is there."""

    lot_id: UUID
    source_id: UUID | None = None
    target_id: UUID | None = None
    qty: int | None = None


@transaction.atomic
def move_pieces(*, moves: Sequence[PieceMove], now: datetime) -> int:
    """Move pieces between places, all or none; answer how many pieces moved.

    Raises InsufficientStock where there are fewer pieces, Conflict where a place is full or not in use, Invalid,
    NotFound.
    """
    for move in moves:
        if move.qty is not None and move.qty < 1:
            raise Invalid(errors={"/qty": ["A number of pieces, 1 or more."]})
        if move.source_id == move.target_id:
            raise Invalid(errors={"/target": ["The pieces lie there already."]})
    balances = lock_lots({move.lot_id for move in moves})
    locations = lock_locations({key for move in moves for key in (move.source_id, move.target_id) if key})
    context.describe("inventory.move_pieces")
    before, totes = _placed(balances), in_totes_of(balances.keys())
    after = dict(before)
    count = 0
    for move in moves:
        count += _carry(move, after, balances, totes, locations)
    set_placements(after=after, before=before, locations=locations)
    return count


@transaction.atomic
def move_contents(*, source_id: UUID, target_id: UUID | None, now: datetime) -> int:
    """Move all that lies at a place to another one, or make it unplaced; answer how many lots.

    Raises Conflict where the target can't take it, NotFound.
    """
    lots = hold_lots(lots_at([source_id])).keys()
    lock_locations({key for key in (source_id, target_id) if key})
    return carry_contents(lots, source_id=source_id, target_id=target_id, now=now)


def carry_contents(lots: Collection[UUID], *, source_id: UUID, target_id: UUID | None, now: datetime) -> int:
    """Move what lies of these lots at a place as `move_contents` does. Lots and places are held."""
    left = [lot for lot in sorted(lots_at([source_id])) if lot in lots]
    move_pieces(moves=[PieceMove(lot_id=lot, source_id=source_id, target_id=target_id) for lot in left], now=now)
    return len(left)


def lots_at(location_ids: Collection[UUID]) -> set[UUID]:
    """Answer the lots of which pieces lie at the locations."""
    placed = InventoryItemLocation.objects.filter(location__in=location_ids, qty__gt=0)
    return set(placed.values_list("inventory_item", flat=True))


class _Grown(Exception):  # noqa: N818  # nothing that goes wrong: it lets go of what was held
    """More is to be held than was known before."""


@transaction.atomic
def lock_with_lots(location_ids: Collection[UUID]) -> dict[UUID, Location]:
    """Hold the locations as `lock_locations` does, so that nobody puts anything there, and before them what lies there.

    Where something came while we waited, all is let go and begun again: no lot is held behind a location.
    """
    while True:
        try:
            with transaction.atomic():
                held = hold_lots(lots_at(location_ids)).keys()
                locations = lock_locations(location_ids, closed=location_ids)
                if not lots_at(location_ids) <= held:
                    raise _Grown
                return locations
        except _Grown:
            continue


def lock_locations(location_ids: Collection[UUID], *, closed: Collection[UUID] = ()) -> dict[UUID, Location]:
    """Hold the locations until the transaction ends, in the order of their keys, after the lots; answer them by key.

    `closed`: those to which nobody may put anything meanwhile. NotFound if one doesn't exist.
    """
    rows = Location.objects.order_by("pk")
    found: dict[UUID, Location] = {}
    for is_closed, keys in groupby(sorted(set(location_ids)), key=lambda key: key in closed):
        found |= rows.select_for_update(of=("self",), no_key=not is_closed).in_bulk(list(keys))
    if len(found) < len(set(location_ids)):
        raise NotFound("A location of these no longer exists.")
    return found


def _placed(lot_ids: Collection[UUID]) -> Placements:
    rows = InventoryItemLocation.objects.filter(inventory_item__in=lot_ids)
    return {(lot, place): qty for lot, place, qty in rows.values_list("inventory_item", "location", "qty")}


def _unplaced(lot_id: UUID, balance: Balance, placed: Mapping[tuple[UUID, UUID], int]) -> int:
    return balance.on_hand - sum(qty for (lot, _), qty in placed.items() if lot == lot_id)


def _carry(
    move: PieceMove, placed: Placements, balances: Mapping[UUID, Balance], totes: Mapping[UUID, InTotes],
    locations: Mapping[UUID, Location],
) -> int:  # fmt: skip
    """Do one move in `placed`; answer how many pieces."""
    balance = balances[move.lot_id]
    if move.source_id is None:
        there, where = loose(_unplaced(move.lot_id, balance, placed), totes[move.lot_id]), "unplaced"
    else:
        there = placed.get((move.lot_id, move.source_id), 0)
        where = f"at {locations[move.source_id].code}"
    qty = there if move.qty is None else move.qty
    if not qty or qty > there:
        raise InsufficientStock(
            f"{there:,} {'piece of the lot is' if there == 1 else 'pieces of the lot are'} {where}"
            + (f", not {qty:,}." if qty else "."),
            shortages=[
                {
                    "inventory_item_id": str(move.lot_id),
                    "qty_available": balance.available,
                    "qty_reserved": balance.reserved,
                }
            ],
        )
    if move.source_id is not None:
        placed[move.lot_id, move.source_id] -= qty
    if move.target_id is not None:
        key = (move.lot_id, move.target_id)
        placed[key] = placed.get(key, 0) + qty
    return qty


def set_placements(
    *,
    after: Mapping[tuple[UUID, UUID], int],
    before: Mapping[tuple[UUID, UUID], int],
    locations: Mapping[UUID, Location],
) -> None:
    """Store what lies where now. Lots and locations are held. Raises Conflict where a place can't take what is new."""
    changed = {key: qty for key, qty in after.items() if qty != before.get(key, 0)}
    check_room(
        {key for key, qty in changed.items() if qty > before.get(key, 0)},
        fresh=Counter(place for (lot, place), qty in changed.items() if qty and not before.get((lot, place))),
        gone=Counter(place for (lot, place), qty in changed.items() if not qty and before.get((lot, place))),
        locations=locations,
    )
    write_placements(changed)
    if changed:
        publish(InventoryUpdated(inventory_item_ids=tuple(sorted({lot for lot, _ in changed}))))


def check_room(
    growing: Collection[tuple[UUID, UUID]],
    *,
    fresh: Mapping[UUID, int],
    gone: Mapping[UUID, int],
    locations: Mapping[UUID, Location],
) -> None:
    """Raise Conflict where pieces would come to a place that isn't in use, or more lots than fit. Places are held."""
    for place in sorted({place for _, place in growing}):
        if not locations[place].is_active:
            raise Conflict(f"{locations[place].code} isn't in use, so nothing can be put there.")
    limited = [place for place in fresh if locations[place].capacity is not None]
    if not limited:
        return
    lots = InventoryItemLocation.objects.filter(location__in=limited, qty__gt=0)
    present = Counter(lots.values_list("location", flat=True))
    for place in sorted(limited):
        location = locations[place]
        capacity = location.capacity or 0
        if present[place] + fresh[place] - gone.get(place, 0) > capacity:
            raise Conflict(
                f"{location.code} takes {capacity:,} {'lot' if capacity == 1 else 'lots'}, and {present[place]:,}"
                f" {'lies' if present[place] == 1 else 'lie'} there.",
                capacity=capacity,
                lots=present[place],
            )


@transaction.atomic
def restore_placements(
    *,
    quantities: Mapping[UUID, tuple[UUID, UUID, int]] | None = None,
    changes: Mapping[UUID, int] | None = None,
    remove: Collection[UUID] = (),
) -> None:
    """Put placements back as they were: `quantities` are made anew (by key: lot, place, pieces), `changes` get their
    pieces back, `remove` go. For reverts, which need no room: what lay there before may lie there again.

    Raises Conflict where a lot has fewer pieces by now, or its pieces lie there anew; NotFound where one is gone.
    """
    keys = [*(changes or {}), *remove]
    rows = list(InventoryItemLocation.objects.filter(pk__in=keys).values_list("pk", "inventory_item", "location"))
    if not set(changes or ()) <= {key for key, _, _ in rows}:
        raise NotFound("What lay there was taken away since.")
    wanted: Placements = {(lot, place): (changes or {}).get(key, 0) for key, lot, place in rows}
    made = {(lot, place): key for key, (lot, place, _) in (quantities or {}).items()}
    wanted |= {(lot, place): qty for lot, place, qty in (quantities or {}).values()}
    balances = lock_lots({lot for lot, _ in wanted})
    locations = lock_locations({place for _, place in wanted})
    context.describe("inventory.move_pieces")
    before = _placed(balances)
    if anew := sorted(set(made) & set(before)):
        raise Conflict(f"Pieces of the lot were put to {locations[anew[0][1]].code} again.")
    after = before | wanted
    sums: Counter[UUID] = Counter()
    for (lot, _), qty in after.items():
        sums[lot] += qty
    totes = in_totes_of(balances.keys())
    for lot, balance in balances.items():
        if (taken := totes[lot].taken) and sums[lot] > balance.on_hand - taken:
            raise Conflict(f"{taken:,} of the lot's {balance.on_hand:,} pieces are in totes, picked for orders.")
        if sums[lot] > balance.on_hand:
            raise Conflict(f"The lot has {balance.on_hand:,} pieces by now, and {sums[lot]:,} would lie at its places.")
    write_placements({key: qty for key, qty in wanted.items() if qty != before.get(key, 0)}, keys=made)
    publish(InventoryUpdated(inventory_item_ids=tuple(sorted(balances))))
