"""What every channel has in common: the contract of its adapter.

An adapter is made for one use from plain values, and knows no models, no settings and no clock. Whatever the other
side's idea of an error is, four come out: ProviderRejected, CredentialsRefused (`reason`: a Refusal, where it is
known), ProviderUnavailable and OutcomeUnknown; and BudgetExhausted before anything was sent.
"""

import contextlib
import html
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from itertools import islice
from typing import Any, ClassVar, TypeVar

from common.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from common.wire import Breaker, Budget, CallClass, Policy, Registry, Wire
from common.wire.client import header_retry_after, nothing_more
from common.wire.oauth import Sign
from stores.channels import Can, ChannelSpec, declare
from sync.remote import (
    Hint,
    Incoming,
    Message,
    Operation,
    OrderPage,
    Outcome,
    Pushed,
    Registration,
    RemoteLot,
    RemoteOrder,
    ShopFacts,
    StatusPush,
    Tracking,
)

T = TypeVar("T")

_NOTHING = Decimal(0)
_UNTOLD = (None, "0.0000", "")

# 100,000 lots are some 60 MB at BrickLink.
_LIMIT_BYTES = 400 * 1024 * 1024
_TOTAL_S, _WAITED_FOR_S, _PATIENCE_S = 300.0, 30.0, 30.0
# What a reader of an answer raises where the answer isn't what it knows.
MISREAD = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError, RecursionError)


class MisreadError(ProviderUnavailable):
    """What came was whole, and not in the form that is known: asking at once again changes nothing."""


class UnsupportedError(Exception):
    """The channel was asked for what it doesn't declare; callers look at `spec.can` first."""


