"""Carries out what a plan does here: lots come in and change, and which lots are the same is noted. Chunk by chunk."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from common.steps import step
from inventory import services as inventory
from inventory.choices import MovementKind
from inventory.models import InventoryExternalId, InventoryItem
from inventory.services import Action as LotAction
from inventory.services import Move, Wish
from jobs.runner import Run
from orders import services as orders
from orders.services import Arrived
from orders.services.holding import Held
from stores.models import Store
from sync.choices import Action, ItemStatus, SkipReason
from sync.models import Snapshot, SyncAgreement, SyncPlanItem, SyncRun
from sync.services import pulling
from sync.services.bases import UNSURE
from sync.services.runs.arrivals import read_values
from sync.services.runs.lines import Agreed, agreed_in
from sync.services.runs.noting import GONE, OTHER, Note, Sold, note_pairs, seen_since, sold_of

CHUNK = 2_000
_CHANGED_HERE = "It changed here since the plan was made. Compare again."
_SEEN_SINCE = "It was looked at there since the plan was made. Compare again."
_LOST = "What the plan noted of it is incomplete. Compare again."
_ITEMS = SyncPlanItem._meta.db_table
_DONE = f"UPDATE {_ITEMS} SET extra = extra - 'base' WHERE id = ANY(%s)"  # noqa: S608  # names come from the models


@dataclass(frozen=True, slots=True)
class Place:
    """A store of a run that was fetched, and when."""

    store: Store
    read_at: datetime


def places_of(run: SyncRun) -> dict[UUID, Place]:
    """Answer the stores of a run that were fetched."""
    found = {}
    for store, snapshot_id in (
        (run.source_store, run.source_snapshot_id), (run.target_store, run.target_snapshot_id),
    ):  # fmt: skip
        if snapshot_id is not None:
            read_at = Snapshot.objects.values_list("fetched_at", flat=True).get(pk=snapshot_id)
            found[store.pk] = Place(store, read_at)
    return found


# --- Pairs without a line ---------------------------------------------------------------------------------------------
def note_agreements(run: SyncRun, job: Run, places: Mapping[UUID, Place], *, now: datetime) -> None:
    """Note the pairs that are alike on both sides, from where the run has come to."""
    kept = SyncAgreement.objects.filter(sync_run=run).first()
    if kept is None:
        return
    rows = list(agreed_in(bytes(kept.body)))
    done = run.checkpoint.get("agreed", 0)
    while done < len(rows):
        job.progress(done, len(rows), unit="lots", message="Noting which lots are the same")
        chunk = rows[done : done + CHUNK]
        with _orders_stand_still(places), transaction.atomic():
            for place in places.values():
                mine = [each for each in chunk if each.store_id == place.store.pk]
                if mine:
                    _agree(place, mine, now=now)
            done += len(chunk)
            run.checkpoint = {**run.checkpoint, "agreed": done}
            SyncRun.objects.filter(pk=run.pk).update(checkpoint=run.checkpoint)
        step("sync.agreed")
    job.progress(done, len(rows), unit="lots")


def _agree(place: Place, rows: Sequence[Agreed], *, now: datetime) -> None:
    notes = [
        Note(
            lot_id=each.lot_id, number=each.number, base=each.base, listing_id=each.listing_id, moved=each.moved,
            lot_version=each.lot_version,
        )
        for each in rows
    ]  # fmt: skip
    sold = sold_of(place.store.pk, [each.number for each in rows], read_at=place.read_at)
    note_pairs(store=place.store, notes=notes, sold=sold, read_at=place.read_at, now=now)


# --- Lines ------------------------------------------------------------------------------------------------------------
def waiting_here(run: SyncRun, local: Store) -> "QuerySet[SyncPlanItem]":
    """Answer the lines that are to be done here, or of which it is to be noted how they stand there."""
    pending = Q(status__in=[ItemStatus.PENDING, ItemStatus.SENT])
    here = Q(store=local) & pending
    noted = Q(extra__has_key="base") & ~Q(store=local) & (pending | Q(skip_reason=SkipReason.CONFLICT))
    return SyncPlanItem.objects.filter(here | noted, sync_run=run).order_by("id")


def carry_out_here(run: SyncRun, job: Run, places: Mapping[UUID, Place], local: Store, *, now: datetime) -> None:
    """Carry out what is to be done here."""
    total, done = waiting_here(run, local).count(), 0
    while True:
        job.progress(done, total, unit="lots", message="Changing stock here")
        with _orders_stand_still(places), transaction.atomic():
            items = _each_lot_once(list(waiting_here(run, local).select_for_update(of=("self",))[:CHUNK]))
            if not items:
                break
            _Chunk(items, places, local, now=now).carry_out()
        done += len(items)
        step("sync.grounded")


def _each_lot_once(items: list[SyncPlanItem]) -> list[SyncPlanItem]:
    """Answer the first lines, as many as name each lot once: two stores' changes of a lot come one after the other."""
    seen: set[Any] = set()
    for place, item in enumerate(items):
        if item.inventory_item_id is not None and item.inventory_item_id in seen:
            return items[:place]
        seen.add(item.inventory_item_id)
    return items


