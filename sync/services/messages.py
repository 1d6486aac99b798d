"""What buyers and the shop wrote to each other on a channel: read when it tells of a message, or somebody looks.

It is kept for the order's page, and answered there.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from common.errors import BudgetExhausted, Conflict, ProviderError
from common.wire import CallClass
from orders.models import Order
from orders.queries.orders import get_order
from stores import services as stores
from stores.channels import Can
from stores.queries import spec_for
from sync.models import Notice, OrderMessage, OrderTold
from sync.remote import Message, Topic
from sync.services.connecting import connect

_MOST = 200
_NAME_LENGTH, _SUBJECT_LENGTH, _BODY_LENGTH = 120, 300, 20_000


def read_messages(*, order_id: UUID, now: datetime) -> int:
    """Read what was written about an order; answer how many messages there are.

    Raises NotFound; Conflict where its channel has none or can't be asked; ProviderError and BudgetExhausted, which are
    kept with the store.
    """
    order = get_order(order_id)
    spec = spec_for(order.store.channel)
    if spec is None or Can.FETCH_MESSAGES not in spec.can:
        raise Conflict("Messages of this channel are read on its own pages.")
    adapter = connect(order.store_id, call_class=CallClass.USUAL)
    try:
        found = adapter.fetch_messages(order.external_order_id)
    except (ProviderError, BudgetExhausted) as error:
        stores.note_failure(store_id=order.store_id, error=error, now=now)
        raise
    return _keep(order.pk, found[-_MOST:], now=now)


@transaction.atomic
def _keep(order_id: UUID, found: Collection[Message], *, now: datetime) -> int:
    # Whoever deletes the buyer's data holds the order too.
    order = Order.objects.select_for_update(of=("self",), no_key=True).select_related("buyer").get(pk=order_id)
    OrderMessage.objects.filter(order=order).delete()
    if order.buyer is not None and order.buyer.erased_at:
        return 0
    buyer = order.buyer_username.strip().lower()
    rows = [
        OrderMessage(
            order=order, position=position, is_ours=bool(buyer) and each.sender.strip().lower() != buyer,
            sender=_text(each.sender, _NAME_LENGTH), subject=_text(each.subject, _SUBJECT_LENGTH),
            body=_text(each.body, _BODY_LENGTH), sent_at=each.sent_at, read_at=now,
        )
        for position, each in enumerate(found, start=1)
    ]  # fmt: skip
    OrderMessage.objects.bulk_create(rows)
    return len(rows)


def _text(text: str, most: int) -> str:
    return text.replace("\x00", "")[:most]


def read_noticed(*, store_id: UUID, now: datetime) -> None:
    """Read the messages of those orders of which the channel told that somebody wrote. What it tells of no order that
    is here is left. Raises as `read_messages` does."""
    notices = list(Notice.objects.filter(store=store_id, worked_at=None, topic=Topic.MESSAGE).order_by("pk"))
    numbers = {notice.resource_id for notice in notices}
    known = Order.objects.filter(store=store_id, external_order_id__in=numbers)
    orders = dict(known.values_list("external_order_id", "pk"))
    for number in numbers:
        if number in orders:
            read_messages(order_id=orders[number], now=now)
        done = [notice.pk for notice in notices if notice.resource_id == number]
        Notice.objects.filter(pk__in=done).update(worked_at=now)


@transaction.atomic
def forget_people(*, order_ids: Collection[UUID]) -> None:
    """Delete what is kept here of the buyers of orders: what they wrote, and where their parcels went."""
    OrderMessage.objects.filter(order__in=order_ids).delete()
    OrderTold.objects.filter(order__in=order_ids).update(tracking="")
