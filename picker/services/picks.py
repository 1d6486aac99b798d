"""One thing that a picker says, with all that follows from it, in one transaction."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from audit import context
from common.errors import Conflict, Invalid, NotFound
from inventory import services as inventory
from inventory.choices import MovementKind
from inventory.models import Location
from inventory.queries.placements import placed_qty
from inventory.services.stock import qty_placed
from orders import services as orders
from orders.errors import OrderClosed
from orders.models import OrderLine
from orders.services import PickChange
from picker.choices import EventType, Remainder, SessionStatus
from picker.errors import AlreadyPicked, KeyReused, OrderLeft, SessionClosed, StopChanged
from picker.models import PickEvent, PickNeed, PickSession, PickSessionOrder, PickStop
from picker.services.holding import lock_session, store

KEY_LENGTH, NOTES_LENGTH, MOST_PIECES = 64, 300, 1_000_000
MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another place of the lot that pieces are taken from instead. `stop_id`: made on the device."""

    location_id: UUID
    stop_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """What a picker says. `corrects`: the key of the pick that is of `qty` pieces from now on (ADJUSTMENT).

    `remainder`, `counted`, `elsewhere`: what else is known where pieces are MISSING.
    """

    idempotency_key: str
    order_line_id: UUID
    event_type: str
    qty: int
    picked_at: datetime
    stop_id: UUID | None = None
    corrects: str = ""
    remainder: str = ""
    counted: int | None = None
    elsewhere: Elsewhere | None = None
    notes: str = ""

    @property
    def digest(self) -> str:
        """Answer what it says, as a digest: the same key must say the same."""
        parts = [
            self.order_line_id, self.event_type, self.qty, self.stop_id, self.corrects, self.remainder, self.counted,
            self.elsewhere and (self.elsewhere.location_id, self.elsewhere.stop_id), self.notes,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()


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
    _check(pick)
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
    work = _Work(session, held, pick, user_id, now)
    try:
        event = work.correct() if pick.event_type == EventType.ADJUSTMENT else work.note()
    except OrderClosed as problem:
        raise OrderLeft(problem.detail) from None
    held.finish()
    store(session, stops=work.stops)
    return Recorded(event, session, is_known=False)


class _Work:
    """A pick under way: the order, the session and, from the first change on, the lots are held."""

    def __init__(self, session: PickSession, held: orders.Held, pick: Pick, user_id: Any, now: datetime) -> None:
        self.session, self.held, self.pick, self.user_id, self.now = session, held, pick, user_id, now
        self.line = held.line(pick.order_line_id)
        self.stops: list[PickStop] = []
        self.adjustments = 0

    def note(self) -> PickEvent:
        """Take a pick or pieces that are missing over."""
        pick, need = self.pick, self._need()
        stop = need.stop
        self._hold_lots(stop)
        left = need.qty - need.qty_picked - need.qty_missing
        if pick.qty > left:
            raise AlreadyPicked(self._too_many(need, left), qty_open=left)
        moved = stock = 0
        if pick.event_type == EventType.PICKED:
            self._apply(stop.location_id, picked=pick.qty)
            need.qty_picked += pick.qty
        else:
            moved, stock = self._miss(need, stop)
        need.save(update_fields=["qty", "qty_picked", "qty_missing", "updated_at"])
        return self._keep(
            stop=stop, location_code=stop.location_code, remainder=self._remainder(), stock_change=stock,
            moved_to=pick.elsewhere.stop_id if pick.elsewhere and moved else None, moved_qty=moved,
        )  # fmt: skip

    def _miss(self, need: PickNeed, stop: PickStop) -> tuple[int, int]:
        """Have pieces be missing; answer how many are taken elsewhere instead, and what the lot's stock changed by."""
        pick = self.pick
        moved = self._move_on(need, stop) if pick.elsewhere else 0
        stock = -moved
        if missing := pick.qty - moved:
            self._apply(stop.location_id, missing=missing)
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
        moved = min(self.pick.qty, self._free(lot_id), there)
        if not moved:
            return 0
        self._adjust(lot_id, -moved, stop.location_id, note=f"Missing at {stop.location_code or 'no place'}")
        need.qty -= moved
        last = self.session.stops.aggregate(last=Max("position"))["last"] or 0
        following, _ = PickStop.objects.get_or_create(
            pk=elsewhere.stop_id,
            defaults={
                "session": self.session, "position": last + 1, "inventory_item_id": lot_id, "location": place,
                "location_code": place.code, "picker_id": stop.picker_id or self.user_id,
            },
        )  # fmt: skip
        if (following.session_id, following.inventory_item_id) != (self.session.pk, lot_id):
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
        self._adjust(lot_id, change, stop.location_id, note=f"Counted at {stop.location_code or 'no place'}")
        return change

    @staticmethod
    def _in_totes(lot_id: UUID) -> int:
        lines = OrderLine.objects.filter(inventory_item=lot_id, qty_reserved__gt=0, qty_picked__gt=0)
        return sum(lines.values_list("qty_picked", flat=True))

    @staticmethod
    def _free(lot_id: UUID) -> int:
        balance = inventory.hold_lots([lot_id]).get(lot_id)
        return balance.available if balance else 0

    def _adjust(self, lot_id: UUID, change: int, location_id: UUID | None, *, note: str) -> None:
        if not change:
            return
        self.adjustments += 1
        inventory.move_stock(
            moves=[
                inventory.Move(
                    lot_id=lot_id, kind=MovementKind.COUNT, available=change, location_id=location_id, note=note,
                    cause_key=f"pick:{self.session.pk}:{self.pick.idempotency_key}:{self.adjustments}",
                    cause_type="pick_session", cause_id=str(self.session.pk),
                )
            ],
            now=self.now,
        )  # fmt: skip

    def correct(self) -> PickEvent:
        """Have an earlier pick be of another number of pieces."""
        pick = self.pick
        origin = PickEvent.objects.filter(
            session=self.session, idempotency_key=pick.corrects, order_line=self.line.pk
        ).first()
        if origin is None or origin.event_type == EventType.ADJUSTMENT:
            raise NotFound("There is no such pick of this line to correct.")
        before = effective_qty(origin)
        need = PickNeed.objects.select_related("stop").filter(stop=origin.stop_id, order_line=self.line.pk).first()
        if need is None:
            raise StopChanged("This stop isn't part of the walk any more. Correct the order itself.")
        self._hold_lots(need.stop)
        if origin.event_type == EventType.PICKED:
            more = pick.qty - before
            left = need.qty - need.qty_picked - need.qty_missing
            if more > left:
                raise AlreadyPicked(self._too_many(need, left), qty_open=left)
            self._apply(need.stop.location_id, picked=more)
            need.qty_picked += more
        elif pick.qty:
            raise Invalid(errors={"/qty": ["Undo it, and say anew what is missing."]})
        elif before:
            self._unmiss(origin, need)
        need.save(update_fields=["qty", "qty_picked", "qty_missing", "updated_at"])
        return self._keep(stop=need.stop, location_code=origin.location_code, corrects=origin)

    def _unmiss(self, origin: PickEvent, need: PickNeed) -> None:
        """Undo that pieces were missing, with all that was done to the stock besides."""
        if origin.moved_qty:
            there = (
                PickNeed.objects.select_related("stop").filter(stop=origin.moved_to, order_line=self.line.pk).first()
            )
            if there is None or there.qty - there.qty_picked - there.qty_missing < origin.moved_qty:
                raise Conflict("Pieces were taken from the other place meanwhile. Undo that first.")
            there.qty -= origin.moved_qty
            if there.qty:
                there.save(update_fields=["qty", "updated_at"])
                self.stops.append(there.stop)
            else:
                there.delete()
                PickStop.objects.filter(pk=there.stop_id, needs__isnull=True).delete()
            need.qty += origin.moved_qty
            self.session.route_version += 1
        missing = origin.qty - origin.moved_qty
        lot_id = need.stop.inventory_item_id
        # Pieces that were counted too many may be sold by now.
        back = max(-origin.stock_change, -self._free(lot_id))
        self._adjust(lot_id, back, need.stop.location_id, note="Undone")
        if missing:
            self._apply(need.stop.location_id, missing=-missing)
            need.qty_missing -= missing
            self.session.missing_items -= missing

    # --- Parts ------------------------------------------------------------------------------------------------------
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

    def _hold_lots(self, stop: PickStop) -> None:
        """Hold every lot that may be needed at once, so that everybody holds them in one order."""
        if stop.inventory_item_id != self.line.inventory_item_id:
            raise StopChanged("This line is of another lot by now. Reload the walk.")
        orders.hold_stock(self.held.lines)
        self.stops.append(stop)

    def _apply(self, location_id: UUID | None, *, picked: int = 0, missing: int = 0) -> None:
        change = PickChange(line_id=self.line.pk, picked=picked, missing=missing, location_id=location_id)
        try:
            orders.apply_picks(self.held, [change], now=self.now)
        except OrderClosed:
            raise
        except Conflict as problem:
            raise AlreadyPicked(problem.detail) from None
        self.session.picked_items += picked

    def _too_many(self, need: PickNeed, left: int) -> str:
        place = need.stop.location_code or "where you took it"
        others = (
            PickEvent.objects.filter(session=self.session, order_line=self.line.pk, event_type=EventType.PICKED)
            .exclude(user=self.user_id)
            .select_related("user")
            .order_by("-pk")
            .first()
        )
        who = f"{others.user} has picked it already" if others and others.user else "Fewer are needed by now"
        surplus = self.pick.qty - max(left, 0)
        return f"{who}: put {surplus:,} {'piece' if surplus == 1 else 'pieces'} back to {place}."

    def _remainder(self) -> str:
        return self.pick.remainder or Remainder.LATER if self.pick.event_type == EventType.MISSING else ""

    def _keep(self, **values: Any) -> PickEvent:
        pick = self.pick
        # A device's clock may be wrong: it isn't believed beyond the session.
        began = self.session.started_at or self.now
        at = min(max(pick.picked_at, began), self.now)
        event = PickEvent(
            session=self.session, order_line_id=self.line.pk, user_id=self.user_id, event_type=pick.event_type,
            qty=pick.qty, notes=pick.notes, idempotency_key=pick.idempotency_key, body_digest=pick.digest,
            picked_at=at, **values,
        )  # fmt: skip
        event.save(force_insert=True)
        return event


def effective_qty(event: PickEvent) -> int:
    """Answer of how many pieces a pick is, after what corrected it."""
    last = event.corrections.order_by("-pk").values_list("qty", flat=True).first()
    return event.qty if last is None else last


def _known(session: PickSession, pick: Pick) -> PickEvent | None:
    event = PickEvent.objects.filter(session=session, idempotency_key=pick.idempotency_key).first()
    if event is not None and event.body_digest != pick.digest:
        raise KeyReused(errors={"/idempotency_key": ["This key was another pick's. Make a fresh one."]})
    return event


def _require_in(session: PickSession, order: Any) -> None:
    entry = PickSessionOrder.objects.filter(session=session, order=order.pk).first()
    if entry is None:
        raise NotFound("This line isn't in the session.")
    if entry.left_at is not None:
        raise OrderLeft(
            f"Order {order.external_order_id} ({entry.batch_code}) is {order.get_status_display().lower()} and not"
            " picked any more: put its pieces back.",
            order_status=order.status,
        )


def _check(pick: Pick) -> None:
    errors: dict[str, list[str]] = {}
    least = 0 if pick.event_type == EventType.ADJUSTMENT else 1
    if pick.event_type not in EventType.values:
        errors["/event_type"] = ["PICKED, MISSING or ADJUSTMENT."]
    if not 0 < len(pick.idempotency_key) <= KEY_LENGTH or "\x00" in pick.idempotency_key:
        errors["/idempotency_key"] = [f"Between 1 and {KEY_LENGTH} characters, made on the device."]
    if not least <= pick.qty <= MOST_PIECES:
        errors["/qty"] = [f"Between {least} and {MOST_PIECES:,} pieces."]
    if bool(pick.corrects) != (pick.event_type == EventType.ADJUSTMENT):
        errors["/corrects"] = ["The key of the pick that an ADJUSTMENT corrects; of other picks nothing."]
    errors |= _errors_of_missing(pick)
    if len(pick.notes) > NOTES_LENGTH or "\x00" in pick.notes:
        errors["/notes"] = [f"At most {NOTES_LENGTH} characters."]
    if errors:
        raise Invalid(errors=errors)


def _errors_of_missing(pick: Pick) -> dict[str, list[str]]:
    """Answer what is wrong about what else is known where pieces are missing."""
    errors: dict[str, list[str]] = {}
    says_more = bool(pick.remainder) or pick.counted is not None or pick.elsewhere is not None
    if says_more and pick.event_type != EventType.MISSING:
        errors["/remainder"] = ["Only of pieces that are MISSING."]
    elif pick.remainder and pick.remainder not in Remainder.values:
        errors["/remainder"] = ["LATER, ZERO or COUNTED."]
    if (pick.remainder == Remainder.COUNTED) != (pick.counted is not None):
        errors["/counted"] = ["How many were COUNTED; otherwise nothing."]
    elif pick.counted is not None and not 0 <= pick.counted <= MOST_PIECES:
        errors["/counted"] = [f"Between 0 and {MOST_PIECES:,} pieces."]
    return errors
