"""Which lots are which: singles are paired as the careful matching would, and what names a lot counts first."""

import random
from decimal import Decimal
from uuid import UUID

from sync.matching import Candidate, match
from sync.pairing import Known, Mine, pair
from sync.remote import LotState, RemoteItem, RemoteLot


def state(qty: int, price: str = "0.10") -> LotState:
    return LotState(qty=qty, price=Decimal(price), remarks="")


def mine(number: int, no: str, *names: str, qty: int = 1) -> Mine:
    return Mine(
        lot_id=UUID(int=number), version=1, key=("PART", no, 5, "NEW", None), state=state(qty), names=names
    )  # fmt: skip


def there(number: str, no: str, marker: str = "", qty: int = 1) -> RemoteLot:
    item = RemoteItem(item_type="PART", item_no=no, color_no="5", condition="NEW")
    return RemoteLot(lot_id=number, item=item, state=state(qty), marker=marker)


def key_of(lot: RemoteLot) -> tuple[str, str, int, str, None] | None:
    return None if lot.item.item_no == "?" else ("PART", lot.item.item_no, 5, "NEW", None)


def test_pairs_as_the_careful_matching_does_whatever_there_is() -> None:
    dice = random.Random(3)  # noqa: S311  # a test's
    for _ in range(300):
        ours = [mine(number + 1, str(dice.randrange(6)), qty=dice.randrange(3)) for number in range(dice.randrange(7))]
        theirs = [there(f"t{number}", str(dice.randrange(6)), qty=dice.randrange(3)) for number in range(6)]
        markers = {"m": ours[0].lot_id} if ours and dice.random() < 0.5 else {}
        theirs[0] = there("t0", theirs[0].item.item_no, "m", theirs[0].state.qty)
        found = pair(theirs, {each.lot_id: each for each in ours}, {}, markers=markers, key_of=key_of)
        wanted = match(
            [Candidate(str(each.lot_id), each.key, each.state.price, "", each.state.qty) for each in ours],
            [
                Candidate(
                    lot.lot_id, key_of(lot), lot.state.price, "", lot.state.qty,
                    (str(markers["m"]),) if lot.marker and markers else (),
                )
                for lot in theirs
            ],
        )  # fmt: skip
        assert {(str(each.lot_id), each.theirs.lot_id) for each in found.pairs} == {
            (each.source, each.target) for each in wanted.pairs
        }
        assert {lot.lot_id for lot in found.only_there} == set(wanted.target_only)
        assert {str(lot_id) for lot_id in found.only_here} == set(wanted.source_only)


def test_a_lot_that_a_filter_leaves_out_is_neither_gone_nor_new() -> None:
    known = {"t1": Known(UUID(int=9), UUID(int=1), "t1", state(1))}
    found = pair([there("t1", "3001")], {}, known, key_of=key_of)
    assert (found.pairs, found.orphans, found.only_there) == ([], [], [])


def test_the_listing_of_a_lot_that_is_gone_here_is_an_orphan() -> None:
    known = {"t1": Known(UUID(int=9), None, "t1", state(1))}
    found = pair([there("t1", "3001"), there("t2", "?")], {}, known, key_of=key_of)
    assert [lot.lot_id for lot, _known in found.orphans] == ["t1"]
    assert [lot.lot_id for lot in found.unknown] == ["t2"]


def test_what_was_listed_and_is_gone_there_is_spare_and_finds_its_like() -> None:
    known = {"t1": Known(UUID(int=9), UUID(int=1), "t1", state(1))}
    found = pair([there("t2", "3001")], {UUID(int=1): mine(1, "3001")}, known, key_of=key_of)
    assert found.gone_count == 1
    assert [(each.theirs.lot_id, each.spare and each.spare.number) for each in found.pairs] == [("t2", "t1")]
