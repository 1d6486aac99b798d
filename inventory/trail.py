"""How the audit log calls stock and what is done to it."""

from typing import Any

from django.urls import reverse

from audit import labels
from catalog import colors
from inventory.choices import ItemCondition
from inventory.models import InventoryItem, SavedView
from inventory.tiers import as_text

_ACTIONS = {
    "inventory.add_pieces": "Added pieces",
    "inventory.bulk_edit": "Edited lots",
    "inventory.create_lot": "Added a lot",
    "inventory.delete_lots": "Deleted lots",
    "inventory.delete_view": "Deleted a view",
    "inventory.merge_lots": "Merged lots",
    "inventory.save_view": "Saved a view",
    "inventory.split_lot": "Split a lot",
    "inventory.update_lot": "Edited a lot",
    "inventory.update_view": "Changed a view",
    "jobs.inventory_bulk_edit": "Edited lots",
    "jobs.inventory_consolidation": "Consolidated lots",
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
    labels.describe(SavedView, name="view", url=lambda _key: reverse("inventory:list"))
    for action, words in _ACTIONS.items():
        labels.name_action(action, words)
