"""Many lots at once, each in its own way: what a program wants added, changed and deleted, in a few statements."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import transaction

from audit import bulk, context
from common import actor
from common.errors import Invalid, NotFound, PermissionDenied, PreconditionRequired, ProblemError, StaleVersion
from common.ids import new_id
from events.bus import publish
from inventory.choices import MovementKind
from inventory.events import InventoryCreated, InventoryUpdated
from inventory.models import InventoryItem, Location
from inventory.services import stock
from inventory.services.lots import OVERTAKEN, delete_lots, differences, new_lot, promised_to_orders, quantity
from inventory.services.placements import check_room


class Action(StrEnum):
    """What can be wished for."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Something to be done to one lot. `version`: which the wish starts from, unless it makes the lot.

    `values` are fields, `qty_available`, and for a new lot `location_id`.
    """

    action: Action
    lot_id: UUID | None = None
    version: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a wish: the lot with its version (None once it is deleted), or why nothing did."""

    lot_id: UUID | None
    version: int | None = None
    problem: ProblemError | None = None


@transaction.atomic
def change_lots(*, wishes: Sequence[Wish], all_or_nothing: bool, now: datetime) -> list[Outcome]:
    """Do what is wished for, as one deed; answer what became of each.

    A lot may be named once. What can't be done is told of beside the rest; with `all_or_nothing` the first such problem
    is raised instead, with the wish's place as its `operation`, and nothing is done. Deletions come first, then
    changes, then new lots.
    """
    context.describe("inventory.bulk")
    work = _Work(wishes, now)
    if all_or_nothing and work.problems:
        index = min(work.problems)
        problem = work.problems[index]
        problem.extra["operation"] = index
        raise problem
    work.carry_out()
    return work.outcomes()


