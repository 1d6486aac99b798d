"""What Brick Owl's answers come to, and what it is asked: literal ones, of its documentation and recorded traffic."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from common.errors import CredentialsRefused, OutcomeUnknown, ProviderRejected, ProviderUnavailable
from stores.channels import LotField
from sync.channels.brickowl import BrickOwl, lots, orders
from sync.remote import (
    Act,
    Hint,
    Incoming,
    LotState,
    Operation,
    OrderFlag,
    OrderStatus,
    PaymentStatus,
    Pushed,
    RemoteItem,
    StatusPush,
    Topic,
    Tracking,
    Verdict,
)
from sync.tests.scripted import Fault, Scripted, literal

STATE = LotState(
    qty=12, price=Decimal("0.72"), description="", remarks="A03", tiers=((25, Decimal("0.65")),), bulk=1, sale=0
)
BRICK = RemoteItem(item_type="PART", item_no="306255", color_no="64", condition="NEW")
CREATE = Operation(key="a", act=Act.CREATE, marker="m1", item=BRICK, after=STATE._replace(remarks="", tiers=()))
UPDATE = Operation(key="u", act=Act.UPDATE, lot_id="2726773", before=STATE, after=STATE._replace(qty=9))


@pytest.fixture
def code() -> str:
    return "brickowl"


@pytest.fixture
def channel(make_channel: Any, script: Scripted) -> Any:
    return make_channel("brickowl", script.url)


def _error(text: str, status: int = 400) -> tuple[int, Any]:
    return status, {"error": {"status": text}}


# --- Lots -------------------------------------------------------------------------------------------------------------
def test_reads_lots(channel: Any) -> None:
    part, boxed, strange = [lot for page in channel.fetch_inventory() for lot in page]
    assert (part.lot_id, part.item.item_no, part.item.color_no, part.marker) == ("2726773", "306255", "64", "301000021")
    assert (part.state, part.item.condition, part.item.condition_word) == (STATE, "NEW", "new")
    assert (boxed.item.item_type, boxed.item.item_no, boxed.item.completeness) == ("SET", "414759", "COMPLETE")
    assert (boxed.state.price, boxed.state.sale, boxed.state.description) == (50, 10, "box & instructions")
    assert (boxed.marker, boxed.item.color_no, boxed.cost) == ("", None, 20)
    assert (strange.item.item_type, strange.item.color_no, strange.is_for_sale) == ("CUSTOM", None, False)
    assert (strange.state.description, strange.state.sale, len(strange.warnings)) == ("", -5, 2)
    assert (strange.state.retain, strange.state.stockroom) == (None, None)


@pytest.mark.parametrize(("answer", "found"), [
    (lambda lot: [lot], True), (lambda lot: lot, True), (lambda _lot: [], False),
    (lambda _lot: _error("Lot not found"), False), (lambda _lot: _error("Lot not found", 200), False),
])  # fmt: skip
def test_reads_one_lot_in_every_form(answer: Any, found: Any, channel: Any, script: Scripted) -> None:
    script.answer("GET inventory/list", answer(literal("brickowl", "lot.json")[0]))
    assert (channel.fetch_lot("2726773") is not None) == found


def test_reads_the_price_before_a_sale() -> None:
    row = {**literal("brickowl", "lot.json")[0], "base_price": "1.000", "price": "0.900", "final_price": "0.900"}
    assert lots.lot_of(row).state.price == 1
    assert lots.lot_of({**row, "base_price": None}).state.price == Decimal("0.9")


CONDITIONS = [
    ("PART", "NEW", None, None, "new"), ("PART", "USED", None, "LIKE_NEW", "usedn"),
    ("PART", "USED", None, "GOOD", "usedg"), ("MINIFIG", "USED", None, "ACCEPTABLE", "useda"),
    ("SET", "NEW", "SEALED", None, "news"), ("SET", "NEW", "COMPLETE", None, "newc"),
    ("SET", "NEW", "INCOMPLETE", None, "newi"), ("SET", "USED", "COMPLETE", None, "usedc"),
    ("SET", "USED", "INCOMPLETE", None, "usedi"), ("BOX", "NEW", None, None, "usedn"),
    ("BOX", "USED", None, "GOOD", "usedg"),
]  # fmt: skip
_WORDS = {"PART": "Part", "MINIFIG": "Minifigure", "SET": "Set", "BOX": "Packaging"}


@pytest.mark.parametrize(("kind", "condition", "completeness", "grade", "word"), CONDITIONS)
def test_goes_there_and_back_with_every_condition(
    kind: str, condition: str, completeness: str | None, grade: str | None, word: str
) -> None:
    item = RemoteItem(item_type=kind, item_no="1", condition=condition, completeness=completeness, sub_condition=grade)
    assert lots.condition_code(item) == word
    read = lots.item_of({"type": _WORDS[kind], "boid": "1", "full_con": word}, [])
    assert (read.condition, read.completeness, read.sub_condition) == (condition, completeness, grade)


def test_grades_what_nobody_graded_as_good() -> None:
    assert lots.condition_code(BRICK._replace(condition="USED")) == "usedg"
    read = lots.item_of({"type": "Part", "boid": "1", "con": "used"}, [])
    assert (read.condition, read.sub_condition) == ("USED", "GOOD")
    assert lots.item_of({"type": "Part", "boid": "1", "full_con": None, "con": "newx"}, []).condition == "NEW"


def test_creates_in_one_request_what_needs_no_more(channel: Any, script: Scripted) -> None:
    script.answer("POST inventory/create", {"status": "success", "lot_id": "107931517"})
    (outcome,) = channel.apply([CREATE])
    assert (outcome.verdict, outcome.lot_id) == (Verdict.DONE, "107931517")
    assert {name: value for name, value in script.asked[0].form.items() if name != "key"} == {
        "boid": "306255", "color_id": "64", "quantity": "12", "price": "0.72", "condition": "new", "external_id": "m1",
    }  # fmt: skip
    assert "key" in script.asked[0].form


def test_writes_a_batch_with_what_follows_a_creation(channel: Any, script: Scripted) -> None:
    create = replace(CREATE, after=STATE._replace(description="a&b", bulk=5))
    delete = Operation(key="d", act=Act.DELETE, lot_id="7", before=STATE)
    outcomes = list(channel.apply([create, UPDATE, delete]))
    assert [(each.key, each.verdict, each.lot_id) for each in outcomes] == [
        ("a", Verdict.DONE, "107931517"), ("u", Verdict.DONE, "2726773"), ("d", Verdict.DONE, "7"),
    ]  # fmt: skip
    (asked,) = script.asked
    requests = json.loads(asked.form["requests"])["requests"]
    assert [(each["endpoint"], each["request_method"]) for each in requests] == [
        ("inventory/create", "POST"), ("inventory/update", "POST"), ("inventory/update", "POST"),
        ("inventory/delete", "POST"),
    ]  # fmt: skip
    assert requests[1]["params"] == [
        {"external_id": "m1", "public_note": "a&b", "personal_note": "A03", "tier_price": "25:0.65", "bulk_qty": "5"}
    ]
    assert requests[2]["params"] == [{"lot_id": "2726773", "relative_quantity": "-3"}]


@pytest.mark.parametrize(("changes", "arguments"), [
    ({"qty": 0}, {"absolute_quantity": "0"}),
    ({"qty": 20}, {"relative_quantity": "8"}),
    ({"price": Decimal("0.1236")}, {"price": "0.124"}),
    # The same to Brick Owl, which has three decimals.
    ({"price": Decimal("0.7204")}, None),
    ({"tiers": (), "bulk": 2, "sale": -10}, {"tier_price": "remove", "bulk_qty": "2", "sale_percent": "-10"}),
    ({"remarks": "", "description": "x"}, {"public_note": "x", "personal_note": ""}),
    ({"retain": True, "stockroom": "A"}, None),
])  # fmt: skip
def test_changes_only_what_changed(changes: Any, arguments: Any) -> None:
    asked = lots.inner_requests(replace(UPDATE, after=STATE._replace(**changes)))
    assert asked == ([("inventory/update", {"lot_id": "2726773", **arguments})] if arguments else [])


@pytest.mark.parametrize("form", [
    lambda answers: answers,
    lambda answers: {"responses": [{"endpoint": "x", "status_code": 200, "body": each} for each in answers]},
    lambda answers: {"responses": [{"endpoint": "x", "body": json.dumps(each)} for each in answers]},
])  # fmt: skip
def test_reads_a_batch_that_was_done_in_part(form: Any, channel: Any, script: Scripted) -> None:
    script.answer("POST bulk/batch", form([
        {"status": "success"}, {"error": {"status": "Lot not found"}}, {"error": "price must be above 0"}, {},
    ]))  # fmt: skip
    outcomes = list(channel.apply([replace(UPDATE, key=key) for key in "abcd"]))
    assert [each.verdict for each in outcomes] == [Verdict.DONE, Verdict.STALE, Verdict.REFUSED, Verdict.UNKNOWN]
    assert outcomes[2].reason == "price must be above 0"


@pytest.mark.parametrize(("said", "shown"), [
    ("Invalid color_id", "doesn’t know this item in this color. Look at the lot’s color. (It says: Invalid color_id)"),
    ("price must be above 0", "price must be above 0"),
])  # fmt: skip
def test_says_what_a_refusal_means_where_that_is_known(said: str, shown: str, channel: Any, script: Scripted) -> None:
    script.answer("POST bulk/batch", [{"error": {"status": said}}, {"status": "success"}])
    refused, _done = channel.apply([replace(UPDATE, key=key) for key in "ab"])
    assert refused.verdict is Verdict.REFUSED
    assert refused.reason.endswith(shown)


def test_says_which_fields_did_not_follow_a_creation(channel: Any, script: Scripted) -> None:
    script.answer("POST bulk/batch", [{"status": "success", "lot_id": "5"}, {"error": "note too long"}])
    (outcome,) = channel.apply([replace(CREATE, after=STATE)])
    assert (outcome.verdict, outcome.lot_id, outcome.reason) == (Verdict.DONE, "5", "note too long")
    assert outcome.unset == (LotField.REMARKS, LotField.TIERS)


@pytest.mark.parametrize("answer", [
    [{"status": "success"}], {"responses": []}, {"status": "success"}, _error("too many requests in a batch"), 5,
])  # fmt: skip
def test_does_not_know_what_was_done_where_the_answers_do_not_fit(answer: Any, channel: Any, script: Scripted) -> None:
    script.answer("POST bulk/batch", answer)
    outcomes = list(channel.apply([UPDATE, replace(UPDATE, key="v")]))
    assert [each.verdict for each in outcomes] == [Verdict.UNKNOWN] * 2


def test_takes_fifty_requests_at_a_time_and_parts_no_lot(channel: Any, script: Scripted) -> None:
    script.fail(Fault("reset"), times=100)
    many = [replace(CREATE, key=str(number), after=STATE) for number in range(40)]
    assert len(list(channel.apply([*many, UPDATE]))) == 41
    sizes = [len(json.loads(asked.form["requests"])["requests"]) for asked in script.asked]
    assert sizes == [50, 31]


@pytest.mark.parametrize(("item", "after", "why"), [
    (BRICK._replace(color_no=None), STATE, "the color of a part"),
    (BRICK, STATE._replace(qty=0), "without pieces"),
    (BRICK, STATE._replace(price=Decimal("0.0004")), "above zero"),
])  # fmt: skip
def test_sends_nothing_that_cannot_be_taken(item: Any, after: Any, why: str, channel: Any, script: Scripted) -> None:
    (outcome,) = channel.apply([replace(CREATE, item=item, after=after)])
    assert outcome.verdict is Verdict.REFUSED
    assert why in outcome.reason
    assert not script.asked


def test_finds_lots_by_their_markers_in_one_call(channel: Any, script: Scripted) -> None:
    assert [lot.lot_id for lot in channel.find_lots(["301000021"])["301000021"]] == ["2726773"]
    assert list(channel.find_lots(["301000021", "nothing"])) == ["301000021"]
    assert channel.find_lots([]) == {}
    assert [asked.query.get("external_id_1") for asked in script.asked] == ["301000021", None]


# --- Orders -----------------------------------------------------------------------------------------------------------
def test_reads_an_order(channel: Any) -> None:
    order = channel.fetch_order("9277759")
    assert (order.status, order.payment_status, order.channel_status) == (
        OrderStatus.PENDING, PaymentStatus.PAID, "Processing",
    )  # fmt: skip
    assert (order.buyer.username, order.buyer.email, order.ship_to.country, order.ship_to.name) == (
        "ada", "ada@example.com", "DE", "Ada Example",
    )  # fmt: skip
    assert (order.subtotal, order.shipping_cost, order.grand_total, order.warnings) == (
        Decimal("6.17"), Decimal("2.30"), Decimal("8.47"), (),
    )  # fmt: skip
    (line,) = order.lines
    assert (line.line_id, line.lot_id, line.marker, line.qty) == ("433711", "2726913", "301000044", 1)
    assert (line.item.item_no, line.item.color_no, line.item.condition) == ("487300", "38", "NEW")


@pytest.mark.parametrize(("status", "means", "payment"), [
    ("0", OrderStatus.NEW, PaymentStatus.UNPAID), ("1", OrderStatus.NEW, PaymentStatus.SUBMITTED),
    ("2", OrderStatus.PENDING, PaymentStatus.PAID), ("4", OrderStatus.READY, PaymentStatus.PAID),
    ("5", OrderStatus.SHIPPED, PaymentStatus.PAID), ("6", OrderStatus.DELIVERED, PaymentStatus.PAID),
    ("7", None, None), ("8", OrderStatus.CANCELLED, None), ("42", None, None),
])  # fmt: skip
def test_reads_every_status(status: str, means: Any, payment: Any) -> None:
    row = {**literal("brickowl", "order.json"), "status_id": status, "status": "?"}
    order = orders.order_of(row, literal("brickowl", "items.json"))
    assert (order.status, order.payment_status) == (means, payment)
    assert (OrderFlag.ON_HOLD in order.flags) == (status == "7")
    assert bool(order.warnings) == (status == "42")


def test_reads_a_line_in_words(channel: Any) -> None:
    row = {**literal("brickowl", "items.json")[0], "condition": "Used (Like New)", "external_lot_ids": []}
    del row["full_con"], row["bl_lot_id"]
    order = orders.order_of({**literal("brickowl", "order.json"), "base_order_total": "9.00"}, [row])
    assert order.lines is not None
    assert (order.lines[0].item.sub_condition, order.lines[0].marker, len(order.warnings)) == ("LIKE_NEW", "", 1)


def _summary(order_id: int, status: int) -> dict[str, Any]:
    return {**literal("brickowl", "orders.json")[0], "order_id": str(order_id), "status_id": str(status)}


def _seen(channel: Any, cursor: str, since: datetime | None = None) -> tuple[int, str]:
    pages = list(channel.fetch_orders(cursor, since=since))
    return len(pages), pages[-1].cursor if pages else cursor


def test_fetches_each_change_of_an_order_once(channel: Any, script: Scripted) -> None:
    script.answer("GET order/list", [_summary(2, 1), _summary(1, 3)])
    count, cursor = _seen(channel, "", since=datetime(2025, 1, 1, tzinfo=UTC))
    assert (count, script.asked[0].query["order_time"]) == (2, "1735689600")
    script.asked.clear()
    assert _seen(channel, cursor) == (0, cursor)
    assert [(asked.query["sort_by"], asked.query["limit"]) for asked in script.asked] == [("updated", "50")]
    script.answer("GET order/list", [_summary(3, 0), _summary(1, 5), _summary(2, 1)])
    assert _seen(channel, cursor)[0] == 2


def test_reads_on_until_nothing_is_new(channel: Any, script: Scripted) -> None:
    script.answer("GET order/list", [_summary(1, 3)])
    _count, cursor = _seen(channel, "")
    many = [_summary(1000 - number, 2) for number in range(60)]
    script.asked.clear()
    script.answer("GET order/list", many[:50], [*many, _summary(1, 3)])
    assert _seen(channel, cursor)[0] == 60
    assert [asked.query["limit"] for asked in script.asked if asked.path == "order/list"] == ["50", "500"]


@pytest.mark.parametrize(("there", "status", "number"), [
    ("Payment Received", OrderStatus.PICKING, 3), ("Processing", OrderStatus.PICKING, Pushed.NOT_NEEDED),
    ("Processing", OrderStatus.READY, 4), ("Processed", OrderStatus.SHIPPED, 5),
    ("Shipped", OrderStatus.READY, Pushed.NOT_NEEDED), ("Shipped", OrderStatus.DELIVERED, 6),
    ("On Hold", OrderStatus.SHIPPED, 5),
    ("On Hold", OrderStatus.DELIVERED, Pushed.NOT_YET), ("Cancelled", OrderStatus.SHIPPED, Pushed.NOT_YET),
    ("Processing", OrderStatus.CANCELLED, Pushed.BY_HAND), ("Cancelled", OrderStatus.CANCELLED, Pushed.NOT_NEEDED),
])  # fmt: skip
def test_tells_how_an_order_stands_and_never_goes_back(there: str, status: Any, number: Any) -> None:
    assert orders.word_for(StatusPush(order_id="1", status=status, channel_status=there)) == number


def test_looks_into_a_status_that_was_not_taken(channel: Any, script: Scripted) -> None:
    push = StatusPush(order_id="9277759", status=OrderStatus.SHIPPED, channel_status="Processing")
    script.answer("POST order/set_status", {"status": "unchanged"})
    with pytest.raises(ProviderRejected):
        channel.push_order_status(push)
    script.fail(Fault("reset", method="POST"), times=1)
    with pytest.raises(OutcomeUnknown):
        channel.push_order_status(push)
    script.answer("GET order/view", {**literal("brickowl", "order.json"), "status_id": "5"})
    assert channel.push_order_status(push) is Pushed.NOT_NEEDED
    script.fail(Fault("reset", method="POST"), times=1)
    assert channel.push_order_status(push) is Pushed.DONE


def test_tells_how_a_parcel_is_followed(channel: Any, script: Scripted) -> None:
    channel.push_tracking(Tracking(order_id="9277759", number="RR1"))
    assert script.asked[0].form["tracking_id"] == "RR1"


def test_reads_hints() -> None:
    def hints(**query: str) -> tuple[Hint, ...]:
        return BrickOwl.parse_notification(Incoming(query=query), secret="", now=datetime.now(UTC))

    (hint,) = hints(order_id="5", store_id="907")
    assert (hint.topic, hint.resource_id, hint.account) == (Topic.ORDER, "5", "907")
    for nonsense in ({}, {"order_id": "5"}, {"order_id": "x", "store_id": "907"}):
        with pytest.raises(ProviderRejected):
            hints(**nonsense)


# --- Errors, and the account ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("answer", "reason"), [
    ((403, {"error": {"status": "Invalid key"}}), "wrong_key"), ((403, {"error": "Invalid key"}), "wrong_key"),
    ((200, {"error": "Invalid key"}), "wrong_key"), ((403, {"error": {"status": "No access to user"}}), "scope"),
])  # fmt: skip
def test_says_precisely_why_the_key_is_refused(answer: Any, reason: str, channel: Any, script: Scripted) -> None:
    script.answer("GET user/details", answer)
    with pytest.raises(CredentialsRefused) as failed:
        channel.test_connection()
    assert failed.value.extra["reason"] == reason


def test_says_which_permission_a_key_lacks(channel: Any, script: Scripted) -> None:
    script.answer("GET inventory/list", (403, {"error": {"status": "Permission denied"}}))
    with pytest.raises(CredentialsRefused, match="may not see inventory") as failed:
        channel.test_connection()
    assert (failed.value.extra["reason"], failed.value.extra["scope"]) == ("scope", "inventory")


def test_says_what_the_account_knows_of_the_store(channel: Any, script: Scripted) -> None:
    facts = channel.test_connection()
    assert (facts.name, facts.currency, facts.country, facts.account) == ("Demo Owl", "EUR", "GB", "907")
    script.answer("GET user/details", {"username": "x", "has_store": False, "store_details": []})
    with pytest.raises(ProviderRejected, match="no store"):
        channel.test_connection()


def test_waits_where_it_asks_too_often(channel: Any, script: Scripted) -> None:
    script.fail(Fault("status", 429, {"error": "Too many requests for this key"}, {"Retry-After": "60"}))
    with pytest.raises(ProviderUnavailable) as failed:
        channel.fetch_lot("1")
    assert failed.value.extra["retry_after"] == 60
