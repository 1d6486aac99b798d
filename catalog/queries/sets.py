"""What sets and figures are made of."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from catalog.choices import ItemType
from catalog.models import CatalogItem, CatalogSetItem


@dataclass(frozen=True, slots=True)
class Content:
    """So many of an item in a set. `color_id`: BrickLink's, None where it has none.

    `item_no` is BrickLink's, unless the item is provisional: then nobody but Rebrickable has that number.
    """

    item_id: int
    item_type: str
    item_no: str
    name: str
    category: str
    color_id: int | None
    qty: int
    is_spare: bool
    weight_grams: Decimal | None
    is_provisional: bool


def set_numbered(no: str) -> CatalogItem | None:
    """Answer the set of that number, or of that number with `-1`, if there is one."""
    text = no.strip()
    names = [text, f"{text}-1"]
    found = {
        item.item_no.lower(): item for item in CatalogItem.objects.filter(item_type=ItemType.SET, item_no__in=names)
    }
    return next((found[name.lower()] for name in names if name.lower() in found), None)


def contents_of(item_ids: Collection[int]) -> dict[int, list[Content]]:
    """Answer what the sets and figures are made of, by their keys. One query.

    Alternates and counterparts, which are no pieces more, are left out.
    """
    rows = (
        CatalogSetItem.objects.filter(set__in=item_ids, is_alternate=False, is_counterpart=False)
        .select_related("item", "item__category")
        .order_by("set_id", "item__item_type", "item__item_no", "color_id", "is_spare", "id")
    )
    found: dict[int, list[Content]] = {key: [] for key in item_ids}
    for row in rows:
        item = row.item
        found[row.set_id].append(
            Content(
                item_id=item.pk,
                item_type=item.item_type,
                item_no=item.item_no,
                name=item.name,
                category=item.category.name if item.category else "",
                color_id=row.color_id,
                qty=row.qty,
                is_spare=row.is_spare,
                weight_grams=item.weight_grams,
                is_provisional=item.is_provisional,
            )
        )
    return found
