"""What opens a store: kept encrypted, replaced, told apart by its last characters, and never read out."""

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from audit import context
from common import crypto
from common.errors import Conflict, Invalid, NotFound
from events.bus import publish
from stores import queries
from stores.channels import ChannelSpec, Reach
from stores.choices import Channel, StoreState
from stores.events import StoreConnected
from stores.models import Store, StoreCredential, StoreSyncState

_LONGEST = 500
# Of a value that is shorter, the last characters would give too much away.
_SHORTEST_HINTED, _HINT = 8, 4


@transaction.atomic
def set_credentials(
    *, store_id: UUID, credentials: Mapping[str, str], account: str = "", set_by_id: UUID | None = None
) -> Store:  # fmt: skip
    """Set or replace what opens a store, which is connected by that.

    Raises Invalid with errors by field, Conflict where another store is opened with the same, NotFound.
    """
    context.describe("stores.set_credentials")
    one_after_the_other()
    store = Store.objects.select_for_update().filter(pk=store_id).first()
    if store is None:
        raise NotFound("There is no such store.")
    spec = queries.spec_for(store.channel)
    if spec is None or spec.reach is Reach.MANUAL:
        raise Conflict("Nothing opens this store: there is no server behind it.")
    refuse_twins(channel=store.channel, credentials=credentials, spec=spec, account=account, besides=store_id)
    keep(store=store, spec=spec, credentials=credentials, set_by_id=set_by_id)
    if store.disconnected_at is not None:
        store.disconnected_at, store.is_enabled = None, True
    if account:
        store.account = account
    # The row changes also where only its credentials did, so that the trail says when.
    store.version += 1
    store.save(update_fields=["disconnected_at", "is_enabled", "account", "version", "updated_at"])
    StoreSyncState.objects.filter(store=store).update(
        state=StoreState.OK, retry_at=None, last_error="", consecutive_failures=0
    )
    publish(StoreConnected(store_id=str(store.pk), channel=store.channel, account=store.account))
    return store


def cleaned(credentials: Mapping[str, str], spec: ChannelSpec) -> dict[str, str]:
    """Answer the values without blanks around them. Raises Invalid with errors by field, none of which has a value."""
    names = {each.name for each in spec.credentials}
    errors = {f"/credentials/{name}": [f"{spec.label} has no such value."] for name in credentials if name not in names}
    values = {}
    for each in spec.credentials:
        value = str(credentials.get(each.name) or "").strip()
        if not value:
            errors[f"/credentials/{each.name}"] = [f"{each.label} is missing."]
        elif len(value) > _LONGEST or not value.isprintable() or not value.isascii() or " " in value:
            errors[f"/credentials/{each.name}"] = [f"{each.label} has no blanks or special characters. Copy it again."]
        values[each.name] = value
    if errors:
        raise Invalid(errors=errors)
    return values


def one_after_the_other() -> None:
    """Have whoever connects a store wait for who does already: what isn't there yet can't be locked."""
    Store.objects.select_for_update().get(channel=Channel.LOCAL)


def refuse_twins(
    *, channel: str, credentials: Mapping[str, str], spec: ChannelSpec, account: str = "", besides: UUID | None = None
) -> None:  # fmt: skip
    """Raise Conflict where another store is opened with the same values, or is the same by the channel's own word.

    Its orders would come in twice, and its stock be sold twice.
    """
    values = cleaned(credentials, spec)
    twin = queries.store_opened_with(channel, values, besides=besides) or queries.store_of_account(
        channel, account, besides=besides
    )
    if twin is None:
        return
    if twin.disconnected_at is not None:
        raise Conflict(
            f"These open {twin.name}, which was connected before. Connect it again on its own page, and its orders and"
            " listings go on.",
            store_id=str(twin.pk),
        )
    raise Conflict(f"These open a store that is connected already: {twin.name}.", store_id=str(twin.pk))


def keep(*, store: Store, spec: ChannelSpec, credentials: Mapping[str, str], set_by_id: UUID | None) -> None:
    """Keep what opens a store, in the present transaction."""
    values = cleaned(credentials, spec)
    StoreCredential.objects.update_or_create(  # type: ignore[misc]  # JSON at run time
        store=store,
        defaults={
            "encrypted_data": values,
            "encryption_key_id": crypto.key_id(),
            "hints": {name: value[-_HINT:] if len(value) >= _SHORTEST_HINTED else "" for name, value in values.items()},
            "set_by_id": set_by_id,
        },
    )
