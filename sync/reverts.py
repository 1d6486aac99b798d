"""How decisions about what both sides changed are put back: the question is asked again."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef

from audit import reverters
from audit.diff import Step
from audit.reverters import Objection, Patch, RowsReverter, Way
from inventory.models import InventoryExternalId
from sync.models import SyncConflict
from sync.services.conflicts import ask_again


class ConflictReverter(RowsReverter):
    """Puts decisions back. What was taken over goes back with its lot; what was sent is sent anew from there."""

    keeps = {
        "base": "It is what the store and we agreed on.",
        "ours": "It was found by a comparison.",
        "theirs": "It was found by a comparison.",
        "found_at": "It was found then.",
    }
    lock_place = 70

    def permission(self, patch: Patch) -> str | None:
        return None if patch.way is Way.REMOVE else "sync:apply"

    def objections(self, patches: Sequence[Patch]) -> list[Objection | None]:
        keys = [patch.id for patch in patches if patch.values.get("decision") == ""]
        again = SyncConflict.objects.filter(decision="", listing=OuterRef("listing"), field=OuterRef("field"))
        found = SyncConflict.objects.filter(pk__in=keys).exclude(decision="").filter(Exists(again))
        asked = set(found.values_list("pk", flat=True))
        return [
            Objection("Both sides changed it again since, and that waits for you.", "Decide that.")
            if patch.id in asked else None
            for patch in patches
        ]  # fmt: skip

    def guards(self, steps: Sequence[Step]) -> Mapping[type[models.Model], Collection[Any]]:
        keys = {step.key for step in steps}
        listings = SyncConflict.objects.filter(pk__in=keys).values_list("listing_id", flat=True)
        return {SyncConflict: keys, InventoryExternalId: set(listings)}

    def apply_all(self, patches: Sequence[Patch]) -> None:
        super().apply_all(patches)
        if patches[0].way is Way.RESTORE:
            ask_again(conflict_ids=[patch.id for patch in patches])


def register() -> None:
    """Tell audit how conflicts are put back."""
    reverters.register(SyncConflict, ConflictReverter())
