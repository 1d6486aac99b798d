"""Stock in columns, as workbooks and CSV have it: what a column's name means, what cells say, and our own columns."""

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from catalog import colors
from catalog.choices import ItemType
from inventory.choices import Completeness, ItemCondition, SubCondition
from inventory.parsing import values as v
from inventory.parsing.numbers import Numbers, whole_part
from inventory.parsing.problems import MAX_CELL, MAX_COLUMNS, UnreadableFile

if TYPE_CHECKING:
    from inventory.formats.base import Lot

SAMPLE_ROWS = 20
SAMPLE_CELL = 200
_REMEMBERED = 50_000
_LONG = 10
_PLATFORMS = {"rebrickable": "Rebrickable", "brickowl": "Brick Owl", "ldraw": "LDraw"}
_WORD = 100

# Column names without doubt, in small letters and without blanks and signs.
NAMES: Mapping[str, str] = {
    name: field
    for field, names in {
        "item_type": "itemtype type itemtypeid itemtypename typ artikeltyp category_type",
        "item_no": "itemno itemnumber itemid item partno partnumber part partid part# teilenummer teilenr artikelnummer"
        " nummer bricklinkid blid blitemno designid number no",
        "lego_element_id": "legoelementid elementid element legoelement legoid elementnummer",
        "brickowl_id": "boid brickowlid bo",
        "rebrickable_id": "rebrickableid rebrickableno rebrickablepartnum partnum",
        "ldraw_id": "ldrawid ldraw ldrawno",
        "rebrickable_color_id": "rebrickablecolorid rbcolorid rebrickablecolor",
        "brickowl_color_id": "brickowlcolorid bocolorid brickowlcolor",
        "ldraw_color_id": "ldrawcolorid ldrawcolor",
        "item_name": "itemname name partname title bezeichnung artikelname",
        "category_name": "category categoryname kategorie",
        "color_id": "colorid colourid color colour farbe farbid blcolorid bricklinkcolorid colorcode farbnummer",
        "color_name": "colorname colourname farbname",
        "condition": "condition cond zustand neworused newused con",
        "completeness": "completeness subcondition vollständigkeit",
        "sub_condition": "grade usedgrade subgrade",
        "qty": "qty quantity menge anzahl stück stock qtyavailable available bestand amount minqty",
        "qty_delta": "qtychange qtydelta difference",
        "unit_price": "price unitprice preis each einzelpreis saleprice priceeach",
        "cost_basis": "cost mycost unitcost einkaufspreis ek costbasis",
        "sale_percent": "sale salepercent discount rabatt",
        "bulk": "bulk bulkqty bulkquantity multiple",
        "tier_qty_1": "tq1 tierqty1 tierquantity1 tier1qty tier1quantity",
        "tier_qty_2": "tq2 tierqty2 tierquantity2 tier2qty tier2quantity",
        "tier_qty_3": "tq3 tierqty3 tierquantity3 tier3qty tier3quantity",
        "tier_price_1": "tp1 tierprice1 tier1price",
        "tier_price_2": "tp2 tierprice2 tier2price",
        "tier_price_3": "tp3 tierprice3 tier3price",
        "description": "description comments comment publicnote itemdescription beschreibung kommentar",
        "remarks": "remarks remark privatenote personalnote notes note bemerkung bemerkungen notiz",
        "is_retain": "retain retained",
        "is_stock_room": "stockroom instockroom isstockroom",
        "stock_room_id": "stockroomid",
        "weight_grams": "weight weightg myweight gewicht weightgrams",
        "low_stock_threshold": "lowstock lowstockthreshold lowstockbelow minimumstock mindestbestand",
        "reserved_for": "reserved reservedfor buyerusername buyer",
        "acquired_from": "acquiredfrom source supplier lieferant",
        "date_added": "dateadded added created",
        "last_sold_at": "lastsold datelastsold lastsoldat",
        "bricklink_lot_id": "lotid bricklinklot bricklinklotid bllotid inventoryid invid",
        "locations": "location locations storage storagelocation lagerplatz lagerort bin",
    }.items()
    for name in names.split()
}
# Written by us for people, and read by nobody.
_SILENT = frozenset(("qtyreserved", "brikonnectlot", "currency"))
_CURRENCY_COLUMN = frozenset(("currency", "basecurrency", "basecurrencycode", "währung"))
_IN_BRACKETS = re.compile(r"\(.*?\)|\[.*?\]")
_CURRENCY_CODE = re.compile(r"[(\[]\s*([A-Z]{3})\s*[)\]]|(?:^|\s)(EUR|USD|GBP)(?:$|\s)")
_SIGNS = {"€": "EUR", "£": "GBP", "US $": "USD", "US$": "USD"}
_NOT_OF_NAMES = re.compile(r"[^\w#]|_")

