"""What a lot that is new on a channel is here: its values, as a plan keeps them and as a lot takes them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from inventory.choices import ItemCondition
from stores.channels import LotField
from sync.queries.meanings import Meaning
from sync.remote import RemoteLot
from sync.rules import StoreRules
from sync.taking import lot_values

_FOUR_PLACES = Decimal("0.0001")
_DECIMALS = ("unit_price", "cost_basis", "weight_grams")


def values_of(lot: RemoteLot, meaning: Meaning, rules: StoreRules, *, is_bricklink: bool) -> dict[str, Any]:
    """Answer the values of a lot of ours that is shown there as this one."""
    said = {each: value for each in LotField if (value := getattr(lot.state, each.value)) is not None}
    is_used = meaning.condition == ItemCondition.USED
    values: dict[str, Any] = {
        "item_type": meaning.item_type, "item_no": meaning.item_no, "item_name": meaning.name[:300],
        "category_name": meaning.category[:200], "color_id": meaning.color_id, "condition": meaning.condition,
        "completeness": meaning.completeness, **lot_values(said, rules, is_used=is_used),
    }  # fmt: skip
    if is_used and lot.item.sub_condition:
        values["sub_condition"] = lot.item.sub_condition
    if lot.weight_grams:
        values["weight_grams"] = lot.weight_grams
    if lot.cost:
        values["cost_basis"] = (lot.cost / (rules.rate or 1)).quantize(_FOUR_PLACES, ROUND_HALF_UP)
    if lot.created_at is not None:
        values["date_added"] = lot.created_at.replace(microsecond=0)
    if is_bricklink and lot.lot_id.isdecimal():
        values["bricklink_lot_id"] = int(lot.lot_id)
    return values


def kept_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Answer values of a lot as JSON."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, datetime) else value


def read_values(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Read values of a lot that were kept."""
    values = dict(kept)
    values |= {name: Decimal(values[name]) for name in _DECIMALS if values.get(name) is not None}
    if values.get("date_added"):
        values["date_added"] = datetime.fromisoformat(values["date_added"])
    return values
