"""Puts lots and locations back as they were, many at once: fields by one statement, pieces by movements."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from audit import bulk
from common import workspace
from common.errors import Conflict
from common.ids import new_id
from events.bus import publish
from inventory.choices import MovementKind
from inventory.events import InventoryCreated, InventoryUpdated
from inventory.models import InventoryItem, Location
from inventory.naturals import route_key
from inventory.queries.locations import codes_present
from inventory.services import stock
from inventory.services.checks import EDITABLE, completed
from inventory.services.locations import EDITABLE as LOCATION_FIELDS
from inventory.services.lots import differences


@transaction.atomic
def restore_lots(*, values: Mapping[UUID, Mapping[str, Any]], now: datetime) -> None:
    """Set fields of lots back with what follows from them, and by movements how many pieces of each are for sale.

    `values`: columns, by lot. Raises Conflict, Invalid, InsufficientStock, NotFound.
    """
    balances = stock.lock_lots(set(values))
    _restore_fields({key: {name: row[name] for name in EDITABLE & set(row)} for key, row in values.items()})
    cause = str(new_id())
    stock.move_stock(
        moves=[
            stock.Move(
                lot_id=lot_id,
                kind=MovementKind.REVERT,
                cause_key=f"{cause}:{lot_id}",
                available=columns["qty_available"] - balances[lot_id].available,
            )
            for lot_id, columns in values.items()
            if "qty_available" in columns
        ],
        now=now,
    )


def _restore_fields(values: Mapping[UUID, Mapping[str, Any]]) -> None:
    lots = InventoryItem.objects.in_bulk([key for key, row in values.items() if row])
    changed: set[UUID] = set()
    names: set[str] = set()
    for key, lot in lots.items():
        different = differences(lot, values[key])
        for name, value in different.items():
            setattr(lot, name, value)
        names |= set(different)
        changed |= {key} if different else set()
    if not changed:
        return
    made = [lots[key] for key in sorted(changed)]
    if "bricklink_lot_id" in names:
        _refuse_taken_numbers(made)
    bulk.bulk_update(InventoryItem, made, fields=sorted(names), rising=["version"])
    publish(InventoryUpdated(inventory_item_ids=tuple(sorted(changed))))


@transaction.atomic
def recreate_lots(*, values: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Make deleted lots again under their keys, with the pieces that they had. `values`: all columns of each.

    Raises Conflict, Invalid.
    """
    columns = {field.attname for field in InventoryItem._meta.concrete_fields}
    currency = workspace.current().currency
    lots = [
        InventoryItem(
            **{
                **completed({name: value for name, value in row.items() if name in columns}),
                "currency": currency,
                # Whoever saw an older version didn't see this one.
                "version": row["version"] + 1,
            }
        )
        for row in values
    ]
    _refuse_taken_numbers(lots)
    bulk.bulk_create(InventoryItem, lots)
    stock.open_balances(lots=lots, kind=MovementKind.REVERT, now=now)
    publish(InventoryCreated(inventory_item_ids=tuple(lot.pk for lot in lots)))


def _refuse_taken_numbers(lots: Collection[InventoryItem]) -> None:
    numbers = [lot.bricklink_lot_id for lot in lots if lot.bricklink_lot_id is not None]
    if not numbers:
        return
    others = InventoryItem.objects.filter(bricklink_lot_id__in=numbers).exclude(pk__in=[lot.pk for lot in lots])
    if (taken := others.values_list("bricklink_lot_id", flat=True).first()) is not None:
        raise Conflict(f"Another lot has BrickLink's number {taken} by now.")


@transaction.atomic
def recreate_locations(*, values: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Make deleted locations again under their keys. Raises Conflict where a code is taken by now."""
    names = [*sorted(LOCATION_FIELDS), "last_counted_at"]
    made = [Location(id=key, **{name: row[name] for name in names}) for key, row in sorted(values.items())]
    if taken := codes_present([location.code for location in made]):
        raise Conflict(f"There is a location {min(taken).upper()} by now.")
    for location in made:
        location.route_key = route_key(code=location.code, sort_order=location.sort_order)
    bulk.bulk_create(Location, made)
