"""Rebrickable's API v3: cross-references of parts, colors, elements, contents of sets.

https://rebrickable.com/api/v3/docs/ and its swagger, checked on 2026-04-02; catalog-sources.md, section 1.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from catalog.choices import ItemType, System
from catalog.sources.base import (
    ELEMENT,
    Can,
    FoundItem,
    FoundItems,
    ItemColor,
    SetLine,
    Source,
    SourceSpec,
    registry,
)

_SYSTEM_OF = {
    "BrickLink": System.BRICKLINK,
    "BrickOwl": System.BRICKOWL,
    "LDraw": System.LDRAW,
    "LEGO": System.LEGO_DESIGN,
}
_PARAMETER_OF = {
    System.BRICKLINK: "bricklink_id",
    System.BRICKOWL: "brickowl_id",
    System.LDRAW: "ldraw_id",
    System.LEGO_DESIGN: "lego_id",
    System.REBRICKABLE: "part_nums",
}
# Numbers of sets are BrickLink's too (catalog-sources.md, 4.5).
_SET = re.compile(r"[^/]+-\d+")
_FIGURE = re.compile(r"fig-\d+")
_THROTTLED = re.compile(rb"available in (\d+) second")
# Of numbers in one address, and of rows in one answer.
_BATCH = 100
_PAGE_SIZE = 1000
# The largest list, parts of a color, has 60; one that goes on and on is broken.
_PAGES = 100


@registry.register
class Rebrickable(Source):
    """The best cross-references there are, and no prices."""

    spec = SourceSpec(
        code="rebrickable",
        label="Rebrickable",
        docs="https://rebrickable.com/api/v3/docs/",
        can=frozenset({Can.LOOK_UP, Can.LOOK_UP_MANY, Can.COLORS_OF, Can.CONTENTS_OF}),
        systems=frozenset({ELEMENT, *_PARAMETER_OF}),
        # "On average 1 request/second", with a small burst.
        per_second=1.0,
        burst=3,
        per_day=40_000,
        credentials=("key",),
    )

    @staticmethod
    def headers(credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Answer the key in a header: queries end up in logs."""
        return {"Authorization": f"key {credentials['key']}"}

    @staticmethod
    def retry_after(status: int, headers: Mapping[str, str], body: bytes) -> float | None:
        """Answer the seconds that the text of a 429 names; no header is promised."""
        found = _THROTTLED.search(body)
        return float(found[1]) if found else Source.retry_after(status, headers, body)

    def look_up(self, system: str, number: str) -> FoundItems:
        """Answer what the number means: a set or figure by its form, else parts."""
        if system == ELEMENT:
            return self._ask("look_up", element_result, element_request(number))
        if system in (System.BRICKLINK, System.REBRICKABLE) and (_SET.fullmatch(number) or _FIGURE.fullmatch(number)):
            return self._ask("look_up", set_result, set_request(number))
        return self._ask("look_up", parts_result, parts_request(system, number))

    def look_up_many(self, numbers: Sequence[str]) -> tuple[FoundItem, ...]:
        """Answer the parts of those numbers, a hundred with each call."""
        return tuple(
            item
            for start in range(0, len(numbers), _BATCH)
            for item in self._ask(
                "look_up_many", parts_result, many_parts_request(numbers[start : start + _BATCH])
            ).items
        )

    def colors_of(self, number: str) -> tuple[ItemColor, ...]:
        """Answer the colors in which sets have the part."""
        return tuple(self._pages("colors_of", part_colors_request(number), part_color_result))

    def contents_of(self, number: str) -> tuple[SetLine, ...]:
        """Answer the parts of a set or figure, spares included, and a set's figures."""
        parts = tuple(self._pages("contents_of", contents_request(number), contents_result))
        if not parts or _FIGURE.fullmatch(number):
            return parts
        return (*parts, *self._pages("contents_of", figures_request(number), figure_result))

    def _pages(self, operation: str, request: Mapping[str, Any], read: Any) -> Iterator[Any]:
        """Answer the rows of a list, page by page."""
        for _page in range(_PAGES):
            answer = self._wire.call(operation, **request)
            rows, params = self._read(operation, lambda data: page_result(data, read), answer)
            yield from rows
            if params is None:
                return
            request = {**request, "params": params}


def parts_request(system: str, number: str) -> dict[str, Any]:
    """Ask which parts have the number of that system."""
    if system == System.BRICKOWL:
        # With a color behind it, it is a part in that color.
        number = number.partition("-")[0]
    params = {_PARAMETER_OF[System(system)]: number, "inc_part_details": 1, "page_size": _PAGE_SIZE}
    return {"path": "lego/parts/", "params": params}


