"""What the platforms call the colors: the names by which people search for them."""

import csv
from functools import cache
from pathlib import Path

from catalog import colors

# Names that differ from BrickLink's: color, platform, name.
_TABLE = Path(__file__).parent / "data" / "color_names.csv"


@cache
def all_names() -> tuple[tuple[int, str], ...]:
    """Answer every name with the color that it means, BrickLink's first; one name can mean several."""
    own = [(color.id, color.name) for color in colors.all_colors().values() if color.id != colors.NOT_APPLICABLE]
    with _TABLE.open(newline="") as table:
        others = [(int(row["color_id"]), row["name"]) for row in csv.DictReader(table)]
    return (*own, *others)
