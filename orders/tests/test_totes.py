"""Where picked pieces are, and where they go when they aren't wanted any more."""

import pytest
from django.utils import timezone

from inventory import services as inventory
from inventory.models import InventoryItem, InventoryItemLocation, Location
from inventory.testing import make_location, make_lot
from orders import services
from orders.lifecycle import Status
from orders.models import Order
from orders.testing import pick, type_in

pytestmark = pytest.mark.django_db


def _there(lot: InventoryItem) -> int:
    return sum(InventoryItemLocation.objects.filter(inventory_item=lot).values_list("qty", flat=True))


def _picked() -> tuple[InventoryItem, Location, Order]:
    shelf = make_location("A-1")
    lot = make_lot(qty=10, location=shelf)
    order = type_in((lot, 4))
    pick(order.pk, {order.lines.get().pk: (4, 0)}, location_id=shelf.pk)
    assert _there(lot) == 6
    return lot, shelf, order


def test_picked_pieces_are_in_their_tote_and_an_undo_puts_them_back():
    lot, shelf, order = _picked()
    line = order.lines.get()
    assert line.picked_from == [{"location_id": str(shelf.pk), "qty": 4}]
    pick(order.pk, {line.pk: (1, 0)}, location_id=shelf.pk)
    line.refresh_from_db()
    assert (_there(lot), line.picked_from) == (9, [{"location_id": str(shelf.pk), "qty": 1}])


def test_an_order_that_is_cancelled_has_its_pieces_back_where_they_were_taken():
    lot, _shelf, order = _picked()
    services.cancel_order(order_id=order.pk, now=timezone.now())
    lot.refresh_from_db()
    assert (_there(lot), lot.qty_available, lot.qty_reserved) == (10, 10, 0)


def test_by_hand_back_to_pending_begins_anew():
    lot, _shelf, order = _picked()
    for status in (Status.PACKING, Status.PENDING):
        services.change_status(order_id=order.pk, status=status, now=timezone.now(), reason="Mixed up")
    assert (_there(lot), order.lines.get().qty_picked) == (10, 0)


def test_what_is_shipped_was_taken_where_it_was_picked_and_comes_back_there():
    lot, shelf, order = _picked()
    services.change_status(order_id=order.pk, status=Status.PACKING, now=timezone.now())
    services.ship_order(order_id=order.pk, now=timezone.now())
    line = order.lines.get()
    assert (_there(lot), line.picked_from, line.shipped_from) == (6, [], [{"location_id": str(shelf.pk), "qty": 4}])
    services.refund_order(order_id=order.pk, restock=True, now=timezone.now())
    assert _there(lot) == 10
    assert inventory.verify_stock() == []


def test_a_place_with_fewer_pieces_in_the_books_gives_what_it_has():
    shelf = make_location("A-1")
    lot = make_lot(qty=10)
    inventory.move_pieces(moves=[inventory.PieceMove(lot_id=lot.pk, target_id=shelf.pk, qty=3)], now=timezone.now())
    order = type_in((lot, 4))
    line = order.lines.get()
    pick(order.pk, {line.pk: (4, 0)}, location_id=shelf.pk)
    assert _there(lot) == 0
    pick(order.pk, {line.pk: (0, 0)}, location_id=shelf.pk)
    assert _there(lot) == 3


def test_a_place_that_is_out_of_use_takes_nothing_back():
    lot, shelf, order = _picked()
    shelf.is_active = False
    shelf.save()
    services.cancel_order(order_id=order.pk, now=timezone.now())
    lot.refresh_from_db()
    assert (_there(lot), lot.qty_available) == (6, 10)
