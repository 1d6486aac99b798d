"""What can be done to lots one by one: add, change, delete, split."""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from audit import bulk, context
from common import workspace
from common.errors import Conflict, Invalid, NotFound, StaleVersion
from common.ids import new_id
from events.bus import publish
from inventory.choices import MovementKind
from inventory.events import InventoryCreated, InventoryDeleted, InventoryUpdated
from inventory.models import InventoryItem, InventoryItemLocation, Location
from inventory.services import stock
from inventory.services.checks import EDITABLE, INT_LIMIT, completed
from inventory.services.placements import check_room

# What a lot starts with where nothing is said.
DEFAULTS: Mapping[str, Any] = {
    "item_name": "", "category_name": "", "color_id": None, "completeness": None, "sub_condition": None,
    "cost_basis": None, "sale_percent": 0, "bulk": 1, "tier_prices": [], "description": "", "remarks": "",
    "is_retain": False, "is_stock_room": False, "stock_room_id": "", "weight_grams": None, "low_stock_threshold": None,
    "price_locked": False, "price_lock_reason": "", "price_lock_expires_at": None, "reserved_for": "",
    "acquired_from": "", "last_sold_at": None, "bricklink_lot_id": None, "extra": {},
}  # fmt: skip
OVERTAKEN = "Somebody else changed this lot meanwhile. Look at it again and repeat your change."
# What a lot that is split off doesn't take along.
_NOT_COPIED = frozenset({"bricklink_lot_id"})


def quantity(value: Any, name: str = "qty_available") -> int:
    """Answer a number of pieces. Raises Invalid."""
    if not 0 <= int(value) < INT_LIMIT:
        raise Invalid(errors={f"/{name}": ["A number of pieces, 0 or more."]})
    return int(value)


def new_lot(
    *, values: Mapping[str, Any], now: datetime, qty_available: int = 0, lot_id: UUID | None = None
) -> InventoryItem:
    """Answer a lot that isn't stored yet, with what follows from its values. Raises Invalid with errors by field."""
    _refuse_unknown(set(values) - EDITABLE)
    # In whole seconds, as files have it: what was exported and comes back is the same.
    added = now.replace(microsecond=0)
    made = completed({**DEFAULTS, "unit_price": Decimal(0), "date_added": added, **values})
    qty = quantity(qty_available)
    return InventoryItem(**made, id=lot_id or new_id(), qty_available=qty, currency=workspace.current().currency)


def _refuse_unknown(names: Collection[str]) -> None:
    if names:
        raise ValueError(f"a lot has no {', '.join(sorted(names))} to set")


@transaction.atomic
def create_lot(
    *,
    values: Mapping[str, Any],
    now: datetime,
    qty_available: int = 0,
    location_id: UUID | None = None,
    lot_id: UUID | None = None,
    kind: MovementKind = MovementKind.INITIAL,
) -> InventoryItem:
    """Add a lot with its pieces, at a location if one is named.

    `lot_id`: under which key; one that is there already is answered as it is, so that the same twice is done once.
    Raises Invalid with errors by field, Conflict where the location is full or not in use.
    """
    context.describe("inventory.create_lot")
    lot = new_lot(values=values, qty_available=qty_available, lot_id=lot_id, now=now)
    if lot.bricklink_lot_id and InventoryItem.objects.filter(bricklink_lot_id=lot.bricklink_lot_id).exists():
        raise Invalid(errors={"/bricklink_lot_id": ["Another lot has this BrickLink number."]})
    try:
        with transaction.atomic():
            lot.save(force_insert=True)
    except IntegrityError:
        if lot_id and (present := InventoryItem.objects.filter(pk=lot_id).first()):
            return present
        raise
    stock.open_balances(lots=[lot], kind=kind, now=now)
    if location_id:
        _put(lot, location_id)
    publish(InventoryCreated(inventory_item_ids=(lot.pk,)))
    return lot


def _put(lot: InventoryItem, location_id: UUID) -> None:
    place = Location.objects.select_for_update(of=("self",), no_key=True).filter(pk=location_id).first()
    if place is None:
        raise Invalid(errors={"/location_id": ["There is no such location."]})
    if lot.qty_available:
        check_room({(lot.pk, place.pk)}, fresh={place.pk: 1}, gone={}, locations={place.pk: place})
        stock.write_placements({(lot.pk, place.pk): lot.qty_available})


def _locked(lot_id: UUID) -> InventoryItem:
    lot = InventoryItem.objects.select_for_update(of=("self",), no_key=True).filter(pk=lot_id).first()
    if lot is None:
        raise NotFound
    return lot


def _check_seen(
    lot: InventoryItem, *, changes: Mapping[str, Any], seen: Mapping[str, Any] | None, expected_version: int | None
) -> None:
    """Refuse a lost update: an older version, or fields that are no longer as their editor saw them."""
    if expected_version is not None and expected_version != lot.version:
        raise StaleVersion(
            OVERTAKEN,
            current_version=lot.version,
        )
    overtaken = {
        name: {"before": before, "theirs": getattr(lot, name), "yours": changes[name]}
        for name, before in (seen or {}).items()
        if name in changes and getattr(lot, name) not in (before, changes[name])
    }
    if overtaken:
        raise StaleVersion(
            "Somebody else changed this meanwhile. Choose what it shall be.",
            current_version=lot.version,
            fields=overtaken,
        )


