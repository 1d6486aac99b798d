"""The words of files as typed values, within the bounds of what a lot can hold, and in words what is wrong."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from catalog import colors
from catalog.choices import ITEM_TYPE_OF_LETTER, MAY_HAVE_COLOR, NEEDS_COLOR, ItemType
from inventory.choices import Completeness, ItemCondition, StockRoom, SubCondition
from inventory.parsing.problems import MAX_CELL

# What the columns of the database hold.
MAX_INT = 2**31 - 1
MAX_LOT_ID = 2**63 - 1
PRICE_LIMIT = Decimal(10) ** 8
WEIGHT_LIMIT = Decimal(10) ** 6
# Fields of text, and how long each may be.
LENGTHS: Mapping[str, int] = {
    "item_no": 60,
    "item_name": 300,
    "category_name": 200,
    "color_name": 60,
    "description": 5000,
    "remarks": 5000,
    "reserved_for": 60,
    "acquired_from": 200,
}
MAX_LOCATION_CODE = 60
MAX_SALE = 100
TIERS = 3

PART = ItemType.PART.value
SET = ItemType.SET.value
NEW = ItemCondition.NEW.value
USED = ItemCondition.USED.value
SEALED = Completeness.SEALED.value
COLORED = frozenset(kind.value for kind in MAY_HAVE_COLOR)
ALWAYS_COLORED = frozenset(kind.value for kind in NEEDS_COLOR)
TYPE_OF_LETTER = {letter: kind.value for letter, kind in ITEM_TYPE_OF_LETTER.items()}
# `M` (once for sealed) and `B` (the API's for incomplete) are read too.
COMPLETENESS_OF_LETTER = {
    "C": Completeness.COMPLETE.value,
    "I": Completeness.INCOMPLETE.value,
    "B": Completeness.INCOMPLETE.value,
    "S": SEALED,
    "M": SEALED,
}
GRADE_OF_LETTER = {
    "N": SubCondition.LIKE_NEW.value,
    "G": SubCondition.GOOD.value,
    "A": SubCondition.ACCEPTABLE.value,
}
STOCK_ROOMS = frozenset(StockRoom.values)

_EASTERN = ZoneInfo("America/New_York")
_FOUR_PLACES = Decimal("0.0001")
_AMOUNT = re.compile(r"(?:[0-9]{1,20}(?:\.([0-9]*))?|\.([0-9]+))\Z")
_SHORT_NUMBER = 40
_WHOLE = re.compile(r"[+-]?[0-9]{1,60}\Z")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+\Z")
# What XML can't say and a text column needn't hold: control characters, halves of characters, noncharacters.
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_US_TIME = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4})(?:\s+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?\s*([AP]M)?)?\Z", re.IGNORECASE
)
_YEARS = range(1970, 2200)
_NOON = 12
_RAW = 100

Value = TypeVar("Value")


class WordError(ValueError):
    """A word of a file that can't be taken. `field`: which of ours; `raw`: what stands there."""

    def __init__(self, message: str, *, field: str = "", raw: str = "") -> None:
        super().__init__(message)
        self.field = field
        self.raw = raw[:_RAW]


def shown(raw: str) -> str:
    """Answer a word as messages quote it."""
    return f"“{raw[:_SHORT_NUMBER]}…”" if len(raw) > _SHORT_NUMBER else f"“{raw}”"


@lru_cache(maxsize=16_384)
def amount(raw: str) -> Decimal:
    """Answer a price: 0 or more, below a hundred million, four decimals at most. Raises WordError."""
    word = raw.strip()
    found = _AMOUNT.match(word)
    if not found or len(word) > _SHORT_NUMBER:
        if word.startswith("-") and _AMOUNT.match(word[1:]):
            raise WordError("A price can't be negative.")
        raise WordError(f"{shown(word)} isn't a price." if word else "The price is empty.")
    decimals = found[1] or found[2] or ""
    if len(decimals.rstrip("0")) > 4:  # noqa: PLR2004  # what the column holds
        raise WordError(f"{shown(word)} has more than four decimals.")
    value = Decimal(word)
    if value >= PRICE_LIMIT:
        raise WordError(f"{shown(word)} is too high for a price.")
    return value.quantize(_FOUR_PLACES) if len(decimals) > 4 else value  # noqa: PLR2004  # as above


