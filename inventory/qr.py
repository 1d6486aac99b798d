"""QR codes as shapes. Pure."""

from functools import lru_cache

import segno

# Modules of white that a scanner needs around the code.
_QUIET = 2


@lru_cache(maxsize=2048)
def shape_of(payload: str) -> tuple[int, str]:
    """Answer the width of a payload's QR code with its margin, and its dark modules as an SVG path of rows."""
    code = segno.make_qr(payload, error="m")
    rows = []
    for y, row in enumerate(code.matrix):
        x = 0
        while x < len(row):
            if not row[x]:
                x += 1
                continue
            width = 1
            while x + width < len(row) and row[x + width]:
                width += 1
            rows.append(f"M{x + _QUIET} {y + _QUIET}h{width}v1h-{width}z")
            x += width
    return len(code.matrix) + 2 * _QUIET, "".join(rows)


def matrix_of(payload: str) -> list[list[bool]]:
    """Answer the modules of a payload's QR code row by row, dark ones true, with the white that belongs around them."""
    code = segno.make_qr(payload, error="m")
    return [[bool(module) for module in row] for row in code.matrix_iter(border=_QUIET)]
