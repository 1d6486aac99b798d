"""Pictures as pages and programs have them: at once, from our own host, and never a reason to ask another one."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from catalog import services
from catalog.choices import ImageState, ItemType
from catalog.models import CatalogImage, CatalogItem
from catalog.queries.images import SIDES
from catalog.tests.pictures import picture
from common.testing.clients import ShopClient
from common.testing.people import make_user
from common.testing.sandbox import SandboxProcess
from conftest import HOST
from inventory.services import set_item_mapping
from inventory.testing import make_lot
from inventory.tests.api import Program
from inventory.tests.test_repricing import know, start

pytestmark = pytest.mark.django_db

RED = "/catalog/images/96/PART/5/3001"


@pytest.fixture
def browser(client: Client) -> Client:
    """Answer the browser of somebody who picks, and may do little else."""
    client.force_login(make_user(role="picker"))
    return client


def _fetched(browser: Client, path: str = RED) -> None:
    browser.get(path)
    services.fetch_wanted(now=timezone.now())


def test_is_drawn_at_once_and_there_a_moment_later(browser: Client, picture_hosts: SandboxProcess) -> None:
    first = browser.get(RED)
    assert (first.status_code, first["Content-Type"], first["Cache-Control"]) == (200, "image/svg+xml", "no-store")
    assert b'width="32"' in first.content
    assert b"#c91a09" in first.content.lower()
    assert picture_hosts.asked() == [], "the one who looks waits for nobody"
    _fetched(browser)
    second = browser.get(RED)
    assert (second.status_code, second["Content-Type"]) == (200, "image/webp")
    assert second["Cache-Control"] == "private, max-age=604800"
    assert second.content[:4] == b"RIFF"
    unchanged = browser.get(RED, headers={"If-None-Match": second["ETag"]})
    assert (unchanged.status_code, unchanged.content, unchanged["ETag"]) == (304, b"", second["ETag"])
    assert browser.get(RED.replace("/96/", "/480/"))["ETag"] != second["ETag"]
    assert browser.head(RED).status_code == 200


def test_says_where_there_is_none_that_asking_again_is_in_vain(browser: Client, picture_hosts: SandboxProcess) -> None:
    picture_hosts.fault("status", service="pictures", status=404)
    _fetched(browser)
    answer = browser.get(RED)
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("image/svg+xml", "private, max-age=3600")
    assert b'width="64"' in answer.content


@pytest.mark.parametrize("item_type", ItemType.values)
def test_draws_every_type(item_type: str, browser: Client) -> None:
    answer = browser.get(f"/catalog/images/96/{item_type}/5/nobody-knows-it")
    assert answer["Content-Type"] == "image/svg+xml"
    assert b"<path" in answer.content
    assert not CatalogImage.objects.exists(), "nothing is remembered of what doesn't exist"


def test_is_fetched_again_where_its_file_was_lost(browser: Client, picture_hosts: SandboxProcess) -> None:
    _fetched(browser)
    image = CatalogImage.objects.get()
    for side in SIDES:
        default_storage.delete(image.file_name(side))
    assert browser.get(RED)["Content-Type"] == "image/svg+xml"
    _fetched(browser)
    assert browser.get(RED)["Content-Type"] == "image/webp"


@pytest.mark.parametrize("path", [
    "/catalog/images/97/PART/5/3001", "/catalog/images/96/WHALE/5/3001", "/catalog/images/96/PART/red/3001",
    "/catalog/images/96/PART/5/", "/catalog/images/999999999999999999999999/PART/5/3001",
])  # fmt: skip
def test_answers_nothing_of_what_there_is_not(path: str, browser: Client) -> None:
    assert browser.get(path).status_code == 404


@pytest.mark.parametrize("number", ["..%2F..%2Fsecret", "https:%2F%2Fevil.example%2Fa.png", "a" * 400, "%F0%9F%A7%B1"])
@pytest.mark.parametrize("color", ["5", "99999999999999999999"])
def test_is_no_way_to_have_others_asked(
    number: str, color: str, browser: Client, picture_hosts: SandboxProcess
) -> None:
    answer = browser.get(f"/catalog/images/96/PART/{color}/{number}")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml")
    assert not CatalogImage.objects.exists()


def test_is_for_those_who_are_signed_in() -> None:
    assert ShopClient(host=HOST).get(RED).status_code in (302, 401)
    assert ShopClient(host=HOST).post(RED).status_code == 405


# --- Pages ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", [
    "/inventory/", "/search/?q=2x4", "/catalog/items/PART/3001/?color=5", "/catalog/items/SET/21200-1/",
    "/inventory/add/items/?q=300", "/search/palette/?q=2x4", "/inventory/part-out/?set=21200-1",
])  # fmt: skip
def test_every_list_shows_pictures_from_our_own_host_alone(path: str, client: Client) -> None:
    make_lot(qty=7)
    client.force_login(make_user(role="owner"))
    page = client.get(path).content.decode()
    images = re.findall(r"<img [^>]*>", page)
    assert images
    for image in images:
        assert re.search(r'src="/catalog/images/(96|480)/[A-Z]+/\d+/[^"]+"', image), image
        assert 'alt=""' in image
        assert 'loading="lazy"' in image
        assert re.search(r'width="(\d+)" height="\1"', image)


def test_prices_of_a_run_and_own_mappings_show_pictures(client: Client) -> None:
    lot = make_lot(qty=7, unit_price=Decimal(9))
    know(lot)
    run = start()
    set_item_mapping(
        system="brickowl", external_id="771344", item_type="PART", item_no="3001", color_id=5, now=timezone.now()
    )
    client.force_login(make_user(role="owner"))
    for path in (reverse("inventory:repricing_run", args=[run.pk]), reverse("catalog:mappings")):
        assert 'src="/catalog/images/96/PART/5/3001"' in client.get(path).content.decode(), path


def test_the_address_is_made_from_the_lot_alone(client: Client) -> None:
    lot = make_lot(item_no="a/b c?", color_id=5)
    client.force_login(make_user(role="owner"))
    assert 'src="/catalog/images/96/PART/5/a%2Fb%20c%3F"' in client.get("/inventory/").content.decode()
    assert 'src="/catalog/images/480/PART/5/a%2Fb%20c%3F"' in client.get(f"/inventory/{lot.pk}/").content.decode()
    assert client.get("/catalog/images/96/PART/5/a%2Fb%20c%3F").status_code == 200


# --- Programs -------------------------------------------------------------------------------------------------------
def test_programs_are_given_our_own_address_and_get_the_picture(picture_hosts: SandboxProcess) -> None:
    program = Program("readonly")
    results: list[dict[str, Any]] = program.rows("/search?q=300121")
    address = results[0]["image_url"]
    assert address == "http://shop.testserver.localhost/api/v1/catalog/images/480/PART/5/3001"
    item = program.send("GET", "/catalog/items/PART/3001").json()
    assert item["image_url"].endswith("/api/v1/catalog/images/480/PART/0/3001")
    assert program.get(address)["Content-Type"] == "image/svg+xml"
    _fetched(program, address)
    answer = program.get(address)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert CatalogImage.objects.get().state == ImageState.KEPT
    assert ShopClient(host=HOST).get(address).status_code == 401


def test_what_a_photo_shows_has_its_picture_here(picture_hosts: SandboxProcess) -> None:
    with override_settings(CATALOG_SOURCES=picture_hosts.sources):
        program = Program("staff")
        photo = {"image": SimpleUploadedFile("photo.jpg", picture(), "image/jpeg")}
        found = program.post("/api/v1/inventory/identify", photo).json()["predictions"][0]
        number = found["item_no"]
        assert found["image_url"].endswith(f"/api/v1/catalog/images/480/{found['item_type']}/0/{number}")
        page = program.post("/inventory/add/identify/", {"image": SimpleUploadedFile("p.jpg", picture())})
    assert f'src="/catalog/images/96/{found["item_type"]}/0/{number}"' in page.content.decode()
    assert "googleapis" not in page.content.decode()
    # Of what the catalog doesn't know, what it was identified by has the picture.
    CatalogItem.objects.filter(item_no=number).delete()
    _fetched(program, found["image_url"])
    assert program.get(found["image_url"])["Content-Type"] == "image/webp"
