"""Sends a plan's lines to a store, in as few requests as it allows; what has become more urgent goes in between.

What a request would overwrite or take away there is looked at first, unless somebody just has: what was edited there
since is settled then, and the line worked out anew.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar, cast
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from common.steps import step
from common.wire import CallClass
from inventory.models import InventoryExternalId, InventoryItem
from jobs.runner import Run
from stores.channels import LotField
from stores.models import Store
from stores.settings_schema import StoreSettings
from sync.channels import Channel
from sync.choices import Action, ItemStatus, SkipReason
from sync.models import SyncConflict, SyncPlanItem, SyncRun
from sync.queries.meanings import numbers_on
from sync.queries.wanted import Wanted, wanted, wanted_of_lots
from sync.remote import Act, LotState, RemoteItem, Verdict
from sync.rules import Unlisted
from sync.services import bases, doubts, pushing, settling
from sync.services.connecting import connect
from sync.services.runs.options import Options
from sync.services.runs.words import WHY
from sync.services.sending import Settled, Want, send, settle_doubtful
from sync.services.turns import Turn
from sync.states import read_state

R = TypeVar("R")

# So many lines are worked out at once. Of new lots as many as there are: their numbers are looked up by one call.
_AT_ONCE = 20_000
_FEW = 500
# How often a line is worked out anew because its lot changed as it was about to be sent.
_MOST_TIMES = 5
_LOOKS_EVERY_S = 3.0
# So long what was seen there is believed. A look is one call, and one of a large store takes a while: its share of the
# time stays small.
_SEEN_FOR, _TIMES_A_LOOK = timedelta(minutes=2), 20
_QTY = frozenset({LotField.QTY})
_OTHERS = frozenset(LotField) - _QTY
_DOES_SOMETHING = (Action.ADD, Action.UPDATE, Action.REMOVE)
_TO_DO = (ItemStatus.PENDING, ItemStatus.SENT)
_NOT_HERE = "The lot didn't come into our stock."
_CHANGED_THERE = "It changed there since the plan was made."
_TAKEN_OVER = "It was changed there since the plan was made, and that counts."
_TO_DECIDE = "It was changed there since the plan was made. Decide whose word counts."
_KEPT_THERE = "It was put away or is retained there since the plan was made."
_RESTOCKED = "More of it stand there than when the plan was made. Compare again."
_UNSETTLED = "The store doesn't say what became of it. It is looked at again by itself."


@dataclass(slots=True)
class _Worked:
    """What some lines ask of the store now, and those that ask nothing any more: with why, in words.

    `overwrites`: listings of which more is changed than the pieces.
    """

    wants: list[Want] = field(default_factory=list)
    overwrites: list[UUID] = field(default_factory=list)
    applied: list[int] = field(default_factory=list)
    skipped: dict[int, tuple[SkipReason, str]] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)


class Delivery:
    """The lines of a run that are for one store. `read_at`: when all that stands there was read."""

    def __init__(self, run: SyncRun, job: Run, store: Store, held: Turn, *, read_at: datetime) -> None:
        self.run, self.job, self.store, self.held = run, job, store, held
        options = Options.of(run.options)
        self.fields = options.fields
        self.is_inverse = bool(options.inverse_of)
        self.channel: Channel = connect(store.pk, call_class=CallClass.USUAL)
        self._total = self._lines().count()
        self._done = self._total - self._waiting().count()
        self._looked_at = time.monotonic()
        self._seen_at, self._seen_for = read_at, _SEEN_FOR
        # Listings that were looked at since the plan was made.
        self._seen: set[UUID] = set()

    def _lines(self) -> "QuerySet[SyncPlanItem]":
        return SyncPlanItem.objects.filter(sync_run=self.run, store=self.store, action__in=_DOES_SOMETHING)

    def _waiting(self) -> "QuerySet[SyncPlanItem]":
        return self._lines().filter(status__in=_TO_DO)

    def is_anything(self) -> bool:
        """Tell whether anything is left to be sent."""
        return self._waiting().exists()

    def carry_out(self) -> None:
        """Send all that is left. Raises what stops it."""
        self._drop_without_lot()
        self._look_for_missing()
        while items := self._next():
            self.job.progress(self._done, self._total, unit="lines", message=f"Changing {self.store.name}")
            worked = self._work_out(items)
            if self._look_first(worked.overwrites):
                continue
            self._keep(worked)
            if not worked.wants:
                continue
            sent = [int(want.key) for want in worked.wants]
            SyncPlanItem.objects.filter(pk__in=sent).update(status=ItemStatus.SENT, attempts=F("attempts") + 1)
            step("sync.lines_sent")
            try:
                send(
                    store_id=self.store.pk, channel=self.channel, wants=worked.wants, now=timezone.now(),
                    note=self._note, turn=cast("Turn", _Checked(self.held, self._look)),
                )  # fmt: skip
            finally:
                self._put_back(sent)
            settle_doubtful(store_id=self.store.pk, channel=self.channel, now=timezone.now())
        self.job.progress(self._total, self._total, unit="lines")

    # --- Which ------------------------------------------------------------------------------------------------------
    def _drop_without_lot(self) -> None:
        """Leave out what was to be listed of lots that didn't come in."""
        gone = Q(after__status__in=[ItemStatus.FAILED, ItemStatus.SKIPPED]) & Q(inventory_item__isnull=True)
        keys = list(self._waiting().filter(gone).values_list("id", flat=True))
        SyncPlanItem.objects.filter(pk__in=keys).update(status=ItemStatus.FAILED, error_message=_NOT_HERE)

    def _look_for_missing(self) -> None:
        """Read the lots that weren't there when all was fetched, before they are listed anew."""
        missing = self._waiting().filter(
            action=Action.ADD, extra__unlist=True, listing__external_lot_id__isnull=False
        ).values_list("listing_id", flat=True)  # fmt: skip
        if keys := [key for key in missing if key is not None]:
            bases.must_read(listing_ids=keys)
            settle_doubtful(store_id=self.store.pk, channel=self.channel, now=timezone.now())

    def _look_first(self, overwrites: Sequence[UUID]) -> bool:
        """Look at what is about to be overwritten, and at whatever waits behind it, where nobody has for a while."""
        began = timezone.now()
        if not overwrites or self._seen_at > began - self._seen_for:
            return False
        waiting = self._waiting().exclude(action=Action.ADD)
        theirs = InventoryExternalId.objects.filter(store=self.store, external_lot_id__isnull=False).filter(
            Q(pk__in=waiting.filter(listing__isnull=False).values("listing_id"))
            | Q(external_lot_id__in=waiting.values("target_external_id"))
        )
        keys = {*overwrites, *theirs.values_list("pk", flat=True)}
        doubts.look_at(store_id=self.store.pk, channel=self.channel, listing_ids=keys, now=began)
        self._seen |= keys
        self._seen_at, self._seen_for = began, max(_SEEN_FOR, (timezone.now() - began) * _TIMES_A_LOOK)
        step("sync.looked_first")
        return True

    def _next(self) -> list[SyncPlanItem]:
        """Answer what is sent next: the most urgent, and of that what is worth most."""
        rows = self._waiting().select_related("after").order_by("urgency", "-worth", "id")
        if self.channel.spec.batch_update > 1:
            return list(rows[:_AT_ONCE])
        some = list(rows[:_FEW])
        if some and some[-1].action == Action.ADD:
            # All new lots together, since that is fewer calls.
            adds = rows.filter(action=Action.ADD)
            return [item for item in some if item.action != Action.ADD] + list(adds[:_AT_ONCE])
        return some

    # --- What -------------------------------------------------------------------------------------------------------
    def _work_out(self, items: Sequence[SyncPlanItem]) -> _Worked:
        """Answer what the lines ask of the store, as lots, rules and what was agreed on are now."""
        worked = _Worked()
        for item in items:
            if item.inventory_item_id is None and item.after is not None:
                item.inventory_item_id = item.after.inventory_item_id
        listings = self._listings(items)
        wants = wanted(self.store, list({row.pk: row for row in listings.values()}.values()))
        new = [item for item in items if item.action == Action.ADD and not _has_number(listings.get(item.pk))]
        lots = list(InventoryItem.objects.filter(pk__in=[item.inventory_item_id for item in new]))
        numbers, shows = numbers_on(self.store.channel, lots), wanted_of_lots(self.store, lots)
        offered = {lot.pk: (numbers[lot.pk], shows[lot.pk]) for lot in lots}
        conflicts = SyncConflict.objects.filter(listing__in=self._seen & set(wants), decision="")
        asked = set(conflicts.values_list("listing_id", flat=True))
        for item in items:
            listing = listings.get(item.pk)
            if item.action == Action.ADD and not _has_number(listing):
                self._work_out_new(worked, item, listing, offered)
            elif listing is None:
                if item.action == Action.REMOVE:
                    worked.applied.append(item.pk)
                else:
                    worked.failed[item.pk] = _CHANGED_THERE
            elif item.action == Action.REMOVE:
                self._work_out_removal(worked, item, listing, wants[listing.pk])
            else:
                self._work_out_known(worked, item, listing, wants[listing.pk], is_asked=listing.pk in asked)
        return worked

    def _listings(self, items: Sequence[SyncPlanItem]) -> dict[int, InventoryExternalId]:
        """Answer the listing of each line, where it has one: its own, else by the store's number, else by its lot."""
        rows = InventoryExternalId.objects.filter(store=self.store).filter(
            Q(pk__in=[item.listing_id for item in items if item.listing_id])
            | Q(external_lot_id__in=[item.target_external_id for item in items if item.target_external_id])
            | Q(inventory_item__in=[item.inventory_item_id for item in items if item.inventory_item_id])
        )
        by_key: dict[UUID, InventoryExternalId] = {}
        by_number: dict[str, InventoryExternalId] = {}
        by_lot: dict[UUID, InventoryExternalId] = {}
        for row in rows.order_by("-created_at", "-pk"):
            by_key[row.pk] = row
            if row.external_lot_id:
                by_number[row.external_lot_id] = row
            if row.inventory_item_id:
                by_lot[row.inventory_item_id] = row
        found = {}
        for item in items:
            known = by_key.get(item.listing_id) if item.listing_id else None
            known = known or by_number.get(item.target_external_id)
            if known is None and item.action == Action.ADD and item.inventory_item_id:
                known = by_lot.get(item.inventory_item_id)
            if known is not None:
                found[item.pk] = known
        return found

    def _work_out_new(
        self, worked: _Worked, item: SyncPlanItem, listing: InventoryExternalId | None,
        new: Mapping[UUID, tuple[RemoteItem | str, Wanted]],
    ) -> None:  # fmt: skip
        lot_id = item.inventory_item_id
        if lot_id is None or lot_id not in new:
            worked.failed[item.pk] = _NOT_HERE
            return
        number, want = new[lot_id]
        if isinstance(number, str):
            worked.failed[item.pk] = number
        elif want.why is not None:
            worked.skipped[item.pk] = (SkipReason.NOT_LISTED, WHY.get(want.why, want.why.value))
        else:
            worked.wants.append(
                Want(
                    key=str(item.pk), act=Act.CREATE, lot_id=lot_id, listing_id=listing.pk if listing else None,
                    item=number, after=want.state, lot_version=want.lot_version, rules_version=want.rules_version,
                )
            )  # fmt: skip

    def _work_out_removal(
        self, worked: _Worked, item: SyncPlanItem, listing: InventoryExternalId, want: Wanted
    ) -> None:  # fmt: skip
        base = read_state(listing.base) if listing.pk in self._seen else None
        before = read_state(item.before_state)
        if want.why not in (Unlisted.GONE, Unlisted.STOCKROOM, Unlisted.NOT_CHOSEN) and not self.is_inverse:
            worked.skipped[item.pk] = (SkipReason.NO_CHANGE, "It is to stay there by now.")
        elif base is not None and (base.retain or base.stockroom):
            worked.skipped[item.pk] = (SkipReason.RETAINED, _KEPT_THERE)
        elif base is not None and before is not None and base.qty > before.qty:
            worked.failed[item.pk] = _RESTOCKED
        else:
            worked.overwrites.append(listing.pk)
            worked.wants.append(Want(key=str(item.pk), act=Act.DELETE, listing_id=listing.pk))

    def _work_out_known(
        self, worked: _Worked, item: SyncPlanItem, listing: InventoryExternalId, want: Wanted, *, is_asked: bool
    ) -> None:  # fmt: skip
        fields = want.fields if self.fields is None else want.fields & {*self.fields, *_QTY}
        base = read_state(listing.base)
        if base is not None and not base.differences(want.state, fields):
            if item.status == ItemStatus.SENT:
                worked.applied.append(item.pk)
            elif is_asked:
                worked.skipped[item.pk] = (SkipReason.CONFLICT, _TO_DECIDE)
            else:
                is_edited = listing.pk in self._seen and _differs(base, item)
                worked.skipped[item.pk] = (SkipReason.NO_CHANGE, _TAKEN_OVER if is_edited else "")
            return
        if base is not None and base.differences(want.state, fields & _OTHERS):
            worked.overwrites.append(listing.pk)
        worked.wants.append(
            Want(
                key=str(item.pk), act=Act.UPDATE, lot_id=want.lot_id, listing_id=listing.pk, after=want.state,
                fields=fields, lot_version=want.lot_version, rules_version=want.rules_version,
            )
        )  # fmt: skip

    # --- What came of it ----------------------------------------------------------------------------------------------
    def _keep(self, worked: _Worked) -> None:
        now = timezone.now()
        mine = SyncPlanItem.objects.all()
        mine.filter(pk__in=worked.applied).update(status=ItemStatus.APPLIED, applied_at=now, error_message="")
        for (reason, words), keys in _grouped(worked.skipped).items():
            mine.filter(pk__in=keys).update(status=ItemStatus.SKIPPED, skip_reason=reason, reason=words)
        for words, keys in _grouped(worked.failed).items():
            mine.filter(pk__in=keys).update(status=ItemStatus.FAILED, error_message=words[:500])
        self._done += len(worked.applied) + len(worked.skipped) + len(worked.failed)

    def _note(self, settled: Sequence[Settled]) -> None:
        """Keep what became of lines, in the transaction that settles it."""
        rows = {item.pk: item for item in SyncPlanItem.objects.filter(pk__in=[int(each.key) for each in settled])}
        keys = [each.listing_id for each in settled if each.listing_id]
        numbers = dict(InventoryExternalId.objects.filter(pk__in=keys).values_list("pk", "external_lot_id"))
        now = timezone.now()
        for each in settled:
            item = rows[int(each.key)]
            number = numbers.get(each.listing_id) if each.listing_id else None
            item.target_external_id = number or item.target_external_id
            item.listing_id = each.listing_id if item.action != Action.REMOVE else None
            self._note_one(item, each)
            if item.status == ItemStatus.APPLIED:
                item.applied_at = now
            self._done += item.status not in _TO_DO
        SyncPlanItem.objects.bulk_update(
            rows.values(), ["status", "error_message", "applied_at", "listing", "target_external_id"]
        )

    @staticmethod
    def _note_one(item: SyncPlanItem, each: Settled) -> None:
        match each.verdict:
            case Verdict.DONE:
                item.status, item.error_message = ItemStatus.APPLIED, each.reason[:500] if each.unset else ""
            case Verdict.REFUSED:
                item.status, item.error_message = ItemStatus.FAILED, each.reason[:500]
            case Verdict.STALE if item.attempts < _MOST_TIMES:
                # Worked out anew, from what is there by then.
                item.status, item.error_message = ItemStatus.PENDING, (each.reason or _CHANGED_THERE)[:500]
            case Verdict.STALE:
                item.status, item.error_message = ItemStatus.FAILED, _CHANGED_THERE
            case Verdict.UNKNOWN if item.attempts >= _MOST_TIMES:
                item.status, item.error_message = ItemStatus.FAILED, _UNSETTLED
            case Verdict.UNKNOWN:
                item.status = ItemStatus.SENT

    def _put_back(self, sent: Sequence[int]) -> None:
        """Have what wasn't come to wait again; of which nobody knows what became stays sent, and is looked at first."""
        left = SyncPlanItem.objects.filter(pk__in=sent, status=ItemStatus.SENT)
        listings = self._listings(list(left))
        doubtful = settling.states_of({row.pk: row for row in listings.values()})
        keys = [key for key, row in listings.items() if doubtful[row.pk].sent is not None]
        left.exclude(pk__in=keys).update(status=ItemStatus.PENDING)

    def _look(self) -> None:
        """Before each request: stop where that was asked for, and let through what can't wait."""
        self.job.progress(self._done, self._total, unit="lines", message=f"Changing {self.store.name}")
        clock = time.monotonic()
        if clock - self._looked_at < _LOOKS_EVERY_S:
            return
        self._looked_at = clock
        if StoreSettings.of(self.store.settings).auto_sync:
            pushing.send_urgent(store_id=self.store.pk, channel=self.channel, now=timezone.now())


class _Checked:
    """A turn that asks somebody before each request whether to go on."""

    def __init__(self, held: Turn, look: Callable[[], None]) -> None:
        self.store_id, self._held, self._look = held.store_id, held, look

    def check(self) -> None:
        """Raise what stops the rest."""
        self._held.check()
        self._look()


def _differs(base: LotState, item: SyncPlanItem) -> bool:
    """Tell whether a lot stands otherwise there than the plan has seen, in the fields that it was to change."""
    before = read_state(item.before_state)
    fields = {LotField(change["field"]) for change in item.changes} - _QTY
    return before is not None and bool(before.differences(base, fields))


def _has_number(listing: InventoryExternalId | None) -> bool:
    return listing is not None and listing.external_lot_id is not None


def _grouped(reasons: Mapping[int, R]) -> dict[R, list[int]]:
    found: dict[R, list[int]] = {}
    for key, reason in reasons.items():
        found.setdefault(reason, []).append(key)
    return found
