"""The words of a file of orders as typed values, and in words what is wrong with them."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import TextChoices
from django_countries import countries

from common import currencies
from inventory.parsing import values as v
from inventory.parsing.columns import Moment
from inventory.parsing.numbers import Numbers
from inventory.parsing.values import WordError, shown
from orders.choices import OrderStatus, PaymentStatus
from orders.lifecycle import Status
from stores.choices import Channel

T = TypeVar("T")

_GERMAN = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[ ,]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?\Z")
_YEARS = range(1970, 2200)
# Clocks differ, and so do days around the world.
_AHEAD = timedelta(days=1)
_CENTS = 2
_LETTERS = 2

_STATUSES: Mapping[str, Status] = {
    word.casefold(): Status(status.value) for status in OrderStatus for word in (status.value, str(status.label))
}
_PAYMENTS: Mapping[str, str] = {
    **{word.casefold(): each.value for each in PaymentStatus for word in (each.value, str(each.label))},
    **dict.fromkeys(("yes", "y", "ja", "bezahlt"), PaymentStatus.PAID.value),
    **dict.fromkeys(("no", "n", "nein", "offen", "open", "not paid"), PaymentStatus.UNPAID.value),
}
_CHANNELS: Mapping[str, str] = {
    word.casefold(): each.value for each in Channel for word in (each.value, str(each.label))
}
# As people call them where the list of countries has another name.
_ALSO: Mapping[str, str] = {
    "uk": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "usa": "US", "u.s.a.": "US",
    "united states": "US", "united states of america": "US", "the netherlands": "NL", "holland": "NL",
    "czech republic": "CZ", "south korea": "KR", "russia": "RU", "taiwan": "TW", "vietnam": "VN", "turkey": "TR",
    "deutschland": "DE", "österreich": "AT", "schweiz": "CH", "frankreich": "FR", "italien": "IT", "spanien": "ES",
    "niederlande": "NL", "belgien": "BE", "polen": "PL", "dänemark": "DK", "schweden": "SE", "norwegen": "NO",
}  # fmt: skip


def moment(text: str, zone: ZoneInfo, *, now: datetime) -> datetime:
    """Answer a time: ISO 8601, a day of the kind 31.12.2025, or a spreadsheet's own. Raises WordError.

    Where it names no zone, it is the shop's.
    """
    found = _german(text) or _iso(text)
    if found is None or found.year not in _YEARS:
        raise WordError(f"{shown(text)} isn't a date that can only mean one day. Write 2025-12-31, or 31.12.2025.")
    if text.__class__ is Moment:
        found = found.replace(tzinfo=None)
    found = found.replace(tzinfo=zone) if found.tzinfo is None else found
    found = found.astimezone(UTC)
    if found > now + _AHEAD:
        raise WordError(f"{shown(text)} has yet to come.")
    return found


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _german(text: str) -> datetime | None:
    if not (found := _GERMAN.match(text)):
        return None
    day, month, year, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  # its zone follows
    except ValueError:
        return None


def money(text: str, numbers: Numbers) -> Decimal:
    """Answer an amount of an order. Raises WordError."""
    value = v.amount(numbers.plain(text))
    if value != round(value, _CENTS):
        raise WordError(f"{shown(text)} has more than two decimals.")
    return value


def currency(text: str) -> str:
    """Answer a currency's code. Raises WordError."""
    code = text.upper()
    if code not in currencies.NAMES:
        raise WordError(f"{shown(text)} is no currency that is known here. Write its three letters, such as EUR.")
    return code


@cache
def _countries() -> Mapping[str, str]:
    names = {str(name).casefold(): code for code, name in countries}
    return {**names, **_ALSO}


def country(text: str) -> str:
    """Answer a country's two letters. Raises WordError."""
    word = text.casefold()
    code = text.upper() if len(text) == _LETTERS and text.upper() in countries.countries else ""
    code = code or _countries().get(word, "") or countries.alpha2(text.upper())
    if not code:
        raise WordError(
            f"{shown(text)} is no country that is known here. Write its two letters, such as DE, or its English name."
        )
    return code


def status(text: str) -> Status:
    """Answer where an order stands. Raises WordError."""
    return _among(text, _STATUSES, "status of an order", OrderStatus)


def payment(text: str) -> str:
    """Answer how far the payment is. Raises WordError."""
    return _among(text, _PAYMENTS, "payment status", PaymentStatus)


def _among(text: str, known: Mapping[str, T], what: str, labels: type[TextChoices]) -> T:
    found = known.get(text.casefold())
    if found is None:
        raise WordError(f"{shown(text)} is no {what}. There are {', '.join(str(each.label) for each in labels)}.")
    return found


def channel(text: str) -> str:
    """Answer on which kind of marketplace it was sold; empty where the word is none of those."""
    return _CHANNELS.get(text.casefold(), "")


def email(text: str) -> str:
    """Answer an e-mail address. Raises WordError, which doesn't repeat it."""
    if "@" not in text.strip("@") or " " in text:
        raise WordError("The buyer's e-mail address is none. Write one such as ana@example.com, or nothing.")
    return text


def lot(text: str) -> UUID:
    """Answer a lot's key. Raises WordError."""
    try:
        return UUID(text)
    except ValueError:
        raise WordError(
            f"{shown(text)} is no lot of ours. Take it from the inventory's export, or leave it out."
        ) from None
