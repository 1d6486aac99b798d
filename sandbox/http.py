"""What a request and an answer are, to those who imitate a service."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """A request as a service sees it: `path` without the prefix under which the service is mounted.

    Names of headers are capitalized. `root`: what stands before the path in the addresses that the service answers,
    such as `http://127.0.0.1:8400`.
    """

    method: str
    path: str
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: bytes
    root: str

    def word(self, name: str, default: str = "") -> str:
        """Answer the first value of a query parameter."""
        return next(iter(self.query.get(name, ())), default)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; its length is added when it is sent."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(data: Any, status: int = 200) -> Response:
    """Answer data as JSON."""
    return Response(status, json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode())


class Service(Protocol):
    """Somebody who is imitated: under `prefix` of any host, and at the original paths of its own hosts."""

    name: str
    prefix: str
    hosts: Sequence[str]

    def handle(self, request: Request) -> Response:
        """Answer a request as the original would."""
