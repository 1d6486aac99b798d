"""What an order that is here already would become: it is taken over, looked at, and the whole is undone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from orders.incoming import IncomingLine, IncomingOrder
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


@dataclass(frozen=True, slots=True)
class Looked:
    """What an order would have newly: label, before, after; and of how many more pieces it would be short."""

    changes: Sequence[Change]
    qty_short: int


def as_known(order_id: UUID, incoming: IncomingOrder) -> IncomingOrder:
    """Answer the order, saying nothing of its lines where they are just as here.

    What was solved here since is in our own export, and no word about what was ordered: pieces that another lot stepped
    in for, or that were taken off. Lines that still wait for a lot are looked at again.
    """
    lines = list(OrderLine.objects.filter(order=order_id, qty_ordered__gt=0))
    here = Counter(_of(line, line.qty_ordered) for line in lines)
    is_solved = any(line.covers_id or line.qty_channel != line.qty_ordered for line in lines)
    is_open = any(line.inventory_item_id is None for line in lines)
    if (is_open and not is_solved) or here != Counter(_of(line, line.qty) for line in incoming.lines):
        return incoming
    return replace(incoming, unsaid=incoming.unsaid | {"lines"})


def _of(line: OrderLine | IncomingLine, qty: int) -> tuple[Any, ...]:
    number = line.item_no or line.external_item_no
    what = (line.item_type, number, line.color_id, line.condition, line.completeness or "")
    return (*what, line.description.strip(), qty, line.unit_price)


def changes_of(order: Order, incoming: IncomingOrder, *, now: datetime) -> Looked:
    """Answer what an order and its lines would have newly. Nothing is changed. Raises what `import_order` raises."""
    before, was_short = _shown(order.pk), _short(order.pk)
    after: Mapping[str, str] = {}
    short: Mapping[str, tuple[int, int]] = {}
    try:
        with transaction.atomic():
            import_order(store_id=order.store_id, incoming=as_known(order.pk, incoming), now=now)
            after, short = _shown(order.pk), _short(order.pk)
            raise _SeenError
    except _SeenError:
        pass
    labels = [*before, *(label for label in after if label not in before)]
    pairs = ((label, before.get(label, ""), after.get(label, "")) for label in labels)
    changes = [(label, old, f"{new}{_there(short.get(label))}") for label, old, new in pairs if old != new]
    more = sum(qty for qty, _of in short.values()) - sum(qty for qty, _of in was_short.values())
    return Looked(changes, max(0, more))


def _there(short: tuple[int, int] | None) -> str:
    return f", {short[1] - short[0]:,} of {short[1]:,} there" if short else ""


def _short(order_id: UUID) -> dict[str, tuple[int, int]]:
    """Answer of lines, by their label, how many pieces are short, and of how many."""
    return {_line_label(line): (line.qty_short, line.qty_ordered) for line in _lines(order_id) if line.qty_short}


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
    shown |= {_line_label(line): f"{line.qty_ordered:,} × {_words(line.unit_price)}" for line in _lines(order_id)}
    return shown


def _lines(order_id: UUID) -> Sequence[OrderLine]:
    return list(OrderLine.objects.filter(order=order_id, covers=None, qty_ordered__gt=0).order_by("position"))


def _line_label(line: OrderLine) -> str:
    name = f"{line.item_no or line.item_name} {line.color_name}".strip()
    return f"{name} (line {line.position})"


def _label(name: str) -> str:
    words = str(getattr(Order._meta.get_field(name), "verbose_name", name))
    return f"{words[:1].upper()}{words[1:]}"


def _words(value: Any) -> str:
    """Answer a value in words; of an amount as many decimals as it needs, but its cents always."""
    if not isinstance(value, Decimal):
        return str(value)
    cents = value.quantize(_CENT)
    return f"{cents if cents == value else value.normalize():f}"
