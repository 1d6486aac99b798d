"""BrickStore's BSX: read without losing anything, and written as BrickStore itself writes it.

What a lot can't hold, and what the file writes otherwise than we would, goes into `extra` by its tag. On writing, such
a text is given back as long as it still says what the lot says.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, BinaryIO

from catalog import colors
from inventory.choices import LETTER_OF_ITEM_TYPE
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
_TIER_TAGS = ("TQ1", "TP1", "TQ2", "TP2", "TQ3", "TP3")
# Known to BrickStore or BrickSync, and only kept: what no lot has a field for.
_KEPT = frozenset(
    (
        "Status", "CategoryID", "ItemTypeName", "MarkerText", "MarkerColor", "OrigQty", "OrigPrice", "AlternateID",
        "OwlID", "OwlLotID", "SalePrice", _BASE, "X-DifferenceModeBase",
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
    "Stockroom": ("is_stock_room", False),
    "SubCondition": ("completeness", None),
    "TQ1": ("tier_prices", []),
}


def _price(value: Decimal) -> str:
    """Answer a price as BrickStore writes it: three decimals, and a fourth only where it says something."""
    text = f"{value:.4f}"
    return text[:-1] if text[-1] == "0" else text


def _time(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# Reading


def _item_type(raw: str) -> str:
    kind = v.TYPE_OF_LETTER.get(raw.strip().upper())
    if kind is None:
        raise v.Wrong(f"{v.shown(raw)} isn't one of BrickLink's item types.")
    return kind


def _condition(raw: str) -> str:
    word = raw.strip().upper()
    if word == "N":
        return v.NEW
    if word == "U":
        return v.USED
    if word == "X":
        raise v.Wrong("Condition X isn't new or used: it is still undecided, as in files made from wanted lists.")
    raise v.Wrong(f"{v.shown(raw)} is neither new (N) nor used (U).")


# What is read plainly: tag → (field, reader).
_PLAIN: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "ItemID": ("item_no", v.item_no),
    "ItemTypeID": ("item_type", _item_type),
    "ColorID": ("color_id", v.color),
    "Condition": ("condition", _condition),
}
_TEXTS: Mapping[str, str] = {
    "ItemName": "item_name",
    "CategoryName": "category_name",
    "ColorName": "color_name",
    "Comments": "description",
    "Remarks": "remarks",
    "Reserved": "reserved_for",
}
# An empty tag of these says nothing: tag → (field, reader, writer).
_NUMBERS: Mapping[str, tuple[str, Callable[[str], Any], Callable[[Any], str]]] = {
    "Price": ("unit_price", v.amount, _price),
    "Cost": ("cost_basis", v.amount, _price),
    "Sale": ("sale_percent", v.sale, str),
    "Bulk": ("bulk", v.bulk, str),
    "LotID": ("bricklink_lot_id", v.lot_id, lambda value: str(value or 0)),
}


@lru_cache(maxsize=16_384)
def _number(tag: str, raw: str) -> tuple[Any, bool]:
    """Answer the value, and whether it is written as we would write it."""
    _, read, write = _NUMBERS[tag]
    value = read(raw)
    return value, write(value) == raw


class _Lot:
    """One item of the file on its way to a row: what was read of it, and what is kept."""

    def __init__(self, tags: Mapping[str, str], ignored: Counter[str]) -> None:
        self.tags = tags
        self.values: dict[str, Any] = {}
        self.extra: dict[str, str] = {}
        self.ignored = ignored
        self.is_excluded = tags.get("Status", "").strip().upper() == "X"

    def read(self) -> None:
        """Read all tags. Raises Wrong."""
        values, extra = self.values, self.extra
        for tag, raw in self.tags.items():
            if raw.__class__ is Structure:
                self._keep(tag, raw)
            elif tag in _TEXTS:
                field = _TEXTS[tag]
                values[field] = v.words(raw, field)
            elif tag in _NUMBERS:
                if not raw or raw.isspace():
                    extra[tag] = raw
                    continue
                try:
                    value, is_usual = _number(tag, raw)
                except v.Wrong as wrong:
                    raise v.Wrong(str(wrong), field=_NUMBERS[tag][0], raw=raw) from None
                values[_NUMBERS[tag][0]] = value
                if not is_usual:
                    extra[tag] = raw
            elif tag in _PLAIN:
                self._read_plain(tag, raw)
            elif tag in _SPECIAL:
                _SPECIAL[tag](self, raw)
            else:
                self._keep(tag, raw)
        self._finish()

    def _read_plain(self, tag: str, raw: str) -> None:
        field, read = _PLAIN[tag]
        try:
            self.values[field] = read(raw)
        except v.Wrong as wrong:
            if tag != "Condition" or not self.is_excluded:
                raise v.Wrong(str(wrong), field=field, raw=raw) from None
            # Nobody asks of a lot that stays out.
            self.extra[tag] = raw

    def _keep(self, tag: str, raw: str) -> None:
        self.extra[tag] = v.checked_length(raw, tag)
        if tag not in _KEPT:
            self.ignored[tag[:60]] += 1

    def _keep_word(self, tag: str, raw: str) -> None:
        self.extra[tag] = raw[:100]
        self.ignored[f"{tag} “{raw[:20]}”"] += 1

    def read_quantity(self, raw: str) -> None:
        """A quantity below zero is that of a file of differences."""
        field, value = v.checked("qty", v.quantity, raw)
        self.values[field] = value

    def read_completeness(self, raw: str) -> None:
        """BrickStore's `N` is "none"."""
        letter = raw.strip().upper()
        found = v.COMPLETENESS_OF_LETTER.get(letter)
        if found is None and letter not in ("N", ""):
            self._keep_word("SubCondition", raw)
            return
        self.values["completeness"] = found
        if raw != _LETTER_OF_COMPLETENESS.get(found or ""):
            self.extra["SubCondition"] = raw

    def read_completeness_of_bricksync(self, raw: str) -> None:
        """It gives way to BrickStore's tag."""
        self.extra["Completeness"] = raw[:100]
        found = v.COMPLETENESS_OF_LETTER.get(raw.strip().upper())
        if found and "SubCondition" not in self.tags:
            self.values["completeness"] = found

    def read_cost_of_bricksync(self, raw: str) -> None:
        """It gives way to BrickStore's tag."""
        self.extra["MyCost"] = raw[:100]
        if raw.strip() and "Cost" not in self.tags:
            self.values["cost_basis"] = v.checked("cost_basis", v.amount, raw)

    def read_grade(self, raw: str) -> None:
        """How used a thing is, which only BrickSync writes."""
        found = v.GRADE_OF_LETTER.get(raw)
        if found:
            self.values["sub_condition"] = found
        else:
            self._keep_word("UsedGrade", raw)

    def read_retain(self, raw: str) -> None:
        """The empty tag says yes."""
        word = raw.strip().upper()
        self.values["is_retain"] = word in ("", "Y")
        if word not in ("", "Y", "N"):
            self._keep_word("Retain", raw)
        elif raw:
            self.extra["Retain"] = raw

    def read_stockroom(self, raw: str) -> None:
        """The empty tag says A, and `N` "none"."""
        room = raw.strip().upper() or "A"
        is_room = room in v.STOCK_ROOMS
        self.values["is_stock_room"] = is_room
        self.values["stock_room_id"] = room if is_room else ""
        if not is_room and room != "N":
            self._keep_word("Stockroom", raw)
        elif raw != room or not is_room:
            self.extra["Stockroom"] = raw

    def read_added(self, raw: str) -> None:
        """When the lot was added."""
        self._read_time("DateAdded", "date_added", raw)

    def read_sold(self, raw: str) -> None:
        """When something of it was sold last."""
        self._read_time("DateLastSold", "last_sold_at", raw)

    def _read_time(self, tag: str, field: str, raw: str) -> None:
        found = v.iso_time(raw)
        if found is None:
            if raw.strip():
                self._keep_word(tag, raw)
            else:
                self.extra[tag] = raw
            return
        self.values[field] = found
        if _time(found) != raw:
            self.extra[tag] = raw

    def read_later(self, _raw: str) -> None:
        """Read by `_finish`, together with what it belongs to."""

    def _finish(self) -> None:
        tags, values, extra = self.tags, self.values, self.extra
        if "TQ1" in tags or any(tag in tags for tag in _TIER_TAGS):
            self._read_tiers()
        if (raw := tags.get("TotalWeight")) is not None and raw.__class__ is str:
            extra["TotalWeight"] = raw
            weight = v.checked("weight_grams", v.grams, raw) if raw.strip() not in _ZEROS else None
            qty = values.get("qty") or abs(values.get("qty_delta", 0))
            # Of no piece at all, a total says nothing of one.
            if weight is not None and qty:
                values["weight_grams"] = v.bounded_weight(weight / qty)
                if _total_weight(values["weight_grams"], qty) == raw:
                    del extra["TotalWeight"]
        if extra.get("Status") == "I":
            del extra["Status"]
        if "ItemTypeName" in extra and extra["ItemTypeName"] == _TYPE_NAMES.get(tags.get("ItemTypeID", "")):
            del extra["ItemTypeName"]
        for tag in ("ItemName", "CategoryName"):
            if tags.get(tag) == "":
                extra[tag] = ""
        color_name = values.get("color_name")
        if color_name is not None:
            color = colors.get(values.get("color_id", -1))
            if color is None or color.name != color_name:
                extra["ColorName"] = color_name
        base = tags.get(_BASE)
        if isinstance(base, Structure):
            self._read_base(base.attributes)

    def _read_tiers(self) -> None:
        tags = self.tags
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
        found = self.values["tier_prices"] = v.tiers(steps)
        usual = _tier_texts(found)
        if any(tag in tags and tags[tag] != usual.get(tag) for tag in _TIER_TAGS):
            self.extra.update((tag, tags[tag]) for tag in _TIER_TAGS if tag in tags)

    def _read_base(self, before: Mapping[str, str]) -> None:
        """What BrickStore remembers as having been otherwise, and doesn't state now, has been emptied."""
        for tag in before:
            if tag in _LEFT_OUT and tag not in self.tags:
                field, value = _LEFT_OUT[tag]
                self.values.setdefault(field, value)

    def settle(self) -> None:
        """Make true that the values fit each other; what has no meaning for such a thing is only kept."""
        if "item_no" not in self.values:
            raise v.Wrong("The item number is missing.", field="item_no")
        for field in v.settle(self.values):
            for tag in _TAGS_OF_DROPPED[field]:
                if tag in self.tags:
                    self.extra[tag] = self.tags[tag]


