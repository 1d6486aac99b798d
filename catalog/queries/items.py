"""What is known of an item: its numbers everywhere, the colors it exists in, what it is to others, what is in a set."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Q

from catalog import colors
from catalog.choices import ItemType, RelationKind, System
from catalog.models import (
    CatalogCategory,
    CatalogExternalId,
    CatalogIdMapping,
    CatalogItem,
    CatalogItemColor,
    CatalogRelation,
    CatalogSetItem,
)
from common.errors import NotFound

# What a page shows of what can be thousands: sets that an item is in, prints of a part.
SHOWN = 60
# What of a set's contents are its pieces, and what is there beside.
REGULAR, SPARE = "regular", "spare"
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class KnownColor:
    """A color in which an item exists, LEGO's element ids of it, and in how many sets it is met."""

    color: colors.Color
    element_ids: tuple[str, ...] = ()
    qty_known: int | None = None


@dataclass(frozen=True, slots=True)
class PlatformIds:
    """The number of an item that each platform prefers, empty where none is known, and LEGO's element ids."""

    bricklink: str = ""
    brickowl: str = ""
    brikick: str = ""
    rebrickable: str = ""
    ldraw: str = ""
    lego_elements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What searches say of an item beside its name."""

    ids: PlatformIds = field(default_factory=PlatformIds)
    colors: tuple[KnownColor, ...] = ()
    category: str = ""


@dataclass(frozen=True, slots=True)
class OutsideNumber:
    """A number that a platform has for an item; one that isn't sure is a hint."""

    system: str
    label: str
    number: str
    is_sure: bool


@dataclass(frozen=True, slots=True)
class ItemLine:
    """An item in a list of another's page."""

    item_type: str
    item_no: str
    name: str
    year: int | None = None
    color: colors.Color | None = None
    qty: int = 0


