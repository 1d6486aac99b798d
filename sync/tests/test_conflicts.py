"""What both sides changed is decided by a person: each answer reaches both sides once, and can be taken back."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db.models import F
from django.utils import timezone

from audit import services as audit
from audit.context import change_set, current_change_set_id
from common.errors import Invalid, NotFound
from common.ids import new_id
from common.testing.sandbox import SandboxProcess
from inventory import services as inventory
from inventory.models import InventoryExternalId, InventoryItem
from inventory.testing import make_lot
from stores.channels import LotField
from sync.models import ListingState, SyncConflict
from sync.services import pulling, push_store
from sync.services.conflicts import decide_conflicts
from sync.tests.running import carry_out, channel_of, local, plan
from sync.tests.sellers import Seller, check_books, qty_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]
BASE, OURS, THEIRS = Decimal("0.12"), Decimal("0.20"), Decimal("0.30")


@pytest.fixture
def seller(sandbox: SandboxProcess) -> Iterator[Seller]:
    made = Seller(sandbox, "bricklink")
    for row in sandbox.control("GET", f"sellers/{made.id}/lots"):
        sandbox.control("DELETE", f"sellers/{made.id}/lots/{row['id']}")
    yield made
    check_books()


def listed(seller: Seller, *, no: str = "3001", qty: int = 10) -> tuple[InventoryItem, str]:
    """Answer a lot that both sides agree on, price and all."""
    lot, number = seller.listed(qty=qty, price=1200, no=no)
    inventory.update_lot(lot_id=lot.pk, changes={"unit_price": BASE}, now=timezone.now())
    push(seller)
    return lot, number


def edit(seller: Seller, number: str, **values: int) -> None:
    seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{number}", values)


def disputed(seller: Seller, *, no: str = "3001") -> tuple[InventoryItem, str]:
    """Answer a lot of which both sides have changed the price."""
    lot, number = listed(seller, no=no)
    dispute(seller, lot, number)
    return lot, number


def dispute(seller: Seller, lot: InventoryItem, number: str) -> None:
    inventory.update_lot(lot_id=lot.pk, changes={"unit_price": OURS}, now=timezone.now())
    edit(seller, number, price=3000)


def push(seller: Seller) -> int:
    done = push_store(store_id=seller.store.pk, now=timezone.now())
    assert done.problem == ""
    return done.done


def price_of(lot: InventoryItem) -> Decimal:
    return InventoryItem.objects.values_list("unit_price", flat=True).get(pk=lot.pk)


def price_there(seller: Seller, number: str) -> Decimal:
    remote = channel_of(seller).fetch_lot(number)
    assert remote is not None
    return remote.state.price


def base_price(number: str) -> Decimal:
    return Decimal(InventoryExternalId.objects.get(external_lot_id=number).base["price"])


def decide(decision: str, *conflicts: SyncConflict) -> UUID:
    """Decide, and answer the change set of it."""
    with change_set("test.deed"):
        keys = [each.pk for each in conflicts]
        assert decide_conflicts(conflict_ids=keys, decision=decision, now=timezone.now()) == len(keys)
        found = current_change_set_id()
    assert found
    return found


def test_ours_goes_to_the_store(seller: Seller) -> None:
    lot, number = disputed(seller)
    plan(local(), seller.store)
    decide("ours", SyncConflict.objects.get())
    assert push(seller) == 1
    assert price_there(seller, number) == price_of(lot) == base_price(number) == OURS
    assert push(seller) == 0


def test_theirs_is_taken_over_and_nothing_is_sent(seller: Seller) -> None:
    lot, number = disputed(seller)
    plan(local(), seller.store)
    decide("theirs", SyncConflict.objects.get())
    assert price_of(lot) == THEIRS == base_price(number)
    assert push(seller) == 0
    assert price_there(seller, number) == THEIRS


def test_many_are_decided_at_once_and_a_second_press_decides_nothing(seller: Seller) -> None:
    lots = [listed(seller, no=no) for no in ("3001", "3003", "3004")]
    for lot, number in lots:
        dispute(seller, lot, number)
    plan(local(), seller.store)
    found = list(SyncConflict.objects.all())
    assert len(found) == 3
    decide("theirs", *found)
    keys = [each.pk for each in found]
    assert decide_conflicts(conflict_ids=keys, decision="ours", now=timezone.now()) == 0
    assert [price_of(lot) for lot, _number in lots] == [THEIRS] * 3
    assert push(seller) == 0


def test_refuses_what_is_no_decision_and_what_is_no_conflict(seller: Seller) -> None:
    disputed(seller)
    plan(local(), seller.store)
    found = SyncConflict.objects.get()
    with pytest.raises(Invalid):
        decide_conflicts(conflict_ids=[found.pk], decision="void", now=timezone.now())
    with pytest.raises(NotFound):
        decide_conflicts(conflict_ids=[found.pk, new_id()], decision="ours", now=timezone.now())
    found.refresh_from_db()
    assert found.decision == ""


def test_what_is_no_longer_different_goes_away_by_itself(seller: Seller) -> None:
    lot, number = disputed(seller)
    plan(local(), seller.store)
    edit(seller, number, price=1200)
    plan(local(), seller.store, key="again")
    found = SyncConflict.objects.get()
    assert (found.decision, found.decided_by_id) == ("void", None)
    assert push(seller) == 1
    assert price_there(seller, number) == price_of(lot) == OURS


def test_a_conflict_follows_what_is_changed_meanwhile(seller: Seller) -> None:
    lot, number = disputed(seller)
    plan(local(), seller.store)
    edit(seller, number, price=3500)
    plan(local(), seller.store, key="again")
    found = SyncConflict.objects.get()
    assert Decimal(str(found.theirs)) == Decimal("0.35")
    decide("theirs", found)
    assert price_of(lot) == Decimal("0.35")
    assert push(seller) == 0


def test_taken_back_theirs_asks_again_and_sends_nothing(seller: Seller) -> None:
    lot, number = disputed(seller)
    plan(local(), seller.store)
    deed = decide("theirs", SyncConflict.objects.get())
    audit.revert(change_set_id=deed)
    found = SyncConflict.objects.get()
    assert (found.decision, found.decided_at) == ("", None)
    assert (price_of(lot), base_price(number)) == (OURS, BASE)
    assert push(seller) == 0
    # The next look finds the same question, and either answer still works.
    plan(local(), seller.store, key="again")
    assert SyncConflict.objects.get().decision == ""
    decide("ours", SyncConflict.objects.get())
    assert push(seller) == 1
    assert price_there(seller, number) == OURS


def test_taken_back_ours_after_it_was_sent_can_be_decided_the_other_way(seller: Seller) -> None:
    lot, number = disputed(seller)
    plan(local(), seller.store)
    deed = decide("ours", SyncConflict.objects.get())
    push(seller)
    audit.revert(change_set_id=deed)
    assert SyncConflict.objects.get().decision == ""
    assert push(seller) == 0
    decide("theirs", SyncConflict.objects.get())
    assert push(seller) == 1
    assert price_there(seller, number) == price_of(lot) == base_price(number) == THEIRS


def test_taken_back_before_it_was_sent_sends_nothing(seller: Seller) -> None:
    _lot, number = disputed(seller)
    plan(local(), seller.store)
    deed = decide("ours", SyncConflict.objects.get())
    audit.revert(change_set_id=deed)
    assert push(seller) == 0
    assert (price_there(seller, number), base_price(number)) == (THEIRS, BASE)


@pytest.mark.parametrize(("decision", "pieces"), [("ours", 5), ("theirs", 8)])
def test_quantities_that_nobody_agreed_on_are_decided_after_sales_too(
    seller: Seller, decision: str, pieces: int
) -> None:
    number = seller.put(no="3001", quantity=8, price=1200)
    lot = make_lot(qty=5, item_no="3001", unit_price=BASE)
    run = carry_out(plan(local(), seller.store, options={"differs": "ask"}))
    assert run.plan_summary["conflicts"] == 1
    found = SyncConflict.objects.get()
    assert (found.field, found.ours, found.theirs) == (LotField.QTY, 5, 8)
    assert push(seller) == 0
    # That was an hour ago.
    ListingState.objects.update(read_at=F("read_at") - timedelta(hours=1))
    seller.order((number, 2))
    push(seller)
    decide(decision, found)
    # The order is read first, and what it took is off on both sides.
    pulling.pull_orders(store_id=seller.store.pk, now=timezone.now())
    push(seller)
    assert seller.there() == {number: pieces - 2}
    assert qty_of(lot.pk) == (pieces - 2, 2)
