"""From which of its places a lot is taken."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import heapify, heappop, heappush
from itertools import combinations, pairwise
from math import comb
from typing import Generic, TypeVar

from picker.routing.grounds import Ground, Where, far, start, tour_on

Key = TypeVar("Key", bound=Hashable)

# So many ways to combine a lot's places are compared; with more, the largest heaps are taken.
_COMBINATIONS = 60
_PASSES = 3


class Rule(StrEnum):
    """What a seller prefers: short walks, or places that become free."""

    ON_THE_WAY = "ON_THE_WAY"
    EMPTIES = "EMPTIES"


@dataclass(frozen=True, slots=True)
class Place:
    """A place: its key in the order of a walk without a map, and where it is on the map, if it is there."""

    route: str
    where: Where | None = None


@dataclass(frozen=True, slots=True)
class Need(Generic[Key]):
    """How many pieces of a lot are wanted, and how many lie in which place. One for each lot."""

    pieces: int
    heaps: Sequence[tuple[Key, int]]


def choose_places(
    needs: Sequence[Need[Key]], places: Mapping[Key, Place], *, rule: Rule, ground: Ground | None = None
) -> list[list[tuple[Key | None, int]]]:
    """Answer for each need what to take from where, in walking order; None: pieces that lie nowhere.

    ON_THE_WAY goes to as few places for each lot as hold enough, and among those to where there is least to walk: on
    the map, else in the order of the places' keys. EMPTIES takes the smallest heaps first. `ground` is the map, None
    where there is none.
    """
    heaps = [[(key, pieces) for key, pieces in need.heaps if pieces > 0] for need in needs]
    if rule is Rule.EMPTIES:
        chosen = [tuple(key for key, _ in some) for some in heaps]
    else:
        options = [_options(need.pieces, some) for need, some in zip(needs, heaps, strict=True)]
        chosen = _Chooser(places, ground, options).choose()
    return [
        _taken(need.pieces, [heap for heap in some if heap[0] in keys], places)
        for need, some, keys in zip(needs, heaps, chosen, strict=True)
    ]


def _options(wanted: int, heaps: Sequence[tuple[Key, int]]) -> list[tuple[Key, ...]]:
    """Answer the sets of places that hold enough, each of as few places as possible."""
    largest = sorted(heaps, key=lambda heap: -heap[1])
    count, held = 0, 0
    while held < wanted and count < len(largest):
        held += largest[count][1]
        count += 1
    if held < wanted or comb(len(heaps), count) > _COMBINATIONS:
        return [tuple(key for key, _ in largest[:count])]
    return [
        tuple(key for key, _ in some)
        for some in combinations(heaps, count)
        if sum(pieces for _, pieces in some) >= wanted
    ]


def _taken(wanted: int, heaps: Iterable[tuple[Key, int]], places: Mapping[Key, Place]) -> list[tuple[Key | None, int]]:
    """Answer how much is taken of each heap: all of the smallest ones, so that their places become free."""
    taken: list[tuple[Key, int]] = []
    for key, pieces in sorted(heaps, key=lambda heap: (heap[1], places[heap[0]].route)):
        if wanted > 0:
            taken.append((key, min(wanted, pieces)))
            wanted -= taken[-1][1]
    taken.sort(key=lambda one: places[one[0]].route)
    return [*taken, (None, wanted)] if wanted > 0 else [*taken]


# New places off the map, metres more, new places, and steps in the order of a walk without a map.
_Extra = tuple[int, float, int, int]


class _Chooser(Generic[Key]):
    """Chooses one option for each lot: the cheapest to insert into what is visited anyway."""

    def __init__(
        self, places: Mapping[Key, Place], ground: Ground | None, options: Sequence[Sequence[tuple[Key, ...]]]
    ) -> None:
        self.options, self.ground = options, ground
        ordered = sorted(places, key=lambda key: places[key].route)
        self.rank = {key: rank for rank, key in enumerate(ordered)}
        self.where: dict[Key, Where] = {}
        if ground:
            self.where = {key: where for key in ordered if (where := places[key].where)}
            self.far = far(ground)
        self.rows: dict[Key, dict[Where, float]] = {}
        # How many lots are taken from each place, and the ranks of these places.
        self.visited: Counter[Key] = Counter()
        self.ranks: list[int] = []
        # Where the walk goes, from the depot and back, and how far it is from each to the next.
        self.walk: list[Where] = [start(ground), start(ground)] if ground else []
        self.gaps = [0.0] if ground else []

    def choose(self) -> list[tuple[Key, ...]]:
        """Answer the places of each lot."""
        chosen = [some[0] for some in self.options]
        open_ones = [lot for lot, some in enumerate(self.options) if len(some) > 1]
        for some in self.options:
            if len(some) == 1:
                self._visit(some[0])
        self._lay()
        self._insert_all(chosen, open_ones)
        best, best_cost = list(chosen), self._lay()
        for _ in range(_PASSES):
            if not self._improve(chosen, open_ones):
                break
            cost = self._lay()
            if cost < best_cost:
                best, best_cost = list(chosen), cost
        return best

    def _insert_all(self, chosen: list[tuple[Key, ...]], lots: Iterable[int]) -> None:
        """Choose the cheapest lot first, each time."""
        waiting = [(self._best(lot), lot) for lot in lots]
        heapify(waiting)
        while waiting:
            _, lot = heappop(waiting)
            # What was inserted since may have made it cheaper, or another one.
            best = self._best(lot)
            if waiting and best > waiting[0][0]:
                heappush(waiting, (best, lot))
                continue
            chosen[lot] = self.options[lot][best[1]]
            self._visit(chosen[lot])

    def _improve(self, chosen: list[tuple[Key, ...]], lots: Iterable[int]) -> bool:
        """Choose anew for each lot, given all others; answer whether that changed anything."""
        changed = False
        for lot in lots:
            self._leave(chosen[lot])
            extra, option = self._best(lot)
            if extra < self._extra(chosen[lot]):
                chosen[lot] = self.options[lot][option]
                changed = True
            self._visit(chosen[lot])
        return changed

    def _best(self, lot: int) -> tuple[_Extra, int]:
        return min((self._extra(option), place) for place, option in enumerate(self.options[lot]))

    def _extra(self, option: Iterable[Key]) -> _Extra:
        off_map, metres, steps = 0, 0.0, 0
        new = [key for key in option if key not in self.visited]
        for key in new:
            if key in self.where:
                metres += self._insertion(key)[0]
            elif self.ground:
                off_map += 1
            rank = self.rank[key]
            place = bisect_left(self.ranks, rank)
            steps += min((abs(rank - other) for other in self.ranks[max(0, place - 1) : place + 1]), default=rank)
        # Rounded, so that equal ways are equal and the next rule decides.
        return off_map, round(metres, 6), len(new), steps

    def _insertion(self, key: Key) -> tuple[float, int]:
        """Answer how much longer the walk gets by a place, and before which of its places that is so."""
        row, where = self.rows.setdefault(key, {}), self.where[key]
        ways = []
        for other in self.walk:
            way = row.get(other)
            if way is None:
                way = row[other] = self.far(where, other)
            ways.append(way)
        longer = [one + other - gap for one, other, gap in zip(ways, ways[1:], self.gaps, strict=False)]
        least = min(longer)
        return least, longer.index(least) + 1

    def _visit(self, option: Iterable[Key]) -> None:
        for key in option:
            self.visited[key] += 1
            if self.visited[key] == 1:
                insort(self.ranks, self.rank[key])
                if key in self.where:
                    self.walk.insert(self._insertion(key)[1], self.where[key])
                    self._measure()

    def _leave(self, option: Iterable[Key]) -> None:
        for key in option:
            self.visited[key] -= 1
            if not self.visited[key]:
                del self.visited[key]
                self.ranks.remove(self.rank[key])
                if key in self.where:
                    self.walk.remove(self.where[key])
                    self._measure()

    def _measure(self) -> None:
        self.gaps = [self.far(one, other) for one, other in pairwise(self.walk)]

    def _lay(self) -> tuple[int, float, int]:
        """Lay the shortest walk through what is visited; answer its places off the map, its metres, its places."""
        visited = [key for key in self.rank if key in self.visited]
        if not self.ground:
            return 0, 0.0, len(visited)
        stops = [self.where[key] for key in visited if key in self.where]
        tour, door = tour_on(self.ground, stops), start(self.ground)
        self.walk = [door, *(stops[index] for index in tour.order), door]
        self._measure()
        return len(visited) - len(stops), round(tour.metres, 6), len(visited)