@dataclass(frozen=True, slots=True)
class Related:
    """Items that are the same thing to an item: its prints, its other moulds …; `count`: also of those not shown."""

    title: str
    items: tuple[ItemLine, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Content:
    """So many of an item in a set; `kind`: what is in it, what is there beside, what may be there instead.

    `is_provisional`: nobody but Rebrickable has the item's number.
    """

    item_id: int
    line: ItemLine
    category: str
    kind: str
    match_id: int | None
    is_provisional: bool


def get_item(item_type: str, item_no: str) -> CatalogItem:
    """Answer an item by its number, in any case; raises NotFound."""
    items = CatalogItem.objects.select_related("category")
    item = items.filter(item_type=item_type, item_no=item_no).first()
    if item is None:
        item = items.filter(item_type=item_type, item_no__in={item_no.lower(), item_no.upper()}).first()
    if item is None:
        raise NotFound("The catalog doesn't know this item.")
    return item


def numbers_of(item: CatalogItem) -> list[OutsideNumber]:
    """Answer the numbers of an item on every platform, the surest first. One query."""
    rows = CatalogExternalId.objects.filter(item=item).order_by("system", "-confidence", "external_id")
    order = [system.value for system in System]
    found = [
        OutsideNumber(row.system, str(System(row.system).label), row.external_id, row.confidence >= 0.5)  # noqa: PLR2004  # below it is a hint
        for row in rows
    ]
    own = [] if any(one.system == System.BRICKLINK for one in found) or item.is_provisional else [
        OutsideNumber(System.BRICKLINK, str(System.BRICKLINK.label), item.item_no, is_sure=True)
    ]  # fmt: skip
    return [*own, *sorted(found, key=lambda one: order.index(one.system))]


def colors_of(item: CatalogItem) -> tuple[KnownColor, ...]:
    """Answer the colors in which an item exists, the commonest first. One query."""
    return known_of([item.pk]).get(item.pk, ())


def known_of(item_ids: Iterable[int]) -> dict[int, tuple[KnownColor, ...]]:
    """Answer the colors in which items exist, the commonest first. One query."""
    rows = CatalogItemColor.objects.filter(item__in=list(item_ids)).values_list(
        "item_id", "color_id", "lego_element_ids", "qty_known"
    )
    found: dict[int, list[KnownColor]] = {}
    for item_id, color_id, element_ids, qty in rows:
        if (color := colors.get(color_id)) is not None:
            found.setdefault(item_id, []).append(KnownColor(color, tuple(element_ids), qty))
    return {item_id: tuple(sorted(known, key=_commonest)) for item_id, known in found.items()}


def _commonest(known: KnownColor) -> tuple[int, int, str]:
    return -(known.qty_known or 0), -len(known.element_ids), known.color.name


def details_of(items: Mapping[int, Key]) -> dict[int, Known]:
    """Answer what is known of items, by their ids: numbers, colors, category. Three queries."""
    known_colors = known_of(items)
    mappings = CatalogIdMapping.objects.filter(_any_of(items.values(), "canonical_item_no"))
    ids = {(row.item_type, row.canonical_item_no): _ids(row) for row in mappings}
    rows = CatalogItem.objects.filter(pk__in=list(items)).values_list("pk", "category__name")
    return {
        pk: Known(ids.get(items[pk], PlatformIds()), known_colors.get(pk, ()), category or "") for pk, category in rows
    }


def _ids(row: CatalogIdMapping) -> PlatformIds:
    return PlatformIds(
        row.bricklink_id, row.brickowl_id, row.brikick_id, row.rebrickable_id, row.ldraw_id, tuple(row.lego_element_ids)
    )


def _any_of(keys: Iterable[Key], number: str) -> Q:
    """Answer the condition that a row is of one of the items."""
    by_type: dict[str, list[str]] = {}
    for item_type, item_no in keys:
        by_type.setdefault(item_type, []).append(item_no)
    found = Q(pk__in=[])
    for item_type, numbers in by_type.items():
        found |= Q(**{"item_type": item_type, f"{number}__in": numbers})
    return found


def categories_of(item_ids: Iterable[int]) -> dict[int, str]:
    """Answer the names of the categories in which items are. One query."""
    rows = CatalogItem.objects.filter(pk__in=list(item_ids), category__isnull=False)
    return dict(rows.values_list("pk", "category__name"))


def items_of(keys: Iterable[Key]) -> dict[Key, CatalogItem]:
    """Answer the items of these numbers. One query."""
    return {(item.item_type, item.item_no): item for item in CatalogItem.objects.filter(_any_of(keys, "item_no"))}


# How a relation reads from the item that it points to, and from the one that it starts at.
_RELATIONS: Sequence[tuple[RelationKind, str, str]] = (
    (RelationKind.PRINT, "Printed", "Print of"),
    (RelationKind.PATTERN, "Patterned", "Pattern of"),
    (RelationKind.MOLD, "Other moulds", "Other moulds"),
    (RelationKind.ALTERNATE, "Alternates", "Alternates"),
    (RelationKind.SUB_PART, "Made of", "Part of"),
    (RelationKind.PAIR, "Pairs with", "Pairs with"),
)


def related_to(item: CatalogItem) -> list[Related]:
    """Answer what an item is to others, kind by kind, the most popular first. Two queries."""
    found: dict[str, dict[Key, ItemLine]] = {}
    for mine, other, title in (("parent", "child", 1), ("child", "parent", 2)):
        rows = (
            CatalogRelation.objects.filter(**{mine: item})
            .order_by(f"-{other}__popularity", f"{other}__item_no")
            .values_list("kind", f"{other}__item_type", f"{other}__item_no", f"{other}__name")
        )
        titles = {kind.value: words[title - 1] for kind, *words in _RELATIONS}
        for kind, item_type, item_no, name in rows:
            found.setdefault(titles[kind], {})[item_type, item_no] = ItemLine(item_type, item_no, name)
    order = [title for _, *titles in _RELATIONS for title in titles]
    return [
        Related(title, tuple(lines.values())[:SHOWN], len(lines))
        for title, lines in sorted(found.items(), key=lambda pair: order.index(pair[0]))
    ]


# As an array: of a part in thousands of sets PostgreSQL would otherwise read the whole catalog.
_SETS_WITH = """
SELECT item_type, item_no, name, year_released, count(*) OVER () FROM catalog_catalogitem
WHERE id = ANY(ARRAY(SELECT set_id FROM catalog_catalogsetitem WHERE item_id = %s))
ORDER BY year_released DESC NULLS LAST, item_no LIMIT %s
"""


def sets_with(item: CatalogItem) -> Related:
    """Answer the sets that an item is in, the newest first, those of no known year last. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_SETS_WITH, [item.pk, SHOWN])
        rows = cursor.fetchall()
    lines = tuple(ItemLine(item_type, item_no, name, year) for item_type, item_no, name, year, _ in rows)
    return Related("In sets", lines, rows[0][-1] if rows else 0)


def set_numbered(no: str) -> CatalogItem | None:
    """Answer the set of that number, or of that number with `-1`, if there is one."""
    names = [no.strip(), f"{no.strip()}-1"]
    found = CatalogItem.objects.filter(item_type=ItemType.SET, item_no__in=names)
    return min(found, key=lambda item: names.index(item.item_no), default=None)


def contents_of(item_ids: Iterable[int]) -> dict[int, list[Content]]:
    """Answer what is in sets and figures, by their keys: pieces, spares, what may be there instead. One query."""
    rows = (
        CatalogSetItem.objects.filter(set__in=list(item_ids))
        .order_by("is_alternate", "is_counterpart", "is_spare", "item__item_type", "item__item_no", "color_id")
        .select_related("item__category")
    )
    found: dict[int, list[Content]] = {}
    for row in rows:
        item = row.item
        content = Content(
            item_id=item.pk,
            line=ItemLine(item.item_type, item.item_no, item.name, color=colors.get(row.color_id), qty=row.qty),
            category=item.category.name if item.category else "",
            kind=_kind_of(row),
            match_id=row.match_id,
            is_provisional=item.is_provisional,
        )
        found.setdefault(row.set_id, []).append(content)
    return found


def _kind_of(row: CatalogSetItem) -> str:
    if row.is_alternate:
        return "alternate"
    if row.is_counterpart:
        return "counterpart"
    return SPARE if row.is_spare else REGULAR


def categories() -> list[CatalogCategory]:
    """Answer every category, by whose it is and by name."""
    return list(CatalogCategory.objects.select_related("parent").order_by("kind", "name", "number"))


def has_colors(item_type: str) -> bool:
    """Tell whether things of a kind can have a color."""
    return item_type in (ItemType.PART, ItemType.GEAR, ItemType.CUSTOM)
