"""Orders come in from stores over real HTTP, once, whatever is repeated, overtaken, broken off or answered wrongly."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from common.testing.sandbox import SandboxProcess
from orders.choices import OrderStatus
from orders.models import Order
from stores.channels import spec_of
from stores.models import Store, StoreSyncState
from sync.models import StuckOrder
from sync.remote import RemoteOrder
from sync.services import arriving, connect, pulling
from sync.tests.sellers import CODES, Seller, check_books, order_numbered, qty_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]


@pytest.fixture
def seller(sandbox: SandboxProcess, code: str) -> Iterator[Seller]:
    made = Seller(sandbox, code)
    yield made
    check_books()
    found = sandbox.control("GET", "assert/conservation")
    assert found["is_conserved"], found["problems"]


def pull(seller: Seller) -> pulling.Pulled:
    return pulling.pull_orders(store_id=seller.store.pk, now=timezone.now())


def fetched(seller: Seller, number: str) -> RemoteOrder:
    found = connect(seller.store.pk, call_class="urgent").fetch_order(number)  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.mark.parametrize("code", CODES)
def test_takes_an_order_over_once_with_its_stock_and_its_listings(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    order_id = seller.order((number, 4))
    assert pull(seller).taken == 1
    order = order_numbered(order_id)
    (line,) = order.lines.all()
    assert (line.inventory_item_id, line.qty_reserved, order.status, order.warnings) == (lot.pk, 4, "NEW", [])
    assert qty_of(lot.pk) == (6, 4)
    assert seller.base(number) == seller.there()[number] == 6
    before = len(seller.sandbox.asked())
    assert pull(seller).taken == 0
    assert len(seller.sandbox.asked()) - before == 1
    state = StoreSyncState.objects.get(store=seller.store)
    assert state.last_orders_sync is not None
    assert qty_of(lot.pk) == (6, 4)


@pytest.mark.parametrize("code", CODES)
def test_follows_an_order_to_its_end(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    order_id = seller.order((number, 4))
    pull(seller)
    seller.buyer(order_id, "pay")
    pull(seller)
    order = order_numbered(order_id)
    assert (order.status, order.payment_status) == (OrderStatus.PENDING, "PAID")
    assert seller.base(number) == 6
    seller.buyer(order_id, "cancel")
    pull(seller)
    assert order_numbered(order_id).status == OrderStatus.CANCELLED
    assert qty_of(lot.pk) == (10, 0)
    # Whether the channel gave the pieces back is the seller's choice there.
    assert seller.base(number) == 6
    assert seller.must_read(number)


@pytest.mark.parametrize("code", CODES)
def test_stock_moves_once_however_often_and_in_whichever_order_versions_come(code: str, seller: Seller) -> None:
    dice = random.Random(7)  # noqa: S311  # a test's
    lots = [seller.listed(qty=20), seller.listed(qty=20, color_id=11)]
    versions: list[tuple[RemoteOrder, Any]] = []
    orders = [
        seller.order((lots[0][1], 3)),
        seller.order((lots[0][1], 2), (lots[1][1], 5)),
        seller.order((lots[1][1], 1)),
    ]

    def look() -> None:
        versions.extend((fetched(seller, each), timezone.now()) for each in orders)

    look()
    seller.buyer(orders[0], "pay")
    if code == "bricklink":
        seller.buyer(orders[1], "change_items", lines=[{"lot_id": int(lots[0][1]), "quantity": 4}])
    look()
    seller.buyer(orders[2], "cancel")
    look()
    store = Store.objects.get(pk=seller.store.pk)
    for _ in range(10):
        dice.shuffle(versions)
        for remote, as_of in versions:
            arriving.take_over(store, spec_of(code), remote, as_of=as_of, now=timezone.now())
    extra = 4 if code == "bricklink" else 0
    assert qty_of(lots[0][0].pk) == (15 - extra, 5 + extra)
    assert qty_of(lots[1][0].pk) == (15, 5)
    assert Order.objects.count() == 3
    pull(seller)
    assert qty_of(lots[0][0].pk) == (15 - extra, 5 + extra)
    # What was added is taken off like what was there; a cancelled order's lots are to be looked at.
    assert seller.base(lots[0][1]) == 15 - extra
    assert seller.must_read(lots[1][1])


@pytest.mark.parametrize("code", CODES)
def test_what_was_read_after_the_sale_has_it_already(code: str, seller: Seller) -> None:
    _lot, number = seller.listed(qty=10)
    seller.order((number, 4))
    listing = seller.store.listings.get()
    listing.state.read_at = timezone.now() + timedelta(minutes=5)
    listing.state.save()
    pull(seller)
    assert seller.base(number) == 10
    assert not seller.must_read(number)
    listing.state.read_at = timezone.now()
    listing.state.save()
    seller.order((number, 1))
    pull(seller)
    assert seller.base(number) == 10
    assert seller.must_read(number)


@pytest.mark.parametrize("code", CODES)
def test_orders_from_before_the_store_move_no_stock_and_older_ones_are_left(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    order_id = seller.order((number, 4))
    seller.change(created_at=timezone.now() + timedelta(minutes=1))
    pull(seller)
    assert not order_numbered(order_id).moves_stock
    assert qty_of(lot.pk) == (10, 0)
    tomorrow = (timezone.now() + timedelta(days=2)).date().isoformat()
    seller.change(settings={"import_orders_since": tomorrow})
    later = seller.order((number, 1))
    pull(seller)
    assert not Order.objects.filter(external_order_id=later).exists()


@pytest.mark.parametrize("code", ["bricklink"])
def test_goes_back_where_older_orders_are_wanted(code: str, seller: Seller) -> None:
    _lot, number = seller.listed(qty=10)
    tomorrow = (timezone.now() + timedelta(days=2)).date().isoformat()
    seller.change(settings={"import_orders_since": tomorrow})
    order_id = seller.order((number, 1))
    assert pull(seller).taken == 0
    seller.change(settings={})
    pull(seller)
    assert order_numbered(order_id).lines.count() == 1


@pytest.mark.parametrize("code", CODES)
def test_two_channels_sell_the_last_piece(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=1)
    other_code = "brikick" if code != "brikick" else "bricklink"
    other = Seller(seller.sandbox, other_code)
    there = other.put(quantity=1)
    other.list(lot, there)
    first, second = seller.order((number, 1)), other.order((there, 1))
    pull(seller)
    pull(other)
    assert order_numbered(first).lines.get().qty_reserved == 1
    line = order_numbered(second).lines.get()
    assert (line.qty_reserved, line.qty_short) == (0, 1)
    assert order_numbered(second).needs_attention


@pytest.mark.parametrize("code", CODES)
def test_one_bad_order_never_stops_the_others(code: str, seller: Seller, monkeypatch: pytest.MonkeyPatch) -> None:
    lot, number = seller.listed(qty=10)
    bad, good = seller.order((number, 1)), seller.order((number, 2))
    kind = type(connect(seller.store.pk, call_class="urgent"))  # type: ignore[arg-type]
    module = __import__(f"sync.channels.{code}.orders", fromlist=["order_of"])
    real = module.order_of

    def twisted(row: Any, *rest: Any) -> Any:
        if str(row.get("order_id", row.get("id"))) == bad:
            raise ValueError("nonsense")
        return real(row, *rest)

    # The adapter reads what no imitated service would write.
    monkeypatch.setattr(module, "order_of", twisted)
    done = pull(seller)
    assert (done.taken, done.stuck) == (1, 1)
    assert kind.spec.label in StuckOrder.objects.get(external_order_id=bad).error
    assert order_numbered(good).lines.get().qty_reserved == 2
    monkeypatch.setattr(module, "order_of", real)
    assert pull(seller).taken == 0
    StuckOrder.objects.update(retry_at=timezone.now())
    assert pull(seller).taken == 1
    assert not StuckOrder.objects.exists()
    assert qty_of(lot.pk) == (7, 3)


@pytest.mark.parametrize("code", CODES)
def test_an_order_that_came_in_is_followed_wherever_the_day_is_moved(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    order_id = seller.order((number, 4))
    pull(seller)
    assert qty_of(lot.pk) == (6, 4)
    seller.change(settings={"import_orders_since": (timezone.now() + timedelta(days=2)).date().isoformat()})
    unwanted = seller.order((number, 1))
    seller.buyer(order_id, "cancel")
    pull(seller)
    assert order_numbered(order_id).status == OrderStatus.CANCELLED
    assert qty_of(lot.pk) == (10, 0)
    assert not Order.objects.filter(external_order_id=unwanted).exists()
