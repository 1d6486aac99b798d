"""BrickStore's BSX: read without losing anything, and written as BrickStore itself writes it.

What a lot can't hold, and what the file writes otherwise than we would, goes into `extra` by its tag. On writing, such
a text is given back as long as it still says what the lot says.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, BinaryIO

from catalog import colors
from catalog.choices import LETTER_OF_ITEM_TYPE
from inventory.formats.base import (
    HEAD_BYTES,
    FileFacts,
    Format,
    FormatSpec,
    Lot,
    LotRow,
    Reading,
    RowProblem,
    register,
)
from inventory.parsing import values as v
from inventory.parsing.markup import (
    Around,
    Item,
    Structure,
    currency_of,
    escaped,
    items,
    quoted,
    require_root,
    root_of,
)

_ROOTS = ("BrickStoreXML", "BrickStockXML")
_LABEL = "a BrickStore file (BSX)"
_BASE = "DifferenceBaseValues"
_GUI_STATE = "GuiState"
# How `extra` names an attribute of the item itself.
_ATTRIBUTE = "@"
_PIECE = 64 * 1024

# BrickStore's own names of the types.
_TYPE_NAMES = {
    "P": "Part",
    "S": "Set",
    "M": "Minifigure",
    "G": "Gear",
    "B": "Book",
    "C": "Catalog",
    "I": "Instruction",
    "O": "Original Box",
    "U": "Unsorted Lot",
}
_LETTERS = {kind.value: letter for kind, letter in LETTER_OF_ITEM_TYPE.items()}
# BrickStore's letter for sealed is the old one.
_LETTER_OF_COMPLETENESS = {"COMPLETE": "C", "INCOMPLETE": "I", "SEALED": "M"}
_LETTER_OF_GRADE = {grade: letter for letter, grade in v.GRADE_OF_LETTER.items()}

# The order in which BrickStore writes; grades are BrickSync's, and stand where BrickSync has them.
_ORDER = (
    "ItemID", "ItemTypeID", "ColorID", "ItemName", "ItemTypeName", "ColorName", "CategoryID", "CategoryName", "Status",
    "Qty", "Price", "Condition", "UsedGrade", "SubCondition", "Bulk", "Sale", "Cost", "Comments", "Remarks",
    "Reserved", "LotID", "TQ1", "TP1", "TQ2", "TP2", "TQ3", "TP3", "Retain", "Stockroom", "TotalWeight", "MarkerText",
    "MarkerColor", "DateAdded", "DateLastSold",
)  # fmt: skip
_PLACES = frozenset(_ORDER)
# BrickSync's words for what BrickStore has others for.
_INSTEAD = {"MyCost": "Cost", "Completeness": "SubCondition"}
_USUAL_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
_TIER_TAGS = ("TQ1", "TP1", "TQ2", "TP2", "TQ3", "TP3")
# Known to BrickStore or BrickSync, and only kept: what no lot has a field for.
_KEPT = frozenset(
    (
        "Status", "CategoryID", "ItemTypeName", "MarkerText", "MarkerColor", "OrigQty", "OrigPrice", "AlternateID",
        "OwlID", "OwlLotID", "SalePrice", "MyCost", "Completeness", _BASE, "X-DifferenceModeBase",
    )
)  # fmt: skip
_ZEROS = frozenset(("", "0", "0.0", "0.00", "0.000", "0.0000"))
_LEFT_OUT: Mapping[str, tuple[str, Any]] = {
    "Comments": ("description", ""),
    "Remarks": ("remarks", ""),
    "Reserved": ("reserved_for", ""),
    "Cost": ("cost_basis", None),
    "Sale": ("sale_percent", 0),
    "Bulk": ("bulk", 1),
    "Retain": ("is_retain", False),
    "Stockroom": ("stock_room_id", ""),
    "SubCondition": ("completeness", None),
    "TQ1": ("tier_prices", []),
}


def _price(value: Decimal) -> str:
    """Answer a price as BrickStore writes it: three decimals, and a fourth only where it says something."""
    text = f"{value:.4f}"
    return text[:-1] if text[-1] == "0" else text


def _time(value: datetime) -> str:
    return f"{value.astimezone(UTC).isoformat()[:19]}Z"


# Reading

# What one tag says: the field, its value, whether the text is kept in `extra`, and under what name it is counted as
# not understood. Without field and value it says nothing of a lot.
_Said = tuple[str, Any, bool, str]


def _item_type(raw: str) -> str:
    kind = v.TYPE_OF_LETTER.get(raw.strip().upper())
    if kind is None:
        raise v.WordError(f"{v.shown(raw)} isn't one of BrickLink's item types.")
    return kind


def _condition(raw: str) -> str:
    word = raw.strip().upper()
    if word == "N":
        return v.NEW
    if word == "U":
        return v.USED
    if word == "X":
        raise v.WordError("Condition X isn't new or used: it is still undecided, as in files made from wanted lists.")
    raise v.WordError(f"{v.shown(raw)} is neither new (N) nor used (U).")


def _plain(field: str, read: Callable[[str], Any]) -> Callable[[str], _Said]:
    def say(raw: str) -> _Said:
        return field, v.checked(field, read, raw), False, ""

    return say


def _text(field: str) -> Callable[[str], _Said]:
    def say(raw: str) -> _Said:
        return field, v.words(raw, field), False, ""

    return say


def _number(field: str, read: Callable[[str], Any], write: Callable[[Any], str]) -> Callable[[str], _Said]:
    """An empty tag says nothing."""

    def say(raw: str) -> _Said:
        if not raw or raw.isspace():
            return "", None, True, ""
        value = v.checked(field, read, raw)
        return field, value, write(value) != raw, ""

    return say


def _quantity(raw: str) -> _Said:
    """A quantity below zero is that of a file of differences."""
    field, value = v.checked("qty", v.quantity, raw)
    return field, value, False, ""


def _completeness(raw: str) -> _Said:
    """BrickStore's `N` is "none"."""
    letter = raw.strip().upper()
    found = v.COMPLETENESS_OF_LETTER.get(letter)
    if found is None and letter not in ("N", ""):
        return "", None, True, f"SubCondition “{raw[:20]}”"
    return "completeness", found, raw != _LETTER_OF_COMPLETENESS.get(found or ""), ""


