"""One thing that a picker says, with all that follows from it, in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from audit import context
from common.errors import Invalid, NotFound
from inventory import services as inventory
from inventory.models import Location
from inventory.queries.placements import placed_qty
from inventory.services.stock import qty_placed
from orders import services as orders
from orders.errors import OrderClosed
from orders.lifecycle import Status
from orders.models import OrderLine
from picker.choices import EventType, Remainder, SessionStatus
from picker.errors import AlreadyPicked, KeyReused, OrderLeft, SessionClosed, StopChanged
from picker.models import PickEvent, PickNeed, PickSession, PickSessionOrder, PickStop
from picker.services.correcting import Correction
from picker.services.holding import lock_session, store
from picker.services.saying import Pick, check
from picker.services.working import Work


@dataclass(frozen=True, slots=True)
class Recorded:
    """A pick as it is kept. `is_known`: it had come before, and nothing was done."""

    event: PickEvent
    session: PickSession
    is_known: bool


@transaction.atomic
def record_pick(*, session_id: UUID, pick: Pick, user_id: Any, now: datetime) -> Recorded:
    """Note what was picked or missing, or correct it: the line, its stock and place, the session's counts.

    The same key is the same pick, for good. Raises NotFound, Invalid, KeyReused where it says something else,
    SessionClosed, OrderLeft, StopChanged, AlreadyPicked.
    """
    context.describe("picker.record_pick")
    check(pick)
    line = OrderLine.objects.filter(pk=pick.order_line_id).first()
    if line is None:
        raise NotFound("This line isn't in the session.")
    held = orders.hold(line.order_id)
    session = lock_session(session_id)
    if (known := _known(session, pick)) is not None:
        return Recorded(known, session, is_known=True)
    if session.status != SessionStatus.ACTIVE:
        state = "hasn't been started" if session.status == SessionStatus.DRAFT else "has ended"
        raise SessionClosed(f"Session {session.number} {state}.", status_of_session=session.status)
    _require_in(session, held.order)
    kind: type[Work] = Correction if pick.event_type == EventType.ADJUSTMENT else Note
    work = kind(session, held, pick, user_id, now)
    try:
        event = work.do()
    except OrderClosed as problem:
        raise OrderLeft(problem.detail) from None
    held.finish()
    store(session, stops=work.stops)
    return Recorded(event, session, is_known=False)


class Note(Work):
    """What was picked or missing."""

    def do(self) -> PickEvent:
        """Take a pick or pieces that are missing over."""
        pick, need = self.pick, self._need()
        stop = need.stop
        self.hold_lots(stop)
        left = need.qty - need.qty_picked - need.qty_missing
        if pick.qty > left:
            raise AlreadyPicked(self.too_many(need, left), qty_open=left)
        moved = stock = 0
        if pick.event_type == EventType.PICKED:
            self.apply(stop.location_id, picked=pick.qty)
            need.qty_picked += pick.qty
            self.session.picked_items += pick.qty
        else:
            moved, stock = self._miss(need, stop)
        need.save(update_fields=["qty", "qty_picked", "qty_missing", "updated_at"])
        return self.keep(
            stop=stop, location_code=stop.location_code, remainder=self._remainder(), stock_change=stock,
            moved_to=pick.elsewhere.stop_id if pick.elsewhere and moved else None, moved_qty=moved,
        )  # fmt: skip

    def _miss(self, need: PickNeed, stop: PickStop) -> tuple[int, int]:
        """Have pieces be missing; answer how many are taken elsewhere instead, and what the lot's stock changed by."""
        pick = self.pick
        moved = self._move_on(need, stop) if pick.elsewhere else 0
        stock = -moved
        if missing := pick.qty - moved:
            self.apply(stop.location_id, missing=missing)
            need.qty_missing += missing
            self.session.missing_items += missing
        if pick.remainder in (Remainder.ZERO, Remainder.COUNTED):
            stock += self._count(stop, pick.counted or 0)
        return moved, stock

    def _move_on(self, need: PickNeed, stop: PickStop) -> int:
        """Want the pieces at another place of the lot: those of this place leave the books, as far as they are free.

        What is promised to other orders isn't; so much is missing. Answer how many are wanted there.
        """
        elsewhere = self.pick.elsewhere
        assert elsewhere is not None  # noqa: S101  # the caller has looked
        place = Location.objects.filter(pk=elsewhere.location_id).first()
        lot_id = stop.inventory_item_id
        there = placed_qty([lot_id]).get((lot_id, elsewhere.location_id), 0)
        if place is None or not there or place.pk == stop.location_id:
            raise Invalid(errors={"/elsewhere/location": ["The books have no pieces of this lot there."]})
        moved = min(self.pick.qty, self.free(lot_id), there)
        if not moved:
            return 0
        self.adjust(lot_id, -moved, stop.location_id, note=f"Missing at {stop.location_code or 'no place'}")
        need.qty -= moved
        last = self.session.stops.aggregate(last=Max("position"))["last"] or 0
        following, _ = PickStop.objects.get_or_create(
            pk=elsewhere.stop_id,
            defaults={
                "session": self.session, "position": last + 1, "inventory_item_id": lot_id, "location": place,
                "location_code": place.code, "picker_id": stop.picker_id or self.user_id,
            },
        )  # fmt: skip
        if (following.session_id, following.inventory_item_id, following.location_id) != (
            self.session.pk, lot_id, place.pk,
        ):  # fmt: skip
            raise Invalid(errors={"/elsewhere/stop": ["This is another stop's key. Make a fresh one."]})
        more, made = PickNeed.objects.get_or_create(stop=following, order_line_id=self.line.pk, defaults={"qty": moved})
        if not made:
            more.qty += moved
            more.save(update_fields=["qty", "updated_at"])
        self.session.route_version += 1
        self.stops.append(following)
        return moved

    def _count(self, stop: PickStop, counted: int) -> int:
        """Have so many pieces be at the place, as far as none of them is promised; answer the change of the stock."""
        lot_id = stop.inventory_item_id
        balance = inventory.hold_lots([lot_id])[lot_id]
        if stop.location_id:
            there = placed_qty([lot_id]).get((lot_id, stop.location_id), 0)
        else:
            # What lies nowhere, less what is in totes.
            in_totes = self._in_totes(lot_id)
            there = max(0, balance.on_hand - qty_placed(lot_id) - in_totes)
        change = max(counted - there, -balance.available)
        self.adjust(lot_id, change, stop.location_id, note=f"Counted at {stop.location_code or 'no place'}")
        return change

    @staticmethod
    def _in_totes(lot_id: UUID) -> int:
        lines = OrderLine.objects.filter(inventory_item=lot_id, qty_reserved__gt=0, qty_picked__gt=0)
        return sum(lines.values_list("qty_picked", flat=True))

    def _need(self) -> PickNeed:
        needs = PickNeed.objects.select_related("stop").filter(stop__session=self.session, order_line=self.line.pk)
        found = list(needs.order_by("stop__position"))
        if self.pick.stop_id is not None:
            found = [need for need in found if need.stop_id == self.pick.stop_id]
        elif len(found) > 1:
            # Without a stop it is the first that is open.
            found = [need for need in found if need.qty > need.qty_picked + need.qty_missing] or found
        if not found:
            if self.pick.stop_id is not None:
                raise StopChanged("This line isn't picked at that stop any more.")
            raise NotFound("This line isn't in the session.")
        return found[0]

    def _remainder(self) -> str:
        return self.pick.remainder or Remainder.LATER if self.pick.event_type == EventType.MISSING else ""


def _known(session: PickSession, pick: Pick) -> PickEvent | None:
    event = PickEvent.objects.filter(session=session, idempotency_key=pick.idempotency_key).first()
    if event is not None and event.body_digest != pick.digest:
        raise KeyReused(errors={"/idempotency_key": ["This key was another pick's. Make a fresh one."]})
    return event


def _require_in(session: PickSession, order: Any) -> None:
    entry = PickSessionOrder.objects.filter(session=session, order=order.pk).first()
    if entry is None:
        raise NotFound("This line isn't in the session.")
    # One that has moved on leaves a moment later.
    if entry.left_at is not None or order.status != Status.PICKING:
        is_elsewhere = order.status == Status.PICKING
        state = "has left this session" if is_elsewhere else f"is {order.get_status_display().lower()}"
        raise OrderLeft(
            f"Order {order.external_order_id} ({entry.batch_code}) {state} and is not picked here any more: put its"
            " pieces back.",
            order_status=order.status,
        )
