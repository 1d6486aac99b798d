"""What people type into the search box, and what is understood by it."""

import pytest

from catalog import colors
from catalog.choices import ItemType, System
from catalog.queries.search import distance
from catalog.search import color_named, number_of, understood


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3001", "3001"), ("  3001 ", "3001"), ("BL:3001", "3001"), ("bl 3001", "3001"), ("P 3001", "3001"),
        ("3001.DAT", "3001"), ("boid 253312-38", "253312-38"), ("fig-000001", "fig-000001"),
        ("75192–1", "75192-1"), ("Rebrickable: 3068b", "3068b"), ("element 300121", "300121"), ("3001\0", "3001"),
    ],
)  # fmt: skip
def test_numbers_are_read_however_they_are_written(text: str, number: str) -> None:
    found = number_of(text)
    assert found is not None
    assert found.text == number


def test_what_stands_before_a_number_says_whose_it_is_or_of_what() -> None:
    assert getattr(number_of("boid 253312-38"), "system", None) is System.BRICKOWL
    assert getattr(number_of("S 75192"), "item_type", None) is ItemType.SET
    assert getattr(number_of("P 3001"), "item_type", None) is ItemType.PART


def test_a_set_is_meant_without_its_variant_too() -> None:
    assert getattr(number_of("75192"), "nos", None) == ("75192", "75192-1")


def test_a_boid_with_a_color_is_taken_apart() -> None:
    found = number_of("253312-38")
    assert found is not None
    assert (found.boid, found.boid_color) == ("253312", 38)


@pytest.mark.parametrize("text", ["", "   ", "brick", "2x4", "2 x 4", "technic 32054", "red 1x2", "a:b:c", "x" * 500])
def test_what_is_no_number_is_none(text: str) -> None:
    assert number_of(text) is None


@pytest.mark.parametrize(
    ("text", "plain", "color"),
    [
        ("2x4 red brick", ("2x4", "brick"), "Red"),
        ("brick 2 x 4 RED", ("brick", "2x4"), "Red"),
        ("dk bluish gray plate 1x2", ("plate", "1x2"), "Dark Bluish Gray"),
        ("1 × 2 plate, dark bluish grey", ("1x2", "plate"), "Dark Bluish Gray"),
        ("lt bluish grey tile", ("tile",), "Light Bluish Gray"),
        ("trans red 1x1", ("1x1",), "Trans-Red"),
        ("transparent dark blue brick", ("brick",), "Trans-Dark Blue"),
        ("med azure slope", ("slope",), "Medium Azure"),
        ("medium stone gray 1x1", ("1x1",), "Light Bluish Gray"),
        ("dark flesh plate", ("plate",), "Light Brown"),
        ("lbg 3023", ("3023",), "Light Bluish Gray"),
        ("brick 2x4", ("brick", "2x4"), None),
        ("1 x 2 x 2/3 slope", ("1x2x2/3", "slope"), None),
    ],
)
def test_colors_and_sizes_are_found_in_any_order(text: str, plain: tuple[str, ...], color: str | None) -> None:
    meaning = understood(text)
    assert meaning.plain == plain
    assert (getattr(colors.get(meaning.color_ids[0]), "name", None) if meaning.color_ids else None) == color


def test_a_number_beside_a_color_is_a_number_in_that_color() -> None:
    meaning = understood("3001 dk red")
    assert meaning.number is not None
    assert meaning.number.text == "3001"
    assert meaning.color_ids == (59,)


def test_every_color_is_found_by_its_own_name() -> None:
    for color in colors.all_colors().values():
        if color.id != colors.NOT_APPLICABLE:
            assert color.id in color_named(color.name), color.name


@pytest.mark.parametrize(
    ("one", "other", "letters"), [("brik", "brick", 1), ("tlie", "tile", 1), ("plate", "plate", 0), ("", "ab", 2)]
)
def test_spellings_differ_by_letters(one: str, other: str, letters: int) -> None:
    assert distance(one, other) == letters
