"""How stores are put back: what is said about them; never what opens them."""

from audit import reverters
from audit.reverters import Objection, Patch, Reverter, Way
from stores import services
from stores.models import Store

# Column → what may change by a revert.
_OURS = frozenset({"name", "is_enabled", "is_primary", "settings"})


class StoreReverter(Reverter):
    """Puts a store's name, settings and role back."""

    keeps = {
        "channel": "A store stays on its channel.",
        "base_url": "Only Brikonnect's staff change this.",
        "account": "It is the store's own number on its channel.",
        "disconnected_at": "What opened the store was erased. Connect it again.",
    }
    lock_place = 60

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return "stores:write"

    def objection(self, patch: Patch) -> Objection | None:
        if patch.way is not Way.RESTORE:
            return Objection("A store isn't added or taken away by a revert.", "Disconnect it, or connect it again.")
        if patch.now is not None and patch.now["disconnected_at"] and patch.values.get("is_enabled"):
            return Objection("The store is disconnected.", "Connect it again.")
        return None

    def restore(self, patch: Patch) -> None:
        changes = {name: value for name, value in patch.values.items() if name in _OURS}
        if changes:
            services.update_store(store_id=patch.id, changes=changes, is_restored=True)


def register() -> None:
    """Tell audit how stores are put back."""
    reverters.register(Store, StoreReverter())
