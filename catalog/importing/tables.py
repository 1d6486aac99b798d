"""The tables that Rebrickable and BrickLink publish: their columns, and what each cell must be.

Rebrickable: https://rebrickable.com/downloads/, columns as of 2026-04-02; older dumps have fewer. BrickLink:
https://www.bricklink.com/catalogDownload.asp, text and XML as of 2025-10 (catalog-sources.md, 2 and 3).
"""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from catalog.choices import ITEM_TYPE_OF_LETTER, ItemType, RelationKind

_INT_LIMIT = 2**31
# The largest sets have some 12,000 pieces.
_MOST_PIECES = 1_000_000
_WEIGHT_LIMIT, _HUNDREDTH = Decimal(10) ** 7, Decimal("0.01")
_YEARS = (1930, 2100)
_FLAGS = {"t": True, "true": True, "y": True, "1": True, "f": False, "false": False, "n": False, "0": False, "": False}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what the staging table calls it and is made of, and how a cell is read (raises ValueError).

    `header`: what the file calls it; an optional one may be missing, and is null then.
    """

    name: str
    header: str
    pg_type: str
    read: Callable[[str], Any]
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a source. `code`: `rebrickable/parts`; its staging table has the same name with underscores."""

    code: str
    columns: tuple[Column, ...]
    # Rows of which no more than so many may be missing against the last time; lists of single items come alone.
    is_whole: bool = True

    @property
    def staging(self) -> str:
        """Answer the name of the table in which its rows wait."""
        return "staged_" + self.code.replace("/", "_")

    @property
    def headers(self) -> frozenset[str]:
        """Answer the columns that a file must have."""
        return frozenset(column.header for column in self.columns if not column.is_optional)


# --- Cells ----------------------------------------------------------------------------------------------------------
def _text(limit: int, *, is_empty_fine: bool = False) -> Callable[[str], str]:
    def read(cell: str) -> str:
        text = cell.strip()
        if not text and not is_empty_fine:
            raise ValueError("is empty")
        if len(text) > limit:
            raise ValueError(f"is longer than {limit} characters")
        if not text.isprintable():
            raise ValueError("has signs in it that nobody sees")
        return text

    return read


