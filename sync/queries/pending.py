"""Which listings of a store are behind: to be compared anew, or to be sent. Rows say so, no message."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, models
from django.db.models import Exists, OuterRef, Q

from common import workspace
from inventory.models import InventoryExternalId, InventoryItem
from stores.choices import Channel
from stores.models import Store
from sync.models import ListingState

_LISTINGS = InventoryExternalId._meta.db_table
_STATES = ListingState._meta.db_table
_LOTS = InventoryItem._meta.db_table
# A listing was last compared with another version of its lot or of the store's rules, or never. One whose lot is gone
# is behind as long as it shows pieces. What was refused waits for its time, unless something has changed.
_IS_BEHIND = """
(
    s.listing_id IS NULL
    OR (i.id IS NOT NULL AND s.lot_version IS DISTINCT FROM i.version)
    OR s.rules_version IS DISTINCT FROM %(version)s
    OR (i.id IS NULL AND s.urgency IS NULL AND s.error = '' AND coalesce((l.base ->> 'qty')::int, 0) > 0)
)
AND NOT (l.external_lot_id IS NULL AND coalesce(s.error, '') <> '' AND s.retry_at IS NULL)
"""
# What waits for a push, with `l`, `s` and `i` as below.
LATE = f"(({_IS_BEHIND}) OR s.urgency IS NOT NULL OR s.sent IS NOT NULL OR s.must_read)"
_BEHIND = f"""
FROM {_LISTINGS} l
LEFT JOIN {_STATES} s ON s.listing_id = l.id
LEFT JOIN {_LOTS} i ON i.id = l.inventory_item_id
WHERE l.store_id = %(store)s AND {_IS_BEHIND}
"""  # names come from the models
# Most of the time there is none, and all are looked at. Without MATERIALIZED the planner hopes to find one soon, and
# looks the state of each listing up by itself.
_IS_ANY_BEHIND = f"WITH found AS MATERIALIZED (SELECT 1 {_BEHIND}) SELECT EXISTS (SELECT 1 FROM found)"  # noqa: S608  # see above


def behind(store: Store, *, limit: int) -> list[UUID]:
    """Answer listings of a store that are to be compared, those whose lot has changed before those of other rules."""
    changed_first = "ORDER BY (i.id IS NOT NULL AND s.lot_version IS NOT DISTINCT FROM i.version) LIMIT %(limit)s"
    statement = f"SELECT l.id {_BEHIND} {changed_first}"
    with connection.cursor() as cursor:
        cursor.execute(statement, {"store": store.pk, "version": store.version, "limit": limit})
        return [row[0] for row in cursor.fetchall()]


def is_behind(store: Store, *, now: datetime) -> bool:
    """Tell whether anything of a store is to be compared, sent or looked at."""
    if doubtful(store.pk, now=now).exists() or to_be_sent(store.pk, now=now).exists():
        return True
    with connection.cursor() as cursor:
        cursor.execute(_IS_ANY_BEHIND, {"store": store.pk, "version": store.version})
        row = cursor.fetchone()
    return bool(row and row[0])


def to_be_sent(store_id: UUID, *, now: datetime) -> "models.QuerySet[ListingState]":
    """Answer what is known to be different from what is wanted, and what was refused and is due again; in no order."""
    is_due = Q(urgency__isnull=False) | (~Q(error="") & Q(retry_at__lte=now))
    return ListingState.objects.filter(is_due, store_id=store_id, sent__isnull=True, must_read=False)


def next_to_be_sent(store_id: UUID, *, at_most: int, limit: int, now: datetime) -> Sequence[UUID]:
    """Answer listings to be sent, the most urgent first; what was refused comes last."""
    urgent = ListingState.objects.filter(
        store_id=store_id, urgency__lte=at_most, sent__isnull=True, must_read=False
    ).order_by("urgency", "waiting_since", "pk")  # fmt: skip
    found = list(urgent.values_list("pk", flat=True)[:limit])
    if len(found) < limit:
        again = ListingState.objects.filter(
            ~Q(error=""), store_id=store_id, urgency__isnull=True, retry_at__lte=now, sent__isnull=True,
            must_read=False,
        ).order_by("retry_at", "pk")  # fmt: skip
        found += again.values_list("pk", flat=True)[: limit - len(found)]
    return found


def doubtful(store_id: UUID, *, now: datetime) -> "models.QuerySet[ListingState]":
    """Answer the listings of which nobody knows how they stand there, but for those whose reading has just failed."""
    is_due = Q(read_again_at__isnull=True) | Q(read_again_at__lte=now)
    return ListingState.objects.filter(Q(sent__isnull=False) | Q(must_read=True), is_due, store_id=store_id)


def stores_concerned(lot_ids: Collection[UUID] | None) -> list[UUID]:
    """Answer the stores that have listings of these lots, or of lots that are gone."""
    listings = InventoryExternalId.objects.filter(
        Q(inventory_item__isnull=True) if lot_ids is None else Q(inventory_item__in=lot_ids)
    )
    return list(listings.order_by().values_list("store_id", flat=True).distinct())


def stores_with_new_lots() -> list[UUID]:
    """Answer the stores in which new lots are listed by themselves."""
    return list(Store.objects.filter(settings__list_new_lots=True, is_enabled=True).values_list("pk", flat=True))


def stores_to_push() -> list[Store]:
    """Answer the stores that have listings and are switched on."""
    listed = InventoryExternalId.objects.filter(store=OuterRef("pk"))
    found = Store.objects.filter(is_enabled=True, credential__isnull=False).exclude(channel=Channel.LOCAL)
    return list(found.filter(Exists(listed) | Q(settings__list_new_lots=True)).select_related("sync_state"))


def has_listings() -> bool:
    """Tell whether there is any store to push to: the workspace of no shop has none."""
    if not workspace.current().slug:
        return False
    return InventoryExternalId.objects.exists() or bool(stores_with_new_lots())


def without_listing(store_id: UUID) -> "models.QuerySet[InventoryItem]":
    """Answer the lots with pieces that a store has no listing of."""
    there = InventoryExternalId.objects.filter(store_id=store_id, inventory_item=OuterRef("pk"))
    return InventoryItem.objects.filter(~Exists(there), qty_available__gt=0)
