"""A request that was let in, as the handlers see it, and Brikick's errors and pages."""

import base64
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.clock import parsed
from sandbox.http import Request
from sandbox.market.lists import shortened
from sandbox.sellers import Seller, World

TYPES = {
    "P": "PART", "S": "SET", "M": "MINIFIG", "G": "GEAR", "B": "BOOK", "C": "CATALOG", "I": "INSTRUCTION",
    "O": "ORIGINAL_BOX", "U": "UNSORTED_LOT",
}  # fmt: skip
LETTERS = {kind: letter for letter, kind in TYPES.items()}
_PAGE, _LARGEST_PAGE = 500, 2_000
_CURSOR_MS = 3_600_000
_MOST = 10**7


class BrikickError(Exception):
    """An error of the API."""

    def __init__(
        self, status: int, code: str, message: str, details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.details, self.headers = dict(details or {}), dict(headers or {})

    @property
    def body(self) -> dict[str, Any]:
        """Answer what it says."""
        return {"error": {"code": self.code, "message": self.message, "details": self.details}}

    @classmethod
    def invalid(cls, name: str, text: str) -> "BrikickError":
        """Say what is wrong with a field."""
        return cls(422, "validation_error", f"{name}: {text}", {name: [text]})

    @classmethod
    def missing(cls, what: str) -> "BrikickError":
        """Say that there is no such thing."""
        return cls(404, "not_found", f"There is no {what}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler answers; `version` goes out as an ETag."""

    data: Any = None
    status: int = 200
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks what, when. `found`: the parts of the path."""

    world: World
    seller: Seller
    request: Request
    now_ms: int
    found: Mapping[str, str] = field(default_factory=dict)

    def body(self, known: Sequence[str], needed: Sequence[str] = ()) -> dict[str, Any]:
        """Answer what was sent; unknown fields are refused."""
        try:
            sent = json.loads(self.request.body, parse_float=Decimal, parse_constant=_no_number)
        except (ValueError, RecursionError):
            raise BrikickError(400, "bad_request", "The body is not JSON") from None
        if not isinstance(sent, dict):
            raise BrikickError(400, "bad_request", "The body is not an object")
        return checked(sent, known, needed)

    def number(self, name: str) -> int:
        """Answer a number in the path."""
        text = self.found[name]
        return int(text) if len(text) < 16 else 0  # noqa: PLR2004  # digits

    def check_version(self, current: int) -> None:
        """Refuse a change of what has changed since the caller read it."""
        if self.expected() not in (None, current):
            raise version_conflict(current)

    def expected(self) -> int | None:
        """Answer the version that the caller read; None where he doesn't say."""
        text = self.request.headers.get("If-Match", "").strip()
        if not text or text == "*":
            return None
        digits = text.removeprefix("W/").strip('"')
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else -1  # noqa: PLR2004  # digits

    def since(self) -> int | None:
        """Answer `updated_since`."""
        text = self.request.word("updated_since")
        try:
            return parsed(text) if text else None
        except ValueError:
            raise BrikickError.invalid("updated_since", "is not a time") from None

    def page(self, query: Callable[[int], tuple[str, Sequence[Any]]], show: Callable[[sqlite3.Row], Any]) -> Answer:
        """Answer a page of rows by their numbers; `query` answers the statement for those after a number."""
        text = self.request.word("limit", str(_PAGE))
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _LARGEST_PAGE:
            raise BrikickError.invalid("limit", f"is 1 to {_LARGEST_PAGE}")
        limit, after = int(text), self._after()
        statement, values = query(after)
        with self.world.state.reading() as reader:
            rows = reader.execute(f"{statement} LIMIT ?", (*values, limit + 1)).fetchall()
            found = [show(row) for row in shortened(self.request, rows[:limit])]
        cursor = None
        if len(rows) > limit:
            raw = json.dumps({"after": rows[limit - 1]["id"], "at": self.now_ms}).encode()
            cursor = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        return Answer({"items": [row for row in found if row is not None], "next_cursor": cursor})

    def _after(self) -> int:
        text = self.request.word("cursor")
        if not text:
            return 0
        try:
            known = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            after, at = int(known["after"]), int(known["at"])
        except (ValueError, KeyError, TypeError):
            raise BrikickError(400, "bad_request", "The cursor can't be read") from None
        if self.now_ms - at > _CURSOR_MS:
            raise BrikickError(400, "bad_request", "The cursor is older than an hour, begin anew")
        return after


@dataclass(frozen=True, slots=True)
class Route:
    """One call. `scope`: what the key must be allowed to; empty where any is."""

    method: str
    pattern: str
    handler: Callable[[Call], Answer]
    scope: str = ""


def checked(sent: Any, known: Sequence[str], needed: Sequence[str] = ()) -> dict[str, Any]:
    """Answer an object that has only known fields, and all that are needed."""
    if not isinstance(sent, dict):
        raise BrikickError.invalid("body", "is not an object")
    problems = {name: ["is not a known field"] for name in sent if name not in known}
    problems |= {name: ["is missing"] for name in needed if sent.get(name) is None}
    if problems:
        name, texts = next(iter(problems.items()))
        raise BrikickError(422, "validation_error", f"{name}: {texts[0]}", problems)
    return sent


def version_conflict(current: int) -> BrikickError:
    """Say that it has changed."""
    return BrikickError(412, "version_conflict", "It has changed since", {"current_version": current})


def amount(name: str, value: Any, *, may_be_zero: bool = False) -> int:
    """Read money, which is text, in ten-thousandths."""
    try:
        if not isinstance(value, str):
            raise InvalidOperation
        number = Decimal(value) * 10_000
        if not number.is_finite() or number != number.to_integral_value() or not 0 <= number <= _MOST * 10_000:
            raise InvalidOperation
    except InvalidOperation:
        raise BrikickError.invalid(name, "is a text with up to four decimals") from None
    if not number and not may_be_zero:
        raise BrikickError.invalid(name, "is more than nothing")
    return int(number)


def whole(name: str, value: Any, *, least: int = 0, most: int = _MOST) -> int:
    """Read a number without decimals."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise BrikickError.invalid(name, f"is a whole number from {least} to {most}")
    return value


def text_of(name: str, value: Any, *, longest: int = 4_000) -> str:
    """Read a text; null is none."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest:
        raise BrikickError.invalid(name, f"is a text of at most {longest} characters")
    return value


def one_of(name: str, value: Any, choices: Sequence[Any]) -> Any:
    """Read one of some words."""
    if isinstance(value, list | dict) or value not in choices:
        raise BrikickError.invalid(name, f"is one of {', '.join(map(str, choices))}")
    return value


def _no_number(text: str) -> None:
    raise ValueError(text)
