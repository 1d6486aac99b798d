"""Which stops a session has: what its orders want of each lot, from which places, in the order of the walk."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Sum

from inventory.models import InventoryItem, InventoryItemLocation, Location
from inventory.services.stock import keep_locations_in_use
from orders.models import OrderLine
from picker import routing
from picker.choices import SessionStatus
from picker.models import PickingSetup, PickNeed, PickSession, PickSessionOrder, PickStop
from picker.queries.maps import StorageMap, current_setup, map_of


@dataclass(frozen=True, slots=True)
class Want:
    """So many pieces of a lot for an order line. Wants come in the order of their batch codes."""

    line_id: UUID
    lot_id: UUID
    qty: int


@dataclass(frozen=True, slots=True)
class PlannedStop:
    """A lot at a place, or without one, and how many pieces of it each line gets there."""

    lot_id: UUID
    location: Location | None
    shares: tuple[tuple[UUID, int], ...]


@dataclass(frozen=True, slots=True)
class Walk:
    """Stops in walking order, and how far that is; None where the map doesn't know all the places."""

    stops: tuple[PlannedStop, ...]
    metres: float | None


def wants_of(order_ids: Collection[UUID], *, codes: Mapping[UUID, int]) -> list[Want]:
    """Answer what is still to be picked for the orders. `codes`: the place of each order among the totes. One query."""
    lines = OrderLine.objects.filter(order__in=order_ids, inventory_item__isnull=False, qty_reserved__gt=0)
    rows = lines.values_list("pk", "order_id", "position", "inventory_item_id", "qty_reserved", "qty_picked")
    ordered = sorted(rows, key=lambda row: (codes[row[1]], row[2]))
    return [
        Want(line_id, lot_id, reserved - picked)
        for line_id, _order, _position, lot_id, reserved, picked in ordered
        if lot_id and reserved > picked
    ]


def plan(wants: Sequence[Want]) -> Walk:
    """Answer the walk for the wants. What walks that are under way still take from a place isn't there for this one.

    Eight queries at most.
    """
    wanted: dict[UUID, int] = defaultdict(int)
    for want in wants:
        wanted[want.lot_id] += want.qty
    heaps: dict[UUID, list[tuple[UUID, int]]] = {lot: [] for lot in wanted}
    places: dict[UUID, Location] = {}
    placed = InventoryItemLocation.objects.filter(inventory_item__in=wanted, qty__gt=0, location__is_active=True)
    spoken_for = _spoken_for(wanted)
    for row in placed.select_related("location").order_by("location__route_key", "location_id"):
        left = row.qty - spoken_for.get((row.inventory_item_id, row.location_id), 0)
        if left > 0:
            heaps[row.inventory_item_id].append((row.location_id, left))
            places[row.location_id] = row.location
    setup = current_setup()
    known = map_of(setup, set(places))
    stops = _shared(wants, _choose(wanted, heaps, places, known, setup), places)
    return _in_order(stops, known)


def _spoken_for(lot_ids: Collection[UUID]) -> dict[tuple[UUID, UUID], int]:
    """Answer how many pieces of the lots walks that are under way still take, by (lot, location)."""
    needs = PickNeed.objects.filter(
        stop__session__status=SessionStatus.ACTIVE, stop__inventory_item__in=lot_ids, stop__location__isnull=False
    )
    rows = needs.values_list("stop__inventory_item_id", "stop__location_id").annotate(
        left=Sum(F("qty") - F("qty_picked") - F("qty_missing"))
    )
    return {(lot, place): left for lot, place, left in rows.order_by() if place and left}


def _choose(
    wanted: Mapping[UUID, int], heaps: Mapping[UUID, list[tuple[UUID, int]]], places: Mapping[UUID, Location],
    known: StorageMap, setup: PickingSetup,
) -> dict[UUID, list[tuple[UUID | None, int]]]:  # fmt: skip
    """Answer from which places each lot is taken, as the shop prefers."""
    taken = routing.choose_places(
        [routing.Need(qty, heaps[lot]) for lot, qty in wanted.items()],
        {key: routing.Place(place.route_key, known.spots.get(key)) for key, place in places.items()},
        rule=routing.Rule(setup.where_from),
        ground=known.layout or known.depot,
    )
    return dict(zip(wanted, taken, strict=True))


