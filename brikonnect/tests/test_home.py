"""The dashboard: what waits for whom, and what the stock amounts to."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from common.testing.people import make_user
from common.testing.query_counts import counted
from inventory.testing import make_location, make_lot

pytestmark = pytest.mark.django_db
MOST_QUERIES = 12  # performance.md, P7


def _waiting(client: Client) -> list[str]:
    """Answer the rows of the work list that come with the page."""
    page = client.get("/").content.decode()
    card = page.partition('id="to-do"')[2].partition("</section>")[0]
    assert "Nothing waits." in card
    return re.findall(r"<li>", card)


def test_what_waits_of_all_kinds_is_one_list(client: Client) -> None:
    client.force_login(make_user(role="owner"))
    page = client.get("/").content.decode()
    assert page.count("To do now") == 1
    assert "Orders to do" not in page
    card = page.partition('id="to-do"')[2].partition("</section>")[0]
    parts = {"order-rows": "orders:work", "orders-waiting": "sync:orders_waiting", "sync-rows": "sync:work"}
    for part, name in parts.items():
        assert f'<ul class="list" id="{part}" hx-get="{reverse(name)}"' in card
        headers = {"HX-Request": "true", "HX-Target": f"ul#{part}"}
        answer = client.get(reverse(name), headers=headers).content.decode().strip()
        assert re.fullmatch(rf'<ul class="list" id="{part}" hidden>\s*</ul>', answer)


def test_lots_that_wait_are_links_to_exactly_these(client: Client) -> None:
    client.force_login(make_user(role="staff"))
    assert not _waiting(client)
    make_lot(qty=2, low_stock_threshold=5, location=make_location())
    make_lot(item_no="3003")
    page = client.get("/").content.decode()
    assert "1 lot under its threshold" in page
    assert f"{reverse('inventory:list')}?low=yes" in page
    assert "1 lot without a location" in page
    assert reverse("inventory:put_away") in page


def test_who_can_do_nothing_about_it_is_told_nothing_of_it(client: Client) -> None:
    client.force_login(make_user(role="readonly"))
    make_lot(qty=2, low_stock_threshold=5)
    assert not _waiting(client)
    assert reverse("inventory:worth") in client.get("/").content.decode()


def test_the_card_of_the_stock(client: Client) -> None:
    client.force_login(make_user(role="picker"))
    assert "There is no stock yet" in client.get(reverse("inventory:worth")).content.decode()
    make_lot(qty=1200)
    page = client.get(reverse("inventory:worth")).content.decode()
    assert "1,200" in page
    assert "€144.00" in page
    assert "0.0 %" in page


def test_first_steps_are_done_by_what_is_there(client: Client) -> None:
    client.force_login(make_user(role="owner"))
    page = client.get("/").content.decode()
    assert "Import a file" in page
    assert "Add locations" in page
    make_lot(location=make_location())
    page = client.get("/").content.decode()
    assert "Import a file" not in page
    assert "Add locations" not in page


def test_the_page_asks_no_more_than_its_share(client: Client) -> None:
    client.force_login(make_user(role="owner"))
    make_lot(qty=2, low_stock_threshold=5)
    client.get("/")
    with counted() as statements:
        client.get("/")
    assert len(statements) <= MOST_QUERIES, "\n".join(statements)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("inventory:list", "Inventory"),
        ("inventory:add", "Inventory"),
        ("inventory:locations", "Locations"),
        ("inventory:put_away", "Locations"),
        ("inventory:purchases", "Purchases"),
        ("dashboard", "Dashboard"),
    ],
)
def test_the_menu_marks_the_innermost_place_alone(client: Client, name: str, label: str) -> None:
    client.force_login(make_user(role="owner"))
    page = client.get(reverse(name)).content.decode()
    menu = page[page.index('id="nav"') : page.index("</nav>")]
    assert re.findall(r'aria-current="page".*?<span>(.*?)</span>', menu, re.DOTALL) == [label]
