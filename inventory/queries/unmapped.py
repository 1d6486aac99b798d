"""The queue of what has no mapping, by the money that it keeps off sale.

Numbers of imports and channels are noted when they are met; what lies in stock under a number that the catalog doesn't
know is worked out when it is asked for, so that its amount is today's. Whatever has been answered since, by a mapping
of the shop's own, by the catalog, or by "none of these", isn't in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from common.errors import NotFound
from inventory.choices import UnmappedOrigin, UnmappedReason
from inventory.models import InventoryItem, ItemMapping, LeftUnmapped, UnmappedItem
from inventory.questions import Question

# Names in the statements below come from the models, and values from enumerations of ours.
_NOTED, _LOTS = UnmappedItem._meta.db_table, InventoryItem._meta.db_table
_OWN, _LEFT = ItemMapping._meta.db_table, LeftUnmapped._meta.db_table

# Of several items the surest is meant; of equally sure ones none is.
_CATALOG_ANSWERS = """
CASE WHEN q.direction = 'OUTBOUND' THEN EXISTS (
    SELECT 1 FROM catalog_catalogitem i JOIN catalog_catalogexternalid x ON x.item_id = i.id AND x.system = q.system
    WHERE i.item_type = q.item_type AND i.item_no = q.number AND x.confidence >= 0.5)
WHEN q.system = 'element' THEN (
    SELECT count(DISTINCT c.item_id) = 1 FROM catalog_catalogitemcolor c JOIN catalog_catalogitem i ON i.id = c.item_id
    WHERE c.lego_element_ids && ARRAY[q.number]::varchar[] AND NOT i.is_provisional)
ELSE (
    SELECT count(DISTINCT r.item_id) = 1 FROM (
        SELECT x.item_id, rank() OVER (ORDER BY x.confidence DESC) AS place FROM catalog_catalogexternalid x
        JOIN catalog_catalogitem i ON i.id = x.item_id AND NOT i.is_provisional
        WHERE x.external_id = q.number AND x.system = q.system AND x.confidence >= 0.5) r
    WHERE r.place = 1) END
"""
_SHOP_ANSWERS = f"""
CASE WHEN q.direction = 'OUTBOUND' THEN EXISTS (
    SELECT 1 FROM {_OWN} m WHERE m.system = q.system AND m.item_type = q.item_type AND m.item_no = q.number
        AND (m.color_id IS NULL OR m.color_id::text = q.color))
ELSE EXISTS (
    SELECT 1 FROM {_OWN} m WHERE m.external_id = q.number AND m.system = q.system
        AND m.external_color IN ('', q.color)) END
"""  # noqa: S608  # as said above
_IS_LEFT = f"""
EXISTS (SELECT 1 FROM {_LEFT} d WHERE d.number = q.number AND d.system = q.system AND d.direction = q.direction
    AND d.item_type = q.item_type AND d.color = q.color)
