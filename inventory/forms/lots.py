"""What people type about lots, turned into values: one field at a time, as cells and the lot's page have them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from catalog import colors
from catalog.choices import ItemType
from common.errors import Invalid
from common.templatetags.ui import MINUS, unit_price
from inventory.arithmetic import ArithmeticEntryError, worked_out
from inventory.choices import Completeness, ItemCondition, StockRoom, SubCondition
from inventory.models import InventoryItem
from inventory.tiers import TierError, as_text, from_text, stored

_ON = "on"
_PRICE_PLACES = 4


@dataclass(frozen=True, slots=True)
class LotField:
    """A field of a lot that can be edited by itself. `kind`: how it is typed; `choices`: where one is picked."""

    name: str
    label: str
    kind: str
    choices: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    is_optional: bool = False

    @property
    def is_number(self) -> bool:
        """Tell whether sums are understood."""
        return self.kind in {"amount", "whole"}


_SUMS = "A number, or a sum: +12, -3, *1.1, +5%"

FIELDS: Mapping[str, LotField] = {
    field.name: field
    for field in (
        LotField("item_type", "Type", "choice", tuple(ItemType.choices)),
        LotField("item_no", "Item number", "text"),
        LotField("item_name", "Name", "text", is_optional=True),
        LotField("category_name", "Category", "text", is_optional=True),
        LotField("color_id", "Color", "color", is_optional=True),
        LotField("condition", "Condition", "choice", tuple(ItemCondition.choices)),
        LotField("completeness", "Completeness", "choice", (("", "–"), *Completeness.choices), is_optional=True),
        LotField("sub_condition", "Grade", "choice", (("", "–"), *SubCondition.choices), is_optional=True),
        LotField("qty_available", "Available", "whole", hint=_SUMS),
        LotField("unit_price", "Price", "amount", hint=_SUMS),
        LotField("cost_basis", "Cost", "amount", hint="What one piece cost", is_optional=True),
        LotField("sale_percent", "Sale", "whole", hint="Percent off"),
        LotField("bulk", "Bulk", "whole", hint="Sold in multiples of"),
        LotField("tier_prices", "Tier prices", "tiers", hint="50: 0.11, 200: 0.10", is_optional=True),
        LotField("description", "Description", "long", hint="Buyers read this", is_optional=True),
        LotField("remarks", "Remarks", "long", hint="For your eyes only", is_optional=True),
        LotField("is_retain", "Retain", "flag", hint="Stays listed when it is sold out"),
        LotField("stock_room_id", "Stockroom", "choice", (("", "–"), *StockRoom.choices), is_optional=True),
        LotField("weight_grams", "Weight in grams", "amount", is_optional=True),
        LotField("low_stock_threshold", "Low stock below", "whole", hint="Pieces", is_optional=True),
        LotField("price_locked", "Lock price", "flag", hint="Rules and bulk edits leave it alone"),
        LotField("price_lock_reason", "Reason of the lock", "text", is_optional=True),
        LotField("reserved_for", "Reserved for", "text", hint="A buyer's name", is_optional=True),
        LotField("acquired_from", "Acquired from", "text", is_optional=True),
    )
}
# What a list's cells edit in place.
IN_CELLS = frozenset({"qty_available", "unit_price", "remarks", "low_stock_threshold"})


def shown(name: str, value: Any) -> str:
    """Answer a field's value as it stands in its control; `typed` reads it back."""
    match FIELDS[name].kind:
        case "amount":
            return "" if value is None else unit_price(value).replace(",", "").replace(MINUS, "-")
        case "tiers":
            return as_text(value or [])
        case "color":
            color = colors.get(value)
            return color.name if color else ""
        case "flag":
            return _ON if value else ""
        case _:
            return "" if value is None else str(value)


def typed(name: str, text: str, *, present: Any = None) -> Any:
    """Answer the value that was typed into a field; sums start from the present one. Raises Invalid."""
    field = FIELDS[name]
    text = text.strip() if field.kind != "long" else text.replace("\r\n", "\n").strip()
    if not text and field.is_optional:
        return _nothing(field)
    match field.kind:
        case "amount" | "whole":
            return _number(field, text, present)
        case "tiers":
            try:
                return stored(from_text(text))
            except TierError as error:
                raise _wrong(name, str(error)) from None
        case "color":
            return _color(name, text)
        case "flag":
            return text == _ON
        case _:
            return text


def changes_of(name: str, value: Any) -> dict[str, Any]:
    """Answer what setting a field means for the lot: some fields take another along."""
    match name:
        case "stock_room_id":
            return {name: value, "is_stock_room": bool(value)}
        case "condition" if value == ItemCondition.NEW:
            return {name: value, "sub_condition": None}
        case _:
            return {name: value}


def value_of(lot: InventoryItem, name: str) -> Any:
    """Answer a lot's present value of a field."""
    return getattr(lot, name)


def _wrong(name: str, message: str) -> Invalid:
    return Invalid(errors={f"/{name}": [message]})


def _nothing(field: LotField) -> Any:
    if field.kind == "tiers":
        return []
    return None if field.kind in {"amount", "whole", "color"} or field.name in {"completeness", "sub_condition"} else ""


def _number(field: LotField, text: str, present: Any) -> Any:
    places = _PRICE_PLACES if field.kind == "amount" else 0
    try:
        value = worked_out(text, present=Decimal(present or 0), places=places)
    except ArithmeticEntryError as error:
        raise _wrong(field.name, str(error)) from None
    if value < 0:
        raise _wrong(field.name, f"{field.label} can't be below 0.")
    return value if places else int(value)


def _color(name: str, text: str) -> int:
    found = colors.named(text) or (colors.get(int(text)) if text.isascii() and text.isdecimal() else None)
    if found is None:
        raise _wrong(name, f"There is no color “{text[:40]}”.")
    return found.id
