"""Says for rows that name an item by another platform's number which one it is: all of a chunk by one look."""

from collections.abc import Sequence
from typing import Any

from catalog.choices import ItemType, System
from catalog.queries.references import ELEMENT, Meant, resolve_references
from inventory.formats.base import LotRow, RowProblem
from inventory.parsing import values as v

_OF = {ELEMENT: "LEGO's element", **{system.value: f"{system.label}'s number" for system in System}}
_SHOWN = 4

Rows = list[LotRow | RowProblem]


def resolved(rows: Rows) -> Rows:
    """Answer the rows with the items that they mean. A number that means none, or several, is a problem at its line.

    What a row says itself (its item, type, color, name) stands.
    """
    asked = {key for row in rows if isinstance(row, LotRow) for key in _asked(row)}
    if not asked:
        return [_without(row) if isinstance(row, LotRow) else row for row in rows]
    found = resolve_references(asked)
    return [_resolved(row, found) if isinstance(row, LotRow) else row for row in rows]


def _asked(row: LotRow) -> list[tuple[str, str]]:
    """Answer platform and number of each number by which the row can be known; none where it says its item.

    BrickLink's alone doesn't: a set, its box and its instructions have the same one.
    """
    if item_no := row.values.get("item_no"):
        is_typed = row.values.get("item_type") or row.values.get("bricklink_lot_id")
        return [] if is_typed else [(System.BRICKLINK.value, item_no)]
    return [(system, row.values[field]) for field, system in v.REFERENCES.items() if row.values.get(field)]


def _without(row: LotRow) -> LotRow:
    if v.REFERENCES.keys().isdisjoint(row.values):
        return row
    kept = {name: value for name, value in row.values.items() if name not in v.REFERENCES}
    return LotRow(row.line, kept, row.extra, row.is_excluded)


def _resolved(row: LotRow, found: dict[tuple[str, str], list[Meant]]) -> LotRow | RowProblem:
    asked = _asked(row)
    if not asked:
        return _without(row)
    if "item_no" in row.values:
        return _typed(row, found.get(asked[0], []))
    key = next((each for each in asked if each in found), asked[0])
    field = next(name for name, system in v.REFERENCES.items() if system == key[0])
    meant = found.get(key, [])
    wanted_type = row.values.get("item_type")
    fitting = [each for each in meant if wanted_type in (None, each.item_type)]
    items = {(each.item_type, each.item_no) for each in fitting}
    said = f"{_OF[key[0]]} {v.shown(key[1])}"
    if not items:
        return RowProblem(row.line, f"Nobody here knows {said}. Say BrickLink's number.", field, key[1])
    if len(items) > 1:
        some = ", ".join(sorted(no for _, no in items)[:_SHOWN])
        return RowProblem(row.line, f"{said} can be {some}. Say BrickLink's number.", field, key[1])
    return _settled(row, {**_of_item(fitting), **_without(row).values}, fitting)


def _typed(row: LotRow, meant: Sequence[Meant]) -> LotRow | RowProblem:
    """Answer the row with the type of its item: as the catalog has it, else a part, if it has a color."""
    known = {each.item_type: each for each in meant}
    has_color = bool(row.values.get("color_id"))
    wanted = (ItemType.PART, ItemType.GEAR) if has_color else (ItemType.SET, ItemType.MINIFIG, *known)
    fitting = next(([known[kind]] for kind in wanted if kind in known), [])
    if not fitting and not has_color:
        text = "Say what kind of thing this is: a column with P, S, M, G, B, C, I or O."
        return RowProblem(row.line, text, "item_type", row.values["item_no"])
    values = _of_item(fitting) if fitting else {"item_type": ItemType.PART.value}
    return _settled(row, {**values, **_without(row).values}, fitting)


def _settled(row: LotRow, values: dict[str, Any], fitting: Sequence[Meant]) -> LotRow | RowProblem:
    values.setdefault("color_id", None)
    if values["color_id"] is None:
        colors = {each.color_id for each in fitting if each.color_id is not None}
        if len(colors) == 1:
            values["color_id"] = colors.pop()
    try:
        v.settle(values)
    except v.WordError as wrong:
        return RowProblem(row.line, str(wrong), wrong.field, wrong.raw)
    return LotRow(row.line, values, row.extra, row.is_excluded)


def _of_item(fitting: Sequence[Meant]) -> dict[str, Any]:
    item = fitting[0]
    values: dict[str, Any] = {"item_type": item.item_type, "item_no": item.item_no}
    if item.name:
        values["item_name"] = item.name
    if item.category:
        values["category_name"] = item.category
    return values
