"""What is picked for orders and hasn't left yet, for the floors below."""

from inventory.queries import totes
from orders.models import OrderLine

_PICKED = f"""
SELECT l.inventory_item_id AS lot_id, sum(least(l.qty_picked, l.qty_reserved)) AS picked,
       sum((SELECT coalesce(sum((place->>'qty')::int), 0) FROM jsonb_array_elements(l.picked_from) place)) AS taken
FROM {OrderLine._meta.db_table} l
WHERE l.inventory_item_id IS NOT NULL AND l.qty_picked > 0 AND l.qty_reserved > 0 GROUP BY l.inventory_item_id
"""  # noqa: S608  # names come from the models


def register() -> None:
    """Tell the floor of stock where it is told."""
    totes.register(_PICKED)
