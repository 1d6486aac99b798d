"""An ADJUSTMENT: an earlier pick is of another number of pieces, or undone, with all that was done for it."""

from uuid import UUID

from django.db.models import Q

from common.errors import Conflict, Invalid, NotFound
from inventory.choices import MovementKind
from inventory.models import Location, StockMovement
from inventory.queries.placements import active_locations
from picker.choices import EventType
from picker.errors import AlreadyPicked, StopChanged
from picker.models import PickEvent, PickNeed, PickStop
from picker.services.working import Work


class Correction(Work):
    """The correction of a pick."""

    def do(self) -> PickEvent:
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
        self.hold_lots(need.stop)
        if origin.event_type == EventType.PICKED:
            self._repick(need, pick.qty - before)
        elif pick.qty:
            raise Invalid(errors={"/qty": ["Undo it, and say anew what is missing."]})
        elif before:
            self._unmiss(origin, need)
        need.save(update_fields=["qty", "qty_picked", "qty_missing", "updated_at"])
        return self.keep(stop=need.stop, location_code=origin.location_code, corrects=origin)

    def _repick(self, need: PickNeed, more: int) -> None:
        """Have more pieces be picked, or fewer."""
        left = need.qty - need.qty_picked - need.qty_missing
        if more > left:
            raise AlreadyPicked(self.too_many(need, left), qty_open=left)
        # What the order didn't want any more went back to its place by itself.
        more = max(more, -need.qty_picked)
        self.apply(need.stop.location_id, picked=max(more, -self.line.qty_picked))
        need.qty_picked += more
        self.session.picked_items += more

    def _unmiss(self, origin: PickEvent, need: PickNeed) -> None:
        """Undo that pieces were missing, with all that was done to the stock besides."""
        if origin.moved_qty:
            self._come_back(origin, need)
        lot_id, place = need.stop.inventory_item_id, self._place(need.stop)
        missing = origin.qty - origin.moved_qty
        mine = min(missing, need.qty_missing)
        # The others were taken off the order meanwhile: they turn up for sale.
        back = min(mine, self.line.qty_missing)
        stock = missing - back - origin.stock_change
        if self._counted_since(origin, need.stop):
            # Then the books have what was there: those pieces are promised again, and no others come up.
            stock = -back
        # Pieces that were counted too many may be sold by now.
        self.adjust(lot_id, max(stock, -self.free(lot_id)), place, note="Undone")
        if back:
            self.apply(place, missing=-back)
        need.qty_missing -= mine
        self.session.missing_items -= mine

    def _come_back(self, origin: PickEvent, need: PickNeed) -> None:
        """Want the pieces here again that were to be taken elsewhere, as far as the order still wants them."""
        there = PickNeed.objects.select_related("stop").filter(stop=origin.moved_to, order_line=self.line.pk).first()
        if there is None:
            return
        back = min(origin.moved_qty, there.qty - there.qty_picked - there.qty_missing)
        said = PickEvent.objects.filter(stop=origin.moved_to, order_line=self.line.pk).exclude(event_type="ADJUSTMENT")
        if back < origin.moved_qty and any(map(effective_qty, said)):
            raise Conflict("Pieces were taken from the other place meanwhile. Undo that first.")
        there.qty -= back
        if there.qty:
            there.save(update_fields=["qty", "updated_at"])
            self.stops.append(there.stop)
        else:
            there.delete()
            PickStop.objects.filter(pk=there.stop_id, needs__isnull=True).delete()
        need.qty += back
        self.session.route_version += 1

    @staticmethod
    def _place(stop: PickStop) -> UUID | None:
        """Answer where pieces of a stop are put back to: nothing is put to a place that isn't in use."""
        return stop.location_id if stop.location_id and active_locations([stop.location_id]) else None

    @staticmethod
    def _counted_since(origin: PickEvent, stop: PickStop) -> bool:
        """Tell whether somebody has counted the lot, or the place, since."""
        counts = StockMovement.objects.filter(
            Q(cause_type="") | Q(cause_type="location", cause_id=str(stop.location_id)),
            inventory_item_id=stop.inventory_item_id, kind=MovementKind.COUNT, created_at__gt=origin.created_at,
        )  # fmt: skip
        counted = Location.objects.filter(last_counted_at__gt=origin.created_at)
        return counts.exists() or (stop.location_id is not None and counted.filter(pk=stop.location_id).exists())


def effective_qty(event: PickEvent) -> int:
    """Answer of how many pieces a pick is, after what corrected it."""
    last = event.corrections.order_by("-pk").values_list("qty", flat=True).first()
    return event.qty if last is None else last
