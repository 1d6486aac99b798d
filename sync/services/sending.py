"""The only way to a channel's lots: intent, request, outcome.

What is expected is committed before the request goes out, and what came of it after. Whatever is left without an answer
is looked at before anything else is sent to it (`services.doubts`). No transaction is open while a channel is asked.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit import bulk, context
from common import workspace
from common.errors import Conflict, ProblemError, ProviderUnavailable, Unavailable
from common.ids import new_id
from common.steps import step
from inventory.models import InventoryExternalId, InventoryItem
from stores.channels import LotField
from stores.models import Store
from sync.channels import Channel
from sync.models import ListingState
from sync.remote import Act, LotState, Operation, Outcome, RemoteItem, RemoteLot, Verdict, marker_of
from sync.services import bases, doubts, settling
from sync.services.bases import Change
from sync.services.settling import Intent
from sync.services.turns import Turn
from sync.states import read_state


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """One listing to be made, changed or taken away.

    `key`: the caller's own. `listing_id`: None has a listing made with the intent. `item`: what a new one is of, in the
    channel's numbers. `fields`: which of `after` are meant, the others stay as they are there; None for all.
    `lot_version`, `rules_version`: with which it was worked out; None isn't compared.
    """

    key: str
    act: Act
    lot_id: UUID | None = None
    listing_id: UUID | None = None
    item: RemoteItem | None = None
    after: LotState | None = None
    fields: frozenset[LotField] | None = None
    lot_version: int | None = None
    rules_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of a want.

    STALE: the lot, the rules or the store's own stock moved meanwhile; it is to be worked out anew. UNKNOWN: it is
    looked at before it is sent again.
    """

    key: str
    verdict: Verdict
    reason: str = ""
    listing_id: UUID | None = None
    remote: RemoteLot | None = None
    unset: tuple[LotField, ...] = ()


Note = Callable[[Sequence[Settled]], None]

# By how much lists get smaller, each time that nothing of one came to be.
_SMALLER = 10
SUSPENDED = "This shop is suspended. What goes out to stores waits, and goes on by itself once it may."
_JUST_READ = timedelta(seconds=30)
_LOOKED_AT = "Nobody knows how it stands there. It is looked at first."
_MOVED = "The lot changed meanwhile."


def ignore(_settled: Sequence[Settled]) -> None:
    """Note nothing."""


def send(
    *, store_id: UUID, channel: Channel, wants: Sequence[Want], now: datetime, note: Note = ignore,
    turn: Turn | None = None,
) -> None:  # fmt: skip
    """Send what is wanted, in order, in as few requests as the channel allows.

    Each is told to `note` in the transaction that settles it, so that the caller's own progress is kept with it; new
    lots whose numbers have to be looked up are told at the end. What stops the rest is raised: what wasn't told had no
    effect. A turn that was lost raises Unavailable before the next request, a store that was switched off Conflict.
    """
    unnumbered: list[Intent] = []
    for batch in _batches(wants, channel, _tried(wants)):
        if turn is not None:
            turn.check()
        intents = _intend(store_id, batch, now=now, note=note)
        if not intents:
            continue
        step("sync.intended")
        outcomes, stopped = _carry_out(channel, intents)
        step("sync.answered")
        unnumbered += _settle(intents, outcomes, stopped, channel=channel, store_id=store_id, now=now, note=note)
        step("sync.settled")
        if stopped is not None:
            raise stopped
    if unnumbered:
        _look_up(channel, unnumbered, store_id=store_id, now=now, note=note)


def _tried(wants: Sequence[Want]) -> Mapping[UUID, int]:
    """Answer how often new lots were sent in vain: a channel that fails over one of them fails over their whole list.

    What it refuses its adapter tells apart.
    """
    keys = [want.listing_id for want in wants if want.act is Act.CREATE and want.listing_id]
    rows = ListingState.objects.filter(listing__in=keys, attempts__gt=0)
    return dict(rows.values_list("listing_id", "attempts")) if keys else {}


