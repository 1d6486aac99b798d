"""Has lots listed in a store that haven't been there yet, where its seller wants that."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audit import bulk, context
from inventory.models import InventoryExternalId, InventoryItem
from stores.models import Store
from stores.settings_schema import StoreSettings
from sync.choices import RunStatus
from sync.models import SyncRun
from sync.queries.meanings import numbers_on
from sync.queries.pending import without_listing
from sync.queries.wanted import wanted_of_lots
from sync.services import bells

_AT_ONCE = 500
# A transaction that began earlier may be committed later.
_OVERLAP = timedelta(minutes=5)
# All lots are looked through anew so often, since numbers and rates become known without any lot changing.
_ANEW_S = 6 * 3600


def is_brought_in(store_id: UUID) -> bool:
    """Tell whether a run has brought a store into step: before that nobody knows what is there."""
    ended = SyncRun.objects.filter(status=RunStatus.COMPLETED)
    return ended.filter(Q(target_store=store_id) | Q(source_store=store_id)).exists()


def is_due(store: Store) -> bool:
    """Tell whether all lots are to be looked through again for new ones."""
    return (
        StoreSettings.of(store.settings).list_new_lots
        and bells.looked_for_new(store) is None
        and is_brought_in(store.pk)
    )


def list_new(store: Store, *, now: datetime) -> int:
    """Make listings without a number of the lots that are to be in the store; answer how many.

    Looks at what has changed since it last looked. The push makes them there.
    """
    if not StoreSettings.of(store.settings).list_new_lots or not is_brought_in(store.pk):
        return 0
    made = 0
    for lots in _chunks(store.pk, bells.looked_for_new(store)):
        wants = wanted_of_lots(store, lots)
        listed = [lot for lot in lots if wants[lot.pk].why is None]
        items = numbers_on(store.channel, listed)
        made += _make(store, [lot.pk for lot in listed if not isinstance(items[lot.pk], str)])
    bells.note_looked_for_new(store, since=now - _OVERLAP, lasts_s=_ANEW_S)
    return made


@transaction.atomic
def _make(store: Store, lot_ids: list[UUID]) -> int:
    context.describe("sync.list_new")
    # Held, so that none is deleted or listed by somebody else meanwhile.
    lots = InventoryItem.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=lot_ids).order_by("pk")
    living = list(lots.values_list("pk", flat=True))
    there = set(
        InventoryExternalId.objects.filter(store=store, inventory_item__in=living).values_list(
            "inventory_item_id", flat=True
        )
    )
    rows = [InventoryExternalId(inventory_item_id=key, store=store) for key in living if key not in there]
    if rows:
        bulk.bulk_create(InventoryExternalId, rows)
    return len(rows)


def _chunks(store_id: UUID, since: datetime | None) -> Iterator[list[InventoryItem]]:
    found = without_listing(store_id)
    if since is not None:
        found = found.filter(updated_at__gte=since)
    last: UUID | None = None
    while True:
        rows = found.filter(pk__gt=last) if last else found
        lots = list(rows.order_by("pk")[:_AT_ONCE])
        if not lots:
            return
        yield lots
        last = lots[-1].pk
