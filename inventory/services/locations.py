"""What can be done to locations: add, change, delete, generate, order the walk through them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from audit import bulk, context
from common.errors import Conflict, Invalid, NotFound
from common.ids import new_id, new_ids
from inventory.codes import PART_LENGTH, CodeError, between, clean, parts_of
from inventory.errors import TooManyLots
from inventory.models import InventoryItemLocation, Location
from inventory.naturals import route_key
from inventory.queries.locations import codes_present
from inventory.services.keys import refresh_lots_at
from inventory.services.placements import carry_contents, lock_locations, lock_with_lots, lots_at
from inventory.services.stock import hold_lots
from inventory.walk import STEP, renumbered
from jobs import services as jobs
from jobs.models import JobRun

PARTS = ("zone", "aisle", "shelf", "bin")
EDITABLE = frozenset({"code", *PARTS, "sort_order", "capacity", "is_active"})
ROUTE_JOB = "number_route"
# So many lots are sorted anew while somebody waits.
_LOTS_AT_ONCE = 2000
_INT_LIMIT = 2**31
_TAKEN = "There is a location of that code."


def _invalid(name: str, message: str) -> Invalid:
    return Invalid(errors={f"/{name}": [message]})


def _checked_code(code: str) -> str:
    try:
        return clean(code)
    except CodeError as error:
        raise _invalid("code", str(error)) from None


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Answer values of a location as they are stored; raises Invalid with errors by field."""
    unknown = set(values) - EDITABLE
    if unknown:
        raise ValueError(f"a location has no {', '.join(sorted(unknown))} to set")
    made = dict(values)
    if "code" in made:
        made["code"] = _checked_code(made["code"])
    for name in PARTS:
        if name in made:
            made[name] = made[name].strip()
            if len(made[name]) > PART_LENGTH:
                raise _invalid(name, f"At most {PART_LENGTH} characters.")
    if made.get("capacity") is not None and not 1 <= made["capacity"] < _INT_LIMIT:
        raise _invalid("capacity", "A number of lots, 1 or more; nothing for any number.")
    if not -_INT_LIMIT < made.get("sort_order", 0) < _INT_LIMIT:
        raise _invalid("sort_order", "A number between −2,147,483,647 and 2,147,483,647.")
    return made


def _save(location: Location, **options: Any) -> None:
    location.route_key = route_key(code=location.code, sort_order=location.sort_order)
    try:
        with transaction.atomic():
            location.save(**options)
    except IntegrityError as error:
        if "location_code" in str(error):
            raise _invalid("code", _TAKEN) from None
        raise


def _locked(location_id: UUID) -> Location:
    location = Location.objects.select_for_update(of=("self",), no_key=True).filter(pk=location_id).first()
    if location is None:
        raise NotFound("This location no longer exists.")
    return location


@transaction.atomic
def create_location(*, values: Mapping[str, Any], location_id: UUID | None = None) -> Location:
    """Add a location. Zone, aisle, shelf and bin that aren't said are read from the code. Raises Invalid."""
    made = _checked({"code": "", **values})
    if not set(PARTS) & set(made):
        parts = parts_of(made["code"])
        made |= {name: getattr(parts, name) for name in PARTS}
    context.describe("inventory.create_location")
    location = Location(**made, id=location_id or new_id())
    _save(location, force_insert=True)
    return location


@transaction.atomic
def update_location(*, location_id: UUID, changes: Mapping[str, Any]) -> Location:
    """Change some fields of a location; what lies there stays. Raises Invalid, NotFound."""
    made = _checked(changes)
    # With its lots: how they are sorted follows.
    location = lock_with_lots([location_id])[location_id]
    different = {name: value for name, value in made.items() if getattr(location, name) != value}
    if not different:
        return location
    context.describe("inventory.update_location")
    for name, value in different.items():
        setattr(location, name, value)
    _save(location, update_fields=[*different, "route_key", "updated_at"])
    if {"code", "sort_order"} & set(different):
        refresh_lots_at([location_id])
    return location


@transaction.atomic
def set_counted(*, location_id: UUID, at: datetime | None) -> None:
    """Say when a location was counted last. For counts that are taken back. Raises NotFound."""
    location = _locked(location_id)
    context.describe("inventory.update_location")
    location.last_counted_at = at
    location.save(update_fields=["last_counted_at", "updated_at"])


@transaction.atomic
def delete_location(*, location_id: UUID, now: datetime, move_to: UUID | None = None) -> str:
    """Delete a location; what lies there goes to `move_to`. Answer its code.

    Raises Conflict where something lies there and no target is named, or the target can't take it; NotFound.
    """
    context.describe("inventory.delete_location")
    if move_to == location_id:
        raise _invalid("move_to", "Its contents go to another location.")
    lots = hold_lots(lots_at([location_id]) if move_to else ()).keys()
    places = {location_id, move_to} if move_to else {location_id}
    location = lock_locations(places, closed={location_id})[location_id]
    if move_to is not None:
        carry_contents(lots, source_id=location_id, target_id=move_to, now=now)
    count = InventoryItemLocation.objects.filter(location=location_id).count()
    if count:
        words = "1 lot lies" if count == 1 else f"{count:,} lots lie"
        raise Conflict(f"{words} at {location.code}. Say where they go first.", lots=count)
    code = location.code
    location.delete()
    return code


