"""The storage drawn from above: aisles, places, and the walk through them. Pure; its units are those of the drawing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from picker.routing import Aisles, Point, Spot

At = tuple[float, float]

# As wide as a phone; taller only where there is much to show.
_WIDTH, _HEIGHT, _EDGE, _HEAD = 340.0, 200.0, 18.0, 16.0
_WIDEST_GAP = 56.0
_RAIL, _RAIL_SHARE = 10.0, 0.6
# A letter is about so wide.
_LETTER = 5.6


@dataclass(frozen=True, slots=True)
class Label:
    """A word beside what it names."""

    x: float
    y: float
    text: str
    # It begins there, instead of being in the middle of it.
    is_side: bool = False


@dataclass(frozen=True, slots=True)
class Rail:
    """An aisle within one block."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> float:
        """Answer where its left edge is drawn."""
        return round(self.x - self.width / 2, 2)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is drawn. `way` and `grid` are SVG paths, the way from the start and back.

    `scale` units are a metre of a free layout, whose corner at 0, 0 is at `origin`.
    """

    width: float
    height: float
    rails: tuple[Rail, ...]
    grid: tuple[str, ...]
    labels: tuple[Label, ...]
    dots: tuple[At, ...]
    stops: tuple[At, ...]
    way: str
    depot: At
    scale: float = 0
    origin: At = (0, 0)


def _rounded(at: At) -> At:
    return round(at[0], 1), round(at[1], 1)


def _path(points: Sequence[At]) -> str:
    return "".join(f"{'L' if place else 'M'}{x:g} {y:g}" for place, (x, y) in enumerate(map(_rounded, points)))


# --- Parallel aisles ------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Drawn:
    """Parallel aisles on the paper, the front below. Not to scale: aisles are drawn as far apart as there is room."""

    layout: Aisles
    gap: float
    per_metre: float

    @classmethod
    def of(cls, layout: Aisles) -> "_Drawn":
        gap = min(_WIDEST_GAP, (_WIDTH - 2 * _EDGE) / max(1, layout.aisles - 1))
        return cls(layout, gap, (_HEIGHT - 2 * _EDGE - _HEAD) / (layout.blocks * layout.length))

    def along(self, spot: Spot) -> float:
        """Answer how far from the front a spot is, in metres."""
        return spot.block * self.layout.length + spot.offset

    def at(self, aisle: int, along: float) -> At:
        """Answer where a point of an aisle is drawn."""
        return _EDGE + aisle * self.gap, _HEIGHT - _EDGE - along * self.per_metre

    def between(self, start: Spot, end: Spot) -> list[At]:
        """Answer the corners of a shortest way from spot to spot, without the start."""
        here, there = self.along(start), self.along(end)
        if start.aisle == end.aisle:
            return [self.at(end.aisle, there)]
        crossings = [number * self.layout.length for number in range(self.layout.blocks + 1)]
        cross = min(crossings, key=lambda crossing: abs(here - crossing) + abs(there - crossing))
        return [self.at(start.aisle, cross), self.at(end.aisle, cross), self.at(end.aisle, there)]


def plan_of_aisles(layout: Aisles, *, names: Sequence[str], places: Iterable[Spot], stops: Sequence[Spot] = ()) -> Plan:
    """Answer the plan of parallel aisles. `names`: of each aisle; `stops`: what is walked, in that order."""
    drawn = _Drawn.of(layout)
    depot = Spot(aisle=layout.depot, block=0, offset=0)
    way = [drawn.at(depot.aisle, 0)]
    for here, there in zip((depot, *stops), (*stops, depot), strict=True):
        way += drawn.between(here, there)
    height = layout.length * drawn.per_metre
    rail = min(_RAIL, drawn.gap * _RAIL_SHARE)
    rails = [
        Rail(*_rounded(drawn.at(aisle, (block + 1) * layout.length)), round(rail, 2), round(height, 1))
        for aisle in range(layout.aisles)
        for block in range(layout.blocks)
    ]
    top = drawn.at(0, layout.blocks * layout.length)[1] - 6
    every = max(1, ceil((_LETTER * max(map(len, names), default=0) + 4) / drawn.gap))
    return Plan(
        width=_WIDTH, height=_HEIGHT, rails=tuple(rails),
        grid=tuple(
            _path([drawn.at(0, row * layout.length), drawn.at(layout.aisles - 1, row * layout.length)])
            for row in range(layout.blocks + 1)
        ),
        labels=tuple(
            Label(round(drawn.at(aisle, 0)[0], 1), round(top, 1), name)
            for aisle, name in enumerate(names)
            if aisle % every == 0
        ),
        dots=tuple(sorted({_rounded(drawn.at(spot.aisle, drawn.along(spot))) for spot in places})),
        stops=tuple(_rounded(drawn.at(spot.aisle, drawn.along(spot))) for spot in stops),
        way=_path(way) if stops else "", depot=_rounded(drawn.at(depot.aisle, 0)),
    )  # fmt: skip


# --- Free layouts ---------------------------------------------------------------------------------------------------
# Lines of the grid stand so many metres apart, whichever leaves them readable.
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200)
_LEAST_GAP = 34.0
# There is always some floor left beside what is on it.
_WIDE, _DEEP, _MARGIN = 10.0, 6.0, 1.08


def plan_of_points(depot: Point, *, places: Sequence[Point], stops: Sequence[Point] = ()) -> Plan:
    """Answer the plan of a free layout, to scale, with the left front corner below on the left."""
    everything = [depot, *places]
    low_x, low_y = min(0.0, *(at.x for at in everything)), min(0.0, *(at.y for at in everything))
    wide = max(_WIDE, *((at.x - low_x) * _MARGIN for at in everything))
    deep = max(_DEEP, *((at.y - low_y) * _MARGIN for at in everything))
    scale = min((_WIDTH - 2 * _EDGE) / wide, 300 / deep)
    height = deep * scale + 2 * _EDGE

    def drawn(at: Point) -> At:
        return _EDGE + (at.x - low_x) * scale, height - _EDGE - (at.y - low_y) * scale

    walked = [drawn(at) for at in (depot, *stops, depot)]
    step = next((step for step in _STEPS if step * scale >= _LEAST_GAP), _STEPS[-1])
    columns = [low_x + step * place for place in range(int(wide / step) + 1)]
    rows = [low_y + step * place for place in range(int(deep / step) + 1)]
    grid = [_path([drawn(Point(x, low_y)), drawn(Point(x, low_y + deep))]) for x in columns]
    grid += [_path([drawn(Point(low_x, y)), drawn(Point(low_x + wide, y))]) for y in rows]
    labels = [Label(*_rounded((drawn(Point(x, low_y))[0], height - 5)), f"{x:g} m") for x in columns[1:]]
    labels += [Label(*_rounded((1, drawn(Point(low_x, y))[1] + 3)), f"{y:g}", is_side=True) for y in rows[1:]]
    return Plan(
        width=_WIDTH, height=round(height, 1), rails=(), grid=tuple(grid), labels=tuple(labels),
        dots=tuple(sorted({_rounded(drawn(at)) for at in places})), stops=tuple(_rounded(drawn(at)) for at in stops),
        way=_path(walked) if stops else "", depot=_rounded(drawn(depot)), scale=round(scale, 3),
        origin=_rounded(drawn(Point(0, 0))),
    )  # fmt: skip
