"""Keeps what is derived from locations beside the lots: by which place a lot is sorted."""

from collections.abc import Collection
from uuid import UUID

from django.db import connection

_REFRESH = """
UPDATE inventory_inventoryitem t SET location_key = f.key
FROM (SELECT l.id, coalesce(min(o.route_key), '') AS key
      FROM unnest(%s::uuid[]) l (id)
      LEFT JOIN inventory_inventoryitemlocation p ON p.inventory_item_id = l.id AND p.qty > 0
      LEFT JOIN inventory_location o ON o.id = p.location_id
      GROUP BY l.id) f
WHERE t.id = f.id AND t.location_key <> f.key
"""


def refresh_location_keys(lot_ids: Collection[UUID]) -> None:
    """Have the lots sorted by the first of the places where they lie. The key is derived: no history."""
    if lot_ids:
        with connection.cursor() as cursor:
            cursor.execute(_REFRESH, [sorted(lot_ids)])


_AT = "SELECT DISTINCT p.inventory_item_id FROM inventory_inventoryitemlocation p WHERE p.location_id = ANY(%s)"
_REFRESH_AT = _REFRESH.replace("unnest(%s::uuid[]) l (id)", f"({_AT}) l (id)")


def refresh_lots_at(location_ids: Collection[UUID]) -> None:
    """Have the lots at the locations sorted anew, because the locations' own order changed. The lots are held."""
    if location_ids:
        with connection.cursor() as cursor:
            cursor.execute(_REFRESH_AT, [list(location_ids)])
