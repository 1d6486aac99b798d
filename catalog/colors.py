"""The colors of LEGO parts, by BrickLink's ids: names, looks, and their ids on the other platforms."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

_TABLE = Path(__file__).parent / "data" / "colors.csv"

# BrickLink's "(Not Applicable)": what a thing without a color has in its files.
NOT_APPLICABLE = 0


@dataclass(frozen=True, slots=True)
class Color:
    """One color. `rgb`: six hexadecimal digits, empty for (Not Applicable); `color_type`: Solid, Pearl …"""

    id: int
    name: str
    rgb: str
    color_type: str
    rebrickable_id: int | None
    brickowl_id: int | None
    ldraw_id: int | None
    lego_ids: tuple[int, ...]
    rebrickable_alternates: tuple[int, ...]
    brickowl_alternates: tuple[int, ...]
    year_from: int | None
    year_to: int | None

    @property
    def kind(self) -> str:
        """Answer how it is drawn (`{% swatch %}`)."""
        return self.color_type.lower()


def _number(text: str) -> int | None:
    return int(text) if text else None


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split())


@cache
def all_colors() -> MappingProxyType[int, Color]:
    """Answer every known color by its BrickLink id."""
    with _TABLE.open(newline="") as table:
        rows = [
            Color(
                id=int(row["id"]),
                name=row["name"],
                rgb=row["rgb"],
                color_type=row["color_type"],
                rebrickable_id=_number(row["rebrickable_id"]),
                brickowl_id=_number(row["brickowl_id"]),
                ldraw_id=_number(row["ldraw_id"]),
                lego_ids=_numbers(row["lego_ids"]),
                rebrickable_alternates=_numbers(row["rebrickable_alternates"]),
                brickowl_alternates=_numbers(row["brickowl_alternates"]),
                year_from=_number(row["year_from"]),
                year_to=_number(row["year_to"]),
            )
            for row in csv.DictReader(table)
        ]
    return MappingProxyType({color.id: color for color in rows})


@cache
def _by_name() -> dict[str, Color]:
    return {color.name.casefold(): color for color in all_colors().values()}


@cache
def of_platform(system: str) -> MappingProxyType[int, Color]:
    """Answer the colors by the ids that a platform (rebrickable, brickowl, ldraw) has for them.

    Where two of BrickLink's share one (Brick Owl's 16, 67 and 107), it is the one that the platform's name means, which
    has the lower id. (Not Applicable) is no color.
    """
    found: dict[int, Color] = {}
    for alternates in (False, True):
        for color in all_colors().values():
            own = getattr(color, f"{system}_id")
            ids = getattr(color, f"{system}_alternates", ()) if alternates else () if own is None else (own,)
            for each in ids:
                if color.id != NOT_APPLICABLE:
                    found.setdefault(each, color)
    return MappingProxyType(found)


def get(color_id: int | None) -> Color | None:
    """Answer the color of that BrickLink id, if there is one."""
    return None if color_id is None else all_colors().get(color_id)


def named(name: str) -> Color | None:
    """Answer the color of that BrickLink name, in any case; names of other platforms mean other colors."""
    return _by_name().get(name.strip().casefold())