"""  # noqa: S608  # as said above
_FROM_NOTES = f"""
SELECT q.* FROM (
    SELECT origin, direction, system, item_type, number, color, reason, item_name, color_name, lots_count, qty, amount,
        run_id
    FROM {_NOTED} WHERE origin = ANY(%(origins)s) AND (%(run)s::uuid IS NULL OR run_id = %(run)s::uuid)
) q WHERE NOT {_SHOP_ANSWERS} AND NOT {_CATALOG_ANSWERS} AND NOT {_IS_LEFT}
"""  # noqa: S608  # as said above
# What nobody else may know is the shop's own: custom items have no number anywhere. What is sold out waits. The lots'
# numbers are held against the catalog's by the indexes of both, in one pass; only the lots of those few that it doesn't
# know are read and summed up.
_FROM_STOCK = f"""
SELECT q.* FROM (
    SELECT 'STOCK' AS origin, 'INBOUND' AS direction, 'bricklink' AS system, u.item_type, u.item_no AS number,
        '' AS color, 'NOT_IN_CATALOG' AS reason, s.item_name, s.color_name, s.lots_count, s.qty, s.amount,
        NULL::uuid AS run_id
    FROM (
        SELECT n.item_type, n.item_no
        FROM (SELECT DISTINCT item_type, item_no FROM {_LOTS} WHERE item_type <> 'CUSTOM' AND %(stock)s) n
        WHERE NOT EXISTS (
            SELECT 1 FROM catalog_catalogitem i
            WHERE i.item_type = n.item_type AND i.item_no = n.item_no AND NOT i.is_provisional)
    ) u CROSS JOIN LATERAL (
        SELECT max(t.item_name) AS item_name, count(*)::int AS lots_count,
            CASE WHEN min(t.color_id) < max(t.color_id) THEN 'several colors' ELSE max(t.color_name) END AS color_name,
            sum(t.qty_available)::bigint AS qty, sum(t.qty_available * t.unit_price) AS amount
        FROM {_LOTS} t WHERE t.item_type = u.item_type AND t.item_no = u.item_no
    ) s WHERE s.qty > 0
) q WHERE NOT {_SHOP_ANSWERS} AND NOT {_IS_LEFT}
"""  # noqa: S608  # as said above
_OPEN = f"""
SELECT *, count(*) OVER () AS total, sum(amount) OVER () AS total_amount
FROM ({_FROM_NOTES} UNION ALL {_FROM_STOCK}) open_questions
ORDER BY amount DESC, qty DESC, system, number, item_type, color, origin
OFFSET %(first)s LIMIT %(count)s
"""  # noqa: S608  # as said above


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A question of the queue, with what hangs on it. `run_id`: the import that met it last."""

    question: Question
    origin: str
    reason: str
    item_name: str
    color_name: str
    lots_count: int
    qty: int
    amount: Decimal
    run_id: UUID | None

    @property
    def origin_label(self) -> str:
        """Answer where it was met."""
        return str(UnmappedOrigin(self.origin).label)

    @property
    def reason_label(self) -> str:
        """Answer why it has no mapping."""
        return str(UnmappedReason(self.reason).label)

    @property
    def is_from_stock(self) -> bool:
        """Tell whether lots lie under this number."""
        return self.origin == UnmappedOrigin.STOCK


@dataclass(frozen=True, slots=True)
class Queue:
    """Some of the queue, and how much there is in all."""

    rows: Sequence[Unmapped] = ()
    total: int = 0
    amount: Decimal = Decimal(0)


def open_questions(*, origin: str = "", run_id: UUID | None = None, first: int = 0, count: int = 50) -> Queue:
    """Answer what waits for an answer, the most money first: all of it, of one origin, or of one import. One query."""
    values: dict[str, Any] = {
        "origins": [origin] if origin else list(UnmappedOrigin.values), "run": run_id,
        "stock": run_id is None and origin in ("", UnmappedOrigin.STOCK), "first": first, "count": count,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, values)
        rows = cursor.fetchall()
    if not rows:
        # Beyond the end; what was there has been answered since.
        return open_questions(origin=origin, run_id=run_id, count=count) if first else Queue()
    found = [
        Unmapped(Question(system, number, item_type, color, direction), origin, reason, *rest)
        for origin, direction, system, item_type, number, color, reason, *rest in (row[:-2] for row in rows)
    ]
    return Queue(found, rows[0][-2], rows[0][-1])


def left_unmapped(text: str = "") -> "QuerySet[LeftUnmapped]":
    """Answer what was said to be none of the catalog's items, the latest first."""
    found = LeftUnmapped.objects.select_related("decided_by").order_by("-created_at", "-id")
    return found.filter(number__icontains=text) if text else found


def count_of_import(run_id: UUID) -> int:
    """Answer how many numbers of an import wait for an answer. One query."""
    return open_questions(run_id=run_id, count=1).total


# --- Own mappings ---------------------------------------------------------------------------------------------------
def own_mappings(*, text: str = "", system: str = "") -> "QuerySet[ItemMapping]":
    """Answer the shop's own mappings, the latest first: all, of a platform, with a text in one of the numbers."""
    found = ItemMapping.objects.select_related("decided_by").order_by("-updated_at", "-id")
    if system:
        found = found.filter(system=system)
    return found.filter(Q(external_id__icontains=text) | Q(item_no__icontains=text)) if text else found


def get_own_mapping(mapping_id: UUID) -> ItemMapping:
    """Answer an own mapping; raises NotFound."""
    mapping = ItemMapping.objects.filter(pk=mapping_id).first()
    if mapping is None:
        raise NotFound("There is no such mapping.")
    return mapping


def own_mapping_of(system: str, external_id: str, external_color: str = "") -> ItemMapping | None:
    """Answer what the shop says of a number in a color, or in any, if it says anything."""
    found = ItemMapping.objects.filter(system=system, external_id=external_id, external_color=external_color)
    return found.first()
