"""What a map looks like, and how far a walk on it is: of the last session's places, or of a sample."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from django.db.models import Count

from inventory.models import Location
from inventory.naturals import natural_key
from picker.choices import Layout
from picker.models import MapPoint, PickingSetup, PickSession, PickStop
from picker.plan import Plan, plan_of_aisles, plan_of_points
from picker.queries.maps import Aisle, StorageMap, aisle_on, aisles_of, map_of, shelf_spots
from picker.routing import Point, Spot, Where, tour_on
from picker.routing.grounds import far, start

# So many places are walked where no session has been yet, and where one has had very many.
_SAMPLE, _MOST = 16, 60
_FEWEST = 3
_GOLDEN = 0.618


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk through some places, and how far it would be in the order of the locations. Metres."""

    words: str
    places: int
    metres: float
    by_code_metres: float

    @property
    def saved_percent(self) -> float:
        """Answer how much shorter the walk is than by code."""
        return 100 * (1 - self.metres / self.by_code_metres) if self.by_code_metres else 0.0


@dataclass(frozen=True, slots=True)
class Preview:
    """A map as it is drawn, with a walk where anything is on it; `nowhere` locations aren't."""

    plan: Plan | None
    walk: Walk | None
    placed: int
    nowhere: int


def preview_of(setup: PickingSetup, *, points: Mapping[UUID, Point] | None = None) -> Preview:
    """Answer what the settings look like, saved or not. `points`: of a free layout, instead of the stored ones."""
    if setup.layout == Layout.NONE or (setup.layout == Layout.AISLES and not setup.aisles):
        return Preview(None, None, 0, 0)
    if setup.layout == Layout.FREE and points is None:
        points = {key: Point(float(x), float(y)) for key, x, y in MapPoint.objects.values_list("location", "x", "y")}
    route = list(Location.objects.order_by("route_key", "id").values_list("pk", "zone", "aisle"))
    on_map = _on_map(setup, route, points)
    words, chosen = _walked(on_map)
    found = map_of(setup, chosen, points=points)
    stops = [found.spots[key] for key in chosen if key in found.spots]
    walk, order = _walk(found, stops, words)
    plan = _plan(setup, found, [stops[place] for place in order], points or {})
    return Preview(plan, walk, placed=len(on_map), nowhere=len(route) - len(on_map))


def _on_map(
    setup: PickingSetup, route: Sequence[tuple[UUID, str, str]], points: Mapping[UUID, Point] | None
) -> list[UUID]:
    """Answer the locations that are on the map, in the order of the locations."""
    if setup.layout == Layout.AISLES:
        aisles = set(aisles_of(setup))
        return [key for key, zone, aisle in route if aisle_on(aisles, zone, aisle)]
    return [key for key, _zone, _aisle in route if points and key in points]


def _walked(on_map: Sequence[UUID]) -> tuple[str, list[UUID]]:
    """Answer which places are walked for show, in the order of the locations, and what they are."""
    last = PickSession.objects.filter(stops__location__isnull=False).order_by("-number").first()
    if last is not None:
        there = set(PickStop.objects.filter(session=last).values_list("location", flat=True))
        if len(visited := [key for key in on_map if key in there]) >= _FEWEST:
            return f"Session {last.number}", _thinned(visited, _MOST)
    chosen = _thinned(on_map, _SAMPLE)
    return f"A walk to {len(chosen)} places", chosen


def _thinned(keys: Sequence[UUID], most: int) -> list[UUID]:
    """Answer some of them, here and there along the way: equal steps would meet the same shelf of each aisle."""
    if len(keys) <= most:
        return list(keys)
    step = len(keys) / most
    return [keys[int((place + place * _GOLDEN % 1) * step)] for place in range(most)]


def _walk(found: StorageMap, stops: Sequence[Where], words: str) -> tuple[Walk | None, Sequence[int]]:
    ground = found.layout or found.depot
    if not stops or ground is None:
        return None, ()
    best, between = tour_on(ground, stops), far(ground)
    by_code = sum(between(here, there) for here, there in pairwise([start(ground), *stops, start(ground)]))
    return Walk(words, len(stops), best.metres, by_code), best.order


def _plan(setup: PickingSetup, found: StorageMap, stops: Sequence[Where], points: Mapping[UUID, Point]) -> Plan | None:
    if found.layout is not None:
        names = [f"{zone} {aisle}".strip() or "–" for zone, aisle in aisles_of(setup)]
        walked = [spot for spot in stops if isinstance(spot, Spot)]
        return plan_of_aisles(found.layout, names=names, places=shelf_spots(setup).values(), stops=walked)
    depot = Point(float(setup.depot_x), float(setup.depot_y))
    at = [point for point in stops if isinstance(point, Point)]
    return plan_of_points(depot, places=list(points.values()), stops=at)


# --- What can be put on a map ---------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class AisleRow:
    """An aisle that locations name, and how many of them lie in it.

    `is_zone`: it is a zone with all its aisles, for those whose cabinets stand along one way.
    """

    zone: str
    aisle: str
    places: int
    is_zone: bool = False


def aisles_found() -> dict[Aisle, AisleRow]:
    """Answer the aisles that locations name, in their natural order, each zone of several before its own. One query."""
    rows = Location.objects.order_by().values_list("zone", "aisle").annotate(places=Count("pk"))
    found = {(zone, aisle): AisleRow(zone, aisle, places) for zone, aisle, places in rows}
    of_zone: dict[str, list[AisleRow]] = {}
    for row in found.values():
        of_zone.setdefault(row.zone, []).append(row)
    for zone, members in of_zone.items():
        if zone and len(members) > 1:
            found[zone, ""] = AisleRow(zone, "", sum(row.places for row in members), is_zone=True)
    return dict(sorted(found.items(), key=lambda one: (natural_key(one[0][0]), natural_key(one[0][1]))))


def unplaced_codes(placed: Collection[UUID] | None = None, *, limit: int = 200) -> list[str]:
    """Answer the codes of locations that are nowhere on a free layout, in their order.

    `placed`: those that are on it, instead of the stored ones.
    """
    free = Location.objects.filter(is_active=True)
    free = free.filter(map_point__isnull=True) if placed is None else free.exclude(pk__in=placed)
    rows = free.order_by("route_key", "id")
    return list(rows.values_list("code", flat=True)[:limit])
