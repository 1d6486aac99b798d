"""What can have happened to orders. One at a time, or some in one event; ids and plain values only."""

from dataclasses import dataclass
from uuid import UUID

from events.schemas import Payload, event


@dataclass(frozen=True, slots=True)
class _OfOrder(Payload):
    """Something about one order: events of one order are told in their order."""

    order_id: UUID
    store_id: UUID
    external_order_id: str

    @property
    def entity_key(self) -> str:
        return f"order:{self.order_id}"


@event("order.created")
@dataclass(frozen=True, slots=True)
class OrderCreated(_OfOrder):
    """An order arrived or was typed in."""

    status: str
    currency: str
    grand_total: str


@event("order.updated")
@dataclass(frozen=True, slots=True)
class OrderUpdated(_OfOrder):
    """An order's lines, amounts, address, payment, flags, notes or tags changed; `fields` says which."""

    fields: tuple[str, ...]


@event("order.status_changed")
@dataclass(frozen=True, slots=True)
class OrderStatusChanged(_OfOrder):
    """An order went from one status to another. `by`: U a person, S the system, C its channel, R a revert.

    What came from the channel isn't told to the channel again.
    """

    before: str
    after: str
    by: str


@event("order.cancelled")
@dataclass(frozen=True, slots=True)
class OrderCancelled(_OfOrder):
    """An order ended before it was shipped."""

    by: str
    reason: str


@event("order.shipped")
@dataclass(frozen=True, slots=True)
class OrderShipped(_OfOrder):
    """An order left the house."""

    by: str


@event("order.refunded", public=False)
@dataclass(frozen=True, slots=True)
class OrderRefunded(_OfOrder):
    """Money of an order was given back."""

    refund_id: UUID
    amount: str
    currency: str


@event("buyer.erased", public=False)
@dataclass(frozen=True, slots=True)
class BuyerErased(Payload):
    """A buyer's personal data was deleted; whoever keeps copies deletes theirs."""

    buyer_id: UUID
    order_ids: tuple[UUID, ...]

    @property
    def entity_key(self) -> str:
        return f"buyer:{self.buyer_id}"
