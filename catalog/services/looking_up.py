"""What a number means that the catalog doesn't know yet: asked outside, and kept."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Q

from catalog import colors
from catalog.choices import ItemType, Source, System
from catalog.importing import dictionary
from catalog.models import (
    CatalogElement,
    CatalogExternalId,
    CatalogIdMapping,
    CatalogItem,
    CatalogItemColor,
    LookUpMiss,
)
from catalog.services.connecting import connect, is_connected
from catalog.services.turns import one_at_a_time
from catalog.sources import Source as SourceAdapter
from catalog.sources.base import ELEMENT, FoundItem, FoundItems, ItemColor
from common import limits
from common.errors import RateLimited
from common.wire import CallClass

# A number that nobody knew isn't asked for again for so long.
MISS_KEPT_FOR = timedelta(days=1)
_SOURCE = "rebrickable"
# A shop's share of what all shops have together.
_A_DAY = limits.Limit(name="look_up", amount=5000, window_s=86_400)
# How sure a fact is (catalog-sources.md, 4.3).
_SAID, _OWN, _SAME_SET, _HINT = Decimal("0.98"), Decimal(1), Decimal("0.90"), Decimal("0.40")
# One number may mean moulds of a part that Rebrickable keeps apart; each costs a call to learn its colors.
_COLORS_OF_AT_MOST = 3
# What can be a number of anybody's: one word with a digit in it.
_NUMBER = re.compile(r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9._-]{1,29}")
_WITH_SUFFIX = re.compile(r"[0-9]{3,}-[0-9]{1,3}")
_ELEMENT_DIGITS = 6
_COLUMNS = {
    System.BRICKLINK: "bricklink_id",
    System.BRICKOWL: "brickowl_id",
    System.REBRICKABLE: "rebrickable_id",
    System.LDRAW: "ldraw_id",
}


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What a number means. `color_id`: BrickLink's, where the number says a color; `was_asked`: somebody outside."""

    items: tuple[CatalogItem, ...]
    color_id: int | None = None
    was_asked: bool = False


def can_look_up() -> bool:
    """Tell whether there is anybody outside to be asked."""
    return is_connected(_SOURCE)


def look_up(*, system: str, number: str, now: datetime) -> LookedUp:
    """Answer the items that the number of a system means (System, or ELEMENT for LEGO's element ids).

    Known ones are answered at once. Else Rebrickable is asked, once for equal questions, and what it knows is kept;
    that it knows nothing is remembered for a day. Not atomic: it is asked outside of any transaction. Raises
    RateLimited (BudgetExhausted is one) and ProviderError with nothing remembered, so that the next try asks again.
    """
    number = number.strip()
    known = _known(system, number)
    if not _is_worth_asking(known, system, number, now):
        return known
    with one_at_a_time(f"look_up:{system}:{number}"):
        # Whoever was first has kept the answer by now.
        known = _known(system, number)
        return _asked(system, number, now) if _is_worth_asking(known, system, number, now) else known


def look_up_anywhere(*, text: str, now: datetime) -> LookedUp:
    """Answer what a number means that may be anybody's: LEGO's, BrickLink's, Brick Owl's, Rebrickable's, LDraw's.

    As `look_up` does for each system whose numbers look like it, until one of them has it; known ones go first. What
    is no number, such as words, is asked nobody. Takes as long as four calls may: for a request of its own.
    """
    number = text.strip()
    systems = systems_of(number)
    for system in systems:
        if (known := _known(system, number)).items:
            return known
    was_asked = False
    for system in systems:
        found = look_up(system=system, number=number, now=now)
        was_asked = was_asked or found.was_asked
        if found.items:
            return found
    return LookedUp(items=(), was_asked=was_asked)


def systems_of(number: str) -> tuple[str, ...]:
    """Answer whose number it may be by its looks, the likeliest first."""
    if not _NUMBER.fullmatch(number):
        return ()
    if _WITH_SUFFIX.fullmatch(number):
        # A set, or a part of Brick Owl's with the color behind it.
        return (System.BRICKLINK, System.BRICKOWL)
    if not number.isdecimal():
        return (System.BRICKLINK, System.REBRICKABLE, System.LDRAW)
    if len(number) >= _ELEMENT_DIGITS:
        return (ELEMENT, System.BRICKLINK, System.BRICKOWL, System.LEGO_DESIGN)
    return (System.BRICKLINK, System.REBRICKABLE, System.BRICKOWL, System.LEGO_DESIGN)


