"""How far a store is from what is wanted there, in figures, as its page shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from inventory.choices import MovementKind
from inventory.models import InventoryExternalId, InventoryItem, StockMovement
from stores.models import Store
from stores.settings_schema import StoreSettings
from sync.models import ListingState, SyncConflict
from sync.queries.choosing import chosen_words
from sync.queries.pending import LATE, without_listing

_SHOWN = 5
_EDITS_OF = timedelta(days=7)
_FIGURES = f"""
SELECT count(*) FILTER (WHERE l.external_lot_id IS NOT NULL AND coalesce((l.base ->> 'qty')::int, 0) > 0),
    count(*) FILTER (WHERE {LATE}),
    min(coalesce(s.waiting_since, i.updated_at, l.updated_at)) FILTER (WHERE {LATE})
FROM {InventoryExternalId._meta.db_table} l
LEFT JOIN {ListingState._meta.db_table} s ON s.listing_id = l.id
LEFT JOIN {InventoryItem._meta.db_table} i ON i.id = l.inventory_item_id
WHERE l.store_id = %(store)s
"""  # noqa: S608  # names come from the models


@dataclass(frozen=True, slots=True)
class Refused:
    """A listing that its store doesn't take as it is to be."""

    lot_id: UUID | None
    name: str
    error: str
    retry_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoreFigures:
    """How a store's stock stands. `waiting_since`: of what waits longest."""

    listed: int
    waiting: int
    waiting_since: datetime | None
    doubtful: int
    refused_count: int
    refused: Sequence[Refused]
    conflicts: int
    not_listed: int
    edits: int
    lists_new: bool
    chosen: str


def figures_of(store: Store, *, now: datetime) -> StoreFigures:
    """Answer how a store's stock stands. Seven queries, whatever the number of lots."""
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, {"store": store.pk, "version": store.version})
        listed, waiting, since = cursor.fetchone() or (0, 0, None)
    states = ListingState.objects.filter(store=store)
    refused = states.exclude(error="")
    settings = StoreSettings.of(store.settings)
    edits = StockMovement.objects.filter(
        kind=MovementKind.CHANNEL_EDIT, cause_id=str(store.pk), created_at__gt=now - _EDITS_OF
    )
    return StoreFigures(
        listed=listed,
        waiting=waiting,
        waiting_since=since,
        doubtful=states.filter(must_read=True).count() + states.filter(sent__isnull=False, must_read=False).count(),
        refused_count=refused.count(),
        refused=[_refused(row) for row in refused.select_related("listing__inventory_item").order_by("-pk")[:_SHOWN]],
        conflicts=SyncConflict.objects.filter(store=store, decision="").count(),
        not_listed=without_listing(store.pk).count(),
        edits=edits.count(),
        lists_new=settings.list_new_lots,
        chosen=chosen_words(settings.listed_query),
    )


def _refused(state: ListingState) -> Refused:
    lot = state.listing.inventory_item
    name = str(lot) if lot is not None else f"Lot {state.listing.external_lot_id}"
    return Refused(lot.pk if lot else None, name, state.error, state.retry_at or state.read_again_at)
