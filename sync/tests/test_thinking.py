"""Rules, matching and comparing: nothing is lost, guessed or done twice, in whatever order lots come."""

import random
import time
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stores.channels import LotField
from stores.settings_schema import PriceChange, PriceRule, QuantityRule, Rounding
from sync.matching import Candidate, How, Matching, Pair, match
from sync.planning import Decision, Owner, compare
from sync.remote import LotState
from sync.rules import StoreRules, Unlisted, lost, offered, priced, shown

ALL = frozenset(LotField)
LOT = LotState(
    qty=10, price=Decimal("1.20"), description="d", remarks="r", tiers=((5, Decimal("1.10")), (10, Decimal("1.00"))),
    bulk=1, sale=0, retain=False, stockroom="",
)  # fmt: skip
RULES = StoreRules(lot_fields=ALL, sent=ALL)


# --- Rules ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("rule", "price", "there"), [
    (PriceRule(), "1.2345", "1.2345"),
    (PriceRule(change=PriceChange.PERCENT, value=Decimal(10)), "1.20", "1.32"),
    (PriceRule(change=PriceChange.PERCENT, value=Decimal("-99")), "0.0100", "0.0001"),
    (PriceRule(change=PriceChange.AMOUNT, value=Decimal("-5")), "1.20", "0.0001"),
    (PriceRule(change=PriceChange.AMOUNT, value=Decimal("0.5")), "1.20", "1.70"),
    (PriceRule(rounding=Rounding.TO_99), "1.20", "1.99"),
    (PriceRule(rounding=Rounding.TO_99), "1.99", "1.99"),
    (PriceRule(rounding=Rounding.TO_99), "1.995", "2.99"),
    (PriceRule(rounding=Rounding.TO_99), "0.12", "0.12"),
    (PriceRule(rounding=Rounding.TO_95), "3.10", "3.95"),
    (PriceRule(rounding=Rounding.TO_5_CENTS), "1.22", "1.20"),
    (PriceRule(rounding=Rounding.TO_5_CENTS), "1.225", "1.25"),
    (PriceRule(rounding=Rounding.TO_5_CENTS), "0.02", "0.02"),
    (PriceRule(minimum=Decimal("0.05")), "0.02", "0.05"),
])  # fmt: skip
def test_prices_by_the_rule(rule: PriceRule, price: str, there: str) -> None:
    assert priced(Decimal(price), replace(RULES, price=rule)) == Decimal(there)


def test_prices_in_the_stores_currency_and_decimals() -> None:
    assert priced(Decimal("1.2345"), replace(RULES, rate=Decimal("1.1"), price_decimals=3)) == Decimal("1.358")
    assert priced(Decimal(0), RULES) == 0


@pytest.mark.parametrize(("qty", "bulk", "rule", "pieces"), [
    (10, 1, QuantityRule(), 10), (10, 1, QuantityRule(keep_back=3), 7), (2, 1, QuantityRule(keep_back=3), 0),
    (10, 4, QuantityRule(), 8), (10, 4, QuantityRule(at_most=7), 4), (10, 1, QuantityRule(keep_back=3, at_most=5), 5),
])  # fmt: skip
def test_offers_by_the_rule(qty: int, bulk: int, rule: QuantityRule, pieces: int) -> None:
    assert offered(LOT._replace(qty=qty, bulk=bulk), rule) == pieces


@pytest.mark.parametrize(("lot", "rules", "why"), [
    (LOT, RULES, None),
    (LOT._replace(qty=0), RULES, Unlisted.NO_PIECES),
    (LOT._replace(price=Decimal(0)), RULES, Unlisted.NO_PRICE),
    (LOT, replace(RULES, quantity=QuantityRule(keep_back=10)), Unlisted.KEPT_BACK),
    (LOT._replace(stockroom="A"), RULES, None),
    (LOT._replace(stockroom="A"), replace(RULES, lot_fields=ALL - {LotField.STOCKROOM}), Unlisted.STOCKROOM),
])  # fmt: skip
def test_says_why_a_lot_is_not_listed(lot: LotState, rules: StoreRules, why: Unlisted | None) -> None:
    found = shown(lot, rules)
    assert found.why is why
    assert (found.state.qty == 0) == (why is not None)


