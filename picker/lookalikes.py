"""Colors that are mistaken for each other on a shelf. Pure.

How far apart two colors look is their distance in CIELAB (CIE 1976, D65): about 2 can just be seen side by side, and
parts closer than some 16 are mixed up under a lamp of a storage. So are two shades of one hue, such as Red and Dark
Red, of which nobody knows which one it is who doesn't see the other.
"""

import math
from functools import cache

NEAR = 16.0
# Shades: degrees of hue, steps of lightness; what has less chroma than that has no hue to go by.
_HUE, _LIGHTNESS, _CHROMA = 18.0, 22.0, 20.0
_WHITE = (0.95047, 1.0, 1.08883)


def are_near(one: str, other: str) -> bool:
    """Tell whether two colors, each of six hexadecimal digits, are easily mistaken for each other."""
    return bool(one) and bool(other) and (distance(one, other) < NEAR or _are_shades(one, other))


def distance(one: str, other: str) -> float:
    """Answer how far apart two colors look."""
    return math.dist(_lab(one), _lab(other))


def _are_shades(one: str, other: str) -> bool:
    (light, *hue), (other_light, *other_hue) = _lab(one), _lab(other)
    if min(math.hypot(*hue), math.hypot(*other_hue)) < _CHROMA:
        return False
    turn = math.degrees(math.atan2(hue[1], hue[0]) - math.atan2(other_hue[1], other_hue[0]))
    return abs((turn + 180) % 360 - 180) < _HUE and abs(light - other_light) < _LIGHTNESS


@cache
def _lab(rgb: str) -> tuple[float, float, float]:
    red, green, blue = (_linear(int(rgb[at : at + 2], 16) / 255) for at in (0, 2, 4))
    x = 0.4124 * red + 0.3576 * green + 0.1805 * blue
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = 0.0193 * red + 0.1192 * green + 0.9505 * blue
    fx, fy, fz = (_root(value / white) for value, white in zip((x, y, z), _WHITE, strict=True))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def _linear(part: float) -> float:
    return float(((part + 0.055) / 1.055) ** 2.4) if part > 0.04045 else part / 12.92  # noqa: PLR2004  # sRGB's curve


def _root(part: float) -> float:
    return float(part ** (1 / 3)) if part > 0.008856 else 7.787 * part + 16 / 116  # noqa: PLR2004  # CIELAB's curve
