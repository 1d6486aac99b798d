"""What stands on a channel, and what is to be done there, as plain values in our own words.

Item types, conditions and the rest are those of `data-model.md`; the channel's own words are kept beside them. Numbers
of items and colors are the channel's own: what they mean is for the catalog to say.
"""

import base64
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from stores.channels import LotField

# Of a lot's key, which is random in its last eight bytes.
_MARKER_BYTES = 8


class OrderStatus(StrEnum):
    """Where an order stands (definitions.md, section 6.1), by rank."""

    NEW = "NEW"
    PENDING = "PENDING"
    PICKING = "PICKING"
    PACKING = "PACKING"
    READY = "READY"
    SHIPPED = "SHIPPED"
    DELIVERED = "DELIVERED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"

    @property
    def rank(self) -> int:
        """Answer how far an order with this status has come; what has ended it otherwise ranks last."""
        return list(OrderStatus).index(self)


class PaymentStatus(StrEnum):
    """What is known of an order's money (definitions.md, section 6.5)."""

    UNPAID = "UNPAID"
    SUBMITTED = "SUBMITTED"
    PAID = "PAID"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"


class OrderFlag(StrEnum):
    """What is unusual about an order, beside its status."""

    ON_HOLD = "on_hold"
    CANCEL_REQUESTED = "cancel_requested"
    PAYMENT_PROBLEM = "payment_problem"
    DISPUTE = "dispute"
    ITEMS_CHANGED = "items_changed"


# Of these three there are hundreds of thousands at once: tuples are made, compared and hashed by Python itself.
class LotState(NamedTuple):
    """The fields of a lot that are kept in step, in the order of LotField. None: the channel has no such field."""

    qty: int
    price: Decimal
    description: str | None = None
    remarks: str | None = None
    # Quantity and price of each step, the smallest quantity first.
    tiers: tuple[tuple[int, Decimal], ...] | None = None
    bulk: int | None = None
    sale: int | None = None
    retain: bool | None = None
    # A, B or C; empty for a lot that is on sale.
    stockroom: str | None = None

    def differences(self, other: "LotState", among: Collection[LotField]) -> tuple[LotField, ...]:
        """Answer in which of those fields the other differs, in the order of LotField."""
        if self == other:
            return ()
        fields = zip(LotField, self, other, strict=True)
        return tuple(each for each, mine, others in fields if mine != others and each in among)


class RemoteItem(NamedTuple):
    """What a lot is of. `color_no`: None for what has no color; `type_word` and `condition_word`: the channel's own.

    `numbers`: what it is elsewhere by the channel's own word, as `system:number` with the systems of the catalog.
    """

    item_type: str
    item_no: str
    condition: str
    color_no: str | None = None
    completeness: str | None = None
    sub_condition: str | None = None
    name: str = ""
    color_name: str = ""
    type_word: str = ""
    condition_word: str = ""
    numbers: tuple[str, ...] = ()


class RemoteLot(NamedTuple):
    """A lot as it stands on a channel."""

    lot_id: str
    item: RemoteItem
    state: LotState
    # The key of ours, or of another program's, that the channel keeps with the lot.
    marker: str = ""
    # Of the lot there, where the channel counts its changes.
    version: str = ""
    is_for_sale: bool = True
    weight_grams: Decimal | None = None
    cost: Decimal | None = None
    created_at: datetime | None = None
    # What couldn't be read as it stands there, in words.
    warnings: tuple[str, ...] = ()
    # So many of its pieces buyers hold who are checking out: nobody can take these away, and they may come back.
    in_carts: int = 0


class Act(StrEnum):
    """What is to be done to a lot on a channel."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One lot to be created, changed or deleted.

    `key`: the caller's own, by which the outcome is found; the same operation is tried again under the same key only
    where it isn't known whether it was done. `marker`: written with a new lot, so that it is found again; of a change,
    the one that the lot carries, which stays with it. `before`: what was last seen there; only what `after` has
    otherwise is changed, a quantity by the difference.
    """

    key: str
    act: Act
    lot_id: str = ""
    marker: str = ""
    item: RemoteItem | None = None
    before: LotState | None = None
    after: LotState | None = None
    # Of the lot as it was last seen, where the channel counts its changes.
    version: str = ""