def _is_worth_asking(known: LookedUp, system: str, number: str, now: datetime) -> bool:
    return bool(number) and not known.items and can_look_up() and not _is_missed(system, number, now)


def _asked(system: str, number: str, now: datetime) -> LookedUp:
    verdict = limits.take(_A_DAY, "shop")
    if not verdict.allowed:
        raise RateLimited("So many numbers were looked up today.", retry_after=verdict.reset_s)
    source = connect(_SOURCE, call_class=CallClass.URGENT)
    found = source.look_up(system, number)
    if not found.items:
        _remember_miss(system, number, now)
        return LookedUp(items=(), was_asked=True)
    known_colors = _colors_of(source, found)
    if system == ELEMENT and found.color_id is not None:
        # The list of a part's colors has only those that are in a set.
        own = ItemColor(color_id=found.color_id, element_ids=(number,), sets_count=0, image_url="")
        known_colors = {part: [*listed, own] for part, listed in known_colors.items()}
    items = _keep(found, known_colors, now=now)
    return LookedUp(items=items, color_id=_color_id(found.color_id), was_asked=True)


def forget_misses(*, now: datetime) -> int:
    """Delete the misses that are over; answer how many."""
    deleted, _ = LookUpMiss.objects.filter(until__lte=now).delete()
    return deleted


def _known(system: str, number: str) -> LookedUp:
    if system == ELEMENT:
        rows = (
            CatalogItemColor.objects.filter(lego_element_ids__contains=[number]).select_related("item").order_by("id")
        )
        first = next(iter(rows), None)
        return LookedUp(items=tuple(row.item for row in rows), color_id=first.color_id if first else None)
    by_id = Q(
        pk__in=CatalogExternalId.objects.filter(
            system=system, external_id=number, confidence__gte=Decimal("0.5")
        ).values("item_id")
    )
    if system == System.BRICKLINK:
        # Sets have the same numbers on both sides.
        by_id |= Q(item_no=number, is_provisional=False) | Q(item_no=number, item_type=ItemType.SET)
    return LookedUp(items=tuple(CatalogItem.objects.filter(by_id).order_by("-popularity", "id")))


def _is_missed(system: str, number: str, now: datetime) -> bool:
    return LookUpMiss.objects.filter(system=system, external_id=number, until__gt=now).exists()


def _remember_miss(system: str, number: str, now: datetime) -> None:
    LookUpMiss.objects.update_or_create(system=system, external_id=number, defaults={"until": now + MISS_KEPT_FOR})


def _colors_of(source: SourceAdapter, found: FoundItems) -> dict[str, Sequence[ItemColor]]:
    """Answer in which colors the parts exist, by the source's numbers of them."""
    parts = [item for item in found.items if item.item_type == ItemType.PART][:_COLORS_OF_AT_MOST]
    return {item.number: source.colors_of(item.number) for item in parts}


@transaction.atomic
def _keep(
    found: FoundItems, known_colors: Mapping[str, Sequence[ItemColor]], *, now: datetime
) -> tuple[CatalogItem, ...]:
    kept: dict[int, CatalogItem] = {}
    for each in found.items:
        for item in _items_of(each, now):
            kept[item.pk] = item
            _keep_colors(item, each.number, known_colors.get(each.number, ()))
            _keep_mapping(item)
    return tuple(kept.values())


