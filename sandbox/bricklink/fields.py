"""What a seller may write into a lot, and how it is read."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any

from sandbox.bricklink.call import TYPES
from sandbox.bricklink.envelope import Refusal, plain
from sandbox.items import COLORED, items
from sandbox.market.lots import Lot
from sandbox.switches import Switches

_MOST = 10**9
_TIERS = ("tier_quantity1", "tier_price1", "tier_quantity2", "tier_price2", "tier_quantity3", "tier_price3")
_ROOMS = ("A", "B", "C")
_SIZE = 9


def amount(name: str, value: Any, *, may_be_zero: bool = True) -> int:
    """Read money, text or number; more than four decimals are rounded up."""
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise InvalidOperation
        number = Decimal(value)
        if not number.is_finite() or number < 0 or number > _MOST or (not number and not may_be_zero):
            raise InvalidOperation
    except InvalidOperation:
        raise Refusal.parameter(f"{name}: {value}") from None
    return int((number * 10_000).to_integral_value(ROUND_CEILING))


def whole(name: str, value: Any, *, least: int = 0, most: int = _MOST) -> int:
    """Read a number without decimals."""
    if isinstance(value, str) and value.removeprefix("+").isascii() and value.removeprefix("+").isdigit():
        value = int(value) if len(value) <= _SIZE + 1 else _MOST + 1
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Refusal.parameter(f"{name}: {value}")
    return value


def _truth(name: str, value: Any) -> int:
    if isinstance(value, str) and value.lower() in ("true", "false", "y", "n"):
        return int(value.lower() in ("true", "y"))
    if not isinstance(value, bool):
        raise Refusal.parameter(f"{name}: {value}")
    return int(value)


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refusal.parameter(f"{name}: {value}")
    return plain(value)


def _room(name: str, value: Any) -> str:
    if value not in _ROOMS:
        raise Refusal.parameter(f"{name}: {value}")
    return str(value)


# The names that the lot has, and how each is read.
_FIELDS: Mapping[str, tuple[str, Callable[[str, Any], Any]]] = {
    "unit_price": ("price", lambda name, value: amount(name, value, may_be_zero=False)),
    "description": ("description", _text),
    "remarks": ("remarks", _text),
    "bulk": ("bulk", lambda name, value: whole(name, value, least=1)),
    "is_retain": ("is_retained", _truth),
    "my_cost": ("my_cost", amount),
    "my_weight": ("weight", amount),
    "sale_rate": ("sale", lambda name, value: whole(name, value, most=99)),
    **{name: (name, amount if "price" in name else whole) for name in _TIERS},
}


def changes(sent: Mapping[str, Any], lot: Lot | None) -> dict[str, Any]:
    """Read what may be written at any time; unknown names are ignored. Raises Refusal."""
    found: dict[str, Any] = {}
    for name, value in sent.items():
        if name in _FIELDS:
            target, read = _FIELDS[name]
            found[target] = read(name, value)
    found.update(_stockroom(sent, lot))
    tiers = [name for name in _TIERS if name in sent]
    if tiers and len(tiers) < len(_TIERS):
        missing = next(name for name in _TIERS if name not in sent)
        raise Refusal.parameter(f"{missing}: all six fields of the tiers or none")
    return found


def _stockroom(sent: Mapping[str, Any], lot: Lot | None) -> dict[str, Any]:
    if "is_stock_room" not in sent:
        if "stock_room_id" not in sent:
            return {}
        if lot is None or not lot.stockroom:
            raise Refusal.parameter("stock_room_id: only with is_stock_room")
        return {"stockroom": _room("stock_room_id", sent["stock_room_id"])}
    if not _truth("is_stock_room", sent["is_stock_room"]):
        return {"stockroom": ""}
    known = lot.stockroom if lot else ""
    return {"stockroom": _room("stock_room_id", sent.get("stock_room_id", known or "A"))}


def check_tiers(lot: Lot) -> None:
    """Hold prices against each other: quantities ascend, prices descend, the first is below the unit's."""
    quantity, price = 1, lot.price
    is_over = False
    for place, (least, tier) in enumerate(
        ((lot.tier_quantity1, lot.tier_price1), (lot.tier_quantity2, lot.tier_price2),
         (lot.tier_quantity3, lot.tier_price3)),
        start=1,
    ):  # fmt: skip
        if not least and not tier:
            is_over = True
            continue
        if is_over or least <= quantity:
            raise Refusal.parameter(f"tier_quantity{place}: {least}")
        if not 0 < tier < price:
            raise Refusal.parameter(f"tier_price{place}: {tier}")
        quantity, price = least, tier


