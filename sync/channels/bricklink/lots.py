"""BrickLink's lots, and ours, each in the other's words (channels-bricklink.md, sections 5.2 and 6)."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from stores.channels import LotField
from sync.channels.base import MISREAD, amount, amount_or_none, count_of, text_of, time_of
from sync.remote import LotState, Operation, RemoteItem, RemoteLot

TYPES = {
    "PART": "PART",
    "SET": "SET",
    "MINIFIG": "MINIFIG",
    "GEAR": "GEAR",
    "BOOK": "BOOK",
    "CATALOG": "CATALOG",
    "INSTRUCTION": "INSTRUCTION",
    "ORIGINAL_BOX": "BOX",
    "UNSORTED_LOT": "CUSTOM",
}
_TYPE_WORDS = {ours: theirs for theirs, ours in TYPES.items()}
_CONDITIONS = {"N": "NEW", "U": "USED"}
_COMPLETENESS = {"C": "COMPLETE", "B": "INCOMPLETE", "S": "SEALED"}
_TIERS = 3
_STEPS = tuple(f"tier_quantity{number}" for number in range(1, _TIERS + 1))
# At the end of the private remarks: how a new lot is found again, since a list of new lots is answered without ids.
# It stays, so that taking it out costs no call, and lots know each other again after years.
_MARKER = re.compile(r"\s*\[b:([0-9a-z]{1,26})\]\s*$")
# A list of new lots: what is known to be taken (unverified, section 5.2).
MOST_CREATED = 500
_MOST_BYTES = 200_000
LOT_FIELDS = frozenset(LotField)


def lot_of(row: dict[str, Any]) -> RemoteLot:
    """Read a lot."""
    remarks, marker = marked(text_of(row.get("remarks")))
    warnings: list[str] = []
    item = item_of(row, warnings)
    return RemoteLot(
        lot_id=str(int(row["inventory_id"])),
        item=item,
        state=LotState(
            qty=count_of(row["quantity"]),
            price=amount(row["unit_price"]),
            description=text_of(row.get("description")),
            remarks=remarks,
            tiers=_tiers_of(row),
            bulk=max(1, count_of(row.get("bulk"))),
            sale=count_of(row.get("sale_rate")),
            retain=bool(row.get("is_retain")),
            stockroom=str(row.get("stock_room_id") or "A").upper() if row.get("is_stock_room") else "",
        ),
        marker=marker,
        is_for_sale=not row.get("is_stock_room"),
        weight_grams=amount_or_none(row.get("my_weight")),
        cost=amount_or_none(row.get("my_cost")),
        created_at=time_of(row.get("date_created")),
        warnings=tuple(warnings),
    )


def item_of(row: dict[str, Any], warnings: list[str]) -> RemoteItem:
    """Read what a lot, or a line of an order, is of; adds to the warnings what isn't known."""
    word = str(row["item"]["type"]).strip().upper()
    item_type = TYPES.get(word)
    if item_type is None:
        warnings.append(f"BrickLink calls the item's type “{word}”, which isn't known here.")
        item_type = "CUSTOM"
    condition_word = str(row.get("new_or_used") or "").strip().upper()
    condition = _CONDITIONS.get(condition_word)
    if condition is None:
        warnings.append(f"BrickLink calls the condition “{condition_word}”, which isn't known here.")
        condition = "USED"
    completeness = str(row.get("completeness") or "").strip().upper()
    color_id = int(row.get("color_id") or 0)
    return RemoteItem(
        item_type=item_type,
        item_no=text_of(row["item"]["no"]),
        # 0 is no color, which parts may have too.
        color_no=str(color_id) if color_id or item_type == "PART" else None,
        condition=condition,
        completeness=_COMPLETENESS.get(completeness) if item_type == "SET" else None,
        name=text_of(row["item"].get("name")),
        color_name=text_of(row.get("color_name")) if color_id else "",
        type_word=word,
        condition_word=condition_word + completeness,
    )


def lot_hook(value: dict[str, Any]) -> Any:
    """Make a lot of each object that is one, while the list is read: a hundred thousand objects are large."""
    if "inventory_id" not in value:
        return value
    try:
        return lot_of(value)
    except MISREAD as error:
        raise ValueError("a lot in a form that we don't know") from error


def lots_of(data: Any) -> tuple[RemoteLot, ...]:
    """Read the list that was read with `lot_hook`."""
    if not isinstance(data, list) or not all(isinstance(each, RemoteLot) for each in data):
        raise ValueError("no list of lots")
    return tuple(data)


def marked(remarks: str) -> tuple[str, str]:
    """Answer the remarks as the seller wrote them, and the marker behind them."""
    found = _MARKER.search(remarks) if "[b:" in remarks else None
    return (remarks[: found.start()], found[1]) if found else (remarks, "")


