"""The catalog's calls: items, what they are made of, colors, categories, element numbers."""

import re
from collections.abc import Sequence
from typing import Any

from sandbox.bricklink.call import Call, Handler
from sandbox.bricklink.envelope import Answer, Refusal, entities
from sandbox.items import Color, Item, Line, items

_LETTERS = {"PART": "P", "SET": "S", "MINIFIG": "M", "GEAR": "G", "BOOK": "B", "CATALOG": "C"}
_SIZE = re.compile(r"(\d+) x (\d+)")
_NO_COLOR = "(Not Applicable)"
_Row = dict[str, Any]


def short(item: Item) -> _Row:
    """Answer an item as other resources name it."""
    return {"no": item.no, "name": entities(item.name), "type": item.type, "category_id": item.category_id}


def color_name(color_id: int) -> str:
    """Answer what a color is called."""
    color = items().colors.get(color_id)
    return entities(color.name) if color and color_id else _NO_COLOR


def _item(call: Call) -> Answer:
    item = call.item()
    scheme = "https:" if call.world.switches["bl.image_scheme"] == "https" else ""
    letter = _LETTERS.get(item.type, item.type[0])
    size = _SIZE.search(item.name) if item.type == "PART" else None
    wide, long = (size[1], size[2]) if size else ("0", "0")
    row: _Row = {
        "no": item.no,
        "name": entities(item.name),
        "type": item.type,
        "image_url": f"{scheme}//img.bricklink.com/{letter}L/{item.no}.jpg",
        "thumbnail_url": f"{scheme}//img.bricklink.com/{letter}/{item.colors[0]}/{item.no}.jpg",
        "weight": f"{item.weight // 100}.{item.weight % 100:02d}",
        "dim_x": f"{wide}.00",
        "dim_y": f"{long}.00",
        "dim_z": "1.00" if size else "0.00",
        "year_released": item.year,
        "is_obsolete": False,
        "category_id": item.category_id,
    }
    if item.alternate_no:
        row["alternate_no"] = item.alternate_no
    return Answer(row)


def _image(call: Call) -> Answer:
    item, text = call.item(), call.found["color_id"]
    color = int(text) if text.isascii() and text.isdigit() else -1
    if color not in items().colors:
        raise Refusal.parameter(f"color_id: {text}")
    letter = _LETTERS.get(item.type, item.type[0])
    return Answer(
        {
            "no": item.no,
            "type": item.type,
            "thumbnail_url": f"//img.bricklink.com/{letter}/{color}/{item.no}.jpg",
        }
    )


def _colors_of(call: Call) -> Answer:
    item = call.item()
    counts = [
        {"color_id": color, "quantity": sum(line.quantity for _, line in _uses(item) if line.color_id == color)}
        for color in item.colors
    ]
    return Answer(counts)


def _uses(item: Item) -> Sequence[tuple[Item, Line]]:
    return items().inside.get((item.type, item.no), ())


def _supersets(call: Call) -> Answer:
    item, wanted = call.item(), call.whole("color_id")
    by_color: dict[int, list[_Row]] = {}
    for holder, line in _uses(item):
        if wanted in (None, line.color_id):
            appears = "A" if line.is_alternate else "R"
            by_color.setdefault(line.color_id, []).append(
                {"item": short(holder), "quantity": line.quantity, "appears_as": appears}
            )
    return Answer([{"color_id": color, "entries": entries} for color, entries in sorted(by_color.items())])


def _subsets(call: Call) -> Answer:
    item = call.item()
    call.whole("color_id")
    is_flat, breaks_sets = call.flag("break_minifigs"), call.flag("break_subsets")
    with_box, with_instruction = call.flag("box"), call.flag("instruction")
    lines = list(items().contents.get((item.type, item.no), ()))
    if is_flat or breaks_sets:
        lines = _broken(lines, {kind for kind, is_on in (("MINIFIG", is_flat), ("SET", breaks_sets)) if is_on})
    if item.type == "SET":
        for kind, is_wanted in (("INSTRUCTION", with_instruction), ("ORIGINAL_BOX", with_box)):
            beside = items().find(kind, item.no)
            if beside and is_wanted:
                lines.append(Line(beside, 0, 1, 0))
    matches: dict[tuple[int, int], list[Line]] = {}
    for place, line in enumerate(lines):
        matches.setdefault((line.match_no, -1 if line.match_no else place), []).append(line)
    rows = [{"match_no": number, "entries": [_entry(line) for line in group]} for (number, _), group in matches.items()]
    return Answer(rows)


