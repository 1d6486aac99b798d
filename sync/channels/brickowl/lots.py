"""Brick Owl's lots, and ours, each in the other's words (channels-brickowl.md, sections 2, 3 and 6)."""

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from stores.channels import LotField
from sync.channels.base import MISREAD, amount, amount_or_none, count_of, small, text_of
from sync.remote import Act, LotState, Operation, RemoteItem, RemoteLot

_TYPES = {
    "part": "PART",
    "sticker": "PART",
    "set": "SET",
    "minifigure": "MINIFIG",
    "gear": "GEAR",
    "instructions": "INSTRUCTION",
    "packaging": "BOX",
    # A part where the catalog knows it as one.
    "minibuild": "CUSTOM",
}
# Condition, completeness and grade of each code.
_CONDITIONS: dict[str, tuple[str, str | None, str | None]] = {
    "new": ("NEW", None, None),
    "news": ("NEW", "SEALED", None),
    "newc": ("NEW", "COMPLETE", None),
    "newi": ("NEW", "INCOMPLETE", None),
    "used": ("USED", None, "GOOD"),
    "usedc": ("USED", "COMPLETE", None),
    "usedi": ("USED", "INCOMPLETE", None),
    "usedn": ("USED", None, "LIKE_NEW"),
    "usedg": ("USED", None, "GOOD"),
    "useda": ("USED", None, "ACCEPTABLE"),
}
# As the lines of an order say it.
_CONDITION_NAMES = {
    "new": "new",
    "new (sealed)": "news",
    "new (complete)": "newc",
    "new (incomplete)": "newi",
    "used (complete)": "usedc",
    "used (incomplete)": "usedi",
    "used (like new)": "usedn",
    "used (good)": "usedg",
    "used (acceptable)": "useda",
    "other": "other",
}
_GRADES = {"LIKE_NEW": "usedn", "GOOD": "usedg", "ACCEPTABLE": "useda"}
_MILL = Decimal("0.001")
LOT_FIELDS = frozenset(LotField) - {LotField.RETAIN, LotField.STOCKROOM}
# What a new lot is given with it; the rest follows by an update.
_WITH_CREATION = frozenset({LotField.QTY, LotField.PRICE})


def lot_of(row: dict[str, Any]) -> RemoteLot:
    """Read a lot."""
    warnings: list[str] = []
    price = row.get("base_price")
    return RemoteLot(
        lot_id=str(int(row["lot_id"])),
        item=item_of(row, warnings),
        state=LotState(
            qty=count_of(row["qty"]),
            # `price` is before a sale in old answers, and after it in new ones.
            price=_in_mills(amount(price if price not in (None, "", "null") else row["price"])),
            description=text(row.get("public_note")),
            remarks=text(row.get("personal_note")),
            tiers=_tiers_of(row.get("tier_price")),
            bulk=max(1, count_of(row.get("bulk_qty"))),
            sale=int(amount(row.get("sale_percent"))),
        ),
        marker=marker_in(row),
        is_for_sale=str(row.get("for_sale", "1")) not in ("0", "False"),
        weight_grams=amount_or_none(row.get("lot_weight")),
        cost=amount_or_none(row.get("my_cost")),
        warnings=tuple(warnings),
    )


def lot_hook(value: dict[str, Any]) -> Any:
    """Make a lot of each object that is one, while the list is read."""
    if "lot_id" not in value or "qty" not in value:
        return value
    try:
        return lot_of(value)
    except MISREAD as error:
        raise ValueError("a lot in a form that we don't know") from error


def lots_of(data: Any) -> tuple[RemoteLot, ...]:
    """Read a list that was read with `lot_hook`; of one lot it may be the lot itself."""
    if isinstance(data, RemoteLot):
        return (data,)
    if not isinstance(data, list) or not all(isinstance(each, RemoteLot) for each in data):
        raise ValueError("no list of lots")
    return tuple(data)


