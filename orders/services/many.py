"""Many orders at once: a job that goes from one to the next, each by itself, and says which stayed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit import context
from common.errors import Invalid, NotFound, ProblemError
from jobs import services as jobs
from orders.choices import OrderStatus
from orders.lifecycle import ENDS, Status
from orders.models import Order
from orders.services.checks import tidy_tags
from orders.services.marking import tag_orders
from orders.services.statuses import Outcome, change_status

MOVE, TAG = "move_orders", "tag_orders"
# So many are done while one waits; more are a job's.
AT_ONCE = 50
MOST = 5_000


def start_moving(*, order_ids: Sequence[UUID], status: str, now: datetime) -> UUID:
    """Have many orders moved by a job; answer it. Raises Invalid."""
    if status not in OrderStatus.values or status in ENDS:
        raise Invalid(
            "Orders can't be set to this.", errors={"/status": ["This is no status that orders can be set to."]}
        )
    return _start(MOVE, order_ids, status, f"Set {len(order_ids):,} orders to {OrderStatus(status).label.lower()}")


def start_tagging(*, order_ids: Sequence[UUID], tag: str, now: datetime) -> UUID:
    """Have many orders tagged by a job; answer it. Raises Invalid."""
    wanted = tidy_tags([tag])
    if not wanted:
        raise Invalid("Type a tag.", errors={"/tag": ["Type a tag."]})
    return _start(TAG, order_ids, wanted[0], f"Tag {len(order_ids):,} orders {wanted[0]}")


def _start(job: str, order_ids: Sequence[UUID], value: str, label: str) -> UUID:
    if not 0 < len(order_ids) <= MOST:
        raise Invalid(errors={"/order_ids": [f"Between 1 and {MOST:,} orders."]})
    return jobs.start(job, args={"order_ids": [str(key) for key in order_ids], "value": value}, label=label).pk


def _move(order_id: UUID, value: str, now: datetime) -> None:
    change_status(order_id=order_id, status=Status(value), now=now)


def _tag(order_id: UUID, value: str, now: datetime) -> None:
    tag_orders(order_ids=[order_id], tag=value, now=now)


_STEPS: Mapping[str, tuple[str, Callable[[UUID, str, datetime], None]]] = {
    MOVE: ("orders.change_status", _move),
    TAG: ("orders.tag_orders", _tag),
}


@transaction.atomic
def change_one(*, job: str, order_id: UUID, value: str, now: datetime) -> Outcome:
    """Do to one order what the job is for; what can't be done is told. Raises NotFound."""
    words, step = _STEPS[job]
    context.describe(words)
    number = Order.objects.filter(pk=order_id).values_list("external_order_id", flat=True).first()
    if number is None:
        raise NotFound("This order doesn't exist.")
    try:
        with transaction.atomic():
            step(order_id, value, now)
    except ProblemError as problem:
        return Outcome(order_id, number, problem.detail or problem.title)
    return Outcome(order_id, number)
