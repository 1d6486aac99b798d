"""A buyer's personal data goes, on request or when it was kept long enough; what was sold stays.

The trail is append-only but for this (audit.md): what it kept of the person is taken out of it too. Seals leave
personal data out of what they prove.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction

from audit import bulk, context, retention
from audit.recording import history_of, quote
from common.errors import Conflict
from events.bus import publish
from orders import lifecycle
from orders.events import BuyerErased
from orders.models import Buyer, BuyerIdentity, Order, Refund
from orders.services.buyers import lock_buyers
from orders.services.holding import lock_orders

# What says who somebody is, by model. Free text goes along: a name is in it sooner than not.
PERSONAL: dict[type[models.Model], dict[str, Any]] = {
    Order: {
        "buyer_name": "", "buyer_email": "", "buyer_username": "", "buyer_note": "", "ship_to": {}, "notes": "",
        "status_reason": "", "tracking_number": "", "tracking_url": "",
    },
    Buyer: {"name": "", "email": "", "notes": ""},
}  # fmt: skip
_ERASED_VALUE = "erased"


@transaction.atomic
def erase_buyer(*, buyer_id: UUID, now: datetime) -> Buyer:
    """Delete who a buyer is, from the buyer, all their orders and the trail. A second time does nothing.

    Raises Conflict while an order of theirs is on its way, NotFound.
    """
    context.describe("orders.erase_buyer")
    [buyer] = lock_buyers([buyer_id])
    if buyer.erased_at:
        return buyer
    orders = lock_orders(list(Order.objects.filter(buyer=buyer).values_list("pk", flat=True)))
    if waiting := [order for order in orders if order.status in lifecycle.PROMISED]:
        raise Conflict(
            f"Order {waiting[0].external_order_id} still needs the address. Ship or cancel it first.",
            order_id=str(waiting[0].pk),
        )
    for order in orders:
        for name, value in PERSONAL[Order].items():
            setattr(order, name, dict(value) if isinstance(value, dict) else value)
        order.version += 1
        order.save()
    bulk.bulk_delete(BuyerIdentity.objects.filter(buyer=buyer))
    buyer.name = buyer.email = buyer.notes = ""
    buyer.erased_at = now
    buyer.version += 1
    buyer.save()
    bulk.update(Refund.objects.filter(order__in=orders), reason="")
    _clean_trail(buyer_id, [order.pk for order in orders])
    publish(BuyerErased(buyer_id=buyer.pk, order_ids=tuple(order.pk for order in orders)))
    return buyer


def erase_old_buyers(*, before: datetime, now: datetime, limit: int = 200) -> int:
    """Erase buyers who last ordered before that moment and have nothing on its way; answer how many. May run twice."""
    waiting = Order.objects.filter(status__in=sorted(lifecycle.PROMISED), buyer__isnull=False).values("buyer")
    old = Buyer.objects.filter(erased_at__isnull=True, last_ordered_at__lt=before).exclude(pk__in=waiting)
    count = 0
    for key in list(old.order_by("last_ordered_at").values_list("pk", flat=True)[:limit]):
        try:
            erase_buyer(buyer_id=key, now=now)
        except Conflict:
            # An order came in between.
            continue
        count += 1
    return count


def _clean_trail(buyer_id: UUID, order_ids: Sequence[UUID]) -> None:
    """Take what the trail kept of a person out of it. The rows stay, and what else they say."""
    refunds = list(Refund.objects.filter(order__in=order_ids).values_list("pk", flat=True))
    with retention.allowed(), connection.cursor() as cursor:
        _blank(cursor, Order, PERSONAL[Order], "id", order_ids)
        _blank(cursor, Buyer, PERSONAL[Buyer], "id", [buyer_id])
        _blank(cursor, Refund, {"reason": ""}, "id", refunds)
        _blank(cursor, BuyerIdentity, {"value": _ERASED_VALUE}, "buyer_id", [buyer_id])


def _blank(cursor: Any, model: type[models.Model], values: dict[str, Any], key: str, keys: Sequence[UUID]) -> None:
    if not keys:
        return
    past = history_of(model)
    columns = [past._meta.get_field(name) for name in values]
    sets = ", ".join(f"{quote(column.column)} = %s" for column in columns)
    params = [
        column.get_db_prep_save(value, connection) for column, value in zip(columns, values.values(), strict=True)
    ]
    cursor.execute(
        f"UPDATE {quote(past._meta.db_table)} SET {sets} WHERE {quote(key)} = ANY(%s)",  # noqa: S608  # names come from the models
        [*params, list(keys)],
    )