_TAGS_OF_DROPPED = {
    "color_id": ("ColorID",),
    "completeness": ("SubCondition", "Completeness"),
    "sub_condition": ("UsedGrade",),
}
_SPECIAL: Mapping[str, Callable[[_Lot, str], None]] = {
    "Qty": _Lot.read_quantity,
    "SubCondition": _Lot.read_completeness,
    "Completeness": _Lot.read_completeness_of_bricksync,
    "MyCost": _Lot.read_cost_of_bricksync,
    "UsedGrade": _Lot.read_grade,
    "Retain": _Lot.read_retain,
    "Stockroom": _Lot.read_stockroom,
    "DateAdded": _Lot.read_added,
    "DateLastSold": _Lot.read_sold,
    "TotalWeight": _Lot.read_later,
    **dict.fromkeys(_TIER_TAGS, _Lot.read_later),
}


def _tier_quantity(raw: str) -> int:
    return v.whole(raw, "The tier quantity")


def _row(item: Item, ignored: Counter[str]) -> LotRow | RowProblem:
    tags = dict(item.fields)
    if len(tags) != len(item.fields):
        twice = next(name for name, count in Counter(name for name, _ in item.fields).items() if count > 1)
        return RowProblem(item.line, f"{twice[:60]} stands in this lot more than once.", "", tags[twice][:100])
    lot = _Lot(tags, ignored)
    for name, value in item.attributes.items():
        lot.extra[_ATTRIBUTE + name] = value[:1000]
        ignored[f"{_ATTRIBUTE}{name[:60]}"] += 1
    try:
        lot.read()
        lot.settle()
    except v.Wrong as wrong:
        return RowProblem(item.line, str(wrong), wrong.field, wrong.raw)
    return LotRow(item.line, lot.values, lot.extra, lot.is_excluded)