def item_of(row: dict[str, Any], warnings: list[str]) -> RemoteItem:
    """Read what a lot, or a line of an order, is of; adds to the warnings what isn't known."""
    word = text(row.get("type"))
    item_type = _TYPES.get(word.strip().lower())
    if item_type is None:
        warnings.append(f"Brick Owl calls the item's type “{word}”, which isn't known here.")
        item_type = "CUSTOM"
    # The number of an item, and behind the last dash that of a color.
    bare, _dash, color = str(row["boid"]).rpartition("-")
    number, color_no = (bare, color) if bare else (str(row["boid"]), "")
    code = (text(row.get("full_con")) or text(row.get("con")) or text(row.get("condition"))).strip().lower()
    code = _CONDITION_NAMES.get(code, code)
    condition, completeness, grade = _condition(code, warnings)
    if item_type == "BOX" and code == "usedn":
        condition, grade = "NEW", None
    return RemoteItem(
        item_type=item_type,
        item_no=number,
        color_no=color_no if color_no and color_no != "0" else None,
        condition=condition,
        completeness=completeness if item_type == "SET" else None,
        sub_condition=grade,
        name=text(row.get("name")),
        color_name=text(row.get("color_name")),
        type_word=word,
        condition_word=code,
        numbers=_numbers_in(row),
    )


# What Brick Owl calls the numbers of others, the surest first: LEGO's element ids name the very thing in its color.
_NUMBERS = {
    "item_no": "element", "bl_item_no": "bricklink", "set_number": "bricklink", "ldraw": "ldraw",
    "design_id": "lego_design",
}  # fmt: skip


def _numbers_in(row: dict[str, Any]) -> tuple[str, ...]:
    """Read what it is elsewhere; lots have that with them, lines of orders may not."""
    ids = row.get("ids")
    if not isinstance(ids, list):
        return ()
    told = [(text(each.get("type")), text(each.get("id")).strip()) for each in ids if isinstance(each, dict)]
    return tuple(
        f"{system}:{number}"
        for kind, system in _NUMBERS.items()
        for told_kind, number in told
        if told_kind == kind and number and " " not in number
    )


def _condition(code: str, warnings: list[str]) -> tuple[str, str | None, str | None]:
    if code in _CONDITIONS:
        return _CONDITIONS[code]
    if code.startswith("new"):
        return "NEW", None, None
    if not code.startswith("used"):
        warnings.append(f"Brick Owl calls the condition “{code}”, which isn't known here.")
    return "USED", None, None


def marker_in(row: dict[str, Any]) -> str:
    """Read the seller's own id of a lot; none is an empty list instead of a map."""
    ids = row.get("external_lot_ids")
    if isinstance(ids, dict) and ids:
        return text(ids.get("other") or next(iter(ids.values())))
    return text(row.get("bl_lot_id"))


def text(value: Any) -> str:
    """Read a text, which may be missing in more than one way."""
    return "" if value is None or value == "null" else text_of(value)


def _in_mills(price: Decimal) -> Decimal:
    """Answer a price with the three decimals in which it was sent, so that it is kept in the same words."""
    rounded = price.quantize(_MILL, ROUND_HALF_UP)
    return rounded if rounded == price else price


def _tiers_of(value: Any) -> tuple[tuple[int, Decimal], ...]:
    if value in (None, "", "null"):
        return ()
    return tuple(sorted((count_of(qty), amount(price)) for qty, price in value))


def condition_code(item: RemoteItem) -> str:
    """Answer Brick Owl's code for a condition. A box is never new there, only as good as new."""
    if item.item_type == "BOX":
        return (
            "usedn"
            if item.condition == "NEW"
            else _GRADES.get(str(item.sub_condition), "usedg").replace("usedn", "usedg")
        )
    if item.item_type == "SET":
        if item.condition == "NEW":
            return {"COMPLETE": "newc", "INCOMPLETE": "newi"}.get(str(item.completeness), "news")
        return "usedi" if item.completeness == "INCOMPLETE" else "usedc"
    return "new" if item.condition == "NEW" else _GRADES.get(str(item.sub_condition), "usedg")


