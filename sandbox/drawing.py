"""Draws things as the sources' pictures show them: a brick with its studs, a figure, a box, in the color asked for."""

import io
import math
import re
from collections.abc import Callable, Sequence
from hashlib import sha256

from PIL import Image, ImageDraw

Point = tuple[float, float]
Rgb = tuple[int, int, int]

_SIZE = 480
# Drawn twice as large, and made small: smooth edges.
_SCALE = 2
_EDGE = (60, 66, 78)
_SKIN: Rgb = (245, 205, 47)
_COS, _SIN = math.cos(math.radians(30)), math.sin(math.radians(30))
_DIMENSIONS = re.compile(r"(\d+)(?: \d/\d)? x (\d+)")
_BESIDE = re.compile(r"\[.*?\]| with .*| without .*")
# Of a stud's pitch.
_BRICK, _PLATE = 1.2, 0.4


class Sheet:
    """A white sheet on which things stand in space: x goes right, y left, z up."""

    def __init__(self, corners: Sequence[tuple[float, float, float]]) -> None:
        self.image = Image.new("RGB", (_SIZE * _SCALE, _SIZE * _SCALE), "white")
        self.draw = ImageDraw.Draw(self.image)
        flat = [self._flat(*corner) for corner in corners]
        left, right = min(x for x, _ in flat), max(x for x, _ in flat)
        top, bottom = min(y for _, y in flat), max(y for _, y in flat)
        side = _SIZE * _SCALE
        self.unit = min(side * 0.84 / max(right - left, 0.1), side * 0.84 / max(bottom - top, 0.1), side * 0.22)
        self._shift = (side / 2 - self.unit * (left + right) / 2, side / 2 - self.unit * (top + bottom) / 2)

    @staticmethod
    def _flat(x: float, y: float, z: float) -> Point:
        return (x - y) * _COS, (x + y) * _SIN - z

    def at(self, x: float, y: float, z: float) -> Point:
        """Answer where a point in space is on the sheet."""
        flat = self._flat(x, y, z)
        return self._shift[0] + flat[0] * self.unit, self._shift[1] + flat[1] * self.unit

    def face(self, points: Sequence[tuple[float, float, float]], color: Rgb) -> None:
        """Fill a face."""
        self.draw.polygon([self.at(*point) for point in points], fill=color, outline=_EDGE, width=3)

    def round(self, middle: tuple[float, float, float], radius: float, height: float, color: Rgb) -> None:
        """Draw a cylinder that stands upright."""
        x, y = self.at(*middle)
        _, top = self.at(middle[0], middle[1], middle[2] + height)
        wide, tall = radius * self.unit * _COS * math.sqrt(2), radius * self.unit * _SIN * math.sqrt(2)
        self.draw.ellipse((x - wide, y - tall, x + wide, y + tall), fill=_darker(color, 0.7), outline=_EDGE, width=3)
        self.draw.rectangle((x - wide, top, x + wide, y), fill=_darker(color, 0.7))
        self.draw.line((x - wide, top, x - wide, y), fill=_EDGE, width=3)
        self.draw.line((x + wide, top, x + wide, y), fill=_EDGE, width=3)
        self.draw.ellipse((x - wide, top - tall, x + wide, top + tall), fill=color, outline=_EDGE, width=3)

    def finished(self, kind: str) -> bytes:
        """Answer the picture as a file."""
        out = io.BytesIO()
        self.image.resize((_SIZE, _SIZE), Image.Resampling.LANCZOS).save(out, kind, quality=88)
        return out.getvalue()


def draw(letter: str, number: str, name: str, rgb: str, *, kind: str = "PNG") -> bytes:
    """Answer a picture of a thing; the same number, name and color always give the same."""
    color = (int(rgb[0:2], 16), int(rgb[2:4], 16), int(rgb[4:6], 16))
    if letter == "P":
        return _part(name, color).finished(kind)
    if letter == "M":
        return _figure(number).finished(kind)
    return (_box(number) if letter in "SOG" else _booklet(number)).finished(kind)


def _darker(color: Rgb, share: float) -> Rgb:
    return (round(color[0] * share), round(color[1] * share), round(color[2] * share))


