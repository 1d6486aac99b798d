"""Orders that were there before their lots: once a run or somebody brings the lot in it is theirs, and no piece counts
twice."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import F
from django.utils import timezone

from audit import bulk
from common.testing.sandbox import SandboxProcess
from inventory.models import InventoryItem, UnmappedItem
from inventory.testing import make_lot
from orders import services as orders
from orders.models import Order, OrderLine
from sync.choices import Action, RunStatus, SkipReason
from sync.services import pulling, push_store
from sync.tests.running import carry_out, lines, local, plan, teach
from sync.tests.sellers import Seller, check_books, order_numbered, qty_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]
CODES = ("bricklink", "brickowl")


@pytest.fixture
def seller(sandbox: SandboxProcess, code: str) -> Iterator[Seller]:
    made = Seller(sandbox, code)
    for row in sandbox.control("GET", f"sellers/{made.id}/lots"):
        sandbox.control("DELETE", f"sellers/{made.id}/lots/{row['id']}")
    yield made
    check_books()
    found = sandbox.control("GET", "assert/conservation")
    assert found["is_conserved"], found["problems"]


def ordered(seller: Seller, number: str, qty: int) -> Order:
    """Answer an order that came in an hour ago, while nobody here knew its lot."""
    placed = seller.order((number, qty))
    pulling.pull_orders(store_id=seller.store.pk, now=timezone.now())
    found = order_numbered(placed)
    bulk.update(Order.objects.filter(pk=found.pk), ordered_at=F("ordered_at") - timedelta(hours=1))
    found.refresh_from_db()
    assert found.lines.get().inventory_item_id is None
    return found


@pytest.mark.parametrize("code", CODES)
def test_a_run_brings_in_what_an_order_waits_for_and_no_piece_counts_twice(code: str, seller: Seller) -> None:
    number = seller.put(quantity=10, price=1200)
    teach(seller)
    order = ordered(seller, number, 3)
    assert order.needs_attention
    run = carry_out(plan(seller.store, local()))
    assert run.status == RunStatus.COMPLETED, run.error_message
    lot = InventoryItem.objects.get()
    assert qty_of(lot.pk) == (7, 3)
    order.refresh_from_db()
    line = order.lines.get()
    assert (line.inventory_item_id, line.qty_reserved, line.qty_short) == (lot.pk, 3, 0)
    assert (order.needs_attention, order.warnings) == (False, [])
    # The store keeps what it has, and the order's next version changes nothing.
    push_store(store_id=seller.store.pk, now=timezone.now())
    seller.buyer(order.external_order_id, "pay")
    pulling.pull_orders(store_id=seller.store.pk, now=timezone.now())
    push_store(store_id=seller.store.pk, now=timezone.now())
    assert seller.there() == {number: 7}
    assert qty_of(lot.pk) == (7, 3)


@pytest.mark.parametrize("code", ["bricklink"])
def test_what_is_sold_between_the_look_and_the_run_counts_once(code: str, seller: Seller) -> None:
    number = seller.put(quantity=10, price=1200)
    run = plan(seller.store, local())
    seller.order((number, 2))
    run = carry_out(run)
    assert run.status == RunStatus.COMPLETED, run.error_message
    # Nobody can tell which came first of what lies so close together: the lot is read once more.
    push_store(store_id=seller.store.pk, now=timezone.now())
    lot = InventoryItem.objects.get()
    assert OrderLine.objects.get().inventory_item_id == lot.pk
    assert seller.there() == {number: 8}
    assert qty_of(lot.pk) == (8, 2)


@pytest.mark.parametrize("code", ["bricklink"])
def test_pieces_that_are_merged_into_another_lot_are_promised_too(code: str, seller: Seller) -> None:
    first, second = (seller.put(no="3001", quantity=qty, price=price) for qty, price in ((5, 1000), (6, 1200)))
    order = ordered(seller, second, 2)
    lot = make_lot(qty=5, item_no="3001", unit_price=Decimal("0.10"))
    run = carry_out(plan(seller.store, local(), options={"crowds": "merge"}))
    assert run.status == RunStatus.COMPLETED, run.error_message
    assert order.lines.get().qty_reserved == 2
    assert qty_of(lot.pk) == (9, 2)
    push_store(store_id=seller.store.pk, now=timezone.now())
    assert seller.there() == {first: 9}
    assert qty_of(lot.pk) == (9, 2)


@pytest.mark.parametrize("code", ["bricklink"])
def test_a_lot_that_is_entered_here_gives_from_what_it_has(code: str, seller: Seller) -> None:
    number = seller.put(quantity=10)
    first, second = ordered(seller, number, 3), ordered(seller, number, 2)
    lot = make_lot(qty=4, item_no="3001", color_id=5)
    assert orders.match_waiting(lot_ids=[lot.pk], now=timezone.now()) == 2
    assert orders.match_waiting(lot_ids=[lot.pk], now=timezone.now()) == 0
    # The older order comes first.
    assert (first.lines.get().qty_reserved, first.lines.get().qty_short) == (3, 0)
    assert (second.lines.get().qty_reserved, second.lines.get().qty_short) == (1, 1)
    assert qty_of(lot.pk) == (0, 4)


@pytest.mark.parametrize("code", ["bricklink"])
def test_another_lot_of_the_same_kind_there_is_not_what_was_sold(code: str, seller: Seller) -> None:
    gone, other = seller.put(quantity=2, price=1000), seller.put(quantity=5, price=1200)
    # Its last pieces: it goes by itself there.
    order = ordered(seller, gone, 2)
    carry_out(plan(seller.store, local()))
    lot = InventoryItem.objects.get()
    assert orders.match_waiting(lot_ids=[lot.pk], now=timezone.now()) == 0
    assert qty_of(lot.pk) == (5, 0)
    assert order.lines.get().inventory_item_id is None
    assert seller.there() == {other: 5}


@pytest.mark.parametrize("code", ["bricklink"])
def test_orders_that_have_left_or_ended_take_nothing(code: str, seller: Seller) -> None:
    number = seller.put(quantity=10)
    order = ordered(seller, number, 3)
    orders.change_status(order_id=order.pk, status="CANCELLED", now=timezone.now())
    lot = make_lot(qty=4, item_no="3001", color_id=5)
    assert orders.match_waiting(lot_ids=[lot.pk], now=timezone.now()) == 0
    assert qty_of(lot.pk) == (4, 0)


@pytest.mark.parametrize("code", ["brickowl"])
def test_numbers_in_orders_that_nobody_knows_wait_in_the_queue(code: str, seller: Seller) -> None:
    number = seller.put(no="3001", quantity=10, price=1200)
    ordered(seller, number, 3)
    plan(seller.store, local())
    row = UnmappedItem.objects.get(system="brickowl")
    # The lot says what it is elsewhere, the line of the order doesn't.
    assert (row.lots_count, row.qty) == (1, 3)
    seller.sandbox.control("DELETE", f"sellers/{seller.id}/lots/{number}")
    plan(seller.store, local(), key="again", options={"accepts_few": True})
    row = UnmappedItem.objects.get(system="brickowl")
    assert (row.lots_count, row.qty) == (1, 3)


@pytest.mark.parametrize("code", CODES)
def test_an_edit_of_a_lot_that_was_sold_just_now_is_left_to_the_next_run(code: str, seller: Seller) -> None:
    """Whether pieces went by the sale or by the edit can't be told until the sale is older than both clocks' error."""
    lot, number = seller.listed(qty=5)
    placed = seller.order((number, 1))
    pulling.pull_orders(store_id=seller.store.pk, now=timezone.now())
    assert qty_of(lot.pk) == (4, 1)
    seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{number}", {"quantity": 9})
    run = plan(local(), seller.store)
    (line,) = lines(run)
    assert (line.action, line.skip_reason) == (Action.SKIP, SkipReason.BUSY)
    assert (qty_of(lot.pk), seller.there()[number]) == ((4, 1), 9)
    bulk.update(
        Order.objects.filter(external_order_id=placed), ordered_at=F("ordered_at") - timedelta(hours=1)
    )  # fmt: skip
    run = carry_out(plan(local(), seller.store))
    assert run.status == RunStatus.COMPLETED, run.error_message
    assert qty_of(lot.pk) == (9, 1)
    assert seller.there()[number] == seller.base(number) == 9
