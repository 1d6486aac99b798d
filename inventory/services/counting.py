"""Counts: what was found at a place, or of a lot, becomes what is known, as one change set."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit import context
from common.errors import Conflict, Invalid
from common.ids import new_id
from inventory.choices import MovementKind
from inventory.errors import InsufficientStock
from inventory.models import InventoryItem, InventoryItemLocation
from inventory.queries.counting import CountLine, expected_at, line_of, qty_placed_of
from inventory.queries.totes import in_totes_of
from inventory.services import stock
from inventory.services.placements import check_room, lock_locations

_LIMIT = 2**31


def _checked(counts: Mapping[UUID, int]) -> None:
    if any(not 0 <= qty < _LIMIT for qty in counts.values()):
        raise Invalid(errors={"/found": ["A number of pieces, 0 or more."]})


@transaction.atomic
def count_location(
    *,
    location_id: UUID,
    found: Mapping[UUID, int],
    now: datetime,
    seen: Mapping[UUID, int] | None = None,
    cause_key: str = "",
) -> int:
    """Make what was found of these lots at a place what is known; lots that aren't named stay as they are.

    Pieces that turn up are taken for the lot's unplaced ones as long as there are any; what is more or less changes the
    lot's quantity by a movement of kind COUNT. `seen`: what was expected when the count was shown. Answer how many lots
    were other than expected. The same `cause_key` counts once. Raises Conflict where pieces are promised to orders that
    weren't found, or something was moved meanwhile; Invalid, NotFound.
    """
    _checked(found)
    stock.lock_lots(set(found))
    [location] = lock_locations([location_id]).values()
    expected = expected_at(location_id)
    if seen is not None and any(expected.get(lot, 0) != seen.get(lot, 0) for lot in found):
        raise Conflict(f"Pieces were moved to or from {location.code} while you counted. Compare again.")
    context.describe("inventory.count_location")
    lots = InventoryItem.objects.in_bulk(list(found))
    placed, totes = qty_placed_of(set(found)), in_totes_of(set(found))
    lines = [
        line_of(lots[lot], expected=expected.get(lot, 0), found=qty, placed=placed.get(lot, 0), in_totes=totes[lot])
        for lot, qty in sorted(found.items())
    ]
    _refuse_promised(lines)
    different = [line for line in lines if line.is_different]
    # What lies there lies there, whether it fits or not; only a place that isn't in use takes nothing new.
    check_room(
        {(line.lot.pk, location_id) for line in different if line.qty_found > line.qty_expected},
        fresh={}, gone={}, locations={location_id: location},
    )  # fmt: skip
    key = cause_key or str(new_id())
    stock.move_stock(
        moves=[
            stock.Move(
                lot_id=line.lot.pk,
                kind=MovementKind.COUNT,
                cause_key=f"{key}:{line.lot.pk}",
                cause_type="location",
                cause_id=str(location_id),
                available=line.qty_change,
                note=f"Counted at {location.code}",
                location_id=location_id,
            )
            for line in different
            if line.qty_change
        ],
        now=now,
    )
    stock.write_placements({(line.lot.pk, location_id): line.qty_found for line in different})
    location.last_counted_at = now
    location.save(update_fields=["last_counted_at", "updated_at"])
    return len(different)


def _refuse_promised(lines: list[CountLine]) -> None:
    refused = [line for line in lines if line.problem]
    if refused:
        first = refused[0]
        more = f" {len(refused) - 1:,} more are like it." if len(refused) > 1 else ""
        raise InsufficientStock(
            f"{first.lot}: {first.problem}{more}",
            shortages=[
                {
                    "inventory_item_id": str(line.lot.pk),
                    "qty_available": line.lot.qty_available,
                    "qty_reserved": line.lot.qty_reserved,
                }
                for line in refused
            ],
        )


@transaction.atomic
def count_lot(
    *,
    lot_id: UUID,
    placed: Mapping[UUID, int],
    unplaced: int,
    now: datetime,
    seen: Mapping[UUID, int] | None = None,
    cause_key: str = "",
) -> int:
    """Make what was found of a lot at each of its places, and without one, what is known; answer how many more or fewer
    pieces it has. Places that aren't named have none. What is picked lies in totes, and is there besides.

    `seen`: what was known of its places when the count began. Raises Conflict, InsufficientStock, Invalid, NotFound.
    """
    _checked({**placed, lot_id: unplaced})
    balance = stock.lock_lots([lot_id])[lot_id]
    rows = InventoryItemLocation.objects.filter(inventory_item=lot_id)
    known = dict(rows.values_list("location", "qty"))
    if seen is not None and known != dict(seen):
        raise Conflict("Pieces of this lot were moved while you counted. Look at its places again.")
    locations = lock_locations(set(placed) | set(known))
    in_totes = min(in_totes_of([lot_id])[lot_id].picked, balance.on_hand - sum(known.values()))
    total = sum(placed.values()) + unplaced + in_totes
    if total < balance.reserved:
        raise InsufficientStock(
            f"{balance.reserved:,} pieces are promised to orders, and only {total:,} were counted. Change those orders"
            " first.",
            shortages=[
                {
                    "inventory_item_id": str(lot_id),
                    "qty_available": balance.available,
                    "qty_reserved": balance.reserved,
                }
            ],
        )
    context.describe("inventory.count_lot")
    growing = {(lot_id, place) for place, qty in placed.items() if qty > known.get(place, 0)}
    check_room(growing, fresh={}, gone={}, locations=locations)
    stock.count_stock(counts={lot_id: total}, now=now, cause_key=cause_key, note="Counted at all its places")
    wanted = {(lot_id, place): 0 for place in known} | {(lot_id, place): qty for place, qty in placed.items()}
    stock.write_placements(wanted)
    return total - balance.on_hand
