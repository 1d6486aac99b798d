"""Where the places of the storage are, for routes: in which aisle and how far down it, or at which point."""

from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass
from uuid import UUID

from inventory.models import Location
from inventory.naturals import natural_key
from picker.choices import Layout
from picker.models import MapPoint, PickingSetup
from picker.routing import Aisles, Point, Spot

# A zone and an aisle in it, as locations name them.
Aisle = tuple[str, str]
# And a shelf in that.
Shelf = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class StorageMap:
    """A shop's map, and where those locations are on it that were asked for; the others are nowhere.

    Parallel aisles have a `layout`, and `spots` are Spots in it. Free layouts have none: `depot` is where a walk begins
    and ends, and `spots` are Points. Without a map all is empty. Metres everywhere.
    """

    layout: Aisles | None
    depot: Point | None
    spots: Mapping[UUID, Spot | Point]

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing that was asked for is on the map."""
        return not self.spots


_NOWHERE = StorageMap(layout=None, depot=None, spots={})


def current_setup() -> PickingSetup:
    """Answer how the shop picks; what nobody has stored yet is as a new shop has it, and not saved."""
    return PickingSetup.objects.first() or PickingSetup()


def storage_map(location_ids: Collection[UUID]) -> StorageMap:
    """Answer where the locations are on the shop's map, in at most three queries."""
    return map_of(current_setup(), location_ids)


def map_of(
    setup: PickingSetup, location_ids: Collection[UUID], *, points: Mapping[UUID, Point] | None = None
) -> StorageMap:
    """Answer where the locations are on the map that the settings describe, saved or not.

    `points`: where places of a free layout are, instead of where they are stored to be.
    """
    match setup.layout:
        case Layout.AISLES if setup.aisles:
            return StorageMap(layout_of(setup), None, _in_aisles(setup, location_ids))
        case Layout.FREE:
            depot = Point(float(setup.depot_x), float(setup.depot_y))
            placed = _points(location_ids) if points is None else points
            return StorageMap(None, depot, {key: placed[key] for key in location_ids if key in placed})
    return _NOWHERE


def layout_of(setup: PickingSetup) -> Aisles:
    """Answer the parallel aisles that the settings describe."""
    return Aisles(
        aisles=len(setup.aisles), blocks=setup.blocks, spacing=float(setup.spacing), length=float(setup.length),
        depot=setup.depot_aisle,
    )  # fmt: skip


def aisles_of(setup: PickingSetup) -> list[Aisle]:
    """Answer the aisles of the map by zone and name, as they stand beside each other."""
    return [(named["zone"], named["aisle"]) for named in setup.aisles]


def aisle_label(zone: str, aisle: str) -> str:
    """Answer how an aisle is called: zone A, aisle 1."""
    return ", ".join([*([f"zone {zone}"] if zone else []), *([f"aisle {aisle}"] if aisle else [])]) or "no zone"


def _points(location_ids: Collection[UUID]) -> dict[UUID, Point]:
    rows = MapPoint.objects.filter(location__in=location_ids).values_list("location", "x", "y")
    return {key: Point(float(x), float(y)) for key, x, y in rows}


def aisle_on(aisles: Container[Aisle], zone: str, aisle: str) -> Aisle | None:
    """Answer in which of the map's aisles a place is: in its own, or in its zone where that is one aisle as a whole."""
    return next((named for named in ((zone, aisle), (zone, "")) if named in aisles), None)


def _in_aisles(setup: PickingSetup, location_ids: Collection[UUID]) -> dict[UUID, Spot]:
    rows = Location.objects.filter(pk__in=location_ids).values_list("pk", "zone", "aisle", "shelf")
    found = [(key, (zone, aisle, shelf)) for key, zone, aisle, shelf in rows]
    spots = shelf_spots(setup, zones={shelf[0] for _key, shelf in found})
    return {key: spots[shelf] for key, shelf in found if shelf in spots}


def shelf_spots(setup: PickingSetup, *, zones: Collection[str] | None = None) -> dict[Shelf, Spot]:
    """Answer where each shelf of the map's aisles is: in their natural order they lie evenly along their aisle.

    In a zone that is one aisle as a whole that is the order of its aisles, such as cabinets, whose shelves lie above
    each other. `zones`: of these. One query.
    """
    number_of = {aisle: number for number, aisle in enumerate(aisles_of(setup))}
    wanted = {zone for zone, _aisle in number_of if zones is None or zone in zones}
    members: dict[Aisle, list[Shelf]] = {aisle: [] for aisle in number_of}
    rows = Location.objects.filter(zone__in=wanted).order_by().values_list("zone", "aisle", "shelf").distinct()
    for shelf in rows:
        if (named := aisle_on(number_of, *shelf[:2])) is not None:
            members[named].append(shelf)
    spots = {}
    for named, shelves in members.items():
        is_whole_zone = any(aisle != named[1] for _zone, aisle, _shelf in shelves)
        names = {shelf: shelf[1] if is_whole_zone else shelf[2] for shelf in shelves}
        ranks = {name: rank for rank, name in enumerate(sorted(set(names.values()), key=natural_key))}
        for shelf, name in names.items():
            spots[shelf] = _spot(setup, number_of[named], ranks[name], len(ranks))
    return spots


def _spot(setup: PickingSetup, aisle: int, rank: int, count: int) -> Spot:
    length = float(setup.length)
    along = (rank + 0.5) / count * setup.blocks * length
    block = min(int(along // length), setup.blocks - 1)
    return Spot(aisle=aisle, block=block, offset=along - block * length)
