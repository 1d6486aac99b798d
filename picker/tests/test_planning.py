"""Which stops a session has, and in which order."""

from itertools import pairwise

import pytest
from django.utils import timezone

from inventory import services as inventory
from inventory.models import Location
from inventory.testing import make_location, make_lot
from orders.models import OrderLine
from orders.testing import type_in
from picker import services
from picker.choices import Layout, WhereFrom
from picker.models import MapPoint, PickingSetup
from picker.services import planning
from picker.testing import make_session, needs_of

pytestmark = pytest.mark.django_db


def _walked(session):
    return [stop.location_code for stop in session.stops.order_by("position")]


def _spread(lot, **places):
    for code, (location, qty) in places.items():
        assert code
        inventory.add_pieces(lot_id=lot.pk, qty=qty, location_id=location.pk, now=timezone.now())


def _at(code):
    """Answer where a place is: metres across, and along its aisle."""
    aisle, shelf = code.split("-")
    return code, (int(aisle) - 1) * 3.0, int(shelf) * 2.0 - 1


def _far(one, other):
    if one[0] == other[0]:
        return abs(one[1] - other[1])
    return abs(one[0] - other[0]) + min(one[1] + other[1], 20 - one[1] - other[1])


def test_parallel_aisles_are_walked_by_the_shortest_way():
    PickingSetup.objects.create(
        layout=Layout.AISLES, aisles=[{"zone": "", "aisle": name} for name in "123"], blocks=1, spacing=3, length=10
    )
    places = [
        make_location(f"{aisle}-{shelf}", aisle=aisle, shelf=str(shelf)) for aisle in "123" for shelf in range(1, 6)
    ]
    lots = [make_lot(qty=9, item_no=str(number), location=place) for number, place in enumerate(places)]
    session = make_session(type_in(*((lot, 1) for lot in lots)))
    # Two aisles are walked through, the third from both ends up to a gap of 2: 10 + 10 + 16 metres, and 12 across.
    assert session.route_metres == 48
    walked = [("1-1", 0.0, 0.0), *(_at(code) for code in _walked(session)), ("1-1", 0.0, 0.0)]
    assert sum(_far(one[1:], other[1:]) for one, other in pairwise(walked)) == pytest.approx(48)


def test_a_free_layout_is_walked_around_and_what_is_on_no_map_comes_last():
    PickingSetup.objects.create(layout=Layout.FREE)
    corners = {"A": (0, 10), "B": (10, 10), "C": (10, 0), "Z": None}
    lots = []
    for number, (code, at) in enumerate(corners.items()):
        place = make_location(code)
        lots.append((make_lot(qty=5, item_no=str(number), location=place), 1))
        if at:
            MapPoint.objects.create(location=place, x=at[0], y=at[1])
    session = make_session(type_in(*lots))
    assert _walked(session) in (["A", "B", "C", "Z"], ["C", "B", "A", "Z"])
    assert session.route_metres is None


@pytest.mark.parametrize(
    ("rule", "stops"),
    [(WhereFrom.ON_THE_WAY, [("B-1", 5)]), (WhereFrom.EMPTIES, [("A-1", 2), ("B-1", 3)])],
)
def test_a_lot_in_several_places_is_taken_as_the_shop_prefers(rule, stops):
    PickingSetup.objects.create(where_from=rule)
    lot = make_lot(qty=0)
    _spread(lot, a=(make_location("A-1"), 2), b=(make_location("B-1"), 30), c=(make_location("C-1"), 40))
    near = make_lot(qty=5, item_no="3002", location=make_location("B-2"))
    session = make_session(type_in((lot, 5), (near, 1)))
    found = [(need.stop.location_code, need.qty) for need in needs_of(session)]
    assert found == [*stops, ("B-2", 1)]


def test_pieces_of_two_orders_are_handed_out_over_the_places():
    lot = make_lot(qty=0)
    _spread(lot, a=(make_location("A-1"), 4), b=(make_location("B-1"), 6))
    session = make_session(type_in((lot, 5)), type_in((lot, 5)))
    assert [(need.stop.location_code, need.qty) for need in needs_of(session)] == [
        ("A-1", 4), ("B-1", 1), ("B-1", 5),
    ]  # fmt: skip


def test_places_out_of_use_are_not_walked_to():
    place = make_location("A-1")
    lot = make_lot(qty=4, location=place)
    place.is_active = False
    place.save()
    assert _walked(make_session(type_in((lot, 4)))) == [""]


def test_a_place_is_not_emptied_by_two_walks():
    near, far = make_location("A-1"), make_location("B-1")
    lot = make_lot(qty=10, location=near)
    inventory.add_pieces(lot_id=lot.pk, qty=10, location_id=far.pk, now=timezone.now())
    first, second = make_session(type_in((lot, 8))), make_session(type_in((lot, 8)))
    [one], two = needs_of(first), needs_of(second)
    assert [one.stop.location_code, *(need.stop.location_code for need in two)] == ["A-1", "B-1"]
    services.add_orders(session_id=first.pk, order_ids=[type_in((lot, 2)).pk], now=timezone.now())
    added = needs_of(first)[-1]
    assert (added.stop.location_code, added.qty) in {("A-1", 2), ("B-1", 2)}


def test_a_place_that_goes_while_a_walk_is_planned_is_none():
    gone = make_location("A-1")
    lot = make_lot(qty=10)
    session = make_session(type_in((lot, 3)))
    [line] = OrderLine.objects.all()
    Location.objects.filter(pk=gone.pk).delete()
    [stop] = planning.write_stops(session, [planning.PlannedStop(lot.pk, gone, ((line.pk, 3),))], after=1)
    assert (stop.location, stop.location_code) == (None, "")
