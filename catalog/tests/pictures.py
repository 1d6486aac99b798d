"""Pictures as people send them, drawn on the spot."""

import io
from typing import Any

from PIL import Image


def picture(
    *, color: tuple[int, ...] = (200, 30, 40), size: tuple[int, int] = (640, 480), kind: str = "JPEG", **options: Any
) -> bytes:
    """Answer a picture of one color with a darker corner, so that up and down can be told apart."""
    mode = "RGBA" if len(color) == 4 else "RGB"
    image = Image.new(mode, size, color)
    image.paste(tuple(value // 3 for value in color), (0, 0, size[0] // 2, size[1] // 2))
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
