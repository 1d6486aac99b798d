"""What an order is as it arrives: plain values, in our words, with the channel's own beside them."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from orders.lifecycle import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where it goes. `country`: ISO 3166, two capital letters, or empty."""

    name: str = ""
    address1: str = ""
    address2: str = ""
    city: str = ""
    state: str = ""
    postal: str = ""
    country: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingLine:
    """One line. `item_no`, `color_id`: as the catalog has them; empty where the channel's number means nothing to us.

    `external_line_id`: the same in every version of the order; where a channel has none, its lot's number is one.
    """

    qty: int
    unit_price: Decimal
    item_type: str = "PART"
    item_no: str = ""
    color_id: int | None = None
    condition: str = "NEW"
    completeness: str = ""
    item_name: str = ""
    description: str = ""
    # The seller's own note, where the channel gives it back: it tells equal lots apart.
    remarks: str = ""
    # Our own lot, where whoever tells the order knows it.
    lot_id: UUID | None = None
    external_line_id: str = ""
    external_lot_id: str = ""
    external_item_no: str = ""
    external_color: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingOrder:
    """An order as its channel tells it. `as_of`: for which moment that is true, its last change there or else when it
    was read; what is older than what is known changes nothing.

    `status` is None where the channel's word means none of ours: it stays as it is. `flags` are all that the channel
    raises now. `is_history`: its pieces had left before the stock was counted, so that it moves none. `unsaid`: fields
    (`ship_to.city` for a part of the address) of which its source can say nothing, so that they stay as they are.
    """

    external_order_id: str
    as_of: datetime
    ordered_at: datetime
    currency: str
    lines: tuple[IncomingLine, ...]
    status: Status | None = None
    channel_status: str = ""
    # The channel itself has taken a cancellation back.
    is_reinstated: bool = False
    payment_status: str = ""
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    ship_by: datetime | None = None
    buyer_name: str = ""
    buyer_email: str = ""
    buyer_username: str = ""
    buyer_note: str = ""
    ship_to: Address = field(default_factory=Address)
    shipping_method: str = ""
    tracking_number: str = ""
    tracking_url: str = ""
    subtotal: Decimal | None = None
    shipping_cost: Decimal = Decimal(0)
    insurance: Decimal = Decimal(0)
    tax_amount: Decimal = Decimal(0)
    discount_amount: Decimal = Decimal(0)
    grand_total: Decimal | None = None
    flags: frozenset[str] = frozenset()
    # What its adapter found odd: (code, sentence).
    warnings: tuple[tuple[str, str], ...] = ()
    is_history: bool = False
    unsaid: frozenset[str] = frozenset()
