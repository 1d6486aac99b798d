"""Limits: per identity, address and shop; told in headers; counted also while Redis is away (reliability.md, 32)."""

import re
from datetime import timedelta
from typing import Any

import pytest
import redis
import time_machine
from django.utils import timezone

from accounts.models import User
from common import limits
from common.limits import Limit
from common.models import LimitWindow
from tenants import routing
from tests.api.conftest import CENTRAL, Program, make_user, token_of

pytestmark = pytest.mark.django_db

NOWHERE = "redis://127.0.0.1:1"


@pytest.fixture
def away(settings: Any) -> None:
    """Have no Redis at all."""
    settings.REDIS_URL = NOWHERE
    limits._Pause.until = 0.0


@pytest.fixture(autouse=True)
def _asked_again() -> Any:
    yield
    limits._Pause.until = 0.0
    routing.ask_redis_again()


def remaining(response: Any) -> dict[str, int]:
    return {name: int(left) for name, left in re.findall(r'"(\w+)";r=(\d+);t=\d+', response["RateLimit"])}


def test_tells_the_limits_and_what_is_left(program: Program, settings: Any) -> None:
    settings.API_RATE, settings.API_SHOP_RATE = "5/min", "50/hour"
    first, second = program.send("GET", "/auth/me"), program.send("GET", "/nothing-here", X="1")
    assert first["RateLimit-Policy"] == '"identity";q=5;w=60, "shop";q=50;w=3600'
    assert remaining(first) == {"identity": 4, "shop": 49}
    assert second.status_code == 404
    # Also with refusals.
    assert remaining(program.send("GET", "/users?x=1")) == {"identity": 3, "shop": 48}


@pytest.mark.parametrize("backend", ["redis", "database"])
def test_refuses_who_is_too_fast_until_the_window_ends(
    owner: User, settings: Any, request: pytest.FixtureRequest, backend: str
) -> None:
    settings.API_RATE = "3/min"
    if backend == "database":
        request.getfixturevalue("away")
    program, colleague = Program(token=token_of(owner)), Program(token=token_of(make_user("admin")))
    assert [program.send("GET", "/auth/me").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = program.send("POST", "/auth/logout")
    assert refused.status_code == 429, "it counts before anything is done"
    assert refused["Content-Type"] == "application/problem+json"
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert remaining(refused)["identity"] == 0
    assert colleague.send("GET", "/auth/me").status_code == 200


def test_begins_anew_when_the_window_has_ended(owner: User, settings: Any, away: None) -> None:
    settings.API_RATE = "1/min"
    with time_machine.travel(timezone.now(), tick=False) as clock:
        program = Program(token=token_of(owner))
        assert [program.send("GET", "/auth/me").status_code for _ in range(2)] == [200, 429]
        clock.shift(timedelta(seconds=61))
        assert program.send("GET", "/auth/me").status_code == 200


def test_limits_a_shop_as_a_whole(owner: User, settings: Any) -> None:
    settings.API_SHOP_RATE = "2/min"
    programs = [Program(token=token_of(user)) for user in (owner, make_user("admin"), make_user("staff"))]
    assert [program.send("GET", "/auth/me").status_code for program in programs] == [200, 200, 429]


def test_limits_visitors_by_their_address(db: None, settings: Any) -> None:
    settings.API_RATE = "2/min"
    guesser = Program()
    statuses = [guesser.send("GET", "/auth/me", Authorization=f"Bearer guess-{n}").status_code for n in range(3)]
    assert statuses == [401, 401, 429]
    elsewhere = Program()
    elsewhere.defaults["REMOTE_ADDR"] = "203.0.113.9"
    assert elsewhere.send("GET", "/auth/me").status_code == 401


def test_keeps_the_limits_of_shops_apart(owner: User, settings: Any) -> None:
    settings.API_RATE = "1/min"
    program = Program(token=token_of(owner))
    assert program.send("GET", "/auth/me").status_code == 200
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        keys = {key.decode() for key in client.keys("*:limit:*")}
    assert keys
    assert all(key.startswith("t_shop:limit:") for key in keys)
    # On the central host the credential names the shop, so the count is the same.
    assert Program(host=CENTRAL, token=program.token).send("GET", "/auth/me").status_code == 429


def test_works_and_signs_in_without_redis(owner: User, away: None) -> None:
    visitor = Program()
    answer = visitor.send("POST", "/auth/token", {"email": owner.email, "password": "a long enough password"})
    assert answer.status_code == 200
    wrong = {"email": owner.email, "password": "wrong"}
    statuses = [visitor.send("POST", "/auth/token", wrong).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429], "password guessing is limited then too"
    assert LimitWindow.objects.exists()
    assert visitor.send("GET", "/ready").status_code == 503
    assert visitor.send("GET", "/health").status_code == 200


def test_never_fails_for_redis(settings: Any, away: None, db: None) -> None:
    limit = Limit("test", amount=2, window_s=60)
    verdicts = [limits.take(limit, "somebody") for _ in range(3)]
    assert [(verdict.allowed, verdict.remaining) for verdict in verdicts] == [(True, 1), (True, 0), (False, 0)]
    limits.forget(limit, "somebody")
    assert limits.take(limit, "somebody").allowed
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    limits._Pause.until = 0.0
    assert limits.take(limit, "other").allowed


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        (None, "unknown"),
    ],
)
def test_counts_a_network_of_ipv6_as_one_visitor(address: str | None, counted_as: str) -> None:
    assert limits.network_of(address) == counted_as


@pytest.mark.parametrize(("rate", "window_s"), [("1/sec", 1), ("2/min", 60), ("600/hour", 3600), ("7/day", 86400)])
def test_reads_rates(rate: str, window_s: int) -> None:
    assert Limit.of("x", rate) == Limit("x", amount=int(rate.partition("/")[0]), window_s=window_s)
