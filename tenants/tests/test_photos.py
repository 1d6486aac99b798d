"""A shop can have its photos stay in the house: then there is no way to send one, and none is sent."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from catalog.tests.pictures import picture
from common.testing.clients import ShopClient
from common.testing.people import make_user
from common.testing.sandbox import SandboxProcess
from inventory.tests.api import Program, problem
from tenants.services import update_settings

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stays(sandbox: SandboxProcess) -> object:
    update_settings(identifies_photos=False)
    with override_settings(CATALOG_SOURCES=sandbox.sources):
        yield


def _photo() -> SimpleUploadedFile:
    return SimpleUploadedFile("photo.jpg", picture(), "image/jpeg")


def test_shows_no_way_to_send_one(client: ShopClient, sandbox: SandboxProcess) -> None:
    client.force_login(make_user(role="staff"))
    page = client.get("/inventory/add/").content.decode()
    assert "data-photo" not in page
    assert "Choose picture" not in page
    answer = client.post("/inventory/add/identify/", {"image": _photo()})
    assert (answer.status_code, "lets no photo leave" in answer.content.decode()) == (409, True)
    assert sandbox.asked() == []
    update_settings(identifies_photos=True)
    assert "data-photo" in client.get("/inventory/add/").content.decode()


@pytest.mark.parametrize("path", ["/inventory/identify", "/search/image"])
def test_tells_programs_so(path: str, sandbox: SandboxProcess) -> None:
    program = Program()
    assert problem(program.post(f"/api/v1{path}", {"image": _photo()})) == (409, "photos-switched-off")
    assert sandbox.asked() == []
