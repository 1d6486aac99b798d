"""What is taken back is as it was: lots, pieces, places and the books that explain them; what can't be says why."""

import contextlib
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from audit import queries
from audit import services as audit
from audit.context import change_set, current_change_set_id
from audit.errors import NothingToRevert
from audit.services import HandedOver
from common.testing.dying import listening
from inventory import services
from inventory.models import (
    InventoryImport,
    InventoryItem,
    InventoryItemLocation,
    Location,
    PurchaseLine,
    StockMovement,
)
from inventory.services import Action, Need, PieceMove, Wish, merging
from inventory.services.bulk_edit import Selection
from inventory.services.stock import write_placements
from inventory.testing import make_location, make_lot
from inventory.tests.test_importing import bsx, imported, item
from jobs import runner
from jobs import services as jobs
from jobs.models import JobRun

pytestmark = pytest.mark.django_db
NOW = timezone.now()
_MOMENTS = ("version", "created_at", "updated_at")

State = dict[str, list[dict[str, Any]]]


def state() -> State:
    """Answer all of the stock, but how often and when its rows were written."""
    return {
        model.__name__: [
            {name: value for name, value in row.items() if name not in _MOMENTS}
            for row in model._base_manager.order_by("pk").values()
        ]
        for model in (InventoryItem, InventoryItemLocation, Location, PurchaseLine)
    }


def deed_of(work: Callable[[], Any]) -> UUID:
    """Do it, and answer its change set: a job has its own."""
    with change_set("test.deed"):
        done = work()
        found = done.change_set_id if isinstance(done, InventoryImport) else current_change_set_id()
    assert found
    return found


def reverted(change: UUID) -> tuple[UUID, str]:
    """Revert a change set, by a job if it is large; answer the revert's own change set, and what it said."""
    done = audit.start_revert(change_set_id=change)
    if not isinstance(done, HandedOver):
        return done.change_set_id, done.message
    runner.run_job(job_id=done.job_id, with_heartbeat=False)
    job = JobRun.objects.get(pk=done.job_id)
    assert job.result, job.error_message
    return done.job_id, job.result["message"]


class Stock:
    """Two lots of one thing, one of another, and where they lie."""

    def __init__(self) -> None:
        self.here, self.there = make_location("A-1"), make_location("A-2", capacity=9)
        self.lot = make_lot(qty=5, location=self.here, remarks="one", bricklink_lot_id=7)
        self.same = make_lot(qty=12, remarks="two")
        self.blue = make_lot(qty=3, color_id=7, location=self.there)
        # The heap of the lot that stays is the smallest one: the first that would give way.
        write_placements({(self.lot.pk, self.here.pk): 2, (self.same.pk, self.there.pk): 4})


def _edit(stock: Stock) -> None:
    services.update_lot(lot_id=stock.lot.pk, changes={"qty_available": 1, "remarks": "x"}, now=NOW)


def _delete(stock: Stock) -> None:
    services.delete_lots(lot_ids=[stock.lot.pk, stock.blue.pk], now=NOW)


def _merge(stock: Stock) -> None:
    services.merge_lots(target_id=stock.lot.pk, source_ids=[stock.same.pk], policy={"remarks": "joined"}, now=NOW)


def _consolidate(_stock: Stock) -> None:
    while merging.merge_equal([], policy={}, now=NOW):
        pass


def _split(stock: Stock) -> None:
    services.split_lot(lot_id=stock.same.pk, qty=3, changes={}, location_id=stock.there.pk, now=NOW)


def _count_place(stock: Stock) -> None:
    found = {stock.blue.pk: 0, stock.same.pk: 1, stock.lot.pk: 9}
    services.count_location(location_id=stock.there.pk, found=found, now=NOW)


def _count_lot(stock: Stock) -> None:
    services.count_lot(lot_id=stock.lot.pk, placed={stock.there.pk: 1}, unplaced=0, now=NOW)


def _move(stock: Stock) -> None:
    moves = [
        PieceMove(lot_id=stock.lot.pk, source_id=stock.here.pk, target_id=stock.there.pk),
        PieceMove(lot_id=stock.same.pk, source_id=stock.there.pk, target_id=stock.here.pk, qty=1),
        PieceMove(lot_id=stock.blue.pk, source_id=stock.there.pk),
    ]
    services.move_pieces(moves=moves, now=NOW)