_PLAIN_LOTS = st.builds(
    LOT._replace, qty=st.integers(0, 5), price=st.decimals("0", "0.02", places=4), bulk=st.sampled_from([None, 1, 2]),
    tiers=st.sampled_from([None, (), ((10, Decimal("0.001")),)]), stockroom=st.sampled_from(["", "A"]),
)  # fmt: skip


@given(
    lot=_PLAIN_LOTS, decimals=st.sampled_from([2, 3, 4]),
    channel=st.sampled_from([ALL, ALL - {LotField.RETAIN, LotField.STOCKROOM}]),
)  # fmt: skip
def test_the_short_way_of_a_plain_store_ends_where_the_long_one_does(
    lot: LotState, decimals: int, channel: Any
) -> None:
    plain = StoreRules(lot_fields=channel, sent=channel, price_decimals=decimals)
    # A limit that nothing reaches.
    long_way = replace(plain, quantity=QuantityRule(at_most=1_000_000))
    assert shown(lot, plain) == shown(lot, long_way)


def test_sends_only_what_the_seller_lets_and_the_channel_has() -> None:
    rules = replace(RULES, lot_fields=ALL - {LotField.RETAIN}, sent=frozenset({LotField.QTY, LotField.PRICE}))
    found = shown(LOT._replace(retain=True), rules).state
    assert (found.description, found.remarks, found.tiers, found.retain) == ("", "", (), None)
    assert lost(LOT._replace(retain=True), rules.lot_fields) == (LotField.RETAIN,)
    assert lost(LOT, rules.lot_fields) == ()


@given(
    price=st.decimals("0.0001", "900", places=4),
    value=st.decimals("-99", "900", places=2),
    rounding=st.sampled_from(Rounding),
    change=st.sampled_from(PriceChange),
)
def test_keeps_tiers_cheaper_one_after_the_other(price: Any, value: Any, rounding: Any, change: Any) -> None:
    rules = replace(RULES, price=PriceRule(change=change, value=value, rounding=rounding))
    lot = LOT._replace(price=price, tiers=tuple((n, price * Decimal(10 - n) / 10) for n in (2, 4, 6)))
    found = shown(lot, rules).state
    prices = [found.price, *[amount for _qty, amount in found.tiers or ()]]
    assert all(later < earlier for earlier, later in pairwise(prices))
    assert all(amount > 0 for amount in prices)


# --- Matching ---------------------------------------------------------------------------------------------------------
_LOTS = st.lists(
    st.builds(
        lambda key, price, remarks, links: (key, Decimal(price), remarks, tuple(links)),
        st.sampled_from(["a", "b", "c", None]), st.integers(1, 3), st.sampled_from(["", "x", "y"]),
        st.lists(st.integers(0, 8), max_size=1),
    ),
    max_size=9,
)  # fmt: skip


def _side(letter: str, other: str, rows: Any) -> list[Candidate]:
    return [
        Candidate(f"{letter}{number}", key, price, remarks, 1, tuple(f"{other}{link}" for link in links))
        for number, (key, price, remarks, links) in enumerate(rows)
    ]


def _refs(result: Matching) -> tuple[list[str], list[str]]:
    sources = [pair.source for pair in result.pairs] + result.source_only + result.unmatched_sources
    targets = [pair.target for pair in result.pairs] + result.target_only + result.unmatched_targets
    return sorted(sources), sorted(targets)


