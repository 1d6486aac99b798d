"""The dynamic programme over aisles: how each stretch of a shortest tour is walked."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from picker.routing.layouts import Aisles, Spot
from picker.routing.states import FULL, Machine, State, Step, Values, Way, machine

# With more blocks there are too many states to look at all of them in a fraction of a second.
EXACT_BLOCKS = 5


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is needed of an aisle within one block, front to back, and what its ways cost in metres."""

    offsets: tuple[float, ...]
    costs: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """An aisle in which something is needed, or before which the depot is; `gap` metres from the one before."""

    aisle: int
    gap: float
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a tour is walked: of each column the way through each block, and how often each cross aisle before it."""

    ways: tuple[tuple[Way, ...], ...]
    before: tuple[tuple[int, ...], ...]


@lru_cache(maxsize=20_000)
def _stretch(offsets: tuple[float, ...], length: float) -> Stretch:
    if not offsets:
        return Stretch((), (math.inf, math.inf, math.inf, length, 2 * length, math.inf, 0.0))
    front, back = 2 * offsets[-1], 2 * (length - offsets[0])
    gap = 2 * (length - max((b - a for a, b in pairwise(offsets)), default=0.0))
    return Stretch(offsets, (front, back, gap, length, 2 * length, min(front, back, gap), math.inf))


def needs(layout: Aisles, spots: Iterable[Spot]) -> dict[tuple[int, int], frozenset[float]]:
    """Answer the offsets that are needed, by aisle and block; what stands on a cross aisle counts to the front."""
    found: dict[tuple[int, int], set[float]] = {(layout.depot, 0): {0.0}}
    for spot in spots:
        block, offset = spot.block, spot.offset
        if block and not offset:
            block, offset = block - 1, layout.length
        found.setdefault((spot.aisle, block), set()).add(offset)
    return {key: frozenset(offsets) for key, offsets in found.items()}


def columns(layout: Aisles, needed: Mapping[tuple[int, int], Iterable[float]]) -> list[Column]:
    """Answer the aisles that matter, left to right, with as many blocks as anything is needed in.

    Nobody needs to change cross aisles in an aisle where nothing is needed (the way could be moved to one of its
    neighbors that costs no more), nor to go further back than the last thing needed.
    """
    blocks = 1 + max(block for _, block in needed)
    made: list[Column] = []
    for aisle in sorted({aisle for aisle, _ in needed}):
        stretches = tuple(
            _stretch(tuple(sorted(needed.get((aisle, block), ()))), layout.length) for block in range(blocks)
        )
        made.append(Column(aisle, (aisle - made[-1].aisle) * layout.spacing if made else 0.0, stretches))
    return made


def _offers(values: Values, step: Step, costs: tuple[float, ...]) -> Values:
    """Answer what each state comes to by each way, with infinity at the end for what has no source."""
    offers: Values = []
    for way in step.ways:
        cost = costs[way]
        offers += [value + cost for value in values]
    offers.append(math.inf)
    return offers


def _steps(known: Machine, column: Column) -> list[tuple[Step, tuple[float, ...]]]:
    return [
        ((known.full if stretch.offsets else known.empty)[block], stretch.costs)
        for block, stretch in enumerate(column.stretches)
    ]


def _crossing_costs(known: Machine, gap: float) -> Values:
    return [gap * times for times in known.crossings]


def least(line: list[Column]) -> float:
    """Answer the length of a shortest tour, in metres, for up to `EXACT_BLOCKS` blocks."""
    known = machine(len(line[0].stretches))
    values = [0.0] + [math.inf] * (len(known.states) - 1)
    for place, column in enumerate(line):
        if place:
            values.append(math.inf)
            costs = _crossing_costs(known, column.gap)
            values = [value + cost for value, cost in zip(known.across.least(values), costs, strict=True)]
        for step, costs_of_ways in _steps(known, column):
            values = step.least(_offers(values, step, costs_of_ways))
    return min(values[place] for place in known.complete)


def exact(line: list[Column]) -> Plan:
    """Answer a shortest tour, for up to `EXACT_BLOCKS` blocks."""
    known = machine(len(line[0].stretches))
    size = len(known.states)
    values = [0.0] + [math.inf] * (size - 1)
    trail: list[tuple[Step, Values]] = []
    for place, column in enumerate(line):
        if place:
            trail.append((known.across, [*values, math.inf]))
            costs = _crossing_costs(known, column.gap)
            values = [value + cost for value, cost in zip(known.across.least(trail[-1][1]), costs, strict=True)]
        for step, costs_of_ways in _steps(known, column):
            trail.append((step, _offers(values, step, costs_of_ways)))
            values = step.least(trail[-1][1])
    at = min(known.complete, key=values.__getitem__)
    done = []
    for step, offers in reversed(trail):
        source = min(step.sources[at], key=offers.__getitem__)
        done.append((known.states[at], step.ways[source // size]))
        at = source % size
    return _plan(line, done[::-1])


def _plan(line: list[Column], done: list[tuple[State, Way]]) -> Plan:
    blocks = len(line[0].stretches)
    ways_of, before = [], [(0,) * (blocks + 1)]
    steps = iter(done)
    for place, column in enumerate(line):
        if place:
            state, _ = next(steps)
            before.append(tuple(label and (label & 1 or 2) for label in state))
        chosen = [next(steps)[1] for _ in range(blocks)]
        ways_of.append(tuple(_told(way, stretch.costs) for way, stretch in zip(chosen, column.stretches, strict=True)))
    return Plan(tuple(ways_of), tuple(before))


def _told(way: Way, costs: tuple[float, ...]) -> Way:
    return min(FULL[:3], key=costs.__getitem__) if way is Way.LEAST else way
