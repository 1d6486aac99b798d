"""What people see of the orders between a store and us: what couldn't be taken over, and what the channel was told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from orders.models import Order
from stores.channels import Can, ChannelSpec
from stores.models import Store
from stores.queries import get_store, spec_for
from sync.addresses import url_of
from sync.models import NotifyAddress, OrderMessage, OrderTold, StuckOrder
from sync.queries.asking import tells_by_itself

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Stuck:
    """An order that couldn't be taken over."""

    id: int
    number: str
    error: str
    retry_at: datetime
    since: datetime
    store_id: UUID
    store: str
    # Where it is seen on its channel.
    url: str


@dataclass(frozen=True, slots=True)
class Untold:
    """An order of which its channel doesn't know yet what it should. `waits`: until it stands elsewhere there."""

    number: str
    url: str
    error: str
    retry_at: datetime | None
    waits: bool


@dataclass(frozen=True, slots=True)
class OfStore:
    """What waits between a store and us, and where its channel tells us things."""

    store: Store
    label: str
    stuck: Sequence[Stuck]
    untold: Sequence[Untold]
    notify_url: str
    notify_steps: tuple[str, ...]
    is_registered: bool
    last_heard_at: datetime | None
    can_notify: bool


def of_store(store_id: UUID) -> OfStore:
    """Answer what waits between a store and us. Raises NotFound."""
    store = get_store(store_id)
    spec = spec_for(store.channel)
    address = NotifyAddress.objects.select_related("store").filter(store=store).first()
    # Where a call registers it, nobody has to see it.
    is_by_hand = spec is not None and bool(spec.notify_steps)
    return OfStore(
        store=store, label=spec.label if spec else "", stuck=stuck_orders(store_id=store_id),
        untold=_untold(store), notify_url=url_of(address) if address and is_by_hand else "",
        notify_steps=spec.notify_steps if spec else (),
        is_registered=address is not None and address.registered_at is not None,
        last_heard_at=address.last_heard_at if address else None,
        can_notify=spec is not None and tells_by_itself(spec),
    )  # fmt: skip


def stuck_orders(*, store_id: UUID | None = None) -> list[Stuck]:
    """Answer the orders that couldn't be taken over, the latest first: of one store, or of all."""
    found = StuckOrder.objects.select_related("store").order_by("-since", "-pk")
    rows = found.filter(store=store_id) if store_id else found
    return [
        Stuck(
            row.pk, row.external_order_id, row.error, row.retry_at, row.since, row.store_id, row.store.name,
            _there(spec_for(row.store.channel), row.external_order_id),
        )
        for row in rows[:_SHOWN]
    ]  # fmt: skip


def _untold(store: Store) -> list[Untold]:
    rows = OrderTold.objects.filter(store=store).exclude(error="").select_related("order").order_by("-since", "pk")
    return [
        Untold(
            row.order.external_order_id, reverse("orders:order", args=[row.order_id]), row.error,
            row.retry_at if row.is_due else None, _waits(row, row.order),
        )
        for row in rows[:_SHOWN]
    ]  # fmt: skip


def _waits(told: OrderTold, order: Order) -> bool:
    """Tell whether it can't be told from where the order stands on its channel."""
    return bool(told.waits_at) and told.waits_at == order.channel_status


def _there(spec: ChannelSpec | None, number: str) -> str:
    return spec.order_url.format(order_id=number) if spec and spec.order_url and number.isalnum() else ""


@dataclass(frozen=True, slots=True)
class Said:
    """What a channel was told of an order, and when."""

    what: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ToldView:
    """An order as its channel knows it. `url`: its page there; `next_at`: when it is told again; `waits`: it can't be
    told from where the order stands there; `messages`: None where the channel doesn't let them be read."""

    order: Order
    label: str
    url: str
    word: str
    said: tuple[Said, ...]
    error: str
    is_due: bool
    waits: bool
    next_at: datetime | None
    messages: Sequence[OrderMessage] | None


def told_of(order: Order) -> ToldView | None:
    """Answer what its channel was told of an order and what was written there, None for one that has no channel."""
    spec = spec_for(order.store.channel)
    if spec is None or Can.FETCH_ORDERS not in spec.can:
        return None
    told = OrderTold.objects.filter(pk=order.pk).first()
    said = [Said(row["what"], datetime.fromisoformat(row["at"])) for row in (told.said if told else ())]
    waits = told is not None and _waits(told, order)
    is_due = told is not None and told.is_due and not waits
    retry_at = told.retry_at if told is not None and is_due else None
    return ToldView(
        order=order, label=spec.label, url=_there(spec, order.external_order_id), word=order.channel_status,
        said=tuple(reversed(said)), error=told.error if told else "", is_due=is_due, waits=waits,
        next_at=retry_at if retry_at and retry_at > timezone.now() else None,
        messages=_messages(order) if Can.FETCH_MESSAGES in spec.can else None,
    )  # fmt: skip


def _messages(order: Order) -> list[OrderMessage]:
    return list(OrderMessage.objects.filter(order=order).order_by("-position"))