@given(here=_LOTS, there=_LOTS, seed=st.integers(0, 9))
@settings(max_examples=300)
def test_finds_each_lot_once_in_any_order_and_from_either_side(here: Any, there: Any, seed: int) -> None:
    sources, targets = _side("s", "t", here), _side("t", "s", there)
    found = match(sources, targets)
    assert _refs(found) == (sorted(each.ref for each in sources), sorted(each.ref for each in targets))
    mixed = random.Random(seed)  # noqa: S311  # any order
    again = match(mixed.sample(sources, len(sources)), mixed.sample(targets, len(targets)))
    assert sorted(map(str, again.pairs)) == sorted(map(str, found.pairs))
    turned = match(targets, sources)
    assert {(pair.target, pair.source) for pair in turned.pairs} == {(pair.source, pair.target) for pair in found.pairs}
    keys = {each.ref: each.key for each in (*sources, *targets)}
    assert all(
        keys[pair.source] == keys[pair.target] or None in (keys[pair.source], keys[pair.target]) for pair in found.pairs
    )
    assert all(keys[ref] is None for ref in (*found.unmatched_sources, *found.unmatched_targets))


def test_believes_a_known_pair_before_a_link_and_a_link_before_looks() -> None:
    sources = [Candidate("s1", "a"), Candidate("s2", "a"), Candidate("s3", None, links=("t3",))]
    targets = [Candidate("t1", "a", links=("s1",)), Candidate("t2", "a"), Candidate("t3", "b")]
    found = match(sources, targets, known={"s2": "t1", "s9": "t9"})
    assert found.pairs == [Pair("s2", "t1", How.KNOWN), Pair("s3", "t3", How.LINK), Pair("s1", "t2", How.KEY)]


def test_believes_no_link_that_two_claim_or_that_leads_to_something_else() -> None:
    sources = [
        Candidate("s1", "a", links=("t1",)),
        Candidate("s2", "b", links=("t1",)),
        Candidate("s3", "c", links=("t3",)),
    ]
    targets = [Candidate("t1", "b"), Candidate("t3", "d")]
    found = match(sources, targets)
    assert found.pairs == [Pair("s2", "t1", How.KEY)]
    assert (found.source_only, found.target_only) == (["s1", "s3"], ["t3"])


def test_keeps_several_lots_several_and_pairs_the_likeliest() -> None:
    sources = [
        Candidate("s1", "a", Decimal(1), "x"),
        Candidate("s2", "a", Decimal(2), "y"),
        Candidate("s3", "a", Decimal(3), "z"),
    ]
    targets = [Candidate("t1", "a", Decimal(9), "y"), Candidate("t2", "a", Decimal(3), "z")]
    found = match(sources, targets)
    assert {(pair.source, pair.target) for pair in found.pairs} == {("s2", "t1"), ("s3", "t2")}
    assert found.source_only == ["s1"]
    assert [(crowd.sources, crowd.targets) for crowd in found.crowds] == [(("s1", "s2", "s3"), ("t1", "t2"))]


