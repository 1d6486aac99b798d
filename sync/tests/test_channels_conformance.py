"""What every channel must do, over real HTTP: what it declares, and the four errors when the other side is not well."""

import hashlib
import hmac
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from common.errors import (
    BudgetExhausted,
    CredentialsRefused,
    OutcomeUnknown,
    ProviderRejected,
    ProviderUnavailable,
)
from stores.channels import Can, LotField
from sync.channels import Channel, registry
from sync.channels.base import UnsupportedError
from sync.remote import (
    Act,
    Incoming,
    LotState,
    Operation,
    OrderStatus,
    RemoteItem,
    StatusPush,
    Tracking,
    Verdict,
)
from sync.tests.conftest import credentials_of
from sync.tests.scripted import WIRE, Fault, Scripted

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
SECRET = "whsec_test"
_EVENT = b'{"id":"evt_1","type":"order.created","store_id":12,"data":{"id":70001,"version":1}}'
_STAMP = str(int(NOW.timestamp()))
_SIGNED = hmac.new(SECRET.encode(), _STAMP.encode() + b"." + _EVENT, hashlib.sha256).hexdigest()
NOTIFICATIONS = {
    "local": Incoming(),
    "bricklink": Incoming(
        body=b'[{"event_type":"Order","resource_id":25000101,"timestamp":"2025-02-28T10:11:22.000Z"}]'
    ),
    "brickowl": Incoming(query={"order_id": "9277759", "store_id": "907"}),
    "brikick": Incoming(body=_EVENT, headers={"x-brikick-timestamp": _STAMP, "x-brikick-signature": f"v1={_SIGNED}"}),
}
# Ids of the documentation's examples: a lot, another that is deleted, an order, and where that stands.
LOT = {"local": "1", "bricklink": "301000017", "brickowl": "2726773", "brikick": "900017"}
OTHER = {"local": "2", "bricklink": "301000018", "brickowl": "2726913", "brikick": "900018"}
ORDER = {"local": "1", "bricklink": "25000101", "brickowl": "9277759", "brikick": "70001"}
STANDS = {"local": "", "bricklink": "PAID", "brickowl": "Processing", "brikick": "PAID"}
MARKER = {"local": "", "bricklink": "7f3k2a9qwxyz2", "brickowl": "301000021", "brikick": "5f0c…"}
STATE = LotState(
    qty=12, price=Decimal("0.12"), description="light play wear", remarks="A-01", tiers=(), bulk=1, sale=0,
    retain=False, stockroom="",
)  # fmt: skip
BRICK = RemoteItem(item_type="PART", item_no="3001", color_no="5", condition="USED", sub_condition="GOOD")


def operations(code: str) -> list[Operation]:
    """Answer two creations, a change of a quantity and a deletion, as the documentation's answers fit them."""
    create = Operation(key="a", act=Act.CREATE, marker="m1", item=BRICK, after=STATE)
    update = Operation(key="b", act=Act.UPDATE, lot_id=LOT[code], before=STATE, after=STATE._replace(qty=9))
    delete = Operation(key="c", act=Act.DELETE, lot_id=OTHER[code], before=STATE)
    another = [replace(create, key="d", marker="m2")] if code == "bricklink" else []
    return [create, *another, update, delete]


def _push(code: str) -> StatusPush:
    return StatusPush(order_id=ORDER[code], status=OrderStatus.SHIPPED, channel_status=STANDS[code])