def _move_all(stock: Stock) -> None:
    services.edit_lots(
        selection=Selection(query=""),
        changes={"location": str(stock.here.pk), "price": {"how": "times", "by": "2"}},
        now=NOW,
    )


def _clear_away(stock: Stock) -> None:
    services.delete_location(location_id=stock.there.pk, move_to=stock.here.pk, now=NOW)


def _import(_stock: Stock) -> InventoryImport:
    items = [
        item(ItemID="3001", ColorID=5, Qty=1, LotID=7, Remarks="A-2"),
        item(ColorID=7, Qty=40, Remarks="C-1(30) B-9"),
        item(ItemID="3003", Remarks="A-1"),
        item(ItemID="3004", Qty=0),
    ]
    return imported(bsx(*items), read_locations=True)


@pytest.mark.parametrize(
    "deed",
    [_edit, _delete, _merge, _consolidate, _split, _count_place, _count_lot, _move, _move_all,
     _clear_away, _import],
)  # fmt: skip
def test_what_was_done_is_undone_done_again_and_undone_again(deed: Callable[[Stock], Any]) -> None:
    stock = Stock()
    before = state()
    change = deed_of(lambda: deed(stock))
    after = state()
    assert after != before
    for wanted in (before, after, before):
        change, words = reverted(change)
        assert "left" not in words
        assert "can't" not in words
        assert state() == wanted
        assert services.verify_stock() == []


# --- What can't go back ---------------------------------------------------------------------------------------------
def test_an_import_is_undone_but_for_the_lots_that_an_order_has() -> None:
    known = make_lot(qty=3, bricklink_lot_id=7)
    run = imported(bsx(item(LotID=7, Qty=20), item(ItemID="3003"), item(ItemID="3004"), item(ItemID="3005")))
    lots = {lot.item_no: lot for lot in InventoryItem.objects.all()}
    needs = [Need(lots["3003"].pk, 2, "first"), Need(lots["3004"].pk, 3, "second"), Need(known.pk, 1, "third")]
    services.reserve_stock(needs=needs, now=timezone.now())
    services.release_stock(needs=needs[1:2], now=timezone.now())
    assert run.change_set_id
    plan = audit.preview_revert(change_set_id=run.change_set_id)
    assert {entity.objection.reason for entity in plan.entities if entity.objection} == {
        "2 pieces of it are promised to orders.", "Its pieces have moved since (last: released).",
    }  # fmt: skip
    _, words = reverted(run.change_set_id)
    assert words.endswith("2 can't be put back")
    left = InventoryItem.objects.order_by("item_no").values_list("item_no", "qty_available", "qty_reserved")
    assert list(left) == [("3001", 19, 1), ("3003", 8, 2), ("3004", 10, 0)]
    assert services.verify_stock() == []


def test_pieces_of_a_lot_that_stays_stay_where_they_lie() -> None:
    here, there = make_location("A-1"), make_location("B-1")
    lot, other = make_lot(qty=5, location=here), make_lot(qty=7, location=there, remarks="two")
    merged = deed_of(lambda: services.merge_lots(target_id=lot.pk, source_ids=[other.pk], now=NOW))
    services.add_pieces(lot_id=lot.pk, qty=2, location_id=here.pk, now=NOW)
    before = state()
    with pytest.raises(NothingToRevert):
        audit.revert(change_set_id=merged)
    assert state() == before


@pytest.mark.parametrize("others", [2, 240])
def test_a_new_lot_that_an_order_has_keeps_its_place(others: int) -> None:
    lines = [item(ItemID=f"n{number}", Remarks=f"A-{number}") for number in range(others)]
    run = imported(bsx(item(ItemID="3001", Remarks="Z-1"), *lines), read_locations=True)
    lot = InventoryItem.objects.get(item_no="3001")
    services.reserve_stock(needs=[Need(lot.pk, 2, "line")], now=timezone.now())
    assert run.change_set_id
    reverted(run.change_set_id)
    assert list(InventoryItem.objects.values_list("item_no", flat=True)) == ["3001"]
    placed = InventoryItemLocation.objects.values_list("inventory_item", "location__code", "qty")
    assert list(placed) == [(lot.pk, "Z-1", 10)]
    assert services.verify_stock() == []