@transaction.atomic
def delete_unused_locations(*, location_ids: Sequence[UUID]) -> int:
    """Delete locations at which nothing lies; answer how many. Raises ProtectedError where something does."""
    return bulk.bulk_delete(Location.objects.filter(pk__in=location_ids))


@transaction.atomic
def generate_locations(
    *, first: str, last: str, capacity: int | None = None, codes: Sequence[str] | None = None
) -> tuple[int, int]:
    """Make every location from the first to the last code that doesn't exist; answer how many, and how many existed.

    `codes`: instead of the range, exactly these. Raises Invalid.
    """
    try:
        wanted = list(dict.fromkeys(between(first, last) if codes is None else map(clean, codes)))
    except CodeError as error:
        raise Invalid(errors={"/last": [str(error)]}) from None
    _checked({"capacity": capacity})
    present = codes_present(wanted)
    new = [code for code in wanted if code.lower() not in present]
    if new:
        context.describe("inventory.generate_locations")
        bulk.bulk_create(Location, locations_of(new, capacity=capacity))
    return len(new), len(wanted) - len(new)


def locations_of(codes: Collection[str], *, capacity: int | None = None) -> Iterator[Location]:
    """Answer new locations, not saved yet, of clean codes that nobody has."""
    for code, key in zip(codes, new_ids(len(codes)), strict=True):
        parts = parts_of(code)
        yield Location(
            id=key,
            code=code,
            zone=parts.zone,
            aisle=parts.aisle,
            shelf=parts.shelf,
            bin=parts.bin,
            route_key=route_key(code=code, sort_order=0),
            capacity=capacity,
        )


@transaction.atomic
def set_route(*, location_ids: Sequence[UUID]) -> int:
    """Have the walk come by the locations in this order, before all that aren't named; answer how many moved."""
    order = [*dict.fromkeys(location_ids), *_route_without(location_ids)]
    return _number({key: place * STEP for place, key in enumerate(order, start=1)})


@transaction.atomic
def put_in_route(*, location_id: UUID, before: UUID | None) -> int:
    """Have the walk come by a location just before another one, or last of all; answer how many got a new number.

    Raises TooManyLots where the lots that lie at these are many: `start_put_in_route` does it in a worker. NotFound.
    """
    numbers = _numbers_for(location_id, before)
    if _lots_at(numbers) > _LOTS_AT_ONCE:
        raise TooManyLots
    return _number(numbers)


@transaction.atomic
def start_put_in_route(*, location_id: UUID, before: UUID | None) -> JobRun:
    """Do it in a worker."""
    arguments = {"location_id": str(location_id), "before": str(before) if before else None}
    return jobs.start(ROUTE_JOB, args=arguments)


@transaction.atomic
def number_route(*, location_id: UUID, before: UUID | None) -> list[UUID]:
    """Number the locations as `put_in_route` does, but leave their lots sorted as they were; answer the locations.

    `sort_lots` follows, a part at a time, so that nobody waits for the whole.
    """
    numbers = _numbers_for(location_id, before)
    _number(numbers, with_lots=False)
    return sorted(numbers)


@transaction.atomic
def sort_lots(*, location_ids: Sequence[UUID]) -> None:
    """Have the lots at the locations sorted by the walk as it is."""
    hold_lots(lots_at(location_ids))
    refresh_lots_at(location_ids)


def _numbers_for(location_id: UUID, before: UUID | None) -> dict[UUID, int]:
    """Answer the new numbers that put a location before another one in the walk."""
    rows = list(Location.objects.order_by("route_key", "id").values_list("pk", "sort_order"))
    own = next((number for key, number in rows if key == location_id), None)
    rest = [row for row in rows if row[0] != location_id]
    keys = [key for key, _ in rest]
    if own is None or (before is not None and before not in keys):
        raise NotFound("This location no longer exists.")
    place = len(rest) if before is None else keys.index(before)
    order = [*rest[:place], (location_id, own), *rest[place:]]
    return {order[at][0]: number for at, number in renumbered([number for _, number in order], place).items()}


def _lots_at(location_ids: Iterable[UUID]) -> int:
    return InventoryItemLocation.objects.filter(location__in=list(location_ids)).count()


def _route_without(location_ids: Sequence[UUID]) -> list[UUID]:
    ordered = Location.objects.order_by("route_key", "id").values_list("pk", flat=True)
    left = set(location_ids)
    return [key for key in ordered if key not in left]


def _number(numbers: Mapping[UUID, int], *, with_lots: bool = True) -> int:
    """Give the locations these numbers; answer how many had other ones."""
    context.describe("inventory.set_route")
    rows = (lock_with_lots if with_lots else lock_locations)(numbers.keys())
    changed = []
    for key, number in numbers.items():
        location = rows[key]
        if location.sort_order != number:
            location.sort_order = number
            location.route_key = route_key(code=location.code, sort_order=number)
            changed.append(location)
    count = bulk.bulk_update(Location, changed, fields=["sort_order", "route_key"])
    if with_lots:
        refresh_lots_at([location.pk for location in changed])
    return count
