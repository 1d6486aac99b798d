"""Where the sources have pictures of items: their hosts, and how an item's number becomes an address there.

Nobody promises these addresses: one that leads nowhere any more costs a question, and the next is tried. Other hosts,
and other paths on these, are never asked. Checked on 2026-11-26:

Rebrickable: `img_url` of its downloads and `part_img_url` of its API (catalog-sources.md, 1.2 and 2); of the parts in
shared/data/rebrickable/api-samples those with an element picture have `parts/elements/<element>.jpg`, and those with a
drawn one `parts/ldraw/<Rebrickable's color>/<part>.png`.
BrickLink: addresses in the answers of its API (https://www.bricklink.com/v3/api.page, Catalog Item, `image_url`), and
those of its own catalog pages: `ItemImage/<letter of the type>N/<color>/<number>.png`, color 0 for what has none, and
`ItemImage/PL/<number>.png` for a part in whatever color.
Brick Owl: `images` of `catalog/lookup` (channels-brickowl.md). Brickognize: `img_url` of its predictions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from catalog.choices import LETTER_OF_ITEM_TYPE, ItemType

_LDRAW = "https://cdn.rebrickable.com/media/parts/ldraw"
_ELEMENTS = "https://cdn.rebrickable.com/media/parts/elements"
_BRICKLINK = "https://img.bricklink.com/ItemImage"


@dataclass(frozen=True, slots=True)
class PictureHost:
    """A host of a source's pictures, below a path. None says how often it may be asked: this is our own measure."""

    host: str
    path: str
    label: str
    per_second: float = 5.0
    burst: int = 10


HOSTS = (
    PictureHost("cdn.rebrickable.com", "/media/", "Rebrickable's pictures"),
    PictureHost("img.bricklink.com", "/", "BrickLink's pictures"),
    PictureHost("img.brickowl.com", "/files/", "Brick Owl's pictures"),
    # Anybody can have pictures on this host: only Brickognize's folder is meant.
    PictureHost("storage.googleapis.com", "/brickognize-static/", "Brickognize's pictures"),
)


def host_of(url: str) -> PictureHost | None:
    """Answer whose picture an address is; None for any other, also for one that only looks like it."""
    try:
        parts = urlsplit(url)
        is_plain = parts.scheme == "https" and parts.port is None and "@" not in parts.netloc
    except ValueError:
        return None
    # A path that climbs out of its folder, however it is written.
    climbs = "%2e" in url.lower() or any(step in ("", ".", "..") for step in parts.path.split("/")[1:-1])
    if not is_plain or climbs or "\\" in url:
        return None
    return next((each for each in HOSTS if parts.netloc == each.host and parts.path.startswith(each.path)), None)


def absolute(url: str) -> str:
    """Answer an address as `https`; BrickLink's begin with `//` (channels-bricklink.md)."""
    return f"https:{url}" if url.startswith("//") else url


def of_element(element_id: str) -> str:
    """Answer where Rebrickable has the picture of a LEGO element: a part in a color."""
    return f"{_ELEMENTS}/{_safe(element_id)}.jpg"


def of_rebrickable_part(part_no: str, color_id: int) -> str:
    """Answer where Rebrickable has a drawn picture of a part, both by its own numbers."""
    return f"{_LDRAW}/{color_id}/{_safe(part_no)}.png"


def of_bricklink(item_type: str, item_no: str, color_id: int) -> Iterator[str]:
    """Answer where BrickLink has a picture of an item; `color_id` 0: in no particular color."""
    letter = LETTER_OF_ITEM_TYPE[ItemType(item_type)]
    if item_type == ItemType.PART and not color_id:
        yield f"{_BRICKLINK}/PL/{_safe(item_no)}.png"
    elif item_type != ItemType.CUSTOM:
        yield f"{_BRICKLINK}/{letter}N/{color_id}/{_safe(item_no)}.png"


def _safe(number: str) -> str:
    return quote(number, safe="")