def differences(lot: InventoryItem, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Answer what of a lot would be different with the changes, and what follows from them. Raises Invalid."""
    _refuse_unknown(set(changes) - EDITABLE)
    made = completed({**{name: getattr(lot, name) for name in EDITABLE}, **changes})
    return {name: value for name, value in made.items() if getattr(lot, name) != value}


@transaction.atomic
def update_lot(
    *,
    lot_id: UUID,
    changes: Mapping[str, Any],
    now: datetime,
    expected_version: int | None = None,
    seen: Mapping[str, Any] | None = None,
) -> InventoryItem:
    """Change some fields of a lot, and `qty_available` as a movement. What is the same already changes nothing.

    `expected_version`: the version that the change starts from; `seen`: instead, what these fields were when their
    editor saw them. Raises StaleVersion (with `fields` in the latter case), Invalid, NotFound.
    """
    _refuse_unknown(set(changes) - EDITABLE - {"qty_available"})
    lot = _locked(lot_id)
    _check_seen(lot, changes=changes, seen=seen, expected_version=expected_version)
    context.describe("inventory.update_lot")
    different = differences(lot, {name: value for name, value in changes.items() if name in EDITABLE})
    if "bricklink_lot_id" in different and different["bricklink_lot_id"] is not None:
        others = InventoryItem.objects.filter(bricklink_lot_id=different["bricklink_lot_id"]).exclude(pk=lot.pk)
        if others.exists():
            raise Invalid(errors={"/bricklink_lot_id": ["Another lot has this BrickLink number."]})
    if different:
        for name, value in different.items():
            setattr(lot, name, value)
        lot.version += 1
        lot.save(update_fields=[*different, "version", "updated_at"])
        publish(InventoryUpdated(inventory_item_ids=(lot.pk,)))
    if "qty_available" in changes and quantity(changes["qty_available"]) != lot.qty_available:
        stock.adjust_stock(lot_id=lot.pk, qty_available=int(changes["qty_available"]), now=now)
    lot.refresh_from_db()
    return lot


def promised_to_orders(lot_ids: Collection[UUID], *, of: int) -> Conflict:
    """Answer why lots can't be deleted of which pieces are promised."""
    return Conflict(
        f"{len(lot_ids):,} of {of:,} lots {'has' if len(lot_ids) == 1 else 'have'} pieces promised to orders. Ship or"
        " cancel those first.",
        inventory_item_ids=[str(lot_id) for lot_id in lot_ids],
    )


@transaction.atomic
def delete_lots(*, lot_ids: Collection[UUID], now: datetime, expected_version: int | None = None) -> int:
    """Delete lots with what lies at their locations; their movements stay. Answer how many.

    Raises Conflict where pieces are promised to orders, StaleVersion (one lot only), NotFound.
    """
    balances = stock.lock_lots(lot_ids)
    if expected_version is not None:
        lot = InventoryItem.objects.get(pk__in=lot_ids)
        _check_seen(lot, changes={}, seen=None, expected_version=expected_version)
    promised = sorted(lot_id for lot_id, balance in balances.items() if balance.reserved)
    if promised:
        raise promised_to_orders(promised, of=len(balances))
    context.describe("inventory.delete_lots")
    stock.close_balances(balances=balances, kind=MovementKind.ADJUST, now=now, note="Lot deleted")
    count = bulk.bulk_delete(InventoryItem.objects.filter(pk__in=list(balances)))
    publish(InventoryDeleted(inventory_item_ids=tuple(sorted(balances))))
    return count


@transaction.atomic
def add_pieces(
    *, lot_id: UUID, qty: int, now: datetime, location_id: UUID | None = None, cause_key: str = ""
) -> InventoryItem:
    """Put more pieces up for sale on a lot that is there, at a location if one is named. Raises Invalid, NotFound.

    `cause_key`: the same twice is done once.
    """
    context.describe("inventory.add_pieces")
    if quantity(qty):
        move = stock.Move(
            lot_id=lot_id,
            kind=MovementKind.ADJUST,
            cause_key=cause_key or str(new_id()),
            available=qty,
            location_id=location_id,
        )
        stock.move_stock(moves=[move], now=now)
    return _locked(lot_id)


@transaction.atomic
def split_lot(
    *, lot_id: UUID, qty: int, changes: Mapping[str, Any], now: datetime, location_id: UUID | None = None
) -> InventoryItem:
    """Make a lot of its own of some of the pieces that are for sale; answer it. `changes`: what is different about it.

    `location_id`: from which place they are taken, and where they stay. Raises Invalid, InsufficientStock, NotFound.
    """
    lot = _locked(lot_id)
    if not 0 < qty <= lot.qty_available:
        raise Invalid(errors={"/qty": [f"Between 1 and the {lot.qty_available:,} pieces that are for sale."]})
    context.describe("inventory.split_lot")
    values = {name: getattr(lot, name) for name in EDITABLE - _NOT_COPIED} | dict(changes)
    new = create_lot(values=values, now=now)
    split = partial(stock.Move, kind=MovementKind.SPLIT, cause_type="lot", cause_id=str(lot.pk))
    places = _places_of(lot.pk, qty=qty, location_id=location_id)
    stock.move_stock(
        moves=[
            split(lot_id=lot.pk, available=-qty, cause_key=f"{new.pk}:from", location_id=location_id),
            split(lot_id=new.pk, available=qty, cause_key=f"{new.pk}:to"),
        ],
        now=now,
    )
    stock.write_placements({(new.pk, place): pieces for place, pieces in places.items()})
    new.refresh_from_db()
    return new


def _places_of(lot_id: UUID, *, qty: int, location_id: UUID | None) -> dict[UUID, int]:
    if location_id is None:
        return {}
    placed = InventoryItemLocation.objects.filter(inventory_item=lot_id, location=location_id).first()
    if placed is None or placed.qty < qty:
        raise Invalid(errors={"/location_id": [f"Only {placed.qty if placed else 0:,} pieces of the lot lie there."]})
    return {location_id: qty}
