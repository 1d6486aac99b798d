"""What things go for: asked once for the same question, kept for two weeks for everybody, and never guessed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings

from catalog.choices import PriceKind
from catalog.models import PriceGuide, SourceBudget
from catalog.queries.pricing import FRESH_FOR, KeptGuide, PriceKey, guide_of, guides_of, guides_of_item
from catalog.services import can_fetch_prices, fetch_guide, forget_prices, keep_figures
from catalog.services.pricing import KEPT_FOR, REFRESHED_AFTER
from catalog.sources.base import PriceFigures
from common.errors import BudgetExhausted, CredentialsRefused, ProviderUnavailable, RateLimited
from common.limits import Limit
from common.redis_client import client
from common.testing.sandbox import SandboxProcess
from common.wire import CallClass

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
BRICK = PriceKey("PART", "3001", 5, "NEW")

pytestmark = pytest.mark.django_db


@pytest.fixture
def bricklink(sandbox: SandboxProcess) -> Any:
    """Have BrickLink asked in the sandbox."""
    place = {"url": sandbox.bricklink_url, **sandbox.bricklink_credentials}
    with override_settings(CATALOG_SOURCES={**sandbox.sources, "bricklink": place}):
        yield sandbox


def fetch(key: PriceKey = BRICK, *, now: datetime = NOW, currency: str = "EUR", **options: Any) -> KeptGuide:
    """Answer what a thing goes for."""
    return fetch_guide(key=key, currency=currency, now=now, **options)


def test_both_kinds_are_asked_for_and_kept(bricklink: SandboxProcess) -> None:
    guide = fetch()
    for figures in (guide.sold, guide.stock):
        assert figures
        assert figures.is_known
        assert figures.price_min is not None
        assert figures.price_max is not None
        assert figures.price_avg is not None
        assert 0 < figures.price_min <= figures.price_avg <= figures.price_max
        assert figures.qty >= figures.lots_count > 0
        assert figures.fetched_at == NOW
    assert guide_of(BRICK, currency="EUR") == guide
    assert len(bricklink.asked()) == 2
    fetch(now=NOW + FRESH_FOR - timedelta(seconds=1))
    assert len(bricklink.asked()) == 2
    fetch(now=NOW + FRESH_FOR)
    assert len(bricklink.asked()) == 4
    assert PriceGuide.objects.count() == 2, "what is newer takes the place of what is old"


def test_what_a_person_wants_newer_is_asked_for_but_not_every_minute(bricklink: SandboxProcess) -> None:
    fetch()
    fetch(now=NOW + timedelta(minutes=59), within=REFRESHED_AFTER)
    assert len(bricklink.asked()) == 2
    fetch(now=NOW + REFRESHED_AFTER, within=REFRESHED_AFTER)
    assert len(bricklink.asked()) == 4


def test_colors_conditions_and_currencies_are_told_apart(bricklink: SandboxProcess) -> None:
    used, blue = PriceKey("PART", "3001", 5, "USED"), PriceKey("PART", "3001", 7, "NEW")
    for key in (BRICK, used, blue):
        fetch(key)
    fetch(currency="USD")
    found = guides_of([BRICK, used, blue, PriceKey("PART", "3001", 11, "NEW")], currency="EUR")
    assert set(found) == {BRICK, used, blue}
    assert set(guides_of_item("PART", "3001", currency="EUR")) == {(5, "NEW"), (5, "USED"), (7, "NEW")}
    assert set(guides_of_item("PART", "3001", currency="USD")) == {(5, "NEW")}
    assert guide_of(BRICK, currency="GBP") == KeptGuide()


def test_that_nobody_knows_it_is_kept_too(bricklink: SandboxProcess) -> None:
    key = PriceKey("PART", "nosuchpart9", 5, "NEW")
    for _ in range(2):
        guide = fetch(key)
    assert guide.sold
    assert (guide.sold.is_known, guide.sold.price_avg, guide.sold.lots_count) == (False, None, 0)
    assert len(bricklink.asked()) == 2


def test_a_set_has_no_color(bricklink: SandboxProcess) -> None:
    key = PriceKey("SET", "60239-1", None, "USED")
    assert fetch(key).sold
    assert guide_of(key, currency="EUR").stock


def test_custom_items_are_never_asked_for(bricklink: SandboxProcess) -> None:
    assert fetch(PriceKey("CUSTOM", "mine", None, "NEW")) == KeptGuide()
    assert bricklink.asked() == []


def test_without_a_source_what_is_kept_is_answered(sandbox: SandboxProcess) -> None:
    keep_figures(key=BRICK, kind=PriceKind.SOLD, figures=_figures(), currency="EUR", now=NOW - timedelta(days=99))
    with override_settings(CATALOG_SOURCES={"bricklink": {"url": sandbox.bricklink_url}}):
        assert not can_fetch_prices()
        assert fetch().sold
    assert sandbox.asked() == []


def test_the_day_ends_spare_calls_before_urgent_ones(bricklink: SandboxProcess) -> None:
    fetch()
    SourceBudget.objects.update(used=4_000)
    client().flushdb()
    other = PriceKey("PART", "3002", 5, "NEW")
    with pytest.raises(BudgetExhausted):
        fetch(other)
    assert guide_of(other, currency="EUR") == KeptGuide(), "nothing is kept of what wasn't asked"
    assert fetch(other, call_class=CallClass.URGENT).sold


def test_a_shop_leaves_something_for_others(bricklink: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.services.pricing._A_DAY", Limit(name="price_guide", amount=3, window_s=86_400))
    fetch()
    with pytest.raises(RateLimited) as refused:
        fetch(PriceKey("PART", "3002", 5, "NEW"))
    assert refused.value.extra["retry_after"] > 80_000
    half = guide_of(PriceKey("PART", "3002", 5, "NEW"), currency="EUR")
    assert half.sold, "what was answered is kept"
    assert half.missing(now=NOW) == (PriceKind.STOCK,)


def test_a_failure_is_kept_by_nobody(bricklink: SandboxProcess) -> None:
    bricklink.fault("status", service="bricklink", status=500)
    with pytest.raises(ProviderUnavailable):
        fetch()
    bricklink.reset()
    body = {"meta": {"description": "TOKEN_IP_MISMATCHED", "message": "BAD_OAUTH_REQUEST", "code": 401}}
    bricklink.fault("status", service="bricklink", status=200, body=body)
    with pytest.raises(CredentialsRefused):
        fetch()
    assert not PriceGuide.objects.exists()


def test_prices_in_another_currency_are_believed_by_nobody(bricklink: SandboxProcess) -> None:
    data = {
        "currency_code": "USD", "min_price": "1.0", "avg_price": "1.0", "qty_avg_price": "1.0", "max_price": "1.0",
        "unit_quantity": 1, "total_quantity": 1, "item": {"no": "3001", "type": "PART"}, "new_or_used": "N",
    }  # fmt: skip
    body = {"meta": {"description": "OK", "message": "OK", "code": 200}, "data": data}
    bricklink.fault("status", service="bricklink", status=200, body=body)
    with pytest.raises(ProviderUnavailable, match="USD"):
        fetch()
    assert not PriceGuide.objects.exists()


def _figures(amount: str = "1.00") -> PriceFigures:
    price = Decimal(amount)
    return PriceFigures(
        currency="EUR", price_min=price, price_avg=price, price_qty_avg=price, price_max=price, lots_count=1, qty=1
    )


def test_a_fortune_fits_the_column() -> None:
    keep_figures(key=BRICK, kind=PriceKind.STOCK, figures=_figures("999999999999"), currency="EUR", now=NOW)
    kept = guide_of(BRICK, currency="EUR").stock
    assert kept
    assert kept.price_max == Decimal("99999999.9999")


def test_what_is_old_is_forgotten() -> None:
    keep_figures(key=BRICK, kind=PriceKind.SOLD, figures=_figures(), currency="EUR", now=NOW)
    assert forget_prices(now=NOW + KEPT_FOR) == 0
    assert forget_prices(now=NOW + KEPT_FOR + timedelta(seconds=1)) == 1


@pytest.mark.django_db(transaction=True)
def test_equal_questions_at_once_are_one(bricklink: SandboxProcess) -> None:
    bricklink.fault("latency", seconds=0.3)

    def ask(_number: int) -> Decimal | None:
        try:
            sold = fetch().sold
            return sold.price_avg if sold else None
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(4)))
    assert answers[0]
    assert answers == [answers[0]] * 4
    assert len(bricklink.asked()) == 2
