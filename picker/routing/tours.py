"""Tours: the doors of this package."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from picker.routing.heuristics import best_round, round_length
from picker.routing.layouts import Aisles, Point, Spot, Tour, check, distance, door, free_distance
from picker.routing.programme import EXACT_BLOCKS, columns, exact, least, needs
from picker.routing.walking import visits


def tour(layout: Aisles, spots: Sequence[Spot]) -> Tour:
    """Answer a shortest closed walk from the depot over all spots.

    Proven to be a shortest one for up to five blocks (counted to the last one in which there is a spot). For more there
    would be too much to look at; the answer is then one that is never longer than twice a minimum spanning tree, and
    mostly within a percent of the shortest. Raises ValueError for a spot that isn't in the layout.
    """
    check(layout, spots)
    here: dict[Spot, list[int]] = {}
    for index, spot in enumerate(spots):
        here.setdefault(_plain(layout, spot), []).append(index)
    walk = _walk(layout, list(here))
    stops = [door(layout), *walk, door(layout)]
    metres = sum(distance(layout, one, other) for one, other in pairwise(stops))
    return Tour(tuple(index for spot in walk for index in here.get(spot, ())), metres)


def tour_length(layout: Aisles, spots: Iterable[Spot]) -> float:
    """Answer the length of such a walk alone, in metres: much faster, for many questions in a row."""
    spots = list(spots)
    check(layout, spots)
    line = columns(layout, needs(layout, spots))
    if len(line[0].stretches) <= EXACT_BLOCKS:
        return least(line)
    return tour(layout, spots).metres


def tour_free(depot: Point, points: Sequence[Point]) -> Tour:
    """Answer a short closed walk from the depot over all points.

    A shortest one for up to eleven different points; else never longer than twice a minimum spanning tree, and mostly
    within a few percent of the shortest.
    """
    here: dict[Point, list[int]] = {depot: []}
    for index, point in enumerate(points):
        here.setdefault(point, []).append(index)
    places = list(here)
    matrix = [[free_distance(one, other) for other in places] for one in places]
    order = best_round(matrix)
    return Tour(tuple(index for place in order for index in here[places[place]]), round_length(matrix, order))


def _plain(layout: Aisles, spot: Spot) -> Spot:
    """Answer the spot itself, or where it stands on a cross aisle the way in which `visits` says so."""
    if spot.block and not spot.offset:
        return Spot(spot.aisle, spot.block - 1, layout.length)
    return spot


def _walk(layout: Aisles, spots: list[Spot]) -> list[Spot]:
    line = columns(layout, needs(layout, spots))
    if len(line[0].stretches) <= EXACT_BLOCKS:
        return visits(layout, line, exact(line))
    places = list(dict.fromkeys([door(layout), *spots]))
    matrix = [[distance(layout, one, other) for other in places] for one in places]
    return [places[place] for place in best_round(matrix)]