def _broken(lines: Sequence[Line], kinds: set[str]) -> list[Line]:
    """Answer lines with the parts of those kinds in place of them, equal ones as one."""
    found: list[Line] = []
    for line in lines:
        inner = items().contents.get((line.item.type, line.item.no), ()) if line.item.type in kinds else ()
        if not inner:
            found.append(line)
        found += [Line(each.item, each.color_id, each.quantity * line.quantity, each.extra) for each in inner]
    rows: dict[tuple[str, str, int, int, bool], Line] = {}
    for line in found:
        key = (line.item.type, line.item.no, line.color_id, line.match_no, line.is_alternate)
        known = rows.get(key)
        more = (known.quantity, known.extra) if known else (0, 0)
        rows[key] = Line(
            line.item, line.color_id, line.quantity + more[0], line.extra + more[1], line.match_no, line.is_alternate
        )
    return list(rows.values())


def _entry(line: Line) -> _Row:
    return {
        "item": short(line.item),
        "color_id": line.color_id,
        "quantity": line.quantity,
        "extra_quantity": line.extra,
        "is_alternate": line.is_alternate,
        "is_counterpart": False,
    }


def _color_row(color: Color) -> _Row:
    return {
        "color_id": color.id,
        "color_name": color_name(color.id),
        "color_code": color.rgb,
        "color_type": color.kind,
    }


def _colors(_call: Call) -> Answer:
    return Answer([_color_row(color) for color in items().colors.values()])


def _color(call: Call) -> Answer:
    color = items().colors.get(int(call.found["number"]))
    if color is None:
        raise Refusal.unknown(f"color_id: {call.found['number']}")
    return Answer(_color_row(color))


def _category_row(number: int, name: str) -> _Row:
    return {"category_id": number, "category_name": entities(name), "parent_id": 0}


def _categories(_call: Call) -> Answer:
    return Answer([_category_row(number, name) for number, name in items().categories.items()])


def _category(call: Call) -> Answer:
    number = int(call.found["number"])
    if number not in items().categories:
        raise Refusal.unknown(f"category_id: {number}")
    return Answer(_category_row(number, items().categories[number]))


def _mapping(item: Item, color: int, element: str) -> _Row:
    return {
        "item": {"no": item.no, "type": item.type},
        "color_id": color,
        "color_name": color_name(color),
        "element_id": element,
    }


def _elements_of(call: Call) -> Answer:
    if call.found["type"].upper() != "PART":
        raise Refusal.parameter(f"type: {call.found['type']}")
    item, wanted = call.item(), call.whole("color_id")
    rows = [
        _mapping(item, color, element)
        for color, elements in item.elements.items()
        for element in elements
        if wanted in (None, color)
    ]
    return _mapped(call, rows, f"no: {item.no}")


def _element(call: Call) -> Answer:
    found = items().by_element.get(call.found["element"])
    rows = [_mapping(*found, call.found["element"])] if found else []
    return _mapped(call, rows, f"element_id: {call.found['element']}")


def _mapped(call: Call, rows: list[_Row], description: str) -> Answer:
    if not rows and call.world.switches["bl.no_mapping"] == "404":
        raise Refusal.unknown(description)
    return Answer(rows)


_THING = r"/items/(?P<type>[^/]+)/(?P<no>[^/]+)"
ROUTES: Sequence[tuple[str, str, Handler]] = (
    ("GET", _THING, _item),
    ("GET", rf"{_THING}/images/(?P<color_id>[^/]+)", _image),
    ("GET", rf"{_THING}/supersets", _supersets),
    ("GET", rf"{_THING}/subsets", _subsets),
    ("GET", rf"{_THING}/colors", _colors_of),
    ("GET", "/colors", _colors),
    ("GET", r"/colors/(?P<number>\d{1,9})", _color),
    ("GET", "/categories", _categories),
    ("GET", r"/categories/(?P<number>\d{1,9})", _category),
    ("GET", r"/item_mapping/(?P<type>[^/]+)/(?P<no>[^/]+)", _elements_of),
    ("GET", r"/item_mapping/(?P<element>[^/]+)", _element),
)
