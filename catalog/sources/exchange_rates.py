"""The European Central Bank's reference rates, published on working days around 16:00 in Frankfurt.

https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/, checked on 2026-04-02.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree

from catalog.sources.base import Can, Rates, Source, SourceSpec, registry

_FILE = "eurofxref-daily.xml"
_CUBE = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"
_CURRENCY = re.compile(r"[A-Z]{3}")
_RATE = re.compile(r"[0-9]{1,6}(\.[0-9]{1,10})?")
# The file has 2 KB.
_LIMIT_BYTES = 100_000


@registry.register
class ExchangeRates(Source):
    """What a euro is worth in some thirty currencies."""

    spec = SourceSpec(
        code="exchange_rates",
        label="European Central Bank",
        docs="https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/",
        can=frozenset({Can.RATES}),
        # Of our own, for a file that changes once a day.
        per_second=1.0,
        burst=3,
        per_day=200,
    )

    def rates(self) -> Rates:
        """Answer the rates of the last working day."""
        return self._ask("rates", rates_result, rates_request())


def rates_request() -> dict[str, Any]:
    """Ask for the newest rates."""
    return {"path": _FILE, "parse": document}


def document(body: bytes) -> Element:
    """Read XML of a stranger; raises ValueError for what is none, is cut, too large, or wants more than it says."""
    if len(body) > _LIMIT_BYTES:
        raise ValueError("too large")
    try:
        root: Element = ElementTree.fromstring(body, forbid_dtd=True)
    except (ParseError, LookupError) as error:
        # An encoding that nobody knows is a LookupError.
        raise ValueError("no XML") from error
    return root


def rates_result(root: Element) -> Rates:
    """Read the rates of the one day that there is; raises ValueError where there are none."""
    day = next((cube for cube in root.iter(_CUBE) if "time" in cube.attrib), None)
    if day is None:
        raise ValueError("no day")
    rates: dict[str, Decimal] = {}
    for cube in day.findall(_CUBE):
        currency, rate = cube.attrib["currency"], cube.attrib["rate"]
        if not _CURRENCY.fullmatch(currency) or not _RATE.fullmatch(rate) or not Decimal(rate):
            raise ValueError("no rate")
        rates[currency] = Decimal(rate)
    if not rates:
        raise ValueError("no rates")
    return Rates(base="EUR", day=date.fromisoformat(day.attrib["time"]), rates=rates)
