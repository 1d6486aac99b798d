"""From how each stretch is walked to the order in which places are visited."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from picker.routing.layouts import Aisles, Spot
from picker.routing.programme import Column, Plan
from picker.routing.states import Way

# A crossing: (column, cross aisle, -1.0); something needed: (column, block, offset).
_Node = tuple[int, int, float]
_CROSSING = -1.0


def visits(layout: Aisles, line: Sequence[Column], plan: Plan) -> list[Spot]:
    """Answer what is needed, the depot too, in the order in which a walk by the plan first comes to it."""
    depot = next(place for place, column in enumerate(line) if column.aisle == layout.depot)
    ways: dict[_Node, list[_Node]] = defaultdict(list)
    for one, other, times in _walked(line, plan):
        for _ in range(times):
            ways[one].append(other)
            ways[other].append(one)
    seen: dict[_Node, None] = {}
    for node in _round((depot, 0, 0.0), ways):
        if node[2] != _CROSSING:
            seen[node] = None
    return [Spot(line[place].aisle, block, offset) for place, block, offset in seen]


def _walked(line: Sequence[Column], plan: Plan) -> Iterable[tuple[_Node, _Node, int]]:
    """Yield which neighboring nodes are joined, and by how many ways."""
    for place, column in enumerate(line):
        for cross, times in enumerate(plan.before[place]):
            yield (place - 1, cross, _CROSSING), (place, cross, _CROSSING), times
        for block, (way, stretch) in enumerate(zip(plan.ways[place], column.stretches, strict=True)):
            needed: list[_Node] = [(place, block, offset) for offset in stretch.offsets]
            nodes = [(place, block, _CROSSING), *needed, (place, block + 1, _CROSSING)]
            for step, times in enumerate(_times(way, stretch.offsets)):
                yield nodes[step], nodes[step + 1], times


def _times(way: Way, offsets: Sequence[float]) -> list[int]:
    """Answer how often each part of a stretch is walked: to the first offset, from there to the next, to the end."""
    parts = len(offsets) + 1
    if way in (Way.ONCE, Way.TWICE, Way.NOT):
        return [{Way.ONCE: 1, Way.TWICE: 2, Way.NOT: 0}[way]] * parts
    left_out = {Way.FRONT: parts - 1, Way.BACK: 0}.get(way, -1)
    if left_out < 0 and len(offsets) > 1:
        left_out = max(range(1, parts - 1), key=lambda part: offsets[part] - offsets[part - 1])
    return [0 if part == left_out else 2 for part in range(parts)]


def _round(start: _Node, ways: dict[_Node, list[_Node]]) -> list[_Node]:
    """Answer a round that takes each way once (Hierholzer); uses the ways up."""
    path, done = [start], []
    while path:
        node = path[-1]
        if ways[node]:
            following = ways[node].pop()
            ways[following].remove(node)
            path.append(following)
        else:
            done.append(path.pop())
    return done[::-1]
