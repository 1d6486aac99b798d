"""Which stores may be asked now, and what they are asked for."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q, QuerySet

from common import workspace
from inventory.models import InventoryExternalId
from stores.channels import Can, ChannelSpec, all_specs
from stores.choices import StoreState
from stores.models import Store
from stores.queries import spec_for
from stores.settings_schema import StoreSettings
from sync.choices import Action, ItemStatus
from sync.models import Notice, NotifyAddress, OrderTold, Snapshot, SyncPlanItem
from sync.remote import Topic
from sync.snapshots import Inventory


def connected() -> "QuerySet[Store]":
    """Answer the stores that are switched on and opened by something."""
    return Store.objects.filter(is_enabled=True, disconnected_at=None, credential__isnull=False).order_by("pk")


def may_be_asked(now: datetime) -> "QuerySet[Store]":
    """Answer the stores that nobody has to leave alone now."""
    waits = Q(sync_state__state=StoreState.NEEDS_RECONNECT) | Q(sync_state__retry_at__gt=now)
    return connected().exclude(waits)


def asked_of_orders(now: datetime) -> list[Store]:
    """Answer the stores that may be asked about orders now: one whose calls for stock are used up too, as long as the
    day has some, since those are kept for orders."""
    waits = Q(sync_state__state=StoreState.NEEDS_RECONNECT) | (
        Q(sync_state__retry_at__gt=now) & ~Q(sync_state__state=StoreState.LIMITED)
    )
    found = connected().exclude(waits).select_related("sync_state")
    return [store for store in found if not _has_no_calls(store, now)]


def _has_no_calls(store: Store, now: datetime) -> bool:
    state, spec = store.sync_state, spec_for(store.channel)
    if state.state != StoreState.LIMITED or state.retry_at is None or state.retry_at <= now:
        return False
    return spec is None or spec.per_day is None or _used(store, now) >= spec.per_day


def _used(store: Store, now: datetime) -> int:
    """Answer how many of the day's calls were made."""
    told = store.sync_state.rate_limit_state
    return int(told.get("used", 0)) if told.get("day") == f"{now:%Y-%m-%d}" else 0


# How often the orders of a store are read where nobody rings: a channel that counts calls by the day has fewer.
_EVERY = {"bricklink": timedelta(minutes=5), "brickowl": timedelta(minutes=2), "brikick": timedelta(minutes=2)}
_EVERY_ELSE, _EVERY_LATE = timedelta(minutes=5), timedelta(minutes=15)
# The share of a day's calls after which orders are read less often, so that there are some left in the evening.
_LATE = 0.8


def has_stores() -> bool:
    """Tell whether there is any store to ask: the workspace of no shop has none."""
    return bool(workspace.current().slug) and connected().exists()


def stores_to_read(now: datetime) -> list[UUID]:
    """Answer the stores whose orders are to be read now, those that somebody rang for first."""
    rung = set(Notice.objects.filter(worked_at=None, topic=Topic.ORDER).values_list("store_id", flat=True))
    due = [
        store for store in asked_of_orders(now) if _reads_orders(store) and (store.pk in rung or _is_due(store, now))
    ]
    return [store.pk for store in sorted(due, key=lambda store: store.pk not in rung)]


def _reads_orders(store: Store) -> bool:
    spec = spec_for(store.channel)
    return spec is not None and Can.FETCH_ORDERS in spec.can


def _is_due(store: Store, now: datetime) -> bool:
    state, spec = store.sync_state, spec_for(store.channel)
    every = _EVERY.get(store.channel, _EVERY_ELSE)
    if spec is not None and spec.per_day:
        every = max(every, _EVERY_LATE) if _used(store, now) > spec.per_day * _LATE else every
    return state.last_orders_sync is None or now - state.last_orders_sync >= every


def stores_to_tell(now: datetime) -> list[UUID]:
    """Answer the stores whose channels are to hear something of their orders now; none of a suspended shop."""
    if workspace.current().is_suspended:
        return []
    return list(to_be_told(now).filter(store__in=asked_of_orders(now)).values_list("store_id", flat=True).distinct())