def with_marker(remarks: str, marker: str) -> str:
    """Answer the remarks with the marker behind them."""
    return f"{remarks} [b:{marker}]".strip() if marker else remarks


def unfit(operation: Operation) -> str:
    """Answer why BrickLink wouldn't take a new lot, as far as that is known before it is sent; empty if it would."""
    item, after = operation.item, operation.after
    if item is None or after is None:
        return "There is nothing to be created."
    if item.item_type not in _TYPE_WORDS or item.item_type == "CUSTOM":
        return "BrickLink has no items of this type."
    if item.item_type == "SET" and item.completeness is None:
        return "BrickLink wants to know of a set whether it is complete, incomplete or sealed."
    if item.condition == "USED" and item.completeness == "SEALED":
        return "A used set is never sealed."
    if after.price <= 0:
        return "BrickLink wants a price above zero."
    if after.qty < 1 and not after.retain:
        return "BrickLink takes no new lot without pieces, unless it is retained."
    return ""


def create_body(operation: Operation) -> dict[str, Any]:
    """Answer a new lot as BrickLink wants it."""
    item, after = operation.item, operation.after
    assert item is not None  # noqa: S101  # `unfit` saw to it
    assert after is not None  # noqa: S101
    body: dict[str, Any] = {
        "item": {"no": item.item_no, "type": _TYPE_WORDS[item.item_type]},
        "color_id": int(item.color_no or 0),
        "quantity": after.qty,
        "new_or_used": "N" if item.condition == "NEW" else "U",
    }
    if item.item_type == "SET":
        body["completeness"] = {ours: theirs for theirs, ours in _COMPLETENESS.items()}[str(item.completeness)]
    for each in LotField:
        if each is not LotField.QTY:
            body |= _written(each, after, operation.marker)
    if not after.tiers:
        body = {name: value for name, value in body.items() if not name.startswith("tier_")}
    return body


def update_body(operation: Operation) -> dict[str, Any]:
    """Answer what is changed of a lot; a quantity as a difference, because buyers take from it meanwhile."""
    before, after = operation.before, operation.after
    if before is None or after is None:
        raise ValueError("an update says what was there, and what shall be")
    body: dict[str, Any] = {}
    for each in before.differences(after, LOT_FIELDS):
        if each is LotField.QTY:
            body["quantity"] = f"{after.qty - before.qty:+d}"
        else:
            body |= _written(each, after, operation.marker)
    return body


def batches(operations: Sequence[Operation]) -> Iterator[list[tuple[Operation, dict[str, Any]]]]:
    """Answer new lots in lists that BrickLink takes at once."""
    batch: list[tuple[Operation, dict[str, Any]]] = []
    size = 0
    for operation in operations:
        body = create_body(operation)
        length = len(json.dumps(body).encode()) + 1
        if batch and (len(batch) == MOST_CREATED or size + length > _MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((operation, body))
        size += length
    if batch:
        yield batch


def _tiers_written(value: tuple[tuple[int, Decimal], ...]) -> dict[str, Any]:
    steps = [*value, *[(0, Decimal(0))] * _TIERS][:_TIERS]
    return {f"tier_quantity{number}": qty for number, (qty, _price) in enumerate(steps, 1)} | {
        f"tier_price{number}": money(price) for number, (_qty, price) in enumerate(steps, 1)
    }


# How each field is written, but for quantities, which are not the same in a new lot and in a change.
_WRITERS: Mapping[LotField, Callable[[Any], dict[str, Any]]] = {
    LotField.PRICE: lambda value: {"unit_price": money(value)},
    LotField.DESCRIPTION: lambda value: {"description": value},
    LotField.REMARKS: lambda value: {"remarks": value},
    LotField.TIERS: _tiers_written,
    LotField.BULK: lambda value: {"bulk": value},
    LotField.SALE: lambda value: {"sale_rate": value},
    LotField.RETAIN: lambda value: {"is_retain": value},
    LotField.STOCKROOM: lambda value: {"is_stock_room": bool(value)} | ({"stock_room_id": value} if value else {}),
}


def _written(field: LotField, state: LotState, marker: str) -> dict[str, Any]:
    """Answer one field as BrickLink writes it; nothing where the state doesn't say."""
    value = getattr(state, field.value)
    if field is LotField.REMARKS:
        value = with_marker(value or "", marker) if value is not None or marker else None
    return {} if value is None else _WRITERS[field](value)


def money(value: Decimal) -> str:
    """Answer an amount with BrickLink's four decimals."""
    return f"{value:.4f}"


def _tiers_of(row: dict[str, Any]) -> tuple[tuple[int, Decimal], ...]:
    if not any(map(row.get, _STEPS)):
        return ()
    steps = ((count_of(row.get(f"tier_quantity{n}")), row.get(f"tier_price{n}")) for n in range(1, _TIERS + 1))
    return tuple((qty, amount(price)) for qty, price in steps if qty)