def _batches(wants: Sequence[Want], channel: Channel, tried: Mapping[UUID, int]) -> Iterator[list[Want]]:
    """Answer as much at once as one request takes; where kinds of change have the same limit they go together.

    What was sent in vain goes in ever smaller lists, until each is by itself and has its own answer.
    """
    limits: Mapping[Act, int] = {
        Act.CREATE: channel.spec.batch_create, Act.UPDATE: channel.spec.batch_update,
        Act.DELETE: channel.spec.batch_delete,
    }  # fmt: skip
    batch: list[Want] = []
    weight = most = 0
    for want in wants:
        heavy = channel.requests_in(Operation(key=want.key, act=want.act, item=want.item, after=want.after))
        limit = limits[want.act]
        times = tried.get(want.listing_id, 0) if want.listing_id else 0
        mine = max(1, limit // _SMALLER**times)
        if batch and (limits[batch[0].act] != limit or weight + heavy > min(most, mine)):
            yield batch
            batch, weight = [], 0
        most = min(most, mine) if batch else mine
        batch.append(want)
        weight += heavy
    if batch:
        yield batch


# --- Intent -----------------------------------------------------------------------------------------------------------
@transaction.atomic
def _intend(store_id: UUID, wants: Sequence[Want], *, now: datetime, note: Note) -> list[Intent]:
    """Keep what will be sent, with what is expected afterwards; what isn't to be sent is settled at once."""
    context.describe("sync.send")
    made = _make_listings(store_id, wants)
    keys = {want.key: want.listing_id or made.get(want.key) for want in wants}
    listings = settling.hold([key for key in keys.values() if key])
    # Read after the listings are held: a sale that has come in meanwhile is in both or in neither.
    versions = dict(
        InventoryItem.objects.filter(pk__in={want.lot_id for want in wants if want.lot_id}).values_list("pk", "version")
    )
    rules_version = _open_store(store_id).version
    states = settling.states_of(listings)
    intents, settled, kept = [], [], []
    for want in wants:
        key = keys[want.key]
        listing = listings.get(key) if key else None
        if listing is None or listing.store_id != store_id:
            settled.append(Settled(key=want.key, verdict=Verdict.STALE, reason="The listing is gone.", listing_id=key))
            continue
        state = states[listing.pk]
        base = read_state(listing.base)
        if state.sent is not None or state.must_read:
            settled.append(Settled(key=want.key, verdict=Verdict.UNKNOWN, reason=_LOOKED_AT, listing_id=listing.pk))
            continue
        is_moved = (want.lot_version is not None and versions.get(want.lot_id) != want.lot_version) or (  # type: ignore[arg-type]  # a want without a lot has no version
            want.rules_version is not None and rules_version != want.rules_version
        )
        if is_moved or (want.act is Act.CREATE) is (listing.external_lot_id is not None):
            settled.append(Settled(key=want.key, verdict=Verdict.STALE, reason=_MOVED, listing_id=listing.pk))
            continue
        operation = _operation(want, listing, base)
        state.lot_version = want.lot_version if want.lot_version is not None else state.lot_version
        state.rules_version = want.rules_version if want.rules_version is not None else state.rules_version
        if operation.before is not None and operation.before == operation.after:
            settling.at_rest(state)
            settled.append(Settled(key=want.key, verdict=Verdict.DONE, listing_id=listing.pk))
        else:
            state.sent, state.sent_at = settling.as_sent(operation), now
            state.waiting_since = state.waiting_since or now
            intents.append(
                Intent(want.key, listing.pk, operation, timezone.now(), want.lot_version, want.rules_version)
            )
        kept.append(state)
    settling.keep(kept)
    if settled:
        note(settled)
    return intents


def _open_store(store_id: UUID) -> Store:
    """Answer the store; raises Conflict where somebody has switched it off since it was begun with, Unavailable where
    the shop was suspended."""
    if workspace.current().is_suspended:
        raise Unavailable(SUSPENDED)
    store = Store.objects.get(pk=store_id)
    if store.disconnected_at is not None:
        raise Conflict(f"{store.name} is disconnected. Connect it again first.")
    if not store.is_enabled:
        raise Conflict(f"{store.name} is switched off. Switch it on first.")
    return store


def _make_listings(store_id: UUID, wants: Sequence[Want]) -> dict[str, UUID]:
    """Make the listings of new lots, one for each lot of which there is none: its key is the marker."""
    new = [want for want in wants if want.act is Act.CREATE and want.listing_id is None]
    lot_ids = [want.lot_id for want in new if want.lot_id]
    there = set(
        InventoryExternalId.objects.filter(store_id=store_id, inventory_item__in=lot_ids).values_list(
            "inventory_item_id", flat=True
        )
    )
    living = set(InventoryItem.objects.filter(pk__in=lot_ids).values_list("pk", flat=True))
    made: dict[str, UUID] = {}
    rows = []
    for want in new:
        if want.lot_id in living and want.lot_id not in there:
            there.add(want.lot_id)
            made[want.key] = new_id()
            rows.append(InventoryExternalId(id=made[want.key], inventory_item_id=want.lot_id, store_id=store_id))
    if rows:
        bulk.bulk_create(InventoryExternalId, rows)
    return made


def _operation(want: Want, listing: InventoryExternalId, base: LotState | None) -> Operation:
    after = want.after
    if after is not None and base is not None and want.fields is not None:
        meant: dict[str, Any] = {each.value: getattr(after, each.value) for each in want.fields}
        after = base._replace(**meant)
    return Operation(
        key=f"{listing.pk}:{new_id()}", act=want.act, lot_id=listing.external_lot_id or "",
        marker=marker_of(listing.pk), item=want.item, before=base if want.act is not Act.CREATE else None,
        after=after if want.act is not Act.DELETE else None,
    )  # fmt: skip


# --- Request ----------------------------------------------------------------------------------------------------------
def _carry_out(channel: Channel, intents: Sequence[Intent]) -> tuple[dict[str, Outcome], ProblemError | None]:
    """Ask the channel; answer what came of it by key, and what stopped the rest."""
    outcomes: dict[str, Outcome] = {}
    try:
        for outcome in channel.apply([intent.operation for intent in intents]):
            outcomes[outcome.key] = outcome
    except ProblemError as error:
        return outcomes, error
    return outcomes, None


# --- Outcome ----------------------------------------------------------------------------------------------------------
@transaction.atomic
def _settle(
    intents: Sequence[Intent], outcomes: Mapping[str, Outcome], stopped: ProblemError | None, *, channel: Channel,
    store_id: UUID, now: datetime, note: Note,
) -> list[Intent]:  # fmt: skip
    """Keep what came of a batch; answer the new lots whose numbers are to be looked up."""
    context.describe("sync.settle")
    listings = settling.hold([intent.listing_id for intent in intents])
    done, unnumbered, settled = [], [], []
    for intent in intents:
        outcome = outcomes.get(intent.operation.key)
        if outcome is None:
            continue
        if outcome.verdict is Verdict.DONE and intent.operation.act is Act.CREATE and not outcome.lot_id:
            unnumbered.append(intent)
            continue
        if outcome.verdict is Verdict.DONE:
            done.append(_change(intent, outcome))
        settled.append(
            Settled(
                key=intent.key, verdict=outcome.verdict, reason=outcome.reason, listing_id=intent.listing_id,
                remote=outcome.lot, unset=outcome.unset,
            )
        )  # fmt: skip
    bases.settle(store_id=store_id, changes=done, now=now)
    _keep_states(listings, intents, outcomes, stopped, channel=channel, now=now)
    if settled:
        note(settled)
    return unnumbered


def _change(intent: Intent, outcome: Outcome) -> Change:
    operation, after = intent.operation, intent.operation.after
    if after is not None and outcome.kept:
        after = after._replace(qty=after.qty + outcome.kept)
    return Change(
        listing_id=intent.listing_id, before=operation.before, after=after, asked_at=intent.asked_at,
        lot_id=outcome.lot_id if operation.act is Act.CREATE else "", unset=outcome.unset,
        lot_version=intent.lot_version, rules_version=intent.rules_version,
    )  # fmt: skip


def _keep_states(
    listings: Mapping[UUID, InventoryExternalId], intents: Sequence[Intent], outcomes: Mapping[str, Outcome],
    stopped: ProblemError | None, *, channel: Channel, now: datetime,
) -> None:  # fmt: skip
    """Keep of each listing whether it is at rest, refused, or to be looked at."""
    states = settling.states_of(listings)
    for intent in intents:
        state, outcome = states.get(intent.listing_id), outcomes.get(intent.operation.key)
        if state is None or (intent.operation.act is Act.DELETE and outcome and outcome.verdict is Verdict.DONE):
            states.pop(intent.listing_id, None)
            continue
        if outcome is None:
            # It had no effect, or one that does no harm as long as it is looked at.
            if not (isinstance(stopped, ProviderUnavailable) and channel.may_have_done(intent.operation)):
                settling.answered(state)
                state.lot_version = None
        elif outcome.verdict is Verdict.DONE and (outcome.lot_id or intent.operation.act is not Act.CREATE):
            settling.at_rest(state)
            after = intent.operation.after
            state.is_put_away = state.is_put_away and after is not None and bool(after.stockroom)
            if outcome.unset or outcome.kept:
                settling.refuse(state, outcome.reason, now=now)
            state.must_read |= _is_edited(intent.operation, outcome)
        elif outcome.verdict is Verdict.REFUSED:
            settling.answered(state)
            settling.refuse(state, outcome.reason, now=now)
        elif outcome.verdict is Verdict.STALE:
            _stale(intent, listings[intent.listing_id], state, outcome.reason, now=now)
    settling.keep(states.values())


def _is_edited(operation: Operation, outcome: Outcome) -> bool:
    """Tell whether the answer to a change shows that somebody has edited what wasn't sent: it is looked at then."""
    before, after, lot = operation.before, operation.after, outcome.lot
    if before is None or after is None or lot is None:
        return False
    sent = {LotField.QTY, *before.differences(after, frozenset(LotField))}
    return bool(after.differences(lot.state, frozenset(LotField) - sent))


def _stale(intent: Intent, listing: InventoryExternalId, state: ListingState, reason: str, *, now: datetime) -> None:
    settling.answered(state)
    before, after = intent.operation.before, intent.operation.after
    if before is not None and after is not None and before.qty == 0 < after.qty:
        # At some channels what has no pieces left goes by itself: it is made anew.
        settling.unlist(listing, state, now=now)
    elif state.read_at is not None and state.read_at > intent.asked_at - _JUST_READ:
        # It was looked at a moment ago: whatever it is, another look doesn't help.
        settling.refuse(state, reason, now=now)
    else:
        state.must_read = True


def _look_up(channel: Channel, intents: Sequence[Intent], *, store_id: UUID, now: datetime, note: Note) -> None:
    """Find the numbers of new lots by their markers, by one call for all; what isn't found stays in doubt."""
    found = channel.find_lots([intent.operation.marker for intent in intents])
    step("sync.looked_up")
    with transaction.atomic():
        context.describe("sync.settle")
        settled, done = [], []
        for intent in intents:
            lots = found.get(intent.operation.marker)
            if lots:
                done.append(_change(intent, Outcome(key="", verdict=Verdict.DONE, lot_id=lots[0].lot_id)))
            settled.append(
                Settled(
                    key=intent.key, verdict=Verdict.DONE if lots else Verdict.UNKNOWN,
                    reason="" if lots else _LOOKED_AT, listing_id=intent.listing_id, remote=lots[0] if lots else None,
                )
            )  # fmt: skip
        bases.settle(store_id=store_id, changes=done, now=now)
        ListingState.objects.filter(pk__in=[each.listing_id for each in done]).update(waiting_since=None, urgency=None)
        note(settled)
    step("sync.numbered")


def settle_doubtful(*, store_id: UUID, channel: Channel, now: datetime) -> int:
    """Look at everything of which nobody knows how it stands there, before anything else; answer how much was settled.

    What the channel has instead of what is expected is an edit there, and taken over so that the smaller stock counts.
    """
    return doubts.settle_doubtful(store_id=store_id, channel=channel, now=now)
