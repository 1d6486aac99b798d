"""The pictures of items: which are kept, and where the sources may have the others."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from catalog import colors
from catalog.choices import ImageState, ItemType
from catalog.models import CatalogIdMapping, CatalogImage, CatalogItem, CatalogItemColor
from catalog.queries.items import has_colors
from catalog.sources import pictures

# Pixels of a side: what lists show, twice over for sharp screens, and what a page and the preview show.
IN_LISTS, ON_PAGES = 96, 480
SIDES = (IN_LISTS, ON_PAGES)
# No more addresses are tried for one picture; of the elements the newest ones, whose pictures are the best.
_ELEMENTS, _COMMONEST = 2, 3


@dataclass(frozen=True, slots=True)
class Places:
    """Where a picture may be, the likeliest first: of the item in the color, and of the item in any."""

    in_color: tuple[str, ...] = ()
    in_any: tuple[str, ...] = ()


def get_image(item_type: str, item_no: str, color_id: int) -> CatalogImage | None:
    """Answer what is known of a picture, None for nothing. One query."""
    return CatalogImage.objects.filter(item_type=item_type, item_no=item_no, color_id=color_id).first()


def kept_images(keys: Iterable[tuple[str, str, int]]) -> dict[tuple[str, str, int], CatalogImage]:
    """Answer the pictures that are kept, by type, number and color. One query."""
    wanted = set(keys)
    if not wanted:
        return {}
    found = CatalogImage.objects.filter(
        item_type__in={kind for kind, _no, _color in wanted}, item_no__in={no for _kind, no, _color in wanted}
    ).exclude(content_hash="")
    kept = {(image.item_type, image.item_no, image.color_id): image for image in found}
    return {key: kept[key] for key in wanted & kept.keys()}


def has_wanted(*, now: datetime) -> bool:
    """Tell whether pictures wait to be fetched."""
    return CatalogImage.objects.filter(state=ImageState.WANTED, ask_again_at__lte=now).exists()


def places_of(image: CatalogImage) -> Places:
    """Answer where the sources may have a picture. Three queries."""
    item = CatalogItem.objects.filter(item_type=image.item_type, item_no=image.item_no).first()
    offered = [pictures.absolute(image.offered_url)] if image.offered_url else []
    if item is None:
        return Places(in_any=_allowed(offered))
    known = {row.color_id: row for row in CatalogItemColor.objects.filter(item=item)}
    commonest = sorted(known.values(), key=lambda row: (-(row.qty_known or 0), row.color_id))[:_COMMONEST]
    mapping = CatalogIdMapping.objects.filter(item_type=item.item_type, canonical_item_no=item.item_no).first()
    part_no = mapping.rebrickable_id if mapping and item.item_type == ItemType.PART else ""
    own = [pictures.absolute(url) for url in (item.image_url, item.thumbnail_url) if url]
    in_any = [
        *own,
        *(url for row in commonest for url in _of_color(row)[:1]),
        *(_of_bricklink(item, 0)),
        *offered,
    ]
    if not image.color_id or not has_colors(item.item_type):
        return Places(in_any=_allowed(in_any))
    in_color = [*_of_color(known.get(image.color_id)), *_of_bricklink(item, image.color_id)]
    color = colors.get(image.color_id)
    if part_no and color and color.rebrickable_id is not None:
        in_color.append(pictures.of_rebrickable_part(part_no, color.rebrickable_id))
    return Places(_allowed(in_color), _allowed(in_any))


def _of_color(row: CatalogItemColor | None) -> list[str]:
    if row is None:
        return []
    newest = sorted(row.lego_element_ids, key=lambda element: (len(element), element), reverse=True)[:_ELEMENTS]
    return [*([pictures.absolute(row.image_url)] if row.image_url else []), *map(pictures.of_element, newest)]


def _of_bricklink(item: CatalogItem, color_id: int) -> Iterator[str]:
    # A number that only Rebrickable has is not known there.
    return iter(()) if item.is_provisional else pictures.of_bricklink(item.item_type, item.item_no, color_id)


def _allowed(urls: Iterable[str]) -> tuple[str, ...]:
    return tuple(url for url in dict.fromkeys(urls) if pictures.host_of(url) is not None)
