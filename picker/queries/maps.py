"""Where the places of the storage are, for routes: in which aisle and how far down it, or at which point."""

from collections.abc import Collection, Mapping
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


def _in_aisles(setup: PickingSetup, location_ids: Collection[UUID]) -> dict[UUID, Spot]:
    rows = Location.objects.filter(pk__in=location_ids).values_list("pk", "zone", "aisle", "shelf")
    found = [(key, (zone, aisle, shelf)) for key, zone, aisle, shelf in rows]
    spots = shelf_spots(setup, only={shelf[:2] for _key, shelf in found})
    return {key: spots[shelf] for key, shelf in found if shelf in spots}


def shelf_spots(setup: PickingSetup, *, only: Collection[Aisle] | None = None) -> dict[Shelf, Spot]:
    """Answer where each shelf of the map's aisles is: in their natural order they lie evenly along their aisle.

    `only`: of these aisles. One query.
    """
    number_of = {aisle: number for number, aisle in enumerate(aisles_of(setup)) if only is None or aisle in only}
    shelves: dict[Aisle, list[str]] = {aisle: [] for aisle in number_of}
    rows = Location.objects.filter(aisle__in={aisle for _zone, aisle in number_of}).order_by()
    for zone, aisle, shelf in rows.values_list("zone", "aisle", "shelf").distinct():
        if (zone, aisle) in shelves:
            shelves[zone, aisle].append(shelf)
    return {
        (*aisle, shelf): _spot(setup, number_of[aisle], rank, len(names))
        for aisle, names in shelves.items()
        for rank, shelf in enumerate(sorted(names, key=natural_key))
    }


def _spot(setup: PickingSetup, aisle: int, rank: int, count: int) -> Spot:
    length = float(setup.length)
    along = (rank + 0.5) / count * setup.blocks * length
    block = min(int(along // length), setup.blocks - 1)
    return Spot(aisle=aisle, block=block, offset=along - block * length)
