"""The hosts of the sources' pictures, all under one prefix with the host in front: real pictures, drawn on the spot.

Addresses as Rebrickable's tables and API, BrickLink's pages and Brickognize's predictions have them. Some have none, as
it is there. Numbers that begin with `odd-` have what no host should answer: `odd-50megapixels`, `odd-animated` …
"""

import csv
import io
import re
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

from PIL import Image

from sandbox.catalog import catalog
from sandbox.drawing import draw
from sandbox.http import Request, Response

_NAMES = Path(__file__).parent / "data" / "pictured.csv"
_GRAY = "A3A2A4"
# One of so many has no picture in a color in which nobody knows it.
_LACKS = 3
_BRICKLINK = re.compile(r"/img\.bricklink\.com/ItemImage/(?:PL|([A-Z])N/(\d+))/([^/]+)\.png")
_ELEMENT = re.compile(r"/cdn\.rebrickable\.com/media/parts/elements/([^/]+)\.jpg")
_LDRAW = re.compile(r"/cdn\.rebrickable\.com/media/parts/ldraw/(-?\d+)/([^/]+)\.png")
_SET = re.compile(r"/cdn\.rebrickable\.com/media/sets/([^/]+)\.jpg")
_SEEN = re.compile(r"/storage\.googleapis\.com/brickognize-static/thumbnails/(part|set|fig|sticker)/([^/]+)/0\.webp")
_LETTERS = {"part": "P", "sticker": "P", "set": "S", "fig": "M"}


class Pictures:
    """Draws what is asked for; 404 for what it doesn't know."""

    name = "pictures"
    prefix = "/pictures"
    hosts: Sequence[str] = ("cdn.rebrickable.com", "img.bricklink.com", "storage.googleapis.com")

    def handle(self, request: Request) -> Response:
        """Answer a picture."""
        path = request.path
        host = request.headers.get("Host", "").partition(":")[0]
        if host in self.hosts:
            path = f"/{host}{path}"
        odd = re.search(r"/(odd-[a-z0-9]+)", path)
        if odd and odd[1] in _ODD:
            return _ODD[odd[1]]()
        found = _drawn(unquote(path))
        return _missing() if found is None else found


def _drawn(path: str) -> Response | None:
    if match := _BRICKLINK.fullmatch(path):
        letter, color, number = match[1] or "P", int(match[2] or 0), match[3]
        name = _names().get((letter, number))
        if name is None or (color and letter == "P" and _lacks(number, color)):
            return None
        return _png(draw(letter, number, name, _rgb_of_bricklink(color)))
    if match := _ELEMENT.fullmatch(path):
        if match[1] not in catalog().elements:
            return None
        part, color = catalog().elements[match[1]]
        return _jpeg(draw("P", part, catalog().parts[part]["name"], _rgb(color), kind="JPEG"))
    if match := _LDRAW.fullmatch(path):
        part_row = catalog().parts.get(match[2])
        return _png(draw("P", match[2], part_row["name"], _rgb(int(match[1])))) if part_row else None
    if match := _SET.fullmatch(path):
        is_known = match[1] in catalog().sets or match[1] in catalog().minifigs
        letter = "M" if match[1].startswith("fig-") else "S"
        return _jpeg(draw(letter, match[1], "", _GRAY, kind="JPEG")) if is_known else None
    if match := _SEEN.fullmatch(path):
        letter = _LETTERS[match[1]]
        image = draw(letter, match[2], _names().get((letter, match[2]), ""), _GRAY, kind="WEBP")
        return Response(body=image, content_type="image/webp")
    return None


@cache
def _names() -> Mapping[tuple[str, str], str]:
    """Answer names by BrickLink's letter and number."""
    with _NAMES.open(newline="", encoding="utf-8") as table:
        found = {(row["type"], row["number"]): row["name"] for row in csv.DictReader(table)}
    for row in catalog().parts.values():
        for number in (*row["external_ids"].get("BrickLink", ()), row["part_num"]):
            found.setdefault(("P", number), row["name"])
    for row in catalog().sets.values():
        found.setdefault(("S", row["set_num"]), row["name"])
    return found


def _lacks(number: str, color: int) -> bool:
    known = catalog().elements_of.get(number, {})
    ids = {
        each for one in known for each in catalog().colors[one]["external_ids"].get("BrickLink", {}).get("ext_ids", ())
    }
    return color not in ids and sha256(f"{number} {color}".encode()).digest()[0] % _LACKS == 0


def _rgb(color_id: int) -> str:
    color = catalog().colors.get(color_id)
    return str(color["rgb"]) if color else _GRAY


@cache
def _rgb_of_bricklink(color_id: int) -> str:
    for color in catalog().colors.values() if color_id else ():
        if color_id in color["external_ids"].get("BrickLink", {}).get("ext_ids", ()):
            return str(color["rgb"])
    return _GRAY


# --- Answers --------------------------------------------------------------------------------------------------------
def _png(body: bytes) -> Response:
    return Response(body=body, content_type="image/png")


def _jpeg(body: bytes) -> Response:
    return Response(body=body, content_type="image/jpeg")


def _missing() -> Response:
    return Response(404, b"<html><body>404 Not Found</body></html>", "text/html")


def _megapixels() -> Response:
    """A bomb: 50 megapixels of nothing, in a few bytes."""
    width, height = 10_000, 5_000

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (width + 1) * 64)
    return _png(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


def _animated() -> Response:
    frames = [Image.new("RGB", (200, 200), color) for color in ("red", "blue", "green")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=100, loop=0)
    return Response(body=out.getvalue(), content_type="image/gif")


def _with_exif() -> Response:
    exif = Image.Exif()
    # Maker, and lying on its side.
    exif[0x010F], exif[0x0112] = "Spy camera", 6
    image = Image.new("RGB", (300, 200), "white")
    image.paste((200, 0, 0), (0, 0, 300, 100))
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    return _jpeg(out.getvalue())


def _cut() -> Response:
    whole = draw("P", "3001", "Brick 2 x 4", _GRAY, kind="JPEG")
    return _jpeg(whole[: len(whole) // 3])


_ODD: Mapping[str, Callable[[], Response]] = {
    "odd-50megapixels": _megapixels,
    "odd-animated": _animated,
    "odd-exif": _with_exif,
    "odd-cut": _cut,
    "odd-text": lambda: _png(b"this is no picture"),
    "odd-svg": lambda: Response(body=b"<svg xmlns='http://www.w3.org/2000/svg'/>", content_type="image/svg+xml"),
    "odd-huge": lambda: _png(b"\x89PNG\r\n\x1a\n" + b"\0" * 6 * 1024 * 1024),
    "odd-page": lambda: Response(body=b"<html><body>Are you a robot?</body></html>", content_type="text/html"),
    "odd-inside": lambda: Response(302, headers={"Location": "http://169.254.169.254/latest/meta-data/"}),
    "odd-elsewhere": lambda: Response(302, headers={"Location": "https://example.com/picture.png"}),
    "odd-onward": lambda: Response(302, headers={"Location": "https://img.bricklink.com/ItemImage/PN/5/3001.png"}),
    "odd-circle": lambda: Response(302, headers={"Location": "https://img.bricklink.com/ItemImage/PL/odd-circle.png"}),
}
