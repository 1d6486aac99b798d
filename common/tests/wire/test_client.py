"""What a call comes to when the other side is well, busy, broken, slow or silent: over real HTTP."""

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from common.errors import CredentialsRefused, OutcomeUnknown, ProviderRejected, ProviderUnavailable
from common.testing.sandbox import SandboxProcess
from common.wire import Answer, Breaker, Policy, Wire

Make = Callable[..., Wire]

BROKEN = ["status", "half_json", "half_body", "html", "empty", "reset_before", "wrong_encoding"]


def _ask(wire: Wire) -> Answer:
    return wire.call("look_up", path="lego/colors/4/")


def _post(wire: Wire) -> Answer:
    return wire.call("create", method="POST", path="lego/colors/4/")


def test_answers_json(wire_to: Make) -> None:
    assert _ask(wire_to()).data["name"] == "Red"


def test_keeps_amounts_as_they_are_written(wire_to: Make, sandbox: SandboxProcess) -> None:
    sandbox.fault("status", status=200, body={"price": 0.1})
    assert _ask(wire_to()).data == {"price": Decimal("0.1")}


@pytest.mark.parametrize("kind", BROKEN)
def test_repeats_a_read_that_went_wrong(kind: str, wire_to: Make, sandbox: SandboxProcess) -> None:
    sandbox.fault(kind, times=2)
    assert _ask(wire_to()).data["name"] == "Red"
    assert len(sandbox.asked()) == 3


@pytest.mark.parametrize("kind", BROKEN)
def test_gives_up_on_a_read_that_stays_wrong(kind: str, wire_to: Make, sandbox: SandboxProcess) -> None:
    sandbox.fault(kind)
    with pytest.raises(ProviderUnavailable) as failed:
        _ask(wire_to())
    assert failed.value.extra["provider"] == "rebrickable"
    assert len(sandbox.asked()) == 3


@pytest.mark.parametrize("kind", ["status", "html", "half_json", "reset_after", "half_body"])
def test_never_repeats_a_write_that_may_have_been_done(kind: str, wire_to: Make, sandbox: SandboxProcess) -> None:
    sandbox.fault(kind, method="POST")
    with pytest.raises((OutcomeUnknown, ProviderRejected)) as failed:
        _post(wire_to())
    # Half of a refusal is a refusal: its status says so.
    assert isinstance(failed.value, ProviderRejected) == (kind == "half_json")
    assert len(sandbox.asked()) == 1


def test_knows_that_nothing_was_done_where_there_was_no_connection(wire_to: Make) -> None:
    with pytest.raises(ProviderUnavailable, match="can't be reached"):
        _post(wire_to(base_url="http://127.0.0.1:1/"))


def test_repeats_a_write_that_is_said_to_be_repeatable(wire_to: Make, sandbox: SandboxProcess) -> None:
    sandbox.fault("status", times=1, status=503)
    with pytest.raises(ProviderRejected, match="405"):
        wire_to().call("ask", method="POST", path="lego/colors/4/", is_repeatable=True)
    assert len(sandbox.asked()) == 2


def test_waits_as_long_as_it_is_told(wire_to: Make, sandbox: SandboxProcess) -> None:
    sandbox.fault("rate_limit", times=1, retry_after=1)
    began = time.monotonic()
    assert _ask(wire_to()).data["name"] == "Red"
    assert 1.0 <= time.monotonic() - began < 2.5


def test_says_when_to_come_back_instead_of_waiting_too_long(wire_to: Make, sandbox: SandboxProcess) -> None:
    sandbox.fault("rate_limit", retry_after=90)
    began = time.monotonic()
    with pytest.raises(ProviderUnavailable) as failed:
        _ask(wire_to())
    assert failed.value.headers == {"Retry-After": "90"}
    assert time.monotonic() - began < 2
    with pytest.raises(ProviderUnavailable, match="left alone"):
        _ask(wire_to())
    assert len(sandbox.asked()) == 1


