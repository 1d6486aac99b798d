"""Notes which lots are the same on both sides, and how they stand there: what whoever pushes goes on from.

What was sold since the store was read is taken off; nobody reads orders meanwhile, so that no sale falls between.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from audit import bulk
from inventory import services as inventory
from inventory.models import InventoryExternalId, InventoryItem
from orders.models import OrderLine
from stores.models import Store
from sync.models import ListingState, SyncConflict
from sync.services import settling
from sync.services.bases import UNSURE

OTHER = "This lot there belongs to another one of ours by now."
GONE = "The lot was deleted here meanwhile."


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A pair. `base`: how the lot stood there; `moved`: by how many pieces that differs from what was agreed on before,
    None where nothing was.

    `lot_version`: with which both sides are equal, None where that is still to be compared; `asked`: fields that wait
    for a person, each with the base, ours and theirs. `has_arrived`: the lot came in with this number, and what orders
    have of it was put on top.
    """

    lot_id: UUID
    number: str
    base: Mapping[str, Any]
    listing_id: UUID | None = None
    moved: int | None = None
    lot_version: int | None = None
    asked: Sequence[Sequence[Any]] = ()
    has_arrived: bool = False


@dataclass(frozen=True, slots=True)
class Sold:
    """What was sold in a store since it was read, by its numbers of lots. `unsure`: nobody can tell whether since."""

    qty: Mapping[str, int] = field(default_factory=dict)
    unsure: Mapping[str, int] = field(default_factory=dict)


def sold_of(store_id: UUID, numbers: Collection[str], *, read_at: datetime) -> Sold:
    """Answer what was sold of these lots since the store was read."""
    lines = OrderLine.objects.filter(
        order__store_id=store_id, order__ordered_at__gte=read_at - UNSURE, external_lot_id__in=numbers
    )
    near = Q(order__ordered_at__lte=read_at + UNSURE)
    return Sold(_pieces(lines.exclude(near)), _pieces(lines.filter(near)))


def _pieces(lines: "QuerySet[OrderLine]") -> dict[str, int]:
    rows = lines.values_list("external_lot_id").annotate(pieces=Sum("qty_channel")).order_by()
    return {str(number): pieces or 0 for number, pieces in rows}


@transaction.atomic
def note_pairs(
    *, store: Store, notes: Sequence[Note], sold: Sold, read_at: datetime, now: datetime
) -> dict[str, str]:  # fmt: skip
    """Note pairs of a store; answer why some couldn't be, by its numbers of the lots."""
    living = inventory.hold_lots({note.lot_id for note in notes})
    numbers = [note.number for note in notes]
    rows = InventoryExternalId.objects.select_for_update(of=("self",), no_key=True).filter(
        Q(store=store, external_lot_id__in=numbers) | Q(pk__in=[note.listing_id for note in notes if note.listing_id])
    )
    held = {row.pk: row for row in rows.order_by("pk")}
    by_number = {row.external_lot_id: row for row in held.values() if row.external_lot_id}
    seen = seen_since(held.values(), read_at=read_at)
    problems: dict[str, str] = {}
    made, changed, noted = [], [], []
    for note in notes:
        if note.lot_id not in living:
            problems[note.number] = GONE
            continue
        row = by_number.get(note.number) or (held.get(note.listing_id) if note.listing_id else None)
        if row is not None and row.inventory_item_id not in (None, note.lot_id):
            problems[note.number] = OTHER
            continue
        if row is not None and row.pk in seen:
            # What stood there was taken over when it was looked at.
            continue
        if row is None:
            row = InventoryExternalId(store=store, inventory_item_id=note.lot_id, base={})
            made.append(row)
        else:
            changed.append(row)
        _write(row, note, sold, now=now)
        by_number[note.number] = row
        noted.append((row, note))
    bulk.bulk_create(InventoryExternalId, made)
    bulk.bulk_update(
        InventoryExternalId, changed, fields=["inventory_item", "external_lot_id", "base", "last_synced_at"]
    )
    _keep_states(noted, sold, read_at=read_at)
    _ask(store, noted, now=now)
    return problems


def seen_since(rows: Iterable[InventoryExternalId], *, read_at: datetime) -> frozenset[UUID]:
    """Answer which listings were looked at by themselves since their store was read."""
    keys = [row.pk for row in rows]
    found = ListingState.objects.filter(listing__in=keys, read_at__gt=read_at).values_list("listing_id", flat=True)
    return frozenset(found) if keys else frozenset()


def _write(row: InventoryExternalId, note: Note, sold: Sold, *, now: datetime) -> None:
    base = dict(note.base)
    if note.moved is not None and row.base and row.external_lot_id == note.number:
        # Sales that came in since are in it already.
        base["qty"] = max(0, row.base["qty"] + note.moved)
    else:
        base["qty"] = max(0, base["qty"] - sold.qty.get(note.number, 0))
    row.inventory_item_id, row.external_lot_id = note.lot_id, note.number
    row.base, row.last_synced_at = base, now


def _keep_states(noted: Sequence[tuple[InventoryExternalId, Note]], sold: Sold, *, read_at: datetime) -> None:
    states = settling.states_of({row.pk: row for row, _note in noted})
    versions = dict(Store.objects.filter(pk__in={row.store_id for row, _ in noted}).values_list("pk", "version"))
    for row, note in noted:
        state: ListingState = states[row.pk]
        is_new = state.read_at is None
        settling.answered(state)
        settling.at_rest(state)
        state.lot_version = note.lot_version
        state.rules_version = versions[row.store_id] if note.lot_version is not None else None
        if is_new:
            state.read_at = read_at
            state.must_read = note.number in sold.unsure
            # What was put on top was taken to have left there already: if it hadn't, it is missing here too.
            state.may_have_fewer = 0 if note.has_arrived else sold.unsure.get(note.number, 0)
    settling.keep(states.values())


def _ask(store: Store, noted: Sequence[tuple[InventoryExternalId, Note]], *, now: datetime) -> None:
    rows = [
        SyncConflict(
            listing=row, store=store, field=name, base=base, ours=ours, theirs=base, found_at=now
        )
        for row, note in noted
        for name, base, ours in note.asked
    ]  # fmt: skip
    open_ = set(
        SyncConflict.objects.filter(listing__in=[row.listing_id for row in rows], decision="").values_list(
            "listing_id", "field"
        )
    )
    bulk.bulk_create(SyncConflict, [row for row in rows if (row.listing_id, row.field) not in open_])


def versions_of(lot_ids: Collection[UUID]) -> dict[UUID, int]:
    """Answer the present versions of lots."""
    return dict(InventoryItem.objects.filter(pk__in=lot_ids).values_list("pk", "version"))