_TYPES: Mapping[str, str] = {
    **{letter.casefold(): kind for letter, kind in v.TYPE_OF_LETTER.items()},
    **{kind.value.casefold(): kind.value for kind in ItemType},
    **{kind.label.casefold(): kind.value for kind in ItemType},
    **{
        word: kind
        for kind, words in {
            "PART": "parts teil teile stein sticker",
            "SET": "sets",
            "MINIFIG": "minifigs minifigures figur figuren fig",
            "BOOK": "books buch",
            "CATALOG": "catalogs catalogue katalog",
            "INSTRUCTION": "instructions instr anleitung anleitungen bauanleitung",
            "BOX": "boxes original_box ob karton packaging",
            "CUSTOM": "unsorted_lot unsortiert",
        }.items()
        for word in words.split()
    },
    "original box": "BOX",
    "unsorted lot": "CUSTOM",
}
_NEW = "NEW"
_USED = "USED"
# Word → condition, completeness, grade; with the codes of Brick Owl.
_CONDITIONS: Mapping[str, tuple[str, str | None, str | None]] = {
    **dict.fromkeys(["n", "new", "neu", "neuf", "nuevo", "nuovo", "nieuw", "novo", "brandnew"], (_NEW, None, None)),
    "brand new": (_NEW, None, None),
    **dict.fromkeys(
        ["u", "used", "gebraucht", "usado", "usato", "gebruikt", "occasion", "usé", "use"], (_USED, None, None)
    ),
    "news": (_NEW, "SEALED", None),
    "newc": (_NEW, "COMPLETE", None),
    "newi": (_NEW, "INCOMPLETE", None),
    "usedc": (_USED, "COMPLETE", None),
    "usedi": (_USED, "INCOMPLETE", None),
    "usedn": (_USED, None, "LIKE_NEW"),
    "usedg": (_USED, None, "GOOD"),
    "useda": (_USED, None, "ACCEPTABLE"),
    "other": (_USED, None, None),
}
_COMPLETENESS: Mapping[str, str] = {
    **{letter.casefold(): kind for letter, kind in v.COMPLETENESS_OF_LETTER.items()},
    **{kind.value.casefold(): kind.value for kind in Completeness},
    "komplett": "COMPLETE", "vollständig": "COMPLETE", "unvollständig": "INCOMPLETE", "versiegelt": "SEALED",
    "misb": "SEALED",
}  # fmt: skip
_GRADES: Mapping[str, str] = {
    **{kind.value.casefold(): kind.value for kind in SubCondition},
    **{kind.label.casefold(): kind.value for kind in SubCondition},
    **{letter.casefold(): kind for letter, kind in v.GRADE_OF_LETTER.items()},
}
_YES = frozenset(["y", "yes", "true", "1", "x", "j", "ja", "oui", "si", "sí", "wahr"])
_NO = frozenset(["n", "no", "false", "0", "nein", "non", "falsch"])
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_GUARDED = re.compile(r"'+[=+\-@\t\r\n]")
_AS_TEXT = re.compile(r'="([^"]*)"\Z')
_GERMAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[ ,]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?\Z")
_US_CLOCK = re.compile(r"[AaPp][Mm]\Z")
_LOCATION = re.compile(r"(.*?)\s*[:=]\s*([0-9]{1,9})\Z", re.DOTALL)

Said = tuple[tuple[str, Any], ...]


class Moment(str):
    """A date that was one already in its file: ISO 8601, and on no clock in particular where its zone is UTC."""

    __slots__ = ()


class Unusable(str):
    """A cell that says nothing which could be taken; its text is why."""

    __slots__ = ()


def guarded(text: str) -> str:
    """Answer a text as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text and text[0] in "'=+-@\t\r\n" and _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """Answer what `guarded` was given, and the text of `="3001"`, with which others keep zeros and slashes."""
    if text and text[0] in "'=":
        if _GUARDED.match(text):
            return text[1:]
        if found := _AS_TEXT.match(text):
            return found[1]
    return text


def normal_name(column: str) -> str:
    """Answer a column's name as guessing compares it."""
    return _NOT_OF_NAMES.sub("", _IN_BRACKETS.sub("", column[:SAMPLE_CELL]).casefold())


