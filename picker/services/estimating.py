"""What a session of some orders would be, before it is made, and which orders go well together. Nothing is written."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orders.models import OrderLine
from picker.batching import Batch, Load, batches, suggestions
from picker.queries import figures
from picker.queries.maps import storage_map
from picker.services import planning

# So many orders are grouped while somebody waits, and so much is tried to group them better.
MOST_GROUPED, _TRIES = 40, 60


@dataclass(frozen=True, slots=True)
class Estimate:
    """A walk that isn't begun: how many stops and pieces, how far where a map knows it, and for how long."""

    orders: int
    stops: int
    pieces: int
    # Stops that are walked once instead of for each order.
    saved: int
    metres: float | None
    seconds_per_stop: float
    # The pace is the shop's own, and not what we take it to be.
    is_own_pace: bool

    @property
    def minutes(self) -> int:
        """Answer how long it takes one person."""
        return max(1, round(self.stops * self.seconds_per_stop / 60)) if self.stops else 0


def estimate(*, order_ids: Sequence[UUID], now: datetime) -> Estimate:
    """Answer what a session of the orders would be. Ten queries at most."""
    walk = planning.plan(planning.wants_of(order_ids, codes={key: place for place, key in enumerate(order_ids)}))
    pace, is_own = figures.seconds_per_stop(now=now)
    shares = [share for stop in walk.stops for share in stop.shares]
    return Estimate(
        orders=len(order_ids), stops=len(walk.stops), pieces=sum(qty for _line, qty in shares),
        saved=len(shares) - len(walk.stops), metres=walk.metres, seconds_per_stop=pace, is_own_pace=is_own,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Orders that go well together, and what that saves: stops, and metres where a map knows them."""

    order_ids: tuple[UUID, ...]
    stops: int
    stops_apart: int
    metres: float | None
    metres_apart: float | None

    @property
    def shared(self) -> int:
        """Answer at how many stops somebody is for another order anyway."""
        return self.stops_apart - self.stops


def suggest(*, order_ids: Sequence[UUID], totes: int) -> list[Suggestion]:
    """Answer which of the first orders go well together, at most so many on one walk, the best first. Nine queries."""
    wanted = list(order_ids)[:MOST_GROUPED]
    wants = planning.wants_of(wanted, codes={key: place for place, key in enumerate(wanted)})
    walk = planning.plan(wants)
    order_of = dict(OrderLine.objects.filter(pk__in=[want.line_id for want in wants]).values_list("pk", "order_id"))
    stops: dict[UUID, set[Hashable]] = defaultdict(set)
    pieces: dict[UUID, int] = defaultdict(int)
    for stop in walk.stops:
        for line_id, qty in stop.shares:
            # A lot that lies nowhere is looked for by itself.
            stops[order_of[line_id]].add(stop.location.pk if stop.location else stop.lot_id)
            pieces[order_of[line_id]] += qty
    known = storage_map({stop.location.pk for stop in walk.stops if stop.location})
    loads = [Load(frozenset(stops[key]), pieces[key]) for key in wanted]
    found = batches(
        loads, capacity=totes, ground=known.layout or known.depot, where=known.spots, evaluations=_TRIES
    )  # fmt: skip
    return [_suggestion(batch, wanted) for batch in suggestions(found)]


def _suggestion(batch: Batch, order_ids: Sequence[UUID]) -> Suggestion:
    return Suggestion(
        tuple(order_ids[place] for place in batch.orders), batch.stops, batch.stops_apart, batch.metres,
        batch.metres_apart,
    )  # fmt: skip
