"""The landing page and the prices: what the product promises and what it costs, in words and figures."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from common.access import open_to_all

# product.md, editions; billing.md, minimum.
LITE = Decimal("0.01")
FULL = Decimal("0.025")
FULL_WITH_BRIKICK = Decimal("0.02")
MINIMUM = Decimal(10)
_CENT = Decimal("0.01")

# What the slider stops at, and which of them the table shows to those without scripts. In EUR a month.
_STOPS = (100, 200, 300, 400, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 15_000, 20_000, 30_000, 50_000)
_SHOWN = (200, 400, 1_000, 2_000, 5_000, 10_000, 50_000)
_START = 2_000


@dataclass(frozen=True, slots=True)
class Fee:
    """What a month costs in one edition; below the minimum nothing is asked, and the amount is carried on."""

    amount: Decimal
    carried: bool


@dataclass(frozen=True, slots=True)
class Month:
    """A month's goods sold and its fee in each edition, in the order of the table's columns."""

    goods: int
    fees: tuple[Fee, Fee, Fee]


@dataclass(frozen=True, slots=True)
class Rate:
    """A column of the price table."""

    label: str
    rate: Decimal


RATES = (Rate("Lite", LITE), Rate("Full", FULL), Rate("Full with Brikick", FULL_WITH_BRIKICK))


def fee_for(goods: Decimal, rate: Decimal) -> Fee:
    """Answer the fee for a month's goods sold, rounded half up to cents as invoices are."""
    amount = (goods * rate).quantize(_CENT, rounding=ROUND_HALF_UP)
    return Fee(amount, carried=amount < MINIMUM)


def _month(goods: int) -> Month:
    lite, full, brikick = (fee_for(Decimal(goods), column.rate) for column in RATES)
    return Month(goods, (lite, full, brikick))


@open_to_all
def landing(request: HttpRequest) -> HttpResponse:
    """Show what the product is for."""
    return render(request, "tenants/site/landing.html")


@open_to_all
def pricing(request: HttpRequest) -> HttpResponse:
    """Show the editions, what each includes, and what a month costs."""
    context = {
        "rates": RATES,
        "minimum": MINIMUM,
        "months": [_month(goods) for goods in _SHOWN],
        "stops": _STOPS,
        "start": _STOPS.index(_START),
        "start_month": _month(_START),
    }
    return render(request, "tenants/site/pricing.html", context)
