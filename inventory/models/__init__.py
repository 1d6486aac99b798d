"""The tables of inventory."""

from inventory.models.given import GivenFile
from inventory.models.imports import ImportLine, InventoryImport, RememberedMapping
from inventory.models.listings import InventoryExternalId
from inventory.models.locations import InventoryItemLocation, Location
from inventory.models.lots import InventoryItem
from inventory.models.mappings import ItemMapping, LeftUnmapped, UnmappedItem
from inventory.models.movements import StockMovement
from inventory.models.purchases import Purchase, PurchaseLine
from inventory.models.repricing import RepricingLine, RepricingRule, RepricingRun
from inventory.models.views import ListPage, SavedView

__all__ = [
    "GivenFile",
    "ImportLine",
    "InventoryExternalId",
    "InventoryImport",
    "InventoryItem",
    "InventoryItemLocation",
    "ItemMapping",
    "LeftUnmapped",
    "ListPage",
    "Location",
    "Purchase",
    "PurchaseLine",
    "RememberedMapping",
    "RepricingLine",
    "RepricingRule",
    "RepricingRun",
    "SavedView",
    "StockMovement",
    "UnmappedItem",
]
