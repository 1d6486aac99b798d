"""What people do with runs that are under way or over: stop them, try again, take them back; and what a night finds."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audit import bulk
from audit import services as audit
from common.errors import Conflict
from common.testing.dying import listening
from common.testing.people import make_user
from common.testing.sandbox import SandboxProcess
from inventory import services as inventory
from inventory.models import InventoryExternalId, InventoryItem
from inventory.testing import make_lot
from stores import services as stores
from stores.choices import StoreState
from stores.models import Store
from sync.choices import Action, Direction, ItemStatus, RunStatus, SkipReason, Trigger
from sync.models import SyncRun
from sync.queries import runs as queries
from sync.services import push_store, runs
from sync.tests.running import carry_out, go_on, lines, local, plan, teach, work
from sync.tests.sellers import Seller, check_books

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


def settings(seller: Seller, **values: Any) -> None:
    seller.change(settings={**seller.store.settings, **values})


def asked_of(seller: Seller, *methods: str) -> list[str]:
    """Answer the ends of the addresses that were asked since `look_from_here`."""
    rows = seller.sandbox.control("GET", f"requests?since={_seen[-1]}")
    return [row["path"].rpartition("/")[2] for row in rows if row["method"] in methods]


def look_from_here(seller: Seller) -> None:
    """Have `asked_of` answer what is asked from now on."""
    rows = seller.sandbox.control("GET", "requests")
    _seen.append(max((row["number"] for row in rows), default=0))


_seen = [0]


def changed(seller: Seller, *numbers: str, to: int = 7) -> list[tuple[InventoryItem, str]]:
    """Answer lots that both sides agreed on, of which we have another number now."""
    settings(seller, auto_sync=False)
    found = [seller.listed(qty=10, no=no) for no in numbers]
    assert push_store(store_id=seller.store.pk, now=timezone.now(), by_hand=True).problem == ""
    for lot, _number in found:
        inventory.adjust_stock(lot_id=lot.pk, qty_available=to, now=timezone.now())
    return found


# --- Taken back -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("code", CODES)
def test_a_run_is_taken_back_here_and_then_there(code: str, seller: Seller) -> None:
    came = seller.put(no="3003", quantity=6, price=1200)
    seller.put(no="3001", quantity=1)
    teach(seller)
    seller.sandbox.control("DELETE", f"sellers/{seller.id}/lots/{max(seller.there(), key=int)}")
    mine = make_lot(qty=9, item_no="3001", unit_price=Decimal("0.10"))
    run = carry_out(plan(local(), seller.store, direction=Direction.BIDIRECTIONAL))
    assert run.status == RunStatus.COMPLETED, run.error_message
    listed = mine.listings.get().external_lot_id
    assert seller.there() == {came: 6, listed: 9}
    assert run.change_set_id is not None
    assert queries.view_of(run, now=timezone.now()).can_undo
    audit.revert(change_set_id=run.change_set_id)
    assert list(InventoryItem.objects.all()) == [mine]
    # Nobody pushes anything to a store because of it, and what the run listed is taken off by a plan like any other.
    push_store(store_id=seller.store.pk, now=timezone.now())
    assert seller.there() == {came: 6, listed: 9}
    inverse = runs.start_inverse(run_id=run.pk, idempotency_key="inverse", now=timezone.now())
    assert runs.start_inverse(run_id=run.pk, idempotency_key="inverse", now=timezone.now()).pk == inverse.pk
    work(inverse.plan_job)
    inverse = queries.get_run(inverse.pk)
    assert [
        (line.action, line.target_external_id) for line in lines(inverse, Action.ADD, Action.UPDATE, Action.REMOVE)
    ] == [
        (Action.REMOVE, listed),
    ]
    inverse = carry_out(inverse, confirmed=1)
    assert inverse.status == RunStatus.COMPLETED, inverse.error_message
    assert seller.there() == {came: 6}
    assert list(InventoryItem.objects.all()) == [mine]


@pytest.mark.parametrize("code", ["bricklink"])
def test_a_run_that_is_taken_back_in_part_says_what_is_left_there(code: str, seller: Seller, client: Client) -> None:
    changed, _other = make_lot(qty=9, item_no="3001"), make_lot(qty=8, item_no="3003")
    run = carry_out(plan(local(), seller.store))
    inventory.adjust_stock(lot_id=changed.pk, qty_available=7, now=timezone.now())
    push_store(store_id=seller.store.pk, now=timezone.now())
    assert run.change_set_id is not None
    audit.revert(change_set_id=run.change_set_id)
    assert sorted(seller.there().values()) == [7, 8]
    client.force_login(make_user(role="owner"))
    page = client.get(f"/sync/runs/{run.pk}/").content.decode()
    assert "taken back, but for what was changed since" in page
    assert "nobody keeps it in step" in page
    assert "Plan what brings Demo on bricklink back" in page


@pytest.mark.parametrize("code", ["bricklink"])
def test_what_a_run_took_over_goes_back_and_reaches_the_store(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10, price=1200)
    inventory.update_lot(lot_id=lot.pk, changes={"unit_price": Decimal("0.12")}, now=timezone.now())
    push_store(store_id=seller.store.pk, now=timezone.now())
    seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{number}", {"quantity": 13, "price": 1500})
    run = carry_out(plan(local(), seller.store))
    lot.refresh_from_db()
    assert (lot.qty_available, lot.unit_price) == (13, Decimal("0.15"))
    assert run.change_set_id is not None
    audit.revert(change_set_id=run.change_set_id)
    lot.refresh_from_db()
    assert (lot.qty_available, lot.unit_price) == (10, Decimal("0.12"))
    push_store(store_id=seller.store.pk, now=timezone.now())
    assert seller.there() == {number: 10}
    assert lines(plan(local(), seller.store, key="after")) == []


# --- Tried again ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("code", ["bricklink"])
def test_lines_that_failed_are_tried_again_alone(code: str, seller: Seller) -> None:
    settings(seller, auto_sync=False)
    wrong, right = make_lot(qty=4, item_no="nosuchpart"), make_lot(qty=6, item_no="3001")
    run = carry_out(plan(local(), seller.store))
    assert run.status == RunStatus.COMPLETED
    assert run.plan_summary["applied"] == {"add": 1, "update": 0, "remove": 0, "failed": 1}
    view = queries.view_of(run, now=timezone.now())
    assert view.can_retry
    (failure,) = view.failures
    assert failure.count == 1
    inventory.update_lot(lot_id=wrong.pk, changes={"item_no": "3003"}, now=timezone.now())
    run = go_on(runs.retry_run(run_id=run.pk, reason=failure.reason, now=timezone.now()))
    assert run.plan_summary["applied"] == {"add": 2, "update": 0, "remove": 0, "failed": 0}
    assert sorted(seller.there().values()) == [4, 6]
    assert {lot.listings.get().external_lot_id for lot in (wrong, right)} == set(seller.there())
    assert not queries.view_of(run, now=timezone.now()).can_retry


@pytest.mark.parametrize("code", CODES)
def test_refused_credentials_stop_a_run_midway_and_new_ones_let_it_go_on(code: str, seller: Seller) -> None:
    found = changed(seller, "3001", "3003", "3004")
    run = plan(local(), seller.store)
    assert len(lines(run, Action.UPDATE)) == 3
    runs.approve_run(run_id=run.pk, now=timezone.now())
    # BrickLink takes one lot at a time, so one of them is done by then.
    method, nth, done = ("PUT", 2, 1) if code == "bricklink" else ("POST", 1, 0)
    seller.sandbox.fault("token_revoked", service=code, method=method, nth=nth, times=1)
    run = go_on(run)
    assert run.status == RunStatus.FAILED
    assert run.error_message
    assert run.plan_summary["applied"]["update"] == done
    seller.store.refresh_from_db()
    assert seller.store.sync_state.state == StoreState.NEEDS_RECONNECT
    seller.sandbox.control("DELETE", "faults")
    # Without others it stops again at once, and nothing is sent.
    before = seller.there()
    run = go_on(runs.retry_run(run_id=run.pk, now=timezone.now()))
    assert (run.status, seller.there()) == (RunStatus.FAILED, before)
    made = seller.sandbox.control("POST", f"sellers/{seller.id}/credentials")["credentials"]
    stores.set_credentials(store_id=seller.store.pk, credentials=made)
    assert queries.view_of(run, now=timezone.now()).can_retry
    run = go_on(runs.retry_run(run_id=run.pk, now=timezone.now()))
    assert (run.status, run.error_message) == (RunStatus.COMPLETED, "")
    assert seller.there() == dict.fromkeys((number for _lot, number in found), 7)
    assert run.plan_summary["applied"] == {"add": 0, "update": 3, "remove": 0, "failed": 0}


# --- Stopped ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("code", ["bricklink"])
def test_stops_after_the_batch_says_what_was_done_and_goes_on(
    code: str, seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.runner._WRITE_EVERY_S", 0)
    found = changed(seller, "3001", "3003", "3004")
    run = plan(local(), seller.store)
    runs.approve_run(run_id=run.pk, now=timezone.now())
    asked: list[int] = []

    def stop(name: str) -> None:
        if name == "sync.answered" and not asked:
            asked.append(1)
            for _ in range(2):
                runs.cancel_run(run_id=run.pk, now=timezone.now())

    with listening(stop):
        run = go_on(run)
    assert asked
    assert run.status == RunStatus.CANCELLED
    assert run.plan_summary["applied"]["update"] == 1
    assert sorted(line.status for line in lines(run)) == [ItemStatus.APPLIED, ItemStatus.PENDING, ItemStatus.PENDING]
    assert sorted(seller.there().values()) == [7, 10, 10]
    view = queries.view_of(run, now=timezone.now())
    assert (view.applied, view.to_do, view.can_retry, view.can_cancel) == (1, 2, True, False)
    run = go_on(runs.retry_run(run_id=run.pk, now=timezone.now()))
    assert run.status == RunStatus.COMPLETED
    assert seller.there() == dict.fromkeys((number for _lot, number in found), 7)


@pytest.mark.parametrize("code", ["bricklink"])
def test_a_run_that_waits_stops_at_once_and_can_go_on(code: str, seller: Seller) -> None:
    changed(seller, "3001")
    run = plan(local(), seller.store)
    runs.approve_run(run_id=run.pk, now=timezone.now())
    runs.cancel_run(run_id=run.pk, now=timezone.now())
    # Before anybody has told the run, its job knows.
    assert queries.view_of(queries.get_run(run.pk), now=timezone.now()).status == RunStatus.CANCELLED
    run = go_on(runs.retry_run(run_id=run.pk, now=timezone.now()))
    assert run.status == RunStatus.COMPLETED
    assert list(seller.there().values()) == [7]


# --- What can't wait --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("code", ["bricklink"])
def test_what_is_sold_out_meanwhile_goes_before_the_rest(
    code: str, seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.services.runs.delivering._LOOKS_EVERY_S", 0)
    other, urgent = seller.listed(qty=5, no="3005")
    found = changed(seller, "3001", "3003", "3004", to=12)
    run = plan(local(), seller.store)
    settings(seller, auto_sync=True)
    runs.approve_run(run_id=run.pk, now=timezone.now())
    asked: list[int] = []

    def sell_out(name: str) -> None:
        if name == "sync.answered" and not asked:
            asked.append(1)
            inventory.adjust_stock(lot_id=other.pk, qty_available=0, now=timezone.now())

    look_from_here(seller)
    with listening(sell_out):
        run = go_on(run)
    assert run.status == RunStatus.COMPLETED, run.error_message
    sent = asked_of(seller, "PUT", "DELETE")
    assert len(sent) == 4
    assert sent[1] == urgent
    assert seller.there() == dict.fromkeys((number for _lot, number in found), 12)


# --- The nightly check ------------------------------------------------------------------------------------------------
def at_night(seller: Seller) -> SyncRun:
    """Answer the check that a night begins, once its jobs have ended."""
    Store.objects.get(pk=seller.store.pk)
    tomorrow = timezone.now() + timedelta(days=1)
    assert runs.start_due_checks(now=tomorrow) == 1
    assert runs.start_due_checks(now=tomorrow) == 0
    run = SyncRun.objects.get(trigger=Trigger.DRIFT)
    work(run.plan_job)
    run = queries.get_run(run.pk)
    return go_on(run) if run.status == RunStatus.APPLYING else run


def in_step(seller: Seller, count: int = 12) -> list[str]:
    """Answer the numbers of lots that a run has brought in."""
    colors = (1, 5, 11, 7, 8, 9)
    kinds = [(no, color) for no in ("3001", "3003", "3004") for color in colors][:count]
    numbers = [seller.put(no=no, color_id=color, quantity=10, price=1200) for no, color in kinds]
    teach(seller)
    assert runs.start_due_checks(now=timezone.now() + timedelta(days=1)) == 0
    carry_out(plan(seller.store, local()))
    return numbers


@pytest.mark.parametrize("code", ["bricklink"])
def test_a_night_finds_nothing_and_leaves_nothing_to_do(code: str, seller: Seller) -> None:
    in_step(seller, 3)
    run = at_night(seller)
    assert (run.status, lines(run)) == (RunStatus.COMPLETED, [])


@pytest.mark.parametrize("code", ["bricklink"])
def test_a_night_reports_what_it_finds_and_changes_nothing(code: str, seller: Seller) -> None:
    first, *_rest = in_step(seller)
    seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{first}", {"quantity": 8})
    run = at_night(seller)
    assert run.status == RunStatus.PREVIEW_READY
    assert len(lines(run, Action.UPDATE)) == 1
    assert set(InventoryItem.objects.values_list("qty_available", flat=True)) == {10}
    # The next night's takes its place.
    assert runs.start_due_checks(now=timezone.now() + timedelta(days=3)) == 1
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED


@pytest.mark.parametrize("code", CODES)
def test_a_night_repairs_little_by_itself(code: str, seller: Seller) -> None:
    first, second, *_rest = in_step(seller)
    settings(seller, repair_drift=True, auto_sync=False)
    seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{first}", {"quantity": 8})
    run = at_night(seller)
    assert (run.status, run.approved_by_id) == (RunStatus.COMPLETED, None), run.error_message
    assert sorted(set(InventoryItem.objects.values_list("qty_available", flat=True))) == [8, 10]
    assert seller.there()[first] == 8
    assert seller.there()[second] == 10


@pytest.mark.parametrize("code", ["bricklink"])
@pytest.mark.parametrize("much", ["gone", "many"])
def test_a_night_repairs_nothing_where_much_is_different(code: str, much: str, seller: Seller) -> None:
    first, second, third, *_rest = in_step(seller)
    settings(seller, repair_drift=True)
    if much == "gone":
        seller.sandbox.control("DELETE", f"sellers/{seller.id}/lots/{first}")
    for number in (second, third) if much == "many" else (second,):
        seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{number}", {"quantity": 8})
    run = at_night(seller)
    assert run.status == RunStatus.PREVIEW_READY
    assert set(InventoryItem.objects.values_list("qty_available", flat=True)) == {10}


# --- Options ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("code", ["bricklink"])
def test_pieces_of_one_kind_are_merged_and_offered_once(code: str, seller: Seller) -> None:
    numbers = [seller.put(no="3001", quantity=qty, price=1200) for qty in (5, 3)]
    lot = make_lot(qty=5, item_no="3001", unit_price=Decimal("0.12"))
    run = carry_out(plan(local(), seller.store, options={"crowds": "merge"}))
    assert run.status == RunStatus.COMPLETED, run.error_message
    lot.refresh_from_db()
    assert InventoryItem.objects.count() == 1
    assert lot.qty_available == 8
    # What has no pieces left goes by itself on BrickLink.
    assert seller.there() == {numbers[0]: 8}
    assert push_store(store_id=seller.store.pk, now=timezone.now()).done == 0
    again = plan(local(), seller.store, key="again")
    assert lines(again, Action.ADD, Action.UPDATE, Action.REMOVE) == []


@pytest.mark.parametrize("code", ["bricklink"])
def test_lots_of_ours_are_not_merged_by_a_run(code: str, seller: Seller) -> None:
    number = seller.put(no="3001", quantity=5, price=1200)
    make_lot(qty=5, item_no="3001", unit_price=Decimal("0.12"))
    make_lot(qty=3, item_no="3001", unit_price=Decimal("0.14"))
    run = plan(local(), seller.store, options={"crowds": "merge"})
    (line,) = lines(run)
    assert (line.action, line.skip_reason) == (Action.SKIP, SkipReason.CROWD)
    assert "Merge" in line.reason
    carry_out(run)
    assert seller.there() == {number: 5}


@pytest.mark.parametrize("code", ["bricklink"])
def test_the_first_of_a_kind_counts_and_the_others_are_left_alone(code: str, seller: Seller) -> None:
    numbers = [seller.put(no="3001", quantity=qty, price=1200) for qty in (5, 3)]
    lot = make_lot(qty=4, item_no="3001", unit_price=Decimal("0.12"))
    run = plan(local(), seller.store, options={"crowds": "first"})
    assert [(line.action, line.skip_reason) for line in lines(run, Action.SKIP)] == [(Action.SKIP, SkipReason.CROWD)]
    carry_out(run)
    listing = InventoryExternalId.objects.get()
    assert listing.inventory_item_id == lot.pk
    (other,) = set(numbers) - {listing.external_lot_id}
    was = dict(zip(numbers, (5, 3), strict=True))
    assert seller.there() == {listing.external_lot_id: 4, other: was[other]}
    lot.refresh_from_db()
    assert lot.qty_available == 4


@pytest.mark.parametrize("code", ["bricklink"])
def test_each_of_a_kind_is_a_lot_of_its_own(code: str, seller: Seller) -> None:
    for qty in (5, 3):
        seller.put(no="3001", quantity=qty, price=1200)
    make_lot(qty=5, item_no="3001", unit_price=Decimal("0.12"))
    carry_out(plan(local(), seller.store))
    assert sorted(InventoryItem.objects.values_list("qty_available", flat=True)) == [3, 5]
    assert sorted(seller.there().values()) == [3, 5]


@pytest.mark.parametrize("code", ["bricklink"])
@pytest.mark.parametrize(
    ("differs", "ours", "there", "price"),
    [
        # Ours is the source, its word counts.
        ("primary", 5, 8, "0.20"),
        ("lowest", 5, 8, "0.20"),
        ("lowest", 8, 5, "0.20"),
        # Ours was changed after the lot there was made.
        ("newest", 8, 5, "0.20"),
    ],
)
def test_whose_word_counts_where_nobody_agreed(  # noqa: PLR0917
    code: str, differs: str, ours: int, there: int, price: str, seller: Seller
) -> None:
    number = seller.put(no="3001", quantity=there, price=1200)
    lot = make_lot(qty=ours, item_no="3001", unit_price=Decimal("0.20"))
    carry_out(plan(local(), seller.store, options={"differs": differs}))
    lot.refresh_from_db()
    expected = min(ours, there) if differs == "lowest" else ours
    assert (lot.qty_available, lot.unit_price) == (expected, Decimal(price))
    assert seller.there() == {number: expected}


@pytest.mark.parametrize("code", ["bricklink"])
def test_the_stores_word_counts_where_it_is_the_newer(code: str, seller: Seller) -> None:
    lot = make_lot(qty=8, item_no="3001", unit_price=Decimal("0.20"))
    bulk.update(InventoryItem.objects.filter(pk=lot.pk), updated_at=timezone.now() - timedelta(days=3))
    number = seller.put(no="3001", quantity=5, price=1200)
    carry_out(plan(local(), seller.store, options={"differs": "newest"}))
    lot.refresh_from_db()
    assert (lot.qty_available, lot.unit_price) == (5, Decimal("0.12"))
    assert seller.there() == {number: 5}


# --- Listed again -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("code", ["bricklink"])
def test_what_was_deleted_there_is_listed_again_by_one_call(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=5)
    other, kept = seller.listed(qty=5, no="3003")
    push_store(store_id=seller.store.pk, now=timezone.now())
    seller.sandbox.control("DELETE", f"sellers/{seller.id}/lots/{number}")
    run = plan(local(), seller.store)
    (line,) = lines(run)
    assert (line.action, line.reason) == (Action.ADD, "It isn't there any more.")
    look_from_here(seller)
    run = carry_out(run)
    assert [(each.status, each.error_message) for each in lines(run)] == [(ItemStatus.APPLIED, "")]
    listing = InventoryExternalId.objects.get(inventory_item=lot)
    assert seller.there() == {kept: 5, listing.external_lot_id: 5}
    assert (asked_of(seller, "PUT"), len(asked_of(seller, "POST"))) == ([], 1)
    assert other.listings.get().external_lot_id == kept


@pytest.mark.parametrize("code", ["bricklink"])
def test_a_run_that_stopped_before_another_was_applied_takes_nothing_over_twice(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    push_store(store_id=seller.store.pk, now=timezone.now())
    seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{number}", {"quantity": 15})
    first = plan(local(), seller.store, key="first")
    runs.approve_run(run_id=first.pk, now=timezone.now())
    seller.sandbox.fault("token_revoked", service=code, times=1)
    first = go_on(first)
    assert first.status == RunStatus.FAILED
    seller.sandbox.control("DELETE", "faults")
    made = seller.sandbox.control("POST", f"sellers/{seller.id}/credentials")["credentials"]
    stores.set_credentials(store_id=seller.store.pk, credentials=made)
    second = carry_out(plan(local(), seller.store, key="second"))
    assert second.status == RunStatus.COMPLETED, second.error_message
    lot.refresh_from_db()
    assert lot.qty_available == 15
    with pytest.raises(Conflict, match=f"Run {second.number} has changed"):
        runs.retry_run(run_id=first.pk, now=timezone.now())
    assert not queries.view_of(queries.get_run(first.pk), now=timezone.now()).can_retry
    lot.refresh_from_db()
    assert lot.qty_available == 15
