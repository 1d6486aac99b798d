"""What BrickLink's orders come to, and what it is told of them: literal answers, of its documentation."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from common.errors import ProviderRejected
from sync.channels import bricklink
from sync.channels.bricklink import orders
from sync.remote import (
    Hint,
    Incoming,
    OrderFlag,
    OrderStatus,
    PaymentStatus,
    Pushed,
    StatusPush,
    Topic,
    Tracking,
)
from sync.tests.scripted import Scripted, literal, refused


@pytest.fixture
def code() -> str:
    return "bricklink"


@pytest.fixture
def channel(make_channel: Any, script: Scripted) -> Any:
    return make_channel("bricklink", script.url)


def test_reads_an_order(channel: Any) -> None:
    order = channel.fetch_order("25000101")
    assert (order.status, order.payment_status, order.channel_status) == (
        OrderStatus.PENDING,
        PaymentStatus.PAID,
        "PAID",
    )
    assert (order.buyer.username, order.buyer.name, order.ship_to.country) == ("demobuyer", "Ada Example", "DE")
    assert (order.subtotal, order.shipping_cost, order.grand_total) == (
        Decimal("4.6190"),
        Decimal("2.7"),
        Decimal("7.3190"),
    )
    assert (order.note, order.weight_grams, order.currency) == ("gift", Decimal("33.20"), "EUR")
    assert [(line.line_id, line.qty, line.line_total) for line in order.lines] == [
        ("1-301000017", 12, Decimal("1.44")), ("2-301000044", 2, Decimal("3.18")),
    ]  # fmt: skip
    assert order.warnings == ()


def test_reads_orders_of_every_odd_kind() -> None:
    row = literal("bricklink", "order.json")
    row["total_count"] = 0
    row["status"], row["payment"] = "UPDATED", {"method": "x", "currency_code": "EUR", "status": "BOUNCED"}
    row["shipping"] = {
        "method": "Letter",
        "address": {"name": {"first": "Ada", "last": "E"}, "full": "1 Street\r\nTown", "country_code": "UK"},
    }
    row["cost"] |= {"etc1": "1.0000", "credit": "0.5000", "grand_total": "7.8190"}
    order = orders.order_of(row, [[], []])
    assert order.ship_to is not None
    assert (order.status, set(order.flags), order.payment_status) == (
        OrderStatus.NEW, {OrderFlag.ITEMS_CHANGED}, PaymentStatus.UNPAID,
    )  # fmt: skip
    assert (order.ship_to.name, order.ship_to.address1, order.ship_to.country) == ("Ada E", "1 Street, Town", "GB")
    assert (order.shipping_cost, order.discount_amount, order.lines, order.warnings) == (
        Decimal("3.7"),
        Decimal("0.5"),
        (),
        (),
    )
    row["status"], row["cost"]["grand_total"] = "TELEPORTED", "99.0000"
    strange = orders.order_of(row, None)
    assert (strange.status, strange.channel_status, strange.lines, len(strange.warnings)) == (
        None,
        "TELEPORTED",
        None,
        2,
    )


def test_counts_the_same_lot_twice_in_a_batch() -> None:
    line = literal("bricklink", "items.json")[0][0]
    assert [each.line_id for each in orders.lines_of([[line, line]], []) or ()] == ["1-301000017", "1-301000017-2"]


def test_reads_vat_within_the_prices_and_on_top_of_them() -> None:
    row = literal("bricklink", "order.json")
    row["cost"] |= {"vat_amount": "1.0000"}
    assert orders.order_of(row, None).tax_amount == 0
    row["cost"] |= {"grand_total": "8.3190"}
    assert orders.order_of(row, None).tax_amount == 1
    row["cost"] = {
        **{k: v for k, v in row["cost"].items() if not k.startswith("salesTax")},
        "salesTax": "1.0000",
        "vat_amount": "0.0000",
    }
    assert orders.order_of(row, None).tax_amount == 1


def _summary(order_id: int, status: str, changed: str, **more: Any) -> dict[str, Any]:
    return {
        **literal("bricklink", "orders.json")[1],
        "order_id": order_id,
        "status": status,
        "date_status_changed": changed,
        **more,
    }


def _seen(channel: Any, cursor: str, since: datetime | None = None) -> tuple[list[str], str]:
    pages = list(channel.fetch_orders(cursor, since=since))
    return [order.order_id for page in pages for order in page.orders], pages[-1].cursor if pages else cursor


def test_fetches_each_change_of_an_order_once(channel: Any, script: Scripted) -> None:
    first = _summary(25000101, "PENDING", "2025-02-28T12:00:00.000Z")
    shipped = _summary(25000007, "SHIPPED", "2025-02-27T12:00:00.000Z")
    for order_id in (25000101, 25000007):
        body = {"meta": {"code": 200}, "data": {**literal("bricklink", "order.json"), "order_id": order_id}}
        script.answer(f"GET orders/{order_id}", body)

    def listed(*rows: Any) -> None:
        script.answer("GET orders", {"meta": {"code": 200}, "data": list(rows)})

    listed(first, shipped)
    ids, cursor = _seen(channel, "")
    assert ids == ["25000007", "25000101"]
    script.asked.clear()
    assert _seen(channel, cursor) == ([], cursor)
    assert len(script.asked) == 1
    # Another batch of items moves the counts, and not the date.
    listed({**first, "total_count": 20}, shipped)
    ids, cursor = _seen(channel, cursor)
    assert ids == ["25000101"]
    listed(
        {**first, "total_count": 20},
        {**shipped, "status": "COMPLETED", "date_status_changed": "2025-03-05T12:00:00.000Z"},
    )
    ids, cursor = _seen(channel, cursor)
    assert ids == ["25000007"]
    # One that was placed earlier, and is listed only now.
    listed({**first, "total_count": 20}, _summary(25000007, "PENDING", "2025-01-01T12:00:00.000Z"))
    assert _seen(channel, cursor)[0] == ["25000007"]


def test_begins_with_orders_since_a_day_and_goes_on_where_it_was_stopped(channel: Any) -> None:
    assert _seen(channel, "", since=datetime(2025, 1, 1, tzinfo=UTC))[0] == ["25000101"]
    first = next(iter(channel.fetch_orders("")))
    assert [order.order_id for order in first.orders]
    assert len(_seen(channel, first.cursor)[0]) == 1


@pytest.mark.parametrize(("there", "status", "is_paid", "word"), [
    ("PAID", OrderStatus.PICKING, True, Pushed.NOT_NEEDED),
    ("PENDING", OrderStatus.PICKING, True, "PROCESSING"),
    ("PROCESSING", OrderStatus.READY, True, "PACKED"),
    ("PROCESSING", OrderStatus.READY, False, "READY"),
    ("PAID", OrderStatus.SHIPPED, True, "SHIPPED"),
    ("SHIPPED", OrderStatus.READY, True, Pushed.NOT_NEEDED),
    ("SHIPPED", OrderStatus.DELIVERED, True, "RECEIVED"),
    ("RECEIVED", OrderStatus.COMPLETED, True, "COMPLETED"),
    ("PAID", OrderStatus.CANCELLED, True, Pushed.BY_HAND),
    ("NPX", OrderStatus.CANCELLED, True, Pushed.NOT_NEEDED),
    ("CANCELLED", OrderStatus.SHIPPED, True, Pushed.NOT_YET),
    ("NPB", OrderStatus.SHIPPED, True, Pushed.NOT_YET),
])  # fmt: skip
def test_tells_how_an_order_stands_and_never_goes_back(there: str, status: Any, is_paid: Any, word: Any) -> None:
    assert orders.word_for(StatusPush(order_id="1", status=status, channel_status=there, is_paid=is_paid)) == word


def test_looks_into_a_refused_status_before_it_gives_up(channel: Any, script: Scripted) -> None:
    script.answer("PUT orders/25000101/status", refused(422, "RESOURCE_UPDATE_NOT_ALLOWED", "NOT_IN_UPDATABLE_STATUS"))
    push = StatusPush(order_id="25000101", status=OrderStatus.READY, channel_status="PENDING")
    with pytest.raises(ProviderRejected, match="NOT_IN_UPDATABLE_STATUS"):
        channel.push_order_status(push)
    script.answer(
        "GET orders/25000101",
        {"meta": {"code": 200}, "data": {**literal("bricklink", "order.json"), "status": "COMPLETED"}},
    )
    assert channel.push_order_status(push) is Pushed.NOT_NEEDED


def test_tells_how_a_parcel_is_followed(channel: Any, script: Scripted) -> None:
    at = datetime(2025, 3, 1, 9, 30, tzinfo=UTC)
    channel.push_tracking(Tracking(order_id="25000101", number="RR1", url="https://t.example/RR1", shipped_at=at))
    assert script.asked[0].json == {"shipping": {
        "tracking_no": "RR1", "tracking_link": "https://t.example/RR1", "date_shipped": "2025-03-01T09:30:00.000Z",
    }}  # fmt: skip


def test_reads_messages_the_oldest_first(channel: Any) -> None:
    first, second = channel.fetch_messages("25000101")
    assert (first.subject, first.body, second.subject) == ("Order #25000101", "Thank you & welcome", "")


def test_reads_hints() -> None:
    body = {"meta": {"code": 200}, "data": [
        {"event_type": "Order", "resource_id": 1, "timestamp": "t"}, {"event_type": "Feedback", "resource_id": 2},
        {"event_type": "Message", "resource_id": 3},
    ]}  # fmt: skip
    hints = bricklink.BrickLink.parse_notification(
        Incoming(body=json.dumps(body).encode()), secret="", now=datetime.now(UTC)
    )
    assert [(hint.topic, hint.resource_id) for hint in hints] == [(Topic.ORDER, "1"), (Topic.MESSAGE, "3")]
    assert hints[0] == Hint(topic=Topic.ORDER, resource_id="1", hint_id="Order:1:t")
    for nonsense in (b"", b"3", b"[3]", b'[{"event_type":"Order"}]'):
        with pytest.raises(ProviderRejected):
            bricklink.BrickLink.parse_notification(Incoming(body=nonsense), secret="", now=datetime.now(UTC))


def test_fetches_a_change_that_is_listed_later_than_one_that_came_after_it(channel: Any, script: Scripted) -> None:
    for order_id in (25000101, 25000007):
        body = {"meta": {"code": 200}, "data": {**literal("bricklink", "order.json"), "order_id": order_id}}
        script.answer(f"GET orders/{order_id}", body)

    def listed(*rows: Any) -> None:
        script.answer("GET orders", {"meta": {"code": 200}, "data": list(rows)})

    other = _summary(25000007, "SHIPPED", "2025-02-28T12:00:09.000Z")
    listed(_summary(25000101, "PAID", "2025-02-28T11:00:00.000Z"), other)
    _ids, cursor = _seen(channel, "")
    listed(_summary(25000101, "CANCELLED", "2025-02-28T12:00:05.000Z"), other)
    ids, cursor = _seen(channel, cursor)
    assert ids == ["25000101"]
    assert _seen(channel, cursor) == ([], cursor)
