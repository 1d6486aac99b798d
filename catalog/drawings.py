"""The outline of a kind of thing in a color, as a picture of its own: what is seen where no source has a picture."""

import re
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders

_SYMBOL = re.compile(r'<symbol id="(\w+)" viewBox="([^"]+)">(.*?)</symbol>', re.DOTALL)
# What has no color, as in the pages.
_NO_COLOR = "c3cad5"


@cache
def _symbols() -> dict[str, tuple[str, str]]:
    """Answer view box and shapes by type, from the file that the pages draw from."""
    found = finders.find("img/types.svg")
    text = Path(found).read_text(encoding="utf-8") if isinstance(found, str) else ""
    return {kind: (box, shapes) for kind, box, shapes in _SYMBOL.findall(text)}


def drawing(item_type: str, rgb: str, *, side: int) -> bytes:
    """Answer an SVG of a type in a color (six hexadecimal digits, or nothing), `side` pixels wide and high."""
    box, shapes = _symbols().get(item_type, ("0 0 32 32", ""))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" viewBox="{box}"'
        f' fill="#{rgb or _NO_COLOR}">{shapes}</svg>'
    ).encode()
