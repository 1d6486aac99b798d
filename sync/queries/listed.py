"""How a lot stands at each store, and why it isn't listed where it isn't."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from inventory.models import InventoryExternalId, InventoryItem
from stores import queries as stores
from stores.channels import LotField, Reach
from stores.models import Store
from stores.settings_schema import StoreSettings
from sync.queries.meanings import numbers_on
from sync.queries.our_lots import lot_state
from sync.queries.wanted import Wanted, wanted, wanted_of_lots
from sync.remote import LotState
from sync.rules import Unlisted, lost
from sync.states import read_state

_WHY = {
    Unlisted.NO_PIECES: "No pieces are available",
    Unlisted.KEPT_BACK: "All pieces are kept back there, or too few for its bulk",
    Unlisted.NO_PRICE: "It has no price",
    Unlisted.STOCKROOM: "It is in a stockroom, which this channel hasn't",
    Unlisted.NO_RATE: "The store sells in another currency, and no rate is known yet",
    Unlisted.NOT_CHOSEN: "The store's rules leave it out",
    Unlisted.LAST_PIECE: "Its last piece is offered in the primary store",
    Unlisted.AWAY: "The shop is on vacation",
    Unlisted.TWICE: "Another listing offers its pieces there",
    Unlisted.GONE: "The lot was deleted",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A lot at one store. `number`: the store's own; empty where it isn't there. `why`: why not, or not all of it."""

    store: Store
    number: str
    shows: LotState | None
    is_waiting: bool
    agreed_at: datetime | None
    why: str
    error: str
    retry_at: datetime | None
    # In words: what the channel can't show of it.
    lost: str

    @property
    def is_there(self) -> bool:
        """Tell whether somebody can buy it there."""
        return bool(self.number and self.shows and self.shows.qty)


def why(lot: InventoryItem) -> list[Listed]:
    """Answer how a lot stands at each store that is kept in step, and why it isn't listed where it isn't."""
    rows = InventoryExternalId.objects.filter(inventory_item=lot).select_related("state").order_by("created_at", "pk")
    listings: dict[UUID, list[InventoryExternalId]] = {}
    for row in rows:
        listings.setdefault(row.store_id, []).append(row)
    found = []
    for store in stores.stores():
        spec = stores.spec_for(store.channel)
        if spec is None or spec.reach is not Reach.FULL or store.disconnected_at is not None:
            continue
        missing = ", ".join(_words(each) for each in lost(lot_state(lot), spec.lot_fields))
        there = listings.get(store.pk)
        if not there:
            found.append(_unlisted(store, lot, missing))
            continue
        wants = wanted(store, there)
        found += [_listed(store, row, wants[row.pk], missing) for row in there]
    return found


def _words(field: LotField) -> str:
    return {LotField.TIERS: "tier prices"}.get(field, field.value)


def _unlisted(store: Store, lot: InventoryItem, missing: str) -> Listed:
    reason = wanted_of_lots(store, [lot])[lot.pk].why
    words = _WHY[reason] if reason else ""
    if not words:
        number = numbers_on(store.channel, [lot])[lot.pk]
        words = number if isinstance(number, str) else ""
    if not words and StoreSettings.of(store.settings).list_new_lots:
        words = "It is listed next"
    return Listed(
        store=store, number="", shows=None, is_waiting=False, agreed_at=None, error="", retry_at=None, lost=missing,
        why=words or "Nobody has listed it there. A sync run does, or the store's setting to list new lots",
    )  # fmt: skip


def _listed(store: Store, row: InventoryExternalId, want: Wanted, missing: str) -> Listed:
    state = getattr(row, "state", None)
    base = read_state(row.base)
    differs = base is not None and bool(want.differences(base))
    return Listed(
        store=store, number=row.external_lot_id or "", shows=base,
        is_waiting=differs or (row.external_lot_id is None and want.state.qty > 0),
        agreed_at=row.last_synced_at, why=_WHY[want.why] if want.why else "", error=state.error if state else "",
        retry_at=state.retry_at if state else None, lost=missing,
    )  # fmt: skip
