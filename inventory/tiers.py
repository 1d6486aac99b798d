"""Tier prices: up to three steps, each cheaper from a quantity on. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

MOST = 3
_FOUR_PLACES = Decimal("0.0001")
# What a price column holds: twelve digits, four of them behind the point.
PRICE_LIMIT = Decimal(10) ** 8
QTY_LIMIT = 2**31
# Of a number that people type: more than a price has, and far fewer than PostgreSQL reads.
MOST_PLACES = 30


class TierError(ValueError):
    """The steps can't be tier prices; the message says why."""


def has_too_many_places(number: Decimal) -> bool:
    """Tell whether a finite number has more decimals than anybody means."""
    return int(number.as_tuple().exponent) < -MOST_PLACES


def steps_of(stored: Iterable[Mapping[str, Any]]) -> list[tuple[int, Decimal]]:
    """Answer what a lot has stored as (from quantity, price)."""
    return [(int(step["qty"]), Decimal(step["price"])) for step in stored]


def stored(steps: Iterable[tuple[int, Decimal]]) -> list[dict[str, Any]]:
    """Answer the steps as a lot stores them. Raises TierError where they aren't up to three ascending ones."""
    found: list[dict[str, Any]] = []
    last = 1
    for qty, price in steps:
        if len(found) == MOST:
            raise TierError("There can be three tier prices.")
        if not last < qty < QTY_LIMIT:
            raise TierError("Tier quantities ascend, and begin above 1.")
        if not price.is_finite() or not 0 <= price < PRICE_LIMIT:
            raise TierError("A tier price is an amount of 0 or more.")
        last = qty
        found.append({"qty": qty, "price": str(price.quantize(_FOUR_PLACES))})
    return found


def read(value: Any) -> list[tuple[int, Decimal]]:
    """Answer steps from JSON: `[{"qty": 50, "price": "0.11"}]`. Raises TierError."""
    if not isinstance(value, list):
        raise TierError("Expected a list of steps.")
    steps = []
    for step in value:
        if not isinstance(step, dict) or set(step) != {"qty", "price"}:
            raise TierError('Each step has "qty" and "price".')
        qty, price = step["qty"], step["price"]
        if isinstance(qty, bool) or not isinstance(qty, int) or not isinstance(price, str):
            raise TierError('"qty" is a whole number and "price" text.')
        try:
            steps.append((qty, Decimal(price)))
        except InvalidOperation:
            raise TierError(f"{price[:20]} is no price.") from None
    return steps


def as_text(steps: Iterable[Mapping[str, Any]]) -> str:
    """Answer the steps as people type them: `50: 0.11, 200: 0.10`."""
    return ", ".join(f"{qty}: {_short(price)}" for qty, price in steps_of(steps))


def from_text(text: str) -> list[tuple[int, Decimal]]:
    """Answer steps from `50: 0.11, 200: 0.10`. Raises TierError."""
    steps = []
    for part in filter(None, (part.strip() for part in text.replace(";", ",").replace("·", ",").split(","))):
        qty, colon, price = part.replace("+", ":", 1).partition(":")
        try:
            if not colon:
                raise ValueError(part)
            steps.append((int(qty), Decimal(price.strip(": "))))
        except (ValueError, InvalidOperation):
            raise TierError(f"“{part[:30]}” isn't a step; write it as 50: 0.11.") from None
    return steps


def _short(price: Decimal) -> str:
    text = f"{price:.4f}"
    return text[:-2] + text[-2:].rstrip("0")
