"""Locations hold what fits, the walk comes by them in its order, and nothing is placed that isn't there."""

import time
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from audit import services as trail
from audit.context import change_set
from audit.models import ChangeSet
from common.errors import Conflict, Invalid
from common.ids import new_id
from common.testing.threads import in_threads
from inventory import services, walk
from inventory.errors import InsufficientStock, TooManyLots
from inventory.lookalikes import Thing
from inventory.models import InventoryItemLocation, Location
from inventory.placing import Place, Storage
from inventory.queries import locations, placing
from inventory.services import Need, PieceMove
from inventory.services import locations as location_services
from inventory.testing import make_location, make_lot
from jobs.runner import run_job

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def _placed(lot: Any) -> dict[str, int]:
    rows = InventoryItemLocation.objects.filter(inventory_item=lot)
    return dict(rows.values_list("location__code", "qty"))


def _walk() -> list[str]:
    return list(Location.objects.order_by("route_key", "id").values_list("code", flat=True))


def _undo(deed: Callable[[], Any]) -> None:
    with change_set("test.deed"):
        deed()
    newest = ChangeSet.objects.order_by("-created_at", "-id").first()
    assert newest is not None
    trail.revert(change_set_id=newest.pk)


# --- Locations ------------------------------------------------------------------------------------------------------
def test_a_code_says_where_its_place_is() -> None:
    made = services.create_location(values={"code": " A-01-2 "})
    assert (made.code, made.zone, made.aisle, made.shelf, made.bin) == ("A-01-2", "A", "01", "2", "")
    own = services.create_location(values={"code": "X9", "zone": "Attic"})
    assert (own.zone, own.aisle) == ("Attic", "")


@pytest.mark.parametrize("values", [{"code": ""}, {"code": "A,B"}, {"code": "x" * 41}, {"code": "B", "capacity": 0}])
def test_what_makes_no_location_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        services.create_location(values=values)


def test_a_code_is_there_once_in_any_case() -> None:
    make_location("A-01")
    with pytest.raises(Invalid) as refused:
        services.create_location(values={"code": "a-01"})
    assert "/code" in refused.value.errors


def test_generate_makes_what_is_missing_in_natural_order() -> None:
    make_location("A-02-1")
    assert services.generate_locations(first="A-01-1", last="A-10-2") == (19, 1)
    assert services.generate_locations(first="A-01-1", last="A-10-2") == (0, 20)
    assert _walk()[:3] == ["A-01-1", "A-01-2", "A-02-1"]
    assert _walk()[-1] == "A-10-2"


@pytest.mark.parametrize("pair", [("A-1", "B-1-1"), ("A-2", "A-1"), ("A-1", "A-20000"), ("AA-1", "BB-1")])
def test_codes_that_make_no_range_are_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(Invalid):
        services.generate_locations(first=pair[0], last=pair[1])


def test_a_used_location_is_deleted_only_with_a_target() -> None:
    old, new = make_location("A-01"), make_location("A-02")
    lot = make_lot(qty=5, location=old)
    with pytest.raises(Conflict, match="1 lot lies at A-01"):
        services.delete_location(location_id=old.pk, now=NOW)
    services.delete_location(location_id=old.pk, move_to=new.pk, now=NOW)
    assert _placed(lot) == {"A-02": 5}


def test_the_undo_of_a_deletion_brings_location_and_contents_back() -> None:
    old, new = make_location("A-01", capacity=3), make_location("A-02")
    lot = make_lot(qty=5, location=old)
    _undo(lambda: services.delete_location(location_id=old.pk, move_to=new.pk, now=NOW))
    assert _placed(lot) == {"A-01": 5}
    assert Location.objects.get(pk=old.pk).capacity == 3