def _own_color(number: str, salt: str) -> Rgb:
    digest = sha256(f"{salt}{number}".encode()).digest()
    return (60 + digest[0] % 170, 60 + digest[1] % 170, 60 + digest[2] % 170)


def _part(name: str, color: Rgb) -> Sheet:
    # What it is called before what is on it.
    words = _BESIDE.sub("", name.lower())
    found = _DIMENSIONS.search(name)
    wide, long = (min(int(found[1]), 12), min(int(found[2]), 12)) if found else (2, 2)
    for names, made in _SHAPES:
        if any(each in words for each in names):
            return made(wide, long, color)
    if "slope" in words or "wedge" in words:
        return _slope(wide, long, color)
    is_flat = any(each in words for each in ("plate", "tile", "sticker", "panel"))
    has_studs = not any(each in words for each in ("tile", "sticker", "panel"))
    return _block(wide, long, _PLATE if is_flat else _BRICK, color, studs=has_studs, holes="holes" in name.lower())


def _block(wide: int, long: int, height: float, color: Rgb, *, studs: bool, holes: bool = False) -> Sheet:
    sheet = Sheet([(0, 0, height + 0.3), (long, 0, 0), (0, wide, 0), (long, wide, 0), (long, 0, height + 0.3)])
    sheet.face([(0, wide, 0), (long, wide, 0), (long, wide, height), (0, wide, height)], _darker(color, 0.82))
    sheet.face([(long, 0, 0), (long, wide, 0), (long, wide, height), (long, 0, height)], _darker(color, 0.62))
    sheet.face([(0, 0, height), (long, 0, height), (long, wide, height), (0, wide, height)], color)
    for x in range(long if studs else 0):
        for y in range(wide):
            sheet.round((x + 0.5, y + 0.5, height), 0.3, 0.2, color)
    for x in range(1, long) if holes else ():
        middle, radius = sheet.at(x, wide, height * 0.55), 0.24 * sheet.unit
        sheet.draw.ellipse(
            (middle[0] - radius * 0.86, middle[1] - radius, middle[0] + radius * 0.86, middle[1] + radius),
            fill=_darker(color, 0.4), outline=_EDGE, width=3,
        )  # fmt: skip
    return sheet


def _slope(first: int, second: int, color: Rgb) -> Sheet:
    # The side that falls is named first.
    long, wide = max(2, first), second
    sheet = Sheet([(0, 0, 1.5), (long, 0, 0), (0, wide, 0), (long, wide, 0)])
    low = 0.25
    sheet.face([(0, wide, 0), (long, wide, 0), (long, wide, low), (1, wide, _BRICK), (0, wide, _BRICK)],
               _darker(color, 0.72))  # fmt: skip
    sheet.face([(long, 0, 0), (long, wide, 0), (long, wide, low), (long, 0, low)], _darker(color, 0.55))
    sheet.face([(1, 0, _BRICK), (long, 0, low), (long, wide, low), (1, wide, _BRICK)], _darker(color, 0.88))
    sheet.face([(0, 0, _BRICK), (1, 0, _BRICK), (1, wide, _BRICK), (0, wide, _BRICK)], color)
    for y in range(wide):
        sheet.round((0.5, y + 0.5, _BRICK), 0.3, 0.2, color)
    return sheet


def _cylinder(wide: int, _long: int, color: Rgb) -> Sheet:
    sheet = Sheet([(0, 0, 1.5), (wide, 0, 0), (0, wide, 0), (wide, wide, 0)])
    sheet.round((wide / 2, wide / 2, 0), wide / 2, min(_BRICK, wide * 0.6), color)
    if wide > 1:
        for x, y in ((0.3, 0.3), (0.7, 0.3), (0.3, 0.7), (0.7, 0.7)):
            sheet.round((wide * x, wide * y, min(_BRICK, wide * 0.6)), 0.25, 0.2, color)
    else:
        sheet.round((0.5, 0.5, 0.6), 0.3, 0.2, color)
    return sheet


