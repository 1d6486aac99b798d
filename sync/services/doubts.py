"""Of what was sent without an answer, and of whatever else nobody knows how it stands there: looked at, then settled.

Orders are pulled before and after the look, so that a sale in between is seen as one. What was expected had its effect;
what is as before had none and is sent again; anything else is an edit there. So is what is looked at before it is
overwritten (`look_at`). A lot that can't be read is set aside with the reason, and doesn't stop the others.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit import bulk, context
from common.errors import ProviderRejected, ProviderUnavailable
from common.steps import step
from inventory import services as inventory
from inventory.choices import MovementKind
from inventory.models import InventoryExternalId
from stores.channels import LotField
from sync.channels import Channel
from sync.channels.base import MisreadError
from sync.models import ListingState
from sync.queries.asking import is_short, lots_expected
from sync.queries.pending import doubtful
from sync.remote import Act, LotState, RemoteLot, marker_of
from sync.services import bases, edits, pulling, settling
from sync.services.bases import Reading
from sync.services.settling import Sent
from sync.states import read_state

# So many lots are read one by one; of more the whole inventory is read, which is fewer calls.
_ONE_BY_ONE = 5
# And so many where the list can't be believed.
_MOST_BY_ONE = 50
# So many are settled at once that stand there as was agreed on.
_AT_ONCE = 2_000
# While sales come in faster than they can be read; the rest has its turn later.
_ROUNDS = 4
_OTHERS = frozenset(LotField) - {LotField.QTY}
_UNREAD = "It can't be read there, so nothing is sent to it; that is tried again by itself."
DELETED_THERE = "It was deleted there. List it again by a sync run, or delete it here."


class ShortError(ProviderUnavailable):
    """A store's list is so much shorter than it was that nothing is gone because it isn't in it."""


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A listing in doubt, as it stood before the look."""

    listing_id: UUID
    number: str | None
    sales_count: int


def look_at(*, store_id: UUID, channel: Channel, listing_ids: Collection[UUID], now: datetime) -> None:
    """Look how listings stand there, and settle what was edited, before they are changed."""
    bases.must_read(listing_ids=listing_ids)
    settle_doubtful(store_id=store_id, channel=channel, now=now)


def settle_doubtful(*, store_id: UUID, channel: Channel, now: datetime) -> int:
    """Look at each listing in doubt until all are settled; answer how many were."""
    settled = 0
    if not _doubts(store_id, now=now):
        return 0
    pulling.pull_orders(store_id=store_id, now=now)
    for _round in range(_ROUNDS):
        doubts = _doubts(store_id, now=now)
        if not doubts:
            break
        # The moment itself: sales are told apart by it.
        read_at = timezone.now()
        look = _Look(channel)
        try:
            found = look.at(store_id, doubts)
        finally:
            # Also where the channel is what failed: another one is asked first the next time.
            for listing_id, reason in look.unread.items():
                _set_aside(listing_id, reason, now=now)
        step("sync.read")
        pulling.pull_orders(store_id=store_id, now=timezone.now())
        same = _settle_same(doubts, found, read_at=read_at, now=now)
        settled += len(same)
        for doubt in doubts:
            if doubt.listing_id in found and doubt.listing_id not in same:
                settled += _settle(doubt, found[doubt.listing_id], read_at=read_at, now=now)
        step("sync.doubts_settled")
        if not found and not look.unread:
            few = (
                f"{channel.spec.label} answered with far fewer lots than it had. That may be half an answer, so it is"
                " asked again by itself. If it really has so few, compare the store by a sync run and say so there."
            )
            raise ShortError(few, provider=channel.spec.code, operation="fetch_inventory")
    return settled


def _doubts(store_id: UUID, *, now: datetime) -> list[_Doubt]:
    rows = doubtful(store_id, now=now).order_by("pk")
    return [_Doubt(*row) for row in rows.values_list("pk", "listing__external_lot_id", "sales_count")]


