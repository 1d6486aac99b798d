"""What it takes to pick some orders together: metres of a tour, or places where there is no map."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Hashable, Sequence

from picker.routing.grounds import Ground, Where, far, start
from picker.routing.heuristics import quick_round, round_length
from picker.routing.layouts import Aisles, Spot, check
from picker.routing.programme import Column, columns, least, needs

Group = frozenset[int]

# Up to so many blocks a tour takes a few milliseconds.
QUICK_BLOCKS = 3
# So many places around one are in its area.
_AROUND = 8


class Lengths(ABC):
    """Lengths of groups of orders: each worked out once, and counted."""

    # So many bounds are about as much work as a tour.
    bounds_of_a_tour = 20

    def __init__(self) -> None:
        self._lengths: dict[Group, float] = {}
        self._bounds: dict[Group, float] = {}

    def length(self, group: Group) -> float:
        """Answer what it takes to pick these orders together."""
        known = self._lengths.get(group)
        if known is None:
            known = self._lengths[group] = self._measure(group) if group else 0.0
        return known

    def bound(self, group: Group) -> float:
        """Answer what it takes at least: the length if that is known, else something that is known sooner."""
        known = self._lengths.get(group)
        if known is None:
            known = self._bounds.get(group)
        if known is None:
            known = self._bounds[group] = self._at_least(group) if group else 0.0
        return known

    def evaluations(self) -> int:
        """Answer how much has been worked out so far, counted in tours."""
        return len(self._lengths) + len(self._bounds) // self.bounds_of_a_tour

    def is_known(self, group: Group) -> bool:
        """Answer whether the length of a group has been worked out."""
        return group in self._lengths

    @abstractmethod
    def areas(self, order: int) -> frozenset[Hashable]:
        """Answer the parts of the house in which an order is picked: orders that share some may fit together."""

    @abstractmethod
    def _measure(self, group: Group) -> float: ...

    @abstractmethod
    def _at_least(self, group: Group) -> float: ...


class Stops(Lengths):
    """How many places are visited."""

    bounds_of_a_tour = 200

    def __init__(self, orders: Sequence[frozenset[Hashable]]) -> None:
        super().__init__()
        self._orders = orders

    def areas(self, order: int) -> frozenset[Hashable]:
        """Answer the places themselves."""
        return self._orders[order]

    def _measure(self, group: Group) -> float:
        return float(len(frozenset[Hashable]().union(*(self._orders[order] for order in group))))

    def _at_least(self, group: Group) -> float:
        return self._measure(group)


class AisleMetres(Lengths):
    """Metres of shortest tours through aisles."""

    def __init__(self, layout: Aisles, orders: Sequence[Sequence[Spot]]) -> None:
        super().__init__()
        for spots in orders:
            check(layout, spots)
        self._layout = layout
        self._needs = [needs(layout, spots) for spots in orders]

    def areas(self, order: int) -> frozenset[Hashable]:
        """Answer the aisles, by block."""
        return frozenset(self._needs[order])

    def _line(self, group: Group) -> list[Column]:
        together: dict[tuple[int, int], set[float]] = defaultdict(set)
        for order in group:
            for key, offsets in self._needs[order].items():
                together[key] |= offsets
        return columns(self._layout, together)

    def _measure(self, group: Group) -> float:
        return least(self._line(group))

    def _at_least(self, group: Group) -> float:
        """Each gap between aisles is crossed twice, each stretch walked in its cheapest way, each block passed."""
        line = self._line(group)
        inside = [sum(min(column.stretches[block].costs) for column in line) for block in range(len(line[0].stretches))]
        passed = [max(metres, 2 * self._layout.length) for metres in inside[:-1]]
        return 2 * sum(column.gap for column in line) + sum(passed) + inside[-1]


class Metres(Lengths):
    """Metres of short tours on any map."""

    def __init__(self, ground: Ground, orders: Sequence[Sequence[Where]]) -> None:
        super().__init__()
        places = list(dict.fromkeys([start(ground), *(where for wheres in orders for where in wheres)]))
        number = {where: place for place, where in enumerate(places)}
        between = far(ground)
        self._far = [[between(one, other) for other in places] for one in places]
        self._orders = [frozenset(number[where] for where in wheres) for wheres in orders]
        near = [sorted(range(len(places)), key=row.__getitem__)[:_AROUND] for row in self._far]
        self._areas = [frozenset[Hashable](one for place in order for one in near[place]) for order in self._orders]

    def areas(self, order: int) -> frozenset[Hashable]:
        """Answer the places, and those around them."""
        return self._areas[order]

    def _matrix(self, group: Group) -> list[list[float]]:
        places = [0, *sorted(frozenset[int]().union(*(self._orders[order] for order in group)) - {0})]
        return [[row[place] for place in places] for row in (self._far[place] for place in places)]

    def _measure(self, group: Group) -> float:
        matrix = self._matrix(group)
        return round_length(matrix, quick_round(matrix))

    def _at_least(self, group: Group) -> float:
        """No tour is shorter than a minimum spanning tree."""
        matrix = self._matrix(group)
        near, left, total = list(matrix[0]), set(range(1, len(matrix))), 0.0
        while left:
            place = min(left, key=near.__getitem__)
            left.discard(place)
            total += near[place]
            near = list(map(min, near, matrix[place]))
        return total
