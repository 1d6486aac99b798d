"""The palette's answers: options for the script, a page for whoever follows the search as a link."""

import pytest
from django.test import Client, override_settings

from accounts.models import Role
from common.testing.people import make_user
from common.testing.sandbox import SandboxProcess
from inventory.testing import make_lot

pytestmark = pytest.mark.django_db

PALETTE = {"HX-Request": "true", "HX-Target": "div#palette-results"}


def test_palette_gets_options_alone(client: Client) -> None:
    client.force_login(make_user(role="owner"))
    answer = client.get("/search/palette/?q=audit", headers=PALETTE).content.decode()
    assert 'role="option"' in answer
    assert "<h1>" not in answer


def test_link_opens_a_page_with_the_places_of_the_menu(client: Client) -> None:
    client.force_login(make_user(role="picker"))
    page = client.get("/search/palette/").content.decode()
    assert "<h1>Search</h1>" in page
    assert page.count('href="/settings/sessions/"') == 1, "what the phone's menu leads to without a script"
    assert 'role="option"' not in page


def test_link_finds_people_by_name(client: Client) -> None:
    client.force_login(make_user(role="owner", name="Marta Reis"))
    assert "Marta Reis</a>" in client.get("/search/palette/?q=reis").content.decode()
    assert "Nothing is called “&lt;zq&gt;”." in client.get("/search/palette/?q=<zq>").content.decode()


def test_items_are_found_by_any_platforms_number_and_it_says_by_which(client: Client) -> None:
    client.force_login(make_user(role="staff"))
    options = client.get("/search/palette/?q=300121", headers=PALETTE).content.decode()
    assert "LEGO element 300121 → 3001 Red" in options
    assert options.index("/catalog/items/PART/3001/?color=5") < options.index("/search/?q=300121")
    make_lot(qty=7)
    assert "7 in stock" in client.get("/search/palette/?q=300121", headers=PALETTE).content.decode()


def test_a_number_that_nobody_here_knows_is_looked_up_elsewhere(client: Client, sandbox: SandboxProcess) -> None:
    client.force_login(make_user(role="readonly"))
    link = "/inventory/look-up/?q=zq7001"
    assert link not in client.get("/search/palette/?q=zq7001").content.decode(), "nobody is there to be asked"
    with override_settings(CATALOG_SOURCES=sandbox.sources):
        page = client.get("/search/palette/?q=zq7001").content.decode()
        assert link in page
        assert "Look zq7001 up elsewhere" in page
        assert "look-up" not in client.get("/search/palette/?q=zq").content.decode(), "no number"
        assert "look-up" not in client.get("/search/palette/?q=%23zq7001").content.decode(), "an order"
        assert "look-up" not in client.get("/search/palette/?q=300121").content.decode(), "known"


def test_items_are_kept_from_whom_stock_is_none_of_the_business(client: Client) -> None:
    Role.objects.create(name="Books", permissions=["orders:read"])
    client.force_login(make_user(role="Books"))
    assert "/catalog/items/" not in client.get("/search/palette/?q=300121").content.decode()
