"""Which lots of ours are which on a channel: known listings first, then what names them, then what they are. Pure.

`matching.match` is asked about what is left only: between stores that are kept in step nearly all is known.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sync.matching import Candidate, match
from sync.remote import LotState, RemoteLot

_Lot = TypeVar("_Lot")


@dataclass(slots=True)
class Known:
    """A listing of which we keep what was agreed on. `is_in_doubt`: it was sent or sold, and has to be read first."""

    listing_id: UUID
    lot_id: UUID | None
    number: str | None
    base: LotState | None
    is_in_doubt: bool = False


# What a lot is: type, number, color, condition, completeness (sync.queries.meanings.Key).
Key = tuple[str, str, int | None, str, str | None]


@dataclass(slots=True)
class Mine:
    """A lot of ours as a store is to show it. `why`: why it shows nothing; `names`: other numbers of it there."""

    lot_id: UUID
    version: int
    key: Key
    state: LotState
    why: str = ""
    # Whether it may be listed where it isn't yet.
    may_be_new: bool = True
    names: tuple[str, ...] = ()
    name: str = ""
    color_name: str = ""
    updated_at: datetime | None = None

    @property
    def condition(self) -> str:
        """Answer whether it is new or used."""
        return self.key[3]


@dataclass(slots=True)
class Pair:
    """A lot there and the one of ours that it is; `known`: None where nobody has noted that yet.

    `spare`: a listing of our lot whose own lot there is gone, or was never made; it becomes this one's.
    """

    theirs: RemoteLot
    lot_id: UUID
    known: Known | None = None
    spare: Known | None = None


@dataclass(slots=True)
class Paired:
    """What came of it; each lot is in one place."""

    pairs: list[Pair] = field(default_factory=list)
    # On the channel alone, and what they are is known.
    only_there: list[RemoteLot] = field(default_factory=list)
    # Of ours, without a lot there.
    only_here: list[UUID] = field(default_factory=list)
    # Nobody knows what they are.
    unknown: list[RemoteLot] = field(default_factory=list)
    # Listed there, of a lot that is gone here.
    orphans: list[tuple[RemoteLot, Known]] = field(default_factory=list)
    # By what we know, listings that aren't there: with a number, or without one yet; by their lots.
    spare: dict[UUID, Known] = field(default_factory=dict)
    gone_count: int = 0
    # Lots of a kind of which one side has more: the surplus there, with our lots of that kind.
    crowd_there: dict[str, tuple[UUID, ...]] = field(default_factory=dict)
    crowd_here: frozenset[UUID] = frozenset()


def pair(
    theirs: Collection[RemoteLot], ours: Mapping[UUID, Mine], known: Mapping[str, Known], *,
    waiting: Collection[Known] = (), markers: Mapping[str, UUID] | None = None,
    key_of: Callable[[RemoteLot], Hashable | None],
) -> Paired:  # fmt: skip
    """Pair a channel's lots with ours.

    `known`: listings by their numbers there; `waiting`: those without one; `markers`: which lot of ours is meant by
    what a channel keeps with its lots.
    """
    found = Paired()
    pairs, left = found.pairs, []
    listed: set[UUID] = set()
    met = 0
    for lot in theirs:
        listing = known.get(lot.lot_id)
        if listing is None:
            left.append(lot)
            continue
        met += 1
        lot_id = listing.lot_id
        if lot_id is None:
            found.orphans.append((lot, listing))
        elif lot_id in ours:
            pairs.append(Pair(lot, lot_id, listing))
            listed.add(lot_id)
    if met < len(known):
        there = {lot.lot_id for lot in theirs}
        gone = [listing for number, listing in known.items() if number not in there]
        found.gone_count = len(gone)
        waiting = [*waiting, *gone]
    found.spare = {each.lot_id: each for each in waiting if each.lot_id is not None and each.lot_id not in listed}
    if left or len(listed) < len(ours):
        rest = [mine for lot_id, mine in ours.items() if lot_id not in listed] if listed else list(ours.values())
        _match_rest(found, left, rest, markers or {}, key_of)
    return found


def _match_rest(
    found: Paired, theirs: Sequence[RemoteLot], ours: Sequence[Mine], markers: Mapping[str, UUID],
    key_of: Callable[[RemoteLot], Hashable | None],
) -> None:  # fmt: skip
    theirs, ours = _pair_singles(found, theirs, ours, markers, key_of)
    there = {lot.lot_id: lot for lot in theirs}
    here = {str(mine.lot_id): mine for mine in ours}
    result = match(
        [_candidate(str(mine.lot_id), mine.key, mine.state, mine.names) for mine in ours],
        [_candidate(lot.lot_id, key_of(lot), lot.state, _named(lot, markers)) for lot in theirs],
    )
    for each in result.pairs:
        lot_id = here[each.source].lot_id
        found.pairs.append(Pair(there[each.target], lot_id, spare=found.spare.get(lot_id)))
    found.only_here = [here[ref].lot_id for ref in (*result.source_only, *result.unmatched_sources)]
    found.only_there = [there[ref] for ref in result.target_only]
    found.unknown = [there[ref] for ref in result.unmatched_targets]
    alone, apart = set(result.target_only), set(result.source_only)
    surplus: set[UUID] = set()
    for crowd in result.crowds:
        partners = tuple(here[ref].lot_id for ref in crowd.sources if ref not in apart)
        found.crowd_there |= {ref: partners for ref in crowd.targets if ref in alone}
        surplus |= {here[ref].lot_id for ref in crowd.sources if ref in apart}
    found.crowd_here = frozenset(surplus)


def _pair_singles(
    found: Paired, theirs: Sequence[RemoteLot], ours: Sequence[Mine], markers: Mapping[str, UUID],
    key_of: Callable[[RemoteLot], Hashable | None],
) -> tuple[list[RemoteLot], list[Mine]]:  # fmt: skip
    """Pair lots of a kind of which either side has one, and that nothing names; answer the rest.

    That is what `match` would do with them, and nearly all of most stores.
    """
    numbers = {name for mine in ours for name in mine.names}
    named = {markers[lot.marker] for lot in theirs if lot.marker in markers} if markers else set()
    here, rest_here = _one_of_a_kind((mine.key, mine) for mine in ours)
    there, rest = _one_of_a_kind((key_of(lot), lot) for lot in theirs)
    spare, pairs = found.spare, found.pairs
    crowded = {mine.key for mine in rest_here} | {key_of(lot) for lot in rest}
    for key, lot in there.items():
        mine = here.get(key)
        is_named = lot.lot_id in numbers or lot.marker in markers
        if mine is None or key is None or is_named or mine.names or mine.lot_id in named or key in crowded:
            rest.append(lot)
        else:
            del here[key]
            pairs.append(Pair(lot, mine.lot_id, None, spare.get(mine.lot_id) if spare else None))
    return rest, [*rest_here, *here.values()]


def _one_of_a_kind(lots: Iterable[tuple[Hashable | None, _Lot]]) -> tuple[dict[Hashable | None, _Lot], list[_Lot]]:
    """Answer the first lot of each kind, and the others."""
    first: dict[Hashable | None, _Lot] = {}
    others = []
    for key, lot in lots:
        if first.setdefault(key, lot) is not lot:
            others.append(lot)
    return first, others


def _named(lot: RemoteLot, markers: Mapping[str, UUID]) -> tuple[str, ...]:
    named = markers.get(lot.marker) if lot.marker else None
    return () if named is None else (str(named),)


def _candidate(ref: str, key: Hashable | None, state: LotState, links: tuple[str, ...]) -> Candidate:
    return Candidate(ref, key, state.price, state.remarks or "", state.qty, links)
