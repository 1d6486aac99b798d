"""The palette's answers: options for the script, a page for whoever follows the search as a link."""

import pytest
from django.test import Client

from common.testing.people import make_user

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
    assert "Nothing is called “&lt;b&gt;”." in client.get("/search/palette/?q=<b>").content.decode()