def test_the_walk_follows_numbers_and_then_codes() -> None:
    codes = ["A-1", "A-2", "A-10", "B-1"]
    made = {code: make_location(code) for code in codes}
    assert _walk() == codes
    services.put_in_route(location_id=made["B-1"].pk, before=made["A-2"].pk)
    assert _walk() == ["A-1", "B-1", "A-2", "A-10"]
    services.put_in_route(location_id=made["A-10"].pk, before=made["B-1"].pk)
    assert _walk() == ["A-1", "A-10", "B-1", "A-2"]
    services.put_in_route(location_id=made["A-1"].pk, before=None)
    assert _walk() == ["A-10", "B-1", "A-2", "A-1"]
    services.update_location(location_id=made["A-2"].pk, changes={"sort_order": -10_000})
    assert _walk()[0] == "A-2"


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=40), st.integers(0, 39))
def test_few_places_get_new_numbers_and_all_ascend(others: list[int], at: int) -> None:
    numbers, place = sorted(others), min(at, len(others) - 1)
    new = walk.renumbered(numbers, place)
    after = [new.get(position, number) for position, number in enumerate(numbers)]
    assert after == sorted(after)
    assert after[:place] == [number for number in after[:place] if number < after[place]]
    assert all(number > after[place] for number in after[place + 1 :])
    if place and place + 1 < len(numbers) and numbers[place + 1] - numbers[place - 1] > 1:
        assert set(new) <= {place}


def test_a_long_renumbering_is_a_job_that_sorts_the_lots_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(location_services, "_LOTS_AT_ONCE", 0)
    first, second, third = (make_location(code) for code in ("A-1", "A-2", "A-3"))
    here, there = make_lot(location=first), make_lot(location=third, color_id=11)
    with pytest.raises(TooManyLots):
        services.put_in_route(location_id=third.pk, before=second.pk)
    assert _walk() == ["A-1", "A-2", "A-3"]
    job = services.start_put_in_route(location_id=third.pk, before=first.pk)
    run_job(job_id=job.pk, with_heartbeat=False)
    assert _walk() == ["A-3", "A-1", "A-2"]
    here.refresh_from_db()
    there.refresh_from_db()
    assert there.location_key < here.location_key


def test_lots_are_sorted_by_the_walk_as_it_is_now() -> None:
    first, second = make_location("A-1"), make_location("A-2")
    here, there = make_lot(location=first), make_lot(location=second, color_id=11)
    services.set_route(location_ids=[second.pk, first.pk])
    here.refresh_from_db()
    there.refresh_from_db()
    assert there.location_key < here.location_key


def test_the_tree_opens_along_the_path() -> None:
    services.generate_locations(first="A-01-1", last="B-02-2")
    make_lot(location=Location.objects.get(code="A-01-1"))
    zones = locations.tree(["A", "01"])
    assert [(zone.name, zone.place_count, zone.used_count) for zone in zones] == [("A", 4, 1), ("B", 4, 0)]
    assert [aisle.name for aisle in zones[0].branches] == ["01", "02"]
    assert [shelf.name for shelf in zones[0].branches[0].branches] == ["1", "2"]


# --- Moving ---------------------------------------------------------------------------------------------------------
def test_pieces_are_placed_moved_and_taken_out() -> None:
    here, there = make_location("A-01"), make_location("A-02")
    lot = make_lot(qty=10)
    services.move_pieces(moves=[PieceMove(lot_id=lot.pk, target_id=here.pk, qty=7)], now=NOW)
    services.move_pieces(moves=[PieceMove(lot_id=lot.pk, source_id=here.pk, target_id=there.pk, qty=3)], now=NOW)
    assert _placed(lot) == {"A-01": 4, "A-02": 3}
    services.move_pieces(moves=[PieceMove(lot_id=lot.pk, source_id=there.pk)], now=NOW)
    assert _placed(lot) == {"A-01": 4}


