"""What stores are to show of lots, by their rules and by what was decided about fields."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import Case, IntegerField, When
from django.utils import timezone

from catalog.queries.rates import rate as rate_of
from common import workspace
from inventory.choices import ItemCondition
from inventory.models import InventoryExternalId, InventoryItem
from inventory.queries.filters import Filters, filtered
from stores import queries as stores
from stores.channels import LotField
from stores.models import Store
from stores.settings_schema import StoreSettings
from sync.models import ListingState, SyncConflict
from sync.queries.our_lots import OurLot, lot_state
from sync.remote import LotState
from sync.rules import Showing, StoreRules, Unlisted
from sync.states import read_state

_USED = ItemCondition.USED.value


def rules_of(store: Store, *, day: date | None = None) -> StoreRules:
    """Answer how a store shows lots; with the newest rate where it sells in another currency than the shop's."""
    spec = stores.spec_for(store.channel)
    if spec is None:
        raise LookupError(f"no channel {store.channel}")
    settings = StoreSettings.of(store.settings)
    own = workspace.current().currency
    found = rate_of(own, settings.currency or own, day or timezone.now().date())
    return StoreRules.of(settings, spec, rate=found.value if found else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a store is to show of a lot: `state` as a whole, of which `fields` are ours to send.

    `why`: why it shows nothing; the quantity is 0 then. `asked`: fields that wait for a person.
    """

    lot_id: UUID | None
    lot_version: int | None
    rules_version: int
    state: LotState
    fields: frozenset[LotField]
    why: Unlisted | None = None
    asked: frozenset[LotField] = frozenset()

    def differences(self, base: LotState | None) -> tuple[LotField, ...]:
        """Answer what the listing shows otherwise."""
        return tuple(LotField) if base is None else base.differences(self.state, self.fields)


def wanted(store: Store, listings: Sequence[InventoryExternalId]) -> Mapping[UUID, Wanted]:
    """Answer what a store is to show of each of its listings, by the listing's key. A few queries, whatever the number.

    A listing whose lot is gone shows nothing. Of several of one lot the oldest that has a number offers.
    """
    lots = InventoryItem.objects.in_bulk([each.inventory_item_id for each in listings if each.inventory_item_id])
    shows = Shows(store)
    shows.add(lots.values())
    offering = _offering(store, set(lots))
    keys = [each.pk for each in listings]
    asked = _asked(keys)
    put_away = set(ListingState.objects.filter(listing__in=keys, is_put_away=True).values_list("pk", flat=True))
    found = {}
    for listing in listings:
        lot = lots.get(listing.inventory_item_id) if listing.inventory_item_id else None
        base = read_state(listing.base)
        if lot is None:
            found[listing.pk] = _of_nothing(store, base)
            continue
        state, why = shows.of(lot)
        if offering.get(lot.pk, listing.pk) != listing.pk:
            state, why = state._replace(qty=0), Unlisted.TWICE
        fields = shows.rules.sent
        if LotField.STOCKROOM in shows.rules.lot_fields and (shows.rules.is_away or listing.pk in put_away):
            # What stands in a stockroom there stays where it is; what we have put there comes back.
            fields |= {LotField.STOCKROOM}
            if shows.rules.is_away and base is not None and base.stockroom:
                state = state._replace(stockroom=base.stockroom)
        waits = asked.get(listing.pk, frozenset())
        fields -= waits
        found[listing.pk] = Wanted(
            lot_id=lot.pk, lot_version=lot.version, rules_version=store.version, state=_kept(state, base, fields),
            fields=fields, why=why, asked=waits,
        )  # fmt: skip
    return found


def wanted_of_lots(store: Store, lots: Collection[InventoryItem]) -> Mapping[UUID, Wanted]:
    """Answer what a store that has no listings of these lots is to show of them, by the lot's key."""
    shows = Shows(store)
    shows.add(lots)
    found = {}
    for lot in lots:
        state, why = shows.of(lot)
        if why is None and shows.rules.is_away:
            why = Unlisted.AWAY
        if why is None and (shows.rules.rate is None or not state.price):
            why = Unlisted.NO_RATE if shows.rules.rate is None else Unlisted.NO_PRICE
        found[lot.pk] = Wanted(
            lot_id=lot.pk, lot_version=lot.version, rules_version=store.version,
            state=state if why is None else state._replace(qty=0), fields=shows.rules.lot_fields, why=why,
        )  # fmt: skip
    return found


class Shows:
    """How a store shows some lots, by all of its rules. More lots are added as they come (`add`)."""

    def __init__(self, store: Store, *, rules: StoreRules | None = None) -> None:
        settings = StoreSettings.of(store.settings)
        self.rules = rules or rules_of(store)
        self._showing = Showing(self.rules)
        self._query = settings.listed_query
        self._is_shared = not settings.quantity_rule.last_piece and not store.is_primary
        self._not_chosen: set[UUID] = set()
        self._elsewhere: set[UUID] = set()

    def add(self, lots: Collection[InventoryItem | OurLot]) -> None:
        """Look up what of these lots depends on more than the lots themselves. Two queries at most."""
        if self._query:
            keys = [lot.pk for lot in lots]
            self._not_chosen -= set(keys)
            chosen = filtered(Filters.parse(self._query)).filter(pk__in=keys).values_list("pk", flat=True)
            self._not_chosen |= set(keys) - set(chosen)
        if self._is_shared:
            self._elsewhere.difference_update([lot.pk for lot in lots])
            self._elsewhere |= _in_primary([lot.pk for lot in lots if lot.qty_available == 1])

    def of(self, lot: InventoryItem | OurLot) -> tuple[LotState, Unlisted | None]:
        """Answer how a lot is to stand there, and why it isn't listed."""
        state, why = self._showing.of(
            lot.state if isinstance(lot, OurLot) else lot_state(lot), is_used=lot.condition == _USED
        )
        if self._not_chosen and lot.pk in self._not_chosen:
            why = Unlisted.NOT_CHOSEN
        elif self._elsewhere and lot.pk in self._elsewhere:
            why = why or Unlisted.LAST_PIECE
        return (state if why is None else state._replace(qty=0)), why

    def listed_or_new(self, lot: OurLot) -> tuple[LotState, Unlisted | None, bool]:
        """Answer how a listing of a lot is to stand there, why it shows nothing, and whether one may be made.

        What has no price that can be told isn't listed anew, and a listing keeps the one that it has.
        """
        state, why = self.of(lot)
        if why is None and self.rules.is_away:
            return state._replace(qty=0), Unlisted.AWAY, False
        return state, why, why is None and self.rules.rate is not None and bool(state.price)


def _in_primary(lot_ids: Collection[UUID]) -> frozenset[UUID]:
    """Answer which of the lots the primary store has."""
    if not lot_ids:
        return frozenset()
    there = InventoryExternalId.objects.filter(
        inventory_item__in=lot_ids, external_lot_id__isnull=False, store__is_primary=True, store__is_enabled=True,
        store__disconnected_at__isnull=True,
    )  # fmt: skip
    return frozenset(key for key in there.values_list("inventory_item_id", flat=True) if key)


def _of_nothing(store: Store, base: LotState | None) -> Wanted:
    empty = base or LotState(qty=0, price=Decimal(0))
    return Wanted(
        lot_id=None, lot_version=None, rules_version=store.version, state=empty._replace(qty=0),
        fields=frozenset({LotField.QTY}), why=Unlisted.GONE,
    )  # fmt: skip


def _offering(store: Store, lot_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Answer which listing of a lot offers its pieces on a store: the oldest, those with a number before the others."""
    rows = (
        InventoryExternalId.objects.filter(store=store, inventory_item__in=lot_ids)
        .annotate(is_new=Case(When(external_lot_id__isnull=True, then=1), default=0, output_field=IntegerField()))
        .order_by("inventory_item_id", "is_new", "created_at", "pk")
        .distinct("inventory_item_id")
    )
    return {lot_id: key for lot_id, key in rows.values_list("inventory_item_id", "pk") if lot_id}


def _asked(listing_ids: Collection[UUID]) -> dict[UUID, frozenset[LotField]]:
    """Answer which fields a person is asked about: they stay as they are."""
    rows = SyncConflict.objects.filter(listing__in=listing_ids, decision="")
    found: dict[UUID, frozenset[LotField]] = {}
    for listing_id, name in rows.values_list("listing_id", "field"):
        found[listing_id] = found.get(listing_id, frozenset()) | {LotField(name)}
    return found


def _kept(state: LotState, base: LotState | None, fields: frozenset[LotField]) -> LotState:
    """Answer the state with what isn't ours to send as the listing shows it."""
    if base is None:
        return state
    return state._replace(**{each.value: getattr(base, each.value) for each in LotField if each not in fields})
