"""A photo or anybody's number tells what a lot is, and what is in stock; where it can't, one goes on by hand."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from catalog.models import CatalogElement, CatalogIdMapping, CatalogItem, CatalogSetItem, ImageIdentification
from catalog.tests.conftest import sources
from catalog.tests.pictures import picture
from common.entitlements import AllowAll
from common.images import LIMIT_BYTES
from common.limits import Limit
from common.testing.clients import ShopClient
from common.testing.people import make_user
from common.testing.sandbox import SandboxProcess
from inventory.testing import make_location, make_lot
from inventory.tests.api import Program, problem

__all__ = ["sources"]

pytestmark = pytest.mark.django_db

PART = {"HX-Request": "true", "HX-Target": "div#suggestions"}
LOOKED_UP = {"HX-Request": "true", "HX-Target": "div#looked-up"}
SURE = {"id": "3001", "name": "Brick 2 x 4", "type": "part", "img_url": None, "score": 0.91}
UNSURE = {**SURE, "id": "3002", "name": "Brick 2 x 3", "score": 0.7849}


class Lite(AllowAll):
    """An edition without identification."""

    def allows(self, feature: str) -> bool:
        return feature != "visual_identification"


@pytest.fixture
def program() -> Program:
    """Answer a program of the owner's."""
    return Program()


@pytest.fixture
def no_catalog() -> None:
    """Have a catalog without items."""
    for model in (CatalogSetItem, CatalogElement, CatalogIdMapping, CatalogItem):
        model.objects.all().delete()


def _photo(content: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile("photo.jpg", picture() if content is None else content, "image/jpeg")


def _see(sandbox: SandboxProcess, *items: dict[str, Any]) -> None:
    sandbox.fault("status", status=200, body={"items": list(items)})


def _send(program: Program, path: str = "/inventory/identify", **fields: Any) -> Any:
    return program.post(f"/api/v1{path}", {"image": _photo(), **fields})


# --- Over HTTP ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["/inventory/identify", "/search/image"])
def test_answers_best_first_with_what_is_in_stock(path: str, program: Program, sources: SandboxProcess) -> None:
    _see(sources, SURE, UNSURE)
    few, many = make_lot(qty=3, item_no="3001"), make_lot(qty=12, item_no="3001", location=make_location("A-01-03"))
    make_lot(qty=5, item_no="3001", item_type="GEAR")
    answer = _send(program, path)
    assert answer.status_code == 200, answer.content
    first, second = answer.json()["predictions"]
    assert (first["item_type"], first["item_no"], first["name"], first["confidence"]) == (
        "PART", "3001", "Brick 2 x 4", 0.91,
    )  # fmt: skip
    assert first["platform_ids"]["bricklink"] == "3001"
    assert first["in_stock"] == [
        {
            "inventory_item_id": str(many.pk),
            "color_id": 5,
            "condition": "NEW",
            "qty_available": 12,
            "qty_reserved": 0,
            "locations": ["A-01-03"],
        },
        {
            "inventory_item_id": str(few.pk),
            "color_id": 5,
            "condition": "NEW",
            "qty_available": 3,
            "qty_reserved": 0,
            "locations": [],
        },
    ]
    assert second["in_stock"] == []
    assert answer.json()["top_match"] == first


def test_takes_nothing_for_sure_that_is_not(program: Program, sources: SandboxProcess) -> None:
    _see(sources, UNSURE)
    answer = _send(program, kind="part").json()
    assert answer["top_match"] is None
    assert answer["predictions"][0]["confidence"] == 0.7849
    assert sources.asked()[0]["path"] == "/predict/parts/"


@pytest.mark.parametrize(("content", "says"), [
    (b"hello", "no picture"), (b"\0" * (LIMIT_BYTES + 1), "10 MB"), (picture()[:900], "damaged"),
], ids=["text", "large", "cut"])  # fmt: skip
def test_refuses_what_is_no_picture(content: bytes, says: str, program: Program, sources: SandboxProcess) -> None:
    refused = program.post("/api/v1/inventory/identify", {"image": _photo(content)})
    assert problem(refused) == (422, "invalid")
    assert says in refused.json()["errors"]["/image"][0]
    assert sources.asked() == []


def test_wants_a_picture(program: Program) -> None:
    assert problem(program.post("/api/v1/inventory/identify", {})) == (422, "invalid")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("fault", [
    {"kind": "rate_limit", "retry_after": 30}, {"kind": "status", "status": 500}, {"kind": "html"},
    {"kind": "half_json"},
], ids=lambda fault: fault["kind"])  # fmt: skip
def test_says_that_the_other_side_is_away(fault: dict[str, Any], program: Program, sources: SandboxProcess) -> None:
    sources.fault(**fault)
    assert problem(_send(program)) == (503, "provider-unavailable")
    assert not ImageIdentification.objects.exists()


def test_keeps_an_answer_although_the_key_was_sent(program: Program, sources: SandboxProcess) -> None:
    for _turn in range(2):
        answer = program.post("/api/v1/inventory/identify", {"image": _photo()}, headers={"Idempotency-Key": "photo-1"})
        assert answer.status_code == 200, answer.content
    assert ImageIdentification.objects.count() == len(sources.asked()) == 1


def test_belongs_to_the_edition_that_has_it(program: Program, sources: SandboxProcess, client: ShopClient) -> None:
    client.force_login(make_user(role="staff"))
    with override_settings(ENTITLEMENTS=f"{__name__}.Lite"):
        refused = _send(program)
        assert problem(refused) == (403, "edition-required")
        assert refused.json()["feature"] == "visual_identification"
        assert client.post("/inventory/add/identify/", {"image": _photo()}).status_code == 403
        # The button is there, with what it would take.
        assert "With Full you take a photo" in client.get("/inventory/add/").content.decode()
    assert "With Full" not in client.get("/inventory/add/").content.decode()
    assert sources.asked() == []


# --- On the page ----------------------------------------------------------------------------------------------------
@pytest.fixture
def staff(client: ShopClient) -> ShopClient:
    """Answer the browser of somebody who adds lots."""
    client.force_login(make_user(role="staff"))
    return client


def _page(client: ShopClient, content: bytes | None = None) -> tuple[int, str]:
    answer = client.post("/inventory/add/identify/", {"image": _photo(content)}, headers=PART)
    return answer.status_code, answer.content.decode()


def test_offers_suggestions_and_preselects_only_a_sure_one(staff: ShopClient, sources: SandboxProcess) -> None:
    make_lot(qty=1292, item_no="3001")
    _see(sources, SURE, UNSURE)
    status, page = _page(staff)
    assert status == 200
    assert page.strip().startswith('<div id="suggestions"')
    assert page.index("3001") < page.index("3002")
    assert page.count("data-top") == 1
    for text in ("91 %", "78 %", "in stock 1,292", "new to you", "item_no=3001"):
        assert text in page


def test_preselects_nothing_that_is_unsure(staff: ShopClient, sources: SandboxProcess) -> None:
    _see(sources, {**UNSURE, "score": 0.8499})
    assert "data-top" not in _page(staff)[1]


def test_says_so_when_nothing_is_recognized(staff: ShopClient, sources: SandboxProcess) -> None:
    _see(sources)
    assert "Nothing was recognized" in _page(staff)[1]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("fault", "says"), [
    ({"kind": "status", "status": 500}, "doesn&#x27;t answer for the moment. Go on by hand"),
    ({"kind": "status", "status": 422}, "can&#x27;t read this picture"),
])  # fmt: skip
def test_tells_a_failure_in_a_sentence(
    fault: dict[str, Any], says: str, staff: ShopClient, sources: SandboxProcess
) -> None:
    sources.fault(**fault)
    status, page = _page(staff)
    assert (status, says in page) == (200, True), page


