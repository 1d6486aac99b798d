"""Sessions from their first order to their end."""

import pytest
from django.utils import timezone

from common.errors import Conflict, Invalid
from common.ids import new_id
from inventory.models import InventoryItemLocation
from inventory.services import verify_stock
from inventory.testing import make_location, make_lot
from orders import services as orders
from orders.choices import Flag
from orders.lifecycle import Status
from orders.models import Order
from orders.testing import type_in
from picker import services
from picker.choices import Leaving, SessionStatus
from picker.errors import SessionClosed
from picker.models import PickSession
from picker.services.sessions import MOST_ORDERS, batch_code
from picker.testing import make_session, needs_of, record, say

pytestmark = pytest.mark.django_db


def _now():
    return timezone.now()


def test_orders_share_stops_and_are_walked_to_in_the_order_of_their_places():
    far, near = make_location("A-10"), make_location("A-2")
    red, blue = make_lot(qty=20, location=far), make_lot(qty=20, location=near, color_id=7)
    loose = make_lot(qty=5, item_no="3002")
    one, two = type_in((red, 6), (loose, 1)), type_in((red, 8), (blue, 2))

    session = make_session(one, two)

    assert [stop.location_code for stop in session.stops.order_by("position")] == ["A-2", "A-10", ""]
    assert [(need.stop.location_code, need.order_line.order_id == one.pk, need.qty) for need in needs_of(session)] == [
        ("A-2", False, 2), ("A-10", True, 6), ("A-10", False, 8), ("", True, 1),
    ]  # fmt: skip
    assert (session.status, session.total_orders, session.total_items) == (SessionStatus.ACTIVE, 2, 17)
    assert list(session.entries.order_by("sort_order").values_list("batch_code", flat=True)) == ["A", "B"]
    assert set(Order.objects.values_list("status", flat=True)) == {Status.PICKING}


def test_an_order_is_in_one_open_session_and_a_second_press_makes_none():
    lot = make_lot(qty=20)
    order, key = type_in((lot, 1)), new_id()
    first = make_session(order, starts=False, session_id=key)
    assert make_session(order, starts=False, session_id=key).pk == first.pk
    with pytest.raises(Conflict, match=f"session {first.number} already"):
        make_session(order)
    assert PickSession.objects.count() == 1
    services.cancel_session(session_id=first.pk, now=_now())
    assert make_session(order).number > first.number


def test_what_can_not_be_picked_is_refused_and_nothing_is_half_done():
    lot = make_lot(qty=20)
    good, gone = type_in((lot, 1)), type_in((lot, 1))
    orders.ship_order(order_id=gone.pk, now=_now())
    with pytest.raises(Conflict, match="shipped"):
        make_session(good, gone)
    for wanted in ([], [new_id()] * 2 + [new_id() for _ in range(MOST_ORDERS)]):
        with pytest.raises(Invalid):
            services.create_session(order_ids=wanted, now=_now())
    good.refresh_from_db()
    assert (good.status, PickSession.objects.count()) == (Status.PENDING, 0)


def test_a_flagged_order_is_only_picked_when_that_is_meant():
    order = type_in((make_lot(qty=5), 1))
    orders.update_order(order_id=order.pk, changes={"flags": [Flag.ON_HOLD]}, now=_now())
    with pytest.raises(Conflict, match="on hold"):
        make_session(order)
    assert make_session(order, with_flagged=True).total_items == 1


def test_an_order_with_nothing_to_pick_makes_no_session():
    lot = make_lot(qty=1)
    type_in((lot, 1))
    with pytest.raises(Conflict, match="nothing to pick"):
        make_session(type_in((lot, 1)))


