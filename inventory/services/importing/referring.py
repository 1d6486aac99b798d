"""Says for rows that name an item by a number which one it is: all of a chunk by one look.

The shop's own mappings come first, then the catalog's. What can't be told is a problem at its line, and is gathered
with the money that hangs on it, for the queue of what has no mapping.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from catalog import colors
from catalog.choices import ItemType, System
from catalog.queries.references import ELEMENT, Meant, resolve_references
from inventory.choices import UnmappedReason
from inventory.formats.base import LotRow, RowProblem
from inventory.parsing import values as v
from inventory.queries.mappings import OwnMeaning, OwnMeanings, number_alone
from inventory.questions import Question
from inventory.services.unmapped import Met

_OF = {ELEMENT: "LEGO's element", **{system.value: f"{system.label}'s number" for system in System}}
_SHOWN, _COLORS_SHOWN, _LONGEST = 4, 3, 60
# Of a hostile file no more different numbers than these are gathered.
_GATHERED = 20_000

Rows = list[LotRow | RowProblem]
Key = tuple[str, str]


@dataclass(slots=True)
class _Gathered:
    reason: UnmappedReason
    item_name: str = ""
    color_names: dict[str, None] = field(default_factory=dict)
    lines: int = 0
    qty: int = 0
    amount: Decimal = Decimal(0)


@dataclass(slots=True)
class Gathering:
    """The numbers of a file that nobody could tell, with what its lines say of them."""

    _found: dict[Key, _Gathered] = field(default_factory=dict)

    def add(self, key: Key, row: LotRow, reason: UnmappedReason) -> None:
        """Count a row in."""
        system, number = key[0], number_alone(*key)
        if row.is_excluded or row.values.get("is_deleted") or not 0 < len(number) <= _LONGEST or "\x00" in number:
            return
        known = self._found.get((system, number))
        if known is None:
            if len(self._found) >= _GATHERED:
                return
            known = self._found[system, number] = _Gathered(reason)
        qty = max(0, row.values.get("qty") or row.values.get("qty_delta") or 0)
        known.lines += 1
        known.qty += qty
        known.amount += qty * abs(row.values.get("unit_price") or Decimal(0))
        known.item_name = known.item_name or row.values.get("item_name") or ""
        color = colors.get(row.values.get("color_id"))
        if color and len(known.color_names) <= _COLORS_SHOWN:
            known.color_names[color.name] = None

    def met(self, *, rate: Decimal) -> list[Met]:
        """Answer all of them, with amounts in the shop's currency."""
        return [
            Met(
                question=Question(system, number), reason=each.reason, item_name=each.item_name.replace("\x00", ""),
                color_name=_listed(list(each.color_names)), lots_count=each.lines, qty=each.qty,
                amount=(each.amount * rate).quantize(Decimal("0.0001")),
            )
            for (system, number), each in self._found.items()
        ]  # fmt: skip


def _listed(names: list[str]) -> str:
    more = " …" if len(names) > _COLORS_SHOWN else ""
    return ", ".join(names[:_COLORS_SHOWN]) + more


def resolved(rows: Rows, own: OwnMeanings, gathering: Gathering) -> Rows:
    """Answer the rows with the items that they mean. A number that means none, or several, is a problem at its line.

    What a row says itself (its item, type, color, name) stands, unless the shop itself says otherwise of the number:
    `own` has all that it says.
    """
    found = resolve_references({key for row in rows if isinstance(row, LotRow) for key in _asked(row)})
    return [_resolved(row, own, found, gathering) if isinstance(row, LotRow) else row for row in rows]


def _asked(row: LotRow) -> list[Key]:
    """Answer platform and number of each number by which the row can be known; none where it says its item.

    BrickLink's alone doesn't: a set, its box and its instructions have the same one.
    """
    if item_no := row.values.get("item_no"):
        is_typed = row.values.get("item_type") or row.values.get("bricklink_lot_id")
        return [] if is_typed else [(System.BRICKLINK.value, item_no)]
    return [(system, row.values[field]) for field, system in v.REFERENCES.items() if row.values.get(field)]


def _stated(row: LotRow) -> Key | None:
    """Answer the number of a row that says its item wholly; the shop may still say that it means another."""
    item_no = row.values.get("item_no")
    return (System.BRICKLINK.value, item_no) if item_no and row.values.get("item_type") else None


def _without(row: LotRow) -> LotRow:
    if v.REFERENCES.keys().isdisjoint(row.values):
        return row
    kept = {name: value for name, value in row.values.items() if name not in v.REFERENCES}
    return LotRow(row.line, kept, row.extra, row.is_excluded)


