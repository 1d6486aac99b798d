"""What a pick and its correction have in common: the line, its lots and the session, all held."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any
from uuid import UUID

from common.errors import Conflict
from inventory import services as inventory
from inventory.choices import MovementKind
from orders import services as orders
from orders.errors import OrderClosed
from orders.services import PickChange
from picker.choices import EventType
from picker.errors import AlreadyPicked, StopChanged
from picker.models import PickEvent, PickNeed, PickSession, PickStop
from picker.services.saying import Pick


class Work(ABC):
    """A pick under way: the order, the session and, from the first change on, the lots are held."""

    def __init__(self, session: PickSession, held: orders.Held, pick: Pick, user_id: Any, now: datetime) -> None:
        self.session, self.held, self.pick, self.user_id, self.now = session, held, pick, user_id, now
        self.line = held.line(pick.order_line_id)
        self.stops: list[PickStop] = []
        self.adjustments = 0

    @abstractmethod
    def do(self) -> PickEvent:
        """Do what was said, and keep it. What changed of order and session is stored by the caller."""

    def hold_lots(self, stop: PickStop) -> None:
        """Hold every lot that may be needed at once, so that everybody holds them in one order."""
        if stop.inventory_item_id != self.line.inventory_item_id:
            raise StopChanged("This line is of another lot by now. Reload the walk.")
        orders.hold_stock(self.held.lines)
        self.stops.append(stop)

    def apply(self, location_id: UUID | None, *, picked: int = 0, missing: int = 0) -> None:
        """Have so many pieces more, or fewer, be picked and missing. Raises AlreadyPicked, OrderClosed."""
        change = PickChange(line_id=self.line.pk, picked=picked, missing=missing, location_id=location_id)
        try:
            orders.apply_picks(self.held, [change], now=self.now)
        except OrderClosed:
            raise
        except Conflict as problem:
            raise AlreadyPicked(problem.detail) from None

    def too_many(self, need: PickNeed, left: int) -> str:
        """Answer what to do with pieces beyond those that are left to be picked."""
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

    def keep(self, **values: Any) -> PickEvent:
        """Keep what was said."""
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

    @staticmethod
    def free(lot_id: UUID) -> int:
        """Answer how many pieces of a held lot are for sale."""
        balance = inventory.hold_lots([lot_id]).get(lot_id)
        return balance.available if balance else 0

    def adjust(self, lot_id: UUID, change: int, location_id: UUID | None, *, note: str) -> None:
        """Have more pieces of a lot, or fewer, be there and for sale."""
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