def test_finished_orders_go_to_packing_and_untouched_ones_wait_with_what_was_picked():
    place = make_location("A-1")
    lot, other = make_lot(qty=20, location=place), make_lot(qty=20, item_no="3002", location=place)
    whole, part, none = type_in((lot, 2)), type_in((lot, 3), (other, 1)), type_in((other, 2))
    session = make_session(whole, part, none)
    for need in needs_of(session):
        if need.order_line.inventory_item_id == lot.pk:
            record(session, say(need, need.qty))

    services.complete_session(session_id=session.pk, now=_now())
    again = services.complete_session(session_id=session.pk, now=_now())

    found = {order.pk: order for order in Order.objects.all()}
    assert [found[order.pk].status for order in (whole, part, none)] == ["PACKING", "PENDING", "PENDING"]
    assert part.lines.get(inventory_item=lot).qty_picked == 3
    assert (again.status, again.picked_items, again.completed_at is not None) == ("COMPLETED", 5, True)
    assert set(session.entries.values_list("leaving", flat=True)) == {Leaving.COMPLETED, Leaving.UNTOUCHED}
    # What was picked isn't picked again.
    assert [(need.order_line.inventory_item_id, need.qty) for need in needs_of(make_session(found[part.pk]))] == [
        (other.pk, 1)
    ]


def test_what_is_short_after_picking_is_a_problem_of_its_order():
    place = make_location("A-1")
    order = type_in((make_lot(qty=20, location=place), 4))
    session = make_session(order)
    [need] = needs_of(session)
    record(session, say(need, 3))
    record(session, say(need, 1, "MISSING"))
    services.complete_session(session_id=session.pk, now=_now())
    order.refresh_from_db()
    assert (order.status, order.flags, order.needs_attention) == ("PACKING", ["problem"], True)


def test_a_cancelled_session_gives_its_orders_back_with_what_was_picked():
    place = make_location("A-1")
    lot = make_lot(qty=20, location=place)
    order = type_in((lot, 4))
    session = make_session(order)
    record(session, say(needs_of(session)[0], 4))
    services.cancel_session(session_id=session.pk, now=_now())
    order.refresh_from_db()
    line = order.lines.get()
    assert (order.status, line.qty_picked) == ("PENDING", 4)
    assert InventoryItemLocation.objects.get().qty == 16
    with pytest.raises(SessionClosed):
        services.complete_session(session_id=session.pk, now=_now())
    assert verify_stock() == []


def test_orders_are_added_to_and_taken_out_of_a_session_that_is_under_way():
    place = make_location("A-1")
    lot = make_lot(qty=20, location=place)
    first, second = type_in((lot, 4)), type_in((lot, 5))
    session = make_session(first)
    record(session, say(needs_of(session)[0], 1))
    services.add_orders(session_id=session.pk, order_ids=[second.pk], now=_now())
    session.refresh_from_db()
    assert (session.total_orders, session.total_items, session.route_version > 1) == (2, 9, True)
    services.remove_order(session_id=session.pk, order_id=first.pk, now=_now())
    session.refresh_from_db()
    # What was picked of it was picked.
    assert (session.total_orders, session.total_items, session.picked_items) == (1, 6, 1)
    first.refresh_from_db()
    assert first.status == "PENDING"
    services.add_orders(session_id=session.pk, order_ids=[first.pk], now=_now())
    assert session.entries.get(order=first).batch_code == "A"


def test_totes_are_dealt_anew_until_somebody_starts():
    lot = make_lot(qty=20)
    one, two = type_in((lot, 1)), type_in((lot, 2))
    session = make_session(one, two, starts=False)
    services.update_session(session_id=session.pk, batch_codes={one.pk: "B", two.pk: "A"}, now=_now())
    assert session.entries.get(order=two).batch_code == "A"
    for wrong in ({one.pk: "A"}, {one.pk: "A", two.pk: "A"}, {one.pk: "A", two.pk: "C"}):
        with pytest.raises(Invalid):
            services.update_session(session_id=session.pk, batch_codes=wrong, now=_now())
    services.start_session(session_id=session.pk, now=_now())
    with pytest.raises(SessionClosed):
        services.update_session(session_id=session.pk, batch_codes={one.pk: "A", two.pk: "B"}, now=_now())


def test_batch_codes_go_on_behind_z():
    assert [batch_code(place) for place in (1, 26, 27, 52, 53, 200)] == ["A", "Z", "AA", "AZ", "BA", "GR"]


def test_two_hundred_orders_are_one_session():
    lots = [make_lot(qty=2_000, item_no=str(number), location=make_location(f"A-{number}")) for number in range(10)]
    wanted = [type_in((lots[number % 10], 2), (lots[(number + 3) % 10], 1)) for number in range(MOST_ORDERS)]
    session = make_session(*wanted)
    assert (session.total_orders, session.total_items, session.stops.count()) == (MOST_ORDERS, 600, 10)