def test_never_more_is_placed_than_is_on_hand() -> None:
    here, there = make_location("A-01"), make_location("A-02")
    lot = make_lot(qty=10)
    services.move_pieces(moves=[PieceMove(lot_id=lot.pk, target_id=here.pk, qty=7)], now=NOW)
    with pytest.raises(InsufficientStock, match="3 pieces of the lot are unplaced, not 4"):
        services.move_pieces(moves=[PieceMove(lot_id=lot.pk, target_id=there.pk, qty=4)], now=NOW)
    with pytest.raises(InsufficientStock, match="7 pieces of the lot are at A-01"):
        services.move_pieces(moves=[PieceMove(lot_id=lot.pk, source_id=here.pk, target_id=there.pk, qty=8)], now=NOW)
    assert _placed(lot) == {"A-01": 7}


def test_a_full_location_takes_no_other_lot_but_more_of_its_own() -> None:
    place = make_location("A-01", capacity=1)
    lot, other = make_lot(qty=10), make_lot(qty=10, color_id=11)
    services.move_pieces(moves=[PieceMove(lot_id=lot.pk, target_id=place.pk, qty=2)], now=NOW)
    services.move_pieces(moves=[PieceMove(lot_id=lot.pk, target_id=place.pk, qty=2)], now=NOW)
    with pytest.raises(Conflict, match="A-01 takes 1 lot, and 1 lies there"):
        services.move_pieces(moves=[PieceMove(lot_id=other.pk, target_id=place.pk, qty=1)], now=NOW)


def test_two_full_locations_swap_their_lots() -> None:
    left, right = make_location("A-01", capacity=1), make_location("A-02", capacity=1)
    one, two = make_lot(qty=1, location=left), make_lot(qty=2, location=right, color_id=11)
    services.move_pieces(
        moves=[
            PieceMove(lot_id=one.pk, source_id=left.pk, target_id=right.pk),
            PieceMove(lot_id=two.pk, source_id=right.pk, target_id=left.pk),
        ],
        now=NOW,
    )
    assert (_placed(one), _placed(two)) == ({"A-02": 1}, {"A-01": 2})


def test_a_location_that_is_not_in_use_takes_nothing() -> None:
    place = make_location("A-01", is_active=False)
    lot = make_lot(qty=10)
    with pytest.raises(Conflict, match="A-01 isn't in use"):
        services.move_pieces(moves=[PieceMove(lot_id=lot.pk, target_id=place.pk)], now=NOW)


def test_a_move_is_undone_as_long_as_the_pieces_are_there() -> None:
    here, there = make_location("A-01"), make_location("A-02")
    lot = make_lot(qty=10, location=here)
    _undo(
        lambda: services.move_pieces(
            moves=[PieceMove(lot_id=lot.pk, source_id=here.pk, target_id=there.pk, qty=4)], now=NOW
        )
    )
    assert _placed(lot) == {"A-01": 10}
    assert services.verify_stock() == []


@pytest.mark.django_db(transaction=True)
def test_threads_that_move_the_same_pieces_keep_to_what_is_there_and_to_what_fits() -> None:
    places = [make_location(f"A-{number}", capacity=2) for number in range(4)]
    lots = [make_lot(qty=20, color_id=color) for color in (1, 5, 11)]
    ends_at = time.monotonic() + 3
    done: list[int] = []

    def work(number: int) -> None:
        random = Random(number)  # noqa: S311  # chooses what to do next
        while time.monotonic() < ends_at:
            lot, other = random.sample(lots, k=2)
            source, target = random.sample([None, *(place.pk for place in places)], k=2)
            moves = [
                PieceMove(lot_id=one.pk, source_id=source, target_id=target, qty=random.randint(1, 6))
                for one in ([lot] if random.random() < 0.7 else [lot, other])
            ]
            try:
                match random.randrange(6):
                    case 0:
                        [met] = services.reserve_stock(needs=[Need(lot.pk, 3, f"{number}:{random.random()}")], now=NOW)
                        if met.qty_reserved:
                            need = Need(lot.pk, met.qty_reserved, f"{number}:{random.random()}")
                            services.consume_stock(needs=[need], now=NOW)
                            services.restock(needs=[need], now=NOW)
                    case 1:
                        found = random.randint(0, 8)
                        services.count_location(location_id=places[0].pk, found={lot.pk: found}, now=NOW)
                    case _:
                        done.append(services.move_pieces(moves=moves, now=NOW))
            except Conflict:
                continue

    assert in_threads(work, 4) == []
    assert len(done) > 10
    assert services.verify_stock() == []
    for place in places[1:]:
        assert InventoryItemLocation.objects.filter(location=place).count() <= 2


