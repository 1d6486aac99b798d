"""What a part of a tour looks like at the border of what is decided: the states of the dynamic programme over aisles.

A tour is a choice of how often each stretch is walked: it needs to be connected, and even at each crossing. Going from
aisle to aisle, only this matters of what lies to the left: of each cross aisle whether it is touched there, whether an
odd number of ways leads to it, and which of them are connected so far (Ratliff & Rosenthal 1983 for two cross aisles,
Roodbergen & de Koster 2001 for three; the same for more).

A state has a label for each cross aisle: 0 untouched, else twice the number of its component, plus 1 if odd. Components
are numbered by their first cross aisle.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from itertools import product
from operator import itemgetter
from typing import cast

State = tuple[int, ...]


class Way(IntEnum):
    """How the stretch of an aisle within one block is walked."""

    FRONT = 0  # in from the front cross aisle as far as needed, and out again
    BACK = 1  # the same from the back
    GAP = 2  # both, leaving out the largest gap
    ONCE = 3  # through
    TWICE = 4  # through, and back again
    LEAST = 5  # the cheapest of the first three, where both ends are walked to anyway
    NOT = 6  # only where nothing is needed


FULL = (Way.FRONT, Way.BACK, Way.GAP, Way.ONCE, Way.TWICE, Way.LEAST)
EMPTY = (Way.NOT, Way.ONCE, Way.TWICE)


def _numbered(state: Sequence[int]) -> State:
    numbers = {0: 0}
    return tuple(2 * numbers.setdefault(label >> 1, len(numbers)) + (label & 1) for label in state)


def _touched(state: State, cross: int) -> State:
    if state[cross]:
        return state
    return (*state[:cross], 2 * (len(state) + 1 + cross), *state[cross + 1 :])


def walked(state: State, block: int, way: Way) -> State:
    """Answer the state after a way through the block of the aisle at hand."""
    front, back = block, block + 1
    if way in (Way.NOT, Way.LEAST):
        return state
    if way is Way.FRONT:
        return _numbered(_touched(state, front))
    if way is Way.BACK:
        return _numbered(_touched(state, back))
    both = _touched(_touched(state, front), back)
    if way is Way.GAP:
        return _numbered(both)
    kept, given_up = both[front] >> 1, both[back] >> 1
    joined = [2 * kept + (label & 1) if label >> 1 == given_up else label for label in both]
    if way is Way.ONCE:
        joined[front] ^= 1
        joined[back] ^= 1
    return _numbered(joined)


def ways(state: State, block: int, *, full: bool) -> tuple[Way, ...]:
    """Answer the ways that may be worth while from a state, by whether something is needed in that block."""
    if not full:
        return EMPTY
    if state[block] and state[block + 1]:
        return (Way.LEAST, Way.ONCE, Way.TWICE)
    return FULL[:-1]


def crossed(state: State) -> list[State]:
    """Answer the states in which one may come to the next aisle.

    An odd cross aisle is walked on once; an even one twice or not at all, unless its component would be lost.
    """
    left = [(label,) if label & 1 or not label else (0, label) for label in state]
    components = {label >> 1 for label in state}
    return [_numbered(there) for there in product(*left) if {label >> 1 for label in there} | {0} == components | {0}]


def crossings(state: State) -> int:
    """Answer how often cross aisles are walked between two aisles, by the state in which one comes to the second."""
    return sum(1 if label & 1 else 2 for label in state if label)


def is_complete(state: State) -> bool:
    """Answer whether such a part is a whole tour: even everywhere, and connected."""
    return set(state) - {0} == {2}


# A value for each state.
Values = list[float]
_Getter = Callable[[Values], tuple[float, ...]]


@dataclass(frozen=True)
class Step:
    """Of each state in which a step ends, the places of its sources in the list of what could be done.

    That list has the values of all states, once for each way, in the order of `ways`, each with the way's cost, and
    then infinity: what has no source takes it.
    """

    ways: tuple[Way, ...]
    sources: tuple[tuple[int, ...], ...]
    # For many states at once, since this is what takes the time: of those that have so many sources the first ones, the
    # second ones …; then how to bring the results into the order of the states.
    _by_count: tuple[tuple[_Getter, ...], ...]
    _in_order: _Getter

    def least(self, offers: Values) -> Values:
        """Answer the least of each state's sources."""
        found: Values = []
        for getters in self._by_count:
            if len(getters) == 1:
                found += getters[0](offers)
            else:
                found += map(min, *[get(offers) for get in getters])
        return list(self._in_order(found))


@dataclass(frozen=True)
class Machine:
    """All states of a number of cross aisles, and the steps between them by number."""

    states: tuple[State, ...]
    full: tuple[Step, ...]
    empty: tuple[Step, ...]
    across: Step
    crossings: tuple[int, ...]
    complete: tuple[int, ...]


def _successors(state: State, blocks: int) -> Iterator[State]:
    for block in range(blocks):
        for full in (True, False):
            yield from (walked(state, block, way) for way in ways(state, block, full=full))
    yield from crossed(state)


def _reachable(blocks: int) -> tuple[State, ...]:
    start: State = (0,) * (blocks + 1)
    # A dict, since the order of a set of tuples would be another one in each process.
    found, waiting = {start: None}, [start]
    while waiting:
        for state in _successors(waiting.pop(), blocks):
            if state not in found:
                found[state] = None
                waiting.append(state)
    return tuple(found)


def _getter(places: Iterable[int]) -> _Getter:
    # One that answers a tuple, as it does for two or more.
    return cast("_Getter", itemgetter(*places, 0, 0))


def _step(used: tuple[Way, ...], sources: list[list[int]]) -> Step:
    filled = [tuple(places) or (len(sources) * len(used),) for places in sources]
    by_count, order = [], [0] * len(filled)
    reached = 0
    for count in sorted(set(map(len, filled))):
        states = [state for state, places in enumerate(filled) if len(places) == count]
        by_count.append(tuple(_getter(filled[state][rank] for state in states) for rank in range(count)))
        for place, state in enumerate(states):
            order[state] = reached + place
        reached += len(states) + 2
    return Step(used, tuple(filled), tuple(by_count), cast("_Getter", itemgetter(*order)))


@lru_cache(maxsize=8)
def machine(blocks: int) -> Machine:
    """Answer the states and steps of a layout with so many blocks; 24 states for two, 112 for three, 3,032 for five."""
    states = _reachable(blocks)
    number = {state: place for place, state in enumerate(states)}
    steps: dict[bool, list[Step]] = {True: [], False: []}
    for full, block in product((True, False), range(blocks)):
        used = FULL if full else EMPTY
        sources: list[list[int]] = [[] for _ in states]
        for place, state in enumerate(states):
            for way in ways(state, block, full=full):
                target = number[walked(state, block, way)]
                sources[target].append(used.index(way) * len(states) + place)
        steps[full].append(_step(used, sources))
    across: list[list[int]] = [[] for _ in states]
    for place, state in enumerate(states):
        for there in crossed(state):
            across[number[there]].append(place)
    return Machine(
        states=states, full=tuple(steps[True]), empty=tuple(steps[False]), across=_step((Way.NOT,), across),
        crossings=tuple(map(crossings, states)),
        complete=tuple(place for place, state in enumerate(states) if is_complete(state)),
    )  # fmt: skip
