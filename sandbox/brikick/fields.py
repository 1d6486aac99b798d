"""What a seller may write into a lot, and how it is read."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.brikick.call import TYPES, BrikickError, Call, amount, checked, one_of, text_of, whole
from sandbox.items import COLORED, Item, items
from sandbox.market.lots import Lot
from sandbox.prices import deals

WRITABLE = (
    "external_id", "condition", "completeness", "sub_condition", "bulk_quantity", "unit_price", "currency",
    "sale_percentage", "tiers", "description", "remarks", "is_retain", "stock_room", "superlot_id", "my_cost",
    "weight_grams", "status",
)  # fmt: skip
FIXED = ("item_type", "item_no", "color_id")
_GRADES = ("LIKE_NEW", "GOOD", "ACCEPTABLE")
_HIDDEN = {"HIDDEN": 0, "AVAILABLE": 1}
_LONGEST_ID = 64
_MOST_TIERS = 3
_NO_TIERS = {f"tier_{name}{place}": 0 for name in ("quantity", "price") for place in (1, 2, 3)}
BLOCKED = 2


def new_lot(call: Call, sent: Any) -> dict[str, Any]:
    """Read a lot that is to be made; raises BrikickError."""
    given = checked(
        sent, (*FIXED, "quantity", *WRITABLE), ("item_type", "item_no", "condition", "quantity", "unit_price")
    )
    kind = TYPES[one_of("item_type", given["item_type"], tuple(TYPES))]
    item = items().find(kind, text_of("item_no", given["item_no"]))
    if item is None:
        raise BrikickError.invalid("item_no", "is not in the catalog")
    values: dict[str, Any] = {
        "type": kind, "no": item.no, "color_id": _color(item, given.get("color_id")),
        "quantity": whole("quantity", given["quantity"]), "remarks": "",
    }  # fmt: skip
    read = {name: value for name, value in given.items() if name in WRITABLE}
    values |= changes(call, read, Lot(id=0, seller_id=0, condition="N", **{**values, "price": 1}))
    if kind == "SET" and not values.get("completeness"):
        raise BrikickError.invalid("completeness", "is missing")
    return values | _capped(call, Lot(id=0, seller_id=0, **values))


def _color(item: Item, value: Any) -> int:
    if value is None:
        if item.type == "PART":
            raise BrikickError.invalid("color_id", "is missing")
        return 0
    color = whole("color_id", value)
    if item.type not in COLORED or color not in items().colors:
        raise BrikickError.invalid("color_id", "is no color of that item")
    return color


def changes(call: Call, sent: Mapping[str, Any], lot: Lot) -> dict[str, Any]:
    """Read what shall change of a lot; raises BrikickError."""
    values: dict[str, Any] = {}
    for name, value in sent.items():
        values |= _read(call, lot, name, value)
    changed = replace(lot, **values)
    _check_tiers(changed)
    if "unit_price" in sent and lot.id:
        values |= _capped(call, changed)
    return values


def _read(call: Call, lot: Lot, name: str, value: Any) -> dict[str, Any]:
    match name:
        case "unit_price":
            return {"price": amount(name, value)}
        case "my_cost":
            return {"my_cost": 0 if value is None else amount(name, value, may_be_zero=True)}
        case "weight_grams":
            return {"weight": 0 if value is None else amount(name, value, may_be_zero=True)}
        case "bulk_quantity":
            return {"bulk": whole(name, value, least=1)}
        case "sale_percentage":
            return {"sale": whole(name, value, most=99)}
        case "superlot_id":
            return {"superlot": 0 if value is None else whole(name, value)}
        case "tiers":
            return _tiers(value)
    return _words(call, lot, name, value)


def _words(call: Call, lot: Lot, name: str, value: Any) -> dict[str, Any]:
    match name:
        case "condition":
            return {"condition": one_of(name, value, ("N", "U"))}
        case "completeness":
            if lot.type != "SET" and value is not None:
                raise BrikickError.invalid(name, "is for sets")
            return {"completeness": one_of(name, value, ("C", "B", "S", None)) or ""}
        case "sub_condition":
            return {"grade": one_of(name, value, (*_GRADES, None)) or ""}
        case "stock_room":
            return {"stockroom": one_of(name, value, ("A", "B", "C", None)) or ""}
        case "status":
            return {"is_for_sale": _HIDDEN[one_of(name, value, tuple(_HIDDEN))]}
        case "currency":
            one_of(name, value, (call.seller.currency,))
            return {}
    return _texts(name, value)


def _texts(name: str, value: Any) -> dict[str, Any]:
    if name == "is_retain":
        return {"is_retained": int(one_of(name, value, (True, False)))}
    if name == "external_id":
        return {name: text_of(name, value, longest=_LONGEST_ID) or None}
    return {name: text_of(name, value)}


def _tiers(value: Any) -> dict[str, int]:
    if not isinstance(value, list) or len(value) > _MOST_TIERS:
        raise BrikickError.invalid("tiers", f"are at most {_MOST_TIERS}")
    found = dict(_NO_TIERS)
    for place, tier in enumerate(value, start=1):
        row = checked(tier, ("quantity", "price"), ("quantity", "price"))
        found[f"tier_quantity{place}"] = whole("tiers", row["quantity"], least=2)
        found[f"tier_price{place}"] = amount("tiers", row["price"])
    return found


def _check_tiers(lot: Lot) -> None:
    quantity, price = 1, lot.price
    for least, tier in lot.tiers:
        if least <= quantity or tier >= price:
            raise BrikickError.invalid("tiers", "quantities ascend, prices descend and are below the unit price")
        quantity, price = least, tier


def _capped(call: Call, lot: Lot) -> dict[str, Any]:
    """Hold a price against twice the average of six months: refused above it, or kept back for approval."""
    mode = call.seller.settings["price_cap"]
    if mode == "off" or lot.item is None:
        return {}
    sold = deals(lot.item, lot.color_id, lot.condition, is_sold=True, currency=call.seller.currency, day_ms=call.now_ms)
    if not sold:
        return {}
    average = sum(deal.price for deal in sold) // len(sold)
    if lot.price <= 2 * average:
        return {"is_for_sale": 1} if lot.is_for_sale == BLOCKED else {}
    if mode == "block":
        return {"is_for_sale": BLOCKED}
    shown = {
        name: money(each) for name, each in (("price", lot.price), ("limit", 2 * average), ("avg_price_6m", average))
    }
    raise BrikickError(400, "price_cap_exceeded", "The price is above twice the average of six months", shown)


def money(value: int, decimals: int = 4) -> str:
    """Answer ten-thousandths as text."""
    unit = 10 ** (4 - decimals)
    rounded = (value + unit // 2) // unit
    return f"{rounded // 10**decimals}.{rounded % 10**decimals:0{decimals}d}"
