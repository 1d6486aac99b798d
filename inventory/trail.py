"""How the audit log calls stock's entities and deeds."""

from django.urls import reverse

from audit import labels
from inventory.models import InventoryItemLocation, Location, Purchase, PurchaseLine, SavedView

_ACTIONS = {
    "inventory.add_lots_to_purchase": "Added lots to a purchase",
    "inventory.count_location": "Counted a location",
    "inventory.count_lot": "Counted a lot",
    "inventory.create_location": "Added a location",
    "inventory.create_purchase": "Added a purchase",
    "inventory.delete_location": "Deleted a location",
    "inventory.delete_purchase": "Deleted a purchase",
    "inventory.delete_view": "Deleted a saved view",
    "inventory.generate_locations": "Generated locations",
    "inventory.move_pieces": "Moved pieces",
    "inventory.remove_lot_from_purchase": "Took a lot out of a purchase",
    "inventory.save_view": "Saved a view",
    "inventory.set_route": "Changed the route",
    "inventory.update_location": "Changed a location",
    "inventory.update_purchase": "Changed a purchase",
    "inventory.update_view": "Changed a saved view",
    "jobs.number_route": "Changed the route",
    "jobs.read_locations_from_remarks": "Read locations from remarks",
    "jobs.write_locations_to_remarks": "Wrote locations into remarks",
}


def register() -> None:
    """Tell audit the words."""
    labels.describe(Location, name="location", url=lambda key: reverse("inventory:location", args=[key]))
    labels.describe(InventoryItemLocation, name="placement")
    labels.describe(Purchase, name="purchase", url=lambda key: reverse("inventory:purchase", args=[key]))
    labels.describe(PurchaseLine, name="lot of a purchase")
    labels.describe(SavedView, name="saved view")
    for action, words in _ACTIONS.items():
        labels.name_action(action, words)
