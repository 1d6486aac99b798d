"""How many pieces lie where, in numbers alone."""

from collections.abc import Collection
from uuid import UUID

from inventory.models import InventoryItemLocation, Location


def placed_qty(lot_ids: Collection[UUID]) -> dict[tuple[UUID, UUID], int]:
    """Answer how many pieces of each lot lie at each location, by (lot, location). One query."""
    found = InventoryItemLocation.objects.filter(inventory_item__in=lot_ids, qty__gt=0).order_by("location_id")
    return {(lot, place): qty for lot, place, qty in found.values_list("inventory_item_id", "location_id", "qty")}


def active_locations(location_ids: Collection[UUID]) -> frozenset[UUID]:
    """Answer which of the locations are there and in use. One query."""
    return frozenset(Location.objects.filter(pk__in=location_ids, is_active=True).values_list("pk", flat=True))
