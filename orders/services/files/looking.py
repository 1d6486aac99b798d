"""What an order that is here already would become: it is taken over, looked at, and the whole is undone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from orders.incoming import IncomingOrder
from orders.models import Order, OrderLine
from orders.queries.orders import flag_labels
from orders.services.importing import import_order

_CENT = Decimal("0.01")
Change = tuple[str, str, str]
_PLAIN = (
    "buyer_name", "buyer_email", "buyer_username", "buyer_note", "shipping_method", "tracking_number", "shipping_cost",
    "insurance", "tax_amount", "discount_amount", "grand_total",
)  # fmt: skip


class _SeenError(Exception):
    """What was done to look at it is undone."""


def changes_of(order: Order, incoming: IncomingOrder, *, now: datetime) -> Sequence[Change]:
    """Answer what an order and its lines would have newly: label, before, after. Nothing is changed.

    Raises what `import_order` raises.
    """
    before = _shown(order.pk)
    after: Mapping[str, str] = {}
    try:
        with transaction.atomic():
            import_order(store_id=order.store_id, incoming=incoming, now=now)
            after = _shown(order.pk)
            raise _SeenError
    except _SeenError:
        pass
    labels = [*before, *(label for label in after if label not in before)]
    pairs = ((label, before.get(label, ""), after.get(label, "")) for label in labels)
    return [(label, old, new) for label, old, new in pairs if old != new]


def _shown(order_id: UUID) -> dict[str, str]:
    """Answer what people see of an order, by its label."""
    order = Order.objects.get(pk=order_id)
    shown = {_label(name): _words(getattr(order, name)) for name in _PLAIN}
    shown |= {
        "Status": str(order.get_status_display()),
        "Payment": str(order.get_payment_status_display()),
        "Address": ", ".join(filter(None, (order.whole_address[name] for name in order.whole_address))),
        "Flags": ", ".join(flag_labels(order.flags)),
    }
    for line in OrderLine.objects.filter(order=order_id, covers=None, qty_ordered__gt=0).order_by("position"):
        name = f"{line.item_no or line.item_name} {line.color_name}".strip()
        shown[f"{name} (line {line.position})"] = f"{line.qty_ordered:,} × {_words(line.unit_price)}"
    return shown


def _label(name: str) -> str:
    words = str(getattr(Order._meta.get_field(name), "verbose_name", name))
    return f"{words[:1].upper()}{words[1:]}"


def _words(value: Any) -> str:
    """Answer a value in words; of an amount as many decimals as it needs, but its cents always."""
    if not isinstance(value, Decimal):
        return str(value)
    cents = value.quantize(_CENT)
    return f"{cents if cents == value else value.normalize():f}"
