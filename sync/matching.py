"""Which lots of two sides are the same. Pure: nothing is guessed, and the same lots match the same in any order.

By a known pair first, then by what one side's lot names of the other's, then by what they are.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any


class How(StrEnum):
    """By what two lots were found to be the same."""

    KNOWN = "known"
    LINK = "link"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A lot of one side, by its id there.

    `key`: what it is in canonical numbers (type, number, color, condition, completeness); None where a number couldn't
    be translated. `links`: ids on the other side that the lot names: a marker, an external id.
    """

    ref: str
    key: Hashable | None
    price: Decimal = Decimal(0)
    remarks: str = ""
    qty: int = 0
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """Two lots that are the same."""

    source: str
    target: str
    how: How


@dataclass(frozen=True, slots=True)
class Crowd:
    """Lots of one key of which one side has more than the other; the surplus stays alone."""

    key: Hashable
    sources: tuple[str, ...]
    targets: tuple[str, ...]


@dataclass(slots=True)
class Matching:
    """What came of it: each lot is in a pair, alone, or unmatched because nobody knows what it is."""

    pairs: list[Pair] = field(default_factory=list)
    source_only: list[str] = field(default_factory=list)
    target_only: list[str] = field(default_factory=list)
    unmatched_sources: list[str] = field(default_factory=list)
    unmatched_targets: list[str] = field(default_factory=list)
    crowds: list[Crowd] = field(default_factory=list)


def match(
    sources: Sequence[Candidate], targets: Sequence[Candidate], *, known: Mapping[str, str] | None = None
) -> Matching:  # fmt: skip
    """Match two sides. `known`: ids of the target's lots by those of the source's."""
    result = Matching()
    left, right = {each.ref: each for each in sources}, {each.ref: each for each in targets}
    for source, target in sorted((known or {}).items()):
        _pair(result, left, right, (source, target), How.KNOWN)
    for claim in _claims(left, right):
        _pair(result, left, right, claim, How.LINK)
    _by_key(result, left, right)
    for alone, unmatched, rest in (
        (result.source_only, result.unmatched_sources, left), (result.target_only, result.unmatched_targets, right),
    ):  # fmt: skip
        for ref in sorted(rest):
            (unmatched if rest[ref].key is None else alone).append(ref)
    return result


def _pair(
    result: Matching, left: dict[str, Candidate], right: dict[str, Candidate], claim: tuple[str, str], how: How
) -> None:  # fmt: skip
    """Pair two lots that are both still there, unless they are known to be different things."""
    source, target = left.get(claim[0]), right.get(claim[1])
    if source is None or target is None:
        return
    if None not in (source.key, target.key) and source.key != target.key:
        return
    result.pairs.append(Pair(source.ref, target.ref, how))
    del left[source.ref], right[target.ref]


def _claims(left: Mapping[str, Candidate], right: Mapping[str, Candidate]) -> list[tuple[str, str]]:
    """Answer who names whom, from either side; where two claim one, nobody knows whose it is."""
    claims = {(each.ref, link) for each in left.values() for link in each.links if link in right}
    claims |= {(link, each.ref) for each in right.values() for link in each.links if link in left}
    sources = Counter(source for source, _target in claims)
    targets = Counter(target for _source, target in claims)
    return sorted(claim for claim in claims if sources[claim[0]] == targets[claim[1]] == 1)


def _by_key(result: Matching, left: dict[str, Candidate], right: dict[str, Candidate]) -> None:
    here, there = _grouped(left.values()), _grouped(right.values())
    for key, sources in here.items():
        targets = there.get(key)
        if targets is None:
            continue
        if len(sources) != len(targets):
            result.crowds.append(
                Crowd(key, tuple(sorted(each.ref for each in sources)), tuple(sorted(each.ref for each in targets)))
            )
        for source, target in _nearest(sources, targets):
            result.pairs.append(Pair(source.ref, target.ref, How.KEY))
            del left[source.ref], right[target.ref]
    result.crowds.sort(key=lambda crowd: crowd.sources)


def _grouped(lots: Iterable[Candidate]) -> dict[Hashable, list[Candidate]]:
    groups: dict[Hashable, list[Candidate]] = defaultdict(list)
    for each in lots:
        if each.key is not None:
            groups[each.key].append(each)
    return groups


# By what lots of one key are told apart, the surest first.
_TRAITS: tuple[Callable[[Candidate], Any], ...] = (
    lambda lot: (lot.price, lot.remarks, lot.qty),
    lambda lot: (lot.price, lot.remarks),
    lambda lot: lot.remarks or None,
    lambda lot: lot.price,
)


def _nearest(sources: list[Candidate], targets: list[Candidate]) -> list[tuple[Candidate, Candidate]]:
    """Pair as many as both sides have: equal traits first, the rest in order."""
    if len(sources) == len(targets) == 1:
        return [(sources[0], targets[0])]
    pairs: list[tuple[Candidate, Candidate]] = []
    left, right = sorted(sources, key=_order), sorted(targets, key=_order)
    for trait in _TRAITS:
        waiting: dict[Any, list[Candidate]] = defaultdict(list)
        for each in right:
            waiting[trait(each)].append(each)
        taken: set[str] = set()
        still: list[Candidate] = []
        for each in left:
            value = trait(each)
            if value is not None and waiting.get(value):
                other = waiting[value].pop(0)
                taken.add(other.ref)
                pairs.append((each, other))
            else:
                still.append(each)
        left, right = still, [each for each in right if each.ref not in taken]
    return pairs + list(zip(left, right, strict=False))


def _order(lot: Candidate) -> tuple[Decimal, str, int, str]:
    return lot.price, lot.remarks, lot.qty, lot.ref
