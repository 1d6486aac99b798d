"""What a channel's values are here: the way back through a store's rules. Pure."""

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from inventory import tiers
from stores.channels import LotField
from stores.settings_schema import PriceChange
from sync.rules import StoreRules, changed_by, priced

_FOUR_PLACES, _HUNDRED = Decimal("0.0001"), Decimal(100)


def unpriced(price: Decimal, rules: StoreRules, *, is_used: bool) -> Decimal:
    """Answer which price of ours is shown there as that one; the nearest where none is shown exactly so."""
    if price <= 0 or priced(price, rules, is_used=is_used) == price:
        return price
    amount, (change, value) = price, changed_by(rules.price, is_used=is_used)
    if change is PriceChange.AMOUNT:
        amount -= value
    elif change is PriceChange.PERCENT:
        amount = amount * _HUNDRED / (_HUNDRED + value)
    return max(_FOUR_PLACES, (amount / (rules.rate or 1)).quantize(_FOUR_PLACES, ROUND_HALF_UP))


def can_be_taken(field: LotField, value: Any, rules: StoreRules, *, is_used: bool) -> bool:
    """Tell whether what was set there can be ours: of a price, whether some price of ours is shown exactly as that one.

    Of one that can't, whoever set it says what it shall be.
    """
    if field is not LotField.PRICE or value <= 0:
        return True
    price: Decimal = value
    return priced(unpriced(price, rules, is_used=is_used), rules, is_used=is_used) == price


def lot_values(values: Mapping[LotField, Any], rules: StoreRules, *, is_used: bool) -> dict[str, Any]:
    """Answer fields of a lot of ours, so that the store shows these values. A quantity is moved, and isn't here."""
    found: dict[str, Any] = {}
    for each, value in values.items():
        match each:
            case LotField.PRICE:
                found["unit_price"] = unpriced(value, rules, is_used=is_used)
            case LotField.TIERS:
                found["tier_prices"] = _steps(value or (), rules, is_used=is_used)
            case LotField.SALE:
                found["sale_percent"] = value
            case LotField.RETAIN:
                found["is_retain"] = value
            case LotField.STOCKROOM:
                found |= {"stock_room_id": value, "is_stock_room": bool(value)}
            case LotField.DESCRIPTION | LotField.REMARKS | LotField.BULK:
                found[each.value] = value
            case LotField.QTY:
                pass
    return found


def _steps(steps: Iterable[tuple[int, Decimal]], rules: StoreRules, *, is_used: bool) -> list[dict[str, Any]]:
    """Answer tier prices as a lot has them; what can't be one of a lot's is left out."""
    kept: list[tuple[int, Decimal]] = []
    last = 1
    for qty, price in steps:
        if qty > last and len(kept) < tiers.MOST:
            kept.append((qty, unpriced(price, rules, is_used=is_used)))
            last = qty
    return tiers.stored(kept)
