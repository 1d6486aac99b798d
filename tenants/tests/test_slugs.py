"""What may be a shop's address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants import slugs


@pytest.mark.parametrize("slug", ["demo", "ana-s-bricks", "b2b", "123", "a" * 63, "bricks4you", "brick-connection"])
def test_takes_a_dns_label(slug: str):
    assert slugs.problem_with(slug) == ""


@pytest.mark.parametrize(
    ("slug", "problem"),
    [
        ("ab", "at least 3"),
        ("a" * 64, "at most 63"),
        ("Ana", "letters a to z"),
        ("ana's", "letters a to z"),
        ("anä", "letters a to z"),
        ("a_b_c", "letters a to z"),
        ("a.b", "letters a to z"),
        ("-ana", "Begin and end"),
        ("ana-", "Begin and end"),
        ("xn--ana", "third and fourth"),
        ("ana\n", "letters a to z"),
    ],
)
def test_says_what_is_wrong_with_another(slug: str, problem: str):
    assert problem in slugs.problem_with(slug)


@pytest.mark.parametrize(
    "slug", ["www", "api", "cdn", "admin", "mail", "static", "a-p-i", "sign-up", "autodiscover", "lego"]
)
def test_keeps_what_we_need(slug: str):
    assert "kept" in slugs.problem_with(slug)


@pytest.mark.parametrize(
    "slug",
    [
        "brikonnect",
        "brickonnect",
        "brikonect",
        "br1konnect",
        "brik-onnect",
        "my-brikonnect-shop",
        "brikonnekt",
        "brlkonnect",
    ],
)
def test_keeps_what_passes_for_us(slug: str):
    assert "kept" in slugs.problem_with(slug)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Demo Bricks", "demo-bricks"),
        ("  Ana's  Brick-Shop! ", "anas-brick-shop"),
        ("Größe & Steine", "groe-steine"),
        ("Æon Bricks 2", "on-bricks-2"),
        ("レゴ", ""),
        ("API", ""),
    ],
)
def test_suggests_an_address_by_the_name(name: str, slug: str):
    assert slugs.suggestion(name) in (slug, slug.replace("groe", "grosse"))


@given(st.text(max_size=200))
def test_suggests_nothing_that_it_would_refuse(name: str):
    found = slugs.suggestion(name)
    assert not found or not slugs.problem_with(found)