def _grade(raw: str) -> _Said:
    found = v.GRADE_OF_LETTER.get(raw)
    return ("sub_condition", found, False, "") if found else ("", None, True, f"UsedGrade “{raw[:20]}”")


def _retain(raw: str) -> _Said:
    """The empty tag says yes."""
    word = raw.strip().upper()
    if word not in ("", "Y", "N"):
        return "", None, True, f"Retain “{raw[:20]}”"
    return "is_retain", word != "N", raw != "", ""


def _stockroom(raw: str) -> _Said:
    """The empty tag says A, and `N` "none"."""
    room = raw.strip().upper() or "A"
    if room in v.STOCK_ROOMS:
        return "stock_room_id", room, raw != room, ""
    return ("stock_room_id", "", True, "") if room == "N" else ("", None, True, f"Stockroom “{raw[:20]}”")


def _moment(tag: str, field: str) -> Callable[[str], _Said]:
    def say(raw: str) -> _Said:
        found = v.iso_time(raw)
        if found is None:
            return "", None, True, f"{tag} “{raw[:20]}”" if raw.strip() else ""
        return field, found, not _USUAL_TIME.match(raw), ""

    return say


def _later(_raw: str) -> _Said:
    """Read together with what it belongs to."""
    return "", None, False, ""


_SAYS: Mapping[str, Callable[[str], _Said]] = {
    "ItemID": _plain("item_no", v.item_no),
    "ItemTypeID": _plain("item_type", _item_type),
    "ColorID": _plain("color_id", v.color),
    "Condition": _plain("condition", _condition),
    "ItemName": _text("item_name"),
    "CategoryName": _text("category_name"),
    "ColorName": _text("color_name"),
    "Comments": _text("description"),
    "Remarks": _text("remarks"),
    "Reserved": _text("reserved_for"),
    "Qty": _quantity,
    "Price": _number("unit_price", v.amount, _price),
    "Cost": _number("cost_basis", v.amount, _price),
    "Sale": _number("sale_percent", v.sale, str),
    "Bulk": _number("bulk", v.bulk, str),
    "LotID": _number("bricklink_lot_id", v.lot_id, lambda value: str(value or 0)),
    "SubCondition": _completeness,
    "UsedGrade": _grade,
    "Retain": _retain,
    "Stockroom": _stockroom,
    "DateAdded": _moment("DateAdded", "date_added"),
    "DateLastSold": _moment("DateLastSold", "last_sold_at"),
    **dict.fromkeys(("ItemTypeName", "TotalWeight", *_TIER_TAGS), _later),
}
# Tags with so many different texts that remembering what they said isn't worth the room.
_UNREPEATED = frozenset(("Comments", "LotID", "DateAdded", "DateLastSold", "MarkerText"))
_REMEMBERED = 20_000