class _Chunk:
    """Some lines, done together."""

    def __init__(
        self, items: Sequence[SyncPlanItem], places: Mapping[UUID, Place], local: Store, *, now: datetime
    ) -> None:  # fmt: skip
        self.items, self.places, self.local, self.now = items, places, local, now
        self.failed: dict[int, str] = {}
        self.sold = {
            key: sold_of(key, [item.extra["number"] for item in items if _store_of(item) == key], read_at=place.read_at)
            for key, place in places.items()
        }

    def carry_out(self) -> None:
        mine = [item for item in self.items if item.store_id == self.local.pk]
        waiting = self._hold(mine)
        self._add([item for item in mine if item.action == Action.ADD])
        self._change([item for item in mine if item.action == Action.UPDATE])
        self._note()
        self._give(waiting, mine)
        for item in mine:
            reason = self.failed.get(item.pk)
            item.status = ItemStatus.FAILED if reason else ItemStatus.APPLIED
            item.error_message, item.applied_at = (reason or "")[:500], None if reason else self.now
            item.attempts += 1
        SyncPlanItem.objects.bulk_update(mine, ["status", "error_message", "applied_at", "attempts", "inventory_item"])
        others = [item for item in self.items if item.store_id != self.local.pk]
        for item in others:
            if (reason := self.failed.get(item.pk)) and item.action != Action.SKIP:
                item.status, item.error_message = ItemStatus.FAILED, reason[:500]
        SyncPlanItem.objects.bulk_update(others, ["status", "error_message"])
        with connection.cursor() as cursor:
            cursor.execute(_DONE, [[item.pk for item in others]])

    def _hold(self, items: Sequence[SyncPlanItem]) -> dict[UUID, list[Held]]:
        """Hold the orders that wait for what is brought in, then all lots: in the order of the house."""
        numbers: dict[UUID, list[str]] = {}
        for item in items:
            if _is_counted_there(item):
                numbers.setdefault(UUID(item.extra["store"]), []).append(item.extra["number"])
        found = {
            key: orders.hold_waiting(store_id=key, external_lot_ids=several) for key, several in sorted(numbers.items())
        }
        waiting = orders.lots_of([each for several in found.values() for each in several])
        if waiting:
            inventory.hold_lots(waiting | {item.inventory_item_id for item in items if item.inventory_item_id})
        return found

    def _give(self, waiting: Mapping[UUID, Sequence[Held]], items: Sequence[SyncPlanItem]) -> None:
        """Have what was ordered before its lot came in be of that lot."""
        for key, several in waiting.items():
            arrived = {
                # A new lot has what is left there by now; another one what was left when it was read.
                item.extra["number"]: Arrived(
                    item.inventory_item_id, None if item.action == Action.ADD else self.places[key].read_at + UNSURE
                )
                for item in items
                if _is_counted_there(item) and UUID(item.extra["store"]) == key and item.inventory_item_id
                and item.pk not in self.failed
            }  # fmt: skip
            orders.give_arrived(orders=several, arrived=arrived, now=self.now)

    def _known(self, items: Sequence[SyncPlanItem]) -> list[tuple[SyncPlanItem, InventoryExternalId]]:
        """Answer the listings that there are by now of what lines bring in or change."""
        rows = InventoryExternalId.objects.filter(
            store__in=list(self.places), external_lot_id__in=[item.extra["number"] for item in items]
        )
        found = {(str(row.store_id), row.external_lot_id): row for row in rows}
        known = [(item, found.get((item.extra["store"], item.extra["number"]))) for item in items]
        return [(item, row) for item, row in known if row is not None]

    def _add(self, items: Sequence[SyncPlanItem]) -> None:
        for item, row in self._known(items):
            if row.inventory_item_id is not None:
                self.failed[item.pk] = OTHER
        items = [item for item in items if item.pk not in self.failed]
        if not items:
            return
        wishes = [self._new_lot(item) for item in items]
        self._drop_taken_numbers(wishes)
        outcomes = inventory.change_lots(wishes=wishes, all_or_nothing=False, now=self.now)
        for item, outcome in zip(items, outcomes, strict=True):
            if outcome.problem is not None or outcome.lot_id is None:
                self.failed[item.pk] = _words(outcome.problem)
            else:
                item.inventory_item_id = outcome.lot_id

    def _new_lot(self, item: SyncPlanItem) -> Wish:
        values = read_values(item.extra["values"])
        sold = self._sold(item)
        values["qty_available"] = max(0, item.extra["base"]["qty"] - sold.qty.get(item.extra["number"], 0))
        return Wish(action=LotAction.CREATE, values=values)

    @staticmethod
    def _drop_taken_numbers(wishes: Sequence[Wish]) -> None:
        """A lot of ours that has BrickLink's number already keeps it."""
        numbers = {wish.values.get("bricklink_lot_id") for wish in wishes}
        taken = set(
            InventoryItem.objects.filter(bricklink_lot_id__in=numbers - {None}).values_list(
                "bricklink_lot_id", flat=True
            )
        )
        for wish in wishes:
            if wish.values.get("bricklink_lot_id") in taken:
                wish.values.pop("bricklink_lot_id")  # type: ignore[attr-defined]  # our own dict

    def _change(self, items: Sequence[SyncPlanItem]) -> None:
        if not items:
            return
        inventory.hold_lots({item.inventory_item_id for item in items if item.inventory_item_id})
        lots = InventoryItem.objects.in_bulk([item.inventory_item_id for item in items if item.inventory_item_id])
        self._refuse_seen(items)
        wishes, moves, asked = [], [], []
        for item in items:
            if item.pk in self.failed:
                continue
            lot = lots.get(item.inventory_item_id) if item.inventory_item_id else None
            if lot is None:
                self.failed[item.pk] = GONE
                continue
            values, seen = read_values(item.extra["values"]), read_values(item.extra["seen"])
            if any(getattr(lot, name) not in (value, values[name]) for name, value in seen.items()):
                self.failed[item.pk] = _CHANGED_HERE
                continue
            if values:
                wishes.append(Wish(action=LotAction.UPDATE, lot_id=lot.pk, version=lot.version, values=values))
                asked.append(item)
            if delta := max(-lot.qty_available, item.extra["delta"]):
                moves.append(self._move(item, lot.pk, delta))
        for item, outcome in zip(
            asked, inventory.change_lots(wishes=wishes, all_or_nothing=False, now=self.now), strict=True
        ):
            if outcome.problem is not None:
                self.failed[item.pk] = _words(outcome.problem)
        failed = {item.inventory_item_id for item in items if item.pk in self.failed}
        inventory.move_stock(moves=[move for move in moves if move.lot_id not in failed], now=self.now)

    def _refuse_seen(self, items: Sequence[SyncPlanItem]) -> None:
        """Take nothing over that whoever looked at a lot since the plan was made has taken over already."""
        known = self._known(items)
        for key, place in self.places.items():
            mine = [(item, row) for item, row in known if row.store_id == key]
            seen = seen_since([row for _item, row in mine], read_at=place.read_at)
            self.failed |= {item.pk: _SEEN_SINCE for item, row in mine if row.pk in seen}

    def _move(self, item: SyncPlanItem, lot_id: UUID, delta: int) -> Move:
        return Move(
            lot_id=lot_id, kind=MovementKind.CHANNEL_EDIT, cause_key=f"sync:{item.sync_run_id}:{item.pk}",
            available=delta, cause_type="sync_run", cause_id=str(item.sync_run_id), note=item.reason,
        )  # fmt: skip

    def _note(self) -> None:
        """Note of each pair how it stands there."""
        for key, place in self.places.items():
            mine = [item for item in self.items if _store_of(item) == key and item.pk not in self.failed]
            notes = [note for item in mine if (note := _note_of(item)) is not None]
            problems = note_pairs(
                store=place.store, notes=notes, sold=self.sold[key], read_at=place.read_at, now=self.now
            )
            for item in mine:
                if reason := problems.get(item.extra["number"]):
                    self.failed[item.pk] = reason

    def _sold(self, item: SyncPlanItem) -> Sold:
        return self.sold.get(UUID(item.extra["store"]), Sold())


