"""Pushes what is wanted to a store: what is different from what it shows, the most urgent first, in large batches.

Level-triggered: nothing says what to send. What is behind is compared, what differs is marked with its urgency, and
what is marked is worked out anew as it is sent; so several changes of a lot are one, and what cancels out is none.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit import bulk, context
from common import shutdown, workspace
from common.errors import BudgetExhausted, Conflict, CredentialsRefused, ProblemError, ProviderError, Unavailable
from common.steps import step
from common.wire import CallClass
from inventory.models import InventoryExternalId, InventoryItem
from jobs import services as jobs
from jobs.models import JobRun
from stores import queries as stores
from stores import services as store_services
from stores.channels import Can, LotField
from stores.choices import StoreState
from stores.models import Store
from stores.settings_schema import StoreSettings
from sync.channels import Channel
from sync.choices import Urgency
from sync.queries.meanings import numbers_on
from sync.queries.pending import behind, is_behind, next_to_be_sent
from sync.queries.wanted import Wanted, wanted
from sync.remote import Act, LotState, RemoteItem, Verdict
from sync.rules import AWAY_ROOM
from sync.services import listing_new, settling
from sync.services.connecting import connect
from sync.services.sending import SUSPENDED, Settled, Want, send, settle_doubtful
from sync.services.turns import turn
from sync.states import read_state

SYNC_NOW = "sync_now"
_COMPARED_AT_ONCE = 2_000
# So many seconds' worth of requests go out before anybody looks for what has become more urgent meanwhile.
_SENT_FOR_S = 3.0
_MOST_REQUESTS, _MOST_BATCHES = 12, 4
# A worker goes on for so long; then the rest is another task's, so that other stores and what is more urgent have their
# turn: a sale that is waited for somewhere else finds all workers busy no longer. A job has its worker for itself.
LONGEST, LONGEST_BY_HAND = timedelta(seconds=20), timedelta(minutes=4)
# After a store was away for a moment.
_PAUSE = timedelta(minutes=1)
_PRICES = frozenset({LotField.PRICE, LotField.TIERS, LotField.SALE})


@dataclass(slots=True)
class Pushed:
    """What came of a push. `left`: there is more to do, and somebody should go on. `problem`: why it stopped;
    `again_in`: when it may go on, None where a person has to do something first."""

    done: int = 0
    refused: int = 0
    left: bool = False
    problem: str = ""
    again_in: timedelta | None = None

    def note(self, settled: Sequence[Settled]) -> None:
        """Count what became of some."""
        for each in settled:
            self.done += each.verdict is Verdict.DONE
            self.refused += each.verdict is Verdict.REFUSED


def may_push(store: Store, *, by_hand: bool, now: datetime) -> bool:
    """Tell whether a store is to be pushed to now."""
    spec = stores.spec_for(store.channel)
    if spec is None or Can.APPLY not in spec.can or not store.is_enabled or store.disconnected_at is not None:
        return False
    if workspace.current().is_suspended:
        return False
    state = store.sync_state
    if state.state == StoreState.NEEDS_RECONNECT or (state.retry_at is not None and state.retry_at > now):
        return False
    return by_hand or StoreSettings.of(store.settings).auto_sync


def push_store(*, store_id: UUID, now: datetime, by_hand: bool = False) -> Pushed:
    """Have a store show what is wanted there, as far as it goes now; a store that isn't to be pushed to stays as it is.

    Raises Busy where somebody is at it already, NotFound.
    """
    result, store = Pushed(), stores.get_store(store_id)
    if not may_push(store, by_hand=by_hand, now=now):
        retry_at = store.sync_state.retry_at
        if workspace.current().is_suspended:
            result.problem = SUSPENDED
        elif by_hand and retry_at is not None and retry_at > now:
            result.problem, result.again_in = store.sync_state.last_error, retry_at - now
        return result
    with turn(store_id) as held, context.for_job("sync.push_store"):
        try:
            _push(store_id, held.check, result, lasts=LONGEST_BY_HAND if by_hand else LONGEST, now=now)
        except (ProviderError, BudgetExhausted, Unavailable, Conflict) as error:
            _stopped(store_id, error, result)
    return result


def _stopped(store_id: UUID, error: ProblemError, result: Pushed) -> None:
    result.problem = error.detail or error.title
    if not isinstance(error, CredentialsRefused | Conflict):
        wait = error.extra.get("retry_after")
        result.again_in = timedelta(seconds=wait) if isinstance(wait, int | float) else _PAUSE
    # Who has switched it off knows it.
    if not isinstance(error, Unavailable | Conflict):
        store_services.note_failure(store_id=store_id, error=error, now=timezone.now())


def _push(store_id: UUID, check: Callable[[], None], result: Pushed, *, lasts: timedelta, now: datetime) -> None:
    began = timezone.now()
    channel = connect(store_id, call_class=CallClass.USUAL)
    has_asked = False
    while True:
        check()
        moment = max(now, timezone.now())
        store = stores.get_store(store_id)
        if not may_push(store, by_hand=True, now=moment):
            return
        has_asked |= bool(settle_doubtful(store_id=store_id, channel=channel, now=moment))
        compared = compare(store, now=moment)
        listed = listing_new.list_new(store, now=moment)
        at_most = Urgency.FEWER if compared == _COMPARED_AT_ONCE else Urgency.TEXT
        sent = _send_some(store, channel, result, at_most=at_most, now=moment)
        has_asked |= sent > 0
        if has_asked:
            store_services.note_pushed(store_id=store_id, now=timezone.now())
        if not compared and not sent and not listed:
            return
        if timezone.now() - began > lasts or shutdown.is_requested():
            result.left = True
            return


def send_urgent(*, store_id: UUID, channel: Channel, now: datetime) -> None:
    """Send what is sold out or fewer there, in somebody's turn who sends other things for longer."""
    store = stores.get_store(store_id)
    if may_push(store, by_hand=False, now=now):
        compare(store, now=now)
        _send_some(store, channel, Pushed(), at_most=Urgency.FEWER, now=now)


