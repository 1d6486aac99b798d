"""A request that was let in, as the handlers see it, and Brick Owl's way of answering."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.http import Request, Response
from sandbox.sellers import Seller, World
from sandbox.switches import Switches

_PIECE = 64 * 1024
_TYPE = "application/json"
_ENCODER = json.JSONEncoder(separators=(",", ":"))


class OwlError(Exception):
    """An error of the API."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.text, self.status = text, status


@dataclass(frozen=True, slots=True)
class Rows:
    """A list too long to hold, as JSON of each row."""

    rows: Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks what, when. `arguments`: of the query of a GET, of the form of a POST."""

    world: World
    seller: Seller
    request: Request
    now_ms: int
    arguments: Mapping[str, str]

    def word(self, name: str, default: str = "") -> str:
        """Answer an argument."""
        return self.arguments.get(name, default)

    def needed(self, name: str) -> str:
        """Answer an argument that must be there."""
        text = self.word(name).strip()
        if not text:
            raise OwlError(f"Missing argument {name}")
        return text

    def whole(self, name: str, default: int = 0) -> int:
        """Answer a number."""
        text = self.word(name).strip()
        if not text:
            return default
        if not text.removeprefix("-").isascii() or not text.removeprefix("-").isdigit() or len(text) > 12:  # noqa: PLR2004  # digits
            raise OwlError(f"Invalid {name}")
        return int(text)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint: GET reads, POST changes. `permission`: what the key must be allowed to; empty where any is."""

    method: str
    handler: Callable[[Call], Any]
    permission: str = ""
    needs_approval: bool = False


def dumped(data: Any) -> bytes:
    """Answer JSON as PHP writes it: slashes escaped, nothing but ASCII."""
    return _ENCODER.encode(data).replace("/", "\\/").encode()


def answered(data: Any) -> Response:
    """Answer data as it goes over the wire."""
    if isinstance(data, Rows):
        return Response(200, content_type=_TYPE, chunks=_streamed(data.rows), is_chunked=True)
    return Response(200, dumped(data), _TYPE)


def refused(error: OwlError, switches: Switches) -> Response:
    """Answer an error as it goes over the wire."""
    status = 200 if switches["bo.error_http"] == "200" and error.status < 429 else error.status  # noqa: PLR2004  # limits stay
    headers = {"Retry-After": "60"} if error.status == 429 and switches["bo.retry_after"] == "seconds" else {}  # noqa: PLR2004
    return Response(status, dumped(error_body(error, switches)), _TYPE, headers=headers)


def error_body(error: OwlError, switches: Switches) -> Any:
    """Answer what an error says."""
    return {"error": {"status": error.text} if switches["bo.error_shape"] == "object" else error.text}


def fixed(amount: int, decimals: int) -> str:
    """Answer ten-thousandths with so many decimals, rounded half up."""
    unit = 10 ** (4 - decimals)
    rounded = (abs(amount) + unit // 2) // unit
    text = f"{rounded // 10**decimals}.{rounded % 10**decimals:0{decimals}d}"
    return f"-{text}" if amount < 0 and rounded else text


def _streamed(rows: Iterable[bytes]) -> Iterator[bytes]:
    pieces, size, is_first = [b"["], 1, True
    try:
        for row in rows:
            pieces.append(row if is_first else b"," + row)
            is_first, size = False, size + len(row) + 1
            if size > _PIECE:
                yield b"".join(pieces)
                pieces, size = [], 0
        pieces.append(b"]")
        yield b"".join(pieces)
    finally:
        close = getattr(rows, "close", None)
        if close is not None:
            close()
