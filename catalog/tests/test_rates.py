"""Exchange rates: kept in every direction, looked up by the day, and from nothing but the file that they are."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from catalog.models import CurrencyRate
from catalog.queries.rates import Rate, rate
from catalog.services import fetch_rates
from catalog.services.exchanging import _keep
from catalog.sources import exchange_rates
from catalog.sources.base import Rates
from catalog.tasks import fetch_rates as task
from common.errors import ProviderUnavailable
from common.redis_client import client
from common.testing.sandbox import SandboxProcess

pytestmark = pytest.mark.django_db

FILE = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
    xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
  <gesmes:subject>Reference rates</gesmes:subject>
  <gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
  <Cube><Cube time='2026-03-12'><Cube currency='USD' rate='1.0895'/><Cube currency='GBP' rate='0.84'/></Cube></Cube>
</gesmes:Envelope>"""


@pytest.fixture(autouse=True)
def _no_counts() -> None:
    client().flushdb()


def _read(body: bytes) -> dict[str, Decimal]:
    return dict(exchange_rates.rates_result(exchange_rates.document(body)).rates)


def test_reads_the_file() -> None:
    found = exchange_rates.rates_result(exchange_rates.document(FILE))
    assert (found.base, found.day) == ("EUR", date(2026, 3, 12))
    assert found.rates == {"USD": Decimal("1.0895"), "GBP": Decimal("0.84")}


@pytest.mark.parametrize("body", [
    b"", b"<html>", b"{}", FILE[:-40], FILE.replace(b"2026-03-12", b"yesterday"), FILE.replace(b"1.0895", b"-1"),
    FILE.replace(b"1.0895", b"NaN"), FILE.replace(b"1.0895", b"0"), FILE.replace(b"1.0895", b"1e9"),
    FILE.replace(b"'USD'", b"'<usd>'"), FILE.replace(b"currency='USD' ", b""),
    b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]>" + FILE.partition(b"?>\n")[2],
    b"<!DOCTYPE x SYSTEM 'http://127.0.0.1/x'>" + FILE.partition(b"?>\n")[2],
    FILE.replace(b"UTF-8", b"nobodys-9"), FILE.replace(b"1.0895", "١".encode()),
    FILE.replace(b"eurofxref", b"other"), FILE + b" " * 100_000, "ü".encode("latin-1") + FILE,
])  # fmt: skip
def test_reads_nothing_else(body: bytes) -> None:
    with pytest.raises((ValueError, KeyError)):
        _read(body)


def test_keeps_every_direction_of_the_shops_currencies(sources: SandboxProcess) -> None:
    now = datetime.now(UTC)
    assert fetch_rates(now=now) == 6
    rows = {(row.from_currency, row.to_currency): row for row in CurrencyRate.objects.all()}
    assert set(rows) == {
        ("EUR", "USD"), ("EUR", "GBP"), ("USD", "EUR"), ("USD", "GBP"), ("GBP", "EUR"), ("GBP", "USD"),
    }  # fmt: skip
    there, back = rows["EUR", "USD"].rate, rows["USD", "EUR"].rate
    assert abs(there * back - 1) < Decimal("0.00001")
    assert abs(rows["USD", "GBP"].rate - rows["EUR", "GBP"].rate / there) < Decimal("0.000001")
    assert {row.day for row in rows.values()} == {rows["EUR", "USD"].day}
    assert rows["EUR", "USD"].day <= now.date()


def test_asks_once_in_a_while_and_keeps_the_same_day_once(sources: SandboxProcess) -> None:
    now = datetime.now(UTC)
    fetch_rates(now=now)
    assert fetch_rates(now=now + timedelta(hours=5)) == 0
    assert len(sources.asked()) == 1
    fetch_rates(now=now + timedelta(hours=7))
    assert (len(sources.asked()), CurrencyRate.objects.count()) == (2, 6)


@pytest.mark.usefixtures("quick")
def test_keeps_nothing_of_a_failure_and_tries_again(sources: SandboxProcess) -> None:
    sources.fault("half_json", times=3)
    task.apply()
    assert not CurrencyRate.objects.exists()
    task.apply()
    assert CurrencyRate.objects.count() == 6


def test_refuses_rates_of_a_day_to_come(sources: SandboxProcess) -> None:
    with pytest.raises(ProviderUnavailable, match="day to come"):
        fetch_rates(now=datetime(2020, 1, 1, tzinfo=UTC))
    assert not CurrencyRate.objects.exists()


@pytest.mark.parametrize(("dollar", "pound"), [("0.0000000001", "999999"), ("1.1", "0.0000001"), ("1.1", None)])
def test_refuses_rates_that_cannot_be(dollar: str, pound: str | None) -> None:
    now = datetime.now(UTC)
    rates = {"USD": Decimal(dollar)} | ({"GBP": Decimal(pound)} if pound else {})
    with pytest.raises(ProviderUnavailable, match="can't be"):
        _keep(Rates(base="EUR", day=now.date(), rates=rates), now=now)
    assert not CurrencyRate.objects.exists()


def test_answers_the_newest_rate_that_is_not_of_after_the_day() -> None:
    for day, value in ((date(2026, 3, 12), "1.08"), (date(2026, 3, 13), "1.09")):
        CurrencyRate.objects.create(
            from_currency="EUR", to_currency="USD", day=day, rate=value, fetched_at=datetime.now(UTC)
        )
    assert rate("EUR", "USD", date(2026, 3, 11)) is None
    assert rate("EUR", "USD", date(2026, 3, 12)) == Rate(Decimal("1.08"), date(2026, 3, 12))
    assert rate("EUR", "USD", date(2026, 3, 15)) == Rate(Decimal("1.09"), date(2026, 3, 13))
    assert rate("USD", "EUR", date(2026, 3, 15)) is None
    assert rate("GBP", "GBP", date(2026, 3, 15)) == Rate(Decimal(1), date(2026, 3, 15))
