"""What an adapter holds of the wire: it asks, and gets a whole answer or one of the four errors."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from math import ceil
from typing import Any

from django.utils import timezone

from common.errors import CredentialsRefused, OutcomeUnknown, ProviderError, ProviderRejected, ProviderUnavailable
from common.wire import retry, trace, transport
from common.wire.breaker import Breaker
from common.wire.budget import Budget, CallClass
from common.wire.oauth import Sign
from common.wire.redact import Redactor

_LIMIT_BYTES = 20 * 1024 * 1024
# Where the other side wants us to wait and doesn't say for how long.
_DEFAULT_PAUSE_S = 2.0
_LONGEST_PAUSE_S = 86_400.0
# Makes something else of a JSON object as soon as it was read.
Hook = Callable[[dict[str, Any]], Any]
_BUSY = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer.

    `data`: its JSON, numbers with a point as Decimal, or what `parse` made of it; None where the status says there is
    none.
    """

    status: int
    headers: Mapping[str, str]
    data: Any


def header_retry_after(status: int, headers: Mapping[str, str], body: bytes) -> float | None:
    """Answer the seconds that `Retry-After` says (RFC 9110, section 10.2.3), None where it says nothing sensible."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (at - timezone.now()).total_seconds()) if at.tzinfo else None


def as_it_is(status: int, data: Any) -> tuple[int, Any]:
    """Answer what HTTP says, of a provider without an envelope."""
    return status, data


def nothing_more(status: int, data: Any) -> Mapping[str, Any]:
    """Answer that nothing is known of a fault beyond its status."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """The way to one provider, made for one use from plain values.

    `headers`, `params`: what every request has, and every query. `sign`: headers for one attempt, from its method and
    its whole URL. `unwrap`: status and data as this provider means them, from those of HTTP, where it tells the truth
    in the body; raises ValueError for what isn't its envelope. `explain`: what an error is to say besides, from the
    status that is meant and the JSON as it came: its members, and `detail` for a better sentence.
    `secrets`: values that never appear in a log or error. `retry_after`: how this provider says for how long to wait,
    from status, headers and body. `patience_s`: how long a call may wait for its turn within the budget. `total_s`
    limits a call with all its attempts and pauses.
    """

    provider: str
    label: str
    base_url: str
    budget: Budget
    breaker: Breaker
    call_class: CallClass = CallClass.USUAL
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    sign: Sign | None = None
    unwrap: Callable[[int, Any], tuple[int, Any]] = as_it_is
    explain: Callable[[int, Any], Mapping[str, Any]] = nothing_more
    secrets: tuple[str, ...] = ()
    retry_after: Callable[[int, Mapping[str, str], bytes], float | None] = header_retry_after
    policy: retry.Policy = field(default_factory=retry.Policy)
    patience_s: float = 3.0
    read_s: float = transport.READ_S
    total_s: float = 60.0
    limit_bytes: int = _LIMIT_BYTES

    def call(
        self, operation: str, *, method: str = "GET", path: str, params: Mapping[str, Any] | None = None,
        json: Any = None, form: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None, headers: Mapping[str, str] | None = None,
        is_repeatable: bool | None = None, may_be_missing: bool = False, hook: Hook | None = None,
        parse: Callable[[bytes], Any] | None = None,
    ) -> Answer:  # fmt: skip
        """Ask, and answer what was answered, in full; with `may_be_missing` a 404 is an answer too.

        `form`: the fields of a body of that kind. `hook`: makes something smaller of each JSON object while a long
        answer is read; it may raise ValueError. `parse`: what makes data of a body that is no JSON; raises ValueError
        for one that it doesn't know or is cut.

        `is_repeatable`: doing it twice is as good as once, as of every GET, and of a POST that only asks. Such a call
        is repeated after 429, 5xx and lost connections. Any other never is: lost, it raises OutcomeUnknown. Raises the
        other ProviderErrors too, and BudgetExhausted before anything is sent.
        """
        one = _Call(
            wire=self,
            operation=operation,
            request={
                "method": method,
                "params": {**self.params, **(params or {})},
                "json": json,
                "form": form,
                "files": files,
            },
            headers={"Accept": "*/*" if parse else "application/json", **self.headers, **(headers or {})},
            path=path,
            is_repeatable=method == "GET" if is_repeatable is None else is_repeatable,
            may_be_missing=may_be_missing,
            parse=parse or partial(_json, hook=hook),
            ends_at=time.monotonic() + self.total_s,
        )
        return retry.persist(one.attempt, policy=self.policy, is_repeatable=one.is_repeatable, ends_at=one.ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One call, on its way through its attempts."""

    wire: Wire
    operation: str
    request: Mapping[str, Any]
    headers: Mapping[str, str]
    path: str
    is_repeatable: bool
    may_be_missing: bool
    parse: Callable[[bytes], Any]
    ends_at: float

    def attempt(self, number: int) -> Answer:
        wire = self.wire
        if closed_s := wire.breaker.admit():
            raise self._error(ProviderUnavailable, f"{wire.label} has failed repeatedly and is left alone.", closed_s)
        taken = wire.budget.take(wire.call_class, patience_s=min(wire.patience_s, self._left_s()))
        time.sleep(taken.wait_s)
        began = time.monotonic()
        status, error, answer = self._exchange()
        trace.attempt(
            provider=wire.provider,
            operation=self.operation,
            method=self.request["method"],
            path=self.path,
            number=number,
            status=status,
            milliseconds=round((time.monotonic() - began) * 1000),
            outcome="ok" if error is None else error.type,
            calls_left=taken.left,
        )
        self._tell_breaker(status, error)
        if error is not None:
            raise error
        assert answer is not None  # noqa: S101  # for the type checker: it is there where no error is
        return answer

    def _exchange(self) -> tuple[int | None, ProviderError | None, Answer | None]:
        wire = self.wire
        try:
            got = transport.exchange(
                **self.request,
                url=wire.base_url.rstrip("/") + "/" + self.path.lstrip("/"),
                headers=self.headers,
                sign=wire.sign,
                total_s=self._left_s(),
                read_s=wire.read_s,
                limit_bytes=wire.limit_bytes,
            )
        except transport.NotSentError as error:
            return None, self._error(ProviderUnavailable, f"{wire.label} can't be reached ({error})."), None
        except transport.LostError as error:
            return None, self._lost(f"{wire.label} gave no whole answer ({error})."), None
        try:
            status, data = self._unwrapped(got)
        except ValueError:
            excerpt = Redactor(wire.secrets).excerpt(got.body)
            return got.status, self._lost(f"{wire.label} answered something that can't be read.", answer=excerpt), None
        fault = self._fault(got, status)
        if fault is not None:
            return status, fault, None
        return status, None, Answer(status=status, headers=got.headers, data=data)

    def _unwrapped(self, got: transport.Exchanged) -> tuple[int, Any]:
        """Answer the status that is meant, and the data; a fault that HTTP tells of needs no body that can be read."""
        try:
            data = None if got.status == HTTPStatus.NO_CONTENT else self.parse(got.body)
            return self.wire.unwrap(got.status, data)
        except ValueError:
            if self._fault(got, got.status) is None:
                raise
            return got.status, None

    def _fault(self, got: transport.Exchanged, status: int) -> ProviderError | None:
        """Answer what a status means as an error, None where it is an answer."""
        wire = self.wire
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return None
        if status == HTTPStatus.NOT_FOUND and self.may_be_missing:
            return None
        redactor = Redactor(wire.secrets)
        answer: dict[str, Any] = {"answer": redactor.excerpt(got.body), "answer_status": status}
        # What it said is hidden where it is secret, and not our own words about it.
        explained = dict(wire.explain(status, redactor.data(_json_or_none(got.body))))
        if told := explained.pop("detail", None):
            answer["told"] = told
        answer |= explained
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return self._error(CredentialsRefused, f"{wire.label} refuses the credentials.", **answer)
        if status in _BUSY:
            wait_s = self._wait_s(got, status)
            wait_s = _DEFAULT_PAUSE_S if wait_s is None else wait_s
            return self._error(ProviderUnavailable, f"{wire.label} wants to be asked later.", wait_s, **answer)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            wait_s = self._wait_s(got, status)
            return self._lost(f"{wire.label} is in trouble (status {status}).", wait_s, **answer)
        if status < HTTPStatus.BAD_REQUEST:
            return self._error(ProviderUnavailable, f"{wire.label} is no longer at this address.", **answer)
        return self._error(ProviderRejected, f"{wire.label} doesn't take this (status {status}).", **answer)

    def _wait_s(self, got: transport.Exchanged, status: int) -> float | None:
        """Answer for how long we are asked to wait, but no longer than any limit lasts that is counted by the day."""
        wait_s = self.wire.retry_after(status, got.headers, got.body)
        return None if wait_s is None else min(wait_s, _LONGEST_PAUSE_S)

    def _lost(self, detail: str, retry_after: float | None = None, **extra: Any) -> ProviderError:
        """Answer the error for what may have been done although it failed."""
        kind = ProviderUnavailable if self.is_repeatable else OutcomeUnknown
        return self._error(kind, detail, retry_after, **extra)

    def _error(
        self, kind: type[ProviderError], detail: str, retry_after: float | None = None, **extra: Any
    ) -> ProviderError:
        if retry_after is not None:
            extra["retry_after"] = ceil(retry_after)
        return kind(extra.pop("told", detail), provider=self.wire.provider, operation=self.operation, **extra)

    def _tell_breaker(self, status: int | None, error: ProviderError | None) -> None:
        breaker = self.wire.breaker
        if status == HTTPStatus.TOO_MANY_REQUESTS and error is not None:
            breaker.pause(error.extra["retry_after"])
        elif isinstance(error, ProviderUnavailable | OutcomeUnknown):
            breaker.note_failure()
        else:
            breaker.note_success()

    def _left_s(self) -> float:
        return max(0.01, self.ends_at - time.monotonic())


def _json(body: bytes, hook: Hook | None = None) -> Any:
    """Answer the JSON of a body; raises ValueError for anything else, half of it included."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_refuse, object_hook=hook)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _json_or_none(body: bytes) -> Any:
    try:
        return _json(body)
    except ValueError:
        return None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