def test_matches_a_hundred_thousand_in_seconds() -> None:
    count = 100_000
    sources = [Candidate(f"s{number}", number // 2, Decimal(number % 7)) for number in range(count)]
    targets = [Candidate(f"t{number}", number // 2, Decimal(number % 7)) for number in range(count)]
    began = time.process_time()
    assert len(match(sources, targets).pairs) == count
    assert time.process_time() - began < 10


def test_matches_many_equal_lots_in_seconds() -> None:
    sources = [Candidate(f"s{number}", "a", Decimal(number % 50)) for number in range(20_000)]
    targets = [Candidate(f"t{number}", "a", Decimal(number % 50)) for number in range(20_000)]
    began = time.process_time()
    assert len(match(sources, targets).pairs) == 20_000
    assert time.process_time() - began < 10


# --- Comparing --------------------------------------------------------------------------------------------------------
def _judged(base: Any, ours: Any, theirs: Any, owner: Owner | None = None, **more: Any) -> tuple[Decision, Any]:
    of_base = None if base is None else LOT._replace(price=Decimal(base))
    found = compare(
        base=of_base, ours=LOT._replace(price=Decimal(ours)), theirs=LOT._replace(price=Decimal(theirs)),
        fields={LotField.PRICE}, owners={LotField.PRICE: owner} if owner else {}, **more,
    )  # fmt: skip
    (only,) = found.fields
    return only.decision, only.value


@pytest.mark.parametrize(("values", "owner", "decision", "value"), [
    ((1, 1, 1), None, Decision.SAME, 1), ((1, 2, 1), None, Decision.PUSH, 2),
    ((1, 2, 1), Owner.CHANNEL, Decision.PUSH, 2), ((1, 1, 2), None, Decision.TAKE, 2),
    ((1, 1, 2), Owner.OURS, Decision.PUSH, 1), ((1, 1, 2), Owner.ASK, Decision.ASK, None),
    ((1, 2, 2), None, Decision.AGREED, 2), ((1, 2, 3), None, Decision.ASK, None),
    ((1, 2, 3), Owner.OURS, Decision.PUSH, 2),
    ((1, 2, 3), Owner.CHANNEL, Decision.TAKE, 3), ((None, 2, 3), None, Decision.ASK, None),
    ((None, 2, 3), Owner.OURS, Decision.PUSH, 2), ((None, 2, 2), None, Decision.AGREED, 2),
    ((1, 1, 2), Owner.NEWEST, Decision.TAKE, 2), ((1, 2, 3), Owner.NEWEST, Decision.PUSH, 2),
])  # fmt: skip
def test_knows_who_changed_what(values: Any, owner: Any, decision: Decision, value: Any) -> None:
    base, ours, theirs = values
    assert _judged(base, ours, theirs, owner) == (decision, value)


def test_takes_the_newest_where_that_is_the_channels() -> None:
    assert _judged(1, 2, 3, owner=Owner.NEWEST, ours_is_newer=False) == (Decision.TAKE, 3)


@given(base=st.integers(0, 50), sold_here=st.integers(0, 50), sold_there=st.integers(0, 50), added=st.integers(0, 50))
def test_loses_no_piece_and_sells_none_twice(base: int, sold_here: int, sold_there: int, added: int) -> None:
    ours = LOT._replace(qty=max(0, base - sold_here) + added)
    theirs = LOT._replace(qty=max(0, base - sold_there))
    found = compare(base=LOT._replace(qty=base), ours=ours, theirs=theirs, fields={LotField.QTY})
    left = max(0, base + (ours.qty - base) + (theirs.qty - base))
    assert found.here(ours).qty == found.there(theirs).qty or found.is_same
    if ours.qty != theirs.qty:
        assert found.here(ours).qty == left
    assert found.base(LOT._replace(qty=base), theirs).qty == found.there(theirs).qty


_STATES = st.builds(
    lambda qty, price, remarks, sale: LOT._replace(qty=qty, price=Decimal(price), remarks=remarks, sale=sale),
    st.integers(0, 3), st.integers(1, 3), st.sampled_from(["a", "b"]), st.integers(0, 2),
)  # fmt: skip


@given(base=st.none() | _STATES, ours=_STATES, theirs=_STATES, owner=st.none() | st.sampled_from(Owner))
@settings(max_examples=300)
def test_comes_to_rest_once_it_is_done(base: Any, ours: Any, theirs: Any, owner: Any) -> None:
    owners = {} if owner is None else dict.fromkeys(LotField, owner)
    found = compare(base=base, ours=ours, theirs=theirs, fields=ALL, owners=owners)
    here, there = found.here(ours), found.there(theirs)
    asked = {each.field for each in found.of(Decision.ASK)}
    assert here.differences(there, ALL - asked) == ()
    again = compare(base=found.base(base, theirs), ours=here, theirs=there, fields=ALL - asked, owners=owners)
    assert again.is_same
    assert not again.of(Decision.PUSH, Decision.TAKE, Decision.BOTH)
