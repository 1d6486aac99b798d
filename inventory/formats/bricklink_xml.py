"""BrickLink's XML: store downloads, mass uploads and updates, wanted lists; one format with other tags each time."""

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, BinaryIO

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
    UnreadableFile,
    register,
)
from inventory.parsing import values as v
from inventory.parsing.contents import head_text
from inventory.parsing.markup import Around, Item, Structure, currency_of, escaped, items, require_root, root_of

_ROOT = "INVENTORY"
_LABEL = "an inventory in BrickLink's XML"
_DOCS = "https://www.bricklink.com/help.asp?helpID=207"
# What else BrickLink gives out as XML, by its root.
_OTHERS = {
    "ORDERS": "This is BrickLink's file of orders. Here a file of stock is read: the store's inventory, or an upload.",
    "ORDER": "This is one of BrickLink's orders. Here a file of stock is read: the store's inventory, or an upload.",
    "CATALOG": "This is a download of BrickLink's catalog. Here a file of stock is read.",
    "CODES": "This is BrickLink's list of element codes. Here a file of stock is read.",
}
_SET_INVENTORY = (
    "This is the inventory of a set, with its extra and alternate parts. Here a file of stock is read: "
    "part the set out instead."
)
_OF_SET_INVENTORY = frozenset(("EXTRA", "ALTERNATE", "MATCHID", "COUNTERPART"))
_OF_WANTED_LIST = frozenset(("MINQTY", "MAXPRICE", "WANTEDLISTID", "NOTIFY", "QTYFILLED", "WANTEDSHOW"))
_IS_SET_INVENTORY = re.compile(r"<(?:MATCHID|COUNTERPART|ALTERNATE)\b")
_WANTED_NOTE = (
    "This is a wanted list: it says what is looked for, not what is there. Its quantities are taken as those of lots; "
    "what is to be paid at most isn't taken."
)
_UNDECIDED_NOTE = "Some wanted items may be new or used: choose which of the two the lots are."
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]\w{1,30});")
_LIKE_ENTITY = re.compile(r"&(?=(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]\w{1,30});)")
_THREE_PLACES = Decimal("0.001")
_PIECE = 64 * 1024
_LETTERS = {kind.value: letter for kind, letter in LETTER_OF_ITEM_TYPE.items()}
_LETTER_OF_COMPLETENESS = {"COMPLETE": "C", "INCOMPLETE": "I", "SEALED": "S"}
_TIER_TAGS = ("TQ1", "TP1", "TQ2", "TP2", "TQ3", "TP3")

# Reading. A tag says a field and its value; no field: nothing that a lot has.
_Said = tuple[str, Any]


def _item_type(raw: str) -> str:
    kind = v.TYPE_OF_LETTER.get(raw.strip().upper())
    if kind is None:
        raise v.WordError(f"{v.shown(raw)} isn't one of BrickLink's item types.")
    return kind


def _plain(field: str, read: Callable[[str], Any]) -> Callable[[str], _Said]:
    """An empty tag says nothing: BrickLink writes them instead of leaving them out."""

    def say(raw: str) -> _Said:
        return (field, v.checked(field, read, raw)) if raw and not raw.isspace() else ("", None)

    return say


def _without_outer_lines(raw: str) -> str:
    """Answer a text without the blanks around it, where they are those of a file laid out in lines."""
    text = raw.lstrip()
    if "\n" not in raw[: len(raw) - len(text)]:
        text = raw
    stripped = text.rstrip()
    return stripped if "\n" in text[len(stripped) :] else text


def _text(field: str) -> Callable[[str], _Said]:
    def say(raw: str) -> _Said:
        if "\n" in raw:
            raw = _without_outer_lines(raw)
        if "&" in raw:
            # BrickLink escapes the brackets twice.
            raw = _ENTITY.sub(lambda found: html.unescape(found[0]), raw)
        return field, v.words(raw, field)

    return say


def _quantity(raw: str) -> _Said:
    return v.checked("qty", v.quantity, raw)


def _condition(raw: str) -> _Said:
    word = raw.strip().upper()
    if word in ("N", "U"):
        return "condition", v.NEW if word == "N" else v.USED
    # "Any", in wanted lists.
    return ("any_condition", True) if word in ("X", "") else _wrong_condition(raw)


def _wrong_condition(raw: str) -> _Said:
    raise v.WordError(f"{v.shown(raw)} is neither new (N) nor used (U).", field="condition", raw=raw)


def _completeness(raw: str) -> _Said:
    letter = raw.strip().upper()
    if letter in ("", "X"):
        return "", None
    found = v.COMPLETENESS_OF_LETTER.get(letter)
    if found is None:
        raise v.WordError(f"{v.shown(raw)} isn't C, I or S.", field="completeness", raw=raw)
    return "completeness", found