# How each capability is asked for something that the documentation's answers have.
ASK: dict[Can, Callable[[Channel, str], Any]] = {
    Can.TEST_CONNECTION: lambda channel, _code: channel.test_connection(),
    Can.FETCH_INVENTORY: lambda channel, _code: [lot for page in channel.fetch_inventory() for lot in page],
    Can.FETCH_LOT: lambda channel, code: channel.fetch_lot(LOT[code]),
    Can.FIND_LOTS: lambda channel, code: channel.find_lots([MARKER[code], "another"]),
    Can.APPLY: lambda channel, code: list(channel.apply(operations(code))),
    Can.FETCH_ORDERS: lambda channel, _code: [order for page in channel.fetch_orders("") for order in page.orders],
    Can.FETCH_ORDER: lambda channel, code: channel.fetch_order(ORDER[code]),
    Can.PUSH_ORDER_STATUS: lambda channel, code: channel.push_order_status(_push(code)),
    Can.PUSH_TRACKING: lambda channel, code: channel.push_tracking(Tracking(order_id=ORDER[code], number="RR1")),
    Can.PARSE_NOTIFICATION: lambda channel, code: channel.parse_notification(
        NOTIFICATIONS[code], secret=SECRET, now=NOW
    ),
    Can.REGISTER_NOTIFICATIONS: lambda channel, _code: channel.register_notifications("https://shop.example/ring"),
    Can.FETCH_MESSAGES: lambda channel, code: channel.fetch_messages(ORDER[code]),
}
CODES = [kind.spec.code for kind in registry.all() if kind.spec.can]
DECLARED = [(code, can) for code in CODES for can in Can if can in registry.get(code).spec.can]
UNDECLARED = [(kind.spec.code, can) for kind in registry.all() for can in Can if can not in kind.spec.can]
ASKED = [(code, can) for code, can in DECLARED if can != Can.PARSE_NOTIFICATION]
READS = [(code, can) for code, can in ASKED if can not in (Can.APPLY, Can.PUSH_ORDER_STATUS, Can.PUSH_TRACKING)]
WRITES = [(code, can) for code, can in ASKED if (code, can) not in READS]


def test_has_what_every_channel_needs() -> None:
    assert CODES == ["bricklink", "brickowl", "brikick"]
    for code in CODES:
        spec = registry.get(code).spec
        assert (WIRE / code / "routes.json").exists(), "a channel without answers of its documentation isn't tested"
        assert spec.url.startswith("https://")
        assert spec.credentials
        assert spec.steps
        assert "{order_id}" in spec.order_url
        assert {LotField.QTY, LotField.PRICE} <= spec.lot_fields


@pytest.mark.parametrize(("code", "can"), DECLARED)
def test_does_what_it_declares(code: str, can: Can, make_channel: Any, script: Scripted) -> None:
    assert ASK[can](make_channel(code, script.url), code)


@pytest.mark.parametrize(("code", "can"), UNDECLARED)
def test_refuses_what_it_does_not_declare_before_anything_is_sent(code: str, can: Can, make_channel: Any) -> None:
    with pytest.raises(UnsupportedError):
        ASK[can](make_channel(code, "http://127.0.0.1:1"), code)


FAULTS = [
    Fault("status", 500, {}),
    Fault("status", 502, {}),
    Fault("status", 429, {}, {"Retry-After": "60"}),
    Fault("status", 429, {}, {"Retry-After": "soon"}),
    Fault("html", 200),
    Fault("html", 503),
    Fault("half_json"),
    Fault("half_body"),
    Fault("empty"),
    Fault("reset"),
    Fault("wrong_encoding"),
    Fault("status", 200, {"surprise": True}),
    Fault("status", 200, 3),
    Fault("status", 301, {}),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.kind}-{fault.status}")
@pytest.mark.parametrize(("code", "can"), READS)
@pytest.mark.usefixtures("quick", "hasty")
def test_takes_nothing_broken_for_an_answer(
    code: str, can: Can, fault: Fault, make_channel: Any, script: Scripted
) -> None:
    script.fail(fault)
    with pytest.raises(ProviderUnavailable) as failed:
        ASK[can](make_channel(code, script.url), code)
    assert failed.value.extra["provider"] == code
    assert script.asked


