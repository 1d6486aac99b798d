"""What a source said of items, brought into the catalog: each fact with who said it, and how sure that is."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction

from catalog import colors
from catalog.choices import CategoryKind, ItemType, Source, System
from catalog.importing import dictionary
from catalog.models import CatalogCategory, CatalogElement, CatalogExternalId, CatalogItem, CatalogItemColor
from catalog.sources.base import FoundItem, ItemColor

# How sure a fact is (catalog-sources.md, 4.3).
_SAID, _OWN, _SAME_SET, _HINT = Decimal("0.98"), Decimal(1), Decimal("0.90"), Decimal("0.40")
_SURE = Decimal("0.5")
# PostgreSQL's advisory lock of this number.
_LOCK = 7_341_002


@transaction.atomic
def keep(
    source: Source, found: Iterable[FoundItem], known_colors: Mapping[str, Sequence[ItemColor]], *, now: datetime
) -> dict[str, tuple[CatalogItem, ...]]:
    """Keep things as a source knows them; answer the items that each is, by the source's own number.

    `known_colors`: by that number too. What somebody was surer of stays as it is, and an item gets only what it lacks.
    """
    # One at a time: two that keep some of the same items would wait for each other.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    kept: dict[str, tuple[CatalogItem, ...]] = {}
    for each in found:
        items = _items_of(source, each, now)
        for item in items:
            _keep_colors(source, item, each.number, known_colors.get(each.number, ()))
        _withdraw(source, each, items)
        kept[each.number] = items
    dictionary.refresh(item.pk for items in kept.values() for item in items)
    fresh = CatalogItem.objects.in_bulk([item.pk for items in kept.values() for item in items])
    return {number: tuple(fresh[item.pk] for item in items) for number, items in kept.items()}


def color_id_of(source: Source, number: int | None) -> int | None:
    """Answer BrickLink's number of a source's color, None where there is none."""
    if number is None:
        return None
    color = colors.get(number) if source == Source.BRICKLINK else colors.of_platform(source.value).get(number)
    return color.id if color and color.id != colors.NOT_APPLICABLE else None


def _items_of(source: Source, found: FoundItem, now: datetime) -> tuple[CatalogItem, ...]:
    """Answer the items that the found thing is: BrickLink's where it is said which.

    What only Rebrickable has becomes an item under its number; a BOID says nothing to anybody, and becomes none.
    """
    sure = _OWN if source == Source.BRICKLINK else _SAID
    items = []
    for number in found.ids.get(System.BRICKLINK, ()):
        item = _item(source, found, number, now, is_provisional=False)
        # Of several of BrickLink's each is an item of its own.
        own = {**found.ids, System.BRICKLINK.value: (number,)}
        _keep_ids(item, own, source=source, confidence=sure)
        items.append(item)
    if items or source != Source.REBRICKABLE:
        return tuple(items)
    if mapped := _mapped(found):
        for item, confidence in mapped:
            others = {system: numbers for system, numbers in found.ids.items() if system != System.REBRICKABLE}
            _keep_ids(item, others, source=source, confidence=min(confidence, _SAID))
        return tuple(item for item, _ in mapped)
    item = _item(source, found, found.number, now, is_provisional=True)
    if item.is_provisional:
        _keep_ids(item, found.ids, source=source, confidence=_OWN)
    else:
        # BrickLink's item of the same number: of a set that says it all, of a part it is a hint.
        own = {System.REBRICKABLE.value: (found.number,)}
        confidence = _SAME_SET if found.item_type == ItemType.SET else _HINT
        _keep_ids(item, own, source=Source.AUTO, confidence=confidence)
    return (item,)


def _mapped(found: FoundItem) -> list[tuple[CatalogItem, Decimal]]:
    """Answer the items of BrickLink's that Rebrickable's number is known to be by other ways, and how surely."""
    rows = CatalogExternalId.objects.filter(
        system=System.REBRICKABLE, external_id=found.number, confidence__gte=_SURE, item__item_type=found.item_type,
        item__is_provisional=False,
    ).select_related("item")  # fmt: skip
    return [(row.item, row.confidence) for row in rows.order_by("-confidence", "item_id")]


def _item(source: Source, found: FoundItem, number: str, now: datetime, *, is_provisional: bool) -> CatalogItem:
    """Answer the item of that number, or the one that has replaced it; one that is there gets only what it lacks."""
    known = CatalogItem.objects.select_for_update().filter(item_type=found.item_type)
    item = known.filter(item_no=number).first()
    if item is None and not is_provisional:
        item = known.filter(alternate_nos__contains=[number]).order_by("id").first()
    category = _category(source, found)
    if item is None:
        item, is_new = CatalogItem.objects.get_or_create(
            item_type=found.item_type,
            item_no=number,
            defaults={
                "name": found.name,
                "category": category,
                "weight_grams": found.weight_grams,
                "dimensions": found.dimensions,
                "image_url": found.image_url,
                "year_released": found.year_from,
                "year_ended": found.year_to,
                "alternate_nos": list(found.alternate_nos),
                "is_provisional": is_provisional,
                "source": source,
                "source_updated_at": now,
            },
        )
        if is_new:
            return item
    if item.is_provisional and not is_provisional:
        _claim(item)
    item.name = item.name or found.name
    item.category = item.category or category
    item.weight_grams = item.weight_grams or found.weight_grams
    item.dimensions = item.dimensions or found.dimensions
    item.image_url = item.image_url or found.image_url
    item.year_released = item.year_released or found.year_from
    item.alternate_nos = list(dict.fromkeys((*item.alternate_nos, *found.alternate_nos)))
    item.source_updated_at = now
    item.save()
    return item


def _claim(item: CatalogItem) -> None:
    """Have an item of Rebrickable's be BrickLink's: of a part the same text is a hint that they are one, and no proof.

    As the import of BrickLink's dumps does.
    """
    item.is_provisional = False
    if item.item_type == ItemType.PART:
        CatalogExternalId.objects.filter(
            item=item, system=System.REBRICKABLE, external_id=item.item_no, source=Source.REBRICKABLE
        ).update(source=Source.AUTO, confidence=_HINT)


def _category(source: Source, found: FoundItem) -> CatalogCategory | None:
    if source != Source.BRICKLINK or found.category_no is None:
        return None
    return CatalogCategory.objects.filter(kind=CategoryKind.BRICKLINK, number=found.category_no).first()


def _keep_ids(item: CatalogItem, ids: Mapping[str, Sequence[str]], *, source: Source, confidence: Decimal) -> None:
    """Keep the item's numbers. A hint gives way to what somebody says; what somebody was surer of stays."""
    rows = {(system, number) for system, numbers in ids.items() for number in numbers}
    CatalogExternalId.objects.filter(
        item=item, source=Source.AUTO, confidence__lt=confidence,
        system__in={system for system, _ in rows}, external_id__in={number for _, number in rows},
    ).delete()  # fmt: skip
    CatalogExternalId.objects.bulk_create(
        [
            CatalogExternalId(item=item, system=system, external_id=number, source=source, confidence=confidence)
            for system, number in sorted(rows)
        ],
        ignore_conflicts=True,
    )


