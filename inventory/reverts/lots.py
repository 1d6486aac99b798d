"""How lots are put back: through the services, quantities by movements, so that the books stay right."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from audit.recording import CREATED, history_of
from audit.reverters import Objection, Patch, Reverter, Way
from common.ids import new_id
from inventory import services
from inventory.choices import MovementKind
from inventory.models import InventoryItem, StockMovement
from inventory.services.checks import EDITABLE

_PROMISED = "Pieces of it were promised to an order or left with one; that is changed in the order."


class LotReverter(Reverter):
    """Puts a lot's fields back, makes a deleted one again, takes a new one away. What is promised to orders stays."""

    follows = frozenset({"color_name"})
    keeps = {"currency": "It is the shop's."}

    def permission(self, patch: Patch) -> str | None:
        return "inventory:delete" if patch.way is Way.REMOVE else "inventory:write"

    def objection(self, patch: Patch) -> Objection | None:
        if patch.way is Way.RESTORE and "qty_reserved" in patch.values:
            return Objection(_PROMISED, counter_action="Open lot", url=reverse("inventory:lot", args=[patch.id]))
        return _why_it_stays(patch.id) if patch.way is Way.REMOVE else None

    def restore(self, patch: Patch) -> None:
        restore_lot(lot_id=patch.id, values=patch.values, now=timezone.now())

    def recreate(self, patch: Patch) -> None:
        recreate_lot(lot_id=patch.id, values=patch.values, now=timezone.now())

    def remove(self, patch: Patch) -> None:
        services.delete_lots(lot_ids=[patch.id], now=timezone.now())


def restore_lot(*, lot_id: UUID, values: Mapping[str, Any], now: datetime) -> None:
    """Set fields of a lot back, and the pieces that are for sale by a movement."""
    own = {name: value for name, value in values.items() if name in EDITABLE}
    lot = services.update_lot(lot_id=lot_id, changes=own, now=now)
    missing = values.get("qty_available", lot.qty_available) - lot.qty_available
    if missing:
        move = services.Move(lot_id=lot_id, kind=MovementKind.REVERT, cause_key=str(new_id()), available=missing)
        services.move_stock(moves=[move], now=now)


def recreate_lot(*, lot_id: UUID, values: Mapping[str, Any], now: datetime) -> None:
    """Make a deleted lot again under its id, with the pieces that it had."""
    services.create_lot(
        values={name: value for name, value in values.items() if name in EDITABLE},
        qty_available=values["qty_available"],
        lot_id=lot_id,
        kind=MovementKind.REVERT,
        now=now,
    )


def _why_it_stays(lot_id: UUID) -> Objection | None:
    """Answer what has happened to a lot since it was made, if that keeps it."""
    url = reverse("inventory:lot", args=[lot_id])
    lot = InventoryItem.objects.filter(pk=lot_id).only("qty_reserved").first()
    if lot is None:
        return None
    if lot.qty_reserved:
        return Objection(f"{lot.qty_reserved:,} pieces of it are promised to orders.", "Open lot", url)
    made = (
        history_of(InventoryItem)
        .objects.filter(id=lot_id, history_type=CREATED)
        .order_by("-history_id")
        .values_list("change_set_id", "history_date")
        .first()
    )
    if made is None:
        return None
    since = StockMovement.objects.filter(inventory_item_id=lot_id, created_at__gt=made[1])
    later = since.exclude(change_set_id=made[0]).order_by("-pk").first()
    if later is None:
        return None
    words = MovementKind(later.kind).label.lower()
    return Objection(f"Its pieces have moved since (last: {words}).", "Delete lot", url)