def _room(raw: str) -> str:
    room = raw.strip().upper()
    if room not in v.STOCK_ROOMS:
        raise v.WordError(f"{v.shown(raw)} isn't one of the stockrooms A, B and C.")
    return room


def _delete(raw: str) -> _Said:
    word = raw.strip().upper()
    if word not in ("", "Y", "N"):
        raise v.WordError(f"{v.shown(raw)} is neither Y nor N.", field="is_deleted", raw=raw)
    return ("", None) if word == "N" else ("is_deleted", True)


def _moment(field: str) -> Callable[[str], _Said]:
    def say(raw: str) -> _Said:
        if not raw or raw.isspace():
            return "", None
        found = v.us_time(raw)
        if found is None:
            raise v.WordError(
                f"{v.shown(raw)} isn't a date as BrickLink writes it (12/31/2025 1:30:00 PM).", field=field
            )
        return field, found

    return say


def _nothing(_raw: str) -> _Said:
    """Read together with what it belongs to, or known to say nothing of a lot."""
    return "", None


_SAYS: Mapping[str, Callable[[str], _Said]] = {
    "ITEMTYPE": _plain("item_type", _item_type),
    "ITEMID": _plain("item_no", v.item_no),
    "COLOR": _plain("color_id", v.color),
    "QTY": _quantity,
    "MINQTY": _quantity,
    "PRICE": _plain("unit_price", v.amount),
    "CONDITION": _condition,
    "SUBCONDITION": _completeness,
    "BULK": _plain("bulk", v.bulk),
    "SALE": _plain("sale_percent", v.sale),
    "DESCRIPTION": _text("description"),
    "REMARKS": _text("remarks"),
    "RETAIN": _plain("is_retain", v.is_yes),
    "STOCKROOM": _plain("is_stock_room", v.is_yes),
    "STOCKROOMID": _plain("stock_room_id", _room),
    "BUYERUSERNAME": _text("reserved_for"),
    "MYCOST": _plain("cost_basis", v.amount),
    "MYWEIGHT": _plain("weight_grams", v.grams),
    "LOTID": _plain("bricklink_lot_id", v.lot_id),
    "DELETE": _delete,
    "DATEADDED": _moment("date_added"),
    "DATELASTSOLD": _moment("last_sold_at"),
    **dict.fromkeys(
        ("CATEGORY", "BASECURRENCYCODE", "NOTIFY", "WANTEDLISTID", "MAXPRICE", "WANTEDSHOW", "QTYFILLED", *_TIER_TAGS),
        _nothing,
    ),
}
# Kept for giving them back.
_KEPT = frozenset(("CATEGORY",))
_UNREPEATED = frozenset(("DESCRIPTION", "REMARKS", "LOTID", "DATEADDED", "DATELASTSOLD"))
_REMEMBERED = 20_000