class Verdict(StrEnum):
    """What became of an operation."""

    DONE = "done"
    # Refused: sending it again changes nothing.
    REFUSED = "refused"
    # Refused, because the lot is no longer as it was last seen, or gone.
    STALE = "stale"
    # Sent, and no answer: the lot is to be read before it is sent again.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one operation. `lot`: how it stands now, where the channel answers that.

    A lot that was created without its id being told has an empty `lot_id`: `find_lots` finds it by its marker.
    `unset`: fields that the channel refused although it took the rest. `kept`: so many pieces it has more than it
    should, since nobody can take them away now; all else was done.
    """

    key: str
    verdict: Verdict
    lot_id: str = ""
    lot: RemoteLot | None = None
    reason: str = ""
    unset: tuple[LotField, ...] = ()
    kept: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where an order goes; `country` by ISO 3166-1, two letters. `full`: as the channel writes it in one piece."""

    name: str = ""
    address1: str = ""
    address2: str = ""
    city: str = ""
    state: str = ""
    postal: str = ""
    country: str = ""
    phone: str = ""
    full: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """Who ordered."""

    username: str = ""
    name: str = ""
    email: str = ""
    user_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteLine:
    """So many of a lot in an order. `unit_price`: what the buyer pays for one, after tiers and sale."""

    line_id: str
    lot_id: str
    marker: str = ""
    item: RemoteItem
    qty: int
    unit_price: Decimal
    line_total: Decimal
    description: str = ""
    remarks: str = ""
    qty_refunded: int = 0
    weight_grams: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteOrder:
    """An order as a channel has it. `status`: None where the channel's word leaves ours as it is.

    `lines`: None where the channel no longer tells. Amounts are in `currency`, the order's own.
    """

    order_id: str
    number: str
    channel_status: str
    status: OrderStatus | None
    payment_status: PaymentStatus | None
    flags: frozenset[OrderFlag] = frozenset()
    buyer: Buyer = field(default_factory=Buyer)
    ship_to: Address | None = None
    shipping_method: str = ""
    tracking_number: str = ""
    tracking_url: str = ""
    currency: str
    subtotal: Decimal
    shipping_cost: Decimal = Decimal(0)
    insurance: Decimal = Decimal(0)
    tax_amount: Decimal = Decimal(0)
    discount_amount: Decimal = Decimal(0)
    grand_total: Decimal
    note: str = ""
    ordered_at: datetime
    changed_at: datetime | None = None
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    weight_grams: Decimal | None = None
    lines: tuple[RemoteLine, ...] | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Some orders that are new or changed, and the cursor that stands behind them.

    `misread`: numbers of those that came in a form that isn't known, or didn't come.
    """

    orders: tuple[RemoteOrder, ...]
    cursor: str
    misread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPush:
    """What a channel is to be told of an order. `channel_status`: the channel's own word, as last seen."""

    order_id: str
    status: OrderStatus
    channel_status: str
    is_paid: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """How a parcel can be followed."""

    order_id: str
    number: str
    url: str = ""
    carrier: str = ""
    shipped_at: datetime | None = None


class Pushed(StrEnum):
    """What became of what a channel was told."""

    DONE = "done"
    # The channel has no word for it, or is as far already.
    NOT_NEEDED = "not_needed"
    # Where the order stands there now, its seller can't move it so.
    NOT_YET = "not_yet"
    # The channel takes it from its seller alone, on its own pages.
    BY_HAND = "by_hand"


class Topic(StrEnum):
    """What a channel tells us about by itself."""

    ORDER = "order"
    LOT = "lot"
    MESSAGE = "message"
    STORE = "store"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What a channel's notification says: something to look at, and nothing to believe.

    `account`: whose it is there, where the channel says so. `hint_id`: its own key, for telling repetitions.
    """

    topic: Topic
    resource_id: str = ""
    account: str = ""
    hint_id: str = ""


@dataclass(frozen=True, slots=True)
class Registration:
    """A channel's promise to tell us what happens: its own number for that, and what it signs with."""

    number: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A request as it came in: the body untouched, headers in small letters."""

    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a buyer and a seller wrote to each other about an order."""

    sender: str
    recipient: str
    subject: str
    body: str
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopFacts:
    """What a channel says of the store that it was asked with. None: it doesn't say."""

    name: str = ""
    currency: str = ""
    country: str = ""
    # The store's own number there.
    account: str = ""
    lots_count: int | None = None
    # Of the day, by the channel's own count.
    calls_left: int | None = None
    # In words: what works, and yet isn't as it should be.
    warnings: tuple[str, ...] = ()


class Refusal(StrEnum):
    """Why a channel refuses credentials: member `reason` of CredentialsRefused."""

    WRONG_SECRET = "wrong_secret"  # noqa: S105  # the name of a fault
    WRONG_KEY = "wrong_key"
    REVOKED = "revoked"
    ADDRESS = "address"
    CLOCK = "clock"
    SCOPE = "scope"
    NOT_APPROVED = "not_approved"
    BLOCKED = "blocked"


def marker_of(key: UUID) -> str:
    """Answer the marker of what has this key: 13 small letters and digits."""
    return base64.b32encode(key.bytes[-_MARKER_BYTES:]).decode().rstrip("=").lower()
