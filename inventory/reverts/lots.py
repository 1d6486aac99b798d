"""How lots are put back: through the services, quantities by movements, so that the books stay right."""

from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from audit.reverters import Objection, Patch, SetReverter, Way
from inventory import services
from inventory.choices import MovementKind
from inventory.models import InventoryItem, StockMovement

# How a lot begins, and how pieces pass from one to another.
_BEGINNINGS = (MovementKind.INITIAL, MovementKind.IMPORT, MovementKind.REVERT)
_EXCHANGES = (MovementKind.MERGE, MovementKind.SPLIT)
_EXCHANGED = "It exchanged pieces with another lot, which has changed since; only both together could go back."
_PROMISED = "Pieces of it were promised to an order or left with one; that is changed in the order."


class LotReverter(SetReverter):
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
        moved = [patch for patch in patches if patch.way is not Way.REMOVE and "qty_available" in patch.values]
        spoiled = _spoiled_exchanges([patch.id for patch in moved])
        stays |= {patch.id: Objection(_EXCHANGED) for patch in moved if patch.id in spoiled}
        return [
            Objection(_PROMISED, counter_action="Open lot", url=_url(patch.id))
            if patch.way is Way.RESTORE and "qty_reserved" in patch.values
            else stays.get(patch.id)
            for patch in patches
        ]

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
    # A lot may have been made again: what counts is since its latest beginning, which starts from nothing.
    begun = _last_of(lot_ids, kind__in=_BEGINNINGS, balance_available=F("delta_available"), balance_reserved=0)
    for lot_id, (kind, change_set_id) in _last_of(lot_ids).items():
        if change_set_id != begun.get(lot_id, (kind, change_set_id))[1]:
            words = MovementKind(kind).label.lower()
            objection = Objection(f"Its pieces have moved since (last: {words}).", "Delete lot", _url(lot_id))
            stays.setdefault(lot_id, objection)
    return stays


def _last_of(lot_ids: Collection[Any], **conditions: Any) -> dict[Any, tuple[str, Any]]:
    """Answer kind and change set of the last movement of each lot, of those that meet the conditions."""
    moves = StockMovement.objects.filter(inventory_item__in=lot_ids, **conditions).distinct("inventory_item_id")
    rows = moves.order_by("inventory_item_id", "-id").values_list("inventory_item_id", "kind", "change_set_id")
    return {lot_id: (kind, change_set_id) for lot_id, kind, change_set_id in rows}


def _spoiled_exchanges(lot_ids: Collection[Any]) -> set[Any]:
    """Answer the lots whose last movement was an exchange with another that has moved since.

    If only one side went back, its pieces would be there twice, or not at all.
    """
    exchanged = {
        lot_id: change_set_id for lot_id, (kind, change_set_id) in _last_of(lot_ids).items() if kind in _EXCHANGES
    }
    if not exchanged:
        return set()
    sides = StockMovement.objects.filter(change_set_id__in=set(exchanged.values()), kind__in=_EXCHANGES)
    partners = set(sides.values_list("change_set_id", "inventory_item_id"))
    last = _last_of({lot_id for _, lot_id in partners})
    spoiled = {change_set_id for change_set_id, lot_id in partners if last[lot_id][1] != change_set_id}
    return {lot_id for lot_id, change_set_id in exchanged.items() if change_set_id in spoiled}