def test_what_follows_from_fields_follows_from_those_that_are_back() -> None:
    lot = make_lot()
    changes = {"stock_room_id": "A", "remarks": "upstairs", "color_id": 7}
    change = deed_of(lambda: services.update_lot(lot_id=lot.pk, changes=changes, now=NOW))
    services.update_lot(lot_id=lot.pk, changes={"stock_room_id": "B"}, now=NOW)
    reverted(change)
    lot.refresh_from_db()
    assert (lot.remarks, lot.color_name) == ("", "Red")
    assert (lot.is_stock_room, lot.stock_room_id) == (True, "B"), "whoever chose another room since meant one"


def test_a_number_that_another_lot_has_by_now_is_refused_in_words() -> None:
    lot, other = make_lot(bricklink_lot_id=7), make_lot(bricklink_lot_id=8)
    change = deed_of(lambda: services.delete_lots(lot_ids=[lot.pk, other.pk], now=NOW))
    make_lot(bricklink_lot_id=7)
    done = audit.revert(change_set_id=change)
    assert [refusal.reason for refusal in done.refusals] == ["Another lot has BrickLink's number 7 by now."]
    assert InventoryItem.objects.filter(pk=other.pk).exists()


# --- Pieces that went from lot to lot ----------------------------------------------------------------------------
def _pieces() -> int:
    """Answer how many pieces there are, sold ones too."""
    sold = StockMovement.objects.filter(kind="SHIP").aggregate(sum=Sum("delta_reserved"))["sum"] or 0
    return sum(lot.qty_on_hand for lot in InventoryItem.objects.all()) - sold


def _sell(lot: InventoryItem, qty: int = 1) -> None:
    need = Need(lot.pk, qty, f"{uuid4()}")
    services.reserve_stock(needs=[need], now=NOW)
    services.consume_stock(needs=[need], now=NOW)


def _everything(plan: audit.Plan) -> list[audit.Decision]:
    """Answer decisions for all of a plan, and each of its fields."""
    return [
        audit.Decision(*entity.identity, field)
        for entity in plan.entities
        for field in ("", *(one.field for one in entity.fields))
    ]


@pytest.mark.parametrize("redo", [0, 1])
@pytest.mark.parametrize("place", [0, -1])
@pytest.mark.parametrize("deed", [_merge, _split, _consolidate])
def test_both_sides_of_an_exchange_go_back_or_neither(deed: Callable[[Stock], Any], place: int, redo: int) -> None:
    stock = Stock()
    count = _pieces()
    change = deed_of(lambda: deed(stock))
    if redo:
        change, _ = reverted(change)
    sides = [one.key for one in audit.preview_revert(change_set_id=change).entities if one.kind.name == "lot"]
    _sell(list(InventoryItem.objects.filter(pk__in=sides).order_by("pk"))[place])
    before = state()
    plan = audit.preview_revert(change_set_id=change)
    reasons = [entity.objection.reason for entity in plan.entities if entity.objection]
    assert any("both go back, or neither" in reason for reason in reasons)
    with contextlib.suppress(NothingToRevert):
        audit.revert(change_set_id=change, decisions=_everything(plan))
    assert _quantities(state()) == _quantities(before)
    assert _pieces() == count
    assert services.verify_stock() == []


def _quantities(stock: State) -> list[tuple[Any, ...]]:
    return [(row["id"], row["qty_available"], row["qty_reserved"]) for row in stock["InventoryItem"]]


@pytest.mark.parametrize("deed", [_merge, _split])
def test_one_side_of_an_exchange_does_not_go_back_alone(deed: Callable[[Stock], Any]) -> None:
    stock = Stock()
    change = deed_of(lambda: deed(stock))
    before = state()
    lots = [one for one in audit.preview_revert(change_set_id=change).entities if one.kind.name == "lot"]
    assert len(lots) == 2
    for lot in lots:
        with pytest.raises(NothingToRevert, match="only together"):
            audit.revert(change_set_id=change, entity=lot.identity)
    assert state() == before


def test_one_side_that_was_changed_since_goes_back_with_the_other_once_that_is_decided() -> None:
    stock = Stock()
    change = deed_of(lambda: _split(stock))
    [new] = InventoryItem.objects.filter(qty_available=3, color_id=5)
    services.update_lot(lot_id=new.pk, changes={"remarks": "mine"}, now=NOW)
    before = state()
    plan = audit.preview_revert(change_set_id=change)
    with contextlib.suppress(NothingToRevert):
        audit.revert(change_set_id=change)
    assert _quantities(state()) == _quantities(before)
    audit.revert(change_set_id=change, decisions=_everything(plan))
    stock.same.refresh_from_db()
    assert stock.same.qty_available == 12
    assert not InventoryItem.objects.filter(pk=new.pk).exists()
    assert services.verify_stock() == []


