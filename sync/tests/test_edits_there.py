"""What a seller edits on a channel is never overwritten unseen: it comes here, or a person is asked."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from common.testing.sandbox import SandboxProcess
from inventory import services as inventory
from inventory.models import InventoryExternalId, InventoryItem
from stores import services as stores
from sync.choices import Action, ItemStatus, RunStatus, SkipReason
from sync.models import Snapshot, SyncConflict, SyncPlanItem, SyncRun
from sync.remote import LotState
from sync.services import push_store
from sync.services.bases import must_read
from sync.tests.running import carry_out, channel_of, lines, local, plan
from sync.tests.sellers import CODES, Seller, check_books, qty_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]
BASE, OURS, THEIRS = Decimal("0.12"), Decimal("0.20"), Decimal("0.30")


@pytest.fixture
def seller(sandbox: SandboxProcess, code: str) -> Iterator[Seller]:
    made = Seller(sandbox, code)
    for row in sandbox.control("GET", f"sellers/{made.id}/lots"):
        sandbox.control("DELETE", f"sellers/{made.id}/lots/{row['id']}")
    made.change(settings={**made.store.settings, "auto_sync": False})
    yield made
    check_books()
    found = sandbox.control("GET", "assert/conservation")
    assert found["is_conserved"], found["problems"]


def listed(seller: Seller, **lot: Any) -> tuple[InventoryItem, str]:
    """Answer a lot that both sides agree on, price and all."""
    ours, number = seller.listed(price=1200, **lot)
    change(ours, unit_price=BASE)
    push(seller)
    return ours, number


def change(lot: InventoryItem, **changes: Any) -> None:
    inventory.update_lot(lot_id=lot.pk, changes=changes, now=timezone.now())


def push(seller: Seller) -> None:
    assert push_store(store_id=seller.store.pk, now=timezone.now(), by_hand=True).problem == ""


def edit(seller: Seller, number: str, **values: Any) -> None:
    """Be the seller on the website."""
    seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{number}", values)


def there(seller: Seller, number: str) -> LotState:
    remote = channel_of(seller).fetch_lot(number)
    assert remote is not None
    return remote.state


def approved_later(run: SyncRun, **more: Any) -> SyncRun:
    """Have a person think about a plan for a while, and then approve it."""
    Snapshot.objects.update(fetched_at=F("fetched_at") - timedelta(minutes=10))
    return carry_out(run, **more)


def price_of(lot: InventoryItem) -> Decimal:
    return InventoryItem.objects.values_list("unit_price", flat=True).get(pk=lot.pk)


def the_line(run: SyncRun) -> SyncPlanItem:
    (line,) = lines(run)
    return line


@pytest.mark.parametrize("code", CODES)
def test_a_price_that_was_edited_since_the_plan_waits_for_a_person(code: str, seller: Seller) -> None:
    lot, number = listed(seller)
    change(lot, unit_price=OURS)
    run = plan(local(), seller.store)
    edit(seller, number, price=3000)
    run = approved_later(run)
    line = the_line(run)
    assert (run.status, line.status, line.skip_reason) == (
        RunStatus.COMPLETED, ItemStatus.SKIPPED, SkipReason.CONFLICT,
    )  # fmt: skip
    assert (there(seller, number).price, price_of(lot)) == (THEIRS, OURS)
    conflict = SyncConflict.objects.get(decision="")
    assert [Decimal(each) for each in (conflict.base, conflict.ours, conflict.theirs)] == [BASE, OURS, THEIRS]  # type: ignore[arg-type]  # prices
    # Nor does anybody else overwrite it while it waits.
    push(seller)
    assert there(seller, number).price == THEIRS


@pytest.mark.parametrize("code", ["bricklink", "brickowl"])
@pytest.mark.parametrize(("owner", "counts"), [("ours", OURS), ("channel", THEIRS)])
def test_whose_word_counts_is_asked_again_as_the_line_is_sent(
    code: str, owner: str, counts: Decimal, seller: Seller
) -> None:
    lot, number = listed(seller)
    stores.update_store(store_id=seller.store.pk, changes={"settings": {"owners": {"price": owner}}})
    change(lot, unit_price=OURS)
    run = plan(local(), seller.store)
    edit(seller, number, price=3000)
    assert approved_later(run).status == RunStatus.COMPLETED
    assert (there(seller, number).price, price_of(lot)) == (counts, counts)
    assert not SyncConflict.objects.exists()


@pytest.mark.parametrize("code", CODES)
def test_what_was_edited_beside_comes_here_and_the_rest_goes_there(code: str, seller: Seller) -> None:
    lot, number = listed(seller, qty=10)
    change(lot, description="shiny")
    inventory.adjust_stock(lot_id=lot.pk, qty_available=7, now=timezone.now())
    run = plan(local(), seller.store)
    edit(seller, number, price=3000, quantity=9)
    run = approved_later(run)
    assert the_line(run).status == ItemStatus.APPLIED
    shown = there(seller, number)
    # One was taken away there, three here.
    assert (shown.price, shown.description, shown.qty) == (THEIRS, "shiny", 6)
    assert (price_of(lot), qty_of(lot.pk)) == (THEIRS, (6, 0))
    assert lines(plan(local(), seller.store, key="again")) == []


@pytest.mark.parametrize("code", ["bricklink"])
def test_what_is_retained_or_restocked_since_the_plan_is_not_removed(code: str, seller: Seller) -> None:
    found = [listed(seller, no=no) for no in ("3001", "3003", "3004")]
    inventory.delete_lots(lot_ids=[lot.pk for lot, _number in found], now=timezone.now())
    run = plan(local(), seller.store)
    assert {line.action for line in lines(run)} == {Action.REMOVE}
    (_, retained), (_, restocked), (_, gone) = found
    edit(seller, retained, is_retained=1)
    edit(seller, restocked, quantity=15)
    run = approved_later(run, confirmed=3)
    assert seller.there() == {retained: 10, restocked: 15}
    by_number = {line.target_external_id: (line.status, line.skip_reason) for line in lines(run)}
    assert by_number == {
        retained: (ItemStatus.SKIPPED, SkipReason.RETAINED), restocked: (ItemStatus.FAILED, ""),
        gone: (ItemStatus.APPLIED, ""),
    }  # fmt: skip


@pytest.mark.parametrize("code", ["bricklink"])
@pytest.mark.parametrize(("is_old", "looks"), [(False, 0), (True, 1)])
def test_all_that_is_overwritten_is_looked_at_by_one_call(
    code: str, is_old: bool, looks: int, seller: Seller  # noqa: FBT001  # a case of the test
) -> None:  # fmt: skip
    found = [listed(seller, no=no) for no in ("3001", "3003", "3004", "3005", "3006", "3007")]
    for lot, _number in found:
        change(lot, unit_price=OURS)
    run = plan(local(), seller.store)
    before = len(seller.sandbox.asked())
    assert (approved_later(run) if is_old else carry_out(run)).status == RunStatus.COMPLETED
    asked = [row for row in seller.sandbox.asked()[before:] if "inventories" in row["path"]]
    assert [row["method"] for row in asked] == ["GET"] * looks + ["PUT"] * 6
    assert {there(seller, number).price for _lot, number in found} == {OURS}


@pytest.mark.parametrize("code", ["bricklink"])
def test_where_only_pieces_go_there_nothing_is_looked_at(code: str, seller: Seller) -> None:
    lot, number = listed(seller, qty=10)
    inventory.adjust_stock(lot_id=lot.pk, qty_available=7, now=timezone.now())
    run = plan(local(), seller.store)
    before = len(seller.sandbox.asked())
    approved_later(run)
    asked = [row for row in seller.sandbox.asked()[before:] if "inventories" in row["path"]]
    assert [row["method"] for row in asked] == ["PUT"]
    assert seller.there() == {number: 7}


@pytest.mark.parametrize("code", CODES)
def test_what_was_read_there_is_not_pushed_over(code: str, seller: Seller) -> None:
    lot, number = listed(seller)
    change(lot, unit_price=OURS)
    edit(seller, number, price=3000)
    listing = InventoryExternalId.objects.get(external_lot_id=number)
    must_read(listing_ids=[listing.pk])
    push(seller)
    assert (there(seller, number).price, price_of(lot)) == (THEIRS, OURS)
    assert SyncConflict.objects.get(decision="").field == "price"


@pytest.mark.parametrize("code", ["bricklink"])
def test_the_answer_to_a_change_tells_of_an_edit_beside_it(code: str, seller: Seller) -> None:
    lot, number = listed(seller)
    edit(seller, number, price=3000)
    change(lot, description="shiny")
    push(seller)
    shown = there(seller, number)
    assert (shown.price, shown.description, price_of(lot)) == (THEIRS, "shiny", THEIRS)