def new_lot(sent: Any, switches: Switches) -> dict[str, Any]:
    """Read a lot that is to be made; raises Refusal."""
    if not isinstance(sent, dict) or not isinstance(sent.get("item"), dict):
        raise Refusal.parameter("item: missing")
    kind, number = str(sent["item"].get("type", "")).upper(), str(sent["item"].get("no", ""))
    if kind not in TYPES:
        raise Refusal.parameter(f"item.type: {kind}")
    item = items().find(kind, number)
    if item is None:
        raise Refusal.parameter(f"item.no: {number}")
    for name in ("color_id", "quantity", "unit_price", "new_or_used"):
        if name not in sent and (name != "color_id" or kind in COLORED):
            raise Refusal.parameter(f"{name}: missing")
    color = whole("color_id", sent.get("color_id", 0))
    if color not in items().colors or (color and kind not in COLORED):
        raise Refusal.parameter(f"color_id: {color}")
    condition = str(sent["new_or_used"]).upper()
    if condition not in ("N", "U"):
        raise Refusal.parameter(f"new_or_used: {sent['new_or_used']}")
    completeness = str(sent.get("completeness") or "").upper()
    if kind == "SET" and completeness not in ("C", "B", "S"):
        raise Refusal.parameter(f"completeness: {completeness or 'missing'}")
    values = {
        "type": kind, "no": item.no, "color_id": color, "condition": condition,
        "completeness": completeness if kind == "SET" else "", "quantity": whole("quantity", sent["quantity"]),
        **changes(sent, None),
    }  # fmt: skip
    zero = switches["bl.zero_quantity"]
    if not values["quantity"] and not (zero == "any" or (zero == "retained" and values.get("is_retained"))):
        raise Refusal.parameter("quantity: 0")
    check_tiers(Lot(id=0, seller_id=0, **values))
    return values


def quantity_after(lot: Lot, sent: Any, switches: Switches) -> int:
    """Read a difference, and answer what it leaves."""
    if isinstance(sent, str):
        digits = sent[1:] if sent[:1] in ("+", "-") else sent
        is_number = digits.isascii() and digits.isdigit() and len(digits) <= _SIZE
        if not is_number or (digits == sent and switches["bl.unsigned_quantity"] == "refuse"):
            raise Refusal.parameter(f"quantity: {sent}")
        delta = int(sent)
    elif isinstance(sent, bool) or not isinstance(sent, int) or switches["bl.int_quantity"] == "refuse":
        raise Refusal.parameter(f"quantity: {sent}")
    else:
        delta = sent
    after = lot.quantity + delta
    if after > _MOST:
        raise Refusal.parameter(f"quantity: {sent}")
    if after < 0:
        if switches["bl.below_zero"] == "floor":
            return 0
        raise Refusal(422, "RESOURCE_UPDATE_NOT_ALLOWED", f"quantity: {sent} of {lot.quantity}")
    return after


def updated(lot: Lot, sent: Mapping[str, Any], switches: Switches) -> dict[str, Any]:
    """Read what shall change of a lot; raises Refusal. What can't be changed is ignored."""
    values = changes(sent, lot)
    if "quantity" in sent:
        values["quantity"] = quantity_after(lot, sent["quantity"], switches)
    check_tiers(replace(lot, **values))
    return values
