"""One exchange over a socket: pooled, never longer than its time, never larger than its limit."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from ssl import SSLContext
from typing import Any, BinaryIO
from urllib.parse import quote, urlencode

import httpcore
import httpx

from common.wire import guard

CONNECT_S = 5.0
READ_S = 30.0
USER_AGENT = "Brikonnect (help@brikonnect.com)"
_CONNECTIONS = 20
_IDLE_S = 20.0
_REDIRECTS = 5
_TOO_MANY = "it sent us on too often"

# When the exchange under way must be over, on the monotonic clock.
_ends_at: ContextVar[float] = ContextVar("ends_at")


class NotSentError(Exception):
    """There was no connection: nothing reached the other side."""


class LostError(Exception):
    """It was sent, and no whole answer came: cut, too slow, too large."""


class TooLargeError(LostError):
    """The answer is larger than it may be."""


class Exchanged:
    """A whole answer: status, headers (of any case) and the body, unpacked."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, response: httpx.Response, body: bytes) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.body = body


def exchange(
    method: str, url: str, *, total_s: float, limit_bytes: int, read_s: float = READ_S,
    headers: Mapping[str, str] | None = None, params: Mapping[str, Any] | None = None, json: Any = None,
    form: Mapping[str, str] | None = None, files: Mapping[str, tuple[str, bytes, str]] | None = None,
    is_guarded: bool = False,
    sign: Callable[[str, str], Mapping[str, str]] | None = None,
) -> Exchanged:  # fmt: skip
    """Send a request and answer the whole answer. Redirects are answers, not followed.

    `total_s` limits all of it, however slowly bytes drip in. `files`: field → name, content, media type. `sign`:
    further headers, from the method and the very URL that is sent. `is_guarded`: the URL is not ours, and only
    addresses of the internet are asked. Raises NotSentError (also for a forbidden address) and LostError.
    """
    client = _guarded_client() if is_guarded else _client()
    with _time(total_s), _faults():
        request = client.build_request(
            method, _with_query(url, params), headers=headers, json=json, data=form, files=files,
            timeout=_timeout(read_s),
        )  # fmt: skip
        if sign is not None:
            request.headers.update(sign(method, str(request.url)))
        response = client.send(request, stream=True)
        try:
            body = bytearray()
            for piece in _limited(response, limit_bytes):
                body += piece
            return Exchanged(response, bytes(body))
        finally:
            response.close()


def download(
    url: str, into: BinaryIO, *, total_s: float, limit_bytes: int, headers: Mapping[str, str] | None = None,
    inside: frozenset[str] = frozenset(),
) -> Exchanged:  # fmt: skip
    """Write what a URL that a user set leads to into a file; answer status and headers, without a body.

    Nothing is written unless the status is 200. Only addresses of the internet are asked, after each redirect too, and
    those hosts (`name:port`) `inside` our own network that the operator allows. Raises NotSentError (also for a
    forbidden address) and LostError.
    """
    with _time(total_s), _faults():
        for _hop in range(_REDIRECTS):
            client = _client() if _host_of(url) in inside else _guarded_client()
            response = client.send(client.build_request("GET", url, headers=headers), stream=True)
            try:
                if response.next_request is not None:
                    url = str(response.next_request.url)
                    continue
                if response.status_code == httpx.codes.OK:
                    for piece in _limited(response, limit_bytes):
                        into.write(piece)
                return Exchanged(response, b"")
            finally:
                response.close()
        raise LostError(_TOO_MANY)


def _host_of(url: str) -> str:
    """Answer name and port of a URL."""
    parts = httpx.URL(url)
    return f"{parts.host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def _with_query(url: str, params: Mapping[str, Any] | None) -> str:
    """Answer the URL with a query in which a space is %20: who signs by RFC 3986 takes a plus for a plus."""
    return f"{url}?{urlencode(params, quote_via=quote, safe='')}" if params else url


def _limited(response: httpx.Response, limit_bytes: int) -> Iterator[bytes]:
    length = 0
    for piece in response.iter_bytes():
        length += len(piece)
        if length > limit_bytes:
            raise TooLargeError(f"the answer is larger than {limit_bytes} bytes")
        yield piece


@contextmanager
def _time(total_s: float) -> Iterator[None]:
    token = _ends_at.set(time.monotonic() + total_s)
    try:
        yield
    finally:
        _ends_at.reset(token)


@contextmanager
def _faults() -> Iterator[None]:
    """Tell faults before anything was sent from those after it. No message holds the URL, which may have secrets."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise NotSentError(f"no connection: {_cause(error)}") from error
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise NotSentError("this is no address of the web") from error
    except httpx.TimeoutException as error:
        raise LostError("no whole answer in time") from error
    except httpx.HTTPError as error:
        raise LostError(f"no whole answer: {_cause(error)}") from error


def _cause(error: httpx.HTTPError) -> str:
    return str(error.__cause__) if isinstance(error.__cause__, _ForbiddenError) else type(error).__name__


class _ForbiddenError(httpcore.ConnectError):
    """The guard's refusal, in a form that httpcore and httpx pass on."""


def _timeout(read_s: float) -> httpx.Timeout:
    return httpx.Timeout(read_s, connect=CONNECT_S, pool=CONNECT_S)


class _Stream(httpcore.NetworkStream):
    """A connection whose every step ends when the exchange must."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    """Connects within the exchange's time; guarded, to the very address that was judged."""

    def __init__(self, *, is_guarded: bool) -> None:
        self._is_guarded = is_guarded

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        if self._is_guarded:
            try:
                host = guard.resolve(host, port)
            except guard.ForbiddenAddressError as error:
                raise _ForbiddenError(str(error)) from error
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(super().connect_tcp(host, port, left, local_address, socket_options))


def _left(timeout: float | None, error: type[Exception]) -> float:
    left = min(timeout or READ_S, _ends_at.get() - time.monotonic())
    if left <= 0:
        raise error("the time for the whole exchange is over")
    return left


class _Transport(httpx.HTTPTransport):
    """httpx's own over our backend, for which it has no argument."""

    def __init__(self, *, is_guarded: bool) -> None:
        super().__init__(trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=_CONNECTIONS,
            max_keepalive_connections=_CONNECTIONS,
            keepalive_expiry=_IDLE_S,
            network_backend=_Backend(is_guarded=is_guarded),
        )


def _made(*, is_guarded: bool) -> httpx.Client:
    return httpx.Client(
        transport=_Transport(is_guarded=is_guarded),
        timeout=_timeout(READ_S),
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"},
        follow_redirects=False,
        trust_env=False,
    )


@cache
def _client() -> httpx.Client:
    return _made(is_guarded=False)


@cache
def _guarded_client() -> httpx.Client:
    return _made(is_guarded=True)


def _forget() -> None:
    _client.cache_clear()
    _guarded_client.cache_clear()


# Two processes on one connection would read each other's answers.
os.register_at_fork(after_in_child=_forget)
