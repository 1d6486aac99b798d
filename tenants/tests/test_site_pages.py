"""The public pages: that prices come out to the cent, and that both pages stand without scripts or a shop."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from tenants.site import pages


@pytest.mark.parametrize(
    ("goods", "rate", "amount", "carried"),
    [
        (Decimal(2000), pages.LITE, "20.00", False),
        (Decimal(2000), pages.FULL, "50.00", False),
        (Decimal(2000), pages.FULL_WITH_BRIKICK, "40.00", False),
        (Decimal("999.99"), pages.LITE, "10.00", False),
        (Decimal("999.49"), pages.LITE, "9.99", True),
        (Decimal(200), pages.FULL, "5.00", True),
    ],
)
def test_works_out_the_fee_of_a_month(goods: Decimal, rate: Decimal, amount: str, *, carried: bool) -> None:
    assert pages.fee_for(goods, rate) == pages.Fee(Decimal(amount), carried=carried)


@pytest.fixture
def visit() -> HttpRequest:
    return RequestFactory().get("/pricing/")


def test_lists_what_a_month_costs_without_scripts(visit: HttpRequest) -> None:
    html = pages.pricing(visit).content.decode()
    assert '<th scope="row" class="num">10,000</th>' in html
    assert ">250.00<" in html
    assert "carried to the next month" in html


@pytest.mark.parametrize("view", [pages.landing, pages.pricing])
def test_names_the_trademark_and_asks_nothing_from_other_hosts(
    view: Callable[[HttpRequest], HttpResponse], visit: HttpRequest
) -> None:
    html = view(visit).content.decode()
    assert "LEGO® is a trademark of the LEGO Group" in html
    assert html.count("<h1") == 1
    assert "https://" not in html
    assert "style=" not in html
