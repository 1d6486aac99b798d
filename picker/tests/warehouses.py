"""Generated warehouses, how people walk them, and what is proven about them: for tests, and for the benchmark."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import combinations, pairwise
from random import Random
from typing import TypeVar

from picker.routing import Aisles, Spot, distance, tour_length

Where = TypeVar("Where")


def seeded(seed: int | str) -> Random:
    """Answer dice that fall the same way each time."""
    return Random(seed)  # noqa: S311  # nothing secret


def generated_layout(dice: Random, *, aisles: int, blocks: int) -> Aisles:
    """Answer a layout with so many aisles and blocks."""
    spacing, length = dice.choice([2.5, 3.0, 4.0, 5.0]), dice.choice([12.0, 16.0, 20.0, 30.0])
    return Aisles(aisles, blocks, spacing, length, dice.choice([0, 0, aisles // 2]))


def generated_spots(dice: Random, layout: Aisles, count: int, *, skewed: bool = False) -> list[Spot]:
    """Answer so many spots at whole metres, the ends of aisles included; skewed: most are in few aisles."""
    aisles = list(range(layout.aisles))
    weights = [1 / (1 + aisle) if skewed else 1.0 for aisle in aisles]
    return [
        Spot(aisle, dice.randrange(layout.blocks), float(dice.randint(0, int(layout.length))))
        for aisle in dice.choices(aisles, weights, k=count)
    ]


def walked(layout: Aisles, spots: Sequence[Spot], order: Iterable[int]) -> float:
    """Answer how long a closed walk in that order is."""
    door = Spot(layout.depot, 0, 0.0)
    return sum(distance(layout, a, b) for a, b in pairwise([door, *(spots[index] for index in order), door]))


def shortest(start: Where, places: Sequence[Where], far: Callable[[Where, Where], float]) -> float:
    """Answer the length of the shortest closed walk, by looking at all of them."""
    places = sorted(set(places), key=repr)

    @cache
    def back(last: Where, left: int) -> float:
        if not left:
            return far(last, start)
        options = [(place, left & ~(1 << bit)) for bit, place in enumerate(places) if left & 1 << bit]
        return min(far(last, place) + back(place, rest) for place, rest in options)

    return back(start, (1 << len(places)) - 1)


def s_shape(spots: Sequence[Spot]) -> list[int]:
    """Answer the order of who walks through each aisle in which there is something, block by block."""
    order: list[int] = []
    for block in sorted({spot.block for spot in spots}):
        for turn, aisle in enumerate(sorted({spot.aisle for spot in spots if spot.block == block})):
            order += sorted(_in(spots, aisle, block), key=lambda index: spots[index].offset, reverse=turn % 2 == 1)
    return order


def largest_gap(layout: Aisles, spots: Sequence[Spot]) -> list[int]:
    """Answer the order of who goes into each aisle from both ends as far as its largest gap, block by block."""
    order: list[int] = []
    for block in sorted({spot.block for spot in spots}):
        aisles = sorted({spot.aisle for spot in spots if spot.block == block})
        from_front: list[int] = []
        for aisle in aisles:
            ascending = sorted(_in(spots, aisle, block), key=lambda index: spots[index].offset)
            edges = [0.0, *(spots[index].offset for index in ascending), layout.length]
            cut = max(range(len(edges) - 1), key=lambda place: edges[place + 1] - edges[place])
            if aisle == aisles[0]:
                order += ascending
            elif aisle == aisles[-1]:
                order += ascending[::-1]
            else:
                order += ascending[cut:][::-1]
                from_front = ascending[:cut] + from_front
        order += from_front
    return order


def _in(spots: Sequence[Spot], aisle: int, block: int) -> list[int]:
    return [index for index, spot in enumerate(spots) if (spot.aisle, spot.block) == (aisle, block)]


def nearest_and_two_opt(layout: Aisles, spots: Sequence[Spot]) -> list[int]:
    """Answer the order of who goes to the nearest spot each time, with crossings taken out."""
    places = [*spots, Spot(layout.depot, 0, 0.0)]
    far = [[distance(layout, a, b) for b in places] for a in places]
    tour, left = [len(spots)], set(range(len(spots)))
    while left:
        tour.append(min(left, key=lambda index: (far[tour[-1]][index], index)))
        left.discard(tour[-1])
    tour.append(tour[0])
    better = True
    while better:
        better = False
        for first in range(len(tour) - 3):
            for last in range(first + 2, len(tour) - 1):
                a, b, c, d = tour[first], tour[first + 1], tour[last], tour[last + 1]
                if far[a][c] + far[b][d] < far[a][b] + far[c][d] - 1e-9:
                    tour[first + 1 : last + 1] = tour[first + 1 : last + 1][::-1]
                    better = True
    return tour[1:-1]


def generated_orders(dice: Random, layout: Aisles, count: int) -> list[list[Spot]]:
    """Answer the spots of so many orders: most are small, and most spots are in few aisles."""
    return [generated_spots(dice, layout, min(9, 1 + int(dice.expovariate(0.3))), skewed=True) for _ in range(count)]


def best_grouping(layout: Aisles, orders: Sequence[Sequence[Spot]], capacity: int) -> float:
    """Answer the metres of the best groups of at most so many orders, by looking at all groupings."""
    length = _lengths(layout, orders)

    def least(groups: Sequence[frozenset[int]], left: Sequence[int]) -> float:
        if not left:
            return sum(map(length, groups))
        order, *others = left
        options = [(*groups, frozenset([order]))]
        for place, group in enumerate(groups):
            if len(group) < capacity:
                options.append((*groups[:place], group | {order}, *groups[place + 1 :]))
        return min(least(option, others) for option in options)

    return least((), range(len(orders)))


def by_savings(layout: Aisles, orders: Sequence[Sequence[Spot]], capacity: int) -> float:
    """Answer the metres of Clarke & Wright's groups, recomputed after each merger, with shortest tours."""
    length = _lengths(layout, orders)
    groups = [frozenset([order]) for order in range(len(orders))]
    while True:
        options = [
            (length(one) + length(other) - length(one | other), one, other)
            for one, other in combinations(groups, 2)
            if len(one | other) <= capacity
        ]
        saved, first, second = max(options, key=lambda option: option[0], default=(0.0, frozenset(), frozenset()))
        if saved <= 1e-9:
            return sum(map(length, groups))
        groups = [group for group in groups if group not in (first, second)] + [first | second]


def _lengths(layout: Aisles, orders: Sequence[Sequence[Spot]]) -> Callable[[frozenset[int]], float]:
    @cache
    def length(group: frozenset[int]) -> float:
        return tour_length(layout, [spot for order in group for spot in orders[order]])

    return length
