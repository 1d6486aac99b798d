"""Tours over any distances: exact for a few places, else good ones that are bounded."""

import random
from collections.abc import Sequence
from itertools import combinations, pairwise

Matrix = list[list[float]]

# Up to so many places besides the first the exact programme is fast enough, for one question and for many.
_EXACT_PLACES, _EXACT_PLACES_QUICK = 11, 7
# So many times a tour is disturbed and improved again.
_KICKS, _KICKS_QUICK = 300, 8
_NEIGHBORS = 10
# How long the pieces are that a kick exchanges: the fewer, the less has to be improved again.
_PIECE = 30


def best_round(matrix: Matrix) -> list[int]:
    """Answer a short round through all places of a symmetric metric, as a list that begins with place 0.

    The shortest for up to 12 places. Else never longer than twice a minimum spanning tree, since it begins with the
    walk around one if that is shorter than going to the nearest place; mostly within a few percent of the shortest.
    """
    return _found(matrix, _EXACT_PLACES, _KICKS)


def quick_round(matrix: Matrix) -> list[int]:
    """Answer one that was looked for less: for many questions in a row."""
    return _found(matrix, _EXACT_PLACES_QUICK, _KICKS_QUICK)


def _found(matrix: Matrix, exact_places: int, kicks: int) -> list[int]:
    if len(matrix) <= exact_places + 1:
        return _held_karp(matrix)
    start = min(_nearest(matrix), _around_tree(matrix), key=lambda tour: round_length(matrix, tour))
    tour = _Improver(matrix, start).best(kicks)
    place = tour.index(0)
    return tour[place:] + tour[:place]


def round_length(matrix: Matrix, tour: Sequence[int]) -> float:
    """Answer how long a round is."""
    return sum(matrix[a][b] for a, b in pairwise(tour)) + matrix[tour[-1]][tour[0]]


def _held_karp(matrix: Matrix) -> list[int]:
    size = len(matrix) - 1
    if size < 2:  # noqa: PLR2004  # nothing to choose
        return list(range(size + 1))
    # By the set of places visited, as bits, and the last of them.
    best: dict[tuple[int, int], tuple[float, int]] = {(1 << one, one): (matrix[0][one + 1], -1) for one in range(size)}
    for count in range(2, size + 1):
        for chosen in combinations(range(size), count):
            bits = sum(1 << one for one in chosen)
            for last in chosen:
                row = matrix[last + 1]
                rest = bits & ~(1 << last)
                best[bits, last] = min(
                    (best[rest, before][0] + row[before + 1], before) for before in chosen if before != last
                )
    bits = (1 << size) - 1
    last = min(range(size), key=lambda one: best[bits, one][0] + matrix[one + 1][0])
    tour = []
    while last >= 0:
        tour.append(last + 1)
        bits, last = bits & ~(1 << last), best[bits, last][1]
    return [0, *reversed(tour)]


def _nearest(matrix: Matrix) -> list[int]:
    tour, left = [0], set(range(1, len(matrix)))
    while left:
        row = matrix[tour[-1]]
        following = min(left, key=lambda place: (row[place], place))
        left.discard(following)
        tour.append(following)
    return tour


def _around_tree(matrix: Matrix) -> list[int]:
    """Answer the places in the order of a walk around a minimum spanning tree."""
    near = list(matrix[0])
    parent, left = [0] * len(matrix), set(range(1, len(matrix)))
    children: list[list[int]] = [[] for _ in matrix]
    while left:
        place = min(left, key=lambda one: (near[one], one))
        left.discard(place)
        children[parent[place]].append(place)
        row = matrix[place]
        for one in left:
            if row[one] < near[one]:
                near[one], parent[one] = row[one], place
    tour, waiting = [], [0]
    while waiting:
        place = waiting.pop()
        tour.append(place)
        waiting.extend(reversed(children[place]))
    return tour


