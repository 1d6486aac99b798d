"""From which of its places a lot is taken."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from picker.routing import Aisles, Need, Place, Point, Rule, Spot, choose_places, tour_length
from picker.tests.warehouses import generated_layout, generated_spots, seeded

_GROUND = Aisles(10, 1, 4.0, 20.0)
_SPOTS = {f"{aisle}-{offset}": Spot(aisle, 0, offset) for aisle in range(10) for offset in range(21)}
_MAP = {code: Place(f"{spot.aisle:02}{spot.offset:02}", spot) for code, spot in _SPOTS.items()}
_CODES = {code: Place(code) for code in "ABCDEFGHIJ"}


def _chosen(*needs: Need[str], rule: Rule = Rule.ON_THE_WAY, mapped: bool = True) -> list[list[tuple[str | None, int]]]:
    places = _MAP if mapped else _CODES
    return choose_places(needs, places, rule=rule, ground=_GROUND if mapped else None)


def test_take_from_where_one_goes_anyway():
    assert _chosen(Need(3, [("8-5", 9)]), Need(2, [("1-1", 9), ("8-5", 9)])) == [[("8-5", 3)], [("8-5", 2)]]


def test_take_from_what_lies_on_the_way():
    # Aisle 5 is passed, but going into it costs more than a few steps in the aisle that is walked anyway.
    assert _chosen(Need(1, [("8-9", 1)]), Need(1, [("5-9", 1), ("8-7", 1)]))[1] == [("8-7", 1)]


def test_one_place_that_is_enough_is_better_than_two_nearer_ones():
    assert _chosen(Need(1, [("0-1", 1)]), Need(10, [("0-1", 6), ("0-2", 6), ("9-20", 10)]))[1] == [("9-20", 10)]


def test_two_places_are_as_few_as_hold_enough_and_the_nearest_of_those():
    chosen = _chosen(Need(1, [("0-1", 1)]), Need(10, [("9-20", 6), ("0-3", 6), ("0-2", 4), ("9-19", 4), ("5-5", 1)]))
    assert chosen[1] == [("0-2", 4), ("0-3", 6)]


def test_two_lots_meet_in_a_place_that_neither_would_choose_alone():
    needs = [Need(1, [("3-4", 1), ("4-6", 1)]), Need(1, [("4-6", 1), ("6-2", 1)])]
    assert _chosen(*needs) == [[("4-6", 1)], [("4-6", 1)]]


def test_what_lies_nowhere_is_told():
    assert _chosen(Need(10, [("2-2", 3), ("1-1", 4)]), Need(2, [])) == [
        [("1-1", 4), ("2-2", 3), (None, 3)],
        [(None, 2)],
    ]


def test_empty_heaps_are_left_alone():
    assert _chosen(Need(2, [("0-0", 0), ("9-9", 2)]), Need(0, [("0-0", 3)])) == [[("9-9", 2)], []]


def test_a_place_on_the_map_is_better_than_one_that_is_not():
    places = {"here": Place("1", Spot(9, 0, 9.0)), "somewhere": Place("0")}
    needs = [Need(1, [("somewhere", 5), ("here", 5)])]
    assert choose_places(needs, places, rule=Rule.ON_THE_WAY, ground=_GROUND) == [[("here", 1)]]


def test_empty_the_smallest_heap_first():
    heaps = [("0-0", 20), ("9-9", 3), ("5-5", 4)]
    assert _chosen(Need(2, heaps), rule=Rule.EMPTIES) == [[("9-9", 2)]]
    assert _chosen(Need(10, heaps), rule=Rule.EMPTIES) == [[("0-0", 3), ("5-5", 4), ("9-9", 3)]]


def test_without_a_map_take_from_where_one_goes_anyway_else_from_nearby():
    chosen = _chosen(
        Need(1, [("C", 1)]), Need(1, [("A", 1), ("D", 1), ("J", 1)]), Need(1, [("I", 1), ("C", 5)]), mapped=False
    )
    assert chosen == [[("C", 1)], [("D", 1)], [("C", 1)]]


def test_coordinates_alone_are_a_map_too():
    places = {"a": Place("a", Point(10, 0)), "b": Place("b", Point(5, 1)), "c": Place("c", Point(-1, 0))}
    needs = [Need(1, [("a", 1)]), Need(1, [("c", 1), ("b", 1)])]
    assert choose_places(needs, places, rule=Rule.ON_THE_WAY, ground=Point(0, 0))[1] == [("b", 1)]


def test_walks_are_hardly_longer_than_with_the_best_choice_of_all():
    dice = seeded(5)
    over = []
    for _ in range(25):
        layout = generated_layout(dice, aisles=8, blocks=dice.randint(1, 2))
        spots = dict(enumerate(generated_spots(dice, layout, 12)))
        places = {number: Place(f"{number:03}", spot) for number, spot in spots.items()}
        options = [dice.sample(range(12), dice.choice([1, 2, 3])) for _ in range(6)]
        needs = [Need(1, [(key, 1) for key in some]) for some in options]
        best = min(tour_length(layout, [spots[key] for key in some]) for some in product(*options))

        chosen = choose_places(needs, places, rule=Rule.ON_THE_WAY, ground=layout)

        taken = [spots[key] for some in chosen for key, _ in some if key is not None]
        over.append(tour_length(layout, taken) / best - 1)
    assert min(over) >= -1e-9
    assert sum(over) / len(over) <= 0.03


@pytest.mark.parametrize("mapped", [True, False])
@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    needs=st.lists(st.tuples(st.integers(0, 12), st.dictionaries(st.sampled_from("ABCDEFGHIJ"), st.integers(0, 9)))),
    rule=st.sampled_from(Rule),
)
def test_as_much_as_is_wanted_and_never_more_than_there_is(mapped, needs, rule):
    asked = [Need(pieces, list(heaps.items())) for pieces, heaps in needs]
    places = {code: Place(code, Spot(ord(code) - ord("A"), 0, 3.0) if code < "H" else None) for code in "ABCDEFGHIJ"}

    chosen = choose_places(asked, places, rule=rule, ground=_GROUND if mapped else None)

    for (pieces, heaps), some in zip(needs, chosen, strict=True):
        assert sum(taken for _, taken in some) == pieces
        found = {key: taken for key, taken in some if key is not None}
        assert all(0 < taken <= heaps[key] for key, taken in found.items())
        assert len(some) == len({key for key, _ in some})
        assert sum(taken for key, taken in some if key is None) == max(0, pieces - sum(heaps.values()))
