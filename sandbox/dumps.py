"""Rebrickable's downloads: https://cdn.rebrickable.com/media/downloads/<table>.csv.gz, of the sandbox's own tables."""

import csv
import gzip
import hashlib
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from http import HTTPStatus

from sandbox.catalog import catalog
from sandbox.http import Request, Response

_FOLDER = "/media/downloads/"
_ENDING = ".csv.gz"
_MODIFIED = "Thu, 02 Apr 2026 07:12:44 GMT"

Lines = Iterable[Sequence[object]]


class Dumps:
    """Files that say whether they are new."""

    name = "dumps"
    prefix = "/dumps"
    hosts: Sequence[str] = ("cdn.rebrickable.com",)

    def handle(self, request: Request) -> Response:
        """Answer a table, packed; 304 to who has it."""
        table = request.path.removeprefix(_FOLDER).removesuffix(_ENDING)
        is_known = table in _TABLES and request.path == f"{_FOLDER}{table}{_ENDING}"
        if not is_known or request.method != "GET":
            return Response(HTTPStatus.NOT_FOUND, b"<html><body>404 Not Found</body></html>", "text/html")
        body = _packed(table)
        etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        headers = {"ETag": etag, "Last-Modified": _MODIFIED}
        is_same = request.headers.get("If-None-Match") == etag or (
            "If-None-Match" not in request.headers and request.headers.get("If-Modified-Since") == _MODIFIED
        )
        if is_same:
            return Response(HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(HTTPStatus.OK, body, "application/x-gzip", headers=headers)


def _sets() -> list[str]:
    """Answer what has an inventory: sets, then figures."""
    return [*catalog().sets, *catalog().minifigs]


def _places() -> dict[str, int]:
    return {number: place for place, number in enumerate(_sets(), start=1)}


def _inventory_parts() -> Lines:
    for number, place in _places().items():
        for row in catalog().contents[number]:
            spare = "True" if row["is_spare"].lower() in ("t", "true", "1") else "False"
            yield (place, row["part_num"], row["color_id"], row["quantity"], spare, "")


def _inventory_minifigs() -> Lines:
    places = _places()
    for number in catalog().sets:
        for figure, quantity in catalog().minifigs_of[number]:
            yield (places[number], figure, quantity)


_TABLES: Mapping[str, tuple[str, Callable[[], Lines]]] = {
    "themes": ("id,name,parent_id", lambda: [(theme, f"Theme {theme}", "") for theme in sorted(
        {row["theme_id"] for row in catalog().sets.values()})]),
    "colors": ("id,name,rgb,is_trans,num_parts,num_sets,y1,y2", lambda: [
        (row["id"], row["name"], row["rgb"], row["is_trans"], 0, 0, "", "") for row in catalog().colors.values()]),
    "part_categories": ("id,name", lambda: [(row["id"], row["name"]) for row in catalog().categories.values()]),
    "parts": ("part_num,name,part_cat_id,part_material", lambda: [
        (row["part_num"], row["name"], row["part_cat_id"], "Plastic") for row in catalog().parts.values()]),
    "part_relationships": ("rel_type,child_part_num,parent_part_num", lambda: [
        ("P", number, number.partition("pr")[0]) for number in catalog().parts
        if number.partition("pr")[1] and number.partition("pr")[0] in catalog().parts]),
    "elements": ("element_id,part_num,color_id,design_id", lambda: [
        (element, part, color, "") for element, (part, color) in catalog().elements.items()]),
    "sets": ("set_num,name,year,theme_id,num_parts,img_url", lambda: [
        (row["set_num"], row["name"], row["year"], row["theme_id"], row["num_parts"], row["set_img_url"])
        for row in catalog().sets.values()]),
    "minifigs": ("fig_num,name,num_parts,img_url", lambda: [
        (row["set_num"], row["name"], row["num_parts"], row["set_img_url"]) for row in catalog().minifigs.values()]),
    "inventories": ("id,version,set_num", lambda: [(place, 1, number) for number, place in _places().items()]),
    "inventory_parts": ("inventory_id,part_num,color_id,quantity,is_spare,img_url", _inventory_parts),
    "inventory_sets": ("inventory_id,set_num,quantity", lambda: [
        (place, number, 1) for number, place in list(_places().items())[:1]]),
    "inventory_minifigs": ("inventory_id,fig_num,quantity", _inventory_minifigs),
}  # fmt: skip


@cache
def _packed(table: str) -> bytes:
    header, lines = _TABLES[table]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header.split(","))
    writer.writerows(lines())
    # Without a time in it, so that the same table is the same file.
    return gzip.compress(text.getvalue().encode(), mtime=0)