# --- Where to put ---------------------------------------------------------------------------------------------------
def test_more_of_a_lot_goes_where_it_lies() -> None:
    make_location("A-1")
    here = make_location("A-2", capacity=1)
    lot = make_lot(qty=5, location=here)
    services.adjust_stock(lot_id=lot.pk, qty_available=9, now=NOW)
    found = placing.suggest_for(lot)
    assert found is not None
    assert (found.place.code, found.reason) == ("A-2", "5 more of this lot lie there.")


def test_the_same_lies_together_and_look_alikes_never_side_by_side() -> None:
    for code in ("A-1-1", "A-1-2", "A-1-3", "A-1-4"):
        make_location(code, capacity=1)
    red = Location.objects.get(code="A-1-1")
    make_lot(location=red, color_id=59)  # dark red
    found = placing.suggest_for(make_lot(color_id=5))
    assert found is not None
    assert found.place.code == "A-1-3"
    assert "Dark Red, which looks like Red" in found.avoided
    roomy = make_location("B-1", capacity=2)
    make_lot(location=roomy, color_id=5)
    again = placing.suggest_for(make_lot(color_id=5))
    assert again is not None
    assert (again.place.code, again.reason) == ("B-1", "The same lies there already.")


@pytest.mark.parametrize(
    ("there", "new"),
    [
        ({"item_no": "3001"}, {"item_no": "3001a"}),
        ({"item_no": "3001old"}, {"item_no": "3001"}),
        ({"item_no": "3001pb12"}, {"item_no": "3001"}),
        ({"condition": "USED"}, {"condition": "NEW"}),
    ],
)
def test_variants_prints_and_used_ones_are_look_alikes(there: dict[str, Any], new: dict[str, Any]) -> None:
    place = make_location("A-1", capacity=5)
    make_lot(location=place, **there)
    assert placing.suggest_for(make_lot(**new)) is None
    make_location("B-9", capacity=1, zone="B")
    found = placing.suggest_for(make_lot(**new))
    assert found is not None
    assert found.place.code == "B-9"


def test_another_number_is_no_look_alike() -> None:
    place = make_location("A-1", capacity=5)
    make_lot(location=place, item_no="30010")
    found = placing.suggest_for(make_lot(item_no="3001"))
    assert found is not None
    assert found.place.code == "A-1"


def test_the_put_away_list_walks_and_fills_no_place_twice() -> None:
    for code in ("A-1", "A-2"):
        make_location(code, capacity=1)
    for number in ("3003", "3002", "3004"):
        make_lot(item_no=number, qty=4)
    rows = placing.put_away()
    assert [(row.lot.item_no, row.suggestion and row.suggestion.place.code) for row in rows] == [
        ("3002", "A-1"), ("3003", "A-2"), ("3004", None),
    ]  # fmt: skip
    assert placing.count_unplaced() == (3, 12)


def test_a_place_for_each_of_a_set_is_found_without_a_look_at_everything_that_lies_anywhere() -> None:
    places = [Place(new_id(), f"A-{number}", ("A", "1", str(number // 10)), None, 1) for number in range(5_000)]
    things = {
        place.id: [(new_id(), Thing("PART", str(3000 + number % 700), 5, "Red", "NEW"))]
        for number, place in enumerate(places)
    }
    storage = Storage(places, things)
    began = time.process_time()
    for number in range(300):
        thing = Thing("PART", str(3000 + number), 7, "Blue", "NEW")
        suggestion = storage.suggest(key := new_id(), thing, {})
        assert suggestion
        storage.put(suggestion.place, key, thing)
    # A look at each for each took 15 seconds.
    assert time.process_time() - began < 3
