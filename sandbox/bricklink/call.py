"""A request that was let in, as the handlers of the API's calls see it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import unquote_to_bytes

from sandbox.bricklink.envelope import Answer, Refusal
from sandbox.http import Request
from sandbox.items import Item, items
from sandbox.sellers import Seller, World

TYPES = ("PART", "SET", "MINIFIG", "GEAR", "BOOK", "CATALOG", "INSTRUCTION", "ORIGINAL_BOX", "UNSORTED_LOT")
_BODY_TYPES = ("application/json", "application/x-www-form-urlencoded", "text/plain", "")


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks what, when. `found`: the parts of the path."""

    world: World
    seller: Seller
    request: Request
    now_ms: int
    found: Mapping[str, str]

    def word(self, name: str, default: str = "") -> str:
        """Answer a parameter of the query."""
        return self.request.word(name, default)

    def flag(self, name: str) -> bool:
        """Answer a truth of the query; clients write it in any case."""
        text = self.word(name, "false").lower()
        if text not in ("true", "false", ""):
            raise Refusal.parameter(f"{name}: {text}")
        return text == "true"

    def whole(self, name: str) -> int | None:
        """Answer a number of the query, None where it isn't there."""
        text = self.word(name)
        if not text:
            return None
        if not text.lstrip("-").isascii() or not text.lstrip("-").isdigit() or len(text) > 9:  # noqa: PLR2004  # digits
            raise Refusal.parameter(f"{name}: {text}")
        return int(text)

    def item(self) -> Item:
        """Answer the item that the path names."""
        kind, number = self.found["type"].upper(), self.found["no"]
        if kind not in TYPES:
            raise Refusal.parameter(f"type: {self.found['type']}")
        item = items().find(kind, number)
        if item is None:
            if self.world.switches["bl.unknown_item"] == "404":
                raise Refusal.unknown(f"no: {number}")
            raise Refusal.parameter(f"no: {number}")
        return item

    def body(self) -> Any:
        """Answer the JSON that was sent, whatever type it says it is."""
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind not in _BODY_TYPES:
            raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", f"Content-Type: {kind}")
        sent = self.request.body
        if kind == "application/x-www-form-urlencoded" and sent.startswith(b"%"):
            # The manual's "URL-encoded JSON".
            sent = unquote_to_bytes(sent)
        try:
            return json.loads(sent, parse_float=Decimal, parse_constant=_no_number)
        except (ValueError, RecursionError):
            raise Refusal(400, "INVALID_REQUEST_BODY", "A request has been made with a malformed JSON body.") from None


def _no_number(text: str) -> None:
    raise ValueError(text)


Handler = Callable[[Call], Answer]
