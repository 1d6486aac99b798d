"""What somebody changed of a lot on its channel, besides its pieces: taken over here, asked about, or overruled.

As a run compares: from what was agreed on, by whose word counts for the field.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from inventory import services as inventory
from inventory.choices import ItemCondition
from inventory.models import InventoryExternalId, InventoryItem
from inventory.services import Action, Wish
from stores.channels import LotField
from stores.settings_schema import StoreSettings
from sync.models import ListingState
from sync.planning import Compared, Decision, Owner, compare
from sync.queries.wanted import rules_of, wanted
from sync.remote import LotState, RemoteLot
from sync.rules import StoreRules
from sync.services.conflicts import note_conflicts
from sync.taking import can_be_taken, lot_values


def settle_edits(
    *, listing: InventoryExternalId, state: ListingState, remote: RemoteLot, base: LotState,
    edited: Collection[LotField], now: datetime,
) -> LotState:  # fmt: skip
    """Settle the fields of a held listing that somebody has edited there; answer what both sides agree on then.

    `base`: what was agreed on. A field that waits for a person keeps it.
    """
    there, store = remote.state, listing.store
    want = wanted(store, [listing])[listing.pk]
    if want.lot_id is None:
        return there
    settings = StoreSettings.of(store.settings)
    # What a vacation puts into a stockroom there is no edit, and what stands in one meanwhile is left to it.
    left = {LotField.STOCKROOM} if settings.is_away or state.is_put_away else set()
    lot, rules = InventoryItem.objects.get(pk=want.lot_id), rules_of(store)
    result = compare(
        base=base, ours=want.state, theirs=there, fields=({*edited} & want.fields) - left,
        owners={LotField(name): Owner(owner) for name, owner in settings.owners.items()},
        ours_is_newer=remote.created_at is None or lot.updated_at >= remote.created_at,
    )  # fmt: skip
    is_used = lot.condition == ItemCondition.USED
    taken = [each for each in result.of(Decision.TAKE) if can_be_taken(each.field, each.value, rules, is_used=is_used)]
    if not _take_over(lot, taken, rules, now=now):
        taken = []
    settled = {each.field for each in (*taken, *result.of(Decision.PUSH, Decision.AGREED))}
    asked = [each for each in result.fields if each.field not in settled]
    _ask(listing, asked, now=now)
    waits = left | {each.field for each in asked} | ({*edited} & want.asked)
    return there._replace(**{each.value: getattr(base, each.value) for each in waits & {*edited}})


def _take_over(lot: InventoryItem, taken: Collection[Compared], rules: StoreRules, *, now: datetime) -> bool:
    """Give our lot what its channel shows; answer whether it can have it."""
    is_used = lot.condition == ItemCondition.USED
    values: dict[str, Any] = lot_values({each.field: each.value for each in taken}, rules, is_used=is_used)
    if not values:
        return True
    wish = Wish(action=Action.UPDATE, lot_id=lot.pk, version=lot.version, values=values)
    (outcome,) = inventory.change_lots(wishes=[wish], all_or_nothing=False, now=now)
    return outcome.problem is None


def _ask(listing: InventoryExternalId, asked: Collection[Compared], *, now: datetime) -> None:
    if asked:
        rows = [(each.field, each.base, each.ours, each.theirs) for each in asked]
        note_conflicts(store_id=listing.store_id, asked={listing.pk: rows}, was_looked_at=lambda _key: False, now=now)
