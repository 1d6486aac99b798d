"""A purchase's cost is spread exactly, becomes the lots' cost, and what it has brought in is shown."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from audit import services as trail
from audit.context import change_set
from audit.models import ChangeSet
from common.errors import Invalid
from inventory import services
from inventory.costs import blended, spread
from inventory.models import Purchase, PurchaseLine
from inventory.queries.purchases import lines_of, paybacks
from inventory.services import Need, merging
from inventory.testing import make_lot

NOW = timezone.now()
D = Decimal


@given(
    st.decimals(0, 10**6, places=2),
    st.lists(st.decimals(0, 10**5, places=4), min_size=1, max_size=30),
)
def test_shares_sum_up_to_the_total_and_none_is_off_by_a_unit(total: Decimal, weights: list[Decimal]) -> None:
    shares = spread(total, weights)
    assert sum(shares) == total
    together = sum(weights)
    for share, weight in zip(shares, weights, strict=True):
        exact = total * weight / together if together else total / len(weights)
        assert abs(share - exact) <= D("0.0001")


def test_a_piece_costs_the_average_of_old_and_new() -> None:
    assert blended(qty_bought=10, cost_bought=D(2), qty_before=10, cost_before=D("0.1")) == D("0.15")
    assert blended(qty_bought=10, cost_bought=D(2), qty_before=10, cost_before=None) == D("0.2")


def _purchase(**values: Any) -> Purchase:
    chosen = {"name": "Flea market", "purchase_date": date(2026, 1, 1), "total_cost": D("10.00"), **values}
    return services.create_purchase(values=chosen)


def _cost(lot: Any) -> Decimal | None:
    lot.refresh_from_db()
    cost: Decimal | None = lot.cost_basis
    return cost


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("how", "costs"),
    [("VALUE", ["7.5000", "2.5000"]), ("PIECES", ["9.0909", "0.9091"]), ("LOTS", ["5.0000", "5.0000"])],
)
def test_the_cost_is_spread_as_chosen(how: str, costs: list[str]) -> None:
    purchase = _purchase(spread=how)
    cheap, dear = make_lot(qty=100, unit_price=D("0.03")), make_lot(qty=10, unit_price=D("0.10"), color_id=11)
    services.add_lots(purchase_id=purchase.pk, quantities={cheap.pk: None, dear.pk: 10}, now=NOW)
    lines = dict(PurchaseLine.objects.values_list("inventory_item", "cost"))
    assert [lines[cheap.pk], lines[dear.pk]] == list(map(D, costs))
    assert _cost(cheap) == (D(costs[0]) / 100).quantize(D("0.0001"))


@pytest.mark.django_db
def test_another_total_is_spread_anew_and_what_was_there_before_keeps_its_cost() -> None:
    lot = make_lot(qty=30, cost_basis=D("0.10"))
    purchase = _purchase(total_cost=D("4.00"))
    services.add_lots(purchase_id=purchase.pk, quantities={lot.pk: 20}, now=NOW)
    assert _cost(lot) == D("0.1667")  # ten at 0.10 and twenty at 0.20
    services.update_purchase(purchase_id=purchase.pk, changes={"total_cost": D("8.00")}, now=NOW)
    assert _cost(lot) == D("0.3000")
    services.delete_purchase(purchase_id=purchase.pk, now=NOW)
    assert _cost(lot) == D("0.1000")


@pytest.mark.django_db
def test_lots_come_and_go_and_the_order_does_not_matter() -> None:
    lot, other = make_lot(qty=10, cost_basis=D("0.50")), make_lot(qty=10, color_id=11)
    first, second = _purchase(), _purchase(total_cost=D("20.00"))
    services.add_lots(purchase_id=first.pk, quantities={lot.pk: 5, other.pk: 10}, now=NOW)
    services.add_lots(purchase_id=second.pk, quantities={lot.pk: 5}, now=NOW)
    line = PurchaseLine.objects.get(purchase=first, inventory_item=lot)
    services.remove_line(line_id=line.pk, now=NOW)
    assert PurchaseLine.objects.get(purchase=first).cost == D("10.0000")
    services.remove_line(line_id=PurchaseLine.objects.get(purchase=second).pk, now=NOW)
    assert _cost(lot) == D("0.5000")


@pytest.mark.django_db
def test_what_makes_no_purchase_is_refused() -> None:
    for wrong in ({"name": " "}, {"total_cost": D("-1")}, {"total_cost": D("1.001")}, {"total_cost": D("1e9")}):
        with pytest.raises(Invalid):
            _purchase(**wrong)
    with pytest.raises(Invalid):
        services.add_lots(purchase_id=_purchase().pk, quantities={make_lot(qty=0).pk: None}, now=NOW)


@pytest.mark.django_db
def test_adding_lots_is_undone_as_a_whole() -> None:
    lot, other = make_lot(qty=10, cost_basis=D("0.50")), make_lot(qty=10, color_id=11)
    purchase = _purchase()
    services.add_lots(purchase_id=purchase.pk, quantities={other.pk: 10}, now=NOW)
    with change_set("test.add"):
        services.add_lots(purchase_id=purchase.pk, quantities={lot.pk: 10}, now=NOW)
    newest = ChangeSet.objects.order_by("-created_at", "-id").first()
    assert newest is not None
    trail.revert(change_set_id=newest.pk)
    assert list(PurchaseLine.objects.values_list("inventory_item", "cost")) == [(other.pk, D("10.0000"))]
    assert (_cost(lot), _cost(other)) == (D("0.5000"), D("1.0000"))


def _lines() -> list[tuple[Any, ...]]:
    values = ("purchase__name", "inventory_item", "qty", "cost", "qty_before", "cost_before")
    return sorted(PurchaseLine.objects.values_list(*values), key=str)


def _newest() -> ChangeSet:
    newest = ChangeSet.objects.order_by("-created_at", "-id").first()
    assert newest is not None
    return newest


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["merged by hand", "consolidated"])
def test_lots_that_merge_bring_their_purchases_along_and_take_them_back(how: str) -> None:
    kept, same = make_lot(qty=14, unit_price=D(1), cost_basis=D("0.50")), make_lot(qty=6, unit_price=D(3))
    unbought, other = make_lot(qty=5, unit_price=D(1), cost_basis=D("0.20")), make_lot(color_id=11, unit_price=D(1))
    both, one = _purchase(name="both", total_cost=D("12.00")), _purchase(name="one", total_cost=D("4.00"))
    services.add_lots(purchase_id=both.pk, quantities={kept.pk: 4, same.pk: 2}, now=NOW)
    services.add_lots(purchase_id=one.pk, quantities={same.pk: 4, other.pk: 4}, now=NOW)
    before, costs_before = _lines(), [_cost(lot) for lot in (kept, same, unbought, other)]
    with change_set("test.merge"):
        if how == "consolidated":
            merging.merge_equal([], policy={}, now=NOW)
        else:
            services.merge_lots(target_id=kept.pk, source_ids=[same.pk, unbought.pk], now=NOW)
    merged, after = _newest(), _lines()
    # Both purchases are the kept lot's now, and 10 pieces at 0.50 and 5 at 0.20 were there before.
    assert after == sorted([
        ("both", kept.pk, 6, D("12.0000"), 15, D("0.4000")),
        ("one", kept.pk, 4, D("2.0000"), 15, D("0.4000")),
        ("one", other.pk, 4, D("2.0000"), 6, None),
    ], key=str)  # fmt: skip
    assert _cost(kept) == D("0.8000")
    trail.revert(change_set_id=merged.pk)
    assert _lines() == before
    assert [_cost(lot) for lot in (kept, same, unbought, other)] == costs_before
    trail.revert(change_set_id=_newest().pk)
    assert _lines() == after
    assert _cost(kept) == D("0.8000")
    assert services.verify_stock() == []


def _sell(lot: Any, qty: int, amount: str, *, at: datetime, cause: str) -> None:
    services.reserve_stock(needs=[Need(lot.pk, qty, cause)], now=at)
    services.consume_stock(needs=[Need(lot.pk, qty, cause)], now=at, amounts={cause: D(amount)})


@pytest.mark.django_db
def test_payback_counts_what_was_sold_since_and_shares_it_among_purchases() -> None:
    lot = make_lot(qty=30, unit_price=D("1.00"))
    first = _purchase(purchase_date=date(2026, 3, 1), total_cost=D("10.00"))
    second = _purchase(purchase_date=date(2026, 5, 1), total_cost=D("10.00"))
    services.add_lots(purchase_id=first.pk, quantities={lot.pk: 20}, now=NOW)
    services.add_lots(purchase_id=second.pk, quantities={lot.pk: 10}, now=NOW)
    _sell(lot, 2, "99.00", at=datetime(2026, 2, 1, tzinfo=UTC), cause="before")
    _sell(lot, 3, "3.00", at=datetime(2026, 4, 1, tzinfo=UTC), cause="between")
    _sell(lot, 6, "6.00", at=datetime(2026, 6, 1, tzinfo=UTC), cause="after")
    found = paybacks([first, second])
    assert (found[first.pk].sold, found[second.pk].sold) == (D("6.00"), D("2.00"))
    assert found[first.pk].percent == D(60)
    assert (found[first.pk].left, found[first.pk].open) == (D("12.67"), D("4.00"))
    assert not found[first.pk].is_even
    [line], total = lines_of(first.pk)
    assert (line.sold, line.other_purchases, total) == (D("6.00"), 1, 1)
