"""Tells which things are mistaken for each other when they lie side by side, and says why. Pure but for the colors."""

import re
from dataclasses import dataclass
from functools import cache

from catalog import colors
from catalog.choices import ItemType
from inventory.choices import ItemCondition

# The number of a mould; what follows it says which variant, print or assembly: 3001, 3001a, 3001old, 3001pb12.
_BASE = re.compile(r"([a-z]*\d+)(?![\d])", re.IGNORECASE)
# Weighted distance of two colors (0 to about 765) under which people take one for the other in a drawer.
_SIMILAR = 150.0


@dataclass(frozen=True, slots=True)
class Thing:
    """What a lot is, as far as eyes are concerned."""

    item_type: str
    item_no: str
    color_id: int | None
    color_name: str
    condition: str


def base_number(item_type: str, item_no: str) -> str:
    """Answer the number without mould, print and assembly; only parts have variants in their numbers."""
    found = _BASE.match(item_no) if item_type == ItemType.PART else None
    return (found[1] if found else item_no).casefold()


def _channels(rgb: str) -> tuple[int, int, int]:
    return int(rgb[:2], 16), int(rgb[2:4], 16), int(rgb[4:], 16)


@cache
def color_distance(first: int, second: int) -> float | None:
    """Answer how far two colors are apart for an eye (the “redmean” of weighted RGB); None if one has no look."""
    ours, theirs = colors.get(first), colors.get(second)
    if ours is None or theirs is None or not ours.rgb or not theirs.rgb:
        return None
    (r1, g1, b1), (r2, g2, b2) = _channels(ours.rgb), _channels(theirs.rgb)
    mean = (r1 + r2) / 2
    red, green, blue = r1 - r2, g1 - g2, b1 - b2
    return float(((2 + mean / 256) * red**2 + 4 * green**2 + (2 + (255 - mean) / 256) * blue**2) ** 0.5)


def is_same(first: Thing, second: Thing) -> bool:
    """Tell whether two lots are of the same thing, so that nothing is lost by mixing them."""
    return (first.item_type, first.item_no.casefold(), first.color_id, first.condition) == (
        second.item_type, second.item_no.casefold(), second.color_id, second.condition,
    )  # fmt: skip


def why_alike(one: Thing, other: Thing) -> str:
    """Answer in words why the one would be taken for the other; empty if it wouldn't, or they are the same thing."""
    if one.item_type != other.item_type or is_same(one, other):
        return ""
    if base_number(one.item_type, one.item_no) != base_number(other.item_type, other.item_no):
        return ""
    if one.color_id == other.color_id:
        if one.item_no.casefold() != other.item_no.casefold():
            return f"{other.item_no} is a variant of {one.item_no}"
        return f"the same {ItemCondition(other.condition).label.lower()}"
    if one.color_id is None or other.color_id is None:
        return ""
    distance = color_distance(one.color_id, other.color_id)
    if distance is None or distance > _SIMILAR:
        return ""
    number = "the same" if one.item_no.casefold() == other.item_no.casefold() else other.item_no
    return f"{number} in {other.color_name}, which looks like {one.color_name}"