def _is_counted_there(item: SyncPlanItem) -> bool:
    """Tell whether a lot gets its number of pieces from its store, as nobody had agreed on one."""
    if item.action == Action.ADD:
        return True
    return item.extra.get("moved") is None and bool(item.extra.get("delta"))


def _store_of(item: SyncPlanItem) -> UUID | None:
    """Answer the store whose lot a line notes."""
    return UUID(item.extra["store"]) if "base" in item.extra else None


def _note_of(item: SyncPlanItem) -> Note | None:
    if item.inventory_item_id is None:
        return None
    extra = item.extra
    return Note(
        lot_id=item.inventory_item_id, number=extra["number"], base=extra["base"],
        listing_id=UUID(extra["listing"]) if extra.get("listing") else None, moved=extra.get("moved"),
        asked=extra.get("asked", ()), has_arrived=item.action == Action.ADD and _is_counted_there(item),
    )  # fmt: skip


def _words(problem: Any) -> str:
    """Answer in a sentence why a lot couldn't be added or changed."""
    if problem is None:
        return _LOST
    errors = getattr(problem, "errors", None) or {}
    told = " ".join(message for messages in errors.values() for message in messages)
    return told or problem.detail or problem.title


def _orders_stand_still(places: Mapping[UUID, Place]) -> ExitStack:
    """Have nobody take over orders of these stores inside the block."""
    with ExitStack() as scope:
        for key in sorted(places):
            scope.enter_context(pulling.alone(key))
        # Where one of them can't be held none is.
        return scope.pop_all()
