"""What pickers say, and all that follows from it."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from common.errors import Conflict, Invalid, NotFound
from common.ids import new_id
from inventory import services as inventory
from inventory.models import InventoryItem, InventoryItemLocation
from inventory.testing import make_location, make_lot
from orders import services as orders
from orders.testing import type_in
from picker import services
from picker.errors import AlreadyPicked, KeyReused, OrderLeft, SessionClosed, StopChanged
from picker.models import PickEvent, PickNeed
from picker.services import Elsewhere
from picker.testing import make_session, needs_of, record, say

pytestmark = pytest.mark.django_db


@pytest.fixture
def walk():
    """A lot of 20 at A-1 and 10 at B-1, and a session that wants 6 and 8 of it."""
    place, other = make_location("A-1"), make_location("B-1")
    lot = make_lot(qty=20, location=place)
    _put(lot, other, 10)
    session = make_session(type_in((lot, 6)), type_in((lot, 8)))
    return session, lot


def _put(lot, location, qty):
    inventory.add_pieces(lot_id=lot.pk, qty=qty, location_id=location.pk, now=timezone.now())


def _at(code):
    return InventoryItemLocation.objects.filter(location__code=code).values_list("qty", flat=True).first() or 0


def _stock(lot):
    lot.refresh_from_db()
    return lot.qty_available, lot.qty_reserved


def test_a_pick_moves_line_place_and_counts_together(walk):
    session, lot = walk
    one, two = needs_of(session)
    record(session, say(one, 6))
    record(session, say(two, 8))
    session.refresh_from_db()
    assert (session.picked_items, _at("A-1"), _stock(lot)) == (14, 6, (16, 14))
    line = one.order_line
    line.refresh_from_db()
    assert (line.status, line.qty_picked) == ("PICKED", 6)
    assert inventory.verify_stock() == []


def test_the_same_pick_twice_is_one_and_its_key_means_nothing_else(walk):
    session, _lot = walk
    need = needs_of(session)[0]
    first = record(session, say(need, 2, key="k"))
    again = record(session, say(need, 2, key="k"))
    assert (first.is_known, again.is_known, again.event.pk) == (False, True, first.event.pk)
    with pytest.raises(KeyReused):
        record(session, say(need, 3, key="k"))
    session.refresh_from_db()
    assert (session.picked_items, PickEvent.objects.count()) == (2, 1)


def test_more_than_is_needed_is_refused_and_says_what_to_do(walk):
    session, _lot = walk
    need = needs_of(session)[0]
    record(session, say(need, 5))
    with pytest.raises(AlreadyPicked, match="put 2 pieces back to A-1"):
        record(session, say(need, 3))
    record(session, say(need, 1))
    with pytest.raises(IntegrityError), transaction.atomic():
        PickNeed.objects.filter(pk=need.pk).update(qty_picked=7)


def test_an_undo_puts_everything_back_and_again_changes_nothing(walk):
    session, lot = walk
    need = needs_of(session)[0]
    record(session, say(need, 6, key="k"))
    for _ in range(2):
        record(session, say(need, 0, "ADJUSTMENT", corrects="k"))
    session.refresh_from_db()
    assert (session.picked_items, _at("A-1"), _stock(lot)) == (0, 20, (16, 14))
    record(session, say(need, 4, "ADJUSTMENT", corrects="k"))
    assert (_at("A-1"), needs_of(session)[0].qty_picked) == (16, 4)
    with pytest.raises(AlreadyPicked):
        record(session, say(need, 7, "ADJUSTMENT", corrects="k"))
    with pytest.raises(NotFound):
        record(session, say(need, 1, "ADJUSTMENT", corrects="another"))


@pytest.mark.parametrize(
    ("values", "at_place", "stock"),
    [
        ({}, 14, (16, 8)),
        ({"remainder": "LATER"}, 14, (16, 8)),
        ({"remainder": "ZERO"}, 0, (2, 8)),
        ({"remainder": "COUNTED", "counted": 3}, 3, (5, 8)),
        ({"remainder": "COUNTED", "counted": 17}, 17, (19, 8)),
    ],
    ids=["nothing said", "later", "zero", "fewer", "more"],
)
def test_missing_pieces_leave_the_books_with_what_is_known_of_the_rest(walk, values, at_place, stock):
    session, lot = walk
    need = needs_of(session)[0]
    record(session, say(need, 6, "MISSING", key="k", **values))
    line = need.order_line
    line.refresh_from_db()
    session.refresh_from_db()
    assert (line.status, line.qty_missing, session.missing_items) == ("MISSING", 6, 6)
    assert (_at("A-1"), _stock(lot)) == (at_place, stock)
    assert inventory.verify_stock() == []
    for _ in range(2):
        record(session, say(need, 0, "ADJUSTMENT", corrects="k"))
    session.refresh_from_db()
    assert (_at("A-1"), _stock(lot), session.missing_items) == (20, (16, 14), 0)
    assert inventory.verify_stock() == []


def test_pieces_that_are_promised_to_others_are_not_counted_away():
    place = make_location("A-1")
    lot = make_lot(qty=10, location=place)
    mine, others = type_in((lot, 4)), type_in((lot, 5))
    session = make_session(mine)
    record(session, say(needs_of(session)[0], 4, "MISSING", remainder="ZERO"))
    assert (_stock(lot), _at("A-1")) == ((0, 5), 5)
    assert others.lines.get().qty_reserved == 5
    assert inventory.verify_stock() == []


def test_missing_pieces_are_taken_from_the_other_place_instead(walk):
    session, lot = walk
    need, other = needs_of(session)[0], new_id()
    where = InventoryItemLocation.objects.get(location__code="B-1").location_id
    record(session, say(need, 6, "MISSING", key="k", elsewhere=Elsewhere(where, other), remainder="ZERO"))
    session.refresh_from_db()
    assert (session.missing_items, session.total_items) == (0, 14)
    following = PickNeed.objects.get(stop=other)
    assert (following.qty, following.stop.location_code) == (6, "B-1")
    # 20 were believed to be at A-1, and 8 are promised there to the other order.
    assert inventory.verify_stock() == []
    assert _stock(lot)[1] == 14
    record(session, say(following, 6))
    assert _at("B-1") == 4
    with pytest.raises(Conflict, match="Undo that first"):
        record(session, say(need, 0, "ADJUSTMENT", corrects="k"))


def test_going_elsewhere_is_undone_as_a_whole(walk):
    session, lot = walk
    need, other = needs_of(session)[0], new_id()
    where = InventoryItemLocation.objects.get(location__code="B-1").location_id
    record(session, say(need, 6, "MISSING", key="k", elsewhere=Elsewhere(where, other)))
    record(session, say(need, 0, "ADJUSTMENT", corrects="k"))
    assert (_stock(lot), _at("A-1"), session.stops.count(), needs_of(session)[0].qty) == ((16, 14), 20, 1, 6)
    assert inventory.verify_stock() == []


def test_a_place_without_pieces_of_the_lot_is_no_other_place(walk):
    session, _lot = walk
    need = needs_of(session)[0]
    here = need.stop.location_id
    assert here is not None
    for where in (new_id(), make_location("C-1").pk, here):
        with pytest.raises(Invalid):
            record(session, say(need, 1, "MISSING", elsewhere=Elsewhere(where, new_id())))


def test_what_is_said_after_the_end_or_of_orders_that_left_is_refused(walk):
    session, lot = walk
    one, two = needs_of(session)
    orders.cancel_order(order_id=one.order_line.order_id, now=timezone.now())
    with pytest.raises(OrderLeft, match=r"put its pieces back|left or ended"):
        record(session, say(one, 1))
    services.follow_order(order_id=one.order_line.order_id, now=timezone.now())
    with pytest.raises(OrderLeft, match="put its pieces back"):
        record(session, say(one, 1))
    record(session, say(two, 8))
    services.complete_session(session_id=session.pk, now=timezone.now())
    with pytest.raises(SessionClosed):
        record(session, say(two, 1))
    draft = make_session(type_in((lot, 1)), starts=False)
    with pytest.raises(SessionClosed, match="hasn't been started"):
        record(draft, say(needs_of(draft)[0], 1))


def test_lines_of_other_sessions_and_stops_of_others_are_refused(walk):
    session, lot = walk
    other = make_session(type_in((lot, 1)))
    [foreign] = needs_of(other)
    with pytest.raises(NotFound):
        record(session, say(foreign, 1))
    mine = needs_of(session)[0]
    mine.stop_id = foreign.stop_id
    with pytest.raises(StopChanged):
        record(session, say(mine, 1))


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "TAKEN"}, {"qty": 0}, {"qty": -1}, {"qty": 10**7}, {"key": "k" * 65}, {"corrects": "x"},
        {"remainder": "ZERO"}, {"kind": "MISSING", "remainder": "COUNTED"}, {"kind": "MISSING", "counted": 3},
        {"kind": "MISSING", "remainder": "SOME"}, {"kind": "ADJUSTMENT"}, {"notes": "n" * 301}, {"notes": "\x00"},
    ],
    ids=str,
)  # fmt: skip
def test_nonsense_is_refused(walk, values):
    session, _lot = walk
    given = {"qty": 1, "kind": "PICKED", **values}
    with pytest.raises(Invalid):
        record(session, say(needs_of(session)[0], **given))


def test_a_clock_that_is_wrong_is_not_believed_beyond_the_session(walk):
    session, _lot = walk
    need = needs_of(session)[0]
    for days in (-9, 9):
        pick = say(need, 1)
        object.__setattr__(pick, "picked_at", timezone.now() + timedelta(days=days))
        event = record(session, pick).event
        assert session.started_at <= event.picked_at <= timezone.now()


def test_what_was_said_stays(walk):
    session, _lot = walk
    record(session, say(needs_of(session)[0], 1))
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE picker_pickevent SET qty = 2")


def test_a_lot_that_lies_nowhere_is_picked_too():
    lot = make_lot(qty=9)
    session = make_session(type_in((lot, 4)))
    [need] = needs_of(session)
    record(session, say(need, 2))
    record(session, say(need, 2, "MISSING", remainder="ZERO"))
    # Two are in the tote, and that is all.
    assert (_stock(lot), InventoryItem.objects.get().qty_on_hand) == ((0, 2), 2)
    assert inventory.verify_stock() == []