def _withdraw(source: Source, found: FoundItem, items: Sequence[CatalogItem]) -> None:
    """Take back what the source once said of its number and no longer says: that it is another item."""
    if source == Source.REBRICKABLE and items:
        stale = CatalogExternalId.objects.filter(
            system=System.REBRICKABLE, external_id=found.number, source=source, item__is_provisional=False,
            item__item_type=found.item_type,
        ).exclude(item__in=items)  # fmt: skip
        others = set(stale.values_list("item_id", flat=True))
        stale.delete()
        dictionary.refresh(others)


def _keep_colors(source: Source, item: CatalogItem, part_no: str, known_colors: Sequence[ItemColor]) -> None:
    known = {row.color_id: row for row in CatalogItemColor.objects.select_for_update().filter(item=item)}
    for color in known_colors:
        color_id = color_id_of(source, color.color_id)
        if color_id is None:
            continue
        row = known.setdefault(color_id, CatalogItemColor(item=item, color_id=color_id, source=source))
        row.lego_element_ids = sorted({*row.lego_element_ids, *color.element_ids})
        row.qty_known = max(row.qty_known or 0, color.sets_count)
        row.image_url = color.image_url or row.image_url
        row.save()
        elements = [
            CatalogElement(source=source, element_id=element, part_no=part_no, color_id=color_id)
            for element in color.element_ids
        ]
        CatalogElement.objects.bulk_create(elements, ignore_conflicts=True)
