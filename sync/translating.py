"""A channel's order as orders take it: our words, our numbers, texts that fit. Pure.

An order is a promise of pieces: what is odd about its texts and amounts is put right with a warning, since an order
that is refused sells its pieces twice.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from inventory.choices import Completeness, ItemCondition
from orders.incoming import Address, IncomingLine, IncomingOrder
from orders.lifecycle import Status
from orders.models import Order, OrderLine
from orders.services.checks import ADDRESS_LENGTHS, length_of
from sync import remote as there
from sync.queries.meanings import Meaning
from sync.remote import RemoteItem, RemoteLine, RemoteOrder

_NOTHING, _CENT = Decimal(0), Decimal("0.01")
_CODE = "channel"
_AMOUNTS = ("subtotal", "shipping_cost", "insurance", "tax_amount", "discount_amount", "grand_total")
_NAMES = {
    "subtotal": "goods", "shipping_cost": "shipping", "insurance": "insurance", "tax_amount": "tax",
    "discount_amount": "discount", "grand_total": "total",
}  # fmt: skip

Warnings = list[tuple[str, str]]


def incoming_order(
    remote: RemoteOrder, meanings: Mapping[RemoteItem, Meaning], *, label: str, as_of: datetime,
    is_reinstated: bool = False, is_history: bool = False,
) -> IncomingOrder:  # fmt: skip
    """Answer an order in our words; `label`: what its channel is called. What nobody can put right is refused later."""
    warnings: Warnings = [(_CODE, text) for text in remote.warnings]
    text = _texts_of(Order, warnings, label)
    amounts: dict[str, Any] = {
        name: _amount(getattr(remote, name), _NAMES[name], label, warnings).quantize(_CENT, ROUND_HALF_UP)
        for name in _AMOUNTS
    }
    return IncomingOrder(
        external_order_id=remote.order_id,
        as_of=as_of,
        ordered_at=remote.ordered_at,
        currency=remote.currency,
        lines=_lines(remote, meanings, label, warnings),
        status=Status(remote.status.value) if remote.status is not None else None,
        channel_status=text("channel_status", remote.channel_status),
        is_reinstated=is_reinstated,
        payment_status=remote.payment_status.value if remote.payment_status is not None else "",
        paid_at=remote.paid_at,
        shipped_at=remote.shipped_at,
        buyer_name=text("buyer_name", remote.buyer.name),
        buyer_email=text("buyer_email", remote.buyer.email),
        buyer_username=text("buyer_username", remote.buyer.username),
        buyer_note=text("buyer_note", remote.note),
        ship_to=_address(remote.ship_to),
        shipping_method=text("shipping_method", remote.shipping_method),
        tracking_number=text("tracking_number", remote.tracking_number),
        tracking_url=remote.tracking_url if len(remote.tracking_url) <= length_of(Order, "tracking_url") else "",
        **amounts,
        flags=frozenset(flag.value for flag in remote.flags),
        warnings=tuple(warnings),
        is_history=is_history,
    )


def _lines(
    remote: RemoteOrder, meanings: Mapping[RemoteItem, Meaning], label: str, warnings: Warnings
) -> tuple[IncomingLine, ...]:
    lines = [_line(line, meanings[line.item], label, warnings) for line in remote.lines or ()]
    seen: set[str] = set()
    for number, line in enumerate(lines):
        if line.external_line_id in seen:
            # They are told apart by their lots and their places in the order.
            warnings.append((_CODE, f"{label} gives two lines the number {line.external_line_id}."))
            lines[number] = replace(line, external_line_id="")
        elif line.external_line_id:
            seen.add(line.external_line_id)
    return tuple(lines)


def _line(line: RemoteLine, meaning: Meaning, label: str, warnings: Warnings) -> IncomingLine:
    text = _texts_of(OrderLine, warnings, label)
    item = line.item
    completeness = meaning.completeness if meaning.is_known else item.completeness
    return IncomingLine(
        qty=line.qty,
        unit_price=_amount(line.unit_price, f"price of {item.item_no}", label, warnings),
        item_type=meaning.item_type or item.item_type,
        item_no=meaning.item_no,
        color_id=meaning.color_id,
        condition=item.condition if item.condition in ItemCondition.values else ItemCondition.USED.value,
        completeness=completeness if completeness in Completeness.values else "",
        item_name=text("item_name", meaning.name or item.name),
        description=text("description", line.description),
        remarks=line.remarks.replace("\x00", ""),
        external_line_id=text("external_line_id", line.line_id),
        external_lot_id=text("external_lot_id", line.lot_id),
        external_item_no=text("external_item_no", item.item_no),
        external_color=text("external_color", item.color_no or ""),
    )


def _texts_of(model: type[Order] | type[OrderLine], warnings: Warnings, label: str) -> Callable[[str, str], str]:
    def text(name: str, value: str) -> str:
        kept, limit = value.replace("\x00", ""), length_of(model, name)
        if len(kept) > limit:
            warnings.append((_CODE, f"What {label} says as {name.replace('_', ' ')} is too long and was cut."))
        return kept[:limit]

    return text


def _amount(value: Decimal, name: str, label: str, warnings: Warnings) -> Decimal:
    if value >= _NOTHING:
        return value
    warnings.append((_CODE, f"{label} says {value:f} as {name}; an amount below zero counts as nothing."))
    return _NOTHING


def _address(told: there.Address | None) -> Address:
    if told is None:
        return Address()
    parts = {part.name: getattr(told, part.name).replace("\x00", "").strip() for part in fields(Address)}
    country = parts["country"].upper()
    parts["country"] = country if len(country) == ADDRESS_LENGTHS["country"] and country.isalpha() else ""
    return Address(**{name: part[: ADDRESS_LENGTHS[name]] for name, part in parts.items()})
