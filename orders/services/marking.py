"""Several orders are marked at once."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit import context
from common.errors import Invalid
from orders.services.checks import tidy_tags
from orders.services.holding import Held, lock_orders
from orders.services.statuses import MAX_AT_ONCE


@transaction.atomic
def tag_orders(*, order_ids: Sequence[UUID], tag: str, now: datetime) -> int:
    """Give several orders a tag; answer how many didn't have it. Raises Invalid, NotFound."""
    context.describe("orders.tag_orders")
    if len(order_ids) > MAX_AT_ONCE:
        raise Invalid(errors={"/order_ids": [f"At most {MAX_AT_ONCE} at once."]})
    wanted = tidy_tags([tag])
    if not wanted:
        raise Invalid("Type a tag.", errors={"/tag": ["Type a tag."]})
    count = 0
    for order in lock_orders(order_ids):
        held = Held(order)
        order.tags = tidy_tags([*order.tags, *wanted])
        count += bool(held.finish())
    return count
