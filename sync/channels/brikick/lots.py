"""Brikick's lots, and ours, each in the other's words (channels-brikick.md, section 3)."""

from decimal import Decimal
from typing import Any

from stores.channels import LotField
from sync.channels.base import amount, amount_or_none, count_of, text_of, time_of
from sync.remote import Act, LotState, Operation, RemoteItem, RemoteLot

_TYPES = {
    "P": "PART",
    "S": "SET",
    "M": "MINIFIG",
    "G": "GEAR",
    "B": "BOOK",
    "C": "CATALOG",
    "I": "INSTRUCTION",
    "O": "BOX",
    "U": "CUSTOM",
}
_LETTERS = {ours: theirs for theirs, ours in _TYPES.items()}
_COMPLETENESS = {"C": "COMPLETE", "B": "INCOMPLETE", "S": "SEALED"}
_COMPLETENESS_LETTERS = {ours: theirs for theirs, ours in _COMPLETENESS.items()}
_GRADES = frozenset({"LIKE_NEW", "GOOD", "ACCEPTABLE"})
_CONDITIONS = {"N": "NEW", "U": "USED"}
_AVAILABLE = frozenset({"AVAILABLE", "SOLD_OUT"})
LOT_FIELDS = frozenset(LotField)
# What each field is called there.
_NAMES = {
    LotField.PRICE: "unit_price",
    LotField.DESCRIPTION: "description",
    LotField.REMARKS: "remarks",
    LotField.TIERS: "tiers",
    LotField.BULK: "bulk_quantity",
    LotField.SALE: "sale_percentage",
    LotField.RETAIN: "is_retain",
    LotField.STOCKROOM: "stock_room",
}


def lot_or_none(row: dict[str, Any]) -> RemoteLot | None:
    """Read a lot; one that was deleted is none."""
    if row.get("deleted"):
        return None
    warnings: list[str] = []
    status = str(row.get("status"))
    if status == "BLOCKED":
        warnings.append("Brikick has taken the lot off sale until its price is approved.")
    return RemoteLot(
        lot_id=str(int(row["id"])),
        item=item_of(row, warnings),
        state=LotState(
            # What lies in carts isn't sold yet: it is ordered soon, which takes it off, or for sale again.
            qty=count_of(row["quantity"]) + count_of(row["reserved_quantity"]),
            price=amount(row["unit_price"]),
            description=text_of(row["description"]),
            remarks=text_of(row["remarks"]),
            tiers=tuple(sorted((count_of(step["quantity"]), amount(step["price"])) for step in row["tiers"] or ())),
            bulk=max(1, count_of(row["bulk_quantity"])),
            sale=count_of(row["sale_percentage"]),
            retain=bool(row["is_retain"]),
            stockroom=text_of(row["stock_room"]),
        ),
        marker=text_of(row["external_id"]),
        version=str(int(row["version"])),
        is_for_sale=status in _AVAILABLE and not row["stock_room"],
        weight_grams=amount_or_none(row["weight_grams"]),
        cost=amount_or_none(row["my_cost"]),
        created_at=time_of(row["listed_at"]),
        warnings=tuple(warnings),
        in_carts=count_of(row["reserved_quantity"]),
    )


def item_of(row: dict[str, Any], warnings: list[str]) -> RemoteItem:
    """Read what a lot, or a line of an order, is of; adds to the warnings what isn't known."""
    letter = str(row["item_type"]).strip().upper()
    item_type = _TYPES.get(letter)
    if item_type is None:
        warnings.append(f"Brikick calls the item's type “{letter}”, which isn't known here.")
        item_type = "CUSTOM"
    word = str(row["condition"] or "").strip().upper()
    condition = _CONDITIONS.get(word)
    if condition is None:
        warnings.append(f"Brikick calls the condition “{word}”, which isn't known here.")
        condition = "USED"
    grade, completeness = row.get("sub_condition"), str(row.get("completeness") or "")
    return RemoteItem(
        item_type=item_type,
        item_no=text_of(row["item_no"]),
        color_no=None if row["color_id"] is None else str(int(row["color_id"])),
        condition=condition,
        completeness=_COMPLETENESS.get(completeness) if item_type == "SET" else None,
        sub_condition=grade if grade in _GRADES else None,
        name=text_of(row.get("item_name")),
        type_word=letter,
        condition_word=word + completeness,
    )


def operation_body(operation: Operation) -> dict[str, Any] | None:
    """Answer an operation as a batch has it; None for a change that changes nothing."""
    match operation.act:
        case Act.CREATE:
            return {"op": "create", "lot": _created(operation)}
        case Act.DELETE:
            return {"op": "delete", "id": int(operation.lot_id)}
        case Act.UPDATE:
            return _updated(operation)


def _created(operation: Operation) -> dict[str, Any]:
    item, after = operation.item, operation.after
    if item is None or after is None:
        raise ValueError("a creation says of what, and how it shall be")
    return {
        "external_id": operation.marker,
        "item_type": _LETTERS[item.item_type],
        "item_no": item.item_no,
        "color_id": None if item.color_no is None else int(item.color_no),
        "condition": "N" if item.condition == "NEW" else "U",
        "completeness": _COMPLETENESS_LETTERS.get(str(item.completeness)) if item.item_type == "SET" else None,
        "sub_condition": item.sub_condition if item.condition == "USED" else None,
        "quantity": after.qty,
        **{name: _written(field, after) for field, name in _NAMES.items() if getattr(after, field.value) is not None},
    }


def _updated(operation: Operation) -> dict[str, Any] | None:
    before, after = operation.before, operation.after
    if before is None or after is None:
        raise ValueError("an update says what was there, and what shall be")
    changed = before.differences(after, LOT_FIELDS)
    fields = {
        _NAMES[each]: _written(each, after)
        for each in changed
        if each is not LotField.QTY and getattr(after, each.value) is not None
    }
    body: dict[str, Any] = {"op": "update", "id": int(operation.lot_id)}
    if operation.version:
        body["if_version"] = int(operation.version)
    if fields:
        body["set"] = fields
    if LotField.QTY in changed:
        body["quantity_delta"] = after.qty - before.qty
    return body if fields or LotField.QTY in changed else None


def _written(field: LotField, state: LotState) -> Any:
    value = getattr(state, field.value)
    match field:
        case LotField.PRICE:
            return _money(value)
        case LotField.TIERS:
            return [{"quantity": qty, "price": _money(price)} for qty, price in value]
        case LotField.STOCKROOM:
            return value or None
    return value


def _money(value: Decimal) -> str:
    return f"{value:.4f}"
