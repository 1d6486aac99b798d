"""What a currency is worth in another."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from catalog.models import CurrencyRate


@dataclass(frozen=True, slots=True)
class Rate:
    """What one of a currency is worth in another, and on which day it was."""

    value: Decimal
    day: date


def rate(from_currency: str, to_currency: str, day: date) -> Rate | None:
    """Answer the newest rate that is not of after the day, None where none is known. One query, or none."""
    if from_currency == to_currency:
        return Rate(Decimal(1), day)
    rows = CurrencyRate.objects.filter(from_currency=from_currency, to_currency=to_currency, day__lte=day)
    found = rows.order_by("-day").values_list("rate", "day").first()
    return Rate(*found) if found else None