@lru_cache(maxsize=4096)
def total_grams(raw: str) -> Decimal:
    """Answer the weight of any number of pieces. Raises WordError."""
    word = raw.strip()
    if not _AMOUNT.match(word) or len(word) > _SHORT_NUMBER:
        raise WordError(f"{shown(word)} isn't a weight in grams.")
    return Decimal(word)


def grams(raw: str) -> Decimal:
    """Answer the weight of one piece. Raises WordError."""
    return bounded_weight(total_grams(raw))


def bounded_weight(value: Decimal) -> Decimal:
    """Answer the weight to four decimals, half up. Raises WordError."""
    if value >= WEIGHT_LIMIT:
        raise WordError("The weight is too high.")
    return value.quantize(_FOUR_PLACES, rounding=ROUND_HALF_UP)


@lru_cache(maxsize=16_384)
def whole(raw: str, what: str, low: int = 0, high: int = MAX_INT) -> int:
    """Answer a whole number between the bounds; thousands may be grouped by commas. Raises WordError about `what`."""
    word = raw.strip()
    if not word:
        raise WordError(f"{what} is empty.")
    if _GROUPED.match(word) and len(word) <= _SHORT_NUMBER:
        word = word.replace(",", "")
    if not _WHOLE.match(word):
        raise WordError(f"{what} {shown(word)} isn't a whole number.")
    value = int(word)
    if not low <= value <= high:
        raise WordError(f"{what} {shown(word)} isn't between {low} and {high}.")
    return value


def quantity(raw: str) -> tuple[str, int]:
    """Answer which of `qty` and `qty_delta` a quantity is, and its value: one with a sign is a difference."""
    word = raw.strip()
    if word[:1] in ("+", "-"):
        return "qty_delta", whole(word, "The quantity", -MAX_INT)
    return "qty", whole(word, "The quantity")


def sale(raw: str) -> int:
    """Answer a sale in percent. Raises WordError."""
    return whole(raw, "The sale", 0, MAX_SALE)


def bulk(raw: str) -> int:
    """Answer in which multiples a lot is sold. Raises WordError."""
    return whole(raw, "The bulk quantity", 1)


def lot_id(raw: str) -> int | None:
    """Answer BrickLink's number of a lot; 0 is none. Raises WordError."""
    return whole(raw, "The lot number", 0, MAX_LOT_ID) or None


@lru_cache(maxsize=4096)
def color(raw: str) -> int:
    """Answer one of BrickLink's color ids. Raises WordError."""
    value = whole(raw, "The color")
    if value not in colors.all_colors():
        raise WordError(f"{value} isn't one of BrickLink's colors.")
    return value


def words(raw: str, field: str) -> str:
    """Answer a text of a field, as it stands. Raises WordError if it is too long or holds what isn't text."""
    if len(raw) > LENGTHS[field]:
        raise WordError(f"This text has more than {LENGTHS[field]} characters.", field=field, raw=raw)
    if not raw.isprintable() and (found := UNPRINTABLE.search(raw)):
        raise WordError(f"A control character (U+{ord(found[0]):04X}) stands in this text.", field=field, raw=raw)
    return raw


def item_no(raw: str) -> str:
    """Answer an item's number. Raises WordError."""
    word = raw.strip()
    if not word:
        raise WordError("The item number is missing.", field="item_no")
    if "\n" in word or "\t" in word:
        raise WordError("An item number is one word in one line.", field="item_no", raw=word)
    return words(word, "item_no")


def is_yes(raw: str) -> bool:
    """Tell whether BrickLink's Y or N says yes. Raises WordError at anything else."""
    word = raw.strip().upper()
    if word in ("Y", "N"):
        return word == "Y"
    raise WordError(f"{shown(raw)} is neither Y nor N.")


