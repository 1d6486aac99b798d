"""How a shop's own mappings are put back, and what it left without one."""

from collections.abc import Sequence

from django.utils import timezone

from audit.reverters import Patch, RowsReverter, Way
from inventory.models import ItemMapping
from inventory.services.mappings import tell_what_is_meant, withdraw_what_was_meant


class LeftUnmappedReverter(RowsReverter):
    """Puts rows back by themselves; their rules are the database's."""

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return "inventory:write"


class ItemMappingReverter(LeftUnmappedReverter):
    """Puts mappings back, and what is offered of them to our staff."""

    def apply_all(self, patches: Sequence[Patch]) -> None:
        keys = [patch.id for patch in patches]
        if patches[0].way is Way.REMOVE:
            gone = list(ItemMapping.objects.filter(pk__in=keys))
            super().apply_all(patches)
            withdraw_what_was_meant(gone)
        else:
            super().apply_all(patches)
            tell_what_is_meant(ItemMapping.objects.filter(pk__in=keys).order_by("pk"), now=timezone.now())


class ListingReverter(RowsReverter):
    """Ties listings to their lots again. What a store shows is the channel's."""

    keeps = {"base": "It is what the store and we agreed on.", "last_synced_at": "It says when we last agreed."}
    lock_place = 60

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return "inventory:write"
