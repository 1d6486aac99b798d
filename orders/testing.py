"""Orders for the tests of this floor and of those above: as they arrive from a channel, and as they are typed in."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from inventory.models import InventoryItem
from orders import services
from orders.incoming import Address, IncomingLine, IncomingOrder
from orders.models import Order
from stores.choices import Channel
from stores.models import Store, StoreSyncState

PLACED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def make_store(channel: str = Channel.BRICKLINK, name: str = "Bricks on BrickLink") -> Store:
    """Answer a store on a channel."""
    store = Store.objects.create(channel=channel, name=name)
    StoreSyncState.objects.create(store=store)
    return store


def incoming_line(lot: InventoryItem | None = None, **values: Any) -> IncomingLine:
    """Answer a line of a lot, told by what it is, or of what `values` says."""
    given = {"qty": 1, "unit_price": Decimal("0.12"), "item_no": "3001", "color_id": 5, **values}
    if lot is not None:
        of_lot = {
            "item_type": lot.item_type, "item_no": lot.item_no, "color_id": lot.color_id, "condition": lot.condition,
            "unit_price": lot.unit_price, "completeness": lot.completeness or "",
        }  # fmt: skip
        given |= {name: value for name, value in of_lot.items() if name not in values}
    return IncomingLine(**given)


def incoming(*lines: IncomingLine, **values: Any) -> IncomingOrder:
    """Answer an order as a channel tells it."""
    given = {
        "external_order_id": "24418822", "as_of": PLACED, "ordered_at": PLACED, "currency": "EUR",
        "buyer_name": "Jan Berg", "buyer_email": "jan@example.com", "buyer_username": "jangbricks",
        "ship_to": Address(
            name="Jan Berg", address1="Musterweg 4", city="Berlin", postal="10115", country="DE", phone="030 1234"
        ),
        **values,
    }  # fmt: skip
    return IncomingOrder(lines=lines, **given)


def later(order: IncomingOrder, *, hours: int = 1, **values: Any) -> IncomingOrder:
    """Answer a newer version of an order."""
    return replace(order, as_of=order.as_of + timedelta(hours=hours), **values)


def arrive(store: Store, order: IncomingOrder) -> Order:
    """Have an order arrive."""
    return services.import_order(store_id=store.pk, incoming=order, now=timezone.now())


def type_in(
    *lots: tuple[InventoryItem, int], is_paid: bool = True, order_id: UUID | None = None, **values: Any
) -> Order:
    """Answer an order of so many pieces of lots, typed in at the counter."""
    lines = [services.NewLine(lot_id=lot.pk, qty=qty) for lot, qty in lots]
    new = services.NewOrder(lines=lines, values=values, is_paid=is_paid, order_id=order_id)
    return services.create_order(new=new, now=timezone.now())


@transaction.atomic
def pick(order_id: UUID, picks: Mapping[UUID, tuple[int, int]], *, location_id: UUID | None = None) -> None:
    """Have so many pieces of the order's lines be picked and missing, by line, whatever was picked before."""
    held = services.hold(order_id)
    changes = []
    for line_id, (picked, missing) in picks.items():
        line = held.line(line_id)
        changes.append(
            services.PickChange(
                line_id=line_id, picked=picked - line.qty_picked, missing=missing - line.qty_missing,
                location_id=location_id,
            )
        )  # fmt: skip
    services.apply_picks(held, changes, now=timezone.now())
    held.finish()