def many_parts_request(numbers: Sequence[str]) -> dict[str, Any]:
    """Ask for parts by Rebrickable's own numbers."""
    return {"path": "lego/parts/", "params": {"part_nums": ",".join(numbers), "page_size": _PAGE_SIZE}}


def parts_result(data: Any) -> FoundItems:
    """Read a list of parts."""
    return FoundItems(tuple(_part(row) for row in data["results"]))


def element_request(number: str) -> dict[str, Any]:
    """Ask which part in which color an element is."""
    return {"path": f"lego/elements/{_safe(number)}/", "may_be_missing": True}


def element_result(data: Any) -> FoundItems:
    """Read an element."""
    if data is None:
        return FoundItems()
    return FoundItems((_part(data["part"]),), color_id=int(data["color"]["id"]))


def set_request(number: str) -> dict[str, Any]:
    """Ask for a set, or for a figure (`fig-000001`)."""
    table = "minifigs" if _FIGURE.fullmatch(number) else "sets"
    return {"path": f"lego/{table}/{_safe(number)}/", "may_be_missing": True}


def set_result(data: Any) -> FoundItems:
    """Read a set or a figure."""
    if data is None:
        return FoundItems()
    number = str(data["set_num"])
    is_figure = _FIGURE.fullmatch(number) is not None
    item = FoundItem(
        item_type=ItemType.MINIFIG if is_figure else ItemType.SET,
        number=number,
        name=str(data["name"]),
        image_url=str(data["set_img_url"] or ""),
        ids={System.REBRICKABLE.value: (number,)},
        year_from=_year(data.get("year")),
    )
    return FoundItems((item,))


def part_colors_request(number: str) -> dict[str, Any]:
    """Ask for the colors of a part."""
    params = {"page_size": _PAGE_SIZE}
    return {"path": f"lego/parts/{_safe(number)}/colors/", "params": params, "may_be_missing": True}


def part_color_result(row: Any) -> ItemColor:
    """Read one color of a part."""
    return ItemColor(
        color_id=int(row["color_id"]),
        element_ids=tuple(str(element) for element in row["elements"]),
        sets_count=int(row["num_sets"]),
        image_url=str(row["part_img_url"] or ""),
    )


def contents_request(number: str) -> dict[str, Any]:
    """Ask which parts a set or figure has; those of a set's figures are asked for with the figure."""
    params = {"inc_color_details": 0, "page_size": _PAGE_SIZE}
    table = "minifigs" if _FIGURE.fullmatch(number) else "sets"
    return {"path": f"lego/{table}/{_safe(number)}/parts/", "params": params, "may_be_missing": True}


def contents_result(row: Any) -> SetLine:
    """Read one line of a set."""
    return SetLine(
        item=_part(row["part"]),
        color_id=int(row["color"]["id"]),
        qty=int(row["quantity"]),
        is_spare=bool(row["is_spare"]),
    )


def figures_request(number: str) -> dict[str, Any]:
    """Ask which figures a set has."""
    return {"path": f"lego/sets/{_safe(number)}/minifigs/", "params": {"page_size": _PAGE_SIZE}, "may_be_missing": True}


def figure_result(row: Any) -> SetLine:
    """Read one figure of a set."""
    number = str(row["set_num"])
    figure = FoundItem(
        item_type=ItemType.MINIFIG,
        number=number,
        name=str(row["set_name"]),
        image_url=str(row["set_img_url"] or ""),
        ids={System.REBRICKABLE.value: (number,)},
    )
    return SetLine(item=figure, color_id=None, qty=int(row["quantity"]))


def page_result(data: Any, read: Any) -> tuple[list[Any], dict[str, str] | None]:
    """Read one page; answer its rows, and the parameters of the next, None at the end.

    A missing list has none, nor has a page that went away meanwhile. Only the query of `next` is followed: the key goes
    to no host but the one that we chose.
    """
    if data is None:
        return [], None
    following = data["next"]
    params = dict(parse_qsl(urlsplit(following).query)) if following else None
    return [read(row) for row in data["results"]], params


def _part(row: Any) -> FoundItem:
    number = str(row["part_num"])
    ids = {
        system.value: tuple(str(each) for each in row["external_ids"][name])
        for name, system in _SYSTEM_OF.items()
        if name in row["external_ids"]
    }
    return FoundItem(
        item_type=ItemType.PART,
        number=number,
        name=str(row["name"]),
        image_url=str(row["part_img_url"] or ""),
        ids={**ids, System.REBRICKABLE.value: (number,)},
        year_from=_year(row.get("year_from")),
        year_to=_year(row.get("year_to")),
    )


def _year(value: Any) -> int | None:
    return int(value) if value else None


def _safe(number: str) -> str:
    """Answer a number as one segment of a path."""
    return quote(number, safe="")
