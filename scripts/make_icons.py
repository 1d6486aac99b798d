"""Makes static/img/icons.svg out of lucide-static's icons, so that adding one is a name in this list and one call.

Usage: python scripts/make_icons.py PATH-TO-LUCIDE-STATIC (the unpacked npm package, with its icons/ and LICENSE).
"""

import re
import sys
from pathlib import Path

SPRITE = Path(__file__).resolve().parent.parent / "static" / "img" / "icons.svg"

NAMES = """
archive arrow-down arrow-left arrow-right arrow-up arrow-up-down ban bell boxes building-2 calendar camera chart-
column check chevron-down chevron-left chevron-right chevron-up chevrons-left chevrons-up-down circle circle-alert
circle-check circle-help circle-x clipboard-list clock code command copy credit-card database download ellipsis
ellipsis-vertical external-link eye eye-off file-down file-text fingerprint globe hard-drive-download history image
info key-round keyboard layout-dashboard link list-checks list-filter loader-circle lock log-in log-out mail mail-plus
map-pin menu minus monitor monitor-smartphone moon package package-search palette panel-left pause pencil play plus
printer receipt refresh-cw save search send settings shield shield-check shopping-basket sliders-horizontal smartphone
star store sun tag trash-2 triangle-alert truck undo-2 upload user user-plus user-x users webhook wifi-off x
"""
# The name that pages use, where lucide has given another since.
RENAMED = {"circle-help": "circle-question-mark"}


def symbol(name: str, source: str) -> str:
    """Answer one icon as a symbol without what the style sheet says anyway (stroke, width, caps)."""
    body = re.search(r"<svg[^>]*>(.*)</svg>", source, re.DOTALL)
    if body is None:
        raise ValueError(f"{name}: no svg element")
    shapes = re.sub(r"\s*\n\s*", "", body.group(1)).replace(" />", "/>")
    return f'<symbol id="{name}" viewBox="0 0 24 24">{shapes}</symbol>'


def main(package: Path) -> None:
    """Write the sprite, the licence in its head."""
    symbols = []
    for name in sorted(NAMES.split()):
        path = package / "icons" / f"{RENAMED.get(name, name)}.svg"
        symbols.append(symbol(name, path.read_text(encoding="utf-8")))
    head = "<!-- Icons of Lucide (lucide.dev), ISC License, Copyright (c) Lucide Icons and Contributors. -->"
    SPRITE.write_text(
        f'{head}\n<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
