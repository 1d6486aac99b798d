"""Orders that are picked on one walk: little walking, in groups that fit on a cart."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from picker.batching import Batch, Load, batches, suggestions
from picker.routing import Aisles, Point, Spot, tour_free, tour_length
from picker.tests.warehouses import best_grouping, by_savings, generated_layout, generated_orders, seeded


def _loads(orders: list[list[Spot]]) -> list[Load]:
    return [Load(frozenset(spots), len(spots)) for spots in orders]


def _metres(found: list[Batch]) -> float:
    return sum(batch.metres for batch in found if batch.metres is not None)


@pytest.mark.parametrize(("count", "capacity"), [(7, 3), (8, 4), (9, 3)])
def test_no_grouping_of_few_orders_is_better(count, capacity):
    dice = seeded(count)
    for blocks in (1, 2):
        layout = generated_layout(dice, aisles=8, blocks=blocks)
        orders = generated_orders(dice, layout, count)
        best = best_grouping(layout, orders, capacity)
        assert _metres(batches(_loads(orders), capacity=capacity, ground=layout)) == pytest.approx(best)


def test_many_orders_walk_less_than_by_savings_alone():
    dice = seeded(30)
    ratios = []
    for blocks, capacity in [(1, 6), (1, 8), (2, 5)]:
        layout = generated_layout(dice, aisles=12, blocks=blocks)
        orders = generated_orders(dice, layout, 30)

        found = batches(_loads(orders), capacity=capacity, ground=layout, evaluations=200)

        assert sorted(order for batch in found for order in batch.orders) == list(range(len(orders)))
        assert max(len(batch.orders) for batch in found) <= capacity
        ratios.append(_metres(found) / by_savings(layout, orders, capacity))
    assert max(ratios) <= 1 + 1e-9
    assert sum(ratios) / len(ratios) <= 0.98


def test_more_time_is_never_worse_and_the_same_time_is_the_same():
    dice = seeded(3)
    layout = generated_layout(dice, aisles=10, blocks=1)
    loads = _loads(generated_orders(dice, layout, 30))

    found = [batches(loads, capacity=5, ground=layout, evaluations=limit) for limit in (0, 100, 400)]

    assert _metres(found[0]) >= _metres(found[1]) >= _metres(found[2])
    assert batches(loads, capacity=5, ground=layout, evaluations=400) == found[2]


def test_what_a_batch_takes_is_told():
    layout = Aisles(10, 1, 4.0, 20.0)
    orders = [[Spot(5, 0, 10.0), Spot(1, 0, 3.0)], [Spot(5, 0, 10.0)], [Spot(0, 0, 4.0)]]

    found = batches(_loads(orders), capacity=2, ground=layout)

    assert found == [Batch((0, 1), 2, 3, 66.0, 66.0 + 60.0), Batch((2,), 1, 1, 8.0, 8.0)]
    assert suggestions(found) == found[:1]


def test_without_a_map_orders_that_share_places_go_together():
    loads = [Load(frozenset(places)) for places in ("ABC", "XY", "ABD", "XYZ", "Q")]

    found = batches(loads, capacity=3)

    assert found == [Batch((0, 2), 4, 6), Batch((1, 3), 3, 5), Batch((4,), 1, 1)]
    assert [batch.saved for batch in found] == [2, 2, 0]
    assert suggestions(found) == found[:2]


def test_places_that_are_not_on_the_map_count_as_stops_only():
    layout = Aisles(10, 1, 4.0, 20.0)
    where = {"A": Spot(9, 0, 5.0), "B": Spot(9, 0, 6.0), "C": Spot(0, 0, 1.0), "D": Spot(0, 0, 2.0)}
    loads = [Load(frozenset(places)) for places in ("A?", "C", "B", "D!")]

    found = batches(loads, capacity=2, ground=layout, where=where)

    assert [batch.orders for batch in found] == [(0, 2), (1, 3)]
    assert [(batch.stops, batch.metres) for batch in found] == [(3, 84.0), (3, 4.0)]
    nowhere = batches(loads, capacity=2, ground=layout, where={})
    assert all(batch.metres is None for batch in nowhere)


def test_coordinates_and_many_blocks_are_maps_too():
    dice = seeded(8)
    points = [[Point(dice.uniform(0, 90), dice.uniform(0, 60)) for _ in range(3)] for _ in range(14)]
    depot = Point(0, 0)
    found = batches([Load(frozenset(some)) for some in points], capacity=4, ground=depot, evaluations=100)
    assert sorted(order for batch in found for order in batch.orders) == list(range(14))
    assert _metres(found) < 0.7 * sum(tour_free(depot, some).metres for some in points)

    layout = generated_layout(dice, aisles=10, blocks=7)
    orders = generated_orders(dice, layout, 14)
    found = batches(_loads(orders), capacity=4, ground=layout, evaluations=100)
    assert sorted(order for batch in found for order in batch.orders) == list(range(14))
    assert _metres(found) < 0.7 * sum(tour_length(layout, spots) for spots in orders)


def test_two_hundred_orders_look_at_what_shares_aisles():
    dice = seeded(200)
    layout = generated_layout(dice, aisles=20, blocks=1)
    loads = _loads(generated_orders(dice, layout, 200))

    found = batches(loads, capacity=6, ground=layout, evaluations=50)

    assert sorted(order for batch in found for order in batch.orders) == list(range(200))
    assert len(found) <= 45
    assert _metres(found) < 0.5 * sum(batch.metres_apart or 0 for batch in found)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    orders=st.lists(st.tuples(st.frozensets(st.sampled_from("ABCDEFGH"), max_size=4), st.integers(0, 12)), max_size=16),
    capacity=st.integers(1, 5),
    most=st.none() | st.integers(0, 20),
    mapped=st.booleans(),
)
def test_every_order_is_on_one_cart_that_holds_it(orders, capacity, most, mapped):
    where = {code: Spot(place % 4, place // 4, 3.0) for place, code in enumerate("ABCDEF")}
    loads = [Load(stops, pieces) for stops, pieces in orders]
    ground = Aisles(4, 2, 3.0, 10.0) if mapped else None

    found = batches(loads, capacity=capacity, most_pieces=most, ground=ground, where=where, evaluations=60)

    assert sorted(order for batch in found for order in batch.orders) == list(range(len(orders)))
    for batch in found:
        assert len(batch.orders) <= capacity
        pieces = sum(loads[order].pieces for order in batch.orders)
        assert len(batch.orders) == 1 or most is None or pieces <= most
        assert batch.saved >= -1e-9
        assert batch.stops <= batch.stops_apart


def test_what_cannot_be_done_is_refused():
    with pytest.raises(ValueError, match="room for an order"):
        batches([], capacity=0)
    with pytest.raises(ValueError, match="places on the map"):
        batches([Load(frozenset("A"))], capacity=1, ground=Point(0, 0))
    with pytest.raises(ValueError, match="is not in"):
        batches([Load(frozenset([Spot(9, 0, 1.0)]))], capacity=1, ground=Aisles(5, 1, 3.0, 10.0))
