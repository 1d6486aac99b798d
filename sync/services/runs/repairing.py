"""The nightly check: a store is compared with what is wanted there, and what is safe may be put right by itself."""

from datetime import datetime, timedelta

from common import workspace
from stores import queries as stores
from stores.channels import Can
from stores.guards import REMOVAL_LIMIT_PERCENT
from stores.models import Store
from stores.settings_schema import StoreSettings
from sync.choices import Action, RunStatus, SkipReason, Trigger
from sync.models import SyncRun
from sync.services.runs.hub import Hub
from sync.services.runs.starting import discard, start_preview

_UNDER_WAY = (RunStatus.PENDING, RunStatus.FETCHING, RunStatus.COMPARING, RunStatus.APPLYING)


def start_due_checks(*, now: datetime) -> int:
    """Compare each store that hasn't been for as long as its seller has said; answer how many are begun. None of a
    suspended shop's."""
    if workspace.current().is_suspended:
        return 0
    return sum(_start_if_due(store, now=now) for store in stores.stores())


def has_stores_to_check() -> bool:
    """Tell whether a store here was brought into step by a run, and is to be checked; there is none without a shop."""
    return bool(workspace.current().slug) and SyncRun.objects.filter(status=RunStatus.COMPLETED).exists()


def _start_if_due(store: Store, *, now: datetime) -> bool:
    spec = stores.spec_for(store.channel)
    if spec is None or Can.FETCH_INVENTORY not in spec.can or not store.is_enabled or store.disconnected_at is not None:
        return False
    if StoreSettings.of(store.settings).is_away:
        return False
    state = store.sync_state
    if state.retry_at is not None and state.retry_at > now:
        return False
    runs = SyncRun.objects.filter(target_store=store) | SyncRun.objects.filter(source_store=store)
    # Before the first run nobody knows what is there, and while one is under way it is looked at anyway.
    if not runs.filter(status=RunStatus.COMPLETED).exists() or runs.filter(status__in=_UNDER_WAY).exists():
        return False
    every = timedelta(hours=StoreSettings.of(store.settings).sync_interval_hours)
    last = runs.order_by("-created_at").values_list("created_at", flat=True).first()
    if last is not None and last > now - every:
        return False
    for earlier in runs.filter(trigger=Trigger.DRIFT, status=RunStatus.PREVIEW_READY):
        discard(earlier, now=now)
    start_preview(
        source_store_id=stores.local_store().pk, target_store_id=store.pk,
        options={"lists_new": StoreSettings.of(store.settings).list_new_lots},
        idempotency_key=f"drift:{store.pk}:{now.date().isoformat()}:{now.hour}", now=now, trigger=Trigger.DRIFT,
    )  # fmt: skip
    return True


def repairs_by_itself(run: SyncRun, hub: Hub) -> bool:
    """Tell whether a check may put right what it found: nothing is taken away or listed again, and it isn't much."""
    if not StoreSettings.of(run.target_store.settings).repair_drift:
        return False
    counts = hub.writer.counts
    if counts[Action.REMOVE.value] or counts[SkipReason.CONFLICT.value] or hub.gone:
        return False
    compared = sum(len(side.theirs) for side in hub.sides)
    changed = counts[Action.ADD.value] + counts[Action.UPDATE.value]
    return changed * 100 <= compared * REMOVAL_LIMIT_PERCENT
