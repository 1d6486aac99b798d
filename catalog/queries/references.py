"""What other platforms' numbers mean: many at once, in one query."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection

from catalog import colors

ELEMENT = "element"
# Brick Owl's number of a part in a color: `771344-50`.
_BRICKOWL = "brickowl"

_RESOLVE = """
SELECT w.system, w.asked, i.item_type, i.item_no, i.name, coalesce(k.name, ''), f.color_id, f.confidence
FROM unnest(%s::text[], %s::text[], %s::text[]) w (system, asked, external_id)
CROSS JOIN LATERAL (
    SELECT x.item_id, NULL::int AS color_id, x.confidence FROM catalog_catalogexternalid x
        WHERE x.external_id = w.external_id AND x.system = w.system AND x.confidence >= 0.5
    UNION ALL
    SELECT c.item_id, c.color_id, 1 FROM catalog_catalogitemcolor c
        WHERE w.system = 'element' AND c.lego_element_ids && ARRAY[w.external_id]::varchar[]
) f
JOIN catalog_catalogitem i ON i.id = f.item_id AND NOT i.is_provisional
LEFT JOIN catalog_catalogcategory k ON k.id = i.category_id
"""


@dataclass(frozen=True, slots=True)
class Meant:
    """An item that a number can mean. `color_id`: BrickLink's, where the number fixes the color."""

    item_type: str
    item_no: str
    name: str
    category: str
    color_id: int | None
    confidence: float


def resolve_references(asked: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[Meant]]:
    """Answer what numbers (of a platform, or `element` for LEGO's element ids) can mean, the surest first.

    Several of the same sureness are several answers; a number that nobody knows isn't there. One query.
    """
    if not asked:
        return {}
    pairs = sorted(asked)
    plain = [number.partition("-")[0] if system == _BRICKOWL else number for system, number in pairs]
    with connection.cursor() as cursor:
        cursor.execute(_RESOLVE, [[system for system, _ in pairs], [number for _, number in pairs], plain])
        rows = cursor.fetchall()
    found: dict[tuple[str, str], list[Meant]] = {}
    for system, number, item_type, item_no, name, category, color_id, confidence in rows:
        fixed = _color_of(number) if system == _BRICKOWL else color_id
        meant = Meant(item_type, item_no, name, category, fixed, float(confidence))
        found.setdefault((system, number), []).append(meant)
    for key, several in found.items():
        best = max(meant.confidence for meant in several)
        found[key] = [meant for meant in several if meant.confidence == best]
    return found


def _color_of(boid: str) -> int | None:
    _, _, number = boid.partition("-")
    color = colors.of_platform(_BRICKOWL).get(int(number)) if number.isdecimal() else None
    return color.id if color else None


_PREFERRED = """
SELECT i.item_type, i.item_no, CASE WHEN %s = 'brickowl' THEN coalesce(m.brickowl_id, '')
    WHEN i.is_provisional THEN '' ELSE i.item_no END
FROM unnest(%s::text[], %s::text[]) w (item_type, item_no)
JOIN catalog_catalogitem i ON i.item_type = w.item_type AND i.item_no = w.item_no
LEFT JOIN catalog_catalogidmapping m ON m.item_type = i.item_type AND m.canonical_item_no = i.item_no
"""


def numbers_preferred(system: str, items: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Answer the number that a marketplace has for each of the items that the catalog knows; empty: none is known.

    Brick Owl's are its own, the others' are BrickLink's. One query.
    """
    if not items:
        return {}
    keys = sorted(items)
    with connection.cursor() as cursor:
        cursor.execute(_PREFERRED, [system, [kind for kind, _ in keys], [number for _, number in keys]])
        return {(item_type, item_no): number for item_type, item_no, number in cursor.fetchall()}
