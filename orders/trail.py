"""How the audit log calls orders and what is done to them."""

from typing import Any

from django.urls import reverse

from audit import labels
from catalog import colors
from orders.choices import Flag, IdentityKind
from orders.models import Buyer, BuyerIdentity, Order, OrderLine, Refund

_ACTIONS = {
    "orders.cancel_order": "Cancelled an order",
    "orders.change_status": "Changed an order's status",
    "orders.close_old": "Completed old orders",
    "orders.cover_shortages": "Reserved pieces that came in",
    "orders.match_waiting": "Matched lines with lots that came in",
    "orders.create_order": "Added an order",
    "orders.create_replacement": "Added a replacement order",
    "orders.drop_short": "Took missing pieces off an order",
    "orders.erase_buyer": "Deleted a buyer's personal data",
    "orders.erase_old_buyers": "Deleted old personal data",
    "orders.import_order": "Took over an order",
    "orders.match_line": "Said which lot a line is of",
    "orders.merge_buyers": "Merged buyers",
    "orders.refund_order": "Refunded an order",
    "orders.remove_refund": "Took a refund back",
    "orders.reserve_again": "Reserved again",
    "orders.set_buyer_notes": "Changed a buyer's notes",
    "orders.set_lines": "Changed an order's lines",
    "orders.set_payment": "Changed an order's payment",
    "orders.ship_alone": "Took an order out of its parcel",
    "orders.ship_order": "Shipped an order",
    "orders.ship_together": "Put orders into one parcel",
    "orders.take_from_lot": "Took missing pieces from another lot",
    "orders.tag_orders": "Tagged orders",
    "orders.update_order": "Changed an order",
    "jobs.take_orders": "Import orders",
}


def _color_name(value: Any) -> str:
    color = colors.get(value)
    return color.name if color else str(value)


def _flag_words(value: Any) -> str:
    return ", ".join(str(Flag(flag).label) for flag in value) if isinstance(value, list) else str(value)


def register() -> None:
    """Tell audit the words."""
    labels.describe(
        Order,
        name="order",
        label=lambda values: str(values["external_order_id"]),
        url=lambda key: reverse("orders:order", args=[key]),
        show={"flags": _flag_words},
    )
    labels.describe(
        OrderLine,
        name="order line",
        label=lambda values: f"{values['item_no'] or values['item_name']} {values['color_name']}".strip(),
        show={"color_id": _color_name},
    )
    labels.describe(Refund, name="refund", label=lambda values: f"{values['currency']} {values['amount']}")
    labels.describe(
        Buyer,
        name="buyer",
        label=lambda values: values["name"] or "Buyer",
        url=lambda key: reverse("orders:buyer", args=[key]),
    )
    labels.describe(
        BuyerIdentity,
        name="user name of a buyer",
        plural="user names of buyers",
        label=lambda values: f"{IdentityKind(values['system']).label} {values['value']}",
    )
    for action, words in _ACTIONS.items():
        labels.name_action(action, words)
