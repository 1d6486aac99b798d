"""What can be done to a store: add it, change it, switch it off and on, take it away."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from audit import context
from common import workspace
from common.errors import Conflict, Invalid, NotFound, StaleVersion
from events.bus import publish
from stores import guards, queries, settings_schema
from stores.channels import ChannelSpec, Reach
from stores.choices import Channel
from stores.events import StoreConnected, StoreDisconnected, StoreUpdated
from stores.models import Store, StoreCredential, StoreSyncState
from stores.services.credentials import keep, one_after_the_other, refuse_twins
from stores.settings_schema import StoreSettings

_NAME_LENGTH = 100


@transaction.atomic
def create_store(
    *, channel: str, name: str, credentials: Mapping[str, str] | None = None, settings: Mapping[str, Any] | None = None,
    is_primary: bool = False, account: str = "", set_by_id: UUID | None = None, base_url: str = "", now: datetime,
) -> Store:  # fmt: skip
    """Add a store; `base_url`, of another server than its channel's, is for the demo alone.

    Raises Invalid with errors by field, and Conflict for one that is connected already.
    """
    context.describe("stores.create_store")
    one_after_the_other()
    spec = queries.spec_for(channel)
    if spec is None:
        raise Invalid(errors={"/channel": [f"One of {', '.join(each.code for each in queries.offered_channels())}."]})
    if spec.reach is Reach.MANUAL:
        raise Invalid(errors={"/channel": ["The shop has its own counter already."]})
    today = now.astimezone(workspace.current().zone).date()
    wanted = {"import_orders_since": today, **(settings or {})}
    store = Store(
        channel=channel, name=_named(name), account=account, base_url=base_url,
        settings=settings_schema.changed({}, wanted, spec),
    )  # fmt: skip
    if is_primary:
        _give_up_primary()
        store.is_primary = True
    if credentials is not None:
        refuse_twins(channel=channel, credentials=credentials, spec=spec, account=account)
    store.save()
    StoreSyncState.objects.create(store=store)
    if credentials is not None:
        keep(store=store, spec=spec, credentials=credentials, set_by_id=set_by_id)
        publish(StoreConnected(store_id=str(store.pk), channel=channel, account=account))
    return store


@transaction.atomic
def update_store(
    *, store_id: UUID, changes: Mapping[str, Any], expected_version: int | None = None,
    confirmed_removals: int | None = None, is_restored: bool = False,
) -> Store:  # fmt: skip
    """Change a store: `name`, `is_enabled`, `is_primary`, `settings` (those given; the others stay).

    `expected_version`: what the caller saw; None compares nothing. `confirmed_removals`: how many lots are taken off by
    another choice of lots, typed by whoever wants it; needed where they are many, unless it `is_restored` by a revert.
    Raises Invalid with errors by field, StaleVersion, NotFound.
    """
    context.describe("stores.update_store")
    store, spec = lock_store(store_id)
    if expected_version is not None and expected_version != store.version:
        raise StaleVersion(
            "Somebody else changed the store meanwhile. Look at it and save again.", current_version=store.version
        )
    values: dict[str, Any] = {}
    if "name" in changes:
        values["name"] = _named(changes["name"])
    if "settings" in changes:
        values["settings"] = _settings(store, changes["settings"], spec)
        _check_choice(store, values["settings"], confirmed_removals, is_restored=is_restored)
    if "is_enabled" in changes:
        if changes["is_enabled"] and store.disconnected_at is not None:
            raise Conflict("The store is disconnected. Connect it again first.")
        values["is_enabled"] = changes["is_enabled"]
    if "is_primary" in changes:
        values["is_primary"] = changes["is_primary"]
    different = [name for name, value in values.items() if getattr(store, name) != value]
    if not different:
        return store
    if "is_primary" in different and values["is_primary"]:
        _give_up_primary()
    for name in different:
        setattr(store, name, values[name])
    store.version += 1
    store.save(update_fields=[*different, "version", "updated_at"])
    publish(StoreUpdated(store_id=str(store.pk), channel=store.channel))
    return store


@transaction.atomic
def set_away(*, is_away: bool) -> int:
    """Close all stores whose stock we keep, for a vacation, or open them again as they were; answer how many changed.

    What each shows follows from its rules: nothing is for sale there meanwhile, and all of it stays what it is.
    """
    context.describe("stores.set_away")
    changed = 0
    for store in Store.objects.select_for_update().filter(disconnected_at__isnull=True).order_by("pk"):
        spec = queries.spec_for(store.channel)
        if spec is None or spec.reach is not Reach.FULL:
            continue
        settings = settings_schema.changed(store.settings, {"is_away": is_away}, spec)
        if settings != store.settings:
            changed += settings_schema.shown(store.settings, spec)["is_away"] is not is_away
            update_store(store_id=store.pk, changes={"settings": {"is_away": is_away}})
    return changed


def lock_store(store_id: UUID) -> tuple[Store, ChannelSpec | None]:
    """Answer a store that nobody else changes until the transaction ends; raises NotFound."""
    store = Store.objects.select_for_update().filter(pk=store_id).first()
    if store is None:
        raise NotFound("There is no such store.")
    return store, queries.spec_for(store.channel)


@transaction.atomic
def disconnect_store(*, store_id: UUID, now: datetime, expected_version: int | None = None) -> Store:
    """Erase what opens a store, and leave it alone. Its orders, listings and history stay.

    Raises NotFound, StaleVersion, and Conflict for the shop's own counter.
    """
    context.describe("stores.disconnect_store")
    store, _spec = lock_store(store_id)
    if expected_version is not None and expected_version != store.version:
        raise StaleVersion("Somebody else changed the store meanwhile.", current_version=store.version)
    if store.channel == Channel.LOCAL:
        raise Conflict("The shop's own counter stays. Switch it off instead.")
    StoreCredential.objects.filter(store=store).delete()
    if store.disconnected_at is None:
        store.disconnected_at, store.is_enabled, store.is_primary = now, False, False
        store.version += 1
        store.save(update_fields=["disconnected_at", "is_enabled", "is_primary", "version", "updated_at"])
        publish(StoreDisconnected(store_id=str(store.pk), channel=store.channel))
    return store


def _settings(store: Store, changes: Mapping[str, Any], spec: ChannelSpec | None) -> dict[str, Any]:
    if spec is None:
        raise Conflict("This installation doesn't speak the store's channel.")
    return settings_schema.changed(store.settings, changes, spec)


def _check_choice(store: Store, settings: Mapping[str, Any], confirmed: int | None, *, is_restored: bool) -> None:
    if not is_restored:
        guards.check_choice(store, StoreSettings.of(settings), confirmed=confirmed)


def _give_up_primary() -> None:
    """Have no store be the primary one; each change has its history."""
    for other in Store.objects.select_for_update().filter(is_primary=True):
        other.is_primary = False
        other.version += 1
        other.save(update_fields=["is_primary", "version", "updated_at"])


def _named(name: str) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= _NAME_LENGTH:
        raise Invalid(errors={"/name": [f"A name of 1 to {_NAME_LENGTH} characters."]})
    return name