def _resolved(
    row: LotRow, own: OwnMeanings, found: dict[Key, list[Meant]], gathering: Gathering
) -> LotRow | RowProblem:
    asked, stated = _asked(row), _stated(row)
    for key in ((stated,) if stated else asked) if own else ():
        said = own.get((key[0], number_alone(*key)))
        if said and (own_item := _own_meaning(row, key, said)):
            number = {"item_type": own_item.item_type, "item_no": own_item.item_no}
            return _settled(row, {**_of_item([own_item]), **_without(row).values, **number}, [own_item])
    if not asked:
        return _without(row)
    if "item_no" in row.values:
        return _typed(row, found.get(asked[0], []), gathering)
    key = next((each for each in asked if each in found), asked[0])
    field = next(name for name, system in v.REFERENCES.items() if system == key[0])
    meant = found.get(key, [])
    wanted_type = row.values.get("item_type")
    fitting = [each for each in meant if wanted_type in (None, each.item_type)]
    items = {(each.item_type, each.item_no) for each in fitting}
    named = f"{_OF[key[0]]} {v.shown(key[1])}"
    if not items:
        gathering.add(key, row, UnmappedReason.UNKNOWN)
        return RowProblem(row.line, f"Nobody here knows {named}. Say BrickLink's number.", field, key[1])
    if len(items) > 1:
        gathering.add(key, row, UnmappedReason.AMBIGUOUS)
        some = ", ".join(sorted(no for _, no in items)[:_SHOWN])
        return RowProblem(row.line, f"{named} can be {some}. Say BrickLink's number.", field, key[1])
    return _settled(row, {**_of_item(fitting), **_without(row).values}, fitting)


def _own_meaning(row: LotRow, key: Key, own: Sequence[OwnMeaning]) -> Meant | None:
    """Answer what the shop says that the row's number means: in the row's color, else in any."""
    system, number = key
    wanted_type, colors_there = row.values.get("item_type"), _colors_there(system, number, row.values.get("color_id"))
    fitting = {
        each.external_color: each.meant
        for each in own
        # Lots that lie under the number itself keep it, and so do rows that mean them.
        if wanted_type in (None, each.meant.item_type) and not _is_kept(each, wanted_type)
    }
    best = next((fitting[color] for color in (*colors_there, "") if color in fitting), None)
    if best is None or best.color_id is not None or system != System.BRICKOWL:
        return best
    # Brick Owl's number says the color all the same.
    there = colors.of_platform(system).get(int(colors_there[0])) if colors_there else None
    return Meant(best.item_type, best.item_no, best.name, best.category, there.id if there else None, 1.0)


def _is_kept(each: OwnMeaning, wanted_type: str | None) -> bool:
    return bool(each.kept_types) if wanted_type is None else wanted_type in each.kept_types


def _colors_there(system: str, number: str, color_id: int | None) -> list[str]:
    """Answer the platform's own numbers of a row's color: behind Brick Owl's number, else by the color tables."""
    if system == System.BRICKOWL and (behind := number.partition("-")[2]):
        return [behind] if behind.isascii() and behind.isdecimal() else []
    color = colors.get(color_id)
    if color is None:
        return []
    if system in (System.BRICKLINK, System.BRIKICK):
        return [str(color.id)]
    first = getattr(color, f"{system}_id", None)
    others = getattr(color, f"{system}_alternates", ())
    return [str(each) for each in (first, *others) if each is not None]


def _typed(row: LotRow, meant: Sequence[Meant], gathering: Gathering) -> LotRow | RowProblem:
    """Answer the row with the type of its item: as the catalog has it, else a part, if it has a color."""
    known = {each.item_type: each for each in meant}
    has_color = bool(row.values.get("color_id"))
    wanted = (ItemType.PART, ItemType.GEAR) if has_color else (ItemType.SET, ItemType.MINIFIG, *known)
    fitting = next(([known[kind]] for kind in wanted if kind in known), [])
    if not fitting and not has_color:
        gathering.add((System.BRICKLINK.value, row.values["item_no"]), row, UnmappedReason.UNKNOWN)
        text = "Say what kind of thing this is: a column with P, S, M, G, B, C, I or O."
        return RowProblem(row.line, text, "item_type", row.values["item_no"])
    values = _of_item(fitting) if fitting else {"item_type": ItemType.PART.value}
    return _settled(row, {**values, **_without(row).values}, fitting)


def _settled(row: LotRow, values: dict[str, Any], fitting: Sequence[Meant]) -> LotRow | RowProblem:
    values.setdefault("color_id", None)
    if values["color_id"] is None:
        colors_meant = {each.color_id for each in fitting if each.color_id is not None}
        if len(colors_meant) == 1:
            values["color_id"] = colors_meant.pop()
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