class _Reader:
    """Makes rows of items. Remembers what a tag with a text says: most are the same over and over."""

    def __init__(self, reading: Reading, currency: str) -> None:
        self._reading = reading
        self._currency = currency
        self._said: dict[tuple[str, str], _Said] = {}

    def row(self, item: Item) -> LotRow | RowProblem:
        """Answer the item as a row, or what is wrong with it."""
        tags = dict(item.fields)
        # Counting is dear, and needed for next to no item.
        if len(tags) != len(item.fields) and (twice := item.repeated()):
            return RowProblem(item.line, f"{twice[:60]} stands in this lot more than once.", "", tags[twice][:100])
        values: dict[str, Any] = {}
        extra: dict[str, str] = {}
        try:
            remembered = self._said.get
            for pair in item.fields:
                said = remembered(pair) or self._understood(pair, extra)
                if said[0]:
                    values[said[0]] = said[1]
            self._finish(tags, values, extra)
        except v.WordError as wrong:
            return RowProblem(item.line, str(wrong), wrong.field, wrong.raw)
        return LotRow(item.line, values, extra)

    def _understood(self, pair: tuple[str, str], extra: dict[str, str]) -> _Said:
        tag, raw = pair
        say = _SAYS.get(tag) or _SAYS.get(tag.upper())
        if say is None or raw.__class__ is Structure:
            extra[tag] = v.checked_length(raw, tag[:60])
            self._reading.ignored[tag[:60]] += 1
            return "", None
        said = say(raw)
        if tag not in _UNREPEATED and len(self._said) < _REMEMBERED and len(raw) < 200:  # noqa: PLR2004  # of a word
            self._said[pair] = said
        return said

    def _finish(self, tags: Mapping[str, str], values: dict[str, Any], extra: dict[str, str]) -> None:
        if tags.get("CATEGORY", "").strip():
            extra["CATEGORY"] = tags["CATEGORY"].strip()[:100]
        if not tags.keys().isdisjoint(_TIER_TAGS):
            values["tier_prices"] = _tiers(tags)
        currency = tags.get("BASECURRENCYCODE", "").strip().upper()
        if currency and currency != self._currency:
            if self._currency:
                raise v.WordError(
                    f"This lot is in {currency[:10]}, the others are in {self._currency}.", field="currency"
                )
            self._currency = currency
        is_wanted = "QTY" not in tags and not _OF_WANTED_LIST.isdisjoint(tags)
        is_any = values.pop("any_condition", False)
        if is_wanted:
            self._finish_wanted(tags, values)
        elif is_any and tags["CONDITION"].strip():
            raise v.WordError("Condition X isn't new or used.", field="condition", raw="X")
        for field in v.settle(values):
            self._reading.ignored[f"{field} of a {values.get('item_type', 'lot').lower()}"] += 1
        if "item_no" in values and "item_type" not in values and "bricklink_lot_id" not in values:
            raise v.WordError("The item type is missing.", field="item_type")

    def _finish_wanted(self, tags: Mapping[str, str], values: dict[str, Any]) -> None:
        values.setdefault("qty", 1)
        notes, ignored = self._reading.notes, self._reading.ignored
        if _WANTED_NOTE not in notes:
            notes.append(_WANTED_NOTE)
        for tag in _OF_WANTED_LIST - {"MINQTY"}:
            if tag in tags:
                ignored[tag] += 1
        if values.get("item_type") in v.ALWAYS_COLORED and values.get("color_id") is None:
            raise v.WordError("Any color is wanted: a lot has one.", field="color_id", raw=tags.get("COLOR", ""))
        if "condition" not in values and _UNDECIDED_NOTE not in notes:
            notes.append(_UNDECIDED_NOTE)


def _tier_quantity(raw: str) -> int:
    return v.whole(raw, "The tier quantity")


def _tiers(tags: Mapping[str, str]) -> list[tuple[int, Decimal]]:
    steps = []
    for step in (1, 2, 3):
        qty, price = tags.get(f"TQ{step}", "").strip(), tags.get(f"TP{step}", "").strip()
        steps.append(
            (
                step,
                v.checked("tier_prices", _tier_quantity, qty) if qty else None,
                v.checked("tier_prices", v.amount, price) if price else None,
            )
        )
    return v.tiers(steps)


def _require_stock(head: bytes) -> None:
    """Raise UnreadableFile where the file is something else, of BrickLink or not."""
    root = root_of(head)
    if root in _OTHERS:
        raise UnreadableFile(_OTHERS[root])
    require_root(head, (_ROOT,), _LABEL)
    if _IS_SET_INVENTORY.search(head_text(head)):
        raise UnreadableFile(_SET_INVENTORY)


# Writing


def _price(value: Decimal) -> str:
    """Answer a price with BrickLink's three decimals."""
    return str(value.quantize(_THREE_PLACES, rounding=ROUND_HALF_UP))


def _twice(text: str) -> str:
    """Answer a text as BrickLink's own exports have it: the brackets escaped twice, `&` once."""
    if "&" in text:
        text = _LIKE_ENTITY.sub("&amp;", text)
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    return escaped(text)


def _terms(lot: Lot, *, is_full: bool) -> str:  # noqa: C901  # one line a tag
    """Answer what is asked for a lot and said of it; `is_full`: also what goes without saying."""
    parts = [f"<PRICE>{_price(lot.unit_price)}</PRICE><CONDITION>{'N' if lot.condition == v.NEW else 'U'}</CONDITION>"]
    add = parts.append
    if lot.completeness:
        add(f"<SUBCONDITION>{_LETTER_OF_COMPLETENESS[lot.completeness]}</SUBCONDITION>")
    if is_full or lot.bulk != 1:
        add(f"<BULK>{lot.bulk}</BULK>")
    if is_full or lot.sale_percent:
        add(f"<SALE>{lot.sale_percent}</SALE>")
    if is_full or lot.description:
        add(f"<DESCRIPTION>{_twice(lot.description)}</DESCRIPTION>")
    if is_full or lot.remarks:
        add(f"<REMARKS>{_twice(lot.remarks)}</REMARKS>")
    steps = list(lot.tier_prices)
    if is_full or steps:
        steps += [(0, Decimal(0))] * (v.TIERS - len(steps))
        for step, (qty, price) in enumerate(steps, start=1):
            add(f"<TQ{step}>{qty}</TQ{step}><TP{step}>{_price(price)}</TP{step}>")
    if is_full or lot.is_retain:
        add(f"<RETAIN>{'Y' if lot.is_retain else 'N'}</RETAIN>")
    if lot.is_stock_room:
        add(f"<STOCKROOM>Y</STOCKROOM><STOCKROOMID>{lot.stock_room_id}</STOCKROOMID>")
    elif is_full:
        add("<STOCKROOM>N</STOCKROOM>")
    if lot.cost_basis is not None:
        add(f"<MYCOST>{_price(lot.cost_basis)}</MYCOST>")
    return "".join(parts)


