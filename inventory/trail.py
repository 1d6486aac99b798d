"""How the audit log calls stock and what is done to it."""

from typing import Any

from django.urls import reverse

from audit import labels
from catalog import colors
from inventory.choices import ItemCondition, NumberSystem
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
from inventory.tiers import as_text

_ACTIONS = {
    "inventory.add_lots_to_purchase": "Added lots to a purchase",
    "inventory.add_pieces": "Added pieces",
    "inventory.bulk": "Added, changed and deleted lots",
    "inventory.bulk_edit": "Edited lots",
    "inventory.count_location": "Counted a location",
    "inventory.count_lot": "Counted a lot",
    "inventory.create_location": "Added a location",
    "inventory.create_lot": "Added a lot",
    "inventory.create_rule": "Added a repricing rule",
    "inventory.create_purchase": "Added a purchase",
    "inventory.delete_location": "Deleted a location",
    "inventory.delete_lots": "Deleted lots",
    "inventory.delete_purchase": "Deleted a purchase",
    "inventory.delete_rule": "Deleted a repricing rule",
    "inventory.delete_view": "Deleted a view",
    "inventory.forget_item_mapping": "Forgot what a number means",
    "inventory.generate_locations": "Generated locations",
    "inventory.leave_unmapped": "Said that a number is no item of the catalog",
    "inventory.map_number": "Said what a number means",
    "inventory.merge_lots": "Merged lots",
    "inventory.move_pieces": "Moved pieces",
    "inventory.move_rule": "Changed the order of repricing rules",
    "inventory.remove_lot_from_purchase": "Took a lot out of a purchase",
    "inventory.reopen": "Asked again what a number means",
    "inventory.save_view": "Saved a view",
    "inventory.set_item_mapping": "Said what a number means",
    "inventory.set_route": "Changed the route",
    "inventory.split_lot": "Split a lot",
    "inventory.update_location": "Changed a location",
    "inventory.update_lot": "Edited a lot",
    "inventory.update_purchase": "Changed a purchase",
    "inventory.update_rule": "Changed a repricing rule",
    "inventory.update_view": "Changed a view",
    "jobs.import_apply": "Import",
    "jobs.inventory_bulk_edit": "Edited lots",
    "jobs.inventory_consolidation": "Consolidated lots",
    "jobs.number_route": "Changed the route",
    "jobs.read_locations_from_remarks": "Read locations from remarks",
    "jobs.repricing_apply": "Set prices",
    "jobs.write_locations_to_remarks": "Wrote locations into remarks",
}


def lot_name(values: labels.Values) -> str:
    """Answer what people call a lot: `3001 · Red · New`."""
    condition = dict(ItemCondition.choices).get(values.get("condition", ""), "")
    return " · ".join(str(part) for part in (values["item_no"], values.get("color_name"), condition) if part)


def _color_name(value: Any) -> str:
    color = colors.get(value)
    return color.name if color else str(value)


def register() -> None:
    """Tell audit the words."""
    labels.describe(
        InventoryItem,
        name="lot",
        label=lot_name,
        url=lambda key: reverse("inventory:lot", args=[key]),
        show={"color_id": _color_name, "tier_prices": as_text},
    )
    labels.describe(Location, name="location", url=lambda key: reverse("inventory:location", args=[key]))
    labels.describe(InventoryItemLocation, name="placement")
    labels.describe(Purchase, name="purchase", url=lambda key: reverse("inventory:purchase", args=[key]))
    labels.describe(PurchaseLine, name="lot of a purchase", plural="lots of purchases")
    labels.describe(
        ItemMapping,
        name="own mapping",
        label=lambda values: f"{NumberSystem(values['system']).label} {values['external_id']}",
        url=lambda _key: reverse("catalog:mappings"),
        show={"color_id": _color_name},
    )
    labels.describe(
        LeftUnmapped,
        name="number without an item",
        label=lambda values: f"{NumberSystem(values['system']).label} {values['number']}",
    )
    labels.describe(
        RepricingRule, name="repricing rule", url=lambda key: reverse("inventory:repricing_rule", args=[key])
    )
    labels.describe(
        InventoryExternalId, name="listing", label=lambda values: str(values["external_lot_id"] or "new listing")
    )
    labels.describe(SavedView, name="view", url=lambda _key: reverse("inventory:list"))
    for action, words in _ACTIONS.items():
        labels.name_action(action, words)
