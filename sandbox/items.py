"""The items that the marketplaces sell: BrickLink's numbers and colors, and what Brick Owl calls the same things."""

import csv
import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from zlib import crc32

from sandbox.catalog import catalog

_DATA = Path(__file__).parent / "data"
COLORED = ("PART", "GEAR")
# The figures of the sets that Rebrickable's tables have; BrickLink's numbers of those are not in them.
_FIGURES_OF: dict[str, tuple[str, ...]] = {
    "76112-1": ("sh0513",), "60239-1": ("cty0955",), "75246-1": ("sw0001", "sw1045"),
    "60241-1": ("cty0955", "cas319"), "75263-1": ("sw1045",),
}  # fmt: skip
_NAMES_OF_BOXES = {"INSTRUCTION": "Instructions", "ORIGINAL_BOX": "Packaging"}
_SIZES = re.compile(r"(\d+) x (\d+)")
# A made-up number of Brick Owl's for the instructions and the box of a set follows its own.
_BESIDE = {"INSTRUCTION": 1, "ORIGINAL_BOX": 2}
_PLATES = {14, 26, 27, 28, 37, 39}


@dataclass(frozen=True, slots=True)
class Color:
    """A color: BrickLink's id, and Brick Owl's where it has one (`owl_id` None: it hasn't)."""

    id: int
    name: str
    rgb: str
    kind: str
    owl_id: int | None
    owl_name: str
    owl_rgb: str
    ldraw_ids: tuple[int, ...]
    lego_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A thing with BrickLink's number. `boid` 0: Brick Owl hasn't got it. `weight`: hundredths of a gram, 0 unknown."""

    type: str
    no: str
    name: str
    category_id: int
    boid: int
    year: int
    weight: int
    elements: dict[int, tuple[str, ...]] = field(default_factory=dict)
    design_ids: tuple[str, ...] = ()
    ldraw_ids: tuple[str, ...] = ()
    alternate_no: str = ""
    # Known, and in nobody's store that is made up here: a store of a seed stays as it is when something becomes known.
    more_colors: tuple[int, ...] = ()
    is_never_drawn: bool = False

    @property
    def colors(self) -> tuple[int, ...]:
        """Answer the colors in which it exists; only 0 where it has none."""
        return tuple(self.elements) or (0,)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of what a thing is made of; lines of one match, other than 0, are alternatives."""

    item: Item
    color_id: int
    quantity: int
    extra: int
    match_no: int = 0
    is_alternate: bool = False


def _rows(name: str) -> list[dict[str, str]]:
    with (_DATA / f"{name}.csv").open(newline="", encoding="utf-8") as table:
        return list(csv.DictReader(table))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("|") if part)