def _ring(teeth: int, color: Rgb) -> Sheet:
    sheet = Sheet([(0, 0, 0), (2, 2, 0)])
    middle, outer = _SIZE * _SCALE / 2, _SIZE * _SCALE * 0.36

    def disc(radius: float, fill: Rgb) -> None:
        box = (middle - radius, middle - radius, middle + radius, middle + radius)
        sheet.draw.ellipse(box, fill=fill, outline=_EDGE, width=4)

    for tooth in range(teeth):
        angle = 2 * math.pi * tooth / teeth
        tip = (middle + outer * 1.14 * math.cos(angle), middle + outer * 1.14 * math.sin(angle))
        sides = [(middle + outer * math.cos(angle + turn), middle + outer * math.sin(angle + turn))
                 for turn in (-0.13, 0.13)]  # fmt: skip
        sheet.draw.polygon([sides[0], tip, sides[1]], fill=_darker(color, 0.8), outline=_EDGE, width=4)
    disc(outer, color)
    disc(outer * 0.62, _darker(color, 0.75))
    disc(outer * 0.2, (255, 255, 255))
    return sheet


def _rod(color: Rgb, *, bumps: int) -> Sheet:
    sheet = Sheet([(0, 0, 0), (6, 0, 0), (0, 0, 0.8)])
    ends = (sheet.at(0.3, 0, 0.4), sheet.at(5.7, 0, 0.4))
    thick = round(sheet.unit * 0.6)
    for extra, fill in ((8, _EDGE), (0, color)):
        sheet.draw.line(ends, fill=fill, width=thick + extra)
        for x, y in ends:
            radius = (thick + extra) / 2
            sheet.draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)
    for bump in range(bumps):
        share = (bump + 1) / (bumps + 1)
        x, y = (ends[0][0] + (ends[1][0] - ends[0][0]) * share, ends[0][1] + (ends[1][1] - ends[0][1]) * share)
        radius = sheet.unit * 0.42
        sheet.draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_darker(color, 0.85), outline=_EDGE,
                           width=4)  # fmt: skip
    return sheet


def _dome(_wide: int, _long: int, color: Rgb) -> Sheet:
    sheet = Sheet([(0, 0, 0), (2, 2, 0)])
    side = _SIZE * _SCALE
    sheet.draw.pieslice((side * 0.2, side * 0.2, side * 0.8, side * 0.95), 180, 360, fill=color, outline=_EDGE, width=5)
    sheet.draw.rounded_rectangle((side * 0.14, side * 0.55, side * 0.86, side * 0.66), 24, fill=_darker(color, 0.8),
                                 outline=_EDGE, width=5)  # fmt: skip
    return sheet


def _plant(_wide: int, _long: int, color: Rgb) -> Sheet:
    sheet = Sheet([(0, 0, 0), (2, 2, 0)])
    side = _SIZE * _SCALE
    for turn in range(0, 360, 72):
        angle = math.radians(turn - 90)
        x, y = side / 2 + side * 0.2 * math.cos(angle), side / 2 + side * 0.2 * math.sin(angle)
        box = (x - side * 0.15, y - side * 0.15, x + side * 0.15, y + side * 0.15)
        sheet.draw.ellipse(box, fill=_darker(color, 0.85 + turn / 2400), outline=_EDGE, width=4)
    box = (side * 0.42, side * 0.42, side * 0.58, side * 0.58)
    sheet.draw.ellipse(box, fill=color, outline=_EDGE, width=4)
    return sheet


def _frame(_wide: int, _long: int, color: Rgb) -> Sheet:
    sheet = Sheet([(0, 0, 4), (3, 0, 0), (0, 0.6, 0)])
    sheet.face([(3, 0, 0), (3, 0.6, 0), (3, 0.6, 4), (3, 0, 4)], _darker(color, 0.6))
    sheet.face([(0, 0, 4), (3, 0, 4), (3, 0.6, 4), (0, 0.6, 4)], color)
    sheet.face([(0, 0.6, 0), (3, 0.6, 0), (3, 0.6, 4), (0, 0.6, 4)], _darker(color, 0.85))
    sheet.face([(0.5, 0.6, 0.5), (2.5, 0.6, 0.5), (2.5, 0.6, 3.5), (0.5, 0.6, 3.5)], (226, 238, 245))
    return sheet


