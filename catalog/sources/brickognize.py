"""Brickognize: what a picture shows.

https://api.brickognize.com/docs and its openapi.json (version 1.0.0), checked on 2026-04-02; catalog-sources.md,
section 5. All endpoints are called legacy there, and are the only ones.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

from catalog.choices import ItemType
from catalog.sources.base import Can, ImageKind, Prediction, Source, SourceSpec, registry
from common.wire import Policy

_PATHS: Mapping[ImageKind, str] = {
    ImageKind.ANY: "predict/",
    ImageKind.PART: "predict/parts/",
    ImageKind.SET: "predict/sets/",
    ImageKind.FIGURE: "predict/figs/",
}
_TYPES = {"part": ItemType.PART, "sticker": ItemType.PART, "set": ItemType.SET, "fig": ItemType.MINIFIG}
# The letters of BrickLink's pages: `?P=3001`.
_LETTERS = {"P": ItemType.PART, "S": ItemType.SET, "M": ItemType.MINIFIG}
_PLACES = Decimal("0.0001")


@registry.register
class Brickognize(Source):
    """Knows parts, sets, figures and stickers by sight, by BrickLink's numbers."""

    spec = SourceSpec(
        code="brickognize",
        label="Brickognize",
        docs="https://api.brickognize.com/docs",
        can=frozenset({Can.IDENTIFY}),
        # None are published; other clients keep to 5 a second.
        per_second=2.0,
        burst=4,
        per_day=20_000,
        # A person waits.
        total_s=10.0,
        read_s=10.0,
        policy=Policy(attempts=2, base_s=0.3),
    )

    def identify(self, image: bytes, kind: ImageKind) -> tuple[Prediction, ...]:
        """Answer what a JPEG may show, best first."""
        return self._ask("identify", identify_result, identify_request(image, kind))


def identify_request(image: bytes, kind: ImageKind) -> dict[str, Any]:
    """Ask what a JPEG shows; asking changes nothing, so it may be repeated."""
    return {
        "method": "POST",
        "path": _PATHS[kind],
        "files": {"query_image": ("photo.jpg", image, "image/jpeg")},
        "is_repeatable": True,
    }


def identify_result(data: Any) -> tuple[Prediction, ...]:
    """Read the predictions; one of a type that we don't know is left out."""
    found = [prediction for item in data["items"] if (prediction := _prediction(item)) is not None]
    return tuple(sorted(found, key=lambda prediction: -prediction.score))


def _prediction(item: Any) -> Prediction | None:
    kind, number = _on_bricklink(item.get("external_sites") or ())
    kind = kind or _TYPES.get(str(item["type"]))
    if kind is None:
        return None
    return Prediction(
        item_type=kind,
        item_no=number or str(item["id"]),
        name=str(item["name"]),
        image_url=str(item["img_url"] or ""),
        score=min(max(Decimal(item["score"]), Decimal(0)), Decimal(1)).quantize(_PLACES),
    )


def _on_bricklink(sites: Any) -> tuple[ItemType | None, str]:
    """Answer type and number of the link to BrickLink, which is surer than `id`."""
    for site in sites:
        if site["name"] == "bricklink":
            query = parse_qs(urlsplit(str(site["url"])).query)
            for letter, kind in _LETTERS.items():
                if letter in query:
                    return kind, query[letter][0]
    return None, ""