def distinct(names: Sequence[str]) -> list[str]:
    """Answer the names of columns, each another: empty ones numbered, repeated ones counted."""
    seen: Counter[str] = Counter()
    found = []
    for place, raw in enumerate(names, start=1):
        name = unguarded(raw.strip())[:SAMPLE_CELL] or f"Column {place}"
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found


def is_header(cells: Sequence[str], names: Container[str] = NAMES) -> bool:
    """Tell whether a row holds names of columns, not values. `names`: those known, as `normal_name` has them."""
    words = [cell.strip() for cell in cells if cell.strip()]
    known = sum(normal_name(word) in names for word in words)
    return bool(words) and (known > 1 or (known == 1 and len(words) == 1))


class Layout:
    """Where in a file the names of the columns stand, and which they are. `header_line`: 0 if there is no such line."""

    def __init__(self, rows: Sequence[tuple[int, Sequence[str]]], known: Container[str] = NAMES) -> None:
        names = next((row for row in rows if is_header(row[1], known)), None)
        self.is_known = names is not None
        if names is None and rows and not any(any(map(str.isdecimal, cell)) for cell in rows[0][1]):
            names = rows[0]
        self.header_line = names[0] if names else 0
        self.columns = distinct(names[1] if names else [""] * max((len(cells) for _, cells in rows), default=0))
        self.rows = [cells for line, cells in rows if line > self.header_line]

    def guessed(self) -> dict[str, str]:
        """Answer which field each column is by its name."""
        return guess(self.columns)

    def sample(self) -> list[list[str]]:
        """Answer the first rows, as people are shown them."""
        return [[cell[:SAMPLE_CELL] for cell in cells[: len(self.columns)]] for cells in self.rows[:SAMPLE_ROWS]]

    def require_bounds(self) -> None:
        """Raise UnreadableFile where there are more columns than are read."""
        if len(self.columns) > MAX_COLUMNS:
            raise UnreadableFile(f"The file has {len(self.columns):,} columns; {MAX_COLUMNS} are read at most.")


def guess(columns: Sequence[str]) -> dict[str, str]:
    """Answer which field each column is by its name, where that leaves no doubt."""
    found: dict[str, str] = {}
    is_of_brickowl = any(normal_name(column) == "boid" for column in columns)
    for column in columns:
        name = normal_name(column)
        field = NAMES.get(name)
        if is_of_brickowl and name in ("lotid", "itemno", "number"):
            continue
        if field and field not in found.values():
            found[column] = field
    # The name beside the id, where a file has both.
    if "color_name" not in found.values():
        for column in columns:
            if column not in found and normal_name(column) in ("color", "colour", "farbe"):
                found[column] = "color_name"
                break
    return found


def currency_of(columns: Sequence[str], sample: Sequence[Sequence[str]], guessed: Mapping[str, str]) -> str:
    """Answer the currency that the columns' names or their first cells state; empty if they don't."""
    for place, column in enumerate(columns):
        cells = [row[place] for row in sample if place < len(row)]
        if normal_name(column) in _CURRENCY_COLUMN:
            codes = {cell.strip().upper() for cell in cells if cell.strip()}
            if len(codes) == 1 and re.fullmatch("[A-Z]{3}", code := codes.pop()):
                return code
        if guessed.get(column) == "unit_price":
            if found := _CURRENCY_CODE.search(column):
                return found[1] or found[2]
            for sign, code in _SIGNS.items():
                if any(sign in cell for cell in cells) or sign in column:
                    return code
    return ""


