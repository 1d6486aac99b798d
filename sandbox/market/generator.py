"""Stores as they really are: what is in them, what it costs, and the awkward things that sellers write.

The same seed gives the same lots on every machine; days are counted back from a fixed one.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from sandbox.brickowl.boids import type_of
from sandbox.clock import DAY_MS, parsed
from sandbox.dice import Dice
from sandbox.items import COLORED, Item, items
from sandbox.prices import converted, key_of, usual

FIXED_DAY_MS = parsed("2025-03-01T00:00:00Z")
_KINDS = (
    ("PART", 800), ("MINIFIG", 120), ("SET", 60), ("GEAR", 8), ("BOOK", 4), ("INSTRUCTION", 5), ("ORIGINAL_BOX", 3),
)  # fmt: skip
# Quantiles of what is in a lot: half have eight pieces or fewer, one in some hundred thousands.
_QUANTITIES = (1, 2, 3, 4, 6, 9, 11, 15, 24, 45, 100, 260)
_MANY = (260, 1_000, 20_000)
_SPREAD = (55, 75, 88, 100, 115, 140, 260)
_CENT, _LEAST, _MOST = 100, 100, 9_000_000
_WORDS = (
    "light play wear", "like new", "some scratches", "yellowed a bit", "from a smoke-free home", "never assembled",
    "crack in one corner", "print slightly worn",
)  # fmt: skip
_MARKED = (
    "<b>Very nice</b> condition",
    "scratched <i>a little</i> &amp; dusty", "see <a href=\"https://example.com\">photo</a>",
    "Müller&#39;s &quot;best&quot; &#40;used&#41;", "50 % off <br/> today", "1 < 2 & 3 > 2",
)  # fmt: skip
_STRANGE = (
    "🧱 top 🏆", "حالة جيدة جدا", "מצב מצוין", "tab\there\tand there", "\"quoted\" and 'quoted' and \\backslash",
    "<script>alert(1)</script>", "ünïcödé — “dashes” … ½", "a & b < c > d", "\u200bzero width\u200b",
)  # fmt: skip
_AWKWARD = (
    ("PART", "3001old"), ("PART", "973pb0001c01"), ("PART", "3001special"), ("MINIFIG", "sw0001a"),
    ("MINIFIG", "cas019"), ("SET", "375-2"), ("SET", "7657-1"),
)  # fmt: skip


@cache
def _pool(service: str) -> Mapping[str, tuple[Item, ...]]:
    """Answer what a store of that service can have, by type."""
    found: dict[str, list[Item]] = {}
    for item in items().by_no.values():
        if item.is_never_drawn:
            continue
        if service != "brickowl" or (type_of(item) and _colors(item, service)):
            found.setdefault(item.type, []).append(item)
    return {kind: tuple(known) for kind, known in found.items()}


@cache
def _all_colors() -> tuple[int, ...]:
    return tuple(color for color in items().colors if color)


def _colors(item: Item, service: str) -> tuple[int, ...]:
    if item.type not in COLORED:
        return (0,)
    if service != "brickowl":
        return item.colors
    return tuple(color for color in item.colors if items().colors[color].owl_id is not None)


def lots(
    seed: int, count: int, *, service: str, currency: str, until_ms: int = FIXED_DAY_MS
) -> Iterator[dict[str, Any]]:
    """Answer the values of so many lots, one after the other."""
    pool = _pool(service)
    kinds = [(kind, weight) for kind, weight in _KINDS if pool.get(kind)]
    previous: dict[str, Any] | None = None
    for place in range(count):
        dice = Dice(seed, place)
        if previous is not None and dice.chance(1):
            # The same once more, in another place.
            yield {**previous, "remarks": _shelf(dice), "quantity": dice.along(_QUANTITIES), "external_id": None}
            continue
        if place < len(_AWKWARD) and count >= len(_AWKWARD) * 4 and items().find(*_AWKWARD[place]):
            item = items().by_no[_AWKWARD[place]]
            item = item if item in pool[item.type] else dice.one(pool["PART"])
        else:
            item = dice.one(pool[dice.weighted(kinds)])
        previous = _lot(dice, item, service=service, currency=currency, until_ms=until_ms)
        yield previous


def _lot(dice: Dice, item: Item, *, service: str, currency: str, until_ms: int) -> dict[str, Any]:
    color = dice.one(_colors(item, service))
    if service == "bricklink" and item.type == "PART" and dice.chance(1):
        # One in which nobody knows it, or that the other side hasn't got.
        color = dice.one(_all_colors())
    condition = "U" if dice.chance(45) else "N"
    price = _price(dice, converted(usual(key_of(item), color, condition), currency), service)
    quantity = dice.along(_MANY) if dice.chance(0.4) else dice.along(_QUANTITIES)
    values: dict[str, Any] = {
        "type": item.type, "no": item.no, "color_id": color, "condition": condition,
        "quantity": quantity if item.type == "PART" else 1 + quantity // 12, "price": price,
        "completeness": _completeness(dice, item, condition), "remarks": None if dice.chance(3) else _shelf(dice),
        "description": _description(dice), "created_at": until_ms - dice.below(700) * DAY_MS - dice.below(DAY_MS),
    }  # fmt: skip
    if dice.chance(15):
        values |= _tiers(dice, price, 10 if service == "brickowl" else 1)
    if dice.chance(5):
        values["sale"] = dice.one((5, 10, 15, 20, 25, 50))
    if dice.chance(3):
        values["bulk"] = dice.one((2, 4, 5, 10))
    if dice.chance(10):
        values["my_cost"] = price * 4 // 10
    if service == "bricklink":
        return values | _of_bricklink(dice)
    if service == "brickowl":
        used = dice.one(("usedn", "usedg", "useda"))
        return values | {"grade": owl_code(item.type, condition, values["completeness"], used)}
    return values | ({"grade": dice.one(("LIKE_NEW", "GOOD", "ACCEPTABLE", ""))} if condition == "U" else {})


def _price(dice: Dice, common: int, service: str) -> int:
    """Answer a price in cents, one in ten times with all the decimals that the service has."""
    price = max(_LEAST, min(_MOST, common * dice.along(_SPREAD) // 100))
    if dice.chance(10):
        return price // 10 * 10 if service == "brickowl" else price
    return price // _CENT * _CENT


def _completeness(dice: Dice, item: Item, condition: str) -> str:
    if item.type != "SET":
        return ""
    if condition == "N":
        return dice.weighted((("S", 7), ("C", 2), ("B", 1)))
    return dice.weighted((("C", 7), ("B", 3)))


def _of_bricklink(dice: Dice) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if dice.chance(2):
        values["stockroom"] = dice.one(("A", "B", "C"))
    if dice.chance(4):
        values["is_retained"] = 1
        if dice.chance(20):
            values["quantity"] = 0
    if dice.chance(0.5):
        values["superlot"] = 1_000 + dice.below(200)
    if dice.chance(0.5):
        values["reserved_for"] = f"buyer{dice.below(50)}"
    return values


def owl_code(kind: str, condition: str, completeness: str, used: str = "usedg") -> str:
    """Answer Brick Owl's code of a condition."""
    if kind == "SET":
        codes = {"S": "news", "C": "newc", "B": "newi", "": "news"} if condition == "N" else {"B": "usedi"}
        return codes.get(completeness, "usedc")
    return "new" if condition == "N" else used


def _shelf(dice: Dice) -> str:
    return f"{dice.one('ABCDEFGH')}-{dice.between(1, 24):02d}-{dice.between(1, 40):02d}"


def _description(dice: Dice) -> str:
    roll = dice.below(1000)
    if roll < 10:  # noqa: PLR2004  # one in a hundred
        return dice.one(_STRANGE)
    if roll < 90:  # noqa: PLR2004  # eight in a hundred
        return dice.one(_MARKED)
    if roll < 93:  # noqa: PLR2004  # a few
        return " ".join(dice.one(_WORDS) for _ in range(120))
    return dice.one(_WORDS) if roll < 350 else ""  # noqa: PLR2004  # about a quarter


def _tiers(dice: Dice, price: int, unit: int) -> dict[str, int]:
    """Answer up to three tiers: quantities ascend, prices descend; none where the price leaves no room."""
    found: dict[str, int] = {}
    quantity, tier = dice.one((5, 10, 25)), price
    for place in range(1, dice.between(1, 3) + 1):
        lower = tier * 9 // 10 // unit * unit
        if not 0 < lower < tier:
            break
        tier = lower
        found |= {f"tier_quantity{place}": quantity, f"tier_price{place}": tier}
        quantity *= dice.one((2, 4))
    return found
