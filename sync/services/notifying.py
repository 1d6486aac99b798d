"""What channels tell by themselves: kept at once, believed never, looked at soon after.

A store's notifications come to an address with a secret in it, at its shop's own host; where the channel signs them,
the signature counts. All that follows is that orders are read, or that a lot is.
"""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from common.background import enqueue
from common.errors import BadRequest, NotFound, ProviderRejected
from common.wire import CallClass
from inventory.models import InventoryExternalId
from stores.channels import Can, spec_of
from stores.queries import get_store
from sync.channels import registry
from sync.models import Notice, NotifyAddress
from sync.queries.asking import tells_by_itself
from sync.remote import Hint, Incoming, Topic
from sync.services import bases, bells
from sync.services.connecting import connect, probe_store

LOOK = "sync.look_at_notices"
LISTEN = "sync.listen"
_TOKEN_BYTES = 32
# Of one request, and of one store as long as nobody has looked; orders are read every few minutes all the same.
_MOST_HINTS, _MOST_WAITING = 100, 1_000
_ID_LENGTH, _RESOURCE_LENGTH = 200, 100
KEPT = timedelta(days=14)


@transaction.atomic
def give_address(*, store_id: UUID) -> NotifyAddress | None:
    """Answer the address of a store's notifications, made where it has none; None where its channel tells nothing."""
    store = get_store(store_id)
    if not tells_by_itself(spec_of(store.channel)) or store.disconnected_at is not None:
        return None
    found, _ = NotifyAddress.objects.get_or_create(store=store, defaults={"token": secrets.token_urlsafe(_TOKEN_BYTES)})
    return found


@transaction.atomic
def take_address(*, store_id: UUID) -> None:
    """Have nothing be taken any more from who knows a store's address."""
    NotifyAddress.objects.filter(store_id=store_id).delete()


def listen(*, store_id: UUID, url: str, now: datetime) -> bool:
    """Have a store's channel tell what happens there, where a call does that; answer whether it does now.

    Raises Conflict where the store can't be asked, ProviderError and BudgetExhausted: nothing depends on it.
    """
    address = give_address(store_id=store_id)
    if address is None or address.registered_at is not None:
        return address is not None
    if Can.REGISTER_NOTIFICATIONS not in spec_of(get_store(store_id).channel).can:
        return False
    made = connect(store_id, call_class=CallClass.USUAL).register_notifications(url)
    with transaction.atomic():
        kept = NotifyAddress.objects.select_for_update().filter(pk=address.pk).first()
        if kept is None:
            return False
        kept.encrypted_data, kept.registered_at = {"number": made.number, "secret": made.secret}, now
        kept.save(update_fields=["encrypted_data", "registered_at"])
    return True


@transaction.atomic
def take_in(*, channel: str, token: str, incoming: Incoming, now: datetime) -> int:
    """Keep what a channel tells of a store, and have it looked at; answer how much of it is new.

    Raises NotFound for an address that leads to no store, BadRequest for what its channel can't have sent.
    """
    address = NotifyAddress.objects.select_related("store").filter(token=token, store__channel=channel).first()
    if address is None or not address.store.is_enabled or address.store.disconnected_at is not None:
        raise NotFound
    secret = str((address.encrypted_data or {}).get("secret", ""))
    try:
        hints = registry.get(channel).parse_notification(incoming, secret=secret, now=now)
    except ProviderRejected as error:
        raise BadRequest(error.detail) from error
    store_id = address.store_id
    NotifyAddress.objects.filter(pk=store_id).update(last_heard_at=now)
    room = _MOST_WAITING - Notice.objects.filter(store=store_id, worked_at=None).count()
    rows = [_notice(store_id, hint, now=now) for hint in hints[: min(_MOST_HINTS, max(0, room))]]
    before = Notice.objects.filter(store=store_id).aggregate(last=Max("pk"))["last"] or 0
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    new = Notice.objects.filter(store=store_id, pk__gt=before).count()
    if new:
        enqueue(LOOK, store_id=str(store_id))
    return new


def _notice(store_id: UUID, hint: Hint, *, now: datetime) -> Notice:
    # Where the channel says no moment, the same within a minute is the same.
    key = hint.hint_id or f"{hint.topic}:{hint.resource_id}:"
    key = f"{key}{now:%Y%m%d%H%M}" if key.endswith(":") else key
    return Notice(
        store_id=store_id, hint_id=key[:_ID_LENGTH], topic=hint.topic.value,
        resource_id=hint.resource_id[:_RESOURCE_LENGTH], received_at=now,
    )  # fmt: skip


def look_at_lots(*, store_id: UUID, now: datetime) -> None:
    """Look at what isn't about orders and messages: lots are read before anything is sent to them, stores are asked how
    they are."""
    waiting = Notice.objects.filter(store=store_id, worked_at=None).exclude(topic__in=[Topic.ORDER, Topic.MESSAGE])
    rows = list(waiting.values_list("pk", "topic", "resource_id"))
    if not rows:
        return
    numbers = {resource for _pk, topic, resource in rows if topic == Topic.LOT}
    listings = InventoryExternalId.objects.filter(store=store_id, external_lot_id__in=numbers)
    with transaction.atomic():
        # Our own changes come back as news too; those are as we expect them.
        bases.must_read(listing_ids=list(listings.values_list("pk", flat=True)))
        _worked([pk for pk, _topic, _resource in rows], now=now)
        if numbers:
            bells.ring(store_id)
    if any(topic == Topic.STORE for _pk, topic, _resource in rows):
        probe_store(store_id=store_id, now=now)


def orders_to_look_at(store_id: UUID) -> list[int]:
    """Answer the notices about orders that nobody has looked at."""
    return list(Notice.objects.filter(store=store_id, worked_at=None, topic=Topic.ORDER).values_list("pk", flat=True))


@transaction.atomic
def note_looked(*, notices: list[int], now: datetime) -> None:
    """Keep that what these notices are about was looked at."""
    _worked(notices, now=now)


def _worked(notices: list[int], *, now: datetime) -> None:
    Notice.objects.filter(pk__in=notices).update(worked_at=now)


@transaction.atomic
def forget_old(*, now: datetime) -> int:
    """Delete notices that are long looked at."""
    return Notice.objects.filter(received_at__lt=now - KEPT).delete()[0]