@pytest.mark.parametrize("told", [None, "soon", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_takes_no_harm_from_a_strange_retry_after(told: str | None, wire_to: Make, sandbox: SandboxProcess) -> None:
    sandbox.fault("rate_limit", retry_after=told)
    with pytest.raises(ProviderUnavailable) as failed:
        _ask(wire_to(policy=Policy(attempts=1)))
    assert 0 <= failed.value.extra["retry_after"] <= 2


@pytest.mark.parametrize("told", ["9" * 400, 10**12, "Fri, 01 Jan 9999 00:00:00 GMT"])
def test_leaves_nobody_alone_for_longer_than_a_day(told: str | int, wire_to: Make, sandbox: SandboxProcess) -> None:
    sandbox.fault("rate_limit", retry_after=told)
    with pytest.raises(ProviderUnavailable) as failed:
        _ask(wire_to())
    assert failed.value.extra["retry_after"] == 86_400


@pytest.mark.parametrize(("kind", "options"), [
    ("timeout_before", {"seconds": 3}),
    ("slow_body", {"pieces": 100, "seconds": 0.2}),
    ("latency", {"seconds": 3}),
])  # fmt: skip
def test_ends_in_time_whatever_the_other_side_does(
    kind: str, options: dict[str, float], wire_to: Make, sandbox: SandboxProcess
) -> None:
    sandbox.fault(kind, **options)
    began = time.monotonic()
    with pytest.raises(ProviderUnavailable):
        _ask(wire_to(total_s=1.0))
    assert time.monotonic() - began < 1.5


def test_refuses_an_answer_that_is_too_large(wire_to: Make) -> None:
    with pytest.raises(ProviderUnavailable, match="larger than 1000 bytes"):
        wire_to(limit_bytes=1000, policy=Policy(attempts=1)).call("colors", path="lego/colors/")


def test_takes_a_missing_thing_for_an_answer_only_where_asked(wire_to: Make, sandbox: SandboxProcess) -> None:
    answer = wire_to().call("look_up", path="lego/colors/777/", may_be_missing=True)
    assert (answer.status, answer.data) == (404, {"detail": "Not found."})
    with pytest.raises(ProviderRejected):
        wire_to().call("look_up", path="lego/colors/777/")
    sandbox.fault("html", status=404)
    with pytest.raises(ProviderUnavailable):
        wire_to(policy=Policy(attempts=1)).call("look_up", path="lego/colors/777/", may_be_missing=True)


def test_stops_at_refused_credentials_and_shows_none(wire_to: Make, sandbox: SandboxProcess) -> None:
    secret = "a-wrong-key"
    sandbox.fault("status", status=401, body={"detail": f"Invalid token {secret}.", "key": secret})
    with pytest.raises(CredentialsRefused) as failed:
        _ask(wire_to(headers={"Authorization": f"key {secret}"}, secrets=(secret,)))
    assert failed.value.extra["answer"] == '{"detail": "Invalid token [hidden].", "key": "[hidden]"}'
    assert len(sandbox.asked()) == 1


def test_logs_each_attempt_without_a_secret(
    wire_to: Make, sandbox: SandboxProcess, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    sandbox.fault("status", times=1)
    wire_to().call("look_up", path="lego/colors/4/", params={"key": sandbox.rebrickable_key})
    lines = [record.getMessage() for record in caplog.records if "wire.attempt" in record.getMessage()]
    assert [("'attempt': 1" in line, "'status': 500" in line) for line in lines] == [(True, True), (False, False)]
    assert sandbox.rebrickable_key not in caplog.text


def test_leaves_a_provider_alone_that_fails_again_and_again(wire_to: Make, sandbox: SandboxProcess) -> None:
    wire = wire_to(breaker=Breaker(key="test", threshold=3, pause_s=0.4), policy=Policy(attempts=1))
    sandbox.fault("status", status=500, times=3)
    for _ in range(5):
        with pytest.raises(ProviderUnavailable):
            _ask(wire)
    assert len(sandbox.asked()) == 3
    time.sleep(0.5)
    assert _ask(wire).data["name"] == "Red"
    assert _ask(wire).data["name"] == "Red"


def test_sends_a_form_and_headers_of_its_own(wire_to: Make, sandbox: SandboxProcess) -> None:
    with pytest.raises(ProviderRejected):
        wire_to().call("create", method="POST", path="lego/colors/4/", form={"a b": "c&d"}, headers={"X-Own": "1"})
    asked = sandbox.asked()[0]
    assert asked["headers"]["Content-Type"] == "application/x-www-form-urlencoded"
    assert (asked["headers"]["X-Own"], asked["body_bytes"]) == ("1", len("a+b=c%26d"))


def test_makes_something_smaller_of_a_long_answer(wire_to: Make, sandbox: SandboxProcess) -> None:
    sandbox.fault("status", status=200, body=[{"id": 1}, {"id": 2}])
    got = wire_to().call("list", path="lego/colors/", hook=lambda value: value["id"])
    assert got.data == [1, 2]


def test_says_what_a_provider_explains_and_hides_secrets_in_it(wire_to: Make, sandbox: SandboxProcess) -> None:
    sandbox.fault("status", status=403, body={"why": f"not {sandbox.rebrickable_key}"})

    def explain(status: int, data: Any) -> dict[str, Any]:
        return {"reason": "scope", "detail": f"It says {data['why']} ({status})."}

    with pytest.raises(CredentialsRefused, match=r"It says not \[hidden\] \(403\)\.") as failed:
        _ask(wire_to(explain=explain))
    assert failed.value.extra["reason"] == "scope"