def test_tells_what_is_wrong_with_a_picture(staff: ShopClient, sources: SandboxProcess) -> None:
    status, page = _page(staff, b"hello")
    assert (status, "This is no picture that we know" in page) == (422, True)
    assert staff.post("/inventory/add/identify/", {}, headers=PART).status_code == 422


def test_names_the_limit_that_is_reached(staff: ShopClient, sources: SandboxProcess, monkeypatch: Any) -> None:
    monkeypatch.setattr("catalog.services.identifying._A_DAY", Limit(name="identify", amount=0, window_s=86_400))
    assert "So many photos were identified today" in _page(staff)[1]
    assert sources.asked() == []


# --- Numbers that nobody here knows ---------------------------------------------------------------------------------
@pytest.mark.usefixtures("no_catalog")
def test_asks_outside_in_a_request_of_its_own(staff: ShopClient, sources: SandboxProcess) -> None:
    page = staff.get("/inventory/look-up/?q=3062").content.decode()
    assert "Asking Rebrickable, BrickLink and Brick Owl…" in page
    assert sources.asked() == []
    make_lot(qty=7, item_no="3062")
    part = staff.get("/inventory/look-up/?q=3062", headers=LOOKED_UP).content.decode()
    assert "Brick Round 1 x 1" in part
    assert "in stock 7" in part
    assert "item_no=3062" in part
    assert "hx-get" not in part
    assert sources.asked()


@pytest.mark.usefixtures("no_catalog")
def test_says_that_nobody_knows_it(staff: ShopClient, sources: SandboxProcess) -> None:
    page = staff.get("/inventory/look-up/?q=no1such", headers=LOOKED_UP).content.decode()
    assert "nor Rebrickable, BrickLink nor Brick Owl knows no1such" in page
    assert "Ask again" not in page
    assert "/inventory/add/?item_no=no1such" in staff.get("/inventory/look-up/?q=no1such").content.decode()


@pytest.mark.usefixtures("no_catalog", "quick")
def test_asks_again_who_was_away(staff: ShopClient, sources: SandboxProcess) -> None:
    sources.fault("html", service="rebrickable")
    page = staff.get("/inventory/look-up/?q=no1such", headers=LOOKED_UP).content.decode()
    assert "nor BrickLink nor Brick Owl knows no1such. Rebrickable can't be asked" in page
    assert "Ask again" in page


@pytest.mark.usefixtures("no_catalog", "quick")
def test_says_that_it_cannot_be_looked_up_now(staff: ShopClient, sources: SandboxProcess) -> None:
    sources.fault("html")
    page = staff.get("/inventory/look-up/?q=3062", headers=LOOKED_UP).content.decode()
    assert "Rebrickable, BrickLink and Brick Owl can&#x27;t be asked for the moment" in page


def test_asks_nobody_without_a_key(staff: ShopClient, sandbox: SandboxProcess) -> None:
    with override_settings(CATALOG_SOURCES={code: {"url": place["url"]} for code, place in sandbox.sources.items()}):
        page = staff.get("/inventory/look-up/?q=x9y9z9").content.decode()
    assert "The catalog doesn't know x9y9z9" in page
    assert 'hx-trigger="load"' not in page.partition('id="looked-up"')[2].partition("</div>")[0]
