"""How stock is put back."""

from audit import reverters
from inventory.models import (
    InventoryExternalId,
    InventoryItem,
    InventoryItemLocation,
    ItemMapping,
    LeftUnmapped,
    Location,
    Purchase,
    PurchaseLine,
    RepricingRule,
    SavedView,
)
from inventory.reverts.lots import LotReverter
from inventory.reverts.mappings import ItemMappingReverter, LeftUnmappedReverter, ListingReverter
from inventory.reverts.pricing import RepricingRuleReverter
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
    reverters.register(LeftUnmapped, LeftUnmappedReverter())
    reverters.register(RepricingRule, RepricingRuleReverter())
    reverters.register(InventoryExternalId, ListingReverter())
    reverters.register(SavedView, SavedViewReverter())