class RowReader:
    """Makes values of rows of cells. Remembers what a cell said: most are the same over and over."""

    def __init__(
        self, columns: Sequence[str], mapping: Mapping[str, str], ignored: Counter[str], *, is_guarded: bool
    ) -> None:
        fields = set(mapping.values())
        if not fields & v.IDENTITY:
            raise UnreadableFile("None of the columns is said to hold the item number.", needs_mapping=True)
        unknown = fields - _READERS.keys()
        if unknown:
            raise UnreadableFile(f"There is no field {sorted(unknown)[0]}.")
        self.numbers = Numbers()
        self._plan = [(place, mapping[column]) for place, column in enumerate(columns) if mapping.get(column)]
        self._rest = [
            (place, column)
            for place, column in enumerate(columns)
            if not mapping.get(column) and normal_name(column) not in _SILENT
        ]
        self._width = len(columns)
        self._ignored = ignored
        # Whether texts that look like formulas have a sign before them (`guarded`).
        self._is_guarded = is_guarded
        self._has_tiers = any(field.startswith("tier_") for field in fields)
        self._said: dict[tuple[str, str, type], Said] = {}

    def learn(self, rows: Iterable[Sequence[str]]) -> None:
        """Take from the file's first rows how it writes numbers."""
        numeric = [place for place, field in self._plan if field in _NUMERIC]
        self.numbers.learn(row[place] for row in rows for place in numeric if place < len(row))

    def values(self, cells: Sequence[str]) -> dict[str, Any]:
        """Answer the values that a row states. Raises WordError."""
        count = len(cells)
        if count > self._width and any(cell.strip() for cell in cells[self._width :]):
            if count > MAX_COLUMNS:
                raise v.WordError(f"This row has {count:,} cells.")
            self._ignored["cells beyond the last column"] += 1
        values: dict[str, Any] = {}
        remembered = self._said.get
        for place, field in self._plan:
            if place >= count:
                break
            cell = cells[place]
            said = remembered((field, cell, cell.__class__))
            if said is None:
                said = self._understood(field, cell)
            for name, value in said:
                values[name] = value
        for place, column in self._rest:
            if place < count and cells[place]:
                self._ignored[column] += 1
        self._finish(values)
        return values

    def _understood(self, field: str, cell: str) -> Said:
        if len(cell) > MAX_CELL:
            raise v.WordError(f"This cell has more than {MAX_CELL:,} characters.", field=field, raw=cell)
        if isinstance(cell, Unusable):
            raise v.WordError(cell, field=field)
        plain = unguarded(cell) if self._is_guarded and cell.__class__ is str else cell
        try:
            said = _READERS[field](plain, self.numbers)
        except v.WordError as wrong:
            raise v.WordError(str(wrong), field=wrong.field or field, raw=cell) from None
        if len(self._said) < _REMEMBERED and len(cell) < _WORD and field != "locations":
            self._said[field, cell, cell.__class__] = said
        return said

    def _finish(self, values: dict[str, Any]) -> None:
        # Another platform's number says what it is, and then in which color it can be.
        is_open = "item_no" not in values and not v.REFERENCES.keys().isdisjoint(values)
        if self._has_tiers:
            values["tier_prices"] = v.tiers(
                (step, values.pop(f"tier_qty_{step}", None), values.pop(f"tier_price_{step}", None))
                for step in (1, 2, 3)
            )
        if values.get("color_id") is None and values.get("color_name"):
            kind = values.get("item_type")
            if kind is None or kind in v.COLORED:
                found = colors.named(values["color_name"])
                if found is None:
                    name = values["color_name"]
                    raise v.WordError(f"{v.shown(name)} isn't one of BrickLink's colors.", field="color_name", raw=name)
                values["color_id"] = found.id
        dropped = [] if is_open else v.settle(values)
        for field in dropped:
            self._ignored[f"{field} of a {values.get('item_type', 'lot').lower()}"] += 1


# What cells say, by field.


def _text(field: str) -> Callable[[str, Numbers], Said]:
    return lambda cell, _: ((field, v.words(cell, field)),)


def _reference(field: str) -> Callable[[str, Numbers], Said]:
    def say(cell: str, _: Numbers) -> Said:
        text = (whole_part(cell) if cell.endswith(".0") else cell).strip()
        return ((field, v.item_no(text)),) if text else ()

    return say


def _color_of(system: str) -> Callable[[str, Numbers], Said]:
    def say(cell: str, _: Numbers) -> Said:
        word = cell.strip()
        if not word:
            return ()
        plain = whole_part(word)
        known = colors.of_platform(system)
        found = known.get(int(plain)) if plain.isdecimal() and len(plain) < _LONG else None
        if found is None:
            raise v.WordError(f"{v.shown(word)} is no color of {_PLATFORMS[system]}'s that is known here.")
        return (("color_id", found.id), ("color_name", found.name))

    return say


def _number(field: str, read: Callable[[str], Any], *, empty: Said) -> Callable[[str, Numbers], Said]:
    def say(cell: str, numbers: Numbers) -> Said:
        return ((field, read(numbers.plain(cell))),) if cell and not cell.isspace() else empty

    return say


def _whole(field: str, read: Callable[[str], Any], *, empty: Said = ()) -> Callable[[str, Numbers], Said]:
    return _number(field, lambda plain: read(whole_part(plain)), empty=empty)


