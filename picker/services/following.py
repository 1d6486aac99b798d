"""Sessions follow their orders: what is cancelled, added or taken off while somebody walks."""

from collections import defaultdict
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit import context
from orders import services as orders
from orders.lifecycle import Status
from orders.models import OrderLine
from picker.choices import Leaving, SessionStatus
from picker.models import PickNeed, PickSession, PickSessionOrder, PickStop
from picker.services import planning
from picker.services.holding import count_anew, leave, lock_session, store
from picker.services.planning import Want
from picker.services.sessions import close_needs


@transaction.atomic
def follow_order(*, order_id: UUID, now: datetime) -> None:
    """Have the session of an order want what the order wants by now. One that isn't picked any more leaves it."""
    entry = PickSessionOrder.objects.filter(order=order_id, left_at__isnull=True).first()
    if entry is None:
        return
    context.describe("picker.follow_order")
    held = orders.hold(order_id)
    session = lock_session(entry.session_id)
    if not session.entries.filter(order=order_id, left_at__isnull=True).exists() or not session.is_open:
        return
    if held.order.status != Status.PICKING:
        leave(session, [order_id], Leaving.GONE, now=now)
        _want_nothing_of(session, order_id)
    elif not _fit(session, held.lines):
        return
    count_anew(session)
    store(session)


def _want_nothing_of(session: PickSession, order_id: UUID) -> None:
    if session.status == SessionStatus.DRAFT:
        planning.plan_anew(session)
    else:
        close_needs(session, [order_id])


def _fit(session: PickSession, lines: list[OrderLine]) -> bool:
    """Have the walk want what the lines want; tell whether anything was different."""
    needs: dict[UUID, list[PickNeed]] = defaultdict(list)
    of_lines = PickNeed.objects.filter(stop__session=session, order_line__in=lines).select_related("stop")
    for need in of_lines.order_by("stop__position"):
        needs[need.order_line_id].append(need)
    touched: list[PickStop] = []
    more: list[Want] = []
    for line in lines:
        mine = needs[line.pk]
        is_other = any(need.stop.inventory_item_id != line.inventory_item_id for need in mine)
        wanted = max(0, line.qty_reserved - line.qty_picked)
        is_open = sum(need.qty - need.qty_picked - need.qty_missing for need in mine)
        if is_other or wanted < is_open:
            touched += _take_back(mine, is_open if is_other else is_open - wanted)
            is_open = 0 if is_other else wanted
        if wanted > is_open and line.inventory_item_id:
            more.append(Want(line.pk, line.inventory_item_id, wanted - is_open))
    if not touched and not more:
        return False
    session.stops.filter(needs__isnull=True).delete()
    if more:
        last = session.stops.order_by("-position").values_list("position", flat=True).first() or 0
        planning.write_stops(session, planning.plan(more).stops, after=last)
    session.route_version += 1
    return True


def _take_back(needs: list[PickNeed], qty: int) -> list[PickStop]:
    """Want so many pieces fewer, from the end of the walk; answer the stops that it concerns."""
    touched, left = [], qty
    for need in reversed(needs):
        part = min(left, need.qty - need.qty_picked - need.qty_missing)
        if not part:
            continue
        left -= part
        need.qty -= part
        touched.append(need.stop)
        if need.qty:
            need.save(update_fields=["qty", "updated_at"])
        else:
            need.delete()
    return touched
