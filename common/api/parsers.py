"""Reads JSON bodies strictly: what two readers could understand differently is refused."""

import json
import math
from collections import Counter
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.parsers import BaseParser

from common.errors import BadRequest, TooLarge, UnsupportedMediaType

MAX_DEPTH = 32
_INT_DIGITS = 19
_INT_MAX = 2**63 - 1


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        doubled = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise BadRequest(f"The key {doubled[:80]!r} stands twice in one object.")
    return found


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > _INT_DIGITS or abs(int(text)) > _INT_MAX:
        raise BadRequest("A number is beyond 64 bits.")
    return int(text)


def _fraction(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise BadRequest("A number is too large.")
    return value


def _constant(text: str) -> NoReturn:
    raise BadRequest(f"{text} is not JSON.")


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else []


def _check_text(text: str) -> None:
    if "\0" in text:
        raise BadRequest("The body has a NUL character.")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise BadRequest("The body has half of a surrogate pair.")


def _check(value: Any, *, texts: bool) -> None:
    """Refuse what is nested too deep and, where escapes could have brought it in, text that no database takes."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        if texts:
            for item in level:
                if isinstance(item, str):
                    _check_text(item)
        level = [child for item in level for child in _children(item)]
        if not level:
            return
    raise BadRequest(f"The body is nested deeper than {MAX_DEPTH} levels.")


def read_json(body: bytes) -> Any:
    """Answer the value of a JSON text in UTF-8.

    Raises BadRequest for what isn't JSON, invalid UTF-8, doubled keys, NUL, lone surrogates, NaN, numbers beyond 64
    bits or a double, and for nesting deeper than MAX_DEPTH.
    """
    try:
        text = body.decode()
        value = json.loads(
            text, object_pairs_hook=_pairs, parse_int=_integer, parse_float=_fraction, parse_constant=_constant
        )
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not valid UTF-8 at byte {error.start}.") from error
    except json.JSONDecodeError as error:
        raise BadRequest(
            f"The body is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from error
    except RecursionError as error:
        raise BadRequest(f"The body is nested deeper than {MAX_DEPTH} levels.") from error
    _check(value, texts="\\u" in text)
    return value


class StrictJSONParser(BaseParser):
    """The parser of every view that takes JSON."""

    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        request = parser_context["request"]
        content = request._request
        if content.content_type != self.media_type:  # DRF would take */* for it
            raise UnsupportedMediaType("Send application/json.")
        charset = content.content_params.get("charset", "utf-8")
        if charset.lower() not in ("utf-8", "utf8"):
            raise UnsupportedMediaType("JSON is read in UTF-8 only.")
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UnsupportedMediaType("Send the body without Content-Encoding.")
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise TooLarge(limit_bytes=limit)
        return read_json(body)