def _items_of(found: FoundItem, now: datetime) -> list[CatalogItem]:
    """Answer the items that the found thing is: BrickLink's where it is said which, else one under its own number."""
    bricklink_nos = found.ids.get(System.BRICKLINK, ())
    items = []
    for number in bricklink_nos:
        item = _item(found, number, now, is_provisional=False)
        # Of several of BrickLink's each is an item of its own.
        own = {**found.ids, System.BRICKLINK.value: (number,)}
        _keep_ids(item, own, source=Source.REBRICKABLE, confidence=_SAID)
        items.append(item)
    if not items:
        item = _item(found, found.number, now, is_provisional=True)
        if item.is_provisional:
            _keep_ids(item, found.ids, source=Source.REBRICKABLE, confidence=_OWN)
        else:
            # BrickLink's item of the same number: of a set that says it all, of a part it is a hint.
            is_set = found.item_type == ItemType.SET
            own = {System.REBRICKABLE.value: (found.number,)}
            _keep_ids(item, own, source=Source.AUTO, confidence=_SAME_SET if is_set else _HINT)
        items.append(item)
    return items


def _item(found: FoundItem, number: str, now: datetime, *, is_provisional: bool) -> CatalogItem:
    """Answer the item of that number; a new one has what was found, an old one only what it lacked."""
    item, is_new = CatalogItem.objects.get_or_create(
        item_type=found.item_type,
        item_no=number,
        defaults={
            "name": found.name,
            "image_url": found.image_url,
            "year_released": found.year_from,
            "year_ended": found.year_to,
            "is_provisional": is_provisional,
            "source": Source.REBRICKABLE,
            "source_updated_at": now,
        },
    )
    if not is_new:
        item.is_provisional = item.is_provisional and is_provisional
        if not item.name:
            item.name = found.name
        item.image_url = item.image_url or found.image_url
        item.year_released = item.year_released or found.year_from
        item.source_updated_at = now
        item.save(update_fields=["is_provisional", "name", "image_url", "year_released", "source_updated_at"])
    dictionary.refresh_words(item.pk)
    item.refresh_from_db(fields=["words"])
    return item


def _keep_ids(item: CatalogItem, ids: Mapping[str, Sequence[str]], *, source: Source, confidence: Decimal) -> None:
    """Keep the item's numbers; what somebody was surer of stays as it is."""
    CatalogExternalId.objects.bulk_create(
        [
            CatalogExternalId(item=item, system=system, external_id=number, source=source, confidence=confidence)
            for system, numbers in ids.items()
            for number in numbers
        ],
        ignore_conflicts=True,
    )


def _keep_colors(item: CatalogItem, part_no: str, known_colors: Sequence[ItemColor]) -> None:
    known = {row.color_id: row for row in CatalogItemColor.objects.select_for_update().filter(item=item)}
    for color in known_colors:
        color_id = _color_id(color.color_id)
        if color_id is None:
            continue
        row = known.setdefault(color_id, CatalogItemColor(item=item, color_id=color_id, source=Source.REBRICKABLE))
        row.lego_element_ids = sorted({*row.lego_element_ids, *color.element_ids})
        row.qty_known = max(row.qty_known or 0, color.sets_count)
        row.save()
        elements = [
            CatalogElement(source=Source.REBRICKABLE, element_id=element, part_no=part_no, color_id=color_id)
            for element in color.element_ids
        ]
        CatalogElement.objects.bulk_create(elements, ignore_conflicts=True)


def _keep_mapping(item: CatalogItem) -> None:
    """Work out anew which number of each platform is preferred for the item."""
    mapping, _ = CatalogIdMapping.objects.get_or_create(
        item_type=item.item_type,
        canonical_item_no=item.item_no,
        defaults={"mapping_source": Source.REBRICKABLE, "confidence": _SAID},
    )
    rows = CatalogExternalId.objects.filter(item=item, confidence__gte=Decimal("0.5"))
    for row in rows.order_by("confidence", "-id"):
        if column := _COLUMNS.get(System(row.system)):
            setattr(mapping, column, row.external_id)
    elements = CatalogItemColor.objects.filter(item=item).values_list("lego_element_ids", flat=True)
    mapping.lego_element_ids = sorted({element for ids in elements for element in ids})
    mapping.save()


def _color_id(rebrickable_id: int | None) -> int | None:
    """Answer BrickLink's number of a color of Rebrickable's, None where there is none."""
    color = None if rebrickable_id is None else colors.of_platform(System.REBRICKABLE).get(rebrickable_id)
    return color.id if color else None