_SHAPES: Sequence[tuple[Sequence[str], Callable[[int, int, Rgb], Sheet]]] = (
    (("headgear", "hair", "visor", "helmet", "dome", "dish"), _dome),
    (("gear",), lambda _wide, _long, color: _ring(16, color)),
    (("wheel", "tire", "tyre", "turntable"), lambda _wide, _long, color: _ring(0, color)),
    (("pin", "axle", "connector"), lambda _wide, _long, color: _rod(color, bumps=2)),
    (("bar", "antenna", "weapon", "utensil", "hose"), lambda _wide, _long, color: _rod(color, bumps=1)),
    (("liftarm", "beam"), lambda _wide, _long, color: _rod(color, bumps=4)),
    (("plant", "flower", "leaves"), _plant),
    (("window", "door", "glass"), _frame),
    (("round", "cone", "cylinder"), _cylinder),
)


def _figure(number: str) -> Sheet:
    sheet = Sheet([(0, 0, 0), (2, 2, 0)])
    side = _SIZE * _SCALE
    body, legs = _own_color(number, "body"), _own_color(number, "legs")

    def block(place: tuple[float, float, float, float], color: Rgb, radius: int = 12) -> None:
        box = tuple(side * share for share in place)
        sheet.draw.rounded_rectangle(box, radius, fill=color, outline=_EDGE, width=5)

    block((0.45, 0.1, 0.55, 0.16), _SKIN)
    block((0.39, 0.14, 0.61, 0.34), _SKIN, 40)
    for x in (0.46, 0.54):
        sheet.draw.ellipse((side * (x - 0.012), side * 0.21, side * (x + 0.012), side * 0.234), fill=(20, 20, 20))
    sheet.draw.arc((side * 0.45, side * 0.22, side * 0.55, side * 0.3), 20, 160, fill=(20, 20, 20), width=6)
    for left, right in ((0.22, 0.33), (0.67, 0.78)):
        block((left, 0.37, right, 0.6), _darker(body, 0.85), 36)
        block((left + 0.02, 0.59, right - 0.02, 0.66), _SKIN, 30)
    points = [(0.36, 0.35), (0.64, 0.35), (0.69, 0.62), (0.31, 0.62)]
    sheet.draw.polygon([(side * x, side * y) for x, y in points], fill=body, outline=_EDGE, width=5)
    block((0.32, 0.62, 0.68, 0.67), _darker(legs, 0.8))
    block((0.32, 0.67, 0.49, 0.9), legs)
    block((0.51, 0.67, 0.68, 0.9), legs)
    return sheet


def _box(number: str) -> Sheet:
    sheet = Sheet([(0, 0, 3.2), (4, 0, 0), (0, 1.2, 0), (4, 1.2, 0)])
    color, thing = _own_color(number, "box"), _own_color(number, "thing")
    sheet.face([(4, 0, 0), (4, 1.2, 0), (4, 1.2, 3.2), (4, 0, 3.2)], _darker(color, 0.6))
    sheet.face([(0, 0, 3.2), (4, 0, 3.2), (4, 1.2, 3.2), (0, 1.2, 3.2)], _darker(color, 0.85))
    sheet.face([(0, 1.2, 0), (4, 1.2, 0), (4, 1.2, 3.2), (0, 1.2, 3.2)], color)
    sheet.face([(0.3, 1.2, 0.3), (3.7, 1.2, 0.3), (3.7, 1.2, 2.4), (0.3, 1.2, 2.4)], (231, 240, 247))
    sheet.face(
        [(0.9, 1.2, 0.5), (3.1, 1.2, 0.5), (3.1, 1.2, 1.2), (2.4, 1.2, 2), (1.4, 1.2, 2), (0.9, 1.2, 1.2)], thing
    )
    return sheet


def _booklet(number: str) -> Sheet:
    sheet = Sheet([(0, 0, 0), (2, 2, 0)])
    side = _SIZE * _SCALE
    color = _own_color(number, "book")
    for shift in (0.03, 0.015, 0):
        box = (side * (0.2 + shift), side * (0.12 + shift), side * (0.77 + shift), side * (0.85 + shift))
        sheet.draw.rectangle(box, fill=color if not shift else (250, 250, 250), outline=_EDGE, width=4)
    sheet.draw.rectangle((side * 0.27, side * 0.2, side * 0.7, side * 0.27), fill=(255, 255, 255))
    box = (side * 0.3, side * 0.36, side * 0.67, side * 0.73)
    sheet.draw.ellipse(box, fill=_own_color(number, "thing"), outline=_EDGE, width=4)
    return sheet
