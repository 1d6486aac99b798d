"""The tables of inventory."""

from inventory.models.imports import ImportLine, InventoryImport, RememberedMapping
from inventory.models.locations import InventoryItemLocation, Location
from inventory.models.lots import InventoryItem
from inventory.models.mappings import ItemMapping
from inventory.models.movements import StockMovement
from inventory.models.purchases import Purchase, PurchaseLine
from inventory.models.views import SavedView

__all__ = [
    "ImportLine",
    "InventoryImport",
    "InventoryItem",
    "InventoryItemLocation",
    "ItemMapping",
    "Location",
    "Purchase",
    "PurchaseLine",
    "RememberedMapping",
    "SavedView",
    "StockMovement",
]
