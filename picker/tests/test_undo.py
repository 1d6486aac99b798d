"""What was said is taken back after the world has gone on: pieces are neither lost nor there twice."""

import pytest
from django.utils import timezone

from common.errors import Conflict, Invalid
from common.ids import new_id
from inventory import services as inventory
from inventory.models import InventoryItemLocation
from inventory.testing import make_location, make_lot
from orders import services as orders
from orders.lifecycle import Status
from orders.models import OrderLine
from orders.testing import arrive, incoming, incoming_line, later, make_store, type_in
from picker import services
from picker.errors import OrderLeft
from picker.models import PickNeed
from picker.services import Elsewhere
from picker.testing import make_session, needs_of, record, say

pytestmark = pytest.mark.django_db


def _follow(order):
    services.follow_order(order_id=order.pk, now=timezone.now())


def _at(code):
    return InventoryItemLocation.objects.filter(location__code=code).values_list("qty", flat=True).first() or 0


def _stock(lot):
    lot.refresh_from_db()
    return lot.qty_available, lot.qty_reserved


def _counts(session):
    session.refresh_from_db()
    return session.total_items, session.picked_items, session.missing_items


def _undo(session, need, key):
    return record(session, say(need, 0, "ADJUSTMENT", corrects=key))


def _ordered(qty):
    lot, store = make_lot(qty=20, location=make_location("A-1")), make_store()
    told = incoming(incoming_line(lot, qty=qty, external_line_id="1"), status=Status.PENDING)
    return lot, told, arrive(store, told), store


def test_an_order_that_wants_fewer_than_are_picked_has_the_others_put_back_and_all_can_be_undone():
    lot, told, order, store = _ordered(6)
    session = make_session(order)
    need = needs_of(session)[0]
    record(session, say(need, 3, key="one"))
    record(session, say(need, 2, key="two"))
    arrive(store, later(told, lines=(incoming_line(lot, qty=3, external_line_id="1"),)))
    assert (_at("A-1"), order.lines.get().qty_picked) == (17, 3)
    # Before the walk knows.
    _undo(session, need, "two")
    assert (_at("A-1"), order.lines.get().qty_picked) == (19, 1)
    _follow(order)
    assert _counts(session) == (3, 1, 0)
    _undo(session, need, "one")
    assert (_at("A-1"), order.lines.get().qty_picked, _counts(session)) == (20, 0, (3, 0, 0))
    record(session, say(needs_of(session)[0], 3))
    assert (_at("A-1"), inventory.verify_stock()) == (17, [])


def test_the_walk_says_no_more_is_picked_than_the_order_does():
    lot, told, order, store = _ordered(6)
    session = make_session(order)
    record(session, say(needs_of(session)[0], 5))
    arrive(store, later(told, lines=(incoming_line(lot, qty=3, external_line_id="1"),)))
    _follow(order)
    [need] = needs_of(session)
    assert (need.qty, need.qty_picked, _counts(session)) == (3, 3, (3, 3, 0))


def test_missing_pieces_that_were_taken_off_the_order_turn_up_for_sale():
    lot, _told, order, _store = _ordered(6)
    session = make_session(order)
    [need] = needs_of(session)
    record(session, say(need, 4))
    record(session, say(need, 2, "MISSING", key="k"))
    assert _stock(lot) == (14, 4)
    orders.drop_short(order_id=order.pk, line_id=need.order_line_id, now=timezone.now())
    _undo(session, need, "k")
    assert (_stock(lot), _at("A-1")) == ((16, 4), 16)
    _follow(order)
    assert (_counts(session), inventory.verify_stock()) == ((4, 4, 0), [])


@pytest.mark.parametrize("how", ["place", "lot"])
def test_pieces_that_were_counted_since_are_not_there_twice(how):
    place = make_location("A-1")
    lot = make_lot(qty=20, location=place)
    session = make_session(type_in((lot, 6)))
    [need] = needs_of(session)
    record(session, say(need, 6, "MISSING", key="k", remainder="ZERO"))
    assert (_stock(lot), _at("A-1")) == ((0, 0), 0)
    if how == "place":
        inventory.count_location(location_id=place.pk, found={lot.pk: 20}, now=timezone.now())
    else:
        inventory.count_lot(lot_id=lot.pk, placed={place.pk: 20}, unplaced=0, now=timezone.now())
    _undo(session, need, "k")
    assert (_stock(lot), _at("A-1"), _counts(session)) == ((14, 6), 20, (6, 0, 0))
    assert inventory.verify_stock() == []


