"""What Brikick's answers come to, and what it is asked: literal ones, of the contract."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from common.errors import CredentialsRefused, ProviderRejected, ProviderUnavailable
from sync.channels.brikick import Brikick, lots, orders
from sync.remote import (
    Act,
    LotState,
    Operation,
    OrderFlag,
    OrderStatus,
    PaymentStatus,
    Pushed,
    RemoteItem,
    StatusPush,
    Topic,
    Verdict,
)
from sync.tests.scripted import Fault, Scripted, literal
from sync.tests.test_channels_conformance import NOTIFICATIONS, NOW, SECRET

STATE = LotState(
    qty=42, price=Decimal("0.12"), description="light play wear", remarks="A-01-03",
    tiers=((25, Decimal("0.11")), (100, Decimal("0.10"))), bulk=1, sale=0, retain=False, stockroom="",
)  # fmt: skip
BRICK = RemoteItem(item_type="PART", item_no="3001", color_no="5", condition="USED", sub_condition="GOOD")
CREATE = Operation(key="a", act=Act.CREATE, marker="m1", item=BRICK, after=STATE)
UPDATE = Operation(
    key="u", act=Act.UPDATE, lot_id="900017", version="3", before=STATE,
    after=STATE._replace(qty=39, price=Decimal("0.13"), stockroom="A", tiers=()),
)  # fmt: skip


@pytest.fixture
def code() -> str:
    return "brikick"


@pytest.fixture
def channel(make_channel: Any, script: Scripted) -> Any:
    return make_channel("brikick", script.url)


def _error(status: int, code: str, **details: Any) -> tuple[int, Any]:
    return status, {"error": {"code": code, "message": code.replace("_", " "), "details": details}}


def test_reads_lots_and_leaves_out_what_was_deleted(channel: Any) -> None:
    (lot,) = [lot for page in channel.fetch_inventory() for lot in page]
    assert (lot.lot_id, lot.version, lot.marker, lot.is_for_sale) == ("900017", "3", "5f0c…", True)
    # Two lie in carts: they aren't sold, and may come back.
    assert (lot.state, lot.in_carts) == (STATE._replace(qty=44), 2)
    assert (lot.item.sub_condition, lot.item.color_no) == ("GOOD", "5")


def test_reads_a_list_to_its_last_page(channel: Any, script: Scripted) -> None:
    lot = literal("brikick", "lot.json")
    script.answer("GET lots", {"items": [lot], "next_cursor": "c1"}, {"items": [{**lot, "id": 2}], "next_cursor": None})
    assert [[lot.lot_id for lot in page] for page in channel.fetch_inventory()] == [["900017"], ["2"]]
    assert [asked.query.get("cursor") for asked in script.asked] == [None, "c1"]


def test_loses_nothing_where_a_page_fails(channel: Any, script: Scripted, quick: None) -> None:
    script.answer("GET lots", {"items": [literal("brikick", "lot.json")], "next_cursor": "c1"}, (500, {}))
    pages = channel.fetch_inventory()
    assert next(pages)
    with pytest.raises(ProviderUnavailable):
        next(pages)


def test_writes_a_batch(channel: Any, script: Scripted) -> None:
    delete = Operation(key="d", act=Act.DELETE, lot_id="900018", before=STATE)
    outcomes = list(channel.apply([CREATE, UPDATE, delete]))
    assert [(each.verdict, each.lot_id) for each in outcomes] == [
        (Verdict.DONE, "900101"), (Verdict.DONE, "900017"), (Verdict.DONE, "900018"),
    ]  # fmt: skip
    created, updated, deleted = script.asked[0].json["operations"]
    assert created["op"] == "create"
    assert created["lot"] == {
        "external_id": "m1", "item_type": "P", "item_no": "3001", "color_id": 5, "condition": "U",
        "completeness": None, "sub_condition": "GOOD", "quantity": 42, "unit_price": "0.1200",
        "description": "light play wear", "remarks": "A-01-03", "bulk_quantity": 1, "sale_percentage": 0,
        "tiers": [{"quantity": 25, "price": "0.1100"}, {"quantity": 100, "price": "0.1000"}], "is_retain": False,
        "stock_room": None,
    }  # fmt: skip
    assert updated == {
        "op": "update", "id": 900017, "if_version": 3, "quantity_delta": -3,
        "set": {"unit_price": "0.1300", "tiers": [], "stock_room": "A"},
    }  # fmt: skip
    assert deleted == {"op": "delete", "id": 900018}
    assert len(script.asked[0].headers["idempotency-key"]) == 64


def test_sends_nothing_where_nothing_changed(channel: Any, script: Scripted) -> None:
    assert [each.verdict for each in channel.apply([replace(UPDATE, after=STATE)])] == [Verdict.DONE]
    assert not script.asked


def test_reads_a_batch_that_was_done_in_part(channel: Any, script: Scripted) -> None:
    error = {"code": "validation_error", "message": "not valid", "details": {"unit_price": ["too high"]}}
    script.answer("POST lots/batch", {"results": [
        {"index": 0, "status": 422, "error": error}, {"index": 1, "status": 412, "error": {"code": "version_conflict"}},
        {"index": 2, "status": 409, "error": {"code": "insufficient_quantity"}}, {"index": 3, "status": 500},
    ]})  # fmt: skip
    outcomes = list(channel.apply([CREATE, *[replace(UPDATE, key=key) for key in "bcde"]]))
    assert {each.key: each.verdict for each in outcomes} == {
        "a": Verdict.REFUSED, "b": Verdict.STALE, "c": Verdict.STALE, "d": Verdict.UNKNOWN, "e": Verdict.UNKNOWN,
    }  # fmt: skip
    assert outcomes[0].reason == "not valid; unit_price: too high"


def test_asks_again_under_the_same_key_while_the_first_is_under_way(
    channel: Any, script: Scripted, quick: None
) -> None:
    script.fail(Fault("status", *_error(409, "idempotency_in_progress")), times=1)
    assert channel.push_order_status(_push("PAID", OrderStatus.SHIPPED)) is Pushed.DONE
    assert len({asked.headers["idempotency-key"] for asked in script.asked}) == 1
    assert script.asked[0].json == {"status": "SHIPPED", "reason": None}


def _push(there: str, status: OrderStatus) -> StatusPush:
    return StatusPush(order_id="70001", status=status, channel_status=there)


@pytest.mark.parametrize(("there", "status", "words"), [
    ("PAID", OrderStatus.PICKING, ("PROCESSING",)), ("PROCESSING", OrderStatus.READY, Pushed.NOT_NEEDED),
    ("PROCESSING", OrderStatus.SHIPPED, ("SHIPPED",)), ("SHIPPED", OrderStatus.PICKING, Pushed.NOT_NEEDED),
    ("PENDING", OrderStatus.SHIPPED, Pushed.NOT_YET), ("PENDING_APPROVAL", OrderStatus.PICKING, Pushed.NOT_YET),
    ("DISPUTED", OrderStatus.DELIVERED, Pushed.NOT_YET), ("CANCELLED", OrderStatus.SHIPPED, Pushed.NOT_YET),
    ("PENDING", OrderStatus.CANCELLED, ("CANCELLED",)), ("SHIPPED", OrderStatus.CANCELLED, Pushed.NOT_YET),
    ("PENDING_APPROVAL", OrderStatus.CANCELLED, Pushed.NOT_YET),
    ("REFUNDED", OrderStatus.CANCELLED, Pushed.NOT_NEEDED), ("SHIPPED", OrderStatus.DELIVERED, ("DELIVERED",)),
    ("PAID", OrderStatus.DELIVERED, ("SHIPPED", "DELIVERED")),
])  # fmt: skip
def test_tells_how_an_order_stands_and_never_goes_back(there: str, status: OrderStatus, words: Any) -> None:
    assert orders.words_for(_push(there, status)) == words


def test_reads_an_order(channel: Any) -> None:
    order = channel.fetch_order("70001")
    assert (order.number, order.status, order.payment_status) == ("BK-70001", OrderStatus.PENDING, PaymentStatus.PAID)
    assert (order.grand_total, order.shipping_cost, order.ship_to.city) == (Decimal("4.14"), Decimal("2.70"), "Town")
    assert [(line.line_id, line.lot_id, line.qty) for line in order.lines] == [("1", "900017", 12)]
    disputed = orders.order_of({**literal("brikick", "order.json"), "status": "DISPUTED"})
    assert (disputed.status, set(disputed.flags)) == (None, {OrderFlag.DISPUTE})


def test_fetches_each_version_of_an_order_once(channel: Any, script: Scripted) -> None:
    order = literal("brikick", "order.json")
    later = {**order, "id": 70002, "updated_at": "2025-02-28T10:15:00.000Z"}

    def seen(cursor: str) -> tuple[list[str], str]:
        pages = list(channel.fetch_orders(cursor))
        return [each.order_id for page in pages for each in page.orders], pages[-1].cursor

    script.answer("GET orders", {"items": [order, later], "next_cursor": None})
    ids, cursor = seen("")
    assert ids == ["70001", "70002"]
    script.answer("GET orders", {"items": [later], "next_cursor": None})
    assert seen(cursor)[0] == []
    # Ten minutes back: what was changed before may show only now.
    assert script.asked[-1].query["updated_since"] == "2025-02-28T10:05:00.000Z"
    script.answer("GET orders", {"items": [{**later, "version": 9}], "next_cursor": None})
    assert seen(cursor)[0] == ["70002"]


def test_goes_no_further_than_the_first_page_reached(channel: Any, script: Scripted) -> None:
    order = literal("brikick", "order.json")
    later = {**order, "id": 70002, "updated_at": "2025-02-28T11:00:00.000Z"}
    script.answer("GET orders", {"items": [order], "next_cursor": "c"}, {"items": [later], "next_cursor": None})
    *_pages, last = channel.fetch_orders("")
    script.answer("GET orders", {"items": [{**order, "version": 3}, later], "next_cursor": None})
    fresh = [each.order_id for page in channel.fetch_orders(last.cursor) for each in page.orders]
    assert fresh == ["70001"]
    assert order["updated_at"] == "2025-02-28T10:12:00.000Z"
    assert script.asked[-1].query["updated_since"] == "2025-02-28T10:02:00.000Z"


@pytest.mark.parametrize(("answer", "reason"), [
    (_error(401, "invalid_token"), "wrong_key"), (_error(403, "store_api_not_authorized"), "not_approved"),
    (_error(403, "scope_missing", scope="orders:read"), "scope"),
    ({**literal("brikick", "me.json"), "scopes": ["lots:read"]}, "scope"),
])  # fmt: skip
def test_says_precisely_why_the_key_is_refused(answer: Any, reason: str, channel: Any, script: Scripted) -> None:
    script.answer("GET me", answer)
    with pytest.raises(CredentialsRefused) as failed:
        channel.test_connection()
    assert failed.value.extra["reason"] == reason


def test_says_what_it_knows_of_the_store(channel: Any, script: Scripted) -> None:
    facts = channel.test_connection()
    assert (facts.name, facts.currency, facts.lots_count, facts.calls_left) == ("Demo Bricks", "EUR", 4210, 9987)
    script.answer("GET me", {**literal("brikick", "me.json"), "status": "VACATION"})
    assert channel.test_connection().warnings == ("The store is on vacation at Brikick.",)


def test_believes_only_what_is_signed_and_of_now() -> None:
    good = NOTIFICATIONS["brikick"]
    (hint,) = Brikick.parse_notification(good, secret=SECRET, now=NOW)
    assert (hint.topic, hint.resource_id, hint.account, hint.hint_id) == (Topic.ORDER, "70001", "12", "evt_1")
    for incoming, secret, now in (
        (good, "another", NOW),
        (good, "", NOW),
        (good, SECRET, NOW + timedelta(seconds=301)),
        (replace(good, body=good.body + b" "), SECRET, NOW),
        (replace(good, headers={}), SECRET, NOW),
    ):
        with pytest.raises(ProviderRejected):
            Brikick.parse_notification(incoming, secret=secret, now=now)


def test_writes_times_as_it_reads_them() -> None:
    assert orders.moment(datetime(2025, 3, 1, 9, 0, 0, 5000, tzinfo=UTC)) == "2025-03-01T09:00:00.005Z"
    row = {**literal("brikick", "lot.json"), "item_type": "X", "condition": "?", "status": "BLOCKED"}
    lot = lots.lot_or_none(row)
    assert lot is not None
    assert (lot.item.item_type, len(lot.warnings), lot.is_for_sale) == ("CUSTOM", 3, False)
