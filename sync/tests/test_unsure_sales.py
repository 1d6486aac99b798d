"""Sales about when a lot was read, and orders that are cancelled: pieces are counted once all the same."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from audit import bulk
from common.testing.sandbox import SandboxProcess
from inventory import services as inventory
from inventory.models import InventoryExternalId, InventoryItem, StockMovement
from sync.models import ListingState
from sync.services import bases, push_store
from sync.services.pulling import pull_orders
from sync.tests.running import teach
from sync.tests.sellers import CODES, Seller, check_books, qty_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick", "unthrottled")]


@pytest.fixture
def seller(sandbox: SandboxProcess, code: str) -> Iterator[Seller]:
    made = Seller(sandbox, code)
    yield made
    check_books()
    found = sandbox.control("GET", "assert/conservation")
    assert found["is_conserved"], found["problems"]


def work(seller: Seller) -> None:
    """Do as workers do."""
    pull_orders(store_id=seller.store.pk, now=timezone.now())
    assert push_store(store_id=seller.store.pk, now=timezone.now()).problem == ""


def read(seller: Seller, lot: InventoryItem) -> None:
    """Have a lot be read there just now."""
    bases.must_read(listing_ids=[InventoryExternalId.objects.get(inventory_item=lot).pk])
    work(seller)
    state = ListingState.objects.get(listing__inventory_item=lot)
    assert not state.must_read


def edits() -> list[int]:
    return list(StockMovement.objects.filter(kind="CHANNEL_EDIT").values_list("delta_available", flat=True))


@pytest.mark.parametrize("code", CODES)
def test_a_sale_just_after_a_look_is_no_edit(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    read(seller, lot)
    seller.order((number, 2))
    work(seller)
    assert (qty_of(lot.pk), edits()) == ((8, 2), [])
    assert seller.base(number) == seller.there()[number] == 8
    # And once more, with a change of ours on its way.
    seller.order((number, 3))
    pull_orders(store_id=seller.store.pk, now=timezone.now())
    inventory.adjust_stock(lot_id=lot.pk, qty_available=4, now=timezone.now())
    work(seller)
    assert (qty_of(lot.pk), edits()) == ((4, 5), [])
    assert seller.there()[number] == 4


@pytest.mark.parametrize("code", CODES)
def test_an_edit_beside_a_sale_is_told_apart(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    read(seller, lot)
    seller.order((number, 2))
    seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{number}", {"quantity": 5})
    work(seller)
    assert (qty_of(lot.pk), edits()) == ((5, 2), [-3])
    assert seller.base(number) == seller.there()[number] == 5


@pytest.mark.parametrize("code", CODES)
def test_the_last_pieces_sold_just_after_a_look_are_offered_again_when_there_are_more(
    code: str, seller: Seller
) -> None:  # fmt: skip
    lot, number = seller.listed(qty=2)
    teach(seller)
    read(seller, lot)
    seller.order((number, 2))
    work(seller)
    assert (qty_of(lot.pk), edits()) == ((0, 2), [])
    inventory.adjust_stock(lot_id=lot.pk, qty_available=5, now=timezone.now())
    work(seller)
    assert ListingState.objects.get(listing__inventory_item=lot).error == ""
    again = InventoryExternalId.objects.get(inventory_item=lot).external_lot_id
    assert seller.there()[str(again)] == 5


@pytest.mark.parametrize("restocks", ["with", "without"])
@pytest.mark.parametrize("code", CODES)
def test_a_cancelled_order_gives_its_pieces_back_once(code: str, restocks: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    order = seller.order((number, 4))
    work(seller)
    assert qty_of(lot.pk) == (6, 4)
    seller.buyer(order, "cancel", restock=restocks == "with")
    work(seller)
    assert (qty_of(lot.pk), edits()) == ((10, 0), [])
    assert seller.base(number) == seller.there()[number] == 10
    # What was looked at just now is sold and cancelled again.
    order = seller.order((number, 3))
    work(seller)
    seller.buyer(order, "cancel", restock=restocks == "with")
    work(seller)
    assert (qty_of(lot.pk), edits()) == ((10, 0), [])
    assert seller.base(number) == seller.there()[number] == 10


@pytest.mark.parametrize("restocks", ["with", "without"])
@pytest.mark.parametrize("code", CODES)
def test_what_an_order_from_before_the_store_gives_back_is_new_here(code: str, restocks: str, seller: Seller) -> None:
    """Its pieces had left before ours were counted: what its cancellation gives back was never here."""
    lot, number = seller.listed(qty=14)
    order = seller.order((number, 4))
    inventory.adjust_stock(lot_id=lot.pk, qty_available=10, now=timezone.now())
    listing = InventoryExternalId.objects.get(inventory_item=lot)
    later = timezone.now() + timedelta(minutes=5)
    seller.change(created_at=later)
    bulk.update(InventoryExternalId.objects.filter(pk=listing.pk), base={**listing.base, "qty": 10})
    ListingState.objects.filter(pk=listing.pk).update(read_at=later)
    work(seller)
    assert (qty_of(lot.pk), seller.base(number), seller.there()[number]) == ((10, 0), 10, 10)
    seller.buyer(order, "cancel", restock=restocks == "with")
    work(seller)
    after = 14 if restocks == "with" else 10
    assert qty_of(lot.pk) == (after, 0)
    assert seller.base(number) == seller.there()[number] == after