def _for_upload(lot: Lot) -> str:
    category = f"<CATEGORY>{escaped(lot.extra['CATEGORY'])}</CATEGORY>" if "CATEGORY" in lot.extra else ""
    buyer = f"<BUYERUSERNAME>{_twice(lot.reserved_for)}</BUYERUSERNAME>" if lot.reserved_for else ""
    weight = f"<MYWEIGHT>{lot.weight_grams:.4f}</MYWEIGHT>" if lot.weight_grams is not None else ""
    return (
        f"<ITEM><ITEMTYPE>{_LETTERS[lot.item_type]}</ITEMTYPE><ITEMID>{escaped(lot.item_no)}</ITEMID>{category}"
        f"<COLOR>{lot.color_id or 0}</COLOR><QTY>{lot.qty_available}</QTY>{_terms(lot, is_full=False)}"
        f"{buyer}{weight}</ITEM>\n"
    )


def _for_update(lot: Lot) -> str:
    if lot.bricklink_lot_id is None:
        return ""
    return f"<ITEM><LOTID>{lot.bricklink_lot_id}</LOTID>{_terms(lot, is_full=True)}</ITEM>\n"


def _file(lots: Iterable[Lot], item: Callable[[Lot], str]) -> Iterator[bytes]:
    """Answer the file: without a declaration, which BrickLink's pages don't take."""
    parts, size = [f"<{_ROOT}>\n"], 0
    for lot in lots:
        text = item(lot)
        parts.append(text)
        size += len(text)
        if size > _PIECE:
            yield "".join(parts).encode()
            parts, size = [], 0
    parts.append(f"</{_ROOT}>\n")
    yield "".join(parts).encode()


@register
class BrickLinkXml(Format):
    """What BrickLink's pages take and give out; written as they take new lots."""

    spec = FormatSpec(
        code="bricklink_xml", label="BrickLink XML", suffix=".xml", media_type="application/xml", docs=_DOCS
    )

    def sniff(self, head: bytes) -> bool:
        """Tell it by the root; BrickLink's other files, too, are told here, so that reading can say what they are."""
        root = root_of(head)
        return root == _ROOT or root in _OTHERS

    def facts(self, stream: BinaryIO) -> FileFacts:
        """Answer the currency, which only the store's own download states."""
        head = stream.read(HEAD_BYTES)
        _require_stock(head)
        return FileFacts(currency=currency_of(head))

    def read(self, stream: BinaryIO, *, mapping: Mapping[str, str] | None = None) -> Reading:
        """Answer the rows of a store's download, an upload, an update or a wanted list."""
        reading = Reading(rows=iter(()))
        reading.rows = self._rows(stream, reading)
        return reading

    def _rows(self, stream: BinaryIO, reading: Reading) -> Iterator[LotRow | RowProblem]:
        head = stream.read(HEAD_BYTES)
        _require_stock(head)
        row = _Reader(reading, currency_of(head)).row
        around = Around(ignored=reading.ignored)
        is_first = True
        for item in items(stream, head=head, container="", item="ITEM", around=around):
            if isinstance(item, RowProblem):
                yield item
                continue
            if is_first and not _OF_SET_INVENTORY.isdisjoint(name for name, _ in item.fields):
                raise UnreadableFile(_SET_INVENTORY)
            is_first = False
            yield row(item)

    def write(self, lots: Iterable[Lot], *, currency: str, around: Mapping[str, Any] | None = None) -> Iterator[bytes]:
        """Answer a mass upload: new lots with all that BrickLink takes of them."""
        return _file(lots, _for_upload)


class BrickLinkUpdate(Format):
    """A mass update of lots that are at BrickLink already.

    Without quantities: there they are differences from what the store has, which a file of our own can't know.
    """

    spec = FormatSpec(
        code="bricklink_update",
        label="BrickLink XML, mass update (no quantities)",
        suffix=".xml",
        media_type="application/xml",
        docs=_DOCS,
        can_read=False,
    )

    def write(self, lots: Iterable[Lot], *, currency: str, around: Mapping[str, Any] | None = None) -> Iterator[bytes]:
        """Answer the update of those lots whose number at BrickLink is known."""
        return _file(lots, _for_update)