class Items:
    """All items, found by BrickLink's number, by BOID and by LEGO's element number."""

    def __init__(self) -> None:
        self.categories: dict[int, str] = {int(row["id"]): row["name"] for row in _rows("categories")}
        self.colors: dict[int, Color] = {int(row["bricklink_id"]): _color(row) for row in _rows("channel_colors")}
        self.owl_colors: dict[int, list[Color]] = defaultdict(list)
        for color in self.colors.values():
            if color.owl_id is not None:
                self.owl_colors[color.owl_id].append(color)
        self.by_no: dict[tuple[str, str], Item] = {}
        self.by_boid: dict[int, Item] = {}
        self.by_element: dict[str, tuple[Item, int]] = {}
        self._lower: dict[tuple[str, str], Item] = {}
        self._more_colors = {(row["type"], row["no"]): _numbers(row["colors"]) for row in _rows("common")}
        self._load_parts()
        self._load_others()
        self._load_common()
        self.contents: dict[tuple[str, str], list[Line]] = defaultdict(list)
        self._load_contents()
        self.inside: dict[tuple[str, str], list[tuple[Item, Line]]] = defaultdict(list)
        for (kind, number), lines in self.contents.items():
            for line in lines:
                self.inside[line.item.type, line.item.no].append((self.by_no[kind, number], line))

    def find(self, kind: str, number: str) -> Item | None:
        """Answer an item by BrickLink's type and number, whatever the case of its letters."""
        return self.by_no.get((kind, number)) or self._lower.get((kind, number.lower()))

    def _add(self, item: Item) -> Item:
        if more := self._more_colors.get((item.type, item.no)):
            item = replace(item, more_colors=more)
        if (item.type, item.no) in self.by_no:
            return item
        self.by_no[item.type, item.no] = item
        self._lower[item.type, item.no.lower()] = item
        if item.boid:
            self.by_boid.setdefault(item.boid, item)
        for color, elements in item.elements.items():
            for element in elements:
                self.by_element.setdefault(element, (item, color))
        return item

    def _load_parts(self) -> None:
        """Those of Rebrickable's tables first, under each of their BrickLink numbers; then those that only we have."""
        bricklink = {row["rebrickable_id"]: int(row["category_id"]) for row in _rows("category_map")}
        to_color = {
            number: next((each for each in row["external_ids"]["BrickLink"]["ext_ids"] if each is not None), None)
            for number, row in catalog().colors.items()
            if "BrickLink" in row["external_ids"]
        }
        self._part_of: dict[str, list[Item]] = defaultdict(list)
        for number, row in catalog().parts.items():
            ids = row["external_ids"]
            elements: dict[int, tuple[str, ...]] = {}
            for color, known in sorted(catalog().elements_of[number].items()):
                if (mapped := to_color.get(color)) is not None:
                    elements[mapped] = (*elements.get(mapped, ()), *known)
            category = bricklink[str(row["part_cat_id"])]
            for place, no in enumerate(ids.get("BrickLink", ())):
                boids = ids.get("BrickOwl", ())
                item = Item(
                    "PART", no, row["name"], category, int(boids[place]) if place < len(boids) else 0, 1980 + len(no),
                    _weight(row["name"], category), dict(sorted(elements.items())) if not place else {},
                    tuple(ids.get("LEGO", ())), tuple(ids.get("LDraw", ())),
                    next((other for other in ids["BrickLink"] if other != no), ""),
                )  # fmt: skip
                self._part_of[number].append(self._add(item))
        for row in _rows("more_parts"):
            elements = {}
            for pair in row["elements"].split("|"):
                color_id, _, known_as = pair.partition(":")
                if color_id:
                    elements[int(color_id)] = tuple(each for each in known_as.split("/") if each)
            no, category = row["no"], int(row["category_id"])
            design = re.match(r"\d+", no)
            self._add(
                Item(
                    "PART",
                    no,
                    row["name"],
                    category,
                    int(row["boid"]),
                    1980 + len(no),
                    _weight(row["name"], category),
                    elements,
                    (design[0],) if design else (),
                    (no,),
                )
            )

    def _load_others(self) -> None:
        for row in _rows("more_sets"):
            number, name, category, boid = row["no"], row["name"], int(row["category_id"]), int(row["boid"])
            year, spread = int(row["year"]), crc32(number.encode())
            self._add(Item("SET", number, name, category, boid, year, 20_000 + spread % 400_000))
            for kind, beside in _BESIDE.items():
                self._add(Item(kind, number, name, category, boid + beside, year, 4_000 + spread % 9_000))
        for row in _rows("figures"):
            weight = 300 + crc32(row["no"].encode()) % 250
            self._add(
                Item(
                    "MINIFIG",
                    row["no"],
                    row["name"],
                    int(row["category_id"]),
                    int(row["boid"]),
                    int(row["year"] or 2000),
                    weight,
                )
            )
        for row in _rows("others"):
            weight = crc32(row["no"].encode()) % 20_000
            self._add(
                Item(
                    row["type"],
                    row["no"],
                    row["name"],
                    int(row["category_id"]),
                    int(row["boid"] or 0),
                    int(row["year"]),
                    weight,
                )
            )

    def _load_common(self) -> None:
        """What sellers have most and the tables before haven't."""
        for row in _rows("common"):
            if row["name"]:
                category = int(row["category_id"])
                self._add(
                    Item(
                        row["type"], row["no"], row["name"], category, int(row["boid"]), 2000,
                        _weight(row["name"], category), is_never_drawn=True,
                    )
                )  # fmt: skip

    def _load_contents(self) -> None:
        for row in _rows("more_contents"):
            for text in row["lines"].split():
                number, color, quantity, extra = text.rsplit(":", 3)
                self.contents["SET", row["set_no"]].append(
                    Line(self.by_no["PART", number], int(color), int(quantity), int(extra))
                )
        for number, rows in catalog().contents.items():
            if number in catalog().sets:
                self.contents["SET", number] = self._lines_of(rows)
        for number, figures in _FIGURES_OF.items():
            self.contents["SET", number] += [Line(self.by_no["MINIFIG", each], 0, 1, 0) for each in figures]
        body = [self.by_no["PART", number] for number in ("3626c", "973", "970c00")]
        for (kind, number), _ in list(self.by_no.items()):
            if kind == "MINIFIG":
                spread = crc32(number.encode())
                self.contents[kind, number] = [
                    Line(part, part.colors[(spread + place) % len(part.colors)], 1, 0)
                    for place, part in enumerate(body)
                ]

    def _lines_of(self, rows: list[dict[str, str]]) -> list[Line]:
        """Answer lines of a set from Rebrickable's: spare ones as extra, several numbers of a part as alternatives."""
        counted: dict[tuple[str, int], list[int]] = {}
        for row in rows:
            color = catalog().colors.get(int(row["color_id"]), {}).get("external_ids", {}).get("BrickLink")
            if color and self._part_of.get(row["part_num"]):
                counts = counted.setdefault((row["part_num"], int(color["ext_ids"][0])), [0, 0])
                counts[row["is_spare"] == "t"] += int(row["quantity"])
        lines, match = [], 0
        for (part, color_id), (quantity, extra) in counted.items():
            items = self._part_of[part]
            match += len(items) > 1
            number = match if len(items) > 1 else 0
            for place, item in enumerate(items):
                lines.append(Line(item, color_id, quantity, extra, number, bool(place)))
        return lines


def _color(row: dict[str, str]) -> Color:
    return Color(
        int(row["bricklink_id"]), row["name"], row["rgb"], row["type"],
        int(row["brickowl_id"]) if row["brickowl_id"] else None, row["brickowl_name"] or row["name"],
        row["brickowl_rgb"] or row["rgb"], _numbers(row["ldraw_ids"]), _numbers(row["lego_ids"]),
    )  # fmt: skip


def _weight(name: str, category: int) -> int:
    """Answer a plausible weight: of a brick 29 hundredths of a gram a stud, of flat things a third of that."""
    if name.startswith("Sticker"):
        return 0
    size = _SIZES.search(name)
    studs = min(int(size[1]) * int(size[2]), 400) if size else 1 + crc32(name.encode()) % 6
    return studs * (10 if category in _PLATES else 29)


@cache
def items() -> Items:
    """Answer the tables."""
    return Items()