def _choice(field: str, words: Mapping[str, str], *, empty: Said) -> Callable[[str, Numbers], Said]:
    def say(cell: str, _: Numbers) -> Said:
        word = cell.strip().casefold()
        if not word:
            return empty
        if word not in words:
            raise v.WordError(f"{v.shown(cell)} isn't known here.")
        return ((field, words[word]),)

    return say


def _quantity(cell: str, numbers: Numbers) -> Said:
    if not cell.strip():
        raise v.WordError("The quantity is empty.")
    return (v.quantity(whole_part(numbers.plain(cell))),)


def _difference(cell: str, numbers: Numbers) -> Said:
    plain = whole_part(numbers.plain(cell)) if cell.strip() else ""
    return (("qty_delta", v.whole(plain, "The difference", -v.MAX_INT)),) if plain else ()


def _color_id(cell: str, numbers: Numbers) -> Said:
    word = cell.strip()
    if not word:
        return (("color_id", None),)
    if word[0].isdecimal():
        plain = whole_part(word)
        if plain.isdecimal():
            return (("color_id", v.color(plain)),)
    found = colors.named(word)
    if found is None:
        raise v.WordError(f"{v.shown(word)} isn't one of BrickLink's colors.")
    return (("color_id", found.id), ("color_name", found.name))


def _condition(cell: str, _: Numbers) -> Said:
    word = cell.strip().casefold()
    if not word:
        return ()
    found = _CONDITIONS.get(word)
    if found is None:
        raise v.WordError(f"{v.shown(cell)} is neither new nor used.")
    condition, completeness, grade = found
    return (
        ("condition", condition),
        *((("completeness", completeness),) if completeness else ()),
        *((("sub_condition", grade),) if grade else ()),
    )


def _yes_no(field: str) -> Callable[[str, Numbers], Said]:
    def say(cell: str, _: Numbers) -> Said:
        word = cell.strip().casefold()
        if not word:
            return ()
        if word not in _YES and word not in _NO:
            raise v.WordError(f"{v.shown(cell)} is neither yes nor no.")
        return ((field, word in _YES),)

    return say


def _stockroom(cell: str, numbers: Numbers) -> Said:
    word = cell.strip().upper()
    if not word:
        return (("stock_room_id", ""),)
    return (("stock_room_id", word),) if word in v.STOCK_ROOMS else _yes_no("is_stock_room")(cell, numbers)


def _moment(field: str, *, empty: Said) -> Callable[[str, Numbers], Said]:
    def say(cell: str, _: Numbers) -> Said:
        word = cell.strip()
        if not word:
            return empty
        found = _time(word)
        if found is None:
            raise v.WordError(f"{v.shown(word)} isn't a date; write it as 2025-12-31.")
        return ((field, found),)

    return say


def _time(word: str) -> datetime | None:
    if german := _GERMAN_DATE.match(word):
        day, month, year, *clock = (int(part or 0) for part in german.groups())
        return v.iso_time(f"{year:04}-{month:02}-{day:02}T{clock[0]:02}:{clock[1]:02}:{clock[2]:02}")
    # Without AM or PM nobody knows which of the two is the month.
    return v.us_time(word) if _US_CLOCK.search(word) else v.iso_time(word)


def _locations(cell: str, _: Numbers) -> Said:
    found: list[tuple[str, int | None]] = []
    for part in filter(None, (part.strip() for part in re.split(r"[;|\n,]", cell))):
        if len(part) > 2 * v.MAX_LOCATION_CODE:
            raise v.WordError(f"{v.shown(part)} isn't a location.")
        numbered = _LOCATION.match(part)
        code, qty = (numbered[1], v.whole(numbered[2], "The quantity")) if numbered else (part, None)
        if not code or len(code) > v.MAX_LOCATION_CODE or v.UNPRINTABLE.search(code):
            raise v.WordError(f"{v.shown(part)} isn't a location.")
        found.append((code, qty))
    return (("locations", found),)


def _threshold(plain: str) -> int:
    return v.whole(plain, "The threshold")


def _tier_quantity(plain: str) -> int:
    return v.whole(plain, "The tier quantity")


def _sale(cell: str, numbers: Numbers) -> Said:
    return _whole("sale_percent", v.sale)(cell.strip().rstrip("%"), numbers)


