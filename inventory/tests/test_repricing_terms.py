"""How one price comes about: limits that hold whatever the figures, and words that say each step."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.repricing import (
    Basis,
    Figures,
    Guide,
    Rounding,
    Skip,
    Terms,
    Thing,
    judge,
    nearest,
    round_down,
    round_up,
)

D = Decimal


def prices(low: str = "0.0001", high: str = "5000") -> st.SearchStrategy[Decimal]:
    """Answer amounts as the price guide has them."""
    return st.decimals(min_value=low, max_value=high, places=4, allow_nan=False, allow_infinity=False)


def maybe(strategy: st.SearchStrategy[Decimal]) -> st.SearchStrategy[Decimal | None]:
    """Answer some, or none."""
    return st.none() | strategy


ROUNDINGS = st.sampled_from(list(Rounding))
FIGURES = st.builds(
    Figures, price_min=maybe(prices()), price_avg=maybe(prices()), price_qty_avg=maybe(prices()),
    price_max=maybe(prices()), lots_count=st.integers(0, 50), qty=st.integers(0, 500),
)  # fmt: skip
GUIDES = st.builds(Guide, sold=st.none() | FIGURES, stock=st.none() | FIGURES)
THINGS = st.builds(
    Thing, price=prices("0"), cost=maybe(prices("0")), is_locked=st.booleans(), is_custom=st.booleans(),
    completeness=st.sampled_from([None, "COMPLETE", "INCOMPLETE", "SEALED"]),
    tiers=st.just(()) | st.tuples(st.tuples(st.just(10), prices("0"))),
)  # fmt: skip
TERMS = st.builds(
    Terms, basis=st.sampled_from(list(Basis)), factor=prices("0.01", "10"),
    amount=st.decimals(min_value=-5, max_value=5, places=4), rounding=ROUNDINGS, floor=maybe(prices()),
    cost_factor=maybe(prices("0.1", "5")), ceiling=maybe(prices()), cap_percent=maybe(prices("0.1", "90")),
    min_sales=st.integers(0, 20), fallback=st.none() | st.sampled_from(list(Basis)), scales_tiers=st.booleans(),
)  # fmt: skip


def on_grid(price: Decimal, rounding: Rounding) -> bool:
    """Tell whether a rounding has the price."""
    return nearest(price, rounding) == price


@settings(deadline=None)
@given(prices("0", "5000"), ROUNDINGS)
def test_rounding_finds_the_neighbors_and_the_nearest_of_them(amount: Decimal, rounding: Rounding) -> None:
    below, close, above = (each(amount, rounding) for each in (round_down, nearest, round_up))
    assert 0 < below <= close <= above
    assert close in (below, above)
    assert all(on_grid(each, rounding) for each in (below, close, above))
    assert above >= amount
    assert below <= amount or below == above, "nothing is given away for 0"
    assert abs(close - amount) == min(abs(below - amount), abs(above - amount))


@settings(deadline=None)
@given(THINGS, GUIDES, TERMS)
def test_the_limits_hold_whatever_the_figures(thing: Thing, guide: Guide, terms: Terms) -> None:
    verdict = judge(thing, guide, terms)
    assert (verdict.price is None) == (verdict.skip is not None)
    if verdict.price is None:
        return
    price = verdict.price
    floors = [
        each for each in (terms.floor, thing.cost * terms.cost_factor if thing.cost and terms.cost_factor else None)
        if each is not None
    ]  # fmt: skip
    floor = max(floors, default=D(0))
    assert price > 0
    assert price >= floor
    if terms.ceiling is not None and price > terms.ceiling:
        assert price == round_up(floor, terms.rounding).quantize(D("0.0001")), "only a floor lifts it above the ceiling"
    if terms.cap_percent is not None and thing.price:
        span = thing.price * terms.cap_percent / 100
        is_limited = any("not below" in step or "not above" in step for step in verdict.steps)
        assert abs(price - thing.price) <= span or is_limited, "only a limit moves it further"
    assert not thing.is_locked
    assert not thing.is_custom
    assert verdict.steps


@settings(deadline=None)
@given(THINGS, GUIDES, TERMS)
def test_terms_survive_being_kept(thing: Thing, guide: Guide, terms: Terms) -> None:
    again = Terms.from_json(terms.as_json())
    assert again == terms
    assert judge(thing, guide, again) == judge(thing, guide, terms)


@settings(deadline=None)
@given(THINGS, GUIDES, TERMS)
def test_a_price_that_was_made_without_a_cap_stays(thing: Thing, guide: Guide, terms: Terms) -> None:
    plain = Terms(**{**{name: getattr(terms, name) for name in Terms.__slots__}, "cap_percent": None})
    first = judge(thing, guide, plain)
    if first.price is None:
        return
    made = Thing(price=first.price, cost=thing.cost, completeness=thing.completeness, tiers=first.tiers)
    second = judge(made, guide, plain)
    assert (second.price, second.tiers) == (first.price, first.tiers)


@settings(deadline=None)
@given(THINGS, GUIDES, TERMS)
def test_a_cap_is_reached_run_by_run_and_never_passed_back(thing: Thing, guide: Guide, terms: Terms) -> None:
    seen, present = [], thing
    for _ in range(4):
        verdict = judge(present, guide, terms)
        if verdict.price is None:
            return
        seen.append(verdict.price - present.price)
        present = Thing(price=verdict.price, cost=thing.cost, completeness=thing.completeness)
    assert not (any(each > 0 for each in seen[1:]) and any(each < 0 for each in seen[1:])), "it goes one way"


SOLD = Figures(D("0.05"), D("0.1234"), D("0.1100"), D("0.40"), 20, 900)
STOCK = Figures(D("0.08"), D("0.20"), D("0.18"), D("0.90"), 3, 50)
GUIDE = Guide(sold=SOLD, stock=STOCK)


def test_every_step_is_told_in_words() -> None:
    thing = Thing(price=D("0.2000"), cost=D("0.10"))
    verdict = judge(thing, GUIDE, Terms(factor=D("0.95"), cost_factor=D("1.3")))
    assert verdict.price == D("0.13")
    assert verdict.steps == (
        "sold average 0.1234 × 0.95 = 0.1172", "rounded to 0.01 → 0.12",
        "not below cost 0.10 × 1.3 = 0.13 → 0.13",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("terms", "price", "told"),
    [
        ({"basis": Basis.SOLD_QTY_AVG}, "0.11", ""),
        ({"basis": Basis.STOCK_MIN}, "0.08", "lowest offer 0.08"),
        ({"amount": D("0.05")}, "0.17", "× 1 + 0.05"),
        ({"amount": D("-0.30")}, "0.01", "− 0.30 = −0.1766"),
        ({"rounding": Rounding.FIVE}, "0.10", "rounded to 0.05 → 0.10"),
        ({"rounding": Rounding.UNIT}, "0.1234", ""),
        ({"factor": D(13), "rounding": Rounding.ENDS_99}, "1.99", "end in .99 → 1.99"),
        ({"rounding": Rounding.ENDS_99}, "0.12", "end in .99 → 0.12"),
        ({"cap_percent": D(10)}, "0.18", "at most 10 % from 0.20 → 0.18"),
        ({"ceiling": D("0.115")}, "0.11", "not above 0.115 → 0.11"),
        ({"floor": D("0.195")}, "0.20", "not below 0.195 → 0.20"),
        ({"basis": Basis.STOCK_AVG, "min_sales": 5, "fallback": Basis.SOLD_AVG}, "0.12", "3 offers, 5 wanted"),
        ({"factor": D(5), "cap_percent": D(10), "floor": D("0.5")}, "0.50", "not below 0.50 → 0.50"),
    ],
)  # fmt: skip
def test_each_of_the_terms_does_what_it_says(terms: dict[str, Any], price: str, told: str) -> None:
    verdict = judge(Thing(price=D("0.20")), GUIDE, Terms(**terms))
    assert (verdict.price, told in "; ".join(verdict.steps)) == (D(price), True), verdict.steps


@pytest.mark.parametrize(
    ("thing", "guide", "terms", "skip"),
    [
        ({"is_locked": True}, GUIDE, {}, Skip.LOCKED),
        ({"is_custom": True}, GUIDE, {}, Skip.CUSTOM),
        ({"completeness": "INCOMPLETE"}, GUIDE, {}, Skip.INCOMPLETE),
        ({}, Guide(stock=STOCK), {}, Skip.NO_FIGURES),
        ({}, Guide(sold=Figures(), stock=STOCK), {}, Skip.NEVER_SOLD),
        ({}, GUIDE, {"min_sales": 21}, Skip.TOO_FEW),
        ({}, Guide(sold=Figures(), stock=STOCK), {"fallback": Basis.STOCK_AVG, "min_sales": 9}, Skip.NEVER_SOLD),
    ],
)  # fmt: skip
def test_what_keeps_its_price_says_why(thing: dict[str, Any], guide: Guide, terms: Any, skip: Skip) -> None:
    verdict = judge(Thing(**{"price": D("0.2"), **thing}), guide, Terms(**terms))
    assert (verdict.price, verdict.skip) == (None, skip)


def test_tier_prices_go_along_or_stay() -> None:
    thing = Thing(price=D("0.2000"), tiers=((50, D("0.1600")), (200, D("0.1000"))))
    assert judge(thing, GUIDE, Terms(scales_tiers=True)).tiers == ((50, D("0.0960")), (200, D("0.0600")))
    assert judge(thing, GUIDE, Terms()).tiers == thing.tiers
