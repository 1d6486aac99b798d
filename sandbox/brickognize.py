"""Brickognize's API: https://api.brickognize.com/docs. What it sees is worked out from the picture's own colors."""

import io
import re
from collections.abc import Iterable, Sequence
from email.parser import BytesParser
from email.policy import HTTP
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from PIL import Image, UnidentifiedImageError

from sandbox.catalog import catalog
from sandbox.http import Request, Response, as_json

_FIELD = "query_image"
_LIMIT_PIXELS = 40_000_000
_PAGES = {"part": "P", "set": "S", "fig": "M"}
# Brickognize has BrickLink's figures, which Rebrickable's tables don't name.
_FIGURES = (
    ("cty0955", "Police Officer"), ("sw0001", "Battle Droid"), ("cas319", "Castle Knight"),
    ("sh0513", "Batman"), ("sw1045", "Resistance Pilot"),
)  # fmt: skip
_SCORES = (0.93, 0.71, 0.48, 0.31, 0.17)


class Brickognize:
    """Sees the same in the same picture, whatever size it is sent in."""

    name = "brickognize"
    prefix = "/brickognize"
    hosts: Sequence[str] = ("api.brickognize.com",)

    def handle(self, request: Request) -> Response:
        """Answer predictions for a picture, 422 for what is none."""
        if request.path == "/health/" and request.method == "GET":
            return as_json({"server": True, "model": True})
        kinds = {
            "/predict/": ("part", "set", "fig"),
            "/predict/parts/": ("part",),
            "/predict/sets/": ("set",),
            "/predict/figs/": ("fig",),
        }.get(request.path)
        if kinds is None:
            return as_json({"detail": "Not Found"}, HTTPStatus.NOT_FOUND)
        if request.method != "POST":
            return as_json({"detail": "Method Not Allowed"}, HTTPStatus.METHOD_NOT_ALLOWED)
        sent = _file(request)
        if sent is None:
            return _invalid("field required", "value_error.missing")
        try:
            with Image.open(io.BytesIO(sent), formats=("JPEG", "PNG", "WEBP")) as image:
                if image.width * image.height > _LIMIT_PIXELS:
                    return _invalid("the image is too large", "value_error")
                small = image.convert("RGB").resize((8, 8), Image.Resampling.BOX)
                width, height = image.size
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
            return _invalid("the file is not an image", "value_error")
        return as_json(_seen(small.tobytes(), width, height, kinds))


def _seen(pixels: bytes, width: int, height: int, kinds: Iterable[str]) -> dict[str, Any]:
    # Coarse, so that scaling and compressing a picture leave it the picture that it is.
    print_ = bytes(value // 52 for value in pixels)
    number = int.from_bytes(sha256(print_).digest()[:8])
    known = [item for kind in kinds for item in _known(kind)]
    items = [known[(number + 7 * place * place) % len(known)] for place in range(min(len(_SCORES), len(known)))]
    unique = list({item["id"]: item for item in items}.values())
    return {
        "listing_id": f"res-{number & 0xFFFFFFFF:08x}",
        "bounding_box": {
            "left": width * 0.1, "upper": height * 0.1, "right": width * 0.9, "lower": height * 0.9,
            "image_width": width, "image_height": height, "score": 0.97,
        },
        "items": [{**item, "score": score} for item, score in zip(unique, _SCORES, strict=False)],
    }  # fmt: skip


def _known(kind: str) -> list[dict[str, Any]]:
    if kind == "fig":
        return [_item(number, name, kind, None) for number, name in _FIGURES]
    if kind == "set":
        return [_item(row["set_num"], row["name"], kind, None) for row in catalog().sets.values()]
    categories = catalog().categories
    found = []
    for row in catalog().parts.values():
        for number in row["external_ids"].get("BrickLink", ())[:1]:
            is_sticker = row["name"].startswith("Sticker")
            category = categories[row["part_cat_id"]]["name"]
            found.append(_item(number, row["name"], "sticker" if is_sticker else "part", category))
    return found


def _item(number: str, name: str, kind: str, category: str | None) -> dict[str, Any]:
    page = f"https://www.bricklink.com/v2/catalog/catalogitem.page?{_PAGES.get(kind, 'P')}={number}"
    return {
        "id": number,
        "name": name,
        "img_url": f"https://storage.googleapis.com/brickognize-static/thumbnails/{kind}/{number}/0.webp",
        "external_sites": [{"name": "bricklink", "url": page}],
        "category": category,
        "type": kind,
    }


def _file(request: Request) -> bytes | None:
    """Answer the file of a multipart body, None where there is none."""
    kind = request.headers.get("Content-Type", "")
    if not re.match(r"multipart/form-data\s*;", kind, re.IGNORECASE):
        return None
    head = f"Content-Type: {kind}\r\n\r\n".encode("latin-1")
    for part in BytesParser(policy=HTTP).parsebytes(head + request.body).iter_parts():
        if part.get_param("name", header="Content-Disposition") == _FIELD:
            payload = part.get_payload(decode=True)
            return payload if isinstance(payload, bytes) else None
    return None


def _invalid(message: str, kind: str) -> Response:
    detail = [{"loc": ["body", _FIELD], "msg": message, "type": kind}]
    return as_json({"detail": detail}, HTTPStatus.UNPROCESSABLE_ENTITY)