# --- Comparing --------------------------------------------------------------------------------------------------------
def compare(store: Store, *, now: datetime, limit: int = _COMPARED_AT_ONCE) -> int:
    """Compare listings that are behind, and mark those that differ; answer how many were compared.

    One that differs is marked even where it is refused again and again: something has changed.
    """
    keys = behind(store, limit=limit)
    if not keys:
        return 0
    listings = list(InventoryExternalId.objects.filter(pk__in=keys))
    wants = wanted(store, listings)
    is_away = StoreSettings.of(store.settings).is_away
    with transaction.atomic():
        held = settling.hold(keys)
        states = settling.states_of(held)
        forgotten = []
        for listing in listings:
            present, state, want = held.get(listing.pk), states.get(listing.pk), wants[listing.pk]
            if present is None or state is None:
                continue
            error = state.error
            if present.external_lot_id is None and want.lot_id is None and state.sent is None:
                forgotten.append(listing.pk)
                continue
            state.lot_version, state.rules_version = want.lot_version, want.rules_version
            base = read_state(present.base)
            if present.external_lot_id is not None and base is None:
                state.must_read = True
            if base is not None:
                # It is remembered before it goes there, and until it has come back.
                goes = want.state.stockroom == AWAY_ROOM and is_away
                state.is_put_away = goes if not base.stockroom else state.is_put_away
            urgency = _urgency(want, base, has_number=present.external_lot_id is not None)
            if urgency is None:
                settling.at_rest(state)
            else:
                state.urgency, state.waiting_since = urgency, state.waiting_since or now
                state.error, state.retry_at = "", None
            if state.read_again_at is not None:
                state.error = error
        settling.keep([state for key, state in states.items() if key not in forgotten])
        if forgotten:
            bulk.bulk_delete(InventoryExternalId.objects.filter(pk__in=forgotten))
    step("sync.compared")
    return len(keys)


def _urgency(want: Wanted, base: LotState | None, *, has_number: bool) -> Urgency | None:
    if not has_number:
        return Urgency.MORE if want.state.qty > 0 else None
    different = want.differences(base)
    if base is None or not different:
        return None
    if want.state.qty < base.qty:
        return Urgency.FEWER if want.state.qty else Urgency.SOLD_OUT
    if LotField.QTY in different or LotField.STOCKROOM in different:
        return Urgency.MORE
    return Urgency.PRICE if _PRICES & {*different} else Urgency.TEXT


# --- Sending ----------------------------------------------------------------------------------------------------------
def _send_some(store: Store, channel: Channel, result: Pushed, *, at_most: Urgency, now: datetime) -> int:
    """Send the most urgent of what is marked, as much as a few seconds take; answer how many were looked at."""
    spec = channel.spec
    requests = max(1, min(_MOST_REQUESTS, round(spec.per_second * _SENT_FOR_S)))
    if spec.batch_update > 1:
        requests = min(requests, _MOST_BATCHES)
    limit = requests * max(spec.batch_create, spec.batch_update)
    keys = next_to_be_sent(store.pk, at_most=at_most, limit=limit, now=now)
    if not keys:
        return 0
    found = {row.pk: row for row in InventoryExternalId.objects.filter(pk__in=keys)}
    plan = _planned(store, [found[key] for key in keys if key in found])
    plan.keep(store, now=now)
    wants = _as_many(plan.wants, channel, requests)
    send(store_id=store.pk, channel=channel, wants=wants, now=now, note=result.note)
    return len(wants) + len(plan.without_number)


