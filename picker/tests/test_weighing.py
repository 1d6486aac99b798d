"""What a scale says of picked pieces."""

from decimal import Decimal

import pytest

from picker.weighing import Part, Verdict, expected, read_grams, weigh

BRICK, PLATE = Part("3001", 10, Decimal("2.32")), Part("3024", 4, Decimal("0.3"))
UNKNOWN = Part("zz1", 2, None)


@pytest.mark.parametrize(("parts", "grams", "verdict"), [
    ([BRICK], "23.2", Verdict.OK), ([BRICK], "24.3", Verdict.OK), ([BRICK], "24.4", Verdict.HEAVY),
    ([BRICK], "22.0", Verdict.LIGHT), ([BRICK, UNKNOWN], "22.0", Verdict.LIGHT),
    ([BRICK, UNKNOWN], "40", Verdict.UNKNOWN), ([UNKNOWN], "1", Verdict.UNKNOWN), ([PLATE], "1.6", Verdict.OK),
])  # fmt: skip
def test_what_is_known_can_only_be_too_little_or_too_much(parts, grams, verdict):
    assert weigh(parts, grams=Decimal(grams), tolerance=5).verdict is verdict


def test_a_difference_that_one_thing_explains_is_named():
    assert weigh([BRICK, PLATE], grams=Decimal("17.5"), tolerance=2).guesses == (("3001", 3),)
    assert weigh([BRICK, PLATE], grams=Decimal("29.0"), tolerance=2).guesses == (("3001", 2),)


def test_nothing_weighs_nothing():
    assert expected([]).grams == 0
    assert weigh([], grams=Decimal(0), tolerance=5).verdict is Verdict.OK


@pytest.mark.parametrize(("typed", "grams"), [
    ("212", Decimal(212)), (" 212,5 g", Decimal("212.5")), ("", None), ("NaN", None), ("1e9", None), ("-3", None),
    ("٣", None), ("1234567", None),
])  # fmt: skip
def test_grams_are_read_as_people_write_them(typed, grams):
    assert read_grams(typed)[0] == grams
