"""BrickLink's envelope: the truth is in `meta.code`, whatever the status of HTTP says."""

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.http import Response, dumped
from sandbox.switches import Switches

_SERVER = "BrickLink"
_COOKIES = ("blckMID=sandbox; Path=/", "viewCurrencyID=1; Path=/")
_PIECE = 64 * 1024
_NO_CONTENT = 204
_MESSAGES = {200: "OK", 201: "OK_CREATED", 204: "OK_NO_CONTENT"}


class Refusal(Exception):  # noqa: N818  # what the service says, no fault of the program
    """An error of the API."""

    def __init__(self, code: int, message: str, description: str, *, note: str = "") -> None:
        super().__init__(description)
        self.code, self.message, self.description, self.note = code, message, description, note

    @classmethod
    def parameter(cls, description: str) -> "Refusal":
        """Say that a parameter or a field is missing or can't be."""
        return cls(400, "PARAMETER_MISSING_OR_INVALID", description)

    @classmethod
    def unknown(cls, description: str) -> "Refusal":
        """Say that there is no such thing."""
        return cls(404, "RESOURCE_NOT_FOUND", description)

    @classmethod
    def forbidden(cls, description: str) -> "Refusal":
        """Say that it is somebody else's."""
        return cls(403, "PERMISSION_DENIED", description)

    @classmethod
    def oauth(cls, description: str, *, note: str = "") -> "Refusal":
        """Say what is wrong with the signature."""
        return cls(401, "BAD_OAUTH_REQUEST", description, note=note)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler answers. `rows`: a list too long to hold, as JSON of each. Without `has_data` there is none."""

    data: Any = None
    code: int = 200
    has_data: bool = True
    rows: Iterable[bytes] | None = None
    # An answer of HTTP itself, without an envelope.
    is_bare: bool = False


def nothing(code: int = 200) -> Answer:
    """Answer that it is done, without data."""
    return Answer(code=code, has_data=False)


def enveloped(answer: Answer, switches: Switches) -> Response:
    """Answer as it goes over the wire."""
    if answer.is_bare:
        return Response(_NO_CONTENT, headers={"Server": _SERVER}, cookies=_COOKIES)
    text = _MESSAGES[answer.code]
    if answer.rows is not None:
        chunks = _streamed(b"{" + _meta(text, text, answer.code) + b',"data":[', answer.rows)
        return _response(switches, answer.code, chunks=chunks)
    body = b"{" + _meta(text, text, answer.code)
    body += b',"data":' + dumped(answer.data) + b"}" if answer.has_data else b"}"
    return _response(switches, answer.code, body=body)


def refused(refusal: Refusal, switches: Switches) -> Response:
    """Answer an error as it goes over the wire."""
    body = b"{" + _meta(refusal.description, refusal.message, refusal.code) + b"}"
    return _response(switches, refusal.code, body=body, note=refusal.note)


def entities(text: str) -> str:
    """Answer a text with the characters that BrickLink writes as entities: quotes and parentheses."""
    return text.replace("'", "&#39;").replace("(", "&#40;").replace(")", "&#41;")


def plain(text: str) -> str:
    """Answer a text without them."""
    return html.unescape(text)


def money(amount: int) -> str:
    """Answer ten-thousandths with four decimals."""
    sign, amount = ("-", -amount) if amount < 0 else ("", amount)
    return f"{sign}{amount // 10_000}.{amount % 10_000:04d}"


def _meta(description: str, message: str, code: int) -> bytes:
    return b'"meta":' + dumped({"description": description, "message": message, "code": code})


def _response(
    switches: Switches, code: int, *, body: bytes = b"", chunks: Iterator[bytes] | None = None, note: str = ""
) -> Response:
    # A body of HTTP 204 would be none, and the envelope is lost with it: with an envelope it is 200.
    is_strict = switches["bl.strict_http_status"] == "yes" and code != _NO_CONTENT
    return Response(
        code if is_strict else 200, body, switches["bl.content_type"], headers={"Server": _SERVER}, cookies=_COOKIES,
        chunks=chunks, is_chunked=True, note=note,
    )  # fmt: skip


def _streamed(head: bytes, rows: Iterable[bytes]) -> Iterator[bytes]:
    pieces, size, is_first = [head], len(head), True
    try:
        for row in rows:
            pieces.append(row if is_first else b"," + row)
            is_first, size = False, size + len(row) + 1
            if size > _PIECE:
                yield b"".join(pieces)
                pieces, size = [], 0
        pieces.append(b"]}")
        yield b"".join(pieces)
    finally:
        close = getattr(rows, "close", None)
        if close is not None:
            close()
