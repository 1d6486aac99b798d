"""Either kind of map, asked alike: aisles, or the depot of a layout that is coordinates only."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

from picker.routing.layouts import Aisles, Point, Spot, Tour, distance, door, free_distance
from picker.routing.tours import tour, tour_free, tour_length

Ground = Aisles | Point
Where = Spot | Point
_Kind = TypeVar("_Kind", Spot, Point)


def start(ground: Ground) -> Where:
    """Answer where walks start and end."""
    return door(ground) if isinstance(ground, Aisles) else ground


def far(ground: Ground) -> Callable[[Where, Where], float]:
    """Answer a function that says how far two places are apart, in metres."""
    between: Callable[..., float] = partial(distance, ground) if isinstance(ground, Aisles) else free_distance
    return between


def tour_on(ground: Ground, places: Sequence[Where]) -> Tour:
    """Answer a short closed walk over all places; ValueError if one of them isn't on that map."""
    if isinstance(ground, Aisles):
        return tour(ground, _all(Spot, places))
    return tour_free(ground, _all(Point, places))


def length_on(ground: Ground, places: Iterable[Where]) -> float:
    """Answer its length alone, in metres."""
    if isinstance(ground, Aisles):
        return tour_length(ground, _all(Spot, places))
    return tour_free(ground, _all(Point, places)).metres


def _all(kind: type[_Kind], places: Iterable[Where]) -> list[_Kind]:
    found = []
    for place in places:
        if not isinstance(place, kind):
            raise ValueError(f"{place} is not on this kind of map")
        found.append(place)
    return found
