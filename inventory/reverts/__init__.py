"""How stock is put back."""

from audit import reverters
from inventory.models import (
    InventoryItem,
    InventoryItemLocation,
    ItemMapping,
    Location,
    Purchase,
    PurchaseLine,
    SavedView,
)
from inventory.reverts.lots import LotReverter
from inventory.reverts.mappings import ItemMappingReverter
from inventory.reverts.storage import LocationReverter, PlacementReverter, PurchaseLineReverter, PurchaseReverter
from inventory.reverts.views import SavedViewReverter


def register() -> None:
    """Tell audit how this app's rows are put back."""
    reverters.register(InventoryItem, LotReverter())
    reverters.register(Location, LocationReverter())
    reverters.register(InventoryItemLocation, PlacementReverter())
    reverters.register(Purchase, PurchaseReverter())
    reverters.register(PurchaseLine, PurchaseLineReverter())
    reverters.register(ItemMapping, ItemMappingReverter())
    reverters.register(SavedView, SavedViewReverter())
