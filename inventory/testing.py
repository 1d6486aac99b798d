"""Stock for the tests of this floor and of those above."""

from decimal import Decimal
from typing import Any

from django.utils import timezone

from inventory import services
from inventory.models import InventoryItem, Location
from inventory.naturals import route_key


def make_lot(*, qty: int = 10, location: Location | None = None, **values: Any) -> InventoryItem:
    """Answer a new lot of new red bricks, or of what `values` says."""
    chosen = {
        "item_type": "PART", "item_no": "3001", "item_name": "Brick 2 x 4", "color_id": 5, "condition": "NEW",
        "unit_price": Decimal("0.12"), **values,
    }  # fmt: skip
    return services.create_lot(
        values=chosen, qty_available=qty, now=timezone.now(), location_id=location.pk if location else None
    )


def make_location(code: str = "A-01-1", **values: Any) -> Location:
    """Answer a new location."""
    order = values.get("sort_order", 0)
    return Location.objects.create(code=code, route_key=route_key(code=code, sort_order=order), **values)