def _shared(
    wants: Sequence[Want], chosen: Mapping[UUID, Sequence[tuple[UUID | None, int]]], places: Mapping[UUID, Location]
) -> list[PlannedStop]:
    """Hand the pieces of each lot's places out to its lines, in the order of their totes."""
    lines: dict[UUID, list[tuple[UUID, int]]] = defaultdict(list)
    for want in wants:
        lines[want.lot_id].append((want.line_id, want.qty))
    stops = []
    for lot_id, parts in chosen.items():
        waiting = iter(lines[lot_id])
        line_id, left = next(waiting)
        for place, qty in parts:
            shares, here = [], qty
            while here:
                if not left:
                    line_id, left = next(waiting)
                part = min(here, left)
                shares.append((line_id, part))
                here, left = here - part, left - part
            stops.append(PlannedStop(lot_id, places[place] if place else None, tuple(shares)))
    return stops


def _in_order(stops: Sequence[PlannedStop], known: StorageMap) -> Walk:
    """Answer the stops as one walks: what is on the map, other places in their natural order, what lies nowhere."""
    located = sorted((stop for stop in stops if stop.location), key=_natural)
    mapped = [stop for stop in located if stop.location and stop.location.pk in known.spots]
    others = [stop for stop in located if stop.location and stop.location.pk not in known.spots]
    metres = None
    ground = known.layout or known.depot
    if mapped and ground is not None:
        keys = list(dict.fromkeys(stop.location.pk for stop in mapped if stop.location))
        tour = routing.tour_on(ground, [known.spots[key] for key in keys])
        rank = {keys[index]: place for place, index in enumerate(tour.order)}
        mapped.sort(key=lambda stop: rank[stop.location.pk] if stop.location else 0)
        metres = None if others else tour.metres
    nowhere = [stop for stop in stops if stop.location is None]
    lots = InventoryItem.objects.in_bulk([stop.lot_id for stop in nowhere])
    nowhere.sort(key=lambda stop: _kind(lots.get(stop.lot_id)))
    return Walk((*mapped, *others, *nowhere), metres)


def _natural(stop: PlannedStop) -> tuple[str, str]:
    return (stop.location.route_key, str(stop.location.pk)) if stop.location else ("", "")


def _kind(lot: InventoryItem | None) -> tuple[str, str, str]:
    return (lot.item_type, lot.color_name, lot.item_no) if lot else ("", "", "")


# --- What is stored -------------------------------------------------------------------------------------------------
def plan_anew(session: PickSession) -> None:
    """Plan a held session's stops from nothing: nobody has begun. The caller counts and stores it."""
    old = list(session.stops.values_list("pk", flat=True))
    walk = plan(wants_of_session(session))
    write_stops(session, walk.stops, after=0)
    # Behind the places: whoever deletes one holds it before its stops.
    session.stops.filter(pk__in=old).delete()
    session.route_metres = None if walk.metres is None else round(walk.metres, 1)
    session.route_version += 1


def wants_of_session(session: PickSession) -> list[Want]:
    """Answer what the orders want that are in the session now. Two queries."""
    return wants_of(codes := codes_of(session), codes=codes)


def codes_of(session: PickSession) -> dict[UUID, int]:
    """Answer the orders that are in the session now, with the place of each among the totes."""
    entries = PickSessionOrder.objects.filter(session=session, left_at__isnull=True)
    return dict(entries.order_by("sort_order").values_list("order_id", "sort_order"))


def write_stops(session: PickSession, stops: Iterable[PlannedStop], *, after: int) -> list[PickStop]:
    """Store stops with their needs behind the position; answer them. A place that has gone by now is none."""
    rows, needs = [], []
    wanted = list(stops)
    kept = keep_locations_in_use({planned.location.pk for planned in wanted if planned.location})
    for position, planned in enumerate(wanted, start=after + 1):
        place = planned.location if planned.location and planned.location.pk in kept else None
        stop = PickStop(
            session=session, position=position, inventory_item_id=planned.lot_id, location=place,
            location_code=place.code if place else "", changed_in=session.version + 1,
        )  # fmt: skip
        rows.append(stop)
        needs += [PickNeed(stop=stop, order_line_id=line_id, qty=qty) for line_id, qty in planned.shares]
    PickStop.objects.bulk_create(rows)
    PickNeed.objects.bulk_create(needs)
    return rows