def _seen(text: str) -> str:
    """Answer the text with blanks for what nobody sees, such as signs that turn the direction of writing."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else " " for sign in text)


def _words(limit: int) -> Callable[[str], str]:
    """Read text with HTML's entities in it; BrickLink's XML writes some of them twice."""
    plain = _text(limit, is_empty_fine=True)

    def read(cell: str) -> str:
        text = html.unescape(cell) if "&" in cell else cell
        return plain(_seen(html.unescape(text) if "&#" in text else text))

    return read


def _whole(cell: str) -> int:
    number = int(cell)
    if not -_INT_LIMIT < number < _INT_LIMIT:
        raise ValueError("is too large a number")
    return number


def _key(cell: str) -> int:
    number = _whole(cell)
    if number < 0:
        raise ValueError("is below zero")
    return number


def _count(cell: str) -> int:
    number = _whole(cell)
    if not 0 < number <= _MOST_PIECES:
        raise ValueError("is not a number of pieces")
    return number


def _perhaps(read: Callable[[str], Any]) -> Callable[[str], Any]:
    def perhaps(cell: str) -> Any:
        return None if cell.strip() in ("", "?") else read(cell)

    return perhaps


def _year(cell: str) -> int | None:
    text = cell.strip()
    return int(text) if text.isdecimal() and _YEARS[0] <= int(text) <= _YEARS[1] else None


def _weight(cell: str) -> Decimal | None:
    try:
        grams = Decimal(cell.strip()).quantize(_HUNDREDTH, ROUND_HALF_UP)
    except InvalidOperation:
        return None
    return grams if 0 < grams < _WEIGHT_LIMIT else None


def _dimensions(cell: str) -> str:
    text = _seen(cell).strip()
    return "" if "?" in text else text[:60]


def _numbers(cell: str) -> str:
    """Read a list of numbers of items, such as a part had before."""
    return ",".join(_NO(number) for number in cell.split(",") if number.strip())


def _flag(cell: str) -> bool:
    return _FLAGS[cell.strip().lower()]


def _rgb(cell: str) -> str:
    text = cell.strip().lstrip("#").upper()
    return text if re.fullmatch(r"[0-9A-F]{6}", text) else ""


def _relation(cell: str) -> str:
    return RelationKind(cell.strip()).value


def _item_type(cell: str) -> str:
    return ITEM_TYPE_OF_LETTER[cell.strip().upper()].value


def _url(cell: str) -> str:
    text = cell.strip()
    return text if len(text) <= 500 and text.startswith("https://") and text.isprintable() else ""  # noqa: PLR2004  # the column's length


_NO, _NAME = _text(40), _words(400)
_PERHAPS_WHOLE, _PERHAPS_KEY = _perhaps(_whole), _perhaps(_key)


def _column(name: str, pg_type: str, read: Callable[[str], Any], *, header: str = "", optional: bool = False) -> Column:
    return Column(name, header or name, pg_type, read, optional)


# --- Rebrickable ----------------------------------------------------------------------------------------------------
REBRICKABLE = (
    Table("rebrickable/themes", (
        _column("id", "int", _key), _column("name", "text", _NAME), _column("parent_id", "int", _PERHAPS_WHOLE),
    )),
    Table("rebrickable/colors", (
        _column("id", "int", _whole), _column("name", "text", _NAME), _column("rgb", "text", _rgb),
        _column("is_trans", "bool", _flag),
    )),
    Table("rebrickable/part_categories", (_column("id", "int", _key), _column("name", "text", _NAME))),
    Table("rebrickable/parts", (
        _column("part_num", "text", _NO), _column("name", "text", _NAME), _column("part_cat_id", "int", _PERHAPS_WHOLE),
    )),
    Table("rebrickable/part_relationships", (
        _column("rel_type", "text", _relation), _column("child_part_num", "text", _NO),
        _column("parent_part_num", "text", _NO),
    )),
    Table("rebrickable/elements", (
        _column("element_id", "text", _text(20)), _column("part_num", "text", _NO), _column("color_id", "int", _whole),
        _column("design_id", "text", _text(20, is_empty_fine=True), optional=True),
    )),
    Table("rebrickable/sets", (
        _column("set_num", "text", _NO), _column("name", "text", _NAME), _column("year", "int", _year),
        _column("theme_id", "int", _PERHAPS_WHOLE), _column("num_parts", "int", _PERHAPS_WHOLE),
        _column("img_url", "text", _url, optional=True),
    )),
    Table("rebrickable/minifigs", (
        _column("fig_num", "text", _NO), _column("name", "text", _NAME), _column("num_parts", "int", _PERHAPS_WHOLE),
        _column("img_url", "text", _url, optional=True),
    )),
    Table("rebrickable/inventories", (
        _column("id", "int", _whole), _column("version", "int", _whole), _column("set_num", "text", _NO),
    )),
    Table("rebrickable/inventory_parts", (
        _column("inventory_id", "int", _whole), _column("part_num", "text", _NO), _column("color_id", "int", _whole),
        _column("quantity", "int", _count), _column("is_spare", "bool", _flag),
        _column("img_url", "text", _url, optional=True),
    )),
    Table("rebrickable/inventory_sets", (
        _column("inventory_id", "int", _whole), _column("set_num", "text", _NO), _column("quantity", "int", _count),
    )),
    Table("rebrickable/inventory_minifigs", (
        _column("inventory_id", "int", _whole), _column("fig_num", "text", _NO), _column("quantity", "int", _count),
    )),
)  # fmt: skip

# --- BrickLink ------------------------------------------------------------------------------------------------------
# What BrickLink calls the files of each kind, in lower case and without what follows a blank, dash or underscore.
ITEM_TYPE_OF_FILE: Mapping[str, ItemType] = {
    "parts": ItemType.PART, "sets": ItemType.SET, "minifigures": ItemType.MINIFIG, "minifigs": ItemType.MINIFIG,
    "gear": ItemType.GEAR, "books": ItemType.BOOK, "catalogs": ItemType.CATALOG,
    "instructions": ItemType.INSTRUCTION, "original": ItemType.BOX, "boxes": ItemType.BOX,
}  # fmt: skip
BRICKLINK_ITEMS = {
    kind: Table(f"bricklink/{kind.lower()}", (
        _column("category_id", "int", _key, header="Category ID"),
        _column("category_name", "text", _words(300), header="Category Name"),
        _column("item_no", "text", _NO, header="Number"), _column("name", "text", _NAME, header="Name"),
        _column("year", "int", _year, header="Year Released", optional=True),
        _column("weight_grams", "numeric", _weight, header="Weight (in Grams)", optional=True),
        _column("dimensions", "text", _dimensions, header="Dimensions", optional=True),
        _column("alternates", "text", _numbers, header="Alternate Item Number", optional=True),
    ))
    for kind in dict.fromkeys(ITEM_TYPE_OF_FILE.values())
}  # fmt: skip
BRICKLINK_CATEGORIES = Table("bricklink/categories", (
    _column("id", "int", _key, header="Category ID"), _column("name", "text", _words(300), header="Category Name"),
))  # fmt: skip
BRICKLINK_COLORS = Table("bricklink/colors", (
    _column("id", "int", _key, header="Color ID"), _column("name", "text", _words(80), header="Color Name"),
    _column("rgb", "text", _rgb, header="RGB"),
    _column("color_type", "text", _text(20, is_empty_fine=True), header="Type"),
    _column("year_from", "int", _year, header="Year From", optional=True),
    _column("year_to", "int", _year, header="Year To", optional=True),
))  # fmt: skip
BRICKLINK_CODES = Table("bricklink/codes", (
    _column("item_no", "text", _NO, header="Item No"), _column("color_name", "text", _words(80), header="Color"),
    _column("element_id", "text", _text(20), header="Code"),
))  # fmt: skip
BRICKLINK_CONTENTS = Table("bricklink/contents", (
    _column("item_type", "text", _item_type, header="Type"), _column("item_no", "text", _NO, header="Item No"),
    _column("qty", "int", _count, header="Qty"), _column("color_id", "int", _PERHAPS_WHOLE, header="Color ID"),
    _column("is_spare", "bool", _flag, header="Extra?"), _column("is_alternate", "bool", _flag, header="Alternate?"),
    _column("match_id", "int", _PERHAPS_KEY, header="Match ID"),
    _column("is_counterpart", "bool", _flag, header="Counterpart?"),
), is_whole=False)  # fmt: skip
# Nothing that the application doesn't know: read, so that a whole download goes through.
BRICKLINK_ITEM_TYPES = Table("bricklink/itemtypes", (
    _column("letter", "text", _text(1), header="Item Type ID"),
    _column("name", "text", _words(40), header="Item Type Name"),
))  # fmt: skip
BRICKLINK = (
    BRICKLINK_ITEM_TYPES, BRICKLINK_CATEGORIES, BRICKLINK_COLORS, *BRICKLINK_ITEMS.values(), BRICKLINK_CODES,
    BRICKLINK_CONTENTS,
)  # fmt: skip

# The same columns in BrickLink's XML (catalog-sources.md, 3.2).
XML_HEADERS: Mapping[str, str] = {
    "ITEMTYPE": "Item Type ID", "ITEMTYPENAME": "Item Type Name", "CATEGORY": "Category ID",
    "CATEGORYNAME": "Category Name", "COLORNAME": "Color Name", "COLORRGB": "RGB", "COLORTYPE": "Type",
    "COLORYEARFROM": "Year From", "COLORYEARTO": "Year To", "ITEMID": "Number", "ITEMNAME": "Name",
    "ITEMYEAR": "Year Released", "ITEMWEIGHT": "Weight (in Grams)", "ALTITEMIDS": "Alternate Item Number",
    "CODENAME": "Code", "COLOR": "Color ID", "QTY": "Qty", "EXTRA": "Extra?", "ALTERNATE": "Alternate?",
    "MATCHID": "Match ID", "COUNTERPART": "Counterpart?",
}  # fmt: skip
