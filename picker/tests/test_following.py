"""A walk follows its orders: what is cancelled, added or taken off meanwhile."""

import pytest
from django.utils import timezone

from inventory import services as inventory
from inventory.testing import make_location, make_lot
from orders import services as orders
from orders.lifecycle import Status
from orders.models import Order
from orders.testing import arrive, incoming, incoming_line, later, make_store, type_in
from picker import services
from picker.choices import Leaving
from picker.testing import make_session, needs_of, record, say

pytestmark = pytest.mark.django_db


def _follow(order):
    services.follow_order(order_id=order.pk, now=timezone.now())


def _wanted(session):
    return [(need.stop.location_code, need.qty, need.qty_picked) for need in needs_of(session)]


def test_an_order_that_is_cancelled_leaves_and_the_others_are_walked_on():
    place = make_location("A-1")
    lot = make_lot(qty=20, location=place)
    one, two = type_in((lot, 6)), type_in((lot, 8))
    session = make_session(one, two)
    record(session, say(needs_of(session)[0], 2))
    version = session.route_version
    orders.cancel_order(order_id=one.pk, now=timezone.now())
    _follow(one)
    _follow(one)
    session.refresh_from_db()
    assert _wanted(session) == [("A-1", 2, 2), ("A-1", 8, 0)]
    assert (session.total_items, session.route_version > version) == (10, True)
    assert session.entries.get(order=one).leaving == Leaving.GONE
    # Its pieces are up for sale again where they lay.
    assert inventory.verify_stock() == []
    lot.refresh_from_db()
    assert (lot.qty_available, lot.qty_reserved) == (12, 8)


def test_pieces_that_a_channel_adds_or_takes_off_are_walked_to_or_not():
    place = make_location("A-1")
    lot, other = make_lot(qty=20, location=place), make_lot(qty=9, item_no="3002", color_id=1)
    store = make_store()
    told = incoming(incoming_line(lot, qty=6, external_line_id="1"), status=Status.PENDING)
    order = arrive(store, told)
    session = make_session(order)
    record(session, say(needs_of(session)[0], 2))
    arrive(store, later(told, lines=(incoming_line(lot, qty=4, external_line_id="1"),)))
    _follow(order)
    assert _wanted(session) == [("A-1", 4, 2)]
    added = (incoming_line(lot, qty=5, external_line_id="1"), incoming_line(other, qty=3, external_line_id="2"))
    arrive(store, later(told, hours=2, lines=added))
    _follow(order)
    session.refresh_from_db()
    assert sorted(_wanted(session)) == [("", 3, 0), ("A-1", 1, 0), ("A-1", 4, 2)]
    assert session.total_items == 8


def test_pieces_that_come_in_for_a_short_line_are_walked_to():
    lot = make_lot(qty=2, location=make_location("A-1"))
    order = type_in((lot, 5))
    session = make_session(order)
    inventory.add_pieces(lot_id=lot.pk, qty=10, now=timezone.now())
    orders.cover_shortages(lot_ids=[lot.pk], now=timezone.now())
    _follow(order)
    session.refresh_from_db()
    assert session.total_items == 5


def test_an_order_that_has_moved_on_meanwhile_leaves_and_stays_there():
    lot = make_lot(qty=20)
    order = type_in((lot, 6))
    session = make_session(order)
    orders.change_status(order_id=order.pk, status="PACKING", now=timezone.now())
    _follow(order)
    session.refresh_from_db()
    assert (session.total_items, Order.objects.get().status) == (0, "PACKING")
    services.complete_session(session_id=session.pk, now=timezone.now())
    assert Order.objects.get().status == "PACKING"
