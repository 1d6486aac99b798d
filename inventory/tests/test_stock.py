"""Every quantity has its movements, each made once, and none falls below zero."""

import contextlib
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from random import Random
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from audit import services as audit
from audit.context import change_set
from common.errors import ProblemError
from common.testing.threads import in_threads
from inventory import services
from inventory.choices import MovementKind
from inventory.errors import InsufficientStock
from inventory.models import InventoryItem, InventoryItemLocation, StockMovement
from inventory.services import Move, Need, PieceMove, merging
from inventory.services.bulk_edit import Selection
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

    assert in_threads(work, 8) == []
    assert services.verify_stock() == []
    for lot in lots:
        last = StockMovement.objects.filter(inventory_item=lot.pk).order_by("-id").first()
        assert last is not None
        assert _balance(lot) == (last.balance_available, last.balance_reserved)


class _Shop:
    """What a shop's people and programs do to the same few lots at once. Each verb is a deed that others may revert."""

    def __init__(self) -> None:
        self.places = [make_location(f"T-{number}").pk for number in range(5)]
        for color in (1, 5, 11, 5, 11, 5):
            lot = make_lot(qty=60, color_id=color)
            write_placements({(lot.pk, place): 8 for place in self.places[:3]})
        self.purchases = [
            services.create_purchase(values={"name": name, "total_cost": Decimal(9), "purchase_date": NOW.date()}).pk
            for name in "ab"
        ]
        self.deeds: list[UUID] = []
        self.done: Counter[str] = Counter()
        self.verbs: list[Callable[[Random], object]] = [
            self.edit, self.count, self.reserve, self.merge, self.split, self.consolidate, self.move, self.bulk_edit,
            self.delete_location, self.renumber, self.buy, self.revert, self.revert,
        ]  # fmt: skip

    def act(self, random: Random) -> None:
        """Do anything. That somebody else was faster is an answer, a deadlock is none."""
        verb = random.choice(self.verbs)
        with contextlib.suppress(ProblemError), change_set("test.deed") as deed:
            verb(random)
            self.done[verb.__name__] += 1
            if deed.change_set_id:
                self.deeds.append(deed.change_set_id)

    def lots(self, random: Random, count: int) -> list[InventoryItem]:
        """Answer some lots, in any order."""
        found = list(InventoryItem.objects.order_by("pk"))
        return random.sample(found, k=min(count, len(found)))

    def edit(self, random: Random) -> None:
        [lot] = self.lots(random, 1)
        changes = {"remarks": str(random.random()), "qty_available": random.randint(20, 60)}
        services.update_lot(lot_id=lot.pk, changes=changes, now=timezone.now())

    def count(self, random: Random) -> None:
        found = {lot.pk: random.randint(0, 9) for lot in self.lots(random, 3)}
        services.count_location(location_id=random.choice(self.places), found=found, now=timezone.now())

    def reserve(self, random: Random) -> None:
        needs = [Need(lot.pk, random.randint(1, 5), f"{uuid4()}") for lot in self.lots(random, 3)]
        met = services.reserve_stock(needs=needs, now=timezone.now())
        back = [Need(one.need.lot_id, one.qty_reserved, f"{uuid4()}") for one in met if one.qty_reserved]
        services.release_stock(needs=back, now=timezone.now())

    def merge(self, random: Random) -> None:
        target, *sources = self.lots(random, 3)
        alike = [lot.pk for lot in sources if lot.color_id == target.color_id]
        services.merge_lots(target_id=target.pk, source_ids=alike, now=timezone.now())

    def split(self, random: Random) -> None:
        [lot] = self.lots(random, 1)
        services.split_lot(lot_id=lot.pk, qty=random.randint(1, 9), changes={}, now=timezone.now())

    def consolidate(self, random: Random) -> None:
        if random.random() < 0.1:  # else there would be little left to do
            merging.merge_equal([], policy={}, now=timezone.now())

    def move(self, random: Random) -> None:
        source, target = random.sample(self.places, k=2)
        moves = [PieceMove(lot_id=lot.pk, source_id=source, target_id=target) for lot in self.lots(random, 2)]
        services.move_pieces(moves=moves, now=timezone.now())

    def bulk_edit(self, random: Random) -> None:
        changes = {"location": str(random.choice(self.places))}
        services.edit_lots(selection=Selection(query=""), changes=changes, now=timezone.now())

    def delete_location(self, random: Random) -> None:
        going, target = random.sample(self.places, k=2)
        code = services.delete_location(location_id=going, move_to=target, now=timezone.now())
        services.create_location(values={"code": code}, location_id=going)

    def renumber(self, random: Random) -> None:
        services.set_route(location_ids=random.sample(self.places, k=3))

    def buy(self, random: Random) -> None:
        quantities: dict[UUID, int | None] = {lot.pk: random.randint(1, 9) for lot in self.lots(random, 2)}
        services.add_lots(purchase_id=random.choice(self.purchases), quantities=quantities, now=timezone.now())

    def revert(self, random: Random) -> None:
        if self.deeds:
            audit.revert(change_set_id=random.choice(self.deeds[-20:]))


@pytest.mark.django_db(transaction=True)
def test_threads_that_do_everything_at_once_neither_wait_for_each_other_nor_lose_a_piece() -> None:
    shop = _Shop()
    names = {verb.__name__ for verb in shop.verbs}
    began = time.monotonic()

    def work(number: int) -> None:
        random = Random(number)  # noqa: S311  # chooses what to do next
        # Until each was done at least once, on a busy machine too.
        while (since := time.monotonic() - began) < 6 or (since < 60 and names - set(shop.done)):
            shop.act(random)

    assert in_threads(work, 8) == []
    assert services.verify_stock() == []
    assert names == set(shop.done)


@pytest.mark.django_db(transaction=True)
def test_one_of_many_writers_of_one_version_wins() -> None:
    lot = make_lot()
    won: list[int] = []

    def work(number: int) -> None:
        services.update_lot(
            lot_id=lot.pk, changes={"remarks": f"by {number}"}, expected_version=1, now=timezone.now() + timedelta(0)
        )
        won.append(number)

    failures = in_threads(work, 16)
    assert len(won) == 1
    assert len(failures) == 15
    assert {type(failure).__name__ for failure in failures} == {"StaleVersion"}
    lot.refresh_from_db()
    assert (lot.version, lot.remarks) == (2, f"by {won[0]}")
