"""How places, what lies there and purchases are put back: through the services, whose rules hold."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db import models
from django.utils import timezone

from audit.diff import Step
from audit.recording import CHANGED, CREATED, history_of
from audit.reverters import Patch, Reverter, SetReverter, Way
from inventory import services
from inventory.models import InventoryItem, InventoryItemLocation, Location, Purchase, PurchaseLine
from inventory.reverts.lots import why_they_stay
from inventory.services.locations import EDITABLE as LOCATION_FIELDS
from inventory.services.purchases import EDITABLE as PURCHASE_FIELDS

_WRITE = "inventory:write"

Guards = Mapping[type[models.Model], Collection[Any]]


class LocationReverter(Reverter):
    """Puts locations back. One that holds something by now stays."""

    follows = frozenset({"route_key"})
    # Before the first piece lies there again, and when the last one is gone.
    turns: ClassVar[Mapping[Way, int]] = {Way.RECREATE: 5, Way.RESTORE: 20, Way.REMOVE: 35}
    lock_place = 50
    is_closed = True

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return _WRITE

    def guards(self, steps: Sequence[Step]) -> Guards:
        """Hold the lots that lie there too: how they are sorted follows."""
        keys = {step.key for step in steps}
        placed = InventoryItemLocation.objects.filter(location__in=keys)
        return {InventoryItem: set(placed.values_list("inventory_item", flat=True)), Location: keys}

    def restore(self, patch: Patch) -> None:
        own = {name: value for name, value in patch.values.items() if name in LOCATION_FIELDS}
        if own:
            services.update_location(location_id=patch.id, changes=own)
        if "last_counted_at" in patch.values:
            services.set_counted(location_id=patch.id, at=patch.values["last_counted_at"])

    def recreate(self, patch: Patch) -> None:
        services.recreate_locations(values={patch.id: patch.values})

    def remove(self, patch: Patch) -> None:
        services.delete_location(location_id=patch.id, now=timezone.now())

    def apply_all(self, patches: Sequence[Patch]) -> None:
        """Make many, or take many away, by one statement; those that changed go back one after another."""
        match patches[0].way:
            case Way.REMOVE if len(patches) > 1:
                services.delete_unused_locations(location_ids=[patch.id for patch in patches])
            case Way.RECREATE:
                services.recreate_locations(values={patch.id: patch.values for patch in patches})
            case _:
                super().apply_all(patches)


class PlacementReverter(SetReverter):
    """Puts pieces back where they lay, as long as the lot has that many."""

    keeps = {"inventory_item_id": "A placement is of one lot.", "location_id": "A placement is at one place."}
    # Heaps shrink before their lots do, so that no other gives way, and grow when these have the pieces.
    turns: ClassVar[Mapping[Way, int]] = {Way.REMOVE: 15, Way.RESTORE: 16, Way.RECREATE: 27}
    _GROWS: ClassVar[int] = 26

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return _WRITE

    def turn(self, patch: Patch) -> int:
        """Answer when it is its turn: what grows does when something else has shrunk."""
        grows = patch.way is Way.RESTORE and patch.now is not None and patch.values["qty"] > patch.now["qty"]
        return self._GROWS if grows else self.turns[patch.way]

    def guards(self, steps: Sequence[Step]) -> Guards:
        """Hold the lots and the places, as everybody does who moves pieces."""
        lots = {step.known["inventory_item_id"] for step in steps}
        return {InventoryItem: lots, Location: {step.known["location_id"] for step in steps}}

    def company(self, steps: Sequence[Step], *, change_set_id: UUID) -> Guards:
        """Answer where else the same lots' pieces lay, and the lots themselves where they had other quantities."""
        lots = {step.known["inventory_item_id"] for step in steps}
        placed = history_of(InventoryItemLocation).objects.filter(
            change_set_id=change_set_id, inventory_item_id__in=list(lots)
        )
        rows = history_of(InventoryItem).objects.filter(change_set_id=change_set_id, id__in=list(lots))
        kinds = set(rows.values_list("id", "history_type"))
        changed = {lot_id for lot_id, kind in kinds if kind == CHANGED}
        # Lots that were made then go in a turn of their own; but those that stay keep where they lie.
        kept = why_they_stay([lot_id for lot_id, kind in kinds if kind == CREATED])
        return {
            InventoryItem: changed | kept.keys(),
            InventoryItemLocation: set(placed.values_list("id", flat=True)),
        }

    def falls_with(self, step: Step) -> tuple[type[models.Model], Any]:
        """Pieces of a lot that keeps them stay where they lie."""
        return InventoryItem, step.known["inventory_item_id"]

    def apply_all(self, patches: Sequence[Patch]) -> None:
        """Do all of one way by a few statements."""
        match patches[0].way:
            case Way.REMOVE:
                services.restore_placements(remove=[patch.id for patch in patches])
            case Way.RECREATE:
                services.restore_placements(
                    quantities={
                        patch.id: (patch.values["inventory_item_id"], patch.values["location_id"], patch.values["qty"])
                        for patch in patches
                    }
                )
            case Way.RESTORE:
                services.restore_placements(changes={patch.id: patch.values["qty"] for patch in patches})


class PurchaseReverter(Reverter):
    """Puts purchases back; their costs are spread anew."""

    keeps = {"currency": "A purchase is kept in the currency in which it was made."}
    lock_place = 30

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return _WRITE

    def guards(self, steps: Sequence[Step]) -> Guards:
        """Hold their lots too: what these cost follows."""
        keys = {step.key for step in steps}
        return {Purchase: keys, InventoryItem: _lots_of(keys)}

    def restore(self, patch: Patch) -> None:
        own = {name: value for name, value in patch.values.items() if name in PURCHASE_FIELDS}
        services.update_purchase(purchase_id=patch.id, changes=own, now=timezone.now())

    def recreate(self, patch: Patch) -> None:
        own = {name: value for name, value in patch.values.items() if name in PURCHASE_FIELDS}
        services.create_purchase(values=own, purchase_id=patch.id)

    def remove(self, patch: Patch) -> None:
        services.delete_purchase(purchase_id=patch.id, now=timezone.now())


_LINE_FIELDS = frozenset({"qty", "qty_before", "cost_before"})


class PurchaseLineReverter(Reverter):
    """Puts lots back into purchases and takes them out again; shares and costs follow."""

    follows = frozenset({"cost"})
    keeps = {"inventory_item_id": "A line is of one lot.", "purchase_id": "A line is of one purchase."}

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return _WRITE

    def guards(self, steps: Sequence[Step]) -> Guards:
        """Hold the purchases, and all their lots: another share of one is another share of all."""
        purchases = {step.known["purchase_id"] for step in steps}
        lots = {step.known["inventory_item_id"] for step in steps}
        return {Purchase: purchases, InventoryItem: lots | _lots_of(purchases)}

    def restore(self, patch: Patch) -> None:
        own = {name: value for name, value in patch.values.items() if name in _LINE_FIELDS}
        services.restore_line_values(line_id=patch.id, values=own, now=timezone.now())

    def recreate(self, patch: Patch) -> None:
        services.restore_line(line_id=patch.id, values=patch.values, now=timezone.now())

    def remove(self, patch: Patch) -> None:
        services.remove_line(line_id=patch.id, now=timezone.now())


def _lots_of(purchase_ids: Collection[Any]) -> set[Any]:
    return set(PurchaseLine.objects.filter(purchase__in=purchase_ids).values_list("inventory_item", flat=True))
