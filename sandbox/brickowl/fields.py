"""What a seller may write into a lot, and how it is read."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sandbox.brickowl.boids import Boid, color_of, owl_colors, parsed, type_of
from sandbox.brickowl.call import Call, OwlError
from sandbox.items import COLORED
from sandbox.market.lots import Lot

_MOST = 10**7
_THOUSANDTH = Decimal("0.001")
_MOST_TIERS = 3
_OF_SETS = ("news", "newc", "newi", "usedc", "usedi", "other")
_OF_OTHERS = ("new", "usedn", "usedg", "useda", "other")
_COMPLETENESS = {"news": "S", "newc": "C", "usedc": "C", "newi": "B", "usedi": "B"}
_NO_TIERS = {f"tier_{name}{place}": 0 for name in ("quantity", "price") for place in (1, 2, 3)}
_AMOUNTS = {"price": "price", "my_cost": "my_cost", "lot_weight": "weight"}
_TEXTS = {"personal_note": "remarks", "public_note": "description"}
_FIELDS = (
    "absolute_quantity", "relative_quantity", "for_sale", "price", "my_cost", "lot_weight", "sale_percent",
    "personal_note", "public_note", "bulk_qty", "tier_price", "condition", "update_external_id_1",
)  # fmt: skip


def amount(name: str, text: str) -> int:
    """Read an amount above nothing, rounded to three digits, in ten-thousandths."""
    try:
        number = Decimal(text)
        if not number.is_finite() or number > _MOST:
            raise InvalidOperation
        number = number.quantize(_THOUSANDTH, ROUND_HALF_UP)
    except InvalidOperation:
        raise OwlError(f"Invalid {name}") from None
    if number <= 0:
        raise OwlError(f"Invalid {name}, must be greater than 0")
    return int(number * 10_000)


def condition_of(item_type: str, code: str) -> dict[str, Any]:
    """Read a condition's code."""
    if code not in (_OF_SETS if item_type == "SET" else _OF_OTHERS):
        raise OwlError("Invalid condition")
    condition = "N" if code.startswith("new") else "U"
    return {"condition": condition, "grade": code, "completeness": _COMPLETENESS.get(code, "")}


def new_lot(call: Call) -> dict[str, Any]:
    """Read a lot that is to be made; raises OwlError."""
    text = call.needed("boid")
    boid = parsed(text)
    if boid is None:
        raise OwlError(f"Invalid BOID - {text}")
    color = _color(call, boid)
    quantity = call.whole("quantity")
    if not 0 < quantity <= _MOST:
        raise OwlError("Invalid quantity, must be greater than 0")
    return {
        "type": boid.item.type, "no": boid.item.no, "color_id": color, "quantity": quantity,
        "price": amount("price", call.needed("price")), **condition_of(boid.item.type, call.needed("condition")),
        "external_id": call.word("external_id") or None, "remarks": "",
    }  # fmt: skip


def _color(call: Call, boid: Boid) -> int:
    """Answer BrickLink's number of the color that is named, by the argument or behind the BOID's dash."""
    item = boid.item
    if item.type not in COLORED:
        if call.word("color_id") not in ("", "0"):
            raise OwlError(f"Color not allowed for type {type_of(item)}")
        return 0
    owl = call.whole("color_id", boid.owl_color if boid.owl_color is not None else -1)
    if owl < 0:
        if item.type == "PART" and owl_colors(item):
            raise OwlError("Missing argument color_id")
        return 0
    if owl_colors(item) and owl not in owl_colors(item):
        raise OwlError("Invalid color_id")
    color = color_of(owl)
    if color is None:
        raise OwlError("Invalid color_id")
    return color.id


def updated(call: Call, lot: Lot) -> dict[str, Any]:
    """Read what shall change of a lot; raises OwlError."""
    given = {name: call.word(name) for name in _FIELDS if name in call.arguments}
    if not given:
        raise OwlError("Nothing to update")
    values: dict[str, Any] = {}
    for name, text in given.items():
        values |= _read(call, lot, name, text)
    if "absolute_quantity" in given and "relative_quantity" in given:
        raise OwlError("Only one of absolute_quantity and relative_quantity is allowed")
    _check_tiers(replace(lot, **values))
    return values


def _read(call: Call, lot: Lot, name: str, text: str) -> dict[str, Any]:
    if name in _AMOUNTS:
        return {_AMOUNTS[name]: amount(name, text)}
    if name in _TEXTS:
        return {_TEXTS[name]: text}
    match name:
        case "absolute_quantity" | "relative_quantity":
            return {"quantity": _quantity(call, lot, name)}
        case "condition":
            return condition_of(lot.type, text)
        case "tier_price":
            return _tiers(text)
    return _small(call, name, text)


def _small(call: Call, name: str, text: str) -> dict[str, Any]:
    match name:
        case "for_sale":
            if text not in ("0", "1"):
                raise OwlError("Invalid for_sale")
            return {"is_for_sale": int(text)}
        case "sale_percent":
            if not -95 <= call.whole(name) <= 95:  # noqa: PLR2004  # the limits of the manual
                raise OwlError("Invalid sale_percent")
            return {"sale": call.whole(name)}
        case "bulk_qty":
            if not 1 <= call.whole(name, 0) <= _MOST:
                raise OwlError("Invalid bulk_qty")
            return {"bulk": call.whole(name)}
    return {"external_id": text or None}


def _quantity(call: Call, lot: Lot, name: str) -> int:
    call.needed(name)
    number = call.whole(name)
    after = number if name == "absolute_quantity" else lot.quantity + number
    if after < 0 and name == "relative_quantity" and call.world.switches["bo.below_zero"] == "floor":
        return 0
    if not 0 <= after <= _MOST:
        raise OwlError(f"Invalid {name}")
    return after


def _tiers(text: str) -> dict[str, int]:
    if text == "remove":
        return dict(_NO_TIERS)
    found = dict(_NO_TIERS)
    pairs = [part.partition(":") for part in text.split(",")]
    if len(pairs) > _MOST_TIERS:
        raise OwlError("Invalid tier_price")
    for place, (quantity, _, price) in enumerate(pairs, start=1):
        if not quantity.strip().isascii() or not quantity.strip().isdigit() or len(quantity) > 8:  # noqa: PLR2004  # digits
            raise OwlError("Invalid tier_price")
        found |= {f"tier_quantity{place}": int(quantity), f"tier_price{place}": amount("tier_price", price.strip())}
    return found


def _check_tiers(lot: Lot) -> None:
    quantity, price = 1, lot.price
    for least, tier in lot.tiers:
        if least <= quantity or tier >= price:
            raise OwlError("Invalid tier_price")
        quantity, price = least, tier


def numbers(given: Mapping[str, str], *names: str) -> list[str]:
    """Answer which of some arguments are there."""
    return [name for name in names if given.get(name)]
