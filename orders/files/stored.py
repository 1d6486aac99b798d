"""Orders of a file as JSON, for the time between their preview and their arrival."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from orders.incoming import Address, IncomingLine, IncomingOrder
from orders.lifecycle import Status

_MOMENTS = frozenset(("as_of", "ordered_at", "paid_at", "shipped_at", "ship_by"))
_SETS = frozenset(("flags", "unsaid"))
_AMOUNTS = frozenset(
    ("subtotal", "shipping_cost", "insurance", "tax_amount", "discount_amount", "grand_total", "unit_price")
)


def as_json(order: IncomingOrder) -> dict[str, Any]:
    """Answer an order as JSON has it."""
    return {name: _plain(value) for name, value in asdict(order).items()}


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case Decimal():
            return f"{value.normalize():f}"
        case UUID():
            return str(value)
        case frozenset():
            return sorted(value)
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return value


def of_json(values: Mapping[str, Any]) -> IncomingOrder:
    """Answer the order again."""
    read = _read(values)
    read["lines"] = tuple(_line(line) for line in values["lines"])
    read["ship_to"] = Address(**values["ship_to"])
    read["status"] = Status(values["status"]) if values["status"] else None
    read["warnings"] = tuple((code, text) for code, text in values["warnings"])
    return IncomingOrder(**read)


def _line(values: Mapping[str, Any]) -> IncomingLine:
    read = _read(values)
    read["lot_id"] = UUID(values["lot_id"]) if values["lot_id"] else None
    return IncomingLine(**read)


def _read(values: Mapping[str, Any]) -> dict[str, Any]:
    read = dict(values)
    for name, value in values.items():
        if value is not None and name in _MOMENTS:
            read[name] = datetime.fromisoformat(value)
        elif value is not None and name in _AMOUNTS:
            read[name] = Decimal(value)
        elif name in _SETS:
            read[name] = frozenset(value)
    return read


def digest_of(values: Mapping[str, Any]) -> str:
    """Answer by what an order is known that is told the same way once more."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
