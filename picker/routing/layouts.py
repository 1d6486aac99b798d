"""Where things stand in a warehouse, and how far it is on foot. Metres throughout."""

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Aisles:
    """Parallel aisles, cut by cross aisles at 0, `length`, 2 · `length` … into `blocks`.

    `spacing` lies between neighboring aisles, `length` is an aisle's within one block. One starts and ends at the front
    cross aisle, before the aisle `depot`. Raises ValueError for what can't be built.
    """

    aisles: int
    blocks: int
    spacing: float
    length: float
    depot: int = 0

    def __post_init__(self) -> None:
        if self.aisles < 1 or self.blocks < 1:
            raise ValueError("a layout has at least one aisle and one block")
        if not (0 < self.spacing < math.inf and 0 < self.length < math.inf):
            raise ValueError("spacing and length are metres above zero")
        if not 0 <= self.depot < self.aisles:
            raise ValueError("the depot is before one of the aisles")


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in an aisle: `offset` metres behind its block's front."""

    aisle: int
    block: int
    offset: float


@dataclass(frozen=True, slots=True)
class Point:
    """A place, or the depot, in a layout that is coordinates only."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Tour:
    """A walk from the depot and back: `order` has the indexes of what is visited, in the order of visiting."""

    order: tuple[int, ...]
    metres: float


def door(layout: Aisles) -> Spot:
    """Answer where walks start and end."""
    return Spot(layout.depot, 0, 0.0)


def check(layout: Aisles, spots: Iterable[Spot]) -> None:
    """Raise ValueError if one of the spots isn't in the layout."""
    for spot in spots:
        inside = 0 <= spot.aisle < layout.aisles and 0 <= spot.block < layout.blocks
        if not (inside and 0 <= spot.offset <= layout.length):
            raise ValueError(f"{spot} is not in {layout}")


def distance(layout: Aisles, a: Spot, b: Spot) -> float:
    """Answer how far it is on foot: into another aisle through the nearest fitting cross aisle."""
    if a.aisle == b.aisle or a.block != b.block:
        # In different blocks there is a cross aisle on the way.
        along = abs((a.block - b.block) * layout.length + a.offset - b.offset)
    else:
        along = min(a.offset + b.offset, 2 * layout.length - a.offset - b.offset)
    return abs(a.aisle - b.aisle) * layout.spacing + along


def free_distance(a: Point, b: Point) -> float:
    """Answer how far apart two points are."""
    return math.hypot(a.x - b.x, a.y - b.y)