class _Reader:
    """Makes rows of items. Remembers what a tag with a text says: most are the same over and over."""

    def __init__(self, ignored: Counter[str]) -> None:
        self._ignored = ignored
        self._said: dict[tuple[str, str], _Said] = {}

    def row(self, item: Item) -> LotRow | RowProblem:
        """Answer the item as a row, or what is wrong with it."""
        tags = dict(item.fields)
        # Counting is dear, and needed for next to no item.
        if len(tags) != len(item.fields) and (twice := item.repeated()):
            return RowProblem(item.line, f"{twice[:60]} stands in this lot more than once.", "", tags[twice][:100])
        try:
            values, extra = self.read(item.fields, tags)
            if "item_no" not in values:
                raise v.WordError("The item number is missing.", field="item_no")
            _settle(tags, values, extra)
        except v.WordError as wrong:
            return RowProblem(item.line, str(wrong), wrong.field, wrong.raw)
        for name, value in item.attributes.items():
            extra[_ATTRIBUTE + name] = value[:1000]
            self._ignored[f"{_ATTRIBUTE}{name[:60]}"] += 1
        return LotRow(item.line, values, extra, _is_excluded(tags))

    def read(self, fields: Iterable[tuple[str, str]], tags: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
        """Answer the values that the tags state, and what is kept of them. Raises WordError."""
        values: dict[str, Any] = {}
        extra: dict[str, str] = {}
        remembered = self._said.get
        for pair in fields:
            said = remembered(pair)
            if said is None:
                said = self._understood(pair, tags)
            field, value, is_kept, ignored = said
            if field:
                values[field] = value
            if is_kept:
                # What isn't plain text is kept as XML, under a name that shows it.
                tag, raw = pair
                extra[f"<{tag}>" if raw.__class__ is Structure else tag] = raw
                if ignored:
                    self._ignored[ignored] += 1
        _read_together(tags, values, extra)
        return values, extra

    def _understood(self, pair: tuple[str, str], tags: Mapping[str, str]) -> _Said:
        tag, raw = pair
        say = _SAYS.get(tag)
        if say is None or raw.__class__ is Structure:
            v.checked_length(raw, tag[:60])
            said: _Said = ("", None, True, "" if tag in _KEPT else tag[:60])
        elif tag == "Condition" and _is_excluded(tags) and raw.strip().upper() not in ("N", "U"):
            # Nobody asks of a lot that stays out.
            return "", None, True, ""
        else:
            said = say(raw)
        if tag not in _UNREPEATED and len(self._said) < _REMEMBERED and len(raw) < 200:  # noqa: PLR2004  # of a word
            self._said[pair] = said
        return said


def _is_excluded(tags: Mapping[str, str]) -> bool:
    return tags.get("Status") in ("X", "x")


def _read_together(tags: Mapping[str, str], values: dict[str, Any], extra: dict[str, str]) -> None:
    """Read what several tags say together, and keep what goes otherwise than usual between them."""
    _read_names(tags, values, extra)
    if "TQ1" in tags or any(tag in tags for tag in _TIER_TAGS):
        _read_tiers(tags, values, extra)
    if "TotalWeight" in tags:
        _read_weight(tags["TotalWeight"], values, extra)
    # BrickSync's words for it give way to BrickStore's.
    if "MyCost" in tags and "Cost" not in tags and tags["MyCost"].strip():
        values["cost_basis"] = v.checked("cost_basis", v.amount, tags["MyCost"])
    if "Completeness" in tags and "SubCondition" not in tags:
        found = v.COMPLETENESS_OF_LETTER.get(tags["Completeness"].strip().upper())
        if found:
            values["completeness"] = found
    base = tags.get(_BASE)
    if isinstance(base, Structure):
        # What BrickStore remembers as having been otherwise, and doesn't state now, has been emptied.
        for tag in _LEFT_OUT.keys() & base.attributes.keys() - tags.keys():
            field, value = _LEFT_OUT[tag]
            # A list of its own for each lot.
            values.setdefault(field, [] if field == "tier_prices" else value)


def _read_names(tags: Mapping[str, str], values: Mapping[str, Any], extra: dict[str, str]) -> None:
    """What goes without saying isn't kept: that a lot is included, and how BrickStore calls types and colors."""
    if extra.get("Status") == "I":
        del extra["Status"]
    type_name = tags.get("ItemTypeName")
    if type_name is not None and type_name != _TYPE_NAMES.get(tags.get("ItemTypeID", "")):
        extra["ItemTypeName"] = v.checked_length(type_name, "ItemTypeName")
    color_name = values.get("color_name")
    if color_name is not None and color_name != _color_names().get(values.get("color_id", -1)):
        extra["ColorName"] = color_name
    for tag in ("ItemName", "CategoryName"):
        if tags.get(tag) == "":
            extra[tag] = ""


@cache
def _color_names() -> dict[int, str]:
    return {color.id: color.name for color in colors.all_colors().values()}


def _tier_quantity(raw: str) -> int:
    return v.whole(raw, "The tier quantity")


def _read_tiers(tags: Mapping[str, str], values: dict[str, Any], extra: dict[str, str]) -> None:
    steps = []
    for step in (1, 2, 3):
        qty, price = tags.get(f"TQ{step}", "").strip(), tags.get(f"TP{step}", "").strip()
        steps.append(
            (
                step,
                None if qty in _ZEROS else v.checked("tier_prices", _tier_quantity, qty),
                None if price in _ZEROS else v.checked("tier_prices", v.amount, price),
            )
        )
    found = values["tier_prices"] = v.tiers(steps)
    usual = _tier_texts(found)
    if any(tag in tags and tags[tag] != usual.get(tag) for tag in _TIER_TAGS):
        extra.update((tag, tags[tag]) for tag in _TIER_TAGS if tag in tags)


def _read_weight(raw: str, values: dict[str, Any], extra: dict[str, str]) -> None:
    """The weight is that of the whole lot."""
    if raw.__class__ is Structure:
        return
    weight = v.checked("weight_grams", v.total_grams, raw) if raw.strip() not in _ZEROS else None
    qty = values.get("qty") or abs(values.get("qty_delta", 0))
    # Of no piece at all, a total says nothing of one.
    if weight is not None and qty:
        values["weight_grams"] = v.bounded_weight(weight / qty)
        if _total_weight(values["weight_grams"], qty) == raw:
            return
    extra["TotalWeight"] = raw


_TAGS_OF_DROPPED = {
    "color_id": ("ColorID",),
    "completeness": ("SubCondition", "Completeness"),
    "sub_condition": ("UsedGrade",),
}


def _settle(tags: Mapping[str, str], values: dict[str, Any], extra: dict[str, str]) -> None:
    """Make true that the values fit each other; what has no meaning for such a thing is only kept."""
    for field in v.settle(values):
        for tag in _TAGS_OF_DROPPED[field]:
            if tag in tags:
                extra[tag] = tags[tag]


# Writing


def _tier_texts(steps: Iterable[tuple[int, Decimal]]) -> dict[str, str]:
    texts = {}
    for step, (qty, price) in enumerate(steps, start=1):
        texts[f"TQ{step}"] = str(qty)
        texts[f"TP{step}"] = _price(price)
    return texts


def _total_weight(weight: Decimal, qty: int) -> str:
    return f"{weight * qty:.4f}"


def _texts(  # noqa: C901, PLR0912  # one line a tag
    lot: Lot, category_id: str | None
) -> dict[str, str | None]:
    """Answer the lot's tags in BrickStore's order, with their texts; None is an empty tag."""
    letter = _LETTERS[lot.item_type]
    color_id = lot.color_id or 0
    texts: dict[str, str | None] = {
        "ItemID": escaped(lot.item_no),
        "ItemTypeID": letter,
        "ColorID": str(color_id),
    }
    if lot.item_name:
        texts["ItemName"] = escaped(lot.item_name)
    texts["ItemTypeName"] = _TYPE_NAMES[letter]
    color = colors.get(color_id)
    texts["ColorName"] = escaped(color.name if color else lot.color_name)
    if category_id is not None:
        texts["CategoryID"] = escaped(category_id)
    if lot.category_name:
        texts["CategoryName"] = escaped(lot.category_name)
    texts["Status"] = "I"
    texts["Qty"] = str(lot.qty_available)
    texts["Price"] = _price(lot.unit_price)
    texts["Condition"] = "N" if lot.condition == v.NEW else "U"
    if lot.sub_condition:
        texts["UsedGrade"] = _LETTER_OF_GRADE[lot.sub_condition]
    if lot.completeness:
        texts["SubCondition"] = _LETTER_OF_COMPLETENESS[lot.completeness]
    if lot.bulk != 1:
        texts["Bulk"] = str(lot.bulk)
    if lot.sale_percent:
        texts["Sale"] = str(lot.sale_percent)
    if lot.cost_basis is not None:
        texts["Cost"] = _price(lot.cost_basis)
    if lot.description:
        texts["Comments"] = escaped(lot.description)
    if lot.remarks:
        texts["Remarks"] = escaped(lot.remarks)
    if lot.reserved_for:
        texts["Reserved"] = escaped(lot.reserved_for)
    if lot.bricklink_lot_id:
        texts["LotID"] = str(lot.bricklink_lot_id)
    if lot.tier_prices:
        texts.update(_tier_texts(lot.tier_prices))
    if lot.is_retain:
        texts["Retain"] = None
    if lot.is_stock_room:
        texts["Stockroom"] = lot.stock_room_id
    if lot.weight_grams is not None:
        texts["TotalWeight"] = _total_weight(lot.weight_grams, lot.qty_available)
    texts["DateAdded"] = _time(lot.date_added)
    if lot.last_sold_at is not None:
        texts["DateLastSold"] = _time(lot.last_sold_at)
    return texts


def _still_says(lot: Lot, tags: Mapping[str, str]) -> bool:
    """Tell whether these texts of the file say what the lot says now."""
    own = {
        "ItemID": lot.item_no,
        "ItemTypeID": _LETTERS[lot.item_type],
        "ColorID": str(lot.color_id or 0),
        "Condition": "N" if lot.condition == v.NEW else "U",
        "Qty": str(lot.qty_available),
    }
    together = {**own, **tags}
    try:
        values, _ = _Reader(Counter()).read(together.items(), together)
        _settle(together, values, {})
    except v.WordError:
        return False
    stated = {field: value for field, value in values.items() if field not in ("qty", "color_name")}
    # A tag that says nothing stands only where the lot has nothing to say in it.
    usual = set(_texts(lot, None))
    if len(stated) <= len(own) - 1 and any(tag in usual for tag in tags):
        return False
    return all(getattr(lot, field) == value for field, value in stated.items())


def _given_back(lot: Lot, texts: dict[str, str | None], extra: Mapping[str, str]) -> list[str]:
    """Put into `texts` what the file wrote otherwise; answer what stands behind all known tags."""
    behind = []
    tiers = {tag: extra[tag] for tag in _TIER_TAGS if tag in extra}
    if tiers and _still_says(lot, tiers):
        for tag in _TIER_TAGS:
            texts.pop(tag, None)
        texts.update((tag, escaped(raw)) for tag, raw in tiers.items())
    base = ""
    for tag, raw in extra.items():
        if tag[0] == "<":
            # BrickStore's base stands last.
            if tag == f"<{_BASE}>":
                base = raw
            else:
                behind.append(f"   {raw}\n")
        elif tag in _PLACES:
            if tag not in _TIER_TAGS and _is_given_back(lot, tag, raw):
                texts[tag] = escaped(raw)
        elif tag[0] != _ATTRIBUTE and (tag not in _INSTEAD or _still_says(lot, {tag: raw})):
            texts.pop(_INSTEAD.get(tag, ""), None)
            behind.append(f"   <{tag}>{escaped(raw)}</{tag}>\n")
    return [*behind, f"   {base}\n"] if base else behind


def _is_given_back(lot: Lot, tag: str, raw: str) -> bool:
    if tag == "Price" and raw.strip():
        # So often that it has a way of its own.
        return v.amount(raw) == lot.unit_price
    return tag in _KEPT or tag == "ColorName" or _still_says(lot, {tag: raw})


def _written(lot: Lot) -> str:
    extra = lot.extra
    texts = _texts(lot, extra.get("CategoryID") if extra else None)
    start, behind = "  <Item>\n", []
    tags: Iterable[str] = texts
    if extra and (len(extra) > 1 or "CategoryID" not in extra):
        behind = _given_back(lot, texts, extra)
        tags = [tag for tag in _ORDER if tag in texts]
        own = "".join(f' {name[1:]}="{quoted(text)}"' for name, text in extra.items() if name[:1] == _ATTRIBUTE)
        start = f"  <Item{own}>\n"
    parts = [start]
    for tag in tags:
        text = texts[tag]
        parts.append(f"   <{tag}/>\n" if text is None else f"   <{tag}>{text}</{tag}>\n")
    parts += behind
    parts.append("  </Item>\n")
    return "".join(parts)


@register
class Bsx(Format):
    """Files of BrickStore, and of what imitates it."""

    spec = FormatSpec(
        code="bsx",
        label="BrickStore (BSX)",
        suffix=".bsx",
        media_type="application/x-brickstore-xml",
        docs="https://www.brickstore.dev",
    )

    def sniff(self, head: bytes) -> bool:
        """Tell it by the root element."""
        return root_of(head) in _ROOTS

    def facts(self, stream: BinaryIO) -> FileFacts:
        """Answer the currency that the file states."""
        head = stream.read(HEAD_BYTES)
        require_root(head, _ROOTS, _LABEL)
        return FileFacts(currency=currency_of(head))

    def read(self, stream: BinaryIO, *, mapping: Mapping[str, str] | None = None) -> Reading:
        """Answer the rows; `around` keeps the inventory's attributes and what BrickStore says of its own windows."""
        reading = Reading(rows=iter(()))
        reading.rows = self._rows(stream, reading)
        return reading

    def _rows(self, stream: BinaryIO, reading: Reading) -> Iterator[LotRow | RowProblem]:
        around = Around(ignored=reading.ignored)
        head = stream.read(HEAD_BYTES)
        require_root(head, _ROOTS, _LABEL)
        row = _Reader(reading.ignored).row
        for item in items(stream, head=head, container="Inventory", item="Item", around=around):
            yield item if isinstance(item, RowProblem) else row(item)
        del reading.ignored[_GUI_STATE]
        reading.around.update(
            root=around.root,
            doctype=around.doctype,
            attributes=around.attributes,
            before=[str(part) for part in around.before],
            after=[str(part) for part in around.after],
        )

    def write(self, lots: Iterable[Lot], *, currency: str, around: Mapping[str, Any] | None = None) -> Iterator[bytes]:
        """Answer the file, indented as BrickStore does."""
        around = around or {}
        root = around.get("root") or _ROOTS[0]
        attributes = {"Currency": currency, **around.get("attributes", {})}
        attributes["Currency"] = currency
        start = '<?xml version="1.0" encoding="UTF-8"?>\n'
        if around.get("doctype"):
            start += f"<!DOCTYPE {root}>\n"
        start += f"<{root}>\n" + "".join(f" {part}\n" for part in around.get("before", ()))
        start += " <Inventory" + "".join(f' {name}="{quoted(value)}"' for name, value in attributes.items())
        parts, size, is_empty = [start], len(start), True
        for lot in lots:
            if is_empty:
                parts.append(">\n")
                is_empty = False
            text = _written(lot)
            parts.append(text)
            size += len(text)
            if size > _PIECE:
                yield "".join(parts).encode()
                parts, size = [], 0
        parts.append("/>\n" if is_empty else " </Inventory>\n")
        parts += [f" {part}\n" for part in around.get("after", ())]
        parts.append(f"</{root}>\n")
        yield "".join(parts).encode()