class _Work:
    """All that is to be done: looked at wish by wish, under the locks of all lots, then done together."""

    def __init__(self, wishes: Sequence[Wish], now: datetime) -> None:
        self.wishes, self.now = wishes, now
        self.problems: dict[int, ProblemError] = {}
        self.deleted: dict[int, UUID] = {}
        self.changed: dict[int, InventoryItem] = {}
        self.fields: set[str] = set()
        self.written: list[InventoryItem] = []
        self.quantities: dict[UUID, int] = {}
        self.created: dict[int, InventoryItem] = {}
        self.places: dict[UUID, UUID] = {}
        self.arriving: Counter[UUID] = Counter()
        self._look()

    # --- looking ------------------------------------------------------------------------------------------------------
    def _look(self) -> None:
        named = self._named()
        rows = InventoryItem.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=named.values())
        self.lots = {lot.pk: lot for lot in rows.order_by("pk")}
        wanted = {key for wish in self.wishes if (key := wish.values.get("location_id"))}
        # After the lots, as everywhere.
        places = Location.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=wanted).order_by("pk")
        self.locations = {place.pk: place for place in places}
        for index, wish in enumerate(self.wishes):
            if index in self.problems:
                continue
            try:
                self._look_at(index, wish)
            except ProblemError as problem:
                self.problems[index] = problem
        self._keep_numbers_apart()

    def _named(self) -> dict[int, UUID]:
        """Answer which lot each wish means that means one."""
        named: dict[int, UUID] = {}
        first: dict[UUID, int] = {}
        for index, wish in enumerate(self.wishes):
            if wish.action is Action.CREATE:
                continue
            if wish.lot_id is None:
                self.problems[index] = Invalid(errors={"/id": ["Say which lot."]})
            elif wish.lot_id in first:
                told = f"Operation {first[wish.lot_id]} names this lot already; send one for each lot."
                self.problems[index] = Invalid(errors={"/id": [told]})
            else:
                first[wish.lot_id], named[index] = index, wish.lot_id
        return named

    def _look_at(self, index: int, wish: Wish) -> None:
        match wish.action:
            case Action.CREATE:
                self._look_at_new(index, dict(wish.values))
            case Action.UPDATE:
                self._look_at_change(index, self._seen(wish), dict(wish.values))
            case Action.DELETE:
                if not actor.current().can("inventory:delete"):
                    told = "This needs the permission inventory:delete."
                    raise PermissionDenied(told, permission="inventory:delete")
                lot = self._seen(wish)
                if lot.qty_reserved:
                    raise promised_to_orders([lot.pk], of=1)
                self.deleted[index] = lot.pk

    def _seen(self, wish: Wish) -> InventoryItem:
        lot = self.lots.get(wish.lot_id) if wish.lot_id else None
        if lot is None:
            raise NotFound("This lot no longer exists.")
        if wish.version is None:
            raise PreconditionRequired("Say which version of the lot you saw.")
        if wish.version != lot.version:
            raise StaleVersion(OVERTAKEN, current_version=lot.version)
        return lot

    def _look_at_new(self, index: int, values: dict[str, Any]) -> None:
        qty, place = values.pop("qty_available", 0), values.pop("location_id", None)
        lot = new_lot(values=values, qty_available=qty, now=self.now)
        if place is not None:
            if place not in self.locations:
                raise Invalid(errors={"/location_id": ["There is no such location."]})
            if qty:
                self._put(lot.pk, place)
        self.created[index] = lot

    def _put(self, lot_id: UUID, place: UUID) -> None:
        check_room({(lot_id, place)}, fresh={place: self.arriving[place] + 1}, gone={}, locations=self.locations)
        self.arriving[place] += 1
        self.places[lot_id] = place

    def _look_at_change(self, index: int, lot: InventoryItem, values: dict[str, Any]) -> None:
        if "location_id" in values:
            raise Invalid(errors={"/location_id": ["Pieces of a lot that is there are moved, not set."]})
        qty = values.pop("qty_available", None)
        different = differences(lot, values)
        if qty is not None and quantity(qty) != lot.qty_available:
            self.quantities[lot.pk] = quantity(qty) - lot.qty_available
        if different:
            for name, value in different.items():
                setattr(lot, name, value)
            self.fields |= set(different)
            self.written.append(lot)
        self.changed[index] = lot

    def _keep_numbers_apart(self) -> None:
        """Refuse BrickLink's number of a lot where another lot has it, here or in another wish before."""
        gone = set(self.deleted.values())
        stated = {
            index: lot
            for index, lot in sorted({**self.changed, **self.created}.items())
            if lot.bricklink_lot_id is not None and "bricklink_lot_id" in self.wishes[index].values
        }
        numbers = {lot.bricklink_lot_id for lot in stated.values()}
        rows = InventoryItem.objects.filter(bricklink_lot_id__in=numbers).values_list("bricklink_lot_id", "pk")
        owners = {number: lot_id for number, lot_id in rows if lot_id not in gone}
        for index, lot in stated.items():
            if owners.setdefault(lot.bricklink_lot_id, lot.pk) != lot.pk:
                self._drop(index, lot)

    def _drop(self, index: int, lot: InventoryItem) -> None:
        self.problems[index] = Invalid(errors={"/bricklink_lot_id": ["Another lot has this BrickLink number."]})
        self.changed.pop(index, None)
        self.created.pop(index, None)
        self.quantities.pop(lot.pk, None)
        self.places.pop(lot.pk, None)
        self.written = [one for one in self.written if one is not lot]

    # --- doing --------------------------------------------------------------------------------------------------------
    def carry_out(self) -> None:
        """Do what no problem stands against."""
        if self.deleted:
            delete_lots(lot_ids=list(self.deleted.values()), now=self.now)
        if self.written:
            bulk.bulk_update(InventoryItem, self.written, fields=sorted(self.fields), rising=["version"])
            publish(InventoryUpdated(inventory_item_ids=tuple(sorted(lot.pk for lot in self.written))))
        if self.quantities:
            stock.move_stock(moves=self._moves(), now=self.now)
        if self.created:
            self._create()

    def _moves(self) -> list[stock.Move]:
        return [
            stock.Move(lot_id=lot_id, kind=MovementKind.ADJUST, cause_key=str(new_id()), available=delta)
            for lot_id, delta in sorted(self.quantities.items())
        ]

    def _create(self) -> None:
        lots = list(self.created.values())
        bulk.bulk_create(InventoryItem, lots)
        stock.open_balances(lots=lots, kind=MovementKind.INITIAL, now=self.now)
        stock.write_placements(
            {(lot.pk, self.places[lot.pk]): lot.qty_available for lot in lots if lot.pk in self.places}
        )
        publish(InventoryCreated(inventory_item_ids=tuple(lot.pk for lot in lots)))

    def outcomes(self) -> list[Outcome]:
        """Answer what became of each wish."""
        done = {index: lot.pk for index, lot in {**self.changed, **self.created}.items()}
        versions = dict(InventoryItem.objects.filter(pk__in=done.values()).values_list("pk", "version"))
        found = []
        for index, wish in enumerate(self.wishes):
            if problem := self.problems.get(index):
                found.append(Outcome(wish.lot_id, problem=problem))
            elif index in done:
                found.append(Outcome(done[index], versions[done[index]]))
            else:
                found.append(Outcome(wish.lot_id))
        return found