class Channel:
    """One store on one channel, for one use."""

    spec: ClassVar[ChannelSpec]
    # Whether it looks for one lot by its marker; else it answers all of them for that.
    finds_by_marker: ClassVar[bool] = False
    policy: ClassVar[Policy] = Policy()

    def __init__(
        self, *, url: str, credentials: Mapping[str, str], budget: Budget, breaker: Breaker, call_class: CallClass,
        is_waited_for: bool = False,
    ) -> None:  # fmt: skip
        """`is_waited_for`: by a person, who is told at once what goes wrong and asks again by hand."""
        self._credentials = credentials
        self._wire = Wire(
            provider=self.spec.code,
            label=self.spec.label,
            base_url=url,
            budget=budget,
            breaker=breaker,
            call_class=call_class,
            headers=self.headers(credentials),
            sign=self.signer(credentials),
            unwrap=self.unwrap,
            explain=self.explain,
            secrets=tuple(credentials.values()),
            retry_after=self.retry_after,
            policy=Policy(attempts=1) if is_waited_for else self.policy,
            patience_s=_PATIENCE_S,
            total_s=_WAITED_FOR_S if is_waited_for else _TOTAL_S,
            limit_bytes=_LIMIT_BYTES,
        )

    # --- How the channel speaks ---------------------------------------------------------------------------------------
    @staticmethod
    def headers(credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Answer the headers that every request has."""
        return {}

    @staticmethod
    def signer(credentials: Mapping[str, str]) -> Sign | None:
        """Answer what signs each attempt, where the channel wants that."""
        return None

    @staticmethod
    def unwrap(status: int, data: Any) -> tuple[int, Any]:
        """Answer status and data as the channel means them; raises ValueError for what isn't its own answer."""
        return status, data

    @staticmethod
    def explain(status: int, data: Any) -> Mapping[str, Any]:
        """Answer what a refusal is to say besides: `reason`, `detail` and what belongs to them."""
        return nothing_more(status, data)

    @staticmethod
    def retry_after(status: int, headers: Mapping[str, str], body: bytes) -> float | None:
        """Answer for how many seconds the channel wants to be left alone, None where it doesn't say."""
        return header_retry_after(status, headers, body)

    # --- What it can be asked -----------------------------------------------------------------------------------------
    def test_connection(self) -> ShopFacts:
        """Answer what the channel says of the store, by one cheap call."""
        raise UnsupportedError(Can.TEST_CONNECTION)

    def fetch_inventory(self) -> Iterator[tuple[RemoteLot, ...]]:
        """Answer all lots, page by page. An error on the way means that nothing is known of what didn't come."""
        raise UnsupportedError(Can.FETCH_INVENTORY)

    def fetch_lot(self, lot_id: str) -> RemoteLot | None:
        """Answer a lot as it is now, None where there is none (any more)."""
        raise UnsupportedError(Can.FETCH_LOT)

    def find_lots(self, markers: Collection[str]) -> Mapping[str, tuple[RemoteLot, ...]]:
        """Answer the lots that carry those markers; one that isn't there has no entry."""
        raise UnsupportedError(Can.FIND_LOTS)

    def apply(self, operations: Sequence[Operation]) -> Iterator[Outcome]:
        """Carry operations out, in order, in as few requests as the channel allows; answer each outcome as it comes.

        What is raised on the way stops the rest: an operation without an outcome had no effect, or one that does no
        harm when it is repeated.
        """
        raise UnsupportedError(Can.APPLY)

    @classmethod
    def requests_in(cls, operation: Operation) -> int:
        """Answer how much of a batch an operation takes."""
        return 1

    @classmethod
    def may_have_done(cls, operation: Operation) -> bool:
        """Tell whether an operation may have had its effect although the channel failed each time that it was asked."""
        return False

    def fetch_orders(self, cursor: str, *, since: datetime | None = None) -> Iterator[OrderPage]:
        """Answer the orders that are new or changed since the cursor, those that changed first first.

        An empty cursor begins anew, with orders placed at or after `since`. One that can't be read doesn't stop the
        others: the page names it.
        """
        raise UnsupportedError(Can.FETCH_ORDERS)

    def fetch_order(self, order_id: str) -> RemoteOrder | None:
        """Answer an order as it is now, None where there is none."""
        raise UnsupportedError(Can.FETCH_ORDER)

    def push_order_status(self, push: StatusPush) -> Pushed:
        """Tell the channel where an order stands, if it has a word for that and isn't as far."""
        raise UnsupportedError(Can.PUSH_ORDER_STATUS)

    def push_tracking(self, tracking: Tracking) -> Pushed:
        """Tell the channel how the parcel can be followed."""
        raise UnsupportedError(Can.PUSH_TRACKING)

    @classmethod
    def parse_notification(cls, incoming: Incoming, *, secret: str, now: datetime) -> tuple[Hint, ...]:
        """Answer what a notification hints at; raises ProviderRejected for one that the channel can't have sent."""
        raise UnsupportedError(Can.PARSE_NOTIFICATION)

    def register_notifications(self, url: str) -> Registration:
        """Have the channel tell what happens to that address, and to no other that was ours before."""
        raise UnsupportedError(Can.REGISTER_NOTIFICATIONS)

    def fetch_messages(self, order_id: str) -> tuple[Message, ...]:
        """Answer what was written about an order, the oldest first."""
        raise UnsupportedError(Can.FETCH_MESSAGES)

    # --- For those who write one --------------------------------------------------------------------------------------
    def _ask(self, operation: str, read: Callable[[Any], T], request: Mapping[str, Any]) -> T:
        """Send a request, and answer what `read` makes of the data, which is None where there is nothing.

        Where the answer has another form than the one that `read` knows, it raises MisreadError, which is a
        ProviderUnavailable, or OutcomeUnknown for what isn't to be repeated.
        """
        answer = self._wire.call(operation, **request)
        data = None if answer.status == HTTPStatus.NOT_FOUND else answer.data
        is_repeatable = request.get("is_repeatable", request.get("method", "GET") == "GET")
        return self._understood(operation, lambda: read(data), is_repeatable=is_repeatable)

    def _understood(self, operation: str, make: Callable[[], T], *, is_repeatable: bool = True) -> T:
        try:
            return make()
        except MISREAD as error:
            kind = MisreadError if is_repeatable else OutcomeUnknown
            unknown = f"{self.spec.label} answered in a form that we don't know."
            raise kind(unknown, provider=self.spec.code, operation=operation) from error


def _faults(cls: type[Channel]) -> list[str]:
    own = {can for can in Can if getattr(cls, can.value).__qualname__ != f"Channel.{can.value}"}
    return [f"declares {can} and can't" for can in cls.spec.can - own] + [
        f"doesn't declare {can}" for can in own - cls.spec.can
    ]


registry: Registry[type[Channel]] = Registry("channel", faults=_faults)


def register(cls: type[Channel]) -> type[Channel]:
    """Have the channel offered, and known to those who know no adapters; written at its class."""
    registry.register(cls)
    declare(cls.spec)
    return cls


# --- What several of them need ----------------------------------------------------------------------------------------
def pages_of(rows: Iterable[T], size: int = 1000) -> Iterator[tuple[T, ...]]:
    """Answer the rows in pages."""
    left = iter(rows)
    while page := tuple(islice(left, size)):
        yield page


def order_pages(changed: Iterable[tuple[str, str]], fetch: Callable[[str], RemoteOrder | None]) -> Iterator[OrderPage]:
    """Answer orders that are fetched one by one, each as a page; `changed`: their numbers, with the cursor behind each.

    One that is refused or breaks the channel is named, and doesn't stop the others; two of these in a row mean that it
    isn't the order, nor is it where the channel wants to be left alone.
    """
    is_second = False
    for order_id, after in changed:
        try:
            order = fetch(order_id)
        except (MisreadError, ProviderRejected):
            yield OrderPage((), after, misread=(order_id,))
        except ProviderUnavailable as error:
            if is_second or "retry_after" in error.extra:
                raise
            is_second = True
            yield OrderPage((), after, misread=(order_id,))
        else:
            is_second = False
            yield OrderPage((order,) if order else (), after)


def amount(value: Any) -> Decimal:
    """Read an amount, which may be a text or a number; nothing is zero. Raises ValueError for what is none."""
    if value is None or value in ("", "null"):
        return _NOTHING
    try:
        read = Decimal(value) if isinstance(value, str | int) else Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"{value} is no amount") from error
    if not read.is_finite():
        raise ValueError(f"{value} is no amount")
    return read


