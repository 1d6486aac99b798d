"""What BrickLink's lots come to, and what it is asked to do to them: literal answers, of its documentation."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from common.errors import CredentialsRefused, ProviderUnavailable
from sync.channels.bricklink import lots
from sync.remote import (
    Act,
    LotState,
    Operation,
    RemoteItem,
    Verdict,
)
from sync.tests.scripted import WIRE, Fault, Scripted, literal, refused

STATE = LotState(
    qty=42, price=Decimal("0.12"), description="light play wear", remarks="A-01-03",
    tiers=((25, Decimal("0.11")), (100, Decimal("0.10"))), bulk=1, sale=0, retain=False, stockroom="",
)  # fmt: skip
BRICK = RemoteItem(item_type="PART", item_no="3001", color_no="5", condition="USED")
CREATE = Operation(key="a", act=Act.CREATE, marker="m1", item=BRICK, after=STATE)
UPDATE = Operation(key="u", act=Act.UPDATE, lot_id="301000017", marker="m1", before=STATE, after=STATE)


@pytest.fixture
def code() -> str:
    return "bricklink"


@pytest.fixture
def channel(make_channel: Any, script: Scripted) -> Any:
    return make_channel("bricklink", script.url)


def test_reads_lots(channel: Any) -> None:
    part, boxed, figure = [lot for page in channel.fetch_inventory() for lot in page]
    assert (part.lot_id, part.item.item_no, part.item.color_no, part.item.color_name) == (
        "301000017",
        "3001",
        "5",
        "Red",
    )
    assert part.state == STATE
    assert (boxed.item.item_type, boxed.item.completeness, boxed.state.stockroom) == ("SET", "COMPLETE", "A")
    assert (boxed.item.color_no, boxed.is_for_sale) == (None, False)
    assert (figure.marker, figure.state.remarks) == ("7f3k2a9qwxyz2", "M-04")
    assert (figure.state.qty, figure.state.retain, figure.state.sale) == (0, True, 10)
    assert figure.state.description == "cape (old) & <b>rare</b>"
    assert (figure.weight_grams, figure.cost) == (Decimal("4.77"), Decimal("0.7"))


def test_reads_a_lot_in_words_that_it_does_not_know() -> None:
    row = {**literal("bricklink", "lot.json"), "new_or_used": "X", "completeness": "X"}
    row["item"] = {"no": "x1", "name": "?", "type": "hologram"}
    lot = lots.lot_of(row)
    assert (lot.item.item_type, lot.item.type_word, lot.item.condition, len(lot.warnings)) == (
        "CUSTOM",
        "HOLOGRAM",
        "USED",
        2,
    )
    row["item"] = {"no": "7657-1", "type": "SET"}
    assert lots.lot_of(row).item.completeness is None


@pytest.mark.parametrize("change", [
    {"quantity": -1}, {"quantity": "a"}, {"unit_price": "NaN"}, {"item": None}, {"inventory_id": None},
    {"quantity": 1.5},
])  # fmt: skip
def test_makes_no_lot_of_nonsense(change: dict[str, Any], channel: Any, script: Scripted, quick: None) -> None:
    script.answer("GET inventories", {"meta": {"code": 200}, "data": [{**literal("bricklink", "lot.json"), **change}]})
    with pytest.raises(ProviderUnavailable):
        list(channel.fetch_inventory())


@pytest.mark.parametrize("said", [
    refused(404, "RESOURCE_NOT_FOUND", ""), refused(403, "PERMISSION_DENIED", "not yours"),
])  # fmt: skip
def test_finds_no_lot_that_is_gone_or_somebody_elses(said: Any, channel: Any, script: Scripted) -> None:
    script.answer("GET inventories/1", said)
    assert channel.fetch_lot("1") is None


def test_writes_a_lot(channel: Any, script: Scripted) -> None:
    script.answer("POST inventories", json.loads((WIRE / "bricklink" / "created.json").read_text()))
    (outcome,) = channel.apply([CREATE])
    assert (outcome.verdict, outcome.lot_id, outcome.lot.state.price) == (Verdict.DONE, "301000018", Decimal(50))
    assert script.asked[0].headers["content-type"] == "application/json"
    assert script.asked[0].json == {
        "item": {"no": "3001", "type": "PART"}, "color_id": 5, "quantity": 42, "new_or_used": "U",
        "unit_price": "0.1200", "description": "light play wear", "remarks": "A-01-03 [b:m1]", "bulk": 1,
        "sale_rate": 0, "is_retain": False, "is_stock_room": False, "tier_quantity1": 25, "tier_price1": "0.1100",
        "tier_quantity2": 100, "tier_price2": "0.1000", "tier_quantity3": 0, "tier_price3": "0.0000",
    }  # fmt: skip


def test_writes_a_set_in_a_stockroom_without_tiers() -> None:
    item = RemoteItem(item_type="SET", item_no="7657-1", condition="NEW", completeness="INCOMPLETE")
    body = lots.create_body(replace(CREATE, item=item, after=STATE._replace(tiers=(), stockroom="B", remarks="")))
    assert (body["completeness"], body["color_id"], body["stock_room_id"], body["remarks"]) == ("B", 0, "B", "[b:m1]")
    assert not [name for name in body if name.startswith("tier_")]


def test_creates_many_at_once_and_learns_their_ids_from_the_list(channel: Any, script: Scripted) -> None:
    many = [replace(CREATE, key=str(number), marker=f"m{number}") for number in range(501)]
    outcomes = list(channel.apply(many))
    assert {outcome.verdict for outcome in outcomes} == {Verdict.DONE}
    assert {outcome.lot_id for outcome in outcomes} == {""}
    # The last of them is alone, and no list.
    assert [isinstance(asked.json, list) for asked in script.asked] == [True, False]
    assert list(channel.find_lots(["7f3k2a9qwxyz2", "m1"])) == ["7f3k2a9qwxyz2"]


def test_cuts_a_list_that_is_too_long(channel: Any, script: Scripted) -> None:
    long = STATE._replace(description="x" * 20_000)
    list(channel.apply([replace(CREATE, key=str(number), after=long) for number in range(20)]))
    assert all(len(asked.body) <= 200_000 for asked in script.asked)
    assert sum(len(asked.json) for asked in script.asked) == 20


@pytest.mark.parametrize(("item", "after", "why"), [
    (BRICK._replace(item_type="CUSTOM"), STATE, "no items of this type"),
    (BRICK._replace(item_type="SET"), STATE, "complete, incomplete or sealed"),
    (BRICK._replace(item_type="SET", completeness="SEALED"), STATE, "never sealed"),
    (BRICK, STATE._replace(price=Decimal(0)), "above zero"),
    (BRICK, STATE._replace(qty=0), "without pieces"),
])  # fmt: skip
def test_sends_nothing_that_would_spoil_a_list(item: Any, after: Any, why: str, channel: Any, script: Scripted) -> None:
    (outcome,) = channel.apply([replace(CREATE, item=item, after=after)])
    assert outcome.verdict is Verdict.REFUSED
    assert why in outcome.reason
    assert not script.asked


def test_tells_the_lots_of_a_refused_list_apart(channel: Any, script: Scripted) -> None:
    others = [replace(CREATE, key=f"k{number}", marker=f"none{number}", item=BRICK) for number in range(3)]
    odd = replace(CREATE, key="odd", marker="none9", item=BRICK._replace(item_no="nobodys1"))
    script.answer(
        "POST inventories",
        refused(400, "PARAMETER_MISSING_OR_INVALID", "item.no: nobodys1"), refused(201, "OK_CREATED", ""),
    )  # fmt: skip
    outcomes = {each.key: each for each in channel.apply([*others, odd])}
    assert {key: each.verdict for key, each in outcomes.items()} == {
        "odd": Verdict.REFUSED, "k0": Verdict.DONE, "k1": Verdict.DONE, "k2": Verdict.DONE,
    }  # fmt: skip
    assert outcomes["odd"].reason == "BrickLink doesn't take this: item.no: nobodys1"
    # The list, the look at what of it was kept, and the rest.
    assert [each.method for each in script.asked] == ["POST", "GET", "POST"]


def test_halves_a_refused_list_until_it_knows_whom(channel: Any, script: Scripted) -> None:
    script.answer("POST inventories", refused(400, "PARAMETER_MISSING_OR_INVALID", "item.no"))
    both = [replace(CREATE, key=key, marker=f"none-{key}") for key in "ab"]
    assert [each.verdict for each in channel.apply(both)] == [Verdict.REFUSED] * 2
    (alone,) = channel.apply([CREATE])
    assert (alone.verdict, alone.reason) == (Verdict.REFUSED, "BrickLink doesn't take this: item.no")


@pytest.mark.parametrize(("changes", "body"), [
    ({"qty": 39}, {"quantity": "-3"}),
    ({"qty": 47}, {"quantity": "+5"}),
    ({"price": Decimal("0.13"), "remarks": "A-01-04"}, {"unit_price": "0.1300", "remarks": "A-01-04 [b:m1]"}),
    ({"stockroom": "C"}, {"is_stock_room": True, "stock_room_id": "C"}),
    ({"tiers": ()}, {"tier_quantity1": 0, "tier_price1": "0.0000", "tier_quantity2": 0, "tier_price2": "0.0000",
                     "tier_quantity3": 0, "tier_price3": "0.0000"}),
    ({"description": "", "sale": 5, "bulk": 2, "retain": True},
     {"description": "", "bulk": 2, "sale_rate": 5, "is_retain": True}),
    # What the other side doesn't have isn't told.
    ({"retain": None, "stockroom": None}, {}),
])  # fmt: skip
def test_changes_only_what_changed_and_quantities_by_difference(changes: Any, body: Any) -> None:
    assert lots.update_body(replace(UPDATE, after=STATE._replace(**changes))) == body


def test_sends_nothing_where_nothing_changed(channel: Any, script: Scripted) -> None:
    (outcome,) = channel.apply([UPDATE])
    assert (outcome.verdict, script.asked) == (Verdict.DONE, [])


@pytest.mark.parametrize(("said", "verdict"), [
    (refused(404, "RESOURCE_NOT_FOUND", ""), Verdict.STALE),
    (refused(422, "RESOURCE_UPDATE_NOT_ALLOWED", "quantity below zero"), Verdict.STALE),
    (refused(400, "PARAMETER_MISSING_OR_INVALID", "quantity"), Verdict.REFUSED),
])  # fmt: skip
def test_tells_a_lot_that_is_not_as_it_was_from_a_change_that_is_wrong(
    said: Any, verdict: Verdict, channel: Any, script: Scripted
) -> None:
    script.answer("PUT inventories/301000017", said)
    (outcome,) = channel.apply([replace(UPDATE, after=STATE._replace(qty=1))])
    assert outcome.verdict is verdict


def test_repeats_what_may_be_repeated(channel: Any, script: Scripted, quick: None) -> None:
    script.fail(Fault("reset"), times=1)
    (outcome,) = channel.apply([replace(UPDATE, after=STATE._replace(price=Decimal(1)))])
    assert (outcome.verdict, len(script.asked)) == (Verdict.DONE, 2)
    delete = Operation(key="d", act=Act.DELETE, lot_id="5", before=STATE)
    script.answer("DELETE inventories/5", refused(404, "RESOURCE_NOT_FOUND", ""))
    assert [each.verdict for each in channel.apply([delete])] == [Verdict.DONE]


@pytest.mark.parametrize("said", [
    (204, None), refused(204, "OK_NO_CONTENT", ""), refused(200, "OK", ""),
])  # fmt: skip
def test_takes_every_form_of_done(said: Any, channel: Any, script: Scripted) -> None:
    script.answer("DELETE inventories/5", said)
    outcomes = list(channel.apply([Operation(key="d", act=Act.DELETE, lot_id="5", before=STATE)]))
    assert [each.verdict for each in outcomes] == [Verdict.DONE]


# --- The envelope, and why it is refused ---
@pytest.mark.parametrize(("description", "reason", "words"), [
    ("SIGNATURE_INVALID: Invalid Signature", "wrong_secret", "one of the two secrets is wrong"),
    ("TOKEN_IP_MISMATCHED: consumer: CK IP: 198.51.100.7", "address", "Add 198.51.100.7 under “Register”"),
    ("CONSUMER_KEY_UNKNOWN", "wrong_key", "doesn't know this consumer key"),
    ("TOKEN_REJECTED", "revoked", "deleted there"),
    ("TIMESTAMP_REFUSED", "clock", "the clock of this server is off"),
])  # fmt: skip
def test_says_precisely_why_it_isrefused(
    description: str, reason: str, words: str, channel: Any, script: Scripted
) -> None:
    script.answer("GET orders", refused(401, "BAD_OAUTH_REQUEST", description))
    with pytest.raises(CredentialsRefused, match=words) as failed:
        channel.test_connection()
    assert failed.value.extra["reason"] == reason
    assert (failed.value.extra.get("address") == "198.51.100.7") == (reason == "address")


@pytest.mark.parametrize("said", [
    refused(401, "BAD_OAUTH_REQUEST", "… blocked consumer_key …"), refused(429, "", "API call limit exceeded"),
])  # fmt: skip
def test_waits_an_hour_once_the_day_is_used_up(said: Any, channel: Any, script: Scripted) -> None:
    script.answer("GET orders", said)
    with pytest.raises(ProviderUnavailable) as failed:
        channel.test_connection()
    assert failed.value.extra["retry_after"] == 3600
    assert len(script.asked) == 1


def test_tries_again_where_a_nonce_was_seen(channel: Any, script: Scripted, quick: None) -> None:
    script.answer("GET orders", refused(401, "BAD_OAUTH_REQUEST", "NONCE_USED"), {"meta": {"code": "200"}, "data": []})
    assert channel.test_connection().name == ""
    nonces = {asked.headers["authorization"] for asked in script.asked}
    assert len(nonces) == 2


def test_says_what_the_newest_order_knows_of_the_store(channel: Any) -> None:
    facts = channel.test_connection()
    assert (facts.name, facts.currency, facts.lots_count) == ("Demo Bricks", "EUR", None)


def test_keeps_a_marker_apart_from_the_remarks() -> None:
    assert lots.marked("A-01 [b:abc]") == ("A-01", "abc")
    assert lots.marked("[b:abc]") == ("", "abc")
    assert lots.marked("see [b:abc] there") == ("see [b:abc] there", "")
    assert lots.marked(lots.with_marker("A-01 · top", "abc")) == ("A-01 · top", "abc")
