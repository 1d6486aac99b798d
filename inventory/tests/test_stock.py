"""Every quantity has its movements, each made once, and none falls below zero."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from random import Random
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from common import workspace
from inventory import services
from inventory.choices import MovementKind
from inventory.errors import InsufficientStock
from inventory.models import InventoryItem, InventoryItemLocation, StockMovement
from inventory.services import Move, Need
from inventory.services.stock import write_placements
from inventory.testing import make_location, make_lot

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def _balance(lot: InventoryItem) -> tuple[int, int]:
    lot.refresh_from_db()
    return lot.qty_available, lot.qty_reserved


def test_reserve_ship_and_release_move_pieces_between_the_two_quantities() -> None:
    lot = make_lot(qty=10)
    services.reserve_stock(needs=[Need(lot.pk, 6, "line:1")], now=NOW)
    assert _balance(lot) == (4, 6)
    services.release_stock(needs=[Need(lot.pk, 2, "line:1")], now=NOW)
    assert _balance(lot) == (6, 4)
    services.consume_stock(needs=[Need(lot.pk, 4, "line:1")], now=NOW)
    assert _balance(lot) == (6, 0)
    assert lot.last_sold_at == NOW
    services.restock(needs=[Need(lot.pk, 1, "line:1")], now=NOW)
    assert _balance(lot) == (7, 0)
    kinds = StockMovement.objects.filter(inventory_item=lot.pk).order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["INITIAL", "RESERVE", "RELEASE", "SHIP", "RESTOCK"]
    assert services.verify_stock() == []


def test_a_cause_moves_stock_once() -> None:
    lot = make_lot(qty=10)
    for _ in range(3):
        assert services.reserve_stock(needs=[Need(lot.pk, 6, "line:1")], now=NOW)[0].qty_reserved == 6
    assert _balance(lot) == (4, 6)


def test_what_is_not_there_is_short_and_never_negative() -> None:
    lot = make_lot(qty=5)
    first, second = services.reserve_stock(needs=[Need(lot.pk, 4, "line:1"), Need(lot.pk, 4, "line:2")], now=NOW)
    assert (first.qty_reserved, first.qty_short) == (4, 0)
    assert (second.qty_reserved, second.qty_short) == (1, 3)
    assert _balance(lot) == (0, 5)


def test_taking_more_than_is_promised_is_refused_whole() -> None:
    lot, other = make_lot(qty=5), make_lot(qty=5, color_id=11)
    services.reserve_stock(needs=[Need(lot.pk, 2, "a"), Need(other.pk, 2, "b")], now=NOW)
    with pytest.raises(InsufficientStock) as refused:
        services.consume_stock(needs=[Need(other.pk, 2, "b"), Need(lot.pk, 3, "a")], now=NOW)
    assert refused.value.extra["shortages"] == [
        {"inventory_item_id": str(lot.pk), "qty_available": 3, "qty_reserved": 2}
    ]
    assert _balance(other) == (3, 2)


def test_a_count_includes_what_is_promised() -> None:
    lot = make_lot(qty=10)
    services.reserve_stock(needs=[Need(lot.pk, 4, "a")], now=NOW)
    services.count_stock(counts={lot.pk: 9}, now=NOW)
    assert _balance(lot) == (5, 4)
    with pytest.raises(InsufficientStock):
        services.count_stock(counts={lot.pk: 3}, now=NOW)


def test_pieces_that_leave_leave_their_place_the_smallest_heap_first() -> None:
    big, small = make_location("A-01"), make_location("A-02")
    lot = make_lot(qty=10)
    write_placements({(lot.pk, big.pk): 6, (lot.pk, small.pk): 2})
    services.adjust_stock(lot_id=lot.pk, qty_available=8, now=NOW)
    assert InventoryItemLocation.objects.filter(inventory_item=lot).count() == 2, "the unplaced rest goes first"
    services.adjust_stock(lot_id=lot.pk, qty_available=5, now=NOW)
    assert list(InventoryItemLocation.objects.filter(inventory_item=lot).values_list("location__code", "qty")) == [
        ("A-01", 5)
    ]
    assert services.verify_stock() == []


def test_a_move_at_a_place_changes_that_place() -> None:
    big, small = make_location("A-01"), make_location("A-02")
    lot = make_lot(qty=10)
    write_placements({(lot.pk, big.pk): 6, (lot.pk, small.pk): 4})
    move = Move(lot_id=lot.pk, kind=MovementKind.ADJUST, cause_key="x", available=-3, location_id=big.pk)
    services.move_stock(moves=[move], now=NOW)
    placed = dict(InventoryItemLocation.objects.filter(inventory_item=lot).values_list("location__code", "qty"))
    assert placed == {"A-01": 3, "A-02": 4}


def test_the_ledger_can_not_be_rewritten() -> None:
    lot = make_lot()
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        StockMovement.objects.filter(inventory_item=lot.pk).update(delta_available=1)


def test_verify_stock_finds_a_quantity_that_nobody_moved() -> None:
    lot = make_lot(qty=3)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE inventory_inventoryitem SET qty_available = 4 WHERE id = %s", [lot.pk])
    [found] = services.verify_stock()
    assert found.lot_id == lot.pk
    assert "4 available" in found.what


def _in_threads(work: Callable[[int], None], count: int) -> list[BaseException]:
    failures: list[BaseException] = []
    key = workspace.current_key()

    def run(number: int) -> None:
        try:
            with workspace.enter(key):
                work(number)
        except BaseException as failure:  # handed to the test
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


@pytest.mark.django_db(transaction=True)
def test_threads_that_reserve_count_release_and_edit_the_same_lots_lose_nothing() -> None:
    lots = [make_lot(qty=200, color_id=color) for color in (1, 5, 11)]
    ends_at = time.monotonic() + 4

    def work(number: int) -> None:
        random = Random(number)  # noqa: S311  # chooses what to do next
        promised: list[Need] = []
        while time.monotonic() < ends_at:
            chosen = random.sample(lots, k=random.randint(1, 3))
            match random.randrange(5):
                case 0 | 1:
                    needs = [Need(lot.pk, random.randint(1, 5), f"{uuid4()}") for lot in chosen]
                    found = services.reserve_stock(needs=needs, now=timezone.now())
                    promised += [Need(r.need.lot_id, r.qty_reserved, f"{uuid4()}") for r in found if r.qty_reserved]
                case 2 if promised:
                    services.release_stock(needs=[promised.pop()], now=timezone.now())
                case 3 if promised:
                    services.consume_stock(needs=[promised.pop()], now=timezone.now())
                    services.restock(needs=[Need(chosen[0].pk, 2, f"{uuid4()}")], now=timezone.now())
                case _:
                    lot = InventoryItem.objects.get(pk=chosen[0].pk)
                    services.update_lot(lot_id=lot.pk, changes={"remarks": f"{number}"}, now=timezone.now())

    assert _in_threads(work, 8) == []
    assert services.verify_stock() == []
    for lot in lots:
        last = StockMovement.objects.filter(inventory_item=lot.pk).order_by("-id").first()
        assert last is not None
        assert _balance(lot) == (last.balance_available, last.balance_reserved)


@pytest.mark.django_db(transaction=True)
def test_one_of_many_writers_of_one_version_wins() -> None:
    lot = make_lot()
    won: list[int] = []

    def work(number: int) -> None:
        services.update_lot(
            lot_id=lot.pk, changes={"remarks": f"by {number}"}, expected_version=1, now=timezone.now() + timedelta(0)
        )
        won.append(number)

    failures = _in_threads(work, 16)
    assert len(won) == 1
    assert len(failures) == 15
    assert {type(failure).__name__ for failure in failures} == {"StaleVersion"}
    lot.refresh_from_db()
    assert (lot.version, lot.remarks) == (2, f"by {won[0]}")
