"""Inventories as they are kept: every lot comes back as it was told, and states are told apart by their words."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection

from sync.remote import LotState, RemoteItem, RemoteLot
from sync.snapshots import Inventory, Packer, UnreadableError
from sync.states import as_json, as_text, read_state

HOSTILE = 'a "b" \\ \n\t]\t[\x01 é … 🧱'
FULL = LotState(
    qty=5, price=Decimal("0.1200"), description=HOSTILE, remarks="A-1",
    tiers=((50, Decimal("0.11")), (100, Decimal("0.1"))), bulk=2, sale=10, retain=False, stockroom="",
)  # fmt: skip
BARE = LotState(qty=0, price=Decimal("1E+2"))
ITEM = RemoteItem(
    item_type="PART",
    item_no=HOSTILE,
    condition="NEW",
    color_no="5",
    name="Brick ]\t[",
    numbers=("bricklink:3001", "x:"),
)
LOTS = [
    RemoteLot(
        lot_id="1", item=ITEM, state=FULL, marker="m1", version="7", weight_grams=Decimal("1.25"), cost=Decimal("0.05"),
        created_at=datetime(2024, 3, 1, 5, tzinfo=UTC), warnings=("odd ]\t[", "odder"),
    ),
    RemoteLot(lot_id="2", item=ITEM._replace(color_no=None, numbers=()), state=BARE, is_for_sale=False),
]  # fmt: skip


def kept(*pages: list[RemoteLot]) -> Inventory:
    packer = Packer()
    for page in pages:
        packer.add(page)
    return Inventory(packer.body())


def test_every_lot_comes_back_as_it_was_told() -> None:
    found = kept(LOTS, [], [lot._replace(lot_id=f"{lot.lot_id}0") for lot in LOTS])
    assert (list(found)[:2], [lot.lot_id for lot in found]) == (LOTS, ["1", "2", "10", "20"])
    assert (found.state("1"), len(found), "3" in found) == (FULL, 4, False)
    assert found.worth == 2 * 5 * Decimal("0.1200")


def test_more_lots_than_are_written_at_once_stay_apart() -> None:
    many = [LOTS[number % 2]._replace(lot_id=str(number)) for number in range(1201)]
    assert list(kept(many)) == many


def test_of_a_lot_that_was_told_twice_the_last_counts() -> None:
    found = kept(LOTS, [LOTS[0]._replace(state=FULL._replace(qty=1))])
    assert (len(found), found.state("1").qty, found.worth) == (2, 1, Decimal("0.1200"))


def test_what_is_cut_or_of_another_form_is_not_read() -> None:
    packer = Packer()
    packer.add(LOTS)
    body = packer.body()
    for wrong in (body[:-9], b"", b"no", body[: len(body) // 2]):
        with pytest.raises(UnreadableError):
            Inventory(wrong)


@pytest.mark.django_db
@pytest.mark.parametrize("state", [FULL, BARE, FULL._replace(tiers=(), description="", retain=None, stockroom=None)])
def test_a_state_is_kept_in_the_words_of_the_database(state: LotState) -> None:
    text = as_text(state)
    assert json.loads(text) == as_json(state)
    assert read_state(json.loads(text)) == state
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb::text", [json.dumps(as_json(state))])
        assert cursor.fetchone() == (text,)
    lot = LOTS[0]._replace(state=state)
    assert kept([lot]).is_kept_as("1", text)
    assert not kept([lot]).is_kept_as("1", text[:-1])
