"""The demo's walks: what a visitor sees is what the services made."""

import pytest
from django.utils import timezone

from common.testing.people import make_user
from inventory.services import verify_stock
from inventory.testing import make_location, make_lot
from orders.demo import take_orders
from orders.models import Order
from picker.demo import walk
from picker.models import PickingSetup, PickSession

pytestmark = pytest.mark.django_db


def test_the_demo_has_a_session_that_is_done_and_one_under_way():
    for number in range(30):
        zone, aisle = "ABC"[number % 3], f"{number:02}"
        place = make_location(f"{zone}-{aisle}-1", zone=zone, aisle=aisle, shelf="1")
        make_lot(qty=60, item_no=str(3000 + number), location=place)
    person, now = make_user(role="picker"), timezone.now()
    take_orders(now=now)

    assert walk(user_id=person.pk, now=now) == 2
    assert walk(user_id=person.pk, now=now) == 0

    done, under_way = PickSession.objects.order_by("number")
    assert (done.status, done.missing_items, done.route_metres is not None) == ("COMPLETED", 1, True)
    assert (under_way.status, 0 < under_way.picked_items < under_way.total_items) == ("ACTIVE", True)
    assert done.started_at
    assert done.completed_at
    assert done.started_at < done.completed_at < now
    assert Order.objects.filter(status="PACKING").count() == 3
    assert PickingSetup.objects.get().layout == "AISLES"
    assert verify_stock() == []
