"""What the sandbox's services know: the tables in `data/`, read once."""

import csv
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent / "data"
_PART_SYSTEMS = ("BrickLink", "BrickOwl", "Brickset", "LEGO", "LDraw")
_COLOR_SYSTEMS = ("BrickLink", "BrickOwl", "LEGO", "Peeron", "LDraw")
_IMAGES = "https://cdn.rebrickable.com/media"

Row = dict[str, Any]


def _rows(name: str) -> list[dict[str, str]]:
    with (_DATA / f"{name}.csv").open(newline="", encoding="utf-8") as table:
        return list(csv.DictReader(table))


def _color_ids(text: str) -> Row:
    pairs = [pair.partition("=") for pair in text.split("|")]
    return {
        "ext_ids": [None if number == "None" else int(number) for number, _, _ in pairs],
        "ext_descrs": [names.split("/") for _, _, names in pairs],
    }


class Catalog:
    """Parts, colors, elements, sets and figures, by their numbers."""

    def __init__(self) -> None:
        self.categories: dict[int, Row] = {
            int(row["id"]): {"id": int(row["id"]), "name": row["name"], "part_count": 0}
            for row in _rows("part_categories")
        }
        self.parts: dict[str, Row] = {row["part_num"]: self._part(row) for row in _rows("parts")}
        self.colors: dict[int, Row] = {int(row["id"]): self._color(row) for row in _rows("colors")}
        self.elements: dict[str, tuple[str, int]] = {
            row["element_id"]: (row["part_num"], int(row["color_id"])) for row in _rows("elements")
        }
        self.elements_of: dict[str, dict[int, list[str]]] = defaultdict(dict)
        for element, (part, color) in self.elements.items():
            self.elements_of[part].setdefault(color, []).append(element)
        self.sets: dict[str, Row] = {row["set_num"]: self._set(row) for row in _rows("sets")}
        self.minifigs: dict[str, Row] = {row["fig_num"]: self._minifig(row) for row in _rows("minifigs")}
        self.contents: dict[str, list[dict[str, str]]] = defaultdict(list)
        for row in _rows("set_parts"):
            self.contents[row["set_num"]].append(row)
        self.minifigs_of: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for row in _rows("set_minifigs"):
            self.minifigs_of[row["set_num"]].append((row["fig_num"], int(row["quantity"])))

    def _part(self, row: dict[str, str]) -> Row:
        number, category = row["part_num"], int(row["part_cat_id"])
        self.categories[category]["part_count"] += 1
        return {
            "part_num": number,
            "name": row["name"],
            "part_cat_id": category,
            "part_url": f"https://rebrickable.com/parts/{number}/",
            "part_img_url": f"{_IMAGES}/parts/ldraw/72/{number}.png",
            "external_ids": {system: row[system].split("|") for system in _PART_SYSTEMS if row[system]},
        }

    def _color(self, row: dict[str, str]) -> Row:
        return {
            "id": int(row["id"]),
            "name": row["name"],
            "rgb": row["rgb"],
            "is_trans": row["is_trans"] == "True",
            "external_ids": {system: _color_ids(row[system]) for system in _COLOR_SYSTEMS if row[system]},
        }

    def _set(self, row: dict[str, str]) -> Row:
        number = row["set_num"]
        return {
            "set_num": number,
            "name": row["name"],
            "year": int(row["year"]),
            "theme_id": int(row["theme_id"]),
            "num_parts": int(row["num_parts"]),
            "set_img_url": f"{_IMAGES}/sets/{number}.jpg",
            "set_url": f"https://rebrickable.com/sets/{number}/",
            "last_modified_dt": "2025-03-01T09:00:00.000000Z",
        }

    def _minifig(self, row: dict[str, str]) -> Row:
        number = row["fig_num"]
        return {
            "set_num": number,
            "name": row["name"],
            "num_parts": int(row["num_parts"]),
            "set_img_url": f"{_IMAGES}/sets/{number}.jpg",
            "set_url": f"https://rebrickable.com/minifigs/{number}/",
            "last_modified_dt": "2025-03-01T09:00:00.000000Z",
        }


@cache
def catalog() -> Catalog:
    """Answer the tables."""
    return Catalog()