def test_pieces_that_were_counted_too_many_and_sold_stay_sold():
    lot = make_lot(qty=6, location=make_location("A-1"))
    session = make_session(type_in((lot, 6)))
    [need] = needs_of(session)
    record(session, say(need, 1, "MISSING", key="k", remainder="COUNTED", counted=9))
    assert _stock(lot) == (4, 5)
    type_in((lot, 3))
    _undo(session, need, "k")
    assert (_stock(lot), inventory.verify_stock()) == ((0, 9), [])


def _elsewhere(qty=6):
    here, there = make_location("A-1"), make_location("B-1")
    lot, store = make_lot(qty=20, location=here), make_store()
    inventory.add_pieces(lot_id=lot.pk, qty=10, location_id=there.pk, now=timezone.now())
    told = incoming(incoming_line(lot, qty=qty, external_line_id="1"), status=Status.PENDING)
    order = arrive(store, told)
    session = make_session(order)
    [need] = needs_of(session)
    stop = new_id()
    record(session, say(need, qty, "MISSING", key="k", elsewhere=Elsewhere(there.pk, stop)))
    return lot, told, order, store, session, need, stop


def test_going_elsewhere_is_undone_as_far_as_the_order_still_wants_it():
    lot, told, order, store, session, need, _stop = _elsewhere()
    arrive(store, later(told, lines=(incoming_line(lot, qty=4, external_line_id="1"),)))
    _follow(order)
    _undo(session, need, "k")
    assert [(each.stop.location_code, each.qty) for each in needs_of(session)] == [("A-1", 4)]
    assert (_stock(lot), _at("A-1"), _counts(session)) == ((26, 4), 20, (4, 0, 0))
    assert inventory.verify_stock() == []


def test_a_chain_of_places_is_undone_from_its_end():
    lot, _told, _order, _store, session, need, stop = _elsewhere()
    third = make_location("C-1")
    inventory.add_pieces(lot_id=lot.pk, qty=10, location_id=third.pk, now=timezone.now())
    following = PickNeed.objects.get(stop=stop)
    record(session, say(following, 6, "MISSING", key="l", elsewhere=Elsewhere(third.pk, new_id())))
    with pytest.raises(Conflict, match="Undo that first"):
        _undo(session, need, "k")
    _undo(session, following, "l")
    _undo(session, need, "k")
    assert [(each.stop.location_code, each.qty) for each in needs_of(session)] == [("A-1", 6)]
    assert (_stock(lot), inventory.verify_stock()) == ((34, 6), [])


def test_a_stop_is_not_its_own_other_place():
    place, other = make_location("A-1"), make_location("B-1")
    lot = make_lot(qty=20, location=place)
    inventory.add_pieces(lot_id=lot.pk, qty=10, location_id=other.pk, now=timezone.now())
    session = make_session(type_in((lot, 6)))
    [need] = needs_of(session)
    with pytest.raises(Invalid):
        record(session, say(need, 6, "MISSING", elsewhere=Elsewhere(other.pk, need.stop_id)))
    assert _counts(session) == (6, 0, 0)


def test_a_pick_goes_back_to_its_place_whatever_was_picked_elsewhere():
    place = make_location("A-1")
    lot = make_lot(qty=10)
    inventory.move_pieces(moves=[inventory.PieceMove(lot_id=lot.pk, target_id=place.pk, qty=3)], now=timezone.now())
    session = make_session(type_in((lot, 6)))
    shelf, nowhere = needs_of(session)
    record(session, say(shelf, 3, key="k"))
    record(session, say(nowhere, 3))
    assert _at("A-1") == 0
    _undo(session, shelf, "k")
    line = OrderLine.objects.get()
    assert (_at("A-1"), line.qty_picked, line.picked_from) == (3, 3, [])


def test_what_is_begun_anew_is_picked_anew_in_the_same_session():
    lot = make_lot(qty=20, location=make_location("A-1"))
    order = type_in((lot, 6))
    session = make_session(order, type_in((lot, 1)))
    record(session, say(needs_of(session)[0], 5))
    orders.change_status(order_id=order.pk, status=Status.PENDING, now=timezone.now(), reason="Mixed up")
    with pytest.raises(OrderLeft, match="is pending and is not picked here any more"):
        record(session, say(needs_of(session)[0], 1))
    _follow(order)
    services.add_orders(session_id=session.pk, order_ids=[order.pk], now=timezone.now())
    assert _counts(session) == (7, 0, 0)


def test_an_order_that_is_alive_again_is_picked_from_the_start():
    _lot, told, order, store = _ordered(6)
    session = make_session(order)
    record(session, say(needs_of(session)[0], 5))
    arrive(store, later(told, status=Status.CANCELLED))
    assert _at("A-1") == 20
    _follow(order)
    arrive(store, later(told, hours=2, is_reinstated=True))
    assert order.lines.get().qty_picked == 0
    order.refresh_from_db()
    assert needs_of(make_session(order))[0].qty == 6
