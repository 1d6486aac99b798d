"""Colors that are mistaken for each other."""

import pytest

from catalog.colors import all_colors
from picker.lookalikes import are_near, distance

_RGB = {color.name: color.rgb for color in all_colors().values()}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Red", "Dark Red"), ("Light Gray", "Light Bluish Gray"), ("Dark Gray", "Dark Bluish Gray"),
        ("White", "Very Light Bluish Gray"), ("Blue", "Dark Blue"), ("Green", "Bright Green"),
    ],
)  # fmt: skip
def test_what_is_mixed_up_in_a_storage_is_near(one, other):
    assert are_near(_RGB[one], _RGB[other])
    assert are_near(_RGB[other], _RGB[one])


@pytest.mark.parametrize(
    ("one", "other"),
    [("Red", "Blue"), ("Red", "Yellow"), ("Black", "White"), ("Black", "Light Gray"), ("Tan", "Dark Blue")],
)
def test_what_nobody_mixes_up_is_not(one, other):
    assert not are_near(_RGB[one], _RGB[other])


def test_a_color_that_is_not_known_warns_of_nothing():
    assert not are_near("", "FFFFFF")
    assert distance("FF0000", "FF0000") == 0