def to_be_told(now: datetime) -> "QuerySet[OrderTold]":
    """Answer what channels should hear by now. What can't be told from where an order stands there has its turn as soon
    as it stands elsewhere."""
    is_now = Q(retry_at__isnull=True) | Q(retry_at__lte=now)
    waits = ~Q(waits_at="") & Q(waits_at=F("order__channel_status"))
    return OrderTold.objects.filter(is_now, is_due=True).exclude(waits)


def stores_to_look_at(now: datetime) -> list[UUID]:
    """Answer the stores of which a channel has told something besides orders that nobody has looked at."""
    found = Notice.objects.filter(worked_at=None, store__in=may_be_asked(now)).exclude(topic=Topic.ORDER)
    return list(found.values_list("store_id", flat=True).distinct())


def tells_by_itself(spec: ChannelSpec) -> bool:
    """Tell whether a channel tells what happens to an address of ours: one that its seller or a call gives it."""
    return Can.PARSE_NOTIFICATION in spec.can and (Can.REGISTER_NOTIFICATIONS in spec.can or bool(spec.notify_steps))


def stores_to_listen_to(now: datetime) -> list[UUID]:
    """Answer the stores that have no address yet at which their channels tell us something."""
    told = {spec.code for spec in all_specs() if tells_by_itself(spec)}
    known = NotifyAddress.objects.values("store_id")
    return list(may_be_asked(now).filter(channel__in=told).exclude(pk__in=known).values_list("pk", flat=True))


def lots_expected(store_id: UUID) -> int:
    """Answer how many lots a store has by what is known: as many as when all were read last, but for those that were
    sold out or taken away since; else as many as are listed."""
    listings = InventoryExternalId.objects.filter(store=store_id)
    last = Snapshot.objects.filter(store=store_id).order_by("-fetched_at").first()
    if last is None:
        return listings.filter(external_lot_id__isnull=False).exclude(base__qty=0).count()
    gone = listings.filter(external_lot_id__isnull=True, last_synced_at__gte=last.fetched_at).count()
    empty = {number for number in listings.filter(base__qty=0).values_list("external_lot_id", flat=True) if number}
    if empty:
        # Some channels keep lots without pieces in their lists: what stood there without any then may do so now.
        inventory = Inventory(last.body)
        gone += sum(number in inventory and inventory.state(number).qty > 0 for number in empty)
    taken_off = SyncPlanItem.objects.filter(
        store=store_id, action=Action.REMOVE, status=ItemStatus.APPLIED, applied_at__gte=last.fetched_at
    )
    return max(0, last.lots_count - gone - taken_off.count())


def listed_there(store_id: UUID, *, limit: int) -> list[str]:
    """Answer a store's numbers of some lots that should be for sale there, those that were seen there last first."""
    there = InventoryExternalId.objects.filter(store=store_id, external_lot_id__isnull=False, base__qty__gt=0)
    numbers = there.order_by("-last_synced_at", "pk").values_list("external_lot_id", flat=True)[:limit]
    return [number for number in numbers if number]


def others_of(channel: str, *, besides: UUID | None) -> "QuerySet[Store]":
    """Answer the other stores on a channel that are connected, switched off or not."""
    found = Store.objects.filter(channel=channel, disconnected_at=None, credential__isnull=False)
    return (found.exclude(pk=besides) if besides else found).order_by("pk")


def twin_of(store: Store, numbers: Collection[str]) -> Store | None:
    """Answer another connected store of the same channel that has listed one of these lots: it is the same there,
    since a lot's number is given once."""
    others = others_of(store.channel, besides=store.pk)
    listed = InventoryExternalId.objects.filter(store__in=others, external_lot_id__in=numbers)
    return others.filter(pk__in=listed.values("store_id")).first()


def is_first_look(store_id: UUID) -> bool:
    """Tell whether nobody knows yet what a store has."""
    return not InventoryExternalId.objects.filter(store=store_id, external_lot_id__isnull=False).exists()


def is_short(count: int, expected: int) -> bool:
    """Tell whether a store's list of lots is so much shorter than expected that it may be half an answer."""
    return count * 2 < expected


def orders_since(store: Store) -> datetime | None:
    """Answer from which moment on orders of a store are brought in: the beginning of a day of the shop's."""
    day = StoreSettings.of(store.settings).import_orders_since
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=workspace.current().zone)
