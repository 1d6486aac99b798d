"""What numbers and words mean to one shop: by its own mappings first, else by the catalog."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q

from catalog.choices import System
from catalog.queries.items import items_of
from catalog.queries.references import ELEMENT, Meant
from catalog.queries.search import OWN, Found, Hit, by_number, search
from catalog.search import understood
from inventory.choices import NumberSystem
from inventory.models import InventoryItem, ItemMapping


def own_hits(text: str) -> tuple[Hit, ...]:
    """Answer what a number means to this shop. One query, and one more where it means something."""
    number = understood(text).number
    if number is None:
        return ()
    asked = Q(external_id__in=[*number.outside, *([number.boid] if number.boid else [])])
    if number.system is not None:
        asked &= Q(system=number.system)
    elif not number.element:
        asked &= ~Q(system=ELEMENT)
    mappings = [
        mapping
        for mapping in ItemMapping.objects.filter(asked).order_by("external_id", "system", "external_color")
        if mapping.external_id != number.boid or _is_of_boid(mapping, number.boid_color)
    ]
    items = items_of((mapping.item_type, mapping.item_no) for mapping in mappings) if mappings else {}
    found = []
    for mapping in mappings:
        item = items.get((mapping.item_type, mapping.item_no))
        written = f"{NumberSystem(mapping.system).label} {mapping.external_id}"
        found.append(
            Hit(
                item.pk if item else 0, mapping.item_type, mapping.item_no, item.name if item else "",
                item.popularity if item else 0, OWN, written, mapping.color_id,
            )
        )  # fmt: skip
    return tuple(found)


def _is_of_boid(mapping: ItemMapping, color: int | None) -> bool:
    return mapping.system == System.BRICKOWL and mapping.external_color in ("", str(color))


def find_items(text: str, *, limit: int = 20) -> Found:
    """Answer the items that a text means, what the shop itself says first."""
    return search(text, limit=limit, own=own_hits(text))


def meant_by(text: str) -> list[Hit]:
    """Answer the items that a text is a whole number of, on whichever platform."""
    return [*own_hits(text)] or by_number(text)


@dataclass(frozen=True, slots=True)
class OwnMeaning:
    """What the shop says that a number means. `external_color`: in that color of the platform's; empty: in any.

    `kept_types`: kinds of things of which lots lie under BrickLink's number itself: there it stays what it is.
    """

    external_color: str
    meant: Meant
    kept_types: frozenset[str]


_OWN_MEANINGS = f"""
SELECT m.system, m.external_id, m.external_color, m.item_type, m.item_no, coalesce(i.name, ''), coalesce(k.name, ''),
    m.color_id, CASE WHEN m.system = 'bricklink' THEN
        ARRAY(SELECT DISTINCT t.item_type FROM {InventoryItem._meta.db_table} t WHERE t.item_no = m.external_id) END
FROM {ItemMapping._meta.db_table} m
LEFT JOIN catalog_catalogitem i ON i.item_type = m.item_type AND i.item_no = m.item_no
LEFT JOIN catalog_catalogcategory k ON k.id = i.category_id
ORDER BY m.external_color
"""  # noqa: S608  # names come from the models

OwnMeanings = dict[tuple[str, str], list[OwnMeaning]]


def own_meanings() -> OwnMeanings:
    """Answer what all numbers mean to this shop of which it says so itself, by platform and number. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_OWN_MEANINGS, [])
        rows = cursor.fetchall()
    found: OwnMeanings = {}
    for system, number, external_color, item_type, item_no, name, category, color_id, kept in rows:
        meant = Meant(item_type, item_no, name, category, color_id, 1.0)
        found.setdefault((system, number), []).append(OwnMeaning(external_color, meant, frozenset(kept or ())))
    return found


def number_alone(system: str, number: str) -> str:
    """Answer a number without the color that Brick Owl writes behind it."""
    before, _, color = number.rpartition("-")
    return before if system == System.BRICKOWL and before.isdecimal() and color.isdecimal() else number


def own_mappings_of(system: str, numbers: Iterable[str]) -> dict[tuple[str, str], ItemMapping]:
    """Answer what a platform's numbers mean to this shop, by number and color there. One query."""
    wanted = {number for number in numbers if number}
    found = ItemMapping.objects.filter(external_id__in=wanted, system=system)
    return {(mapping.external_id, mapping.external_color): mapping for mapping in found}
