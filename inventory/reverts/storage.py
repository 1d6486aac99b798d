"""How places, what lies there and purchases are put back: through the services, whose rules hold."""

from collections.abc import Sequence

from django.utils import timezone

from audit.reverters import Patch, Reverter, SetReverter, Way
from inventory import services
from inventory.services.locations import EDITABLE as LOCATION_FIELDS
from inventory.services.purchases import EDITABLE as PURCHASE_FIELDS

_WRITE = "inventory:write"


class LocationReverter(Reverter):
    """Puts locations back. One that holds something by now stays."""

    follows = frozenset({"route_key"})

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return _WRITE

    def restore(self, patch: Patch) -> None:
        own = {name: value for name, value in patch.values.items() if name in LOCATION_FIELDS}
        if own:
            services.update_location(location_id=patch.id, changes=own)
        if "last_counted_at" in patch.values:
            services.set_counted(location_id=patch.id, at=patch.values["last_counted_at"])

    def recreate(self, patch: Patch) -> None:
        own = {name: value for name, value in patch.values.items() if name in LOCATION_FIELDS}
        services.create_location(values=own, location_id=patch.id)

    def remove(self, patch: Patch) -> None:
        services.delete_location(location_id=patch.id, now=timezone.now())

    def apply_all(self, patches: Sequence[Patch]) -> None:
        """Take many away by one statement; put back one after another."""
        if patches[0].way is Way.REMOVE and len(patches) > 1:
            services.delete_unused_locations(location_ids=[patch.id for patch in patches])
        else:
            super().apply_all(patches)


class PlacementReverter(SetReverter):
    """Puts pieces back where they lay, as long as the lot has that many."""

    keeps = {"inventory_item_id": "A placement is of one lot.", "location_id": "A placement is at one place."}

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return _WRITE

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

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return _WRITE

    def restore(self, patch: Patch) -> None:
        own = {name: value for name, value in patch.values.items() if name in PURCHASE_FIELDS}
        services.update_purchase(purchase_id=patch.id, changes=own, now=timezone.now())

    def recreate(self, patch: Patch) -> None:
        own = {name: value for name, value in patch.values.items() if name in PURCHASE_FIELDS}
        services.create_purchase(values=own, purchase_id=patch.id)

    def remove(self, patch: Patch) -> None:
        services.delete_purchase(purchase_id=patch.id, now=timezone.now())


class PurchaseLineReverter(Reverter):
    """Puts lots back into purchases and takes them out again; shares and costs follow."""

    follows = frozenset({"cost", "qty_before", "cost_before"})
    keeps = {"inventory_item_id": "A line is of one lot.", "purchase_id": "A line is of one purchase."}

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return _WRITE

    def restore(self, patch: Patch) -> None:
        services.set_line(line_id=patch.id, qty=patch.values["qty"], now=timezone.now())

    def recreate(self, patch: Patch) -> None:
        services.restore_line(line_id=patch.id, values=patch.values, now=timezone.now())

    def remove(self, patch: Patch) -> None:
        services.remove_line(line_id=patch.id, now=timezone.now())
