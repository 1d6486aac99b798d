"""Two stores are compared, looked at, approved, and are in step then: to the piece, by the channel's own books."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from audit import bulk
from common.errors import Conflict, Invalid
from common.testing.sandbox import SandboxProcess
from inventory import services as inventory
from inventory.models import InventoryExternalId, InventoryItem, StockMovement
from inventory.testing import make_lot
from orders.models import OrderLine
from sync.choices import Action, Direction, ItemStatus, RunStatus, SkipReason
from sync.models import SyncConflict, SyncRun
from sync.queries import runs as queries
from sync.services import push_store, runs
from sync.services.bases import must_read
from sync.tests.running import carry_out, channel_of, lines, local, plan, teach
from sync.tests.sellers import CODES, Seller, check_books, qty_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]


@pytest.fixture
def seller(sandbox: SandboxProcess, code: str) -> Iterator[Seller]:
    made = Seller(sandbox, code)
    for row in sandbox.control("GET", f"sellers/{made.id}/lots"):
        sandbox.control("DELETE", f"sellers/{made.id}/lots/{row['id']}")
    yield made
    check_books()
    found = sandbox.control("GET", "assert/conservation")
    assert found["is_conserved"], found["problems"]


def ours() -> dict[tuple[str, int | None], tuple[int, Decimal]]:
    return {(lot.item_no, lot.color_id): (lot.qty_available, lot.unit_price) for lot in InventoryItem.objects.all()}


def bases(seller: Seller) -> dict[str, int]:
    rows = InventoryExternalId.objects.filter(store=seller.store, external_lot_id__isnull=False)
    return {str(row.external_lot_id): int(row.base["qty"]) for row in rows}


@pytest.mark.parametrize("code", CODES)
def test_brings_a_stores_lots_in_once_and_knows_them_then(code: str, seller: Seller) -> None:
    first, second = seller.put(quantity=10, price=1200), seller.put(no="3003", quantity=4, price=500)
    teach(seller)
    run = plan(seller.store, local())
    assert run.status == RunStatus.PREVIEW_READY, run.error_message
    assert [(line.action, line.store_id) for line in lines(run)] == [(Action.ADD, local().pk)] * 2
    assert not InventoryItem.objects.exists()
    run = carry_out(run)
    assert (run.status, run.plan_summary["applied"]["add"]) == (RunStatus.COMPLETED, 2)
    assert ours() == {("3001", 5): (10, Decimal("0.12")), ("3003", 5): (4, Decimal("0.05"))}
    assert bases(seller) == {first: 10, second: 4} == seller.there()
    # Nothing is sent to where it came from, and the next look finds nothing.
    before = seller.sandbox.control("GET", "counts")
    assert push_store(store_id=seller.store.pk, now=timezone.now()).done == 0
    assert [name for name in seller.sandbox.control("GET", "counts") if name not in before] == []
    again = plan(seller.store, local())
    assert (lines(again), again.plan_summary["equal"]) == ([], 2)


@pytest.mark.parametrize("code", CODES)
def test_lists_our_lots_and_removes_none_that_are_only_there(code: str, seller: Seller) -> None:
    theirs = seller.put(no="3003", quantity=7)
    teach(seller)
    seller.put(no="3001")
    teach(seller)
    for number in list(seller.there()):
        if number != theirs:
            seller.sandbox.control("DELETE", f"sellers/{seller.id}/lots/{number}")
    lot = make_lot(qty=12, item_no="3001", unit_price=Decimal("0.08"))
    run = plan(local(), seller.store, options={"new_there": "leave"})
    assert {line.action: line.skip_reason for line in lines(run)} == {
        Action.ADD: "", Action.SKIP: SkipReason.NEW_THERE,
    }  # fmt: skip
    run = carry_out(run)
    assert [line.error_message for line in lines(run, Action.ADD)] == [""]
    listing = InventoryExternalId.objects.get(inventory_item=lot)
    assert seller.there() == {theirs: 7, listing.external_lot_id: 12}
    assert bases(seller) == {listing.external_lot_id: 12}


@pytest.mark.parametrize("code", ["bricklink"])
def test_equal_lots_have_no_line_and_are_pairs_once_it_is_applied(code: str, seller: Seller) -> None:
    numbers = [seller.put(no=no, quantity=qty, price=1200) for no, qty in (("3001", 3), ("3003", 5))]
    for no, qty in (("3001", 3), ("3003", 5)):
        make_lot(qty=qty, item_no=no, unit_price=Decimal("0.12"))
    run = plan(seller.store, local())
    assert lines(run) == []
    assert run.plan_summary["equal"] == run.plan_summary["pairs"] == 2
    assert not InventoryExternalId.objects.exists()
    run = carry_out(run)
    assert run.status == RunStatus.COMPLETED
    assert bases(seller) == dict(zip(numbers, (3, 5), strict=True))
    assert push_store(store_id=seller.store.pk, now=timezone.now()).done == 0


@pytest.mark.parametrize("code", CODES)
def test_what_was_changed_here_goes_there_and_what_was_changed_there_comes_here(code: str, seller: Seller) -> None:
    one, first = seller.listed(qty=10, price=1200)
    two, second = seller.listed(qty=10, price=1200, no="3003")
    inventory.update_lot(lot_id=one.pk, changes={"unit_price": Decimal("0.12")}, now=timezone.now())
    inventory.update_lot(lot_id=two.pk, changes={"unit_price": Decimal("0.12")}, now=timezone.now())
    push_store(store_id=seller.store.pk, now=timezone.now())
    inventory.adjust_stock(lot_id=one.pk, qty_available=7, now=timezone.now())
    seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{second}", {"quantity": 13, "price": 1500})
    run = plan(local(), seller.store)
    found = {(line.store_id == local().pk): line for line in lines(run)}
    assert [(each["field"], each["old"], each["new"]) for each in found[False].changes] == [("qty", 10, 7)]
    assert {each["field"] for each in found[True].changes} == {"qty", "price"}
    run = carry_out(run)
    assert run.status == RunStatus.COMPLETED
    assert seller.there() == {first: 7, second: 13} == bases(seller)
    two.refresh_from_db()
    assert (two.qty_available, two.unit_price) == (13, Decimal("0.15"))
    moved = StockMovement.objects.filter(inventory_item=two, kind="CHANNEL_EDIT").get()
    assert (moved.delta_available, moved.cause_type) == (3, "sync_run")


@pytest.mark.parametrize("code", ["bricklink"])
def test_quantities_that_changed_on_both_sides_add_up(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    push_store(store_id=seller.store.pk, now=timezone.now())
    inventory.adjust_stock(lot_id=lot.pk, qty_available=8, now=timezone.now())
    seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{number}", {"quantity": 9})
    run = carry_out(plan(local(), seller.store))
    assert run.status == RunStatus.COMPLETED
    assert qty_of(lot.pk) == (7, 0)
    assert seller.there() == {number: 7} == bases(seller)


@pytest.mark.parametrize("code", ["bricklink"])
def test_an_empty_or_short_answer_stops_before_planning(code: str, seller: Seller) -> None:
    for no in ("3001", "3003", "3004", "3005"):
        seller.put(no=no)
    carry_out(plan(seller.store, local()))
    for number in list(seller.there())[:3]:
        seller.sandbox.control("DELETE", f"sellers/{seller.id}/lots/{number}")
    run = plan(local(), seller.store)
    assert (run.status, lines(run)) == (RunStatus.FAILED, [])
    assert "1 lots; the last time there were 4" in run.error_message
    run = plan(local(), seller.store, options={"accepts_few": True, "lists_new": False})
    assert run.status == RunStatus.PREVIEW_READY
    assert run.plan_summary["gone"] == 3
    assert InventoryItem.objects.count() == 4


@pytest.mark.parametrize("code", ["bricklink", "brickowl"])
def test_what_was_sold_out_or_taken_off_since_is_not_missed(code: str, seller: Seller) -> None:
    numbers = [seller.listed(qty=1, no=no)[1] for no in ("3001", "3003", "3004", "3005")]
    plan(local(), seller.store)
    seller.order(*((number, 1) for number in numbers[:3]))
    run = plan(local(), seller.store)
    assert run.status == RunStatus.PREVIEW_READY, run.error_message
    assert InventoryExternalId.objects.filter(store=seller.store, base__qty=0).count() == 3


@pytest.mark.parametrize("code", ["bricklink"])
def test_removes_what_was_deleted_here_and_asks_for_the_number(code: str, seller: Seller) -> None:
    lot, _number = seller.listed(qty=10)
    kept, other = seller.listed(qty=10, no="3003", is_retained=1)
    inventory.delete_lots(lot_ids=[lot.pk, kept.pk], now=timezone.now())
    run = plan(local(), seller.store)
    assert [(line.action, line.skip_reason) for line in lines(run)] == [
        (Action.REMOVE, ""), (Action.SKIP, SkipReason.RETAINED),
    ]  # fmt: skip
    view = queries.view_of(run, now=timezone.now())
    assert view.removals_to_confirm == 1
    with pytest.raises(Invalid):
        runs.approve_run(run_id=run.pk, now=timezone.now())
    run = carry_out(run, confirmed=1)
    assert run.status == RunStatus.COMPLETED
    assert seller.there() == {other: 10}


@pytest.mark.parametrize("code", ["bricklink"])
def test_lines_can_be_left_out_and_taken_in_again(code: str, seller: Seller) -> None:
    seller.put(no="3001")
    seller.put(no="3003")
    run = plan(seller.store, local())
    one, two = lines(run)
    assert runs.exclude_items(run_id=run.pk, item_ids=[one.pk]) == 1
    assert runs.exclude_items(run_id=run.pk, filters=queries.PlanFilters.parse({"q": "3003"})) == 1
    with pytest.raises(Conflict):
        runs.approve_run(run_id=run.pk, now=timezone.now())
    assert runs.exclude_items(run_id=run.pk, item_ids=[two.pk], is_excluded=False) == 1
    carry_out(run)
    assert [lot.item_no for lot in InventoryItem.objects.all()] == [two.item_no]
    assert bases(seller) == {two.source_external_id: 10}


@pytest.mark.parametrize("code", ["bricklink"])
def test_an_old_plan_is_made_anew_before_it_is_approved(code: str, seller: Seller) -> None:
    seller.put()
    run = plan(seller.store, local())
    later = timezone.now() + timedelta(days=1, minutes=1)
    with pytest.raises(Conflict, match="more than a day ago"):
        runs.approve_run(run_id=run.pk, now=later)
    assert queries.view_of(run, now=later).is_stale
    assert runs.plan_again(run_id=run.pk, now=later).status == RunStatus.PENDING


@pytest.mark.parametrize("code", ["bricklink"])
def test_a_sale_while_it_is_planned_is_counted_once(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    push_store(store_id=seller.store.pk, now=timezone.now())
    run = plan(local(), seller.store)
    inventory.adjust_stock(lot_id=lot.pk, qty_available=8, now=timezone.now())
    run = plan(local(), seller.store, key="second")
    seller.order((number, 3))
    run = carry_out(run)
    assert run.status == RunStatus.COMPLETED
    assert qty_of(lot.pk) == (5, 3)
    assert seller.there() == {number: 5} == bases(seller)


@pytest.mark.parametrize("code", ["bricklink"])
def test_both_changed_a_price_and_a_person_decides(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10, price=1200)
    inventory.update_lot(lot_id=lot.pk, changes={"unit_price": Decimal("0.12")}, now=timezone.now())
    push_store(store_id=seller.store.pk, now=timezone.now())
    inventory.update_lot(lot_id=lot.pk, changes={"unit_price": Decimal("0.20")}, now=timezone.now())
    seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{number}", {"price": 3000})
    run = plan(local(), seller.store)
    assert [(line.action, line.skip_reason) for line in lines(run)] == [(Action.SKIP, SkipReason.CONFLICT)]
    conflict = SyncConflict.objects.get()
    assert [Decimal(each or 0) for each in (conflict.base, conflict.ours, conflict.theirs)] == [
        Decimal("0.12"), Decimal("0.20"), Decimal("0.30"),
    ]  # fmt: skip
    # As long as nobody has decided, nothing is sent.
    push_store(store_id=seller.store.pk, now=timezone.now())
    remote = channel_of(seller).fetch_lot(number)
    assert remote is not None
    assert remote.state.price == Decimal("0.30")


@pytest.mark.parametrize("code", ["bricklink"])
def test_the_same_wish_twice_is_one_run_and_nobody_approves_twice(code: str, seller: Seller) -> None:
    seller.put()
    run = plan(seller.store, local(), key="once")
    assert plan(seller.store, local(), key="once").pk == run.pk
    assert SyncRun.objects.count() == 1
    first = runs.approve_run(run_id=run.pk, now=timezone.now())
    assert runs.approve_run(run_id=run.pk, now=timezone.now()).apply_job_id == first.apply_job_id


@pytest.mark.parametrize("code", ["bricklink"])
def test_both_sides_get_what_they_lack(code: str, seller: Seller) -> None:
    number = seller.put(no="3003", quantity=6)
    lot = make_lot(qty=9, item_no="3001")
    run = carry_out(plan(local(), seller.store, direction=Direction.BIDIRECTIONAL))
    assert run.status == RunStatus.COMPLETED
    listing = InventoryExternalId.objects.get(inventory_item=lot)
    assert seller.there() == {number: 6, listing.external_lot_id: 9}
    assert ours().keys() == {("3001", 5), ("3003", 5)}
    assert all(line.status == ItemStatus.APPLIED for line in lines(run))


@pytest.fixture
def two(sandbox: SandboxProcess) -> tuple[Seller, Seller]:
    """Answer stores on two marketplaces that this shop knows the numbers of; one lot is on the first."""
    one, other = Seller(sandbox, "bricklink"), Seller(sandbox, "brickowl")
    number = other.put(no="3001", quantity=3, color_id=11)
    teach(other)
    sandbox.control("DELETE", f"sellers/{other.id}/lots/{number}")
    one.put(no="3001", quantity=8, price=1000, color_id=5)
    return one, other


def test_from_one_channel_to_the_other_by_way_of_our_stock(two: tuple[Seller, Seller]) -> None:
    one, other = two
    run = plan(one.store, other.store)
    add, there = lines(run)
    assert (add.store_id, there.store_id, there.after_id) == (local().pk, other.store.pk, add.pk)
    run = carry_out(run)
    assert run.status == RunStatus.COMPLETED, run.error_message
    assert list(other.there().values()) == [8]
    assert InventoryExternalId.objects.count() == 2
    check_books()


def test_what_does_not_come_in_is_not_listed_elsewhere(two: tuple[Seller, Seller]) -> None:
    one, other = two
    run = plan(one.store, other.store)
    add, _there = lines(run)
    assert runs.exclude_items(run_id=run.pk, item_ids=[add.pk]) == 2
    assert [line.skip_reason for line in lines(run)] == [SkipReason.USER_EXCLUDED] * 2


@pytest.mark.parametrize("code", ["bricklink"])
def test_of_two_plans_of_a_store_the_second_is_made_anew(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    push_store(store_id=seller.store.pk, now=timezone.now())
    seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{number}", {"quantity": 15})
    seller.put(no="3003", quantity=4)
    first, second = plan(local(), seller.store, key="one"), plan(seller.store, local(), key="two")
    carry_out(first)
    assert (qty_of(lot.pk), InventoryItem.objects.count()) == ((15, 0), 2)
    view = queries.view_of(queries.get_run(second.pk), now=timezone.now())
    assert view.is_stale
    with pytest.raises(Conflict, match=f"Run {first.number} has changed"):
        runs.approve_run(run_id=second.pk, now=timezone.now())
    assert lines(plan(local(), seller.store, key="three")) == []
    assert (qty_of(lot.pk), InventoryItem.objects.count()) == ((15, 0), 2)


@pytest.mark.parametrize("code", ["bricklink"])
def test_what_was_looked_at_since_the_plan_is_not_taken_over_twice(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    push_store(store_id=seller.store.pk, now=timezone.now())
    seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{number}", {"quantity": 15})
    run = plan(local(), seller.store)
    listing = InventoryExternalId.objects.get(store=seller.store)
    must_read(listing_ids=[listing.pk])
    push_store(store_id=seller.store.pk, now=timezone.now())
    assert qty_of(lot.pk) == (15, 0)
    run = carry_out(run)
    assert qty_of(lot.pk) == (15, 0)
    assert [line.status for line in lines(run)] == [ItemStatus.FAILED]
    assert seller.there() == {number: 15} == bases(seller)


@pytest.mark.parametrize("code", ["bricklink"])
def test_many_removals_are_confirmed_on_whichever_side_they_are(code: str, seller: Seller) -> None:
    lot, _number = seller.listed(qty=10)
    seller.listed(qty=10, no="3003")
    inventory.delete_lots(lot_ids=[lot.pk], now=timezone.now())
    run = plan(seller.store, local(), direction=Direction.BIDIRECTIONAL)
    assert len(lines(run, Action.REMOVE)) == 1
    assert queries.view_of(run, now=timezone.now()).removals_to_confirm == 1
    with pytest.raises(Invalid):
        runs.approve_run(run_id=run.pk, now=timezone.now())
    runs.exclude_items(run_id=run.pk, item_ids=[lines(run, Action.REMOVE)[0].pk])
    assert queries.view_of(queries.get_run(run.pk), now=timezone.now()).removals_to_confirm is None


@pytest.mark.parametrize("code", ["bricklink"])
def test_prices_of_used_lots_come_here_by_the_rule_that_they_go_there_by(code: str, seller: Seller) -> None:
    rule = {"change": "PERCENT", "value": "10", "used_change": "PERCENT", "used_value": "-20"}
    seller.change(settings={**seller.store.settings, "price_rule": rule})
    number = seller.put(no="3001", quantity=4, price=8000, condition="U")
    run = carry_out(plan(seller.store, local()))
    assert run.status == RunStatus.COMPLETED, run.error_message
    lot = InventoryItem.objects.get()
    assert (lot.condition, lot.unit_price) == ("USED", Decimal("1.00"))
    assert push_store(store_id=seller.store.pk, now=timezone.now()).done == 0
    seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{number}", {"price": 4000})
    carry_out(plan(local(), seller.store))
    lot.refresh_from_db()
    assert lot.unit_price == Decimal("0.50")
    push_store(store_id=seller.store.pk, now=timezone.now())
    remote = channel_of(seller).fetch_lot(number)
    assert remote is not None
    assert remote.state.price == Decimal("0.40")


@pytest.mark.parametrize("code", ["bricklink"])
def test_what_waits_for_a_person_waits_on_where_nobody_looks_at_it(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10, price=1200)
    inventory.update_lot(lot_id=lot.pk, changes={"unit_price": Decimal("0.12")}, now=timezone.now())
    push_store(store_id=seller.store.pk, now=timezone.now())
    inventory.update_lot(lot_id=lot.pk, changes={"unit_price": Decimal("0.20")}, now=timezone.now())
    seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{number}", {"price": 3000})
    plan(local(), seller.store)
    assert SyncConflict.objects.get().decision == ""
    # A run about other fields, and one while the lot is on the move.
    plan(local(), seller.store, key="texts", options={"fields": ["remarks"]})
    assert SyncConflict.objects.get().decision == ""
    seller.order((number, 1))
    run = plan(local(), seller.store, key="moving")
    assert [line.skip_reason for line in lines(run)] == [SkipReason.BUSY]
    assert SyncConflict.objects.get().decision == ""
    # Where both say the same by now, it has gone away by itself.
    seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{number}", {"price": 2000})
    bulk.update(OrderLine.objects.all(), external_lot_id="")
    plan(local(), seller.store, key="agreed")
    assert SyncConflict.objects.get().decision == "void"


def test_what_changed_on_one_channel_reaches_the_other_where_it_stood_as_it_should(two: tuple[Seller, Seller]) -> None:
    one, other = two
    carry_out(plan(one.store, other.store))
    (number,), (there,) = one.there(), other.there()
    one.sandbox.control("PATCH", f"sellers/{one.id}/lots/{number}", {"quantity": 11})
    run = plan(one.store, other.store)
    here, given = lines(run)
    assert (given.store_id, given.after_id, given.before_state["qty"]) == (other.store.pk, here.pk, 8)
    assert carry_out(run).status == RunStatus.COMPLETED
    assert (one.there(), other.there()) == ({number: 11}, {there: 11})
    assert plan(one.store, other.store).plan_summary["equal"] == 2
    check_books()


def test_what_was_just_sold_on_the_other_channel_is_left_for_the_next_time(two: tuple[Seller, Seller]) -> None:
    one, other = two
    carry_out(plan(one.store, other.store))
    (number,), (there,) = one.there(), other.there()
    other.order((there, 1))
    one.sandbox.control("PATCH", f"sellers/{one.id}/lots/{number}", {"quantity": 11})
    here, given = lines(plan(one.store, other.store))
    assert (here.action, here.extra["delta"]) == (Action.UPDATE, 3)
    assert (given.store_id, given.skip_reason) == (other.store.pk, SkipReason.BUSY)