def iso_time(raw: str) -> datetime | None:
    """Answer a time of ISO 8601 in UTC (which is meant where no zone is given); None if it is none."""
    try:
        found = datetime.fromisoformat(raw.strip())
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if found.year in _YEARS else None


@lru_cache(maxsize=4096)
def us_time(raw: str) -> datetime | None:
    """Answer a time as BrickLink writes it, `M/D/YYYY h:mm:ss AM` on the clocks of New York; None if it is none."""
    found = _US_TIME.match(raw.strip())
    if not found:
        return None
    month, day, year, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    half = (found[7] or "").upper()
    if half:
        if not 1 <= hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if half == "PM" else 0)
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=_EASTERN)
    except ValueError:
        return None
    return local.astimezone(UTC) if year in _YEARS else None


def tiers(steps: Iterable[tuple[int, int | None, Decimal | None]]) -> list[tuple[int, Decimal]]:
    """Answer tier prices from (which step, quantity, price); zero and nothing are both nothing. Raises WordError."""
    found: list[tuple[int, Decimal]] = []
    last = 1
    for step, qty, price in steps:
        if not qty and not price:
            continue
        if not qty or not price:
            raise WordError(f"Tier {step} has only half of quantity and price.", field="tier_prices")
        if qty <= last:
            raise WordError("Tier quantities ascend, and begin above 1.", field="tier_prices", raw=str(qty))
        last = qty
        found.append((qty, price))
    return found


# Numbers of an item on other platforms, and whose they are, the one that says most first: LEGO's also says the color.
REFERENCES: Mapping[str, str] = {
    "lego_element_id": "element", "brickowl_id": "brickowl", "rebrickable_id": "rebrickable", "ldraw_id": "ldraw",
}  # fmt: skip
# Of these a row needs one.
IDENTITY = frozenset(("item_no", "bricklink_lot_id", *REFERENCES))


def settle(values: dict[str, Any]) -> list[str]:
    """Make true that the values fit each other, and answer which fields had no meaning here and were taken out.

    Raises WordError where no lot can be like that.
    """
    if "item_no" not in values and values.get("bricklink_lot_id") is None:
        raise WordError("The item number is missing.", field="item_no")
    dropped = _settle_kind(values["item_type"], values) if values.get("item_type") is not None else []
    condition = values.get("condition")
    if condition == NEW and values.pop("sub_condition", None) is not None:
        dropped.append("sub_condition")
    if condition == USED and values.get("completeness") == SEALED:
        raise WordError("A used set can't be sealed.", field="completeness")
    if "stock_room_id" in values or "is_stock_room" in values:
        room = values.get("stock_room_id") or ""
        is_stock_room = values.get("is_stock_room", bool(room))
        values["is_stock_room"] = is_stock_room
        values["stock_room_id"] = (room or "A") if is_stock_room else ""
    return dropped


def _settle_kind(kind: str, values: dict[str, Any]) -> list[str]:
    dropped = []
    if kind in ALWAYS_COLORED:
        if values.get("color_id") is None and ("color_id" in values or values.get("bricklink_lot_id") is None):
            raise WordError("A part needs a color.", field="color_id")
    elif values.get("color_id") is not None and (kind not in COLORED or not values["color_id"]):
        if values["color_id"]:
            dropped.append("color_id")
        values["color_id"] = None
    if kind != SET and values.pop("completeness", None) is not None:
        dropped.append("completeness")
    return dropped


def checked(field: str, read: Callable[[str], Value], raw: str) -> Value:
    """Answer what `read` makes of the word; what it raises then names the field and the word."""
    try:
        return read(raw)
    except WordError as wrong:
        raise WordError(str(wrong), field=wrong.field or field, raw=wrong.raw or raw) from None


def checked_length(raw: str, name: str) -> str:
    """Answer a text that is only kept; raises WordError if it is longer than a cell may be."""
    if len(raw) > MAX_CELL:
        raise WordError(f"{name} has more than {MAX_CELL:,} characters.", raw=raw)
    return raw
