"""Keeps what currencies are worth in each other, day by day."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import permutations

from django.db import transaction

from catalog.models import CurrencyRate
from catalog.services.connecting import connect
from catalog.sources.base import Rates
from common.errors import ProviderUnavailable
from common.wire import CallClass

# Those that shops have (definitions.md, section 5).
CURRENCIES = ("EUR", "USD", "GBP")
# The file is published once a working day; asked more often, a new installation and a missed day know it soon.
ASK_AFTER = timedelta(hours=6)
_SOURCE = "exchange_rates"
_PLACES = Decimal("0.000001")
# What a euro can be worth; the column holds what any two of these make.
_LEAST, _MOST = Decimal("0.001"), Decimal(1000)


def fetch_rates(*, now: datetime) -> int:
    """Keep the newest rates between the currencies of shops; answer how many are kept of that day.

    Asks nobody within six hours after the last time. Not atomic: the source is asked outside of any transaction. Raises
    ProviderError and RateLimited with nothing kept.
    """
    if CurrencyRate.objects.filter(fetched_at__gt=now - ASK_AFTER).exists():
        return 0
    return _keep(connect(_SOURCE, call_class=CallClass.USUAL).rates(), now=now)


@transaction.atomic
def _keep(found: Rates, *, now: datetime) -> int:
    worth = {found.base: Decimal(1), **found.rates}
    are_likely = all(_LEAST < worth.get(currency, Decimal(0)) < _MOST for currency in CURRENCIES)
    if found.day > (now + timedelta(days=1)).date() or not are_likely:
        raise ProviderUnavailable(
            "The European Central Bank's rates are of a day to come, lack a currency, or can't be.", provider=_SOURCE,
            operation="rates",
        )  # fmt: skip
    rows = CurrencyRate.objects.bulk_create(
        [
            CurrencyRate(
                from_currency=theirs,
                to_currency=ours,
                day=found.day,
                rate=(worth[ours] / worth[theirs]).quantize(_PLACES),
                fetched_at=now,
            )
            for theirs, ours in permutations(CURRENCIES, 2)
        ],
        update_conflicts=True,
        unique_fields=["from_currency", "to_currency", "day"],
        update_fields=["rate", "fetched_at"],
    )
    return len(rows)