def test_a_side_that_is_refused_keeps_the_other_where_it_is() -> None:
    stock = Stock()
    services.update_lot(lot_id=stock.same.pk, changes={"bricklink_lot_id": 9}, now=NOW)
    change = deed_of(lambda: _merge(stock))
    make_lot(item_no="3003", bricklink_lot_id=9)
    before = state()
    with contextlib.suppress(NothingToRevert):
        done = audit.revert(change_set_id=change)
        assert "Another lot has BrickLink's number 9 by now." in {refusal.reason for refusal in done.refusals}
    assert _quantities(state()) == _quantities(before)


GROUPS = 40
# By the lot's pieces: how many of them lie where. The smallest heap is that of the lot that stays.
HEAPS = {9: (1, 5), 6: (4,), 3: (2, 1)}


def _equal_lots(groups: int) -> UUID:
    """Make groups of equal lots that lie at several places each, merge them all, and answer the change set."""
    places = [make_location(f"E-{number}") for number in range(6)]
    values = {"item_type": "PART", "color_id": 5, "condition": "NEW"}
    wishes = [
        Wish(action=Action.CREATE, values={**values, "item_no": f"e{number}", "qty_available": qty})
        for number in range(groups)
        for qty in HEAPS
    ]
    services.change_lots(wishes=wishes, all_or_nothing=True, now=NOW)
    placed = {}
    for number, lot in enumerate(InventoryItem.objects.order_by("pk")):
        for heap, pieces in enumerate(HEAPS[lot.qty_available]):
            placed[lot.pk, places[(number + heap) % 6].pk] = pieces
    write_placements(placed)
    _look_at_tables()
    merged = deed_of(_consolidate_all)
    _look_at_tables()
    return merged


