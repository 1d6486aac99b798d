"""The European Central Bank's file of reference rates: https://www.ecb.europa.eu/stats/eurofxref/."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from http import HTTPStatus

from sandbox.http import Request, Response

# Made up, near to what they were; a little higher each day of the month, so that days can be told apart.
_RATES: Mapping[str, float] = {"USD": 1.0895, "JPY": 161.2, "GBP": 0.8401, "CHF": 0.9612, "SEK": 11.05, "KRW": 1582.4}
_PUBLISHED = time(15)
_FRIDAY = 4
_NAMES = (
    'xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"'
)


class CentralBank:
    """One file, anew on every working day."""

    name = "exchange_rates"
    prefix = "/ecb"
    hosts: Sequence[str] = ("www.ecb.europa.eu",)

    def handle(self, request: Request) -> Response:
        """Answer the rates of the last working day."""
        if request.path != "/stats/eurofxref/eurofxref-daily.xml" or request.method != "GET":
            return Response(HTTPStatus.NOT_FOUND, b"<html><body>Not found</body></html>", "text/html")
        return Response(HTTPStatus.OK, _document(_working_day(datetime.now(UTC))), "text/xml")


def _working_day(now: datetime) -> date:
    day = now.date() if now.time() >= _PUBLISHED else now.date() - timedelta(days=1)
    return day - timedelta(days=max(0, day.weekday() - _FRIDAY))


def _document(day: date) -> bytes:
    rates = "".join(
        f"\n\t\t\t<Cube currency='{currency}' rate='{round(rate * (1 + day.day / 10_000), 4)}'/>"
        for currency, rate in _RATES.items()
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<gesmes:Envelope {_NAMES}>\n'
        "\t<gesmes:subject>Reference rates</gesmes:subject>\n\t<gesmes:Sender>\n"
        "\t\t<gesmes:name>European Central Bank</gesmes:name>\n\t</gesmes:Sender>\n"
        f"\t<Cube>\n\t\t<Cube time='{day.isoformat()}'>{rates}\n\t\t</Cube>\n\t</Cube>\n</gesmes:Envelope>\n"
    ).encode()
