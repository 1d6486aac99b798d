"""What numbers and words mean to one shop: by its own mappings first, else by the catalog."""

from django.db.models import Q

from catalog.choices import System
from catalog.queries.items import items_of
from catalog.queries.search import OWN, Found, Hit, by_number, search
from catalog.search import understood
from inventory.models import ItemMapping


def own_hits(text: str) -> tuple[Hit, ...]:
    """Answer what a number means to this shop. One query, and one more where it means something."""
    number = understood(text).number
    if number is None:
        return ()
    asked = Q(external_id__in=[*number.outside, *([number.boid] if number.boid else [])])
    if number.system is not None:
        asked &= Q(system=number.system)
    mappings = [
        mapping
        for mapping in ItemMapping.objects.filter(asked).order_by("external_id", "system", "external_color")
        if mapping.external_id != number.boid or _is_of_boid(mapping, number.boid_color)
    ]
    items = items_of((mapping.item_type, mapping.item_no) for mapping in mappings) if mappings else {}
    found = []
    for mapping in mappings:
        item = items.get((mapping.item_type, mapping.item_no))
        written = f"{System(mapping.system).label} {mapping.external_id}"
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
