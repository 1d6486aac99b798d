"""What is picked lies in totes: whatever is counted, moved, set or reverted meanwhile, it is neither lost nor twice."""

import pytest
from django.utils import timezone

from audit.context import change_set
from audit.errors import NothingToRevert
from audit.services import start_revert
from inventory import services as inventory
from inventory.models import InventoryItemLocation
from inventory.queries import placing
from inventory.services.relocating import relocate_lot
from inventory.testing import make_location, make_lot
from orders import services as orders
from orders.models import Order
from orders.testing import type_in
from picker import services
from picker.testing import make_session, needs_of, record, say

pytestmark = pytest.mark.django_db


def _at(code):
    return InventoryItemLocation.objects.filter(location__code=code).values_list("qty", flat=True).first() or 0


def _stock(lot):
    lot.refresh_from_db()
    return lot.qty_available, lot.qty_reserved


@pytest.fixture
def tote():
    """A lot of 10 at A-1, of which 4 are in a tote."""
    place = make_location("A-1")
    lot = make_lot(qty=10, location=place)
    session = make_session(type_in((lot, 4)))
    [need] = needs_of(session)
    record(session, say(need, 4, key="k"))
    return lot, place, session, need


@pytest.mark.parametrize(("found", "available"), [(6, 6), (8, 8), (5, 5), (0, 0)])
def test_a_count_at_a_place_is_of_what_lies_there_and_leaves_the_totes_alone(tote, found, available):
    lot, place, session, need = tote
    inventory.count_location(location_id=place.pk, found={lot.pk: found}, now=timezone.now())
    assert (_at("A-1"), _stock(lot)) == (found, (available, 4))
    record(session, say(need, 0, "ADJUSTMENT", corrects="k"))
    assert (_at("A-1"), inventory.verify_stock()) == (found + 4, [])


def test_a_count_of_a_lot_is_of_what_lies_about(tote):
    lot, place, _session, _need = tote
    assert inventory.count_lot(lot_id=lot.pk, placed={place.pk: 6}, unplaced=0, now=timezone.now()) == 0
    assert inventory.count_lot(lot_id=lot.pk, placed={place.pk: 5}, unplaced=2, now=timezone.now()) == 1
    assert (_at("A-1"), _stock(lot)) == (5, (7, 4))


def test_pieces_that_are_sold_elsewhere_leave_their_place_and_not_the_tote(tote):
    lot, place, _session, _need = tote
    inventory.adjust_stock(lot_id=lot.pk, qty_available=3, now=timezone.now())
    assert _at("A-1") == 3
    inventory.count_location(location_id=place.pk, found={lot.pk: 3}, now=timezone.now())
    assert (_at("A-1"), _stock(lot)) == (3, (3, 4))
    order = Order.objects.get()
    orders.change_status(order_id=order.pk, status="PACKING", now=timezone.now())
    orders.ship_order(order_id=order.pk, now=timezone.now())
    assert (_at("A-1"), _stock(lot), inventory.verify_stock()) == (3, (3, 0), [])


def test_nobody_puts_away_what_is_in_a_tote(tote):
    lot, _place, _session, _need = tote
    assert (placing.count_unplaced(), placing.put_away()) == ((0, 0), [])
    make_location("B-1")
    assert relocate_lot(lot_id=lot.pk, seen="A-1", code="B-1", now=timezone.now()) == 6
    assert (_at("A-1"), _at("B-1")) == (0, 6)


def _deed(action, work):
    with change_set(action, is_named=False) as deed:
        work()
    return deed.change_set_id


def test_a_pick_is_undone_in_its_session_and_not_by_the_audit_log():
    place = make_location("A-1")
    lot = make_lot(qty=10, location=place)
    session = make_session(type_in((lot, 4)), type_in((lot, 3)))
    one, two = needs_of(session)
    picked = _deed("web.post", lambda: record(session, say(one, 4)))
    missed = _deed("web.post", lambda: record(session, say(two, 3, "MISSING", remainder="ZERO")))
    for deed in (picked, missed):
        with pytest.raises(NothingToRevert, match="undone in its session"):
            start_revert(change_set_id=deed)
    assert (_at("A-1"), _stock(lot)) == (0, (0, 4))
    ended = _deed("web.post", lambda: services.complete_session(session_id=session.pk, now=timezone.now()))
    with pytest.raises(NothingToRevert):
        start_revert(change_set_id=ended)
    assert set(Order.objects.values_list("status", flat=True)) == {"PACKING"}


def test_an_order_that_was_cancelled_by_mistake_is_picked_again():
    lot = make_lot(qty=10, location=make_location("A-1"))
    order = type_in((lot, 4))
    session = make_session(order)
    record(session, say(needs_of(session)[0], 4))
    deed = _deed("web.post", lambda: orders.cancel_order(order_id=order.pk, now=timezone.now()))
    services.follow_order(order_id=order.pk, now=timezone.now())
    start_revert(change_set_id=deed)
    order.refresh_from_db()
    assert (order.status, order.lines.get().qty_picked, inventory.verify_stock()) == ("PICKING", 0, [])
    assert needs_of(make_session(order))[0].qty == 4