@dataclass(slots=True)
class _Look:
    """One look at some listings. `unread`: those whose reading failed, each with the reason."""

    channel: Channel
    unread: dict[UUID, str] = field(default_factory=dict)
    _is_second: bool = False

    def at(self, store_id: UUID, doubts: Sequence[_Doubt]) -> Mapping[UUID, RemoteLot | None]:
        """Answer the lots of listings as they stand there, None for one that isn't there.

        One of which nobody can tell has no entry: what isn't in a list that may be half an answer is asked for by
        itself, as far as that goes.
        """
        numbered = {doubt.number: doubt.listing_id for doubt in doubts if doubt.number is not None}
        markers = {marker_of(doubt.listing_id): doubt.listing_id for doubt in doubts if doubt.number is None}
        found: dict[UUID, RemoteLot | None] = {}
        by_marker = self.channel.finds_by_marker and len(markers) == 1
        if len(numbered) > _ONE_BY_ONE or (markers and not by_marker):
            count = 0
            for page in self.channel.fetch_inventory():
                count += len(page)
                for lot in page:
                    listing_id = numbered.get(lot.lot_id) or markers.get(lot.marker)
                    if listing_id is not None:
                        found.setdefault(listing_id, lot)
            if not is_short(count, lots_expected(store_id)):
                return {doubt.listing_id: found.get(doubt.listing_id) for doubt in doubts}
            numbered = {number: key for number, key in numbered.items() if key not in found}
            markers = {}
        for number, listing_id in list(numbered.items())[:_MOST_BY_ONE]:
            with self._alone(listing_id):
                found[listing_id] = self.channel.fetch_lot(number)
        for marker, listing_id in markers.items():
            with self._alone(listing_id):
                lots = self.channel.find_lots([marker]).get(marker)
                found[listing_id] = lots[0] if lots else None
        return found

    @contextmanager
    def _alone(self, listing_id: UUID) -> Iterator[None]:
        """Have what goes wrong over one lot be that one's, as orders were read just before; two in a row that break the
        channel mean that it isn't the lot, nor is it where the channel wants to be left alone."""
        try:
            yield
        except (MisreadError, ProviderRejected) as error:
            self.unread[listing_id] = error.detail
        except ProviderUnavailable as error:
            if self._is_second or "retry_after" in error.extra:
                raise
            self._is_second = True
            self.unread[listing_id] = error.detail
        else:
            self._is_second = False


@transaction.atomic
def _set_aside(listing_id: UUID, reason: str, *, now: datetime) -> None:
    states = settling.states_of(settling.hold([listing_id]))
    for state in states.values():
        settling.set_aside(state, f"{_UNREAD} {reason}".strip(), now=now)
    settling.keep(states.values())


def _settle_same(
    doubts: Sequence[_Doubt], found: Mapping[UUID, RemoteLot | None], *, read_at: datetime, now: datetime
) -> frozenset[UUID]:
    """Settle together what stands there as was agreed on, which is nearly all of what is looked at; answer which."""
    same: frozenset[UUID] = frozenset()
    for start in range(0, len(doubts), _AT_ONCE):
        some = {each.listing_id: each for each in doubts[start : start + _AT_ONCE] if found.get(each.listing_id)}
        with transaction.atomic():
            context.describe("sync.settle")
            held = settling.hold(some)
            states = settling.states_of(held)
            readings = []
            for key, row in held.items():
                remote = found[key]
                assert remote is not None  # noqa: S101  # of those that are there
                is_same = states[key].sent is None and row.external_lot_id == some[key].number
                if is_same and read_state(row.base) == remote.state:
                    count = some[key].sales_count
                    readings.append(Reading(listing_id=key, remote=remote, read_at=read_at, sales_count=count))
            same |= bases.agree(readings=readings, now=now) if readings else frozenset()
    return same


