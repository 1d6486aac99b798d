"""Comparing two inventories: what it costs against the bare difference of two dictionaries (P12a).

`python -m bench.sync` prints seconds of both, and how many times as long the comparison takes: of stores whose lots are
known as pairs, and of those that are matched by what they are.
"""

import gc
import time
from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

from bench import rig

LOTS = 100_000
_EVERY, _ROUNDS = 50, 5


def _seconds(work: Callable[[], object]) -> float:
    """Answer the shortest of some rounds: what the machine does besides makes it longer, never shorter."""
    best = float("inf")
    for _ in range(_ROUNDS):
        gc.collect()
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def main() -> None:
    """Measure, and print."""
    rig.set_up()
    from sync.pairing import Known, Mine, pair  # noqa: PLC0415  # Django is set up only now
    from sync.remote import LotState, RemoteItem, RemoteLot  # noqa: PLC0415

    theirs, ours, known = [], {}, {}
    for number in range(LOTS):
        key = ("PART", f"{3000 + number // 60}", number % 60, "NEW", None)
        state = LotState(
            qty=number % 97, price=Decimal(number % 500) / 100, description="", remarks=f"A-{number % 400}", tiers=(),
            bulk=1, sale=0, retain=False, stockroom="",
        )  # fmt: skip
        there = state._replace(qty=state.qty + 1) if number % _EVERY == 0 else state._replace()
        item = RemoteItem(item_type="PART", item_no=key[1], color_no=str(key[2]), condition="NEW")
        theirs.append(RemoteLot(lot_id=str(number), item=item, state=there))
        lot_id = UUID(int=number)
        ours[lot_id] = Mine(lot_id=lot_id, version=1, key=key, state=state)
        known[str(number)] = Known(lot_id, lot_id, str(number), state._replace())
    keys = {lot.lot_id: mine.key for lot, mine in zip(theirs, ours.values(), strict=True)}

    def bare() -> int:
        left = {mine.key: mine.state for mine in ours.values()}
        right = {keys[lot.lot_id]: lot.state for lot in theirs}
        different = [key for key, state in left.items() if key in right and right[key] != state]
        return len(different) + len(left.keys() ^ right.keys())

    def compared(listings: dict[str, Known]) -> int:
        found = pair(theirs, ours, listings, key_of=lambda lot: keys[lot.lot_id])
        different = 0
        for each in found.pairs:
            there, listing = each.theirs.state, each.known
            if ours[each.lot_id].state == there and (listing is None or listing.base == there):
                continue
            different += 1
        return different + len(found.only_there) + len(found.only_here)

    limit = _seconds(bare)
    for words, listings in (("known pairs", known), ("matched by what they are", {})):
        took = _seconds(lambda listings=listings: compared(listings))  # type: ignore[misc]  # a default of a lambda has no annotation
        print(f"{LOTS:,} lots, {words}: {took:.3f} s, bare difference {limit:.3f} s, {took / limit:.2f} times")
    assert bare() == compared(known) == compared({})


if __name__ == "__main__":
    main()
