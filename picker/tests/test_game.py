"""A game of everything that can happen to sessions: after each step the books, the lines and the walks agree."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from django.db.models import Sum
from django.utils import timezone

from common.errors import ProblemError
from common.ids import new_id
from inventory import services as inventory
from inventory.models import InventoryItem, InventoryItemLocation
from inventory.testing import make_location, make_lot
from orders import services as orders
from orders.incoming import IncomingLine, IncomingOrder
from orders.lifecycle import PROMISED, Status
from orders.models import Order, OrderLine
from orders.testing import PLACED, arrive, incoming, incoming_line, make_store
from picker import services
from picker.choices import OPEN, Remainder, SessionStatus
from picker.models import PickEvent, PickNeed, PickSession, PickSessionOrder
from picker.services import Elsewhere
from picker.testing import record, say

pytestmark = pytest.mark.django_db
_STEPS = 60


@dataclass
class _Game:
    """A small shop: places, lots that lie at some of them, and orders of a channel."""

    dice: Random
    versions: dict[UUID, IncomingOrder] = field(default_factory=dict)
    # Orders of which sessions haven't heard yet what happened.
    unheard: set[UUID] = field(default_factory=set)
    hours: int = 0

    def __post_init__(self) -> None:
        self.store = make_store()
        self.places = [make_location(f"A-{number}") for number in range(4)]
        self.lots = [make_lot(qty=self.dice.randint(8, 20), item_no=str(number)) for number in range(3)]
        for lot in self.lots:
            for place in self.dice.sample(self.places, 2):
                qty = self.dice.randint(1, 4)
                inventory.move_pieces(
                    moves=[inventory.PieceMove(lot_id=lot.pk, target_id=place.pk, qty=qty)], now=timezone.now()
                )
        for _ in range(4):
            self.order()

    # --- What happens -----------------------------------------------------------------------------------------------
    def order(self) -> None:
        told = incoming(*self._lines(), external_order_id=str(new_id()), status=Status.PENDING)
        self.versions[arrive(self.store, told).pk] = told

    def change(self) -> None:
        key = self.dice.choice(list(self.versions))
        self.hours += 1
        told = self.versions[key]
        values: dict[str, Any] = {"lines": self._lines()} if self.dice.random() < 0.7 else {"status": self._status()}
        fresh: dict[str, Any] = {"is_reinstated": self.dice.random() < 0.5, **values}
        self.versions[key] = told = IncomingOrder(
            **{**vars_of(told), **fresh, "as_of": PLACED + timedelta(hours=self.hours)}
        )
        arrive(self.store, told)
        self.unheard.add(key)

    def _status(self) -> Status:
        return self.dice.choice([Status.CANCELLED, Status.PENDING, Status.READY, Status.SHIPPED])

    def _lines(self) -> tuple[IncomingLine, ...]:
        return tuple(
            incoming_line(lot, qty=self.dice.randint(1, 6), external_line_id=lot.item_no)
            for lot in self.dice.sample(self.lots, self.dice.randint(1, 3))
        )

    def begin(self) -> None:
        keys = list(Order.objects.filter(status__in=[Status.PENDING, Status.PICKING]).values_list("pk", flat=True))
        chosen = self.dice.sample(keys, min(len(keys), 2))
        session = services.create_session(order_ids=chosen, now=timezone.now(), with_flagged=True)
        services.start_session(session_id=session.pk, now=timezone.now())

    def pick(self) -> None:
        need = self._need()
        record(need.stop.session, say(need, self.dice.randint(1, max(1, need.qty))))

    def miss(self) -> None:
        need = self._need()
        more: dict[str, Any] = {"remainder": self.dice.choice(Remainder.values)}
        if more["remainder"] == Remainder.COUNTED:
            more["counted"] = self.dice.randint(0, 6)
        if self.dice.random() < 0.4:
            more["elsewhere"] = Elsewhere(self.dice.choice(self.places).pk, new_id())
        record(need.stop.session, say(need, self.dice.randint(1, max(1, need.qty)), "MISSING", **more))

    def correct(self) -> None:
        said = PickEvent.objects.exclude(event_type="ADJUSTMENT").select_related("session", "order_line")
        event = self.dice.choice(list(said))
        assert event.stop_id
        need = PickNeed(order_line=event.order_line, stop_id=event.stop_id)
        qty = self.dice.choice([0, 0, 1, event.qty])
        record(event.session, say(need, qty, "ADJUSTMENT", corrects=event.idempotency_key))

    def join_in(self) -> None:
        order = self.dice.choice(list(self.versions))
        services.add_orders(session_id=self._session().pk, order_ids=[order], now=timezone.now(), with_flagged=True)

    def take_out(self) -> None:
        entry = self.dice.choice(list(PickSessionOrder.objects.filter(left_at=None)))
        services.remove_order(session_id=entry.session_id, order_id=entry.order_id, now=timezone.now())

    def end(self) -> None:
        verb = self.dice.choice([services.complete_session, services.cancel_session])
        verb(session_id=self._session().pk, now=timezone.now())

    def move_on(self) -> None:
        key = self.dice.choice(list(self.versions))
        status = self.dice.choice([Status.PENDING, Status.PACKING, Status.SHIPPED, Status.CANCELLED])
        self.unheard.add(key)
        orders.change_status(order_id=key, status=status, now=timezone.now(), reason="So be it")

    def drop(self) -> None:
        line = self.dice.choice(list(OrderLine.objects.all()))
        self.unheard.add(line.order_id)
        if self.dice.random() < 0.5:
            orders.drop_short(order_id=line.order_id, line_id=line.pk, now=timezone.now())
        else:
            lot = self.dice.choice(self.lots)
            orders.take_from_lot(order_id=line.order_id, line_id=line.pk, lot_id=lot.pk, now=timezone.now())

    def count(self) -> None:
        place, lot = self.dice.choice(self.places), self.dice.choice(self.lots)
        inventory.count_location(location_id=place.pk, found={lot.pk: self.dice.randint(0, 8)}, now=timezone.now())

    def store_differently(self) -> None:
        lot, place = self.dice.choice(self.lots), self.dice.choice(self.places)
        match self.dice.randint(0, 3):
            case 0:
                inventory.add_pieces(
                    lot_id=lot.pk, qty=self.dice.randint(1, 4), location_id=place.pk, now=timezone.now()
                )
                self.unheard.update(self.versions)
                orders.cover_shortages(lot_ids=[lot.pk], now=timezone.now())
            case 1:
                inventory.adjust_stock(lot_id=lot.pk, qty_available=self.dice.randint(0, 6), now=timezone.now())
            case 2:
                other = self.dice.choice(self.places)
                inventory.move_contents(source_id=place.pk, target_id=other.pk, now=timezone.now())
            case _:
                inventory.update_location(location_id=place.pk, changes={"is_active": self.dice.random() < 0.6})

    def hear(self) -> None:
        for key in sorted(self.unheard):
            services.follow_order(order_id=key, now=timezone.now())
        self.unheard.clear()

    def _need(self) -> PickNeed:
        needs = PickNeed.objects.filter(stop__session__status=SessionStatus.ACTIVE)
        return self.dice.choice(list(needs.select_related("stop__session", "order_line").order_by("pk")))

    def _session(self) -> PickSession:
        return self.dice.choice(list(PickSession.objects.filter(status__in=OPEN).order_by("pk")))

    # --- What must hold ---------------------------------------------------------------------------------------------
    def check(self) -> None:
        assert inventory.verify_stock() == []
        lines = list(OrderLine.objects.select_related("order"))
        for lot in InventoryItem.objects.all():
            mine = [line for line in lines if line.inventory_item_id == lot.pk]
            assert lot.qty_reserved == sum(line.qty_reserved for line in mine)
            placed = InventoryItemLocation.objects.filter(inventory_item=lot).aggregate(qty=Sum("qty", default=0))
            assert placed["qty"] <= lot.qty_on_hand
        for line in lines:
            assert sum(place["qty"] for place in line.picked_from) <= line.qty_picked
            if line.order.status in PROMISED:
                assert line.qty_picked <= line.qty_reserved
        self._check_walks(lines)

    def _check_walks(self, lines: list[OrderLine]) -> None:
        inside = dict(PickSessionOrder.objects.filter(left_at=None).values_list("order_id", "session_id"))
        needs = list(PickNeed.objects.select_related("stop"))
        for session in PickSession.objects.all():
            mine = [need for need in needs if need.stop.session_id == session.pk]
            said = (session.total_items, session.picked_items, session.missing_items)
            assert said == tuple(sum(getattr(n, name) for n in mine) for name in ("qty", "qty_picked", "qty_missing"))
            assert session.is_open or session.pk not in inside.values()
        for line in lines:
            if line.order_id not in inside or self.unheard:
                continue
            mine = [n for n in needs if n.order_line_id == line.pk and n.stop.session_id == inside[line.order_id]]
            assert sum(need.qty_picked for need in mine) <= line.qty_picked
            assert sum(need.qty_missing for need in mine) <= line.qty_missing
            left = sum(need.qty - need.qty_picked - need.qty_missing for need in mine)
            assert left == line.qty_reserved - line.qty_picked


def vars_of(told: IncomingOrder) -> dict[str, Any]:
    """Answer the fields of an order as it was told."""
    return {name: getattr(told, name) for name in told.__dataclass_fields__}


def _turns(game: _Game) -> Iterator[Callable[[], None]]:
    often = [game.pick] * 6 + [game.miss] * 3 + [game.correct] * 4 + [game.hear] * 3 + [game.begin] * 2
    seldom = [
        game.order, game.change, game.change, game.join_in, game.take_out, game.end, game.move_on, game.drop,
        game.count, game.store_differently, game.store_differently,
    ]  # fmt: skip
    yield game.begin
    for _ in range(_STEPS):
        yield game.dice.choice([*often, *seldom])
    yield game.hear


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_to_a_walk_no_piece_is_lost_and_none_is_there_twice(seed):
    game = _Game(Random(seed))  # noqa: S311  # nothing secret
    done = []
    for turn in _turns(game):
        done.append(turn.__name__)
        try:
            turn()
        except (ProblemError, IndexError) as problem:
            # Nothing to choose from, or refused in words.
            done[-1] += f": {problem}"
        try:
            game.check()
        except AssertionError as failure:
            raise AssertionError("\n".join(done)) from failure
