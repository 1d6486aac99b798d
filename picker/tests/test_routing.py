"""Tours through a warehouse: shortest ones, whatever it looks like."""

import math
from functools import partial
from itertools import pairwise, product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from picker.routing import Aisles, Point, Spot, distance, tour, tour_free, tour_length
from picker.routing.heuristics import best_round, round_length
from picker.routing.states import machine
from picker.tests.warehouses import (
    generated_layout,
    generated_spots,
    largest_gap,
    nearest_and_two_opt,
    s_shape,
    seeded,
    shortest,
    walked,
)

_LAYOUTS = [(5, 1), (5, 3), (10, 2), (13, 1), (20, 1), (20, 2), (20, 3)]


def _door(layout: Aisles) -> Spot:
    return Spot(layout.depot, 0, 0.0)


def _proven(layout: Aisles, spots: list[Spot]) -> float:
    return shortest(_door(layout), spots, partial(distance, layout))


# --- Distances ------------------------------------------------------------------------------------------------------
def test_walk_only_where_there_is_a_way():
    layout = Aisles(3, 2, 4.0, 6.0)
    heights = range(13)
    far = dict.fromkeys(product(product(range(3), heights), repeat=2), math.inf)
    for aisle, height in product(range(3), heights):
        far[(aisle, height), (aisle, height)] = 0
        if height:
            far[(aisle, height), (aisle, height - 1)] = far[(aisle, height - 1), (aisle, height)] = 1
        if aisle and height % 6 == 0:
            far[(aisle, height), (aisle - 1, height)] = far[(aisle - 1, height), (aisle, height)] = 4
    for k, a, b in product(product(range(3), heights), repeat=3):
        far[a, b] = min(far[a, b], far[a, k] + far[k, b])

    spots = [Spot(aisle, block, float(offset)) for aisle in range(3) for block in range(2) for offset in range(7)]
    for one, other in product(spots, repeat=2):
        ends = [(spot.aisle, spot.block * 6 + int(spot.offset)) for spot in (one, other)]
        assert distance(layout, one, other) == far[ends[0], ends[1]], (one, other)


# --- Aisles ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("blocks", "cases"), [(1, 70), (2, 60), (3, 50), (4, 30), (5, 6)])
def test_no_walk_is_shorter(blocks, cases):
    dice = seeded(blocks)
    for case in range(cases):
        layout = generated_layout(dice, aisles=dice.randint(1, 8), blocks=blocks)
        spots = generated_spots(dice, layout, dice.randint(1, 8), skewed=case % 2 == 1)

        answer = tour(layout, spots)

        assert answer.metres == pytest.approx(_proven(layout, spots)), (layout, spots)
        assert walked(layout, spots, answer.order) == pytest.approx(answer.metres)
        assert tour_length(layout, spots) == pytest.approx(answer.metres)


@pytest.mark.parametrize("skewed", [False, True])
@pytest.mark.parametrize(("aisles", "blocks"), _LAYOUTS)
@pytest.mark.parametrize("count", [5, 20, 60])
def test_nobody_s_rule_of_thumb_is_shorter(aisles, blocks, count, skewed):
    dice = seeded(f"{aisles} {blocks} {count}")
    layout = generated_layout(dice, aisles=aisles, blocks=blocks)
    spots = generated_spots(dice, layout, count, skewed=skewed)

    answer = tour(layout, spots)

    assert sorted(answer.order) == list(range(count))
    assert walked(layout, spots, answer.order) == pytest.approx(answer.metres)
    assert tour_length(layout, spots) == pytest.approx(answer.metres)
    for order in (s_shape(spots), largest_gap(layout, spots), nearest_and_two_opt(layout, spots)):
        assert answer.metres <= walked(layout, spots, order) + 1e-6


def test_a_tour_of_the_largest_layout_looks_at_few_possibilities():
    # Each takes a tenth of a microsecond or so: 100 ms are enough for twenty times as many, on a slow machine too.
    known = machine(3)
    of_an_aisle = [len(step.sources) * len(step.ways) for step in (*known.full, known.across)]
    assert 20 * sum(of_an_aisle) < 50_000
    assert 20 * sum(sum(map(len, step.sources)) for step in (*known.full, known.across)) < 50_000


def test_with_more_blocks_than_can_be_proven_the_tour_is_good_and_bounded():
    dice = seeded(6)
    for count in (9, 40, 60):
        layout = generated_layout(dice, aisles=20, blocks=6)
        spots = [*generated_spots(dice, layout, count), Spot(3, 5, layout.length)]

        answer = tour(layout, spots)

        assert sorted(answer.order) == list(range(count + 1))
        assert walked(layout, spots, answer.order) == pytest.approx(answer.metres) == tour_length(layout, spots)
        matrix = [[distance(layout, a, b) for b in (_door(layout), *spots)] for a in (_door(layout), *spots)]
        assert answer.metres <= 2 * _spanned(matrix)
        assert answer.metres <= walked(layout, spots, nearest_and_two_opt(layout, spots))


def test_the_way_for_more_blocks_is_within_a_percent_where_the_shortest_is_known():
    dice = seeded(7)
    over = []
    for _ in range(8):
        layout = generated_layout(dice, aisles=15, blocks=3)
        spots = generated_spots(dice, layout, 50)
        places = list(dict.fromkeys([_door(layout), *spots]))
        matrix = [[distance(layout, a, b) for b in places] for a in places]
        over.append(round_length(matrix, best_round(matrix)) / tour_length(layout, spots) - 1)
    assert min(over) >= -1e-9
    assert sum(over) / len(over) <= 0.01


