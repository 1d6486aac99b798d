"""What a store and we last agreed on, listing by listing: the only place that moves it.

A quantity moves by differences, since a sale may come in between any two steps; it is set only by what was read, and
only if no sale has come in since it was read. Listings are locked here, by their keys, after orders and lots.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, Sum

from audit import bulk, context
from inventory.models import InventoryExternalId
from orders.models import OrderLine
from stores.channels import LotField
from sync.models import ListingState
from sync.remote import LotState, RemoteLot
from sync.states import as_json, read_state

# Their clock and ours: nobody can tell what came first of what lies closer together.
UNSURE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change that a store has carried out. `before`: None of a new lot; `after`: None of one that was deleted.

    `lot_id`: the store's number of a new lot, where it has told it. `unset`: what it refused although it took the rest.
    `lot_version`, `rules_version`: with which it was worked out. `asked_at`: when it was sent.
    """

    listing_id: UUID
    before: LotState | None
    after: LotState | None
    asked_at: datetime
    lot_id: str = ""
    unset: tuple[LotField, ...] = ()
    lot_version: int | None = None
    rules_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A listing as it was read: `read_at` from before the request, `sales_count` of its state from before that.

    `lot_version`, `rules_version`: with which both sides agree now; None where that is still to be compared.
    """

    listing_id: UUID
    remote: RemoteLot
    read_at: datetime
    sales_count: int = 0
    lot_version: int | None = None
    rules_version: int | None = None


@transaction.atomic(savepoint=False)
def take_off(
    *, store_id: UUID, sold: Mapping[str, int], earliest: datetime, latest: datetime,
    unsure: Mapping[str, int] | None = None,
) -> None:  # fmt: skip
    """Take what an order took on its own channel off the bases of its listings, by the store's numbers of the lots.

    `earliest`, `latest`: between which moments it took it; what was read later has it already. Where nobody can say,
    where an order gave something back, and of what is `unsure`, the listing is read before anything is sent. `unsure`:
    how many pieces there may be more besides, below zero fewer.
    """
    unsure = unsure or {}
    wanted = {number for number, qty in sold.items() if qty} | set(unsure)
    if not wanted:
        return
    rows = _held(Q(store_id=store_id, external_lot_id__in=wanted))
    states = _states(rows)
    moved = []
    for row in rows:
        state, base = states[row.pk], read_state(row.base)
        number = row.external_lot_id or ""
        qty = sold.get(number, 0)
        if number in unsure or qty < 0:
            state.must_read = True
            state.may_have_more += max(0, -qty) + max(0, unsure.get(number, 0))
            state.may_have_fewer += max(0, -unsure.get(number, 0))
        if qty <= 0 or base is None or (state.read_at is not None and latest < state.read_at - UNSURE):
            continue
        # Who is reading it now reads it once more.
        state.sales_count += 1
        if state.read_at is not None and earliest <= state.read_at + UNSURE:
            state.must_read = True
            state.may_have_fewer += qty
            continue
        if base.qty < qty:
            # There was more than we knew of.
            state.must_read = True
        row.base = as_json(base._replace(qty=max(0, base.qty - qty)))
        moved.append(row)
    if moved:
        bulk.bulk_update(InventoryExternalId, moved, fields=["base"])
    _keep(states.values())


@transaction.atomic
def agree(*, readings: Sequence[Reading], now: datetime) -> frozenset[UUID]:
    """Take over what was read as what both sides agree on; answer the listings of which that is true.

    One of which a sale has come in since it was read stays as it was, and is to be read once more.
    """
    context.describe("sync.agree")
    by_listing = {each.listing_id: each for each in readings}
    rows = _held(Q(pk__in=by_listing))
    states = _states(rows)
    changed, agreed = [], set()
    for row in rows:
        reading, state = by_listing[row.pk], states[row.pk]
        if state.sales_count != reading.sales_count:
            state.must_read = True
            continue
        agreed.add(row.pk)
        base = as_json(reading.remote.state)
        if (row.base, row.external_lot_id) != (base, reading.remote.lot_id):
            row.base, row.external_lot_id = base, reading.remote.lot_id
            row.last_synced_at = now
            changed.append(row)
        _be_settled(state, reading.lot_version, reading.rules_version)
        state.read_at, state.must_read = reading.read_at, False
        state.may_have_fewer = state.may_have_more = 0
    if changed:
        bulk.bulk_update(InventoryExternalId, changed, fields=["base", "external_lot_id", "last_synced_at"])
    _keep(states.values())
    return frozenset(agreed)


@transaction.atomic
def settle(*, store_id: UUID, changes: Sequence[Change], now: datetime) -> None:
    """Move bases by what a store has carried out: a quantity by its difference, the other fields to what they are now.

    A listing that was deleted there is gone here too.
    """
    context.describe("sync.settle")
    by_listing = {each.listing_id: each for each in changes}
    rows = _held(Q(store_id=store_id, pk__in=by_listing))
    states = _states(rows)
    sold = _sold_meanwhile(store_id, [each for each in changes if each.before is None and each.lot_id])
    moved, gone = [], []
    for row in rows:
        change, state = by_listing[row.pk], states[row.pk]
        if change.after is None:
            gone.append(row)
            continue
        base = _moved(row, change, state, sold.get(change.lot_id, 0))
        if change.lot_id:
            row.external_lot_id = change.lot_id
        row.base, row.last_synced_at = as_json(base), now
        _be_settled(state, change.lot_version, change.rules_version)
        moved.append(row)
    if moved:
        bulk.bulk_update(InventoryExternalId, moved, fields=["base", "external_lot_id", "last_synced_at"])
    kept = [state for state in states.values() if state.listing_id not in {row.pk for row in gone}]
    _keep(kept)
    if gone:
        bulk.bulk_delete(InventoryExternalId.objects.filter(pk__in=[row.pk for row in gone]))


def must_read(*, listing_ids: Collection[UUID]) -> None:
    """Have listings read before anything is sent to them."""
    with transaction.atomic():
        states = _states(_held(Q(pk__in=listing_ids)))
        for state in states.values():
            state.must_read = True
        _keep(states.values())


def _moved(row: InventoryExternalId, change: Change, state: ListingState, sold: int) -> LotState:
    after = change.after
    assert after is not None  # noqa: S101  # the caller has looked
    base = read_state(row.base)
    if change.before is None or base is None:
        # What it refused of a new lot stands there as it does without saying.
        nothing: dict[str, Any] = {each.value: None for each in change.unset}
        made = after._replace(**nothing)
        qty = after.qty - sold
    else:
        fields = change.before.differences(after, frozenset(LotField) - {LotField.QTY} - set(change.unset))
        made = base._replace(**{each.value: getattr(after, each.value) for each in fields})
        qty = base.qty if LotField.QTY in change.unset else base.qty + after.qty - change.before.qty
    if qty < 0:
        state.must_read = True
    return made._replace(qty=max(0, qty))


def _sold_meanwhile(store_id: UUID, created: Sequence[Change]) -> dict[str, int]:
    """Answer what orders have taken of lots that were made just now: their sales found no base to take it off."""
    if not created:
        return {}
    since = min(each.asked_at for each in created) - UNSURE
    rows = (
        OrderLine.objects.filter(
            order__store_id=store_id,
            order__ordered_at__gte=since,
            external_lot_id__in=[each.lot_id for each in created],
        )
        .values_list("external_lot_id")
        .annotate(pieces=Sum("qty_channel"))
        .order_by()
    )
    return {str(number): pieces or 0 for number, pieces in rows}


def _be_settled(state: ListingState, lot_version: int | None, rules_version: int | None) -> None:
    state.sent = state.sent_at = state.retry_at = state.read_again_at = None
    state.attempts, state.error = 0, ""
    state.lot_version, state.rules_version = lot_version, rules_version


def _held(which: Q) -> list[InventoryExternalId]:
    return list(InventoryExternalId.objects.select_for_update(no_key=True).filter(which).order_by("pk"))


def _states(rows: Iterable[InventoryExternalId]) -> dict[UUID, ListingState]:
    """Answer the states of locked listings, new ones where there are none. Who holds the listing holds its state."""
    found = {state.listing_id: state for state in ListingState.objects.filter(listing__in=[row.pk for row in rows])}
    return {row.pk: found.get(row.pk) or ListingState(listing=row, store_id=row.store_id) for row in rows}


_FIELDS = [each.attname for each in ListingState._meta.concrete_fields if not each.primary_key]


def _keep(states: Iterable[ListingState]) -> None:
    ListingState.objects.bulk_create(
        list(states), update_conflicts=True, unique_fields=["listing"],
        update_fields=[each for each in _FIELDS if each != "store_id"],
    )  # fmt: skip
