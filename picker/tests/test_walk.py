"""The picking page and its worker: who gets them, and that a device keeps all that the page asks for."""

import json
import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client

from common.testing.people import make_user
from inventory.testing import make_lot
from orders.testing import type_in
from picker.testing import make_session

pytestmark = pytest.mark.django_db
STATIC = Path(settings.BASE_DIR) / "static"


def _page(client: Client) -> str:
    session = make_session(type_in((make_lot(), 1)))
    return client.get(f"/picking/{session.pk}/walk/").content.decode()


def _name(url: str) -> str:
    """Answer a static file's name without the digest that its address may have."""
    return re.sub(r"\.[0-9a-f]{12}(?=\.\w+$)", "", url.removeprefix(settings.STATIC_URL))


def _kept(client: Client) -> list[str]:
    found = re.search(r"const SHELL = (\[.*\]);", client.get("/picking/sw.js").content.decode())
    assert found
    return [_name(url) for url in json.loads(found.group(1))]


@pytest.fixture
def picker(client: Client) -> Client:
    client.force_login(make_user(role="picker"))
    return client


def test_says_nothing_of_a_session(picker: Client) -> None:
    one, other = (re.sub(r'name="csrf-token" content="\w+"', "", _page(picker)) for _ in range(2))
    assert one == other


def test_is_of_a_session_that_there_is(picker: Client) -> None:
    assert picker.get(f"/picking/{uuid4()}/walk/").status_code == 404


def test_isnt_for_who_only_looks(client: Client) -> None:
    client.force_login(make_user(role="readonly"))
    assert client.get(f"/picking/{uuid4()}/walk/").status_code == 403
    assert client.get("/picking/sw.js").status_code == 403


def test_worker_reaches_picking_alone_and_is_asked_for_anew(picker: Client) -> None:
    answer = picker.get("/picking/sw.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Service-Worker-Allowed"] == "/picking/"
    assert "no-cache" in answer["Cache-Control"]


def test_all_that_the_page_asks_for_is_kept(picker: Client) -> None:
    kept = _kept(picker)
    assert all(finders.find(name) for name in kept)
    asked = {_name(url) for url in re.findall(rf'(?:href|src)="({settings.STATIC_URL}[^"#]+)', _page(picker))}
    assert asked <= set(kept)


def test_every_module_is_kept(picker: Client) -> None:
    modules = {f"js/picking/{path.name}" for path in STATIC.glob("js/picking/*.js")} - {"js/picking/worker.js"}
    assert modules <= set(_kept(picker))


def test_a_page_of_this_version_is_known_as_such(picker: Client) -> None:
    version = re.search(r'data-version="(\w+)"', _page(picker))
    assert version
    assert f'const VERSION = "{version.group(1)}";' in picker.get("/picking/sw.js").content.decode()
