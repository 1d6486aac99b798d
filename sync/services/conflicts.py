"""Decides what both sides changed: ours counts, or theirs. What the store shows is sent by the push, as ever."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from audit import bulk, context
from common.errors import Invalid, NotFound
from inventory import services as inventory
from inventory.choices import ItemCondition, MovementKind
from inventory.models import InventoryExternalId, InventoryItem
from inventory.services import Action, Move, Wish
from stores.channels import LotField
from stores.models import Store
from sync.models import ListingState, SyncConflict
from sync.queries.our_lots import lot_state
from sync.queries.wanted import rules_of
from sync.remote import LotState
from sync.rules import StoreRules, offered
from sync.states import as_json, plain, read_state, value_of
from sync.taking import lot_values

OURS, THEIRS, VOID = "ours", "theirs", "void"


@transaction.atomic
def decide_conflicts(
    *, conflict_ids: Collection[UUID], decision: str, now: datetime, decided_by_id: UUID | None = None
) -> int:  # fmt: skip
    """Have ours ("ours") or theirs ("theirs") count in some fields; answer how many were decided.

    Ours goes to the channel by itself, theirs is taken over here. What was decided already stays as it was decided.
    Raises Invalid, NotFound.
    """
    context.describe("sync.decide_conflicts")
    if decision not in (OURS, THEIRS):
        raise Invalid(errors={"/decision": [f"One of {OURS}, {THEIRS}."]})
    found = list(SyncConflict.objects.filter(pk__in=conflict_ids).select_related("listing"))
    if len(found) < len(set(conflict_ids)):
        raise NotFound("There is no such conflict.")
    # Lots, then listings, then what hangs on them, as everywhere.
    inventory.hold_lots({each.listing.inventory_item_id for each in found if each.listing.inventory_item_id})
    listings = _held({each.listing_id for each in found})
    rows = SyncConflict.objects.select_for_update(of=("self",)).filter(pk__in=conflict_ids, decision="")
    waiting = list(rows.order_by("pk"))
    if decision == THEIRS:
        _take_over(waiting, listings, now=now)
    # What stands there is agreed on, so that what is different from it is sent.
    _move_bases(waiting, listings, lambda each: (each.base, each.theirs))
    for each in waiting:
        each.decision, each.decided_at, each.decided_by_id = decision, now, decided_by_id
        each.save()
    return len(waiting)


def note_conflicts(
    *, store_id: UUID, asked: Mapping[UUID, Sequence[tuple[LotField, Any, Any, Any]]],
    was_looked_at: Callable[[UUID], bool],
    left_out: Collection[LotField] = (), now: datetime,
) -> int:  # fmt: skip
    """Keep which fields of listings wait for a person, as (field, base, ours, theirs); answer how many do.

    What waited of the listings that were looked at and is no longer different has gone away by itself, but for the
    fields that were left out of the look.
    """
    with transaction.atomic():
        open_ = SyncConflict.objects.select_for_update(of=("self",)).filter(store_id=store_id, decision="")
        known = {(each.listing_id, each.field): each for each in open_.order_by("pk")}
        new, seen = [], set()
        for listing_id, fields in asked.items():
            for each, base, ours, theirs in fields:
                seen.add((listing_id, each.value))
                values = {"base": plain(each, base), "ours": plain(each, ours), "theirs": plain(each, theirs)}
                present = known.get((listing_id, each.value))
                if present is None:
                    new.append(
                        SyncConflict(listing_id=listing_id, store_id=store_id, field=each.value, found_at=now, **values)
                    )
                elif any(getattr(present, name) != value for name, value in values.items()):
                    for name, value in values.items():
                        setattr(present, name, value)
                    present.save()
        unseen = {key: row for key, row in known.items() if key not in seen and key[1] not in left_out}
        gone = [row for key, row in unseen.items() if was_looked_at(key[0])]
        for row in gone:
            row.decision, row.decided_at = VOID, now
            row.save()
        bulk.bulk_create(SyncConflict, new)
    return len(seen)


def ask_again(*, conflict_ids: Collection[UUID]) -> None:
    """Have fields of which the decision was taken back stay as they are on both sides again.

    What was sent since stays agreed on: the next decision sends what is different from it.
    """
    with transaction.atomic():
        open_ = SyncConflict.objects.filter(pk__in=conflict_ids, decision="")
        listings = _held(set(open_.values_list("listing_id", flat=True)))
        _move_bases(list(open_.order_by("pk")), listings, lambda each: (each.theirs, each.base))


def _held(listing_ids: Collection[UUID]) -> dict[UUID, InventoryExternalId]:
    rows = InventoryExternalId.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=listing_ids)
    return {row.pk: row for row in rows.order_by("pk")}


def _take_over(
    waiting: Sequence[SyncConflict], listings: Mapping[UUID, InventoryExternalId], *, now: datetime
) -> None:  # fmt: skip
    """Give our lots what the store says."""
    rules = _rules({each.store_id for each in waiting})
    lots = InventoryItem.objects.in_bulk([row.inventory_item_id for row in listings.values() if row.inventory_item_id])
    values: dict[UUID, dict[str, Any]] = {}
    moves = []
    for each in waiting:
        row = listings[each.listing_id]
        lot_id = row.inventory_item_id
        if lot_id is None or lot_id not in lots:
            continue
        name = LotField(each.field)
        if name is LotField.QTY:
            moves.append(_move(each, row, lots[lot_id], rules[each.store_id]))
        else:
            is_used = lots[lot_id].condition == ItemCondition.USED
            said = lot_values({name: value_of(name, each.theirs)}, rules[each.store_id], is_used=is_used)
            values.setdefault(lot_id, {}).update(said)
    if values:
        wishes = [
            Wish(action=Action.UPDATE, lot_id=lot_id, version=lots[lot_id].version, values=said)
            for lot_id, said in sorted(values.items())
        ]
        inventory.change_lots(wishes=wishes, all_or_nothing=True, now=now)
    inventory.move_stock(moves=[move for move in moves if move.available], now=now)


def _move(conflict: SyncConflict, row: InventoryExternalId, lot: InventoryItem, rules: StoreRules) -> Move:
    """Answer what makes our lot show as many pieces as stand there now: sales since the look are in both."""
    base = read_state(row.base)
    there = base.qty if base is not None else int(conflict.theirs or 0)
    more = there - offered(lot_state(lot), rules.quantity)
    return Move(
        lot_id=lot.pk, kind=MovementKind.CHANNEL_EDIT, cause_key=f"conflict:{conflict.pk}", cause_type="store",
        available=max(-lot.qty_available, more), cause_id=str(conflict.store_id),
    )  # fmt: skip


def _move_bases(
    conflicts: Sequence[SyncConflict], listings: Mapping[UUID, InventoryExternalId],
    way: Callable[[SyncConflict], tuple[Any, Any]],
) -> None:  # fmt: skip
    """Move the base of each field from one value to another, where nothing else has moved it meanwhile."""
    changed: dict[UUID, InventoryExternalId] = {}
    for each in conflicts:
        row, name = listings[each.listing_id], LotField(each.field)
        old, new = way(each)
        base: LotState | None = read_state(row.base)
        if base is not None and getattr(base, each.field) == value_of(name, old):
            row.base = as_json(base._replace(**{each.field: value_of(name, new)}))
            changed[row.pk] = row
    bulk.bulk_update(InventoryExternalId, list(changed.values()), fields=["base"])
    # Compared anew by whoever pushes.
    ListingState.objects.filter(listing__in={each.listing_id for each in conflicts}).update(lot_version=None)


def _rules(store_ids: Collection[UUID]) -> dict[UUID, StoreRules]:
    return {store.pk: rules_of(store) for store in Store.objects.filter(pk__in=store_ids)}