def _look_at_tables() -> None:
    """Have the planner know how much there is, as it does a minute later; a test's transaction never ends."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _consolidate_all() -> None:
    while merging.merge_equal([], policy={"remarks": "joined"}, now=NOW):
        pass


@pytest.mark.parametrize(("groups", "part"), [(210, 5_000), (GROUPS, 30)])
def test_a_consolidation_of_many_groups_is_undone_done_again_and_undone_again(
    groups: int, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.services.large._PART", part)
    change = _equal_lots(groups)
    after = state()
    assert len(after["InventoryItem"]) == groups
    change, _ = reverted(change)
    before = state()
    lots = {row["id"]: row["qty_available"] for row in before["InventoryItem"]}
    assert sorted(lots.values()) == sorted([*HEAPS] * groups)
    heaps: dict[UUID, list[int]] = {}
    for row in before["InventoryItemLocation"]:
        heaps.setdefault(row["inventory_item_id"], []).append(row["qty"])
    assert {lot: sorted(found) for lot, found in heaps.items()} == {
        lot: sorted(HEAPS[qty]) for lot, qty in lots.items()
    }
    for wanted in (after, before, after):
        change, words = reverted(change)
        assert "left" not in words
        assert "can't" not in words
        assert state() == wanted
        assert services.verify_stock() == []


@pytest.mark.parametrize("redo", [0, 1])
def test_a_sale_while_a_job_puts_lots_back_neither_doubles_nor_loses_pieces(
    redo: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.services.large._PART", 30)
    change = _equal_lots(GROUPS)
    count = _pieces()
    if redo:
        change, _ = reverted(change)
    parts = 0

    def sell(name: str) -> None:
        nonlocal parts
        parts += name == "jobs.checkpoint"
        if name == "jobs.checkpoint" and parts in {1, 3, 5}:
            for lot in InventoryItem.objects.filter(qty_available__gt=0).order_by("?")[:9]:
                _sell(lot)

    with listening(sell):
        reverted(change)
    assert parts > 5
    assert _pieces() == count
    assert services.verify_stock() == []


@pytest.mark.parametrize("stop_after", [1, 4])
def test_a_job_that_was_cancelled_leaves_no_piece_out_and_goes_on_when_started_again(
    stop_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.services.large._PART", 30)
    equal = _equal_lots(GROUPS)
    count, parts = _pieces(), 0
    handed = audit.start_revert(change_set_id=equal)
    assert isinstance(handed, HandedOver)

    def cancel(name: str) -> None:
        nonlocal parts
        parts += name == "jobs.checkpoint"
        if name == "jobs.checkpoint" and parts == stop_after:
            jobs.cancel(job_id=handed.job_id, now=timezone.now())

    with listening(cancel):
        runner.run_job(job_id=handed.job_id, with_heartbeat=False)
    assert JobRun.objects.get(pk=handed.job_id).status == "CANCELLED"
    assert InventoryItem.objects.count() < GROUPS * 3
    assert _pieces() == count
    assert services.verify_stock() == []
    reverted(equal)
    assert InventoryItem.objects.count() == GROUPS * 3
    assert sorted({qty for _, qty, _ in _quantities(state())}) == [3, 6, 9]
    assert InventoryItemLocation.objects.count() == GROUPS * 5
    assert services.verify_stock() == []


def test_a_large_import_is_undone_only_with_its_last_lot(monkeypatch: pytest.MonkeyPatch) -> None:
    # By the module, since the package has a function of its name.
    monkeypatch.setattr(sys.modules["audit.queries.change_sets"], "COUNTED", 210)
    monkeypatch.setattr("audit.services.large._PART", 30)
    run = imported(bsx(*(item(ItemID=f"n{number}") for number in range(480))))
    assert run.change_set_id
    handed = audit.start_revert(change_set_id=run.change_set_id)
    assert isinstance(handed, HandedOver)

    def cancel(name: str) -> None:
        if name == "jobs.checkpoint" and InventoryItem.objects.count() <= 260:
            jobs.cancel(job_id=handed.job_id, now=timezone.now())

    with listening(cancel):
        runner.run_job(job_id=handed.job_id, with_heartbeat=False)
    assert 0 < InventoryItem.objects.count() < 270
    assert queries.change_set_row(run.change_set_id).undone == "partly undone"
    reverted(run.change_set_id)
    assert queries.change_set_row(run.change_set_id).undone == "undone"


# --- Many -----------------------------------------------------------------------------------------------------------
MANY = 600


def _many(factor: int = 1, place: str = "R") -> bytes:
    return bsx(
        *(
            item(ItemID=f"{no}", Qty=factor * (1 + no % 5), Price=f"0.{factor}", Remarks=f"{place}-{no % 300}")
            for no in range(MANY)
        )
    )


def _import_many() -> InventoryImport:
    run = imported(_many(), read_locations=True)
    _look_at_tables()
    return run


def _import_less() -> InventoryImport:
    return imported(_many(factor=0), read_locations=True)


def _import_more_elsewhere() -> InventoryImport:
    return imported(_many(factor=3, place="S"), read_locations=True)


def _move_many() -> int:
    target = Location.objects.order_by("code")[0]
    return services.edit_lots(selection=Selection(query=""), changes={"location": str(target.pk)}, now=NOW)


def _delete_many() -> int:
    return services.edit_lots(selection=Selection(query=""), changes={"delete": True}, now=NOW)


@pytest.mark.parametrize("deed", [_import_many, _import_less, _import_more_elsewhere, _move_many, _delete_many])
def test_what_was_done_to_hundreds_is_undone_and_done_again_in_few_statements(
    deed: Callable[[], Any], django_assert_max_num_queries: Any
) -> None:
    if deed is not _import_many:
        _import_many()
    before = state()
    change = deed_of(deed)
    after = state()
    assert after != before
    for wanted in (before, after):
        with django_assert_max_num_queries(400):
            change, words = reverted(change)
        assert "left" not in words
        assert "can't" not in words
        assert state() == wanted
        assert services.verify_stock() == []


def test_one_of_hundreds_that_an_order_has_stays_alone() -> None:
    run = _import_many()
    lot = InventoryItem.objects.get(item_no="417")
    services.reserve_stock(needs=[Need(lot.pk, 2, "line")], now=timezone.now())
    assert run.change_set_id
    _, words = reverted(run.change_set_id)
    assert "can't be put back" in words
    job = JobRun.objects.latest("created_at")
    assert "lot 417 · Red · New: 2 pieces of it are promised to orders." in job.logs.values_list("message", flat=True)
    assert list(InventoryItem.objects.values_list("item_no", flat=True)) == ["417"]
    assert services.verify_stock() == []
