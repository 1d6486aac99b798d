"""What stores there are, how they fare, and who may be asked what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, F, IntegerField, QuerySet, Value, When

from common import workspace
from common.errors import NotFound
from common.wire import Breaker, Budget
from stores import channels, settings_schema
from stores.channels import ChannelSpec, Reach
from stores.choices import Channel, StoreState
from stores.models import Store, StoreCredential, StoreSyncState
from stores.settings_schema import StoreSettings

# How the state of what opens a store is shown: the last characters of each secret.
_DOTS = "••••"


@dataclass(frozen=True, slots=True)
class ShownCredential:
    """One value that opens a store, as its owner may see it: never the value."""

    label: str
    hint: str


@dataclass(frozen=True, slots=True)
class StoreView:
    """A store as it is shown: what it is, how it fares, what it may still ask today."""

    store: Store
    state: StoreSyncState
    spec: ChannelSpec | None
    settings: Mapping[str, Any]
    credentials: tuple[ShownCredential, ...]
    credential: StoreCredential | None
    calls_used: int
    calls_limit: int | None
    # Seconds for which everybody leaves it alone after repeated failures.
    left_alone_s: float

    @property
    def is_connected(self) -> bool:
        """Tell whether there is somebody to ask, and something that opens it."""
        return self.credential is not None and self.store.disconnected_at is None

    @property
    def is_manual(self) -> bool:
        """Tell whether it is the shop's own counter, or of a channel that this installation doesn't speak."""
        return self.spec is None or self.spec.reach is Reach.MANUAL

    @property
    def health(self) -> str:
        """Answer how it fares: `off`, `gone`, `manual`, `refused`, `paused`, `limited`, `slow` or `ok`."""
        if self.is_manual:
            return "manual" if self.store.is_enabled else "off"
        if not self.is_connected:
            return "gone"
        if not self.store.is_enabled:
            return "off"
        by_state = {
            StoreState.NEEDS_RECONNECT: "refused",
            StoreState.PAUSED: "paused",
            StoreState.LIMITED: "limited",
        }
        is_failing = self.left_alone_s or self.state.last_error
        return by_state.get(StoreState(self.state.state)) or ("slow" if is_failing else "ok")

    @property
    def orders_since(self) -> date | None:
        """Answer from which day on orders are brought in, None for all."""
        return StoreSettings.of(self.store.settings).import_orders_since

    @property
    def calls_left(self) -> int | None:
        """Answer how many calls the day still has, None where nobody counts them."""
        return None if self.calls_limit is None else max(0, self.calls_limit - self.calls_used)


def wire_key(store_id: UUID) -> str:
    """Answer the name under which all workers count a store's calls and failures."""
    return f"store:{workspace.current_key()}:{store_id}"


def spec_for(channel: str) -> ChannelSpec | None:
    """Answer what is declared of a channel, None where this installation doesn't speak it."""
    try:
        return channels.spec_of(channel)
    except LookupError:
        return None


def offered_channels() -> list[ChannelSpec]:
    """Answer the channels on which a store can be connected."""
    return [spec for spec in channels.all_specs() if spec.reach is not Reach.MANUAL]


def stores() -> "QuerySet[Store]":
    """Answer all stores with how they fare, the primary one first, the shop's own counter last."""
    by_rank = Case(When(is_primary=True, then=0), When(channel=Channel.LOCAL, then=2), default=Value(1))
    return (
        Store.objects.select_related("sync_state", "credential", "credential__set_by")
        .annotate(rank=Case(When(disconnected_at__isnull=False, then=3), default=by_rank, output_field=IntegerField()))
        .order_by("rank", "name", "pk")
    )


def list_stores(*, now: datetime) -> list[StoreView]:
    """Answer every store as it is shown."""
    return [view_of(store, now=now) for store in stores()]


def get_store(store_id: UUID) -> Store:
    """Answer a store; raises NotFound."""
    store = stores().filter(pk=store_id).first()
    if store is None:
        raise NotFound("There is no such store.")
    return store


def get_view(store_id: UUID, *, now: datetime) -> StoreView:
    """Answer a store as it is shown; raises NotFound."""
    return view_of(get_store(store_id), now=now)


def view_of(store: Store, *, now: datetime) -> StoreView:
    """Answer a store that came with how it fares as it is shown."""
    spec = spec_for(store.channel)
    credential: StoreCredential | None = getattr(store, "credential", None)
    state: StoreSyncState = store.sync_state
    hints = credential.hints if credential else {}
    told = state.rate_limit_state
    is_today = told.get("day") == now.date().isoformat()
    return StoreView(
        store=store,
        state=state,
        spec=spec,
        settings=settings_schema.shown(store.settings, spec) if spec else {},
        credentials=tuple(
            ShownCredential(each.label, f"{_DOTS}{hints[each.name]}")
            for each in (spec.credentials if spec else ())
            if each.name in hints
        ),
        credential=credential,
        calls_used=int(told.get("used", 0)) if is_today else 0,
        calls_limit=spec.per_day if spec else None,
        left_alone_s=Breaker(key=wire_key(store.pk)).paused_s() if spec and spec.can else 0.0,
    )


def budget_of(store: Store, spec: ChannelSpec, *, ledger: Any = None) -> Budget:
    """Answer how often a store may be asked, counted for all workers together."""
    return Budget(
        key=wire_key(store.pk), label=spec.label, per_second=spec.per_second, burst=spec.burst, per_day=spec.per_day,
        ledger=ledger,
    )  # fmt: skip


def used_calls(store_id: UUID, day: str) -> int:
    """Answer the calls that were made to a store on that day."""
    told = StoreSyncState.objects.filter(store_id=store_id).values_list("rate_limit_state", flat=True).first() or {}
    return int(told.get("used", 0)) if told.get("day") == day else 0


def is_refused(store_id: UUID) -> bool:
    """Tell whether a store has refused its credentials, and nobody has renewed or tried them since."""
    return StoreSyncState.objects.filter(store_id=store_id, state=StoreState.NEEDS_RECONNECT).exists()


def opened_with(store_id: UUID) -> dict[str, str] | None:
    """Answer what opens a store, None where nothing does. For adapters alone; never shown."""
    credential = StoreCredential.objects.filter(store_id=store_id).first()
    return None if credential is None else dict(credential.encrypted_data)


def store_opened_with(channel: str, values: Mapping[str, str], *, besides: UUID | None = None) -> Store | None:
    """Answer the store of that channel that is opened with the same values already, if any."""
    rows = StoreCredential.objects.filter(store__channel=channel).select_related("store")
    return next((row.store for row in rows if row.store_id != besides and row.encrypted_data == dict(values)), None)


def store_of_account(channel: str, account: str, *, besides: UUID | None = None) -> Store | None:
    """Answer the store that has this number of its own on that channel, if any; connected before others."""
    if not account:
        return None
    rows = Store.objects.filter(channel=channel, account=account).order_by(
        F("disconnected_at").desc(nulls_first=True), "pk"
    )
    return next((store for store in rows if store.pk != besides), None)


def local_store() -> Store:
    """Answer the shop's own counter, which every shop has."""
    return Store.objects.get(channel=Channel.LOCAL)


def all_stores() -> list[Store]:
    """Answer every store, the counter last."""
    return sorted(Store.objects.all(), key=lambda store: (store.channel == Channel.LOCAL, store.name.casefold()))