class _Improver:
    """2-opt and Or-opt among near places, then kicks that are taken back where they don't help.

    The kicks come from a generator of their own with a fixed seed: equal questions have equal answers.
    """

    def __init__(self, matrix: Matrix, tour: list[int]) -> None:
        self.matrix, self.tour = matrix, list(tour)
        self.size = len(tour)
        self.near = [self._nearest(place) for place in range(self.size)]
        self.at = [0] * self.size
        self._number(0, self.size)

    def best(self, kicks: int) -> list[int]:
        """Answer the best tour found."""
        self._improve(list(self.tour))
        length, dice = round_length(self.matrix, self.tour), random.Random(0)  # noqa: S311  # nothing secret
        for _ in range(kicks):
            before = list(self.tour)
            self._improve(self._kick(dice))
            reached = round_length(self.matrix, self.tour)
            if reached < length - 1e-9:
                length = reached
            else:
                self.tour = before
                self._number(0, self.size)
        return self.tour

    def _nearest(self, place: int) -> list[int]:
        others = [one for one in range(self.size) if one != place]
        return sorted(others, key=self.matrix[place].__getitem__)[:_NEIGHBORS]

    def _number(self, first: int, end: int) -> None:
        for place in range(first, end):
            self.at[self.tour[place]] = place

    def _kick(self, dice: random.Random) -> list[int]:
        """Exchange two neighboring pieces of the tour; answer the places at their ends."""
        most = min(_PIECE, (self.size - 1) // 2)
        one, other = dice.randint(1, most), dice.randint(1, most)
        first = dice.randrange(self.size - one - other)
        middle, end = first + 1 + one, first + 1 + one + other
        ends = [self.tour[place % self.size] for place in (first, first + 1, middle - 1, middle, end - 1, end)]
        self.tour[first + 1 : end] = self.tour[middle:end] + self.tour[first + 1 : middle]
        self._number(first + 1, end)
        return ends

    def _improve(self, waiting: list[int]) -> None:
        """Improve around the places that wait, until none of their moves shortens the tour."""
        waiting.reverse()
        queued = set(waiting)
        while waiting:
            place = waiting.pop()
            queued.discard(place)
            while ends := self._two_opt(place) or self._or_opt(place):
                for end in ends:
                    if end not in queued and end != place:
                        queued.add(end)
                        waiting.append(end)

    def _two_opt(self, a: int) -> tuple[int, ...]:
        matrix, tour, at, size = self.matrix, self.tour, self.at, self.size
        for forward in (True, False):
            b = tour[(at[a] + 1) % size] if forward else tour[at[a] - 1]
            length = matrix[a][b]
            for c in self.near[a]:
                gained = length - matrix[a][c]
                if gained <= 0:
                    break
                d = tour[(at[c] + 1) % size] if forward else tour[at[c] - 1]
                if gained + matrix[c][d] - matrix[b][d] > 1e-9:  # noqa: PLR2004  # more than rounding
                    if forward:
                        self._reverse(at[b], at[c])
                    else:
                        self._reverse(at[a], at[d])
                    return (a, b, c, d)
        return ()

    def _reverse(self, first: int, last: int) -> None:
        """Turn the piece of the tour around that goes from one position to another, or what lies outside of it."""
        count = (last - first) % self.size + 1
        if 2 * count > self.size:
            first, last, count = (last + 1) % self.size, (first - 1) % self.size, self.size - count
        tour, at, size = self.tour, self.at, self.size
        if first <= last:
            tour[first : last + 1] = tour[first : last + 1][::-1]
            self._number(first, last + 1)
            return
        for _ in range(count // 2):
            tour[first], tour[last] = tour[last], tour[first]
            at[tour[first]], at[tour[last]] = first, last
            first, last = (first + 1) % size, (last - 1) % size

    def _or_opt(self, a: int) -> tuple[int, ...]:
        """Move up to three places that begin or end with `a` to beside one that is near to it."""
        matrix, tour, at, size = self.matrix, self.tour, self.at, self.size
        for count in (1, 2, 3):
            for step in (1, -1):
                # From `a` in the direction of the step: the piece, ended by `z`; before it `p`, behind it `n`.
                z = tour[(at[a] + step * (count - 1)) % size]
                p, n = tour[(at[a] - step) % size], tour[(at[z] + step) % size]
                saved = matrix[p][a] + matrix[z][n] - matrix[p][n]
                for c in self.near[a]:
                    if matrix[a][c] >= saved:
                        break
                    if (at[c] - at[a]) * step % size < count:
                        continue
                    for d in (tour[(at[c] + 1) % size], tour[at[c] - 1]):
                        if (at[d] - at[a]) * step % size < count:
                            continue
                        if saved - matrix[a][c] - matrix[z][d] + matrix[c][d] > 1e-9:  # noqa: PLR2004  # see above
                            self._move(a, z, step, c, d)
                            return (a, z, p, n, c, d)
        return ()

    def _move(self, a: int, z: int, step: int, c: int, d: int) -> None:
        """Take the piece from `a` to `z` out, and put it between `c` and `d`, `a` beside `c`."""
        count = (self.at[z] - self.at[a]) * step % self.size + 1
        piece = [self.tour[(self.at[a] + step * place) % self.size] for place in range(count)]
        taken = set(piece)
        rest = [place for place in self.tour if place not in taken]
        where = rest.index(c)
        if rest[(where + 1) % len(rest)] == d:
            rest[where + 1 : where + 1] = piece
        else:
            rest[where:where] = piece[::-1]
        self.tour = rest
        self._number(0, self.size)