def _as_many(wants: Sequence[Want], channel: Channel, requests: int) -> list[Want]:
    """Answer the first of what is wanted, as much as so many requests take; new lots go together."""
    batches = {Act.CREATE: channel.spec.batch_create, Act.UPDATE: channel.spec.batch_update}
    taken: list[Want] = []
    cost = 0.0
    for want in wants:
        cost += 1 / batches[want.act]
        if taken and cost > requests:
            break
        taken.append(want)
    if channel.spec.batch_create == channel.spec.batch_update:
        return taken
    return [each for each in taken if each.act is not Act.CREATE] + [each for each in taken if each.act is Act.CREATE]


@dataclass(slots=True)
class _Plan:
    """What is to be done to some listings: what is sent, what rests, what can't be listed and why."""

    wants: list[Want] = field(default_factory=list)
    at_rest: list[UUID] = field(default_factory=list)
    without_number: dict[UUID, str] = field(default_factory=dict)

    def keep(self, store: Store, *, now: datetime) -> None:
        """Keep what needs no call."""
        if not self.at_rest and not self.without_number:
            return
        with transaction.atomic():
            states = settling.states_of(settling.hold([*self.at_rest, *self.without_number]))
            for key, state in states.items():
                if key in self.without_number:
                    settling.refuse(state, self.without_number[key], now=now)
                else:
                    settling.at_rest(state)
            settling.keep(states.values())


def _planned(store: Store, listings: Sequence[InventoryExternalId]) -> _Plan:
    plan = _Plan()
    wants = wanted(store, listings)
    new = [row for row in listings if row.external_lot_id is None and wants[row.pk].state.qty > 0]
    items = numbers_on(store.channel, list(InventoryItem.objects.filter(pk__in=[row.inventory_item_id for row in new])))
    for listing in listings:
        want = wants[listing.pk]
        if listing.external_lot_id is not None:
            plan.wants.append(_want(want, listing, Act.UPDATE))
        elif want.lot_id is None or want.state.qty <= 0:
            plan.at_rest.append(listing.pk)
        else:
            item = items.get(want.lot_id, "The lot is gone.")
            if isinstance(item, str):
                plan.without_number[listing.pk] = item
            else:
                plan.wants.append(_want(want, listing, Act.CREATE, item))
    return plan


def _want(want: Wanted, listing: InventoryExternalId, act: Act, item: RemoteItem | None = None) -> Want:
    return Want(
        key=str(listing.pk), act=act, lot_id=want.lot_id, listing_id=listing.pk, item=item, after=want.state,
        fields=want.fields if act is Act.UPDATE else None, lot_version=want.lot_version,
        rules_version=want.rules_version,
    )  # fmt: skip


def goes_by_itself(store_id: UUID) -> bool:
    """Tell whether somebody else goes on with a store where a push by hand has stopped."""
    return StoreSettings.of(stores.get_store(store_id).settings).auto_sync


def has_more(store_id: UUID, *, now: datetime) -> bool:
    """Tell whether a store that is kept in step by itself is behind, and may be pushed to."""
    store = stores.get_store(store_id)
    return may_push(store, by_hand=False, now=now) and is_behind(store, now=now)


def start_sync(*, store_id: UUID, key: str = "") -> JobRun:
    """Start a job that reads a store's orders and sends what is different there, whatever `auto_sync` says.

    Raises NotFound, and Conflict where the store can't be asked.
    """
    store = stores.get_store(store_id)
    spec = stores.spec_for(store.channel)
    if spec is None or Can.APPLY not in spec.can:
        raise Conflict(f"{store.name} has no server to ask.")
    if store.disconnected_at is not None or stores.opened_with(store_id) is None:
        raise Conflict(f"{store.name} is disconnected. Connect it again first.")
    if not store.is_enabled:
        raise Conflict(f"{store.name} is switched off. Switch it on first.")
    return jobs.start(SYNC_NOW, key=key, args={"store_id": str(store_id)}, label=f"Sync {store.name}")
