"""The states of lots as JSON, as bases, plans and conflicts keep them. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

from stores.channels import LotField
from sync.remote import LotState

_READERS: Mapping[LotField, Any] = {
    LotField.PRICE: Decimal,
    LotField.TIERS: lambda steps: tuple((int(qty), Decimal(price)) for qty, price in steps),
}
_NAMES = LotState._fields


def plain(each: LotField, value: Any) -> Any:
    """Answer one field's value as JSON: prices as text, tiers as [[50, "0.11"], …]."""
    if value is None:
        return None
    if each is LotField.PRICE:
        return f"{value:f}"
    return [[qty, f"{price:f}"] for qty, price in value] if each is LotField.TIERS else value


def value_of(each: LotField, kept: Any) -> Any:
    """Read one field's value as it was kept."""
    reader = _READERS.get(each)
    return reader(kept) if reader and kept is not None else kept


def as_json(state: LotState) -> dict[str, Any]:
    """Answer a state as it is kept: fields that the channel hasn't are left out."""
    found = {name: value for name, value in zip(_NAMES, state, strict=True) if value is not None}
    found["price"] = f"{state.price:f}"
    if state.tiers is not None:
        found["tiers"] = plain(LotField.TIERS, state.tiers)
    return found


def as_text(state: LotState) -> str:
    """Answer a state as it is kept, in the very words in which PostgreSQL tells a base: equal texts are equal states.

    States can be equal and their texts not, as prices of 0.1 and 0.10 are.
    """
    qty, price, description, remarks, steps, bulk, sale, retain, stockroom = state
    text = f'{{"qty": {qty}'
    if bulk is not None:
        text += f', "bulk": {bulk}'
    if sale is not None:
        text += f', "sale": {sale}'
    amount = str(price)
    text += f', "price": "{amount if "E" not in amount else format(price, "f")}"'
    if steps is not None:
        told = ", ".join([f'[{least}, "{cost:f}"]' for least, cost in steps])
        text += f', "tiers": [{told}]'
    if retain is not None:
        text += ', "retain": true' if retain else ', "retain": false'
    if remarks is not None:
        text += f', "remarks": {encode_basestring(remarks)}'
    if stockroom is not None:
        text += f', "stockroom": {encode_basestring(stockroom)}'
    if description is not None:
        text += f', "description": {encode_basestring(description)}'
    return text + "}"


def read_state(kept: Mapping[str, Any]) -> LotState | None:
    """Read a state that was kept; None for an empty one, since nothing was ever agreed on."""
    if not kept:
        return None
    get, steps = kept.get, kept.get("tiers")
    return LotState(
        kept["qty"], Decimal(kept["price"]), get("description"), get("remarks"),
        None if steps is None else value_of(LotField.TIERS, steps), get("bulk"), get("sale"), get("retain"),
        get("stockroom"),
    )  # fmt: skip
