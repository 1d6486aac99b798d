"""A walk that is under way wants what its orders' lines want by now, and says of them no more than they do."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from django.db.models import F

from orders.models import OrderLine
from picker.models import PickNeed, PickSession
from picker.services import planning
from picker.services.planning import Want


def fit(session: PickSession, lines: Sequence[OrderLine]) -> bool:
    """Have a held session want what lines of held orders want; tell whether anything was different.

    What is wanted newly is walked to at the end. The caller counts and stores the session.
    """
    needs: dict[UUID, list[PickNeed]] = defaultdict(list)
    of_lines = PickNeed.objects.filter(stop__session=session, order_line__in=lines).select_related("stop")
    for need in of_lines.order_by("stop__position"):
        needs[need.order_line_id].append(need)
    touched: list[PickNeed] = []
    more: list[Want] = []
    for line in lines:
        mine = needs[line.pk]
        touched += _forget(mine, line)
        is_other = any(need.stop.inventory_item_id != line.inventory_item_id for need in mine)
        wanted = max(0, line.qty_reserved - line.qty_picked)
        is_open = sum(map(_open, mine))
        if is_other or wanted < is_open:
            touched += _take_back(mine, is_open if is_other else is_open - wanted)
            is_open = 0 if is_other else wanted
        if wanted > is_open and line.inventory_item_id:
            more.append(Want(line.pk, line.inventory_item_id, wanted - is_open))
    if not touched and not more:
        return False
    _store(touched)
    if more:
        last = session.stops.order_by("-position").values_list("position", flat=True).first() or 0
        planning.write_stops(session, planning.plan(more).stops, after=last)
    session.stops.filter(needs__isnull=True).delete()
    session.route_version += 1
    return True


def close_needs(session: PickSession, order_ids: Collection[UUID]) -> None:
    """Have a started session want no more for the orders than it has. It is held; the caller counts and stores it."""
    needs = PickNeed.objects.filter(stop__session=session, order_line__order__in=order_ids)
    needs.filter(qty_picked=0, qty_missing=0).delete()
    needs.filter(qty__gt=F("qty_picked") + F("qty_missing")).update(qty=F("qty_picked") + F("qty_missing"))
    session.stops.filter(needs__isnull=True).delete()
    session.route_version += 1


def _open(need: PickNeed) -> int:
    return need.qty - need.qty_picked - need.qty_missing


def _forget(needs: Sequence[PickNeed], line: OrderLine) -> list[PickNeed]:
    """Forget picked pieces that went back, and missing ones that were taken off the order; answer whose needs."""
    touched = []
    for name, most in (("qty_picked", line.qty_picked), ("qty_missing", line.qty_missing)):
        surplus = sum(getattr(need, name) for need in needs) - most
        for need in reversed(needs):
            part = max(0, min(surplus, getattr(need, name)))
            if part:
                setattr(need, name, getattr(need, name) - part)
                need.qty -= part
                surplus -= part
                touched.append(need)
    return touched


def _take_back(needs: Sequence[PickNeed], qty: int) -> list[PickNeed]:
    """Want so many pieces fewer, from the end of the walk; answer whose needs."""
    touched, left = [], qty
    for need in reversed(needs):
        part = min(left, _open(need))
        if part:
            left -= part
            need.qty -= part
            touched.append(need)
    return touched


def _store(needs: Iterable[PickNeed]) -> None:
    for need in {need.pk: need for need in needs}.values():
        if need.qty:
            need.save(update_fields=["qty", "qty_picked", "qty_missing", "updated_at"])
        else:
            need.delete()
