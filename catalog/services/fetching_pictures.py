"""Asks a source's host for a picture: only hosts that are allowed, within their budgets, and never for long."""

from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from time import monotonic, sleep
from urllib.parse import urljoin, urlsplit

from django.conf import settings

from catalog.sources.pictures import PictureHost, host_of
from common.errors import BudgetExhausted
from common.wire import Breaker, Budget, CallClass, trace, transport
from common.wire.client import header_retry_after

LIMIT_BYTES = 5 * 1024 * 1024
_TOTAL_S, _READ_S = 10.0, 5.0
# How long a call may wait for its turn within the budget.
_PATIENCE_S = 5.0
_REDIRECTS = 2
# Where a host wants to be left alone and doesn't say for how long.
_DEFAULT_PAUSE_S = 60.0
_MISSING = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


class Outcome(Enum):
    """How a question for a picture ended."""

    FOUND = auto()
    # There is none at that address.
    MISSING = auto()
    # It may be there; the host didn't say.
    TROUBLE = auto()
    # Nobody was asked: too many were, or the host is left alone for now.
    NOT_YET = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it. `body`: what was found, whatever it is; `retry_after`: seconds, where somebody said."""

    outcome: Outcome
    body: bytes = b""
    retry_after: float = 0.0


def fetch_picture(url: str) -> Answer:
    """Answer what is at an address of `catalog.sources.pictures`; raises nothing for whatever the host does.

    Sent on elsewhere it goes only where it could have been sent by us. No transaction should be open.
    """
    for _hop in range(_REDIRECTS + 1):
        place = host_of(url)
        if place is None or place.host not in settings.CATALOG_IMAGE_HOSTS:
            return Answer(Outcome.MISSING)
        answer, sent_on = _asked(place, url)
        if sent_on is None:
            return answer
        url = urljoin(url, sent_on)
    return Answer(Outcome.MISSING)


def _asked(place: PictureHost, url: str) -> tuple[Answer, str | None]:
    """Answer what the host said, or where it sends us."""
    breaker = Breaker(key=f"pictures:{place.host}")
    if closed_s := breaker.admit():
        return Answer(Outcome.NOT_YET, retry_after=closed_s), None
    budget = Budget(
        key=f"pictures:{place.host}", label=place.label, per_second=place.per_second, burst=place.burst,
    )  # fmt: skip
    try:
        sleep(budget.take(CallClass.USUAL, patience_s=_PATIENCE_S).wait_s)
    except BudgetExhausted as error:
        return Answer(Outcome.NOT_YET, retry_after=error.extra["retry_after"]), None
    began = monotonic()
    status, answer, sent_on = _exchange(url)
    trace.attempt(
        provider=place.host,
        operation="picture",
        method="GET",
        path=urlsplit(url).path,
        number=1,
        status=status,
        milliseconds=round((monotonic() - began) * 1000),
        outcome="ok" if answer.outcome is not Outcome.TROUBLE else "trouble",
        calls_left=None,
    )
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        breaker.pause(answer.retry_after)
    elif answer.outcome is Outcome.TROUBLE:
        breaker.note_failure()
    else:
        breaker.note_success()
    return answer, sent_on


def _exchange(url: str) -> tuple[int | None, Answer, str | None]:
    instead = settings.CATALOG_IMAGES_URL
    try:
        got = transport.exchange(
            "GET",
            f"{instead.rstrip('/')}/{url.removeprefix('https://')}" if instead else url,
            headers={"Accept": "image/webp,image/png,image/jpeg,image/*"},
            total_s=_TOTAL_S,
            read_s=_READ_S,
            limit_bytes=LIMIT_BYTES,
            # What stands in for the hosts is the installation's own choice.
            is_guarded=not instead,
        )
    except transport.TooLargeError:
        # No picture of an item is that large.
        return None, Answer(Outcome.MISSING), None
    except (transport.NotSentError, transport.LostError):
        return None, Answer(Outcome.TROUBLE), None
    if got.status == HTTPStatus.OK:
        # A page where a picture should be is a notice of works, or a question whether we are a person.
        is_page = got.headers.get("Content-Type", "").startswith("text/html")
        return got.status, Answer(Outcome.TROUBLE) if is_page else Answer(Outcome.FOUND, got.body), None
    if got.status in _MISSING:
        return got.status, Answer(Outcome.MISSING), None
    if HTTPStatus.MULTIPLE_CHOICES <= got.status < HTTPStatus.BAD_REQUEST:
        return got.status, Answer(Outcome.MISSING), got.headers.get("Location") or None
    wait_s = header_retry_after(got.status, got.headers, got.body)
    return got.status, Answer(Outcome.TROUBLE, retry_after=_DEFAULT_PAUSE_S if wait_s is None else wait_s), None
