"""What is known of each channel before it is talked to: forms, pages and checks are made of it.

`sync` declares its adapters' channels here, so that nothing down here knows an adapter.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Reach(StrEnum):
    """How much of a channel we can keep in step."""

    FULL = "full"
    ORDERS_ONLY = "orders_only"
    MANUAL = "manual"


class Can(StrEnum):
    """What a channel's adapter can be asked; each is the method of that name."""

    TEST_CONNECTION = "test_connection"
    FETCH_INVENTORY = "fetch_inventory"
    FETCH_LOT = "fetch_lot"
    FIND_LOTS = "find_lots"
    APPLY = "apply"
    FETCH_ORDERS = "fetch_orders"
    FETCH_ORDER = "fetch_order"
    PUSH_ORDER_STATUS = "push_order_status"
    PUSH_TRACKING = "push_tracking"
    PARSE_NOTIFICATION = "parse_notification"
    REGISTER_NOTIFICATIONS = "register_notifications"
    FETCH_MESSAGES = "fetch_messages"


class LotField(StrEnum):
    """A field of a lot that a channel may have, by the name that it has here."""

    QTY = "qty"
    PRICE = "price"
    DESCRIPTION = "description"
    REMARKS = "remarks"
    TIERS = "tiers"
    BULK = "bulk"
    SALE = "sale"
    RETAIN = "retain"
    STOCKROOM = "stockroom"


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialField:
    """One value that opens a store: what it is called on the channel, and where it is found there."""

    name: str
    label: str
    help: str = ""
    # Whether it is hidden as it is typed, and recognized by its last characters only.
    is_secret: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSpec:
    """What a channel is and can. `docs`: where every claim about it comes from."""

    code: str
    label: str
    docs: str
    reach: Reach
    can: frozenset[Can] = frozenset()
    # Of the real service; a store may have another (the sandbox's).
    url: str = ""
    credentials: tuple[CredentialField, ...] = ()
    # How a seller comes by the credentials, step by step; the page on which that begins.
    steps: tuple[str, ...] = ()
    steps_url: str = ""
    lot_fields: frozenset[LotField] = frozenset()
    # Lengths of texts there, by field.
    lengths: dict[LotField, int] = field(default_factory=dict)
    # Decimals of a price there.
    price_decimals: int = 4
    # Lots in one request, by what is done with them.
    batch_create: int = 1
    batch_update: int = 1
    batch_delete: int = 1
    per_day: int | None = None
    per_second: float = 1.0
    burst: int = 1
    # Where an order is seen on the channel, with {order_id} in it.
    order_url: str = ""
    # Its words for an order that was cancelled.
    cancelled: frozenset[str] = frozenset()
    # Where the seller tells it the address for notifications; empty where a call does.
    notify_steps: tuple[str, ...] = ()

    @property
    def batches(self) -> dict[str, int]:
        """Answer how many lots one request takes, by what is done with them."""
        return {"create": self.batch_create, "update": self.batch_update, "delete": self.batch_delete}


_declared: dict[str, ChannelSpec] = {}


def declare(spec: ChannelSpec) -> None:
    """Have a channel known. Raises ValueError for one that is known already."""
    if spec.code in _declared:
        raise ValueError(f"the channel {spec.code} is declared twice")
    _declared[spec.code] = spec


def spec_of(code: str) -> ChannelSpec:
    """Answer what is declared of a channel; LookupError where nobody speaks it."""
    try:
        return _declared[code]
    except KeyError:
        raise LookupError(f"no channel {code}") from None


def all_specs() -> tuple[ChannelSpec, ...]:
    """Answer every channel, in the order in which people see them."""
    return tuple(_declared.values())
