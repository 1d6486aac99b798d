"""Rebrickable's API v3, its `lego/` half: https://rebrickable.com/api/v3/docs/."""

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from math import ceil
from typing import Any
from urllib.parse import urlencode

from sandbox.catalog import Row, catalog
from sandbox.http import Request, Response, as_json

KEY = "sandbox-key"
_PAGE_SIZE, _LARGEST_PAGE = 100, 1000
_FILTERS = {"bricklink_id": "BrickLink", "brickowl_id": "BrickOwl", "lego_id": "LEGO", "ldraw_id": "LDraw"}
_DETAILS: Mapping[str, Any] = {
    "prints": [], "molds": [], "alternates": [], "print_of": None, "year_from": 1980, "year_to": 2026,
}  # fmt: skip


class Rebrickable:
    """One key, whose calls are throttled to so many a second on average."""

    name = "rebrickable"
    prefix = "/rebrickable"
    hosts: Sequence[str] = ("rebrickable.com",)

    def __init__(self, *, per_second: float = 1.0, burst: int = 5) -> None:
        self.per_second = per_second
        self._burst = burst
        self._lock = threading.Lock()
        self._full_at = 0.0
        number = r"(?P<number>[^/]+)"
        self._routes: list[tuple[re.Pattern[str], Callable[[Request, Mapping[str, str]], Response]]] = [
            (re.compile(f"/api/v3/lego/{pattern}/"), handler)
            for pattern, handler in (
                ("parts", self._parts),
                (f"parts/{number}", self._part),
                (f"parts/{number}/colors", self._part_colors),
                (f"elements/{number}", self._element),
                ("colors", self._colors),
                (f"colors/{number}", self._color),
                ("part_categories", self._categories),
                ("sets", self._sets),
                (f"sets/{number}", self._set),
                (f"sets/{number}/parts", self._set_parts),
                (f"sets/{number}/minifigs", self._set_minifigs),
                ("minifigs", self._minifigs),
                (f"minifigs/{number}", self._minifig),
                (f"minifigs/{number}/parts", self._set_parts),
            )
        ]

    def handle(self, request: Request) -> Response:
        """Answer as the API does: key, throttle, then the resource; every path ends in a slash."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        key = key if scheme.lower() == "key" else request.word("key")
        if not key:
            return _detail("Authentication credentials were not provided.", HTTPStatus.UNAUTHORIZED)
        if key != KEY:
            return _detail("Invalid token.", HTTPStatus.UNAUTHORIZED)
        if wait_s := self._throttled():
            seconds = ceil(wait_s)
            unit = "second" if seconds == 1 else "seconds"
            return _detail(
                f"Request was throttled. Expected available in {seconds} {unit}.", HTTPStatus.TOO_MANY_REQUESTS
            )
        for pattern, handler in self._routes:
            found = pattern.fullmatch(request.path)
            if found and request.method == "GET":
                return handler(request, found.groupdict())
            if found:
                return _detail(f'Method "{request.method}" not allowed.', HTTPStatus.METHOD_NOT_ALLOWED)
        return _detail("Not found.", HTTPStatus.NOT_FOUND)

    def _throttled(self) -> float:
        """Take a call; answer the seconds that are missing, 0 where it is within the rate."""
        with self._lock:
            now = time.monotonic()
            full_at = max(now, self._full_at)
            wait_s = full_at - now - (self._burst - 1) / self.per_second
            if wait_s <= 0:
                self._full_at = full_at + 1 / self.per_second
            return max(0.0, wait_s)

    def _parts(self, request: Request, _found: Mapping[str, str]) -> Response:
        rows = list(catalog().parts.values())
        wanted = set(request.word("part_nums").split(",")) | {request.word("part_num")}
        if request.word("part_nums") or request.word("part_num"):
            rows = [row for row in rows if row["part_num"] in wanted]
        if category := request.word("part_cat_id"):
            rows = [row for row in rows if str(row["part_cat_id"]) == category]
        if words := request.word("search").lower().split():
            rows = [row for row in rows if all(word in f"{row['part_num']} {row['name']}".lower() for word in words)]
        for parameter, system in _FILTERS.items():
            if number := request.word(parameter):
                mapped = [row for row in rows if number in row["external_ids"].get(system, ())]
                # An equal number is taken for the same only where nothing is mapped explicitly.
                rows = mapped or [
                    row for row in rows if row["part_num"] == number and not row["external_ids"].get(system)
                ]
        if request.word("inc_part_details") == "1":
            rows = [{**row, **_DETAILS} for row in rows]
        return _page(request, rows)

    def _part(self, _request: Request, found: Mapping[str, str]) -> Response:
        part = catalog().parts.get(found["number"])
        return _one({**part, **_DETAILS} if part else None)

    def _part_colors(self, request: Request, found: Mapping[str, str]) -> Response:
        if found["number"] not in catalog().parts:
            return _one(None)
        rows = [
            {
                "color_id": color,
                "color_name": catalog().colors[color]["name"],
                "num_sets": len(elements),
                "num_set_parts": 4 * len(elements),
                "part_img_url": f"https://cdn.rebrickable.com/media/parts/elements/{elements[0]}.jpg",
                "elements": elements,
            }
            for color, elements in sorted(catalog().elements_of[found["number"]].items())
        ]
        return _page(request, rows)

    def _element(self, _request: Request, found: Mapping[str, str]) -> Response:
        element = found["number"]
        if element not in catalog().elements:
            return _one(None)
        part, color = catalog().elements[element]
        image = f"https://cdn.rebrickable.com/media/parts/elements/{element}.jpg"
        return as_json(
            {
                "element_id": element,
                "design_id": None,
                "part": catalog().parts[part],
                "color": catalog().colors[color],
                "element_img_url": image,
                "part_img_url": image,
            }
        )

    def _colors(self, request: Request, _found: Mapping[str, str]) -> Response:
        return _page(request, catalog().colors.values())

    def _color(self, _request: Request, found: Mapping[str, str]) -> Response:
        number = found["number"]
        return _one(catalog().colors.get(int(number)) if number.lstrip("-").isdigit() else None)

    def _categories(self, request: Request, _found: Mapping[str, str]) -> Response:
        return _page(request, catalog().categories.values())

    def _sets(self, request: Request, _found: Mapping[str, str]) -> Response:
        return _page(request, _searched(request, catalog().sets.values()))

    def _set(self, _request: Request, found: Mapping[str, str]) -> Response:
        return _one(catalog().sets.get(found["number"]))

    def _minifigs(self, request: Request, _found: Mapping[str, str]) -> Response:
        rows: Iterable[Row] = catalog().minifigs.values()
        if number := request.word("in_set_num"):
            inside = {figure for figure, _ in catalog().minifigs_of[number]}
            rows = [row for row in rows if row["set_num"] in inside]
        return _page(request, _searched(request, rows))

    def _minifig(self, _request: Request, found: Mapping[str, str]) -> Response:
        return _one(catalog().minifigs.get(found["number"]))

    def _set_parts(self, request: Request, found: Mapping[str, str]) -> Response:
        number = found["number"]
        if number not in catalog().sets and number not in catalog().minifigs:
            return _one(None)
        holders = [(number, 1)]
        if request.word("inc_minifig_parts") == "1":
            holders += catalog().minifigs_of[number]
        lines = [(holder, times, row) for holder, times in holders for row in catalog().contents[holder]]
        rows = [
            {
                "id": place,
                "inv_part_id": place,
                "part": catalog().parts[row["part_num"]],
                "color": {**catalog().colors[int(row["color_id"])], "is_trans": None},
                "set_num": holder,
                "quantity": times * int(row["quantity"]),
                "is_spare": row["is_spare"] == "t",
                "element_id": next(iter(catalog().elements_of[row["part_num"]].get(int(row["color_id"]), [])), None),
                "num_sets": 12,
            }
            for place, (holder, times, row) in enumerate(lines, start=1)
            if int(row["color_id"]) in catalog().colors
        ]
        return _page(request, rows)

    def _set_minifigs(self, request: Request, found: Mapping[str, str]) -> Response:
        if found["number"] not in catalog().sets:
            return _one(None)
        rows = [
            {
                "id": place,
                "set_num": figure,
                "set_name": catalog().minifigs[figure]["name"],
                "quantity": quantity,
                "set_img_url": catalog().minifigs[figure]["set_img_url"],
            }
            for place, (figure, quantity) in enumerate(catalog().minifigs_of[found["number"]], start=1)
        ]
        return _page(request, rows)


def _searched(request: Request, rows: Iterable[Row]) -> list[Row]:
    words = request.word("search").lower().split()
    return [row for row in rows if all(word in f"{row['set_num']} {row['name']}".lower() for word in words)]


def _one(row: Row | None) -> Response:
    return _detail("Not found.", HTTPStatus.NOT_FOUND) if row is None else as_json(row)


def _detail(text: str, status: HTTPStatus) -> Response:
    return as_json({"detail": text}, status)


def _page(request: Request, rows: Iterable[Row]) -> Response:
    """Answer one page in the API's envelope; a page past the end is a 404."""
    listed = list(rows)
    key = request.word("ordering").lstrip("-")
    if key and all(key in row for row in listed):
        listed.sort(key=lambda row: str(row[key]), reverse=request.word("ordering").startswith("-"))
    number, size = request.word("page", "1"), request.word("page_size", str(_PAGE_SIZE))
    length = min(int(size), _LARGEST_PAGE) if size.isdigit() and int(size) else _PAGE_SIZE
    last = max(1, ceil(len(listed) / length))
    if not number.isdigit() or not 1 <= int(number) <= last:
        return _detail("Invalid page.", HTTPStatus.NOT_FOUND)
    page = int(number)

    def link(other: int) -> str | None:
        if not 1 <= other <= last:
            return None
        query = {**{name: values[0] for name, values in request.query.items()}, "page": other}
        return f"{request.root}{request.path}?{urlencode(query)}"

    results = listed[(page - 1) * length : page * length]
    return as_json({"count": len(listed), "next": link(page + 1), "previous": link(page - 1), "results": results})
