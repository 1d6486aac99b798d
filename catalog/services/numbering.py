"""Asks a marketplace for its own numbers of what the catalog has under BrickLink's, so that it can be listed there."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from catalog.choices import ItemType, Source, System
from catalog.queries.references import numbers_preferred
from catalog.services import keeping
from catalog.services.connecting import connect, is_connected
from catalog.services.looking_up import missed_among, remember_miss
from catalog.sources.base import FoundItem
from catalog.sources.base import Source as SourceAdapter
from common.errors import ProviderError, RateLimited
from common.wire import CallClass

# Under which misses are remembered: nobody's numbers have that system.
_MISSES = "to_{code:.8}"
_Item = tuple[str, str]


def learn_numbers(
    *, code: str, items: Collection[_Item], now: datetime,
    on_progress: Callable[[int, int, str], None] = lambda _done, _total, _why: None,
) -> int:  # fmt: skip
    """Ask Brick Owl (`code`) for its numbers of items by type and BrickLink's number; answer of how many it was asked.

    Only those of which the catalog has none, and that it hasn't been asked for today; many at once. What it says is
    kept at once, so that whoever goes on later begins where this ended. Ends, and tells `on_progress` why, where the
    calls are used up or it is away. No transaction is open while it is asked.
    """
    if not is_connected(code):
        return 0
    known = numbers_preferred(code, items)
    missed = missed_among(_MISSES.format(code=code), {number for _type, number in items}, now)
    wanted = [item for item in sorted(set(items)) if not known.get(item) and item[1] not in missed]
    # Last those that the catalog doesn't have: what they are called is told to fewer.
    wanted.sort(key=lambda item: item not in known)
    source = connect(code, call_class=CallClass.USUAL)
    done = 0
    try:
        for part in _in_parts(wanted, source.spec.numbers_at_once):
            on_progress(done, len(wanted), "")
            _learn(code, source, part, now, strangers={item for item in part if item not in known})
            done += len(part)
    except (RateLimited, ProviderError) as error:
        on_progress(done, len(wanted), str(error.detail))
    return done


def _learn(
    code: str, source: SourceAdapter, items: Sequence[_Item], now: datetime, *, strangers: Collection[_Item]
) -> None:
    """Ask of many at once. What has several numbers there, or none, has none that we could list it by."""
    numbers = {}
    for item, told in source.numbers_of(items).items():
        if len(told) == 1:
            numbers[item] = told[0]
        else:
            remember_miss(_MISSES.format(code=code), item[1], now)
    keeping.keep(Source(code), [_found(code, item, at) for item, at in numbers.items() if item not in strangers], {},
                 now=now)  # fmt: skip
    new = {item: at for item, at in numbers.items() if item in strangers}
    named = source.items_of(list(new.values())) if new else {}
    known = [replace(_found(code, item, at), name=named[at].name) for item, at in new.items() if at in named]
    keeping.keep(Source(code), known, {}, now=now)


def _found(code: str, item: _Item, number: str) -> FoundItem:
    ids = {code: (number,), System.BRICKLINK.value: (item[1],)}
    return FoundItem(item_type=ItemType(item[0]), number=number, name="", ids=ids)


def _in_parts(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))
