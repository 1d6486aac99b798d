"""Which orders are picked together: savings, then exchanges, with the lengths of real tours."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import combinations
from math import comb
from random import Random

from picker.batching.lengths import Group, Lengths

# With more orders only those that share most areas are tried together.
_ALL_PAIRS = 60
_NEIGHBORS = 12
# Up to here every grouping is looked at: a few tours and a few sums.
_EXACT_ORDERS, _EXACT_TOURS = 12, 520
# So many moves are made whatever they take, and so often in a row without finding anything better.
_DISTURBED, _IN_VAIN = 2, 60
_ROUNDING, _TIE = 1e-6, 1e-5


@dataclass(frozen=True, slots=True)
class Cart:
    """What one walk may bring: so many orders, and so many pieces if that matters."""

    capacity: int
    pieces: int | None = None

    def holds(self, orders: Iterable[int], sizes: list[int]) -> bool:
        """Answer whether these orders fit."""
        count, pieces = 0, 0
        for order in orders:
            count += 1
            pieces += sizes[order]
        return count <= self.capacity and (count == 1 or self.pieces is None or pieces <= self.pieces)


def grouped(lengths: Lengths, sizes: list[int], cart: Cart, *, evaluations: int) -> list[Group]:
    """Answer groups of orders, by their indexes in `sizes`, that take little together.

    After the first grouping at most so many tours are worked out to improve it.
    """
    count = len(sizes)
    if count <= _EXACT_ORDERS and sum(comb(count, some) for some in range(1, cart.capacity + 1)) <= _EXACT_TOURS:
        return _best_of_all(lengths, sizes, cart, range(count))
    near = _neighbors(lengths, count) if count > _ALL_PAIRS else None
    groups = _Savings(lengths, sizes, cart, near).merged()
    return _Exchanges(lengths, sizes, cart, near, groups, lengths.evaluations() + evaluations).improved()


def _best_of_all(lengths: Lengths, sizes: list[int], cart: Cart, orders: Iterable[int]) -> list[Group]:
    """Answer the best of all groupings of these orders."""
    known = list(orders)
    bits = {order: 1 << place for place, order in enumerate(known)}
    fitting: list[list[tuple[int, Group]]] = [[] for _ in known]
    for count in range(1, cart.capacity + 1):
        for members in combinations(known, count):
            if cart.holds(members, sizes):
                fitting[known.index(members[0])].append((sum(bits[order] for order in members), frozenset(members)))
    everything = (1 << len(known)) - 1
    # By the orders that are in a group already: what they take, and the last group.
    best: list[tuple[float, Group] | None] = [None] * (everything + 1)
    best[0] = (0.0, frozenset())
    for done in range(everything):
        so_far = best[done]
        if so_far is None:
            continue
        first = next(place for place in range(len(known)) if not done >> place & 1)
        for some, group in fitting[first]:
            if not some & done:
                # Of equal groupings the one that puts fewer together.
                takes = so_far[0] + lengths.length(group) + _TIE * (len(group) - 1)
                reached = best[done | some]
                if reached is None or takes < reached[0]:
                    best[done | some] = (takes, group)
    groups = []
    while everything and (last := best[everything]):
        groups.append(last[1])
        everything -= sum(bits[order] for order in last[1])
    return groups


class _Savings:
    """Clarke & Wright: merges the two groups that save most together, again and again.

    What a merger saves at most follows from what the group takes at least. It is worked out exactly only when nothing
    else could save more.
    """

    def __init__(self, lengths: Lengths, sizes: list[int], cart: Cart, near: list[Group] | None) -> None:
        self.lengths, self.sizes, self.cart, self.near = lengths, sizes, cart, near
        self.alive: dict[Group, None] = {frozenset([order]): None for order in range(len(sizes))}

    def merged(self) -> list[Group]:
        """Answer the groups of which no two save anything together."""
        # By what they save at most, whether that is exact, and the groups as lists, so that equal ones have an order.
        waiting = [entry for one, other in combinations(self.alive, 2) if (entry := self._entry(one, other))]
        heapify(waiting)
        while waiting:
            _, exact, first, second = heappop(waiting)
            one, other = frozenset(first), frozenset(second)
            if one not in self.alive or other not in self.alive:
                continue
            if not exact:
                self.lengths.length(one | other)
                if entry := self._entry(one, other):
                    heappush(waiting, entry)
                continue
            del self.alive[one], self.alive[other]
            for group in self.alive:
                if entry := self._entry(one | other, group):
                    heappush(waiting, entry)
            self.alive[one | other] = None
        return list(self.alive)

    def _entry(self, one: Group, other: Group) -> tuple[float, bool, list[int], list[int]] | None:
        if not _are_near(one, other, self.near):
            return None
        both = one | other
        if not self.cart.holds(both, self.sizes):
            return None
        lengths = self.lengths
        apart = lengths.length(one), lengths.length(other)
        # Together they take at least as much as either.
        saved = sum(apart) - max(lengths.bound(both), *apart)
        return (-saved, lengths.is_known(both), sorted(one), sorted(other)) if saved > _ROUNDING else None


def _neighbors(lengths: Lengths, count: int) -> list[Group]:
    """Answer for each order the others that share most of their areas with it, and it with them."""
    areas = [lengths.areas(order) for order in range(count)]
    near: list[set[int]] = [set() for _ in areas]
    for order, some in enumerate(areas):
        shared = [
            (-len(some & others) / (len(some | others) or 1), other)
            for other, others in enumerate(areas)
            if other != order
        ]
        for _, other in sorted(shared)[:_NEIGHBORS]:
            near[order].add(other)
            near[other].add(order)
    return [frozenset(some) for some in near]


def _are_near(one: Group, other: Group, near: list[Group] | None) -> bool:
    return near is None or any(near[order] & other for order in one)


@dataclass
class _Exchanges:
    """Shifts an order from one group to another or exchanges two, as long as that saves something.

    Then some orders are exchanged whatever that takes, and what follows is kept if it is better. These come from a
    generator of their own with a fixed seed: equal questions have equal answers.
    """

    lengths: Lengths
    sizes: list[int]
    cart: Cart
    near: list[Group] | None
    groups: list[Group]
    # No tour is worked out after so many.
    limit: int
    _looked_at: set[tuple[Group, Group]] = field(default_factory=set)

    def improved(self) -> list[Group]:
        """Answer the groups when nothing helped for long, or the limit is reached."""
        self._improve()
        dice, in_vain = Random(0), 0  # noqa: S311  # nothing secret
        best, takes = list(self.groups), self._takes()
        while len(best) > 1 and in_vain < _IN_VAIN and self.lengths.evaluations() < self.limit:
            self._disturb(dice)
            self._improve()
            in_vain += 1
            if self._takes() < takes - _ROUNDING:
                best, takes, in_vain = list(self.groups), self._takes(), 0
            self.groups = list(best)
        return [group for group in best if group]

    def _takes(self) -> float:
        return sum(self.lengths.length(group) for group in self.groups)

    def _disturb(self, dice: Random) -> None:
        for _ in range(_DISTURBED):
            first, second = dice.sample(range(len(self.groups)), 2)
            moves = list(self._moves(self.groups[first], self.groups[second]))
            if moves:
                self.groups[first], self.groups[second] = dice.choice(moves)

    def _improve(self) -> None:
        while self.lengths.evaluations() < self.limit and self._round():
            pass

    def _round(self) -> bool:
        changed = False
        for first, second in combinations(range(len(self.groups)), 2):
            pair = self.groups[first], self.groups[second]
            while pair not in self._looked_at and self.lengths.evaluations() < self.limit:
                self._looked_at.add(pair)
                if _are_near(*pair, self.near) and (better := self._better(*pair)):
                    self.groups[first], self.groups[second] = pair = better
                    changed = True
        return changed

    def _better(self, one: Group, other: Group) -> tuple[Group, Group] | None:
        """Answer the two groups after the first move that saves something, the most promising ones first."""
        lengths = self.lengths
        takes = lengths.length(one) + lengths.length(other)
        promising = []
        for place, (first, second) in enumerate(self._moves(one, other)):
            at_least = lengths.bound(first) + lengths.bound(second)
            if at_least < takes - _ROUNDING:
                promising.append((at_least, place, first, second))
        for _, _, first, second in sorted(promising, key=lambda move: move[:2]):
            if lengths.evaluations() >= self.limit:
                break
            if lengths.length(first) + lengths.bound(second) >= takes - _ROUNDING:
                continue
            if lengths.length(first) + lengths.length(second) < takes - _ROUNDING:
                return first, second
        return None

    def _moves(self, one: Group, other: Group) -> Iterator[tuple[Group, Group]]:
        both = one | other
        gone = [frozenset[int](), *(frozenset([order]) for order in sorted(one))]
        come = [frozenset[int](), *(frozenset([order]) for order in sorted(other))]
        for going in gone:
            for coming in come:
                first = one - going | coming
                second = both - first
                if first != one and self.cart.holds(first, self.sizes) and self.cart.holds(second, self.sizes):
                    yield first, second