def amount_or_none(value: Any) -> Decimal | None:
    """Read an amount of which nothing says that nobody has told any. Raises ValueError for what is none."""
    # As nearly all lots say it.
    return None if value in _UNTOLD else amount(value) or None


def count_of(value: Any) -> int:
    """Read a number of things; nothing is zero. Raises ValueError below zero and for parts of a thing."""
    # Of what comes a hundred thousand times, the usual forms first.
    if type(value) is int and value >= 0:
        return value
    if type(value) is str and value.isascii() and value.isdecimal():
        return int(value)
    read = amount(value)
    if read < 0 or read != read.to_integral_value():
        raise ValueError(f"{value} is no number of things")
    return int(read)


def text_of(value: Any) -> str:
    """Read a text as it was typed: entities become what they stand for, once; nothing is empty."""
    text = value if type(value) is str else "" if value is None else str(value)
    return html.unescape(text) if "&" in text else text


def time_of(value: Any) -> datetime | None:
    """Read a time by ISO 8601; None for nothing, ValueError for what is none or names no zone."""
    if value in (None, ""):
        return None
    read = datetime.fromisoformat(str(value))
    if read.tzinfo is None:
        raise ValueError(f"{value} names no zone")
    return read


def marks_in(cursor: str) -> dict[str, Any]:
    """Read a cursor that we wrote as JSON; one that can't be read begins anew."""
    with contextlib.suppress(ValueError):
        read = json.loads(cursor)
        if isinstance(read, dict):
            return read
    return {}


def as_cursor(marks: Mapping[str, Any]) -> str:
    """Answer a cursor as text."""
    return json.dumps(marks, separators=(",", ":"), sort_keys=True)


def small(value: Decimal) -> str:
    """Answer an amount as short as it can be written, `0.12`."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
