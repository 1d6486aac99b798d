"""How lots are put back: through the services, quantities by movements, so that the books stay right."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils import timezone

from audit.reverters import Objection, Patch, Reverter, Way
from inventory import services
from inventory.choices import MovementKind
from inventory.models import InventoryItem, StockMovement

_PROMISED = "Pieces of it were promised to an order or left with one; that is changed in the order."


class LotReverter(Reverter):
    """Puts lots' fields back, makes deleted ones again, takes new ones away. What is promised to orders stays."""

    follows = frozenset({"color_name"})
    keeps = {"currency": "It is the shop's."}

    def permission(self, patch: Patch) -> str | None:
        return "inventory:delete" if patch.way is Way.REMOVE else "inventory:write"

    def objection(self, patch: Patch) -> Objection | None:
        return self.objections([patch])[0]

    def objections(self, patches: Sequence[Patch]) -> list[Objection | None]:
        """Answer for each; what has happened to new lots since is looked up for all of them at once."""
        stays = _why_they_stay([patch.id for patch in patches if patch.way is Way.REMOVE])
        return [
            Objection(_PROMISED, counter_action="Open lot", url=_url(patch.id))
            if patch.way is Way.RESTORE and "qty_reserved" in patch.values
            else stays.get(patch.id)
            for patch in patches
        ]

    def restore(self, patch: Patch) -> None:
        self.apply_all([patch])

    def recreate(self, patch: Patch) -> None:
        self.apply_all([patch])

    def remove(self, patch: Patch) -> None:
        self.apply_all([patch])

    def apply_all(self, patches: Sequence[Patch]) -> None:
        """Do all of one way by a few statements."""
        now = timezone.now()
        match patches[0].way:
            case Way.REMOVE:
                services.delete_lots(lot_ids=[patch.id for patch in patches], now=now)
            case Way.RECREATE:
                services.recreate_lots(values=[patch.values for patch in patches], now=now)
            case Way.RESTORE:
                services.restore_lots(values={patch.id: patch.values for patch in patches}, now=now)


def _url(lot_id: Any) -> str:
    return reverse("inventory:lot", args=[lot_id])


def _why_they_stay(lot_ids: Sequence[Any]) -> dict[Any, Objection]:
    """Answer what has happened to lots since they were made, where that keeps them."""
    if not lot_ids:
        return {}
    promised = InventoryItem.objects.filter(pk__in=lot_ids, qty_reserved__gt=0).values_list("pk", "qty_reserved")
    stays = {
        lot_id: Objection(f"{qty:,} pieces of it are promised to orders.", "Open lot", _url(lot_id))
        for lot_id, qty in promised
    }
    moves = StockMovement.objects.filter(inventory_item__in=lot_ids).distinct("inventory_item_id")
    first = dict(moves.order_by("inventory_item_id", "id").values_list("inventory_item_id", "change_set_id"))
    last = moves.order_by("inventory_item_id", "-id").values_list("inventory_item_id", "change_set_id", "kind")
    for lot_id, change_set_id, kind in last:
        if change_set_id != first[lot_id]:
            words = MovementKind(kind).label.lower()
            objection = Objection(f"Its pieces have moved since (last: {words}).", "Delete lot", _url(lot_id))
            stays.setdefault(lot_id, objection)
    return stays
