"""What a lot may be: one set of rules for pages, API, imports and reverts."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from catalog import colors
from catalog.choices import MAY_HAVE_COLOR, NEEDS_COLOR, ItemType
from common.errors import Invalid
from inventory.choices import Completeness, ItemCondition, StockRoom, SubCondition
from inventory.tiers import PRICE_LIMIT, TierError, read, stored

# What people and files may set, apart from quantities, which are moved.
EDITABLE = frozenset(
    {
        "item_type", "item_no", "item_name", "category_name", "color_id", "condition", "completeness", "sub_condition",
        "unit_price", "cost_basis", "sale_percent", "bulk", "tier_prices", "description", "remarks", "is_retain",
        "is_stock_room", "stock_room_id", "weight_grams", "low_stock_threshold", "price_locked", "price_lock_reason",
        "price_lock_expires_at", "reserved_for", "acquired_from", "date_added", "last_sold_at", "bricklink_lot_id",
        "extra",
    }
)  # fmt: skip
# Longest texts; descriptions and remarks as BrickLink takes them, with room for other channels.
LENGTHS = {
    "item_no": 60, "item_name": 300, "category_name": 200, "description": 5000, "remarks": 5000,
    "price_lock_reason": 200, "reserved_for": 60, "acquired_from": 200,
}  # fmt: skip
INT_LIMIT = 2**31
# Django makes an enumeration's list of values anew at each call; a file has a hundred thousand.
_TYPES, _CONDITIONS = frozenset(ItemType.values), frozenset(ItemCondition.values)
_COMPLETENESS, _GRADES = frozenset(Completeness.values), frozenset(SubCondition.values)
_STOCK_ROOMS = frozenset({"", *StockRoom.values})
_WEIGHT_LIMIT = Decimal(10) ** 6
_ALL = 100

Errors = dict[str, list[str]]


def completed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a lot's values with what follows from them: its color's name, its stockroom, no color where none can be.

    Raises Invalid, with JSON pointers by field, where they make no lot.
    """
    made = dict(values)
    errors: Errors = {}
    _complete(made)
    for check in (_check_identity, _check_condition, _check_amounts, _check_texts, _check_moments):
        check(made, errors)
    if errors:
        raise Invalid(errors=errors)
    return made


def _complete(lot: dict[str, Any]) -> None:
    if lot.get("color_id") == colors.NOT_APPLICABLE and lot.get("item_type") not in NEEDS_COLOR:
        lot["color_id"] = None
    color = colors.get(lot.get("color_id"))
    lot["color_name"] = color.name if color else ""
    if lot.get("stock_room_id"):
        lot["is_stock_room"] = True
    elif lot.get("is_stock_room"):
        lot["stock_room_id"] = StockRoom.A.value
    if not lot.get("price_locked"):
        lot["price_lock_reason"], lot["price_lock_expires_at"] = "", None
    for name in ("completeness", "sub_condition"):
        lot[name] = lot.get(name) or None


def _wrong(errors: Errors, name: str, message: str) -> None:
    errors.setdefault(f"/{name}", []).append(message)


def _check_identity(lot: dict[str, Any], errors: Errors) -> None:
    kind, color_id = lot.get("item_type"), lot.get("color_id")
    if kind not in _TYPES:
        _wrong(errors, "item_type", "This is no type of item.")
    if not lot.get("item_no"):
        _wrong(errors, "item_no", "A lot needs its item's number.")
    if color_id is None:
        if kind in NEEDS_COLOR:
            _wrong(errors, "color_id", "A part needs a color.")
    elif colors.get(color_id) is None:
        _wrong(errors, "color_id", f"There is no color {color_id}.")
    elif kind not in MAY_HAVE_COLOR:
        _wrong(errors, "color_id", "This type of item has no color.")
    number = lot.get("bricklink_lot_id")
    if number is not None and not 0 < number < 2**63:
        _wrong(errors, "bricklink_lot_id", "BrickLink's lot numbers are above 0.")


def _check_condition(lot: dict[str, Any], errors: Errors) -> None:
    condition, completeness, grade = lot.get("condition"), lot["completeness"], lot["sub_condition"]
    if condition not in _CONDITIONS:
        _wrong(errors, "condition", "A lot is NEW or USED.")
    if completeness is not None:
        if completeness not in _COMPLETENESS:
            _wrong(errors, "completeness", "This is no completeness.")
        elif lot.get("item_type") != ItemType.SET:
            _wrong(errors, "completeness", "Only sets are complete, incomplete or sealed.")
        elif completeness == Completeness.SEALED and condition == ItemCondition.USED:
            _wrong(errors, "completeness", "A used set isn't sealed.")
    if grade is not None:
        if grade not in _GRADES:
            _wrong(errors, "sub_condition", "This is no grade.")
        elif condition != ItemCondition.USED:
            _wrong(errors, "sub_condition", "Only used things have a grade.")
    if lot.get("stock_room_id", "") not in _STOCK_ROOMS:
        _wrong(errors, "stock_room_id", "The stockrooms are A, B and C.")


def _check_amounts(lot: dict[str, Any], errors: Errors) -> None:
    for name in ("unit_price", "cost_basis"):
        amount = lot.get(name)
        if amount is not None and not (amount.is_finite() and 0 <= amount < PRICE_LIMIT):
            _wrong(errors, name, "An amount of 0 or more, and below 100,000,000.")
    weight = lot.get("weight_grams")
    if weight is not None and not (weight.is_finite() and 0 <= weight < _WEIGHT_LIMIT):
        _wrong(errors, "weight_grams", "A weight of 0 g or more, and below 1,000 kg.")
    if not 0 <= lot.get("sale_percent", 0) <= _ALL:
        _wrong(errors, "sale_percent", "A sale takes off 0 to 100 percent.")
    if not 1 <= lot.get("bulk", 1) < INT_LIMIT:
        _wrong(errors, "bulk", "Pieces are sold in multiples of 1 or more.")
    threshold = lot.get("low_stock_threshold")
    if threshold is not None and not 0 <= threshold < INT_LIMIT:
        _wrong(errors, "low_stock_threshold", "A number of pieces, 0 or more.")
    try:
        lot["tier_prices"] = stored(read(lot.get("tier_prices") or []))
    except TierError as error:
        _wrong(errors, "tier_prices", str(error))


def _check_texts(lot: dict[str, Any], errors: Errors) -> None:
    for name, length in LENGTHS.items():
        text = lot.get(name) or ""
        if len(text) > length:
            _wrong(errors, name, f"At most {length:,} characters.")
        elif "\x00" in text:
            _wrong(errors, name, "This has a character that can't be kept.")


def _check_moments(lot: dict[str, Any], errors: Errors) -> None:
    for name in ("date_added", "last_sold_at", "price_lock_expires_at"):
        moment: datetime | None = lot.get(name)
        if moment is not None and moment.tzinfo is None:
            _wrong(errors, name, "A time needs its zone.")
