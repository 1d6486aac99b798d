"""What both sides changed and waits for a person: field by field, with what each side says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from inventory.models import InventoryItem
from stores.channels import LotField
from sync.models import SyncConflict
from sync.queries.runs import FIELD_LABELS
from sync.states import value_of

PAGE = 50


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """One field of a listing that waits: what both agreed on, what we say and what the store says."""

    conflict: SyncConflict
    lot: InventoryItem | None
    external_lot_id: str
    store_name: str
    field: str
    label: str
    base: Any
    ours: Any
    theirs: Any


@dataclass(frozen=True, slots=True)
class ConflictPage:
    """Some conflicts, and how many there are."""

    rows: Sequence[ConflictRow]
    total: int
    first: int


def open_conflicts(store_id: UUID | None = None) -> "QuerySet[SyncConflict]":
    """Answer what waits to be decided, the oldest first; of one store, or of all."""
    found = SyncConflict.objects.filter(decision="").select_related("listing__inventory_item", "store")
    if store_id is not None:
        found = found.filter(store_id=store_id)
    return found.order_by("found_at", "id")


def count_open(store_id: UUID | None = None) -> int:
    """Answer how many fields wait to be decided."""
    return open_conflicts(store_id).count()


def count_by_store() -> dict[UUID, int]:
    """Answer how many fields wait to be decided, by store."""
    rows = SyncConflict.objects.filter(decision="").values_list("store_id").annotate(count=Count("id")).order_by()
    return dict(rows)


def page_of(store_id: UUID | None = None, *, first: int = 0) -> ConflictPage:
    """Answer some of what waits to be decided. Two queries."""
    found = open_conflicts(store_id)
    return ConflictPage([row_of(each) for each in found[first : first + PAGE]], found.count(), first)


def row_of(conflict: SyncConflict) -> ConflictRow:
    """Answer a conflict that came with its listing as a page shows it."""
    listing, name = conflict.listing, LotField(conflict.field)
    return ConflictRow(
        conflict=conflict,
        lot=listing.inventory_item,
        external_lot_id=listing.external_lot_id or "",
        store_name=conflict.store.name,
        field=conflict.field,
        label=FIELD_LABELS[conflict.field],
        base=value_of(name, conflict.base),
        ours=value_of(name, conflict.ours),
        theirs=value_of(name, conflict.theirs),
    )