_READERS: Mapping[str, Callable[[str, Numbers], Said]] = {
    "item_type": _choice("item_type", _TYPES, empty=()),
    "item_no": lambda cell, _: (("item_no", v.item_no(whole_part(cell) if cell.endswith(".0") else cell)),),
    **{field: _reference(field) for field in v.REFERENCES},
    **{f"{system}_color_id": _color_of(system) for system in ("rebrickable", "brickowl", "ldraw")},
    "item_name": _text("item_name"),
    "category_name": _text("category_name"),
    "color_id": _color_id,
    "color_name": _text("color_name"),
    "condition": _condition,
    "completeness": _choice("completeness", _COMPLETENESS, empty=(("completeness", None),)),
    "sub_condition": _choice("sub_condition", _GRADES, empty=(("sub_condition", None),)),
    "qty": _quantity,
    "qty_delta": _difference,
    "unit_price": _number("unit_price", v.amount, empty=()),
    "cost_basis": _number("cost_basis", v.amount, empty=(("cost_basis", None),)),
    "sale_percent": _sale,
    "bulk": _whole("bulk", v.bulk),
    "description": _text("description"),
    "remarks": _text("remarks"),
    "is_retain": _yes_no("is_retain"),
    "is_stock_room": _stockroom,
    "stock_room_id": _stockroom,
    "weight_grams": _number("weight_grams", v.grams, empty=(("weight_grams", None),)),
    "low_stock_threshold": _whole("low_stock_threshold", _threshold, empty=(("low_stock_threshold", None),)),
    "reserved_for": _text("reserved_for"),
    "acquired_from": _text("acquired_from"),
    "date_added": _moment("date_added", empty=()),
    "last_sold_at": _moment("last_sold_at", empty=(("last_sold_at", None),)),
    "bricklink_lot_id": _whole("bricklink_lot_id", v.lot_id, empty=(("bricklink_lot_id", None),)),
    "locations": _locations,
    **{f"tier_qty_{step}": _whole(f"tier_qty_{step}", _tier_quantity) for step in (1, 2, 3)},
    **{f"tier_price_{step}": _number(f"tier_price_{step}", v.amount, empty=()) for step in (1, 2, 3)},
}
_NUMERIC = frozenset(
    (
        "qty", "unit_price", "cost_basis", "weight_grams", "tier_price_1", "tier_price_2", "tier_price_3",
    )
)  # fmt: skip


# Our own columns

Cell = str | int | Decimal | datetime | None
_TYPE_LABELS = {kind.value: str(kind.label) for kind in ItemType}
_CONDITION_LABELS = {kind.value: str(kind.label) for kind in ItemCondition}
_COMPLETENESS_LABELS = {kind.value: str(kind.label) for kind in Completeness}
_GRADE_LABELS = {kind.value: str(kind.label) for kind in SubCondition}


@cache
def header(currency: str) -> tuple[str, ...]:
    """Answer the names of the columns that we write; `guess` knows them all but those that are for people only."""
    return (
        "Item Type", "Item No", "Item Name", "Category", "Color ID", "Color Name", "Condition", "Completeness", "Grade",
        "Qty", "Qty Reserved", f"Price ({currency})", "Cost", "Sale %", "Bulk", "TQ1", "TP1", "TQ2", "TP2", "TQ3",
        "TP3", "Description", "Remarks", "Retain", "Stockroom", "Weight (g)", "Low Stock", "Reserved For",
        "Acquired From", "Date Added", "Last Sold", "BrickLink Lot ID", "Locations", "Brikonnect Lot",
    )  # fmt: skip


def cells(lot: "Lot") -> list[Cell]:
    """Answer a lot as cells of these columns."""
    steps: list[Cell] = [part for step in lot.tier_prices for part in step]
    return [
        _TYPE_LABELS[lot.item_type],
        lot.item_no,
        lot.item_name,
        lot.category_name,
        lot.color_id,
        lot.color_name,
        _CONDITION_LABELS[lot.condition],
        _COMPLETENESS_LABELS[lot.completeness] if lot.completeness else None,
        _GRADE_LABELS[lot.sub_condition] if lot.sub_condition else None,
        lot.qty_available,
        lot.qty_reserved,
        lot.unit_price,
        lot.cost_basis,
        lot.sale_percent,
        lot.bulk,
        *steps,
        *([None] * (2 * v.TIERS - len(steps))),
        lot.description,
        lot.remarks,
        "Y" if lot.is_retain else "N",
        lot.stock_room_id,
        lot.weight_grams,
        lot.low_stock_threshold,
        lot.reserved_for,
        lot.acquired_from,
        lot.date_added,
        lot.last_sold_at,
        lot.bricklink_lot_id,
        "; ".join(f"{code}: {qty}" for code, qty in lot.locations),
        lot.id,
    ]


def iso(value: datetime) -> str:
    """Answer a time as cells of text have it."""
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
