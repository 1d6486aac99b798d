"""What an adapter holds of the wire: it asks, and gets a whole answer or one of the four errors."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from math import ceil
from typing import Any

from django.utils import timezone

from common.errors import CredentialsRefused, OutcomeUnknown, ProviderError, ProviderRejected, ProviderUnavailable
from common.wire import retry, trace, transport
from common.wire.breaker import Breaker
from common.wire.budget import Budget, CallClass
from common.wire.redact import Redactor

_LIMIT_BYTES = 20 * 1024 * 1024
# Where the other side wants us to wait and doesn't say for how long.
_DEFAULT_PAUSE_S = 2.0
_BUSY = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `data`: its JSON, numbers with a point as Decimal; None where the status says there is none."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """The way to one provider, made for one use from plain values.

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
    secrets: tuple[str, ...] = ()
    retry_after: Callable[[int, Mapping[str, str], bytes], float | None] = header_retry_after
    policy: retry.Policy = field(default_factory=retry.Policy)
    patience_s: float = 3.0
    read_s: float = transport.READ_S
    total_s: float = 60.0
    limit_bytes: int = _LIMIT_BYTES

    def call(
        self, operation: str, *, method: str = "GET", path: str, params: Mapping[str, Any] | None = None,
        json: Any = None, files: Mapping[str, tuple[str, bytes, str]] | None = None,
        is_repeatable: bool | None = None, may_be_missing: bool = False,
    ) -> Answer:  # fmt: skip
        """Ask, and answer what was answered, in full; with `may_be_missing` a 404 is an answer too.

        `is_repeatable`: doing it twice is as good as once, as of every GET, and of a POST that only asks. Such a call
        is repeated after 429, 5xx and lost connections. Any other never is: lost, it raises OutcomeUnknown. Raises the
        other ProviderErrors too, and BudgetExhausted before anything is sent.
        """
        one = _Call(
            wire=self,
            operation=operation,
            request={"method": method, "params": params, "json": json, "files": files},
            path=path,
            is_repeatable=method == "GET" if is_repeatable is None else is_repeatable,
            may_be_missing=may_be_missing,
            ends_at=time.monotonic() + self.total_s,
        )
        return retry.persist(one.attempt, policy=self.policy, is_repeatable=one.is_repeatable, ends_at=one.ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One call, on its way through its attempts."""

    wire: Wire
    operation: str
    request: Mapping[str, Any]
    path: str
    is_repeatable: bool
    may_be_missing: bool
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
                headers={"Accept": "application/json", **wire.headers},
                total_s=self._left_s(),
                read_s=wire.read_s,
                limit_bytes=wire.limit_bytes,
            )
        except transport.NotSentError as error:
            return None, self._error(ProviderUnavailable, f"{wire.label} can't be reached ({error})."), None
        except transport.LostError as error:
            return None, self._lost(f"{wire.label} gave no whole answer ({error})."), None
        fault = self._fault(got)
        if fault is not None:
            return got.status, fault, None
        try:
            data = None if got.status == HTTPStatus.NO_CONTENT else _json(got.body)
        except ValueError:
            excerpt = Redactor(wire.secrets).excerpt(got.body)
            return got.status, self._lost(f"{wire.label} answered something else than JSON.", answer=excerpt), None
        return got.status, None, Answer(status=got.status, headers=got.headers, data=data)

    def _fault(self, got: transport.Exchanged) -> ProviderError | None:
        """Answer what a status means as an error, None where it is an answer."""
        wire, status = self.wire, got.status
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return None
        if status == HTTPStatus.NOT_FOUND and self.may_be_missing:
            return None
        answer: dict[str, Any] = {"answer": Redactor(wire.secrets).excerpt(got.body), "answer_status": status}
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return self._error(CredentialsRefused, f"{wire.label} refuses the credentials.", **answer)
        if status in _BUSY:
            wait_s = wire.retry_after(status, got.headers, got.body)
            wait_s = _DEFAULT_PAUSE_S if wait_s is None else wait_s
            return self._error(ProviderUnavailable, f"{wire.label} wants to be asked later.", wait_s, **answer)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            wait_s = wire.retry_after(status, got.headers, got.body)
            return self._lost(f"{wire.label} is in trouble (status {status}).", wait_s, **answer)
        if status < HTTPStatus.BAD_REQUEST:
            return self._error(ProviderUnavailable, f"{wire.label} is no longer at this address.", **answer)
        return self._error(ProviderRejected, f"{wire.label} doesn't take this (status {status}).", **answer)

    def _lost(self, detail: str, retry_after: float | None = None, **extra: Any) -> ProviderError:
        """Answer the error for what may have been done although it failed."""
        kind = ProviderUnavailable if self.is_repeatable else OutcomeUnknown
        return self._error(kind, detail, retry_after, **extra)

    def _error(
        self, kind: type[ProviderError], detail: str, retry_after: float | None = None, **extra: Any
    ) -> ProviderError:
        if retry_after is not None:
            extra["retry_after"] = ceil(retry_after)
        return kind(detail, provider=self.wire.provider, operation=self.operation, **extra)

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


def _json(body: bytes) -> Any:
    """Answer the JSON of a body; raises ValueError for anything else, half of it included."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