@transaction.atomic
def _settle(doubt: _Doubt, remote: RemoteLot | None, *, read_at: datetime, now: datetime) -> int:
    """Settle one listing, unless something has happened to it since it was looked at."""
    context.describe("sync.settle")
    lot_id = InventoryExternalId.objects.filter(pk=doubt.listing_id).values_list("inventory_item_id", flat=True).first()
    balances = inventory.hold_lots([lot_id]) if lot_id else {}
    listing = settling.hold([doubt.listing_id]).get(doubt.listing_id)
    if listing is None:
        return 0
    state = settling.states_of({listing.pk: listing})[listing.pk]
    is_same = listing.inventory_item_id == lot_id and listing.external_lot_id == doubt.number
    if not is_same or state.sales_count != doubt.sales_count or (state.sent is None and not state.must_read):
        return 0
    sent = Sent.of(state.sent) if state.sent is not None else None
    base = read_state(listing.base)
    if remote is None:
        _gone(listing, state, sent, base, now=now)
        return 1
    if base is not None:
        # Of a new lot there is nothing to compare with: what stands there is what there is.
        edited = _edit(remote, base, sent, state)
        if edited and lot_id in balances:
            _take_over(listing, lot_id, max(edited, -balances[lot_id].available), remote, now=now)
        remote = remote._replace(state=_agreed(listing, state, remote, base, sent, now=now))
    reading = Reading(listing_id=listing.pk, remote=remote, read_at=read_at, sales_count=doubt.sales_count)
    bases.agree(readings=[reading], now=now)
    return 1


def _edit(remote: RemoteLot, base: LotState, sent: Sent | None, state: ListingState) -> int:
    """Answer by how many pieces somebody has changed a lot there, after what we sent had its effect or without it.

    Other fields that were sent along say which; without them the smaller stock counts. What buyers hold stays.
    """
    there = remote.state
    without = _beyond(there.qty, base.qty, state)
    if sent is None or sent.state is None:
        return without
    expected = sent.expected(base)
    after = _beyond(there.qty, max(expected.qty, remote.in_carts), state)
    told = base.differences(expected, _OTHERS)
    if told:
        if not there.differences(expected, told):
            return after
        if not there.differences(base, told):
            return without
    return 0 if 0 in (after, without) else min(after, without)


def _beyond(there: int, known: int, state: ListingState) -> int:
    """Answer by how many pieces a lot stands higher or lower there than sales and cancellations can explain."""
    most, least = known + state.may_have_more, max(0, known - state.may_have_fewer)
    return max(0, there - most) + min(0, there - least)


def _agreed(
    listing: InventoryExternalId, state: ListingState, remote: RemoteLot, base: LotState, sent: Sent | None, *,
    now: datetime,
) -> LotState:  # fmt: skip
    """Answer what both sides agree on, once what somebody else changed there is settled."""
    there, expected = remote.state, sent.expected(base) if sent is not None else base
    edited = {*base.differences(there, _OTHERS)} & {*expected.differences(there, _OTHERS)}
    if not edited:
        return there
    return edits.settle_edits(listing=listing, state=state, remote=remote, base=base, edited=edited, now=now)


def _take_over(listing: InventoryExternalId, lot_id: UUID, pieces: int, remote: RemoteLot, *, now: datetime) -> None:
    if not pieces:
        return
    inventory.move_stock(
        moves=[
            inventory.Move(
                lot_id=lot_id, kind=MovementKind.CHANNEL_EDIT, cause_key=f"read:{listing.pk}:{now.isoformat()}",
                available=pieces, cause_type="store", cause_id=str(listing.store_id),
                note=f"{remote.state.qty:,} stand at {listing.store.name}",
            )
        ],
        now=now,
    )  # fmt: skip


def _gone(
    listing: InventoryExternalId, state: ListingState, sent: Sent | None, base: LotState | None, *, now: datetime
) -> None:  # fmt: skip
    """Settle a listing whose lot isn't there: never made, taken away, sold out, or deleted by its seller."""
    if sent is not None and sent.act is Act.DELETE:
        bulk.bulk_delete(InventoryExternalId.objects.filter(pk=listing.pk))
        return
    # The last pieces may have been sold about when it was read.
    left = 0 if base is None else max(0, base.qty - state.may_have_fewer)
    is_sold_out = base is None or not left or (sent is not None and sent.expected(base).qty <= state.may_have_fewer)
    tried = state.attempts + 1 if sent is not None and sent.act is Act.CREATE else 0
    settling.unlist(listing, state, now=now, reason="" if is_sold_out else DELETED_THERE)
    # What was sent with others, and didn't come to be, goes with fewer of them the next time.
    state.attempts = tried
    settling.keep([state])