# Writing


def _tier_texts(steps: Iterable[tuple[int, Decimal]]) -> dict[str, str]:
    texts = {}
    for step, (qty, price) in enumerate(steps, start=1):
        texts[f"TQ{step}"] = str(qty)
        texts[f"TP{step}"] = _price(price)
    return texts


def _total_weight(weight: Decimal, qty: int) -> str:
    return f"{weight * qty:.4f}"


def _texts(lot: Lot, category_id: str | None) -> dict[str, str | None]:
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
    read = _Lot({**own, **tags}, Counter())
    try:
        read.read()
        read.settle()
    except v.Wrong:
        return False
    stated = {field: value for field, value in read.values.items() if field not in ("qty", "color_name")}
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
    for tag, raw in extra.items():
        if tag.startswith(_ATTRIBUTE) or tag in _TIER_TAGS or tag in ("CategoryID", _BASE):
            continue
        if tag in _NUMBERS and raw and not raw.isspace():
            if _number(tag, raw)[0] == getattr(lot, _NUMBERS[tag][0]):
                texts[tag] = escaped(raw)
        elif tag in ("MyCost", "Completeness"):
            if _still_says(lot, {tag: raw}):
                texts.pop("Cost" if tag == "MyCost" else "SubCondition", None)
                behind.append(_element(tag, raw))
        elif tag in _KEPT or tag not in _ORDER:
            if tag in _ORDER:
                texts[tag] = escaped(raw)
            else:
                behind.append(_element(tag, raw))
        elif tag == "ColorName" or _still_says(lot, {tag: raw}):
            texts[tag] = escaped(raw)
    return behind


def _element(tag: str, raw: str) -> str:
    # What isn't plain text was kept as XML, beginning with its own tag; text has its brackets escaped.
    return f"   {raw}\n" if raw.startswith(f"<{tag}") else f"   <{tag}>{escaped(raw)}</{tag}>\n"


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
        if _BASE in extra:
            behind.append(f"   {extra[_BASE]}\n")
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
        for item in items(stream, head=head, container="Inventory", item="Item", around=around):
            yield item if isinstance(item, RowProblem) else _row(item, reading.ignored)
        del reading.ignored[_GUI_STATE]
        reading.around.update(
            root=around.root,
            doctype=around.doctype,
            attributes=around.attributes,
            before=[str(part) for part in around.before],
            after=[str(part) for part in around.after],
        )

    def write(
        self, lots: Iterable[Lot], *, currency: str, around: Mapping[str, Any] | None = None
    ) -> Iterator[bytes]:
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