@pytest.mark.parametrize("fault", [
    Fault("status", 500, {}), Fault("html", 200), Fault("half_json"), Fault("half_body"), Fault("empty"),
    Fault("reset"), Fault("status", 200, {"surprise": True}),
], ids=lambda fault: f"{fault.kind}-{fault.status}")  # fmt: skip
@pytest.mark.parametrize(("code", "can"), WRITES)
@pytest.mark.usefixtures("quick")
def test_says_of_no_write_that_it_was_done_where_the_answer_was_lost(
    code: str, can: Can, fault: Fault, make_channel: Any, script: Scripted
) -> None:
    script.fail(fault)
    channel = make_channel(code, script.url)
    if can != Can.APPLY:
        if fault.body == {"surprise": True} and code != "bricklink":
            return
        with pytest.raises((OutcomeUnknown, ProviderUnavailable)):
            ASK[can](channel, code)
        return
    outcomes = []
    with suppress(ProviderUnavailable):
        for outcome in channel.apply(operations(code)):
            outcomes.append(outcome)
    # Only what may be repeated without harm has no outcome.
    assert {"a", "b"} <= {each.key for each in outcomes}
    assert {each.verdict for each in outcomes} == {Verdict.UNKNOWN}


@pytest.mark.parametrize("code", CODES)
def test_repeats_no_write_whose_repetition_would_do_it_twice(code: str, make_channel: Any, script: Scripted) -> None:
    script.fail(Fault("reset"), times=1)
    change = operations(code)[-2]
    outcomes = list(make_channel(code, script.url).apply([change]))
    if code == "brikick":
        # Repeated under the same key, it is done once.
        keys = {asked.headers["idempotency-key"] for asked in script.asked}
        assert (len(script.asked), len(keys)) == (2, 1)
    else:
        assert [outcome.verdict for outcome in outcomes] == [Verdict.UNKNOWN]
        assert len(script.asked) == 1


@pytest.mark.parametrize(("code", "can"), ASKED)
@pytest.mark.parametrize("status", [401, 403])
def test_says_that_credentials_are_refused_once_and_without_them(
    code: str, can: Can, status: int, make_channel: Any, script: Scripted
) -> None:
    secrets = list(credentials_of(code).values())
    script.fail(Fault("status", status, {"detail": f"What is {' '.join(secrets)}?"}))
    with pytest.raises(CredentialsRefused) as failed:
        ASK[can](make_channel(code, script.url), code)
    assert len(script.asked) == 1
    told = str(failed.value) + str(failed.value.extra)
    assert not [secret for secret in secrets if secret in told]


@pytest.mark.parametrize(("code", "can"), READS)
def test_says_that_data_are_refused(code: str, can: Can, make_channel: Any, script: Scripted) -> None:
    script.fail(Fault("status", 400, {"detail": "no"}))
    with pytest.raises(ProviderRejected):
        ASK[can](make_channel(code, script.url), code)


@pytest.mark.parametrize(("code", "can"), ASKED)
def test_sends_nothing_beyond_its_budget(code: str, can: Can, make_channel: Any, script: Scripted) -> None:
    with pytest.raises(BudgetExhausted):
        ASK[can](make_channel(code, script.url, per_day=0), code)
    assert script.asked == []


@pytest.mark.parametrize("code", CODES)
@pytest.mark.usefixtures("quick")
def test_ends_in_time_and_tells_a_change_that_was_sent_from_one_that_was_not(
    code: str, make_channel: Any, script: Scripted
) -> None:
    script.fail(Fault("hang"))
    began = time.monotonic()
    channel = make_channel(code, script.url, read_s=0.2)
    with pytest.raises(ProviderUnavailable):
        channel.fetch_lot(LOT[code])
    outcomes = []
    with suppress(ProviderUnavailable):
        for outcome in channel.apply(operations(code)[-2:-1]):
            outcomes.append(outcome)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.UNKNOWN]
    with pytest.raises(ProviderUnavailable, match="can't be reached"):
        list(make_channel(code, "http://127.0.0.1:1/").apply(operations(code)[-2:-1]))
    assert time.monotonic() - began < 10