def unfit(operation: Operation) -> str:
    """Answer why Brick Owl wouldn't take a new lot, as far as that is known before it is sent; empty if it would."""
    item, after = operation.item, operation.after
    if item is None or after is None:
        return "There is nothing to be created."
    if item.item_type == "PART" and not item.color_no:
        return "Brick Owl wants to know the color of a part."
    if after.qty < 1:
        return "Brick Owl takes no new lot without pieces."
    return "" if price_of(after) > 0 else "Brick Owl wants a price above zero."


def inner_requests(operation: Operation) -> list[tuple[str, dict[str, str]]]:
    """Answer what is asked for one operation: endpoints and arguments, in order; nothing where nothing changes."""
    match operation.act:
        case Act.CREATE:
            more = _more_than_created(operation)
            follow = [("inventory/update", {"external_id": operation.marker, **more})] if more else []
            return [("inventory/create", _create_arguments(operation)), *follow]
        case Act.UPDATE:
            changes = _changes(operation)
            return [("inventory/update", {"lot_id": operation.lot_id, **changes})] if changes else []
        case Act.DELETE:
            return [("inventory/delete", {"lot_id": operation.lot_id})]


def _create_arguments(operation: Operation) -> dict[str, str]:
    item, after = operation.item, operation.after
    assert item is not None  # noqa: S101  # `unfit` saw to it
    assert after is not None  # noqa: S101
    arguments = {"boid": item.item_no, "quantity": str(after.qty), "price": small(price_of(after))}
    if item.color_no:
        arguments["color_id"] = item.color_no
    return arguments | {"condition": condition_code(item), "external_id": operation.marker}


def _more_than_created(operation: Operation) -> dict[str, str]:
    after = operation.after
    assert after is not None  # noqa: S101  # `unfit` saw to it
    bare = LotState(qty=after.qty, price=after.price, description="", remarks="", tiers=(), bulk=1, sale=0)
    return _arguments(bare, after, LOT_FIELDS - _WITH_CREATION)


def _changes(operation: Operation) -> dict[str, str]:
    before, after = operation.before, operation.after
    if before is None or after is None:
        raise ValueError("an update says what was there, and what shall be")
    return _arguments(before, after, LOT_FIELDS)


def _tiers_written(value: tuple[tuple[int, Decimal], ...]) -> str:
    return ",".join(f"{qty}:{small(price.quantize(_MILL, ROUND_HALF_UP))}" for qty, price in value) or "remove"


# The argument of each field, and how its value is written.
_WRITERS: Mapping[LotField, tuple[str, Callable[[Any], str]]] = {
    LotField.PRICE: ("price", lambda value: small(value.quantize(_MILL, ROUND_HALF_UP))),
    LotField.DESCRIPTION: ("public_note", str),
    LotField.REMARKS: ("personal_note", str),
    LotField.TIERS: ("tier_price", _tiers_written),
    LotField.BULK: ("bulk_qty", str),
    LotField.SALE: ("sale_percent", str),
}
FIELD_OF_ARGUMENT = {name: field for field, (name, _write) in _WRITERS.items()}


def _arguments(before: LotState, after: LotState, among: frozenset[LotField]) -> dict[str, str]:
    """Answer what is changed. To nothing a quantity goes at once; else by the difference, since buyers take too."""
    arguments: dict[str, str] = {}
    for each in before.differences(after, among):
        value, old = getattr(after, each.value), getattr(before, each.value)
        if each is LotField.QTY:
            arguments |= {"relative_quantity": str(value - old)} if value else {"absolute_quantity": "0"}
        elif value is not None:
            name, write = _WRITERS[each]
            if old is None or write(old) != write(value):
                arguments[name] = write(value)
    return arguments


def price_of(state: LotState) -> Decimal:
    """Answer the price as Brick Owl rounds it."""
    return state.price.quantize(_MILL, ROUND_HALF_UP)
