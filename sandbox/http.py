"""What a request and an answer are, to those who imitate a service."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from sandbox.faults import Fault


@dataclass(frozen=True, slots=True)
class Request:
    """A request as a service sees it: `path` without the prefix under which the service is mounted.

    Names of headers are capitalized. `root`: what stands before the path in the addresses that the service answers,
    such as `http://127.0.0.1:8400`. `target`: path and query as they were sent, prefix and all. `fault`: what the
    service itself shall let go wrong with this request. `is_repeat`: a proxy sends the same once more.
    """

    method: str
    path: str
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: bytes
    root: str
    target: str = ""
    client: str = ""
    fault: Fault | None = None
    is_repeat: bool = False

    def word(self, name: str, default: str = "") -> str:
        """Answer the first value of a query parameter."""
        return next(iter(self.query.get(name, ())), default)

    def fault_of(self, kind: str) -> Fault | None:
        """Answer the fault if it is of that kind."""
        return self.fault if self.fault is not None and self.fault.kind == kind else None


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; its length is added when it is sent.

    `chunks`: what it consists of where it is too large to hold, in place of `body`. `is_chunked`: sent in chunks,
    without a length. `note`: what the control API tells of it, such as why a signature was refused.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Sequence[str] = ()
    chunks: Iterable[bytes] | None = None
    is_chunked: bool = False
    note: str = ""


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def as_json(data: Any, status: int = 200) -> Response:
    """Answer data as JSON."""
    return Response(status, dumped(data))


def dumped(data: Any) -> bytes:
    """Answer JSON as it goes over the wire."""
    return _ENCODER.encode(data).encode()


class Service(Protocol):
    """Somebody who is imitated: under `prefix` of any host, and at the original paths of its own hosts."""

    name: str
    prefix: str
    hosts: Sequence[str]

    def handle(self, request: Request) -> Response:
        """Answer a request as the original would."""


@runtime_checkable
class Marketplace(Protocol):
    """A service whose callers are sellers."""

    def seller_of(self, request: Request) -> str:
        """Answer the name of the seller whose credentials a request has, unchecked; empty where there are none."""

    def afflict(self, request: Request, kind: str) -> None:
        """Let something befall the seller who asks that stays: `token_revoked`, `ip_changed`, `quota_gone`."""
