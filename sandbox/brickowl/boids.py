"""Brick Owl's own numbers, names and kinds of the things that BrickLink's numbers name as well."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from sandbox.items import COLORED, Color, Item, items

TYPES = ("Part", "Set", "Minifigure", "Gear", "Sticker", "Minibuild", "Instructions", "Packaging")
_TYPE_OF = {
    "SET": "Set", "MINIFIG": "Minifigure", "GEAR": "Gear", "INSTRUCTION": "Instructions", "ORIGINAL_BOX": "Packaging",
}  # fmt: skip
_PATHS = {"Part": "Parts", "Set": "Sets", "Minifigure": "Minifigures", "Sticker": "Stickers"}
# Colors that BrickLink hasn't got stand beside numbers below 0: Brick Owl's id, its name, that number.
PLACEHOLDERS = (
    (163, "Transparent Light Royal Blue", -10), (162, "Transparent Fire Yellow", -9), (158, "Reddish Orange", -7),
    (157, "Medium Yellowish Orange", -6),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Boid:
    """An item, in a color of Brick Owl's where the number names one."""

    item: Item
    owl_color: int | None

    @property
    def text(self) -> str:
        """Answer the number."""
        return str(self.item.boid) if self.owl_color is None else f"{self.item.boid}-{self.owl_color}"

    @property
    def color(self) -> Color | None:
        """Answer the color; of two of BrickLink's that are one here, the one that bears its name."""
        return color_of(self.owl_color) if self.owl_color else None


def color_of(owl_id: int) -> Color | None:
    """Answer the color that Brick Owl's id means."""
    known = items().owl_colors.get(owl_id, [])
    return next((color for color in known if color.name == color.owl_name), known[0] if known else None)


def type_of(item: Item) -> str:
    """Answer what kind of thing it is here; empty where Brick Owl hasn't got it."""
    if not item.boid:
        return ""
    if item.type == "PART":
        return "Sticker" if "stk" in item.no else "Part"
    return _TYPE_OF.get(item.type, "")


def parsed(text: str) -> Boid | None:
    """Read a BOID, with or without the color behind its last dash."""
    found = re.fullmatch(r"(\d{1,9})(?:-(\d{1,4}))?", text.strip())
    item = items().by_boid.get(int(found[1])) if found else None
    if item is None or not type_of(item) or found is None:
        return None
    if found[2] is None:
        return Boid(item, None)
    return Boid(item, int(found[2])) if int(found[2]) in owl_colors(item) else None


def owl_colors(item: Item) -> Sequence[int]:
    """Answer the colors in which it exists, by Brick Owl's ids; none where it has no color."""
    if item.type not in COLORED:
        return ()
    known = [items().colors[color].owl_id for color in (*item.elements, *item.more_colors) if color]
    return list(dict.fromkeys(owl for owl in known if owl is not None))


def colored(item: Item) -> list[Boid]:
    """Answer all numbers of an item: one for each color, or the bare one where it has none."""
    return [Boid(item, owl) for owl in owl_colors(item)] or [Boid(item, None)]


def name_of(boid: Boid) -> str:
    """Answer what Brick Owl calls it."""
    return _name_of(boid.item.type, boid.item.no, boid.owl_color)


@lru_cache(maxsize=50_000)
def _name_of(kind: str, number: str, owl_color: int | None) -> str:
    item = items().by_no[kind, number]
    color = Boid(item, owl_color).color
    match type_of(item):
        case "Set" | "Instructions" | "Packaging" as word:
            return f"LEGO {item.name} {word} {item.no.removesuffix('-1')}"
        case "Minifigure":
            return f"LEGO {item.name} Minifigure"
        case "Part":
            return f"LEGO {color.owl_name + ' ' if color else ''}{item.name} ({item.no})"
    return f"LEGO {item.name}"


def ids_of(boid: Boid) -> list[dict[str, str]]:
    """Answer its numbers elsewhere; LEGO's element numbers only of its color."""
    item = boid.item
    found = [("boid", boid.text)]
    if item.type in ("SET", "INSTRUCTION", "ORIGINAL_BOX"):
        found.append(("set_number", item.no))
    else:
        found.append(("bl_item_no", item.no))
    found += [("design_id", number) for number in item.design_ids]
    found += [("ldraw", number) for number in item.ldraw_ids]
    if boid.owl_color is not None:
        wanted = {color.id for color in items().owl_colors.get(boid.owl_color, ())}
        found += [
            ("item_no", element) for color in item.elements if color in wanted for element in item.elements[color]
        ]
    return [{"id": number, "type": kind} for kind, number in found]


@lru_cache(maxsize=50_000)
def slug(text: str) -> str:
    """Answer a text as it stands in addresses."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def path_of(boid: Boid) -> str:
    """Answer where in the catalog it is."""
    kind = type_of(boid.item)
    return f"{_PATHS.get(kind, kind)} / {items().categories[boid.item.category_id]}"


@cache
def index() -> dict[str, list[Boid]]:
    """Answer what each number of another system means, by `<kind>:<number>` in lower case."""
    found: dict[str, list[Boid]] = {}
    for item in items().by_no.values():
        if not type_of(item):
            continue
        for boid in colored(item):
            for row in ids_of(boid):
                found.setdefault(f"{row['type']}:{row['id']}".lower(), []).append(boid)
    return found