def test_nothing_to_pick_is_no_walk():
    layout = Aisles(4, 2, 3.0, 10.0, 1)
    assert tour(layout, []).order == ()
    assert tour(layout, []).metres == tour_length(layout, []) == 0


def test_one_pick_is_there_and_back():
    assert tour(Aisles(4, 2, 3.0, 10.0, 1), [Spot(3, 1, 4.0)]).metres == 2 * (14 + 6)


def test_what_lies_together_is_picked_together():
    layout = Aisles(6, 2, 3.0, 10.0)
    # The end of one block is the beginning of the next.
    spots = [Spot(2, 0, 10.0), Spot(4, 1, 3.0), Spot(2, 1, 0.0), Spot(4, 1, 3.0), Spot(0, 0, 0.0)]

    order = tour(layout, spots).order

    assert sorted(order) == [0, 1, 2, 3, 4]
    assert abs(order.index(0) - order.index(2)) == abs(order.index(1) - order.index(3)) == 1


@pytest.mark.parametrize(
    "spot", [Spot(5, 0, 1.0), Spot(-1, 0, 1.0), Spot(0, 2, 1.0), Spot(0, 0, 10.5), Spot(0, 0, math.nan)]
)
def test_what_is_not_in_the_layout_is_refused(spot):
    layout = Aisles(5, 2, 3.0, 10.0)
    with pytest.raises(ValueError, match="is not in"):
        tour(layout, [spot])
    with pytest.raises(ValueError, match="is not in"):
        tour_length(layout, [spot])


@pytest.mark.parametrize(
    "wrong", [{"aisles": 0}, {"blocks": 0}, {"spacing": 0}, {"length": -1}, {"length": math.inf}, {"depot": 5}]
)
def test_what_cannot_be_built_is_refused(wrong):
    with pytest.raises(ValueError, match=r"a layout has|are metres|the depot is"):
        Aisles(**{"aisles": 5, "blocks": 1, "spacing": 3.0, "length": 10.0, **wrong})


@st.composite
def _warehouses(draw):
    aisles, blocks = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    length = draw(st.sampled_from([1.0, 7.3, 10.0]))
    layout = Aisles(aisles, blocks, draw(st.sampled_from([0.1, 3.0])), length, draw(st.integers(0, aisles - 1)))
    offsets = st.sampled_from([0.0, length]) | st.floats(0, length)
    spots = st.builds(Spot, st.integers(0, aisles - 1), st.integers(0, blocks - 1), offsets)
    return layout, draw(st.lists(spots, max_size=6))


@settings(max_examples=80, deadline=None, derandomize=True)
@given(_warehouses())
def test_ends_of_aisles_and_crumbs_of_metres_change_nothing(warehouse):
    layout, spots = warehouse

    answer = tour(layout, spots)

    assert sorted(answer.order) == list(range(len(spots)))
    assert answer.metres == pytest.approx(_proven(layout, spots))
    assert answer.metres == pytest.approx(tour_length(layout, spots))


# --- Coordinates only -----------------------------------------------------------------------------------------------
def _spanned(matrix: list[list[float]]) -> float:
    near, total = dict(enumerate(matrix[0])), 0.0
    del near[0]
    while near:
        place = min(near, key=near.__getitem__)
        total += near.pop(place)
        near = {other: min(far, matrix[place][other]) for other, far in near.items()}
    return total


def _points(dice: Random, count: int, *, heaped: bool = False) -> list[Point]:
    if not heaped:
        return [Point(dice.uniform(0, 100), dice.uniform(0, 60)) for _ in range(count)]
    centers = _points(dice, 6)
    return [
        Point(center.x + dice.gauss(0, 3), center.y + dice.gauss(0, 3))
        for center in (dice.choice(centers) for _ in range(count))
    ]


def _far(a: Point, b: Point) -> float:
    return math.dist((a.x, a.y), (b.x, b.y))


def test_few_points_have_a_shortest_tour():
    dice = seeded(11)
    for count in range(9):
        depot, *points = _points(dice, count + 1)
        answer = tour_free(depot, points)
        assert sorted(answer.order) == list(range(count))
        assert answer.metres == pytest.approx(shortest(depot, points, _far))


@pytest.mark.parametrize("heaped", [False, True])
@pytest.mark.parametrize("count", [12, 40, 200])
def test_many_points_have_a_bounded_tour(count, heaped):
    depot, *points = _points(seeded(count), count + 1, heaped=heaped)

    answer = tour_free(depot, points)

    assert sorted(answer.order) == list(range(count))
    walk = [depot, *(points[index] for index in answer.order), depot]
    assert sum(_far(a, b) for a, b in pairwise(walk)) == pytest.approx(answer.metres)
    assert answer.metres <= 2 * _spanned([[_far(a, b) for b in (depot, *points)] for a in (depot, *points)])
    assert answer == tour_free(depot, points)


def test_points_on_a_circle_are_visited_around_it():
    points = [Point(math.cos(step * math.tau / 40), math.sin(step * math.tau / 40)) for step in range(40)]
    seeded(3).shuffle(points)
    answer = tour_free(points[0], points)
    assert answer.metres == pytest.approx(80 * math.sin(math.pi / 40))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.builds(Point, st.integers(0, 4), st.integers(0, 4)), max_size=40), st.integers(0, 4))
def test_points_in_one_place_or_in_line_change_nothing(points, x):
    depot = Point(x, 0)
    answer = tour_free(depot, points)
    assert sorted(answer.order) == list(range(len(points)))
    matrix = [[_far(a, b) for b in (depot, *points)] for a in (depot, *points)]
    assert answer.metres <= 2 * _spanned(matrix) + 1e-9
