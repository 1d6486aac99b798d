"""The pages of what has no mapping, and of the shop's own mappings, as somebody sees and uses them."""

from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import MappingOffer
from common.testing.people import make_user
from inventory.choices import UnmappedOrigin
from inventory.models import InventoryImport, InventoryItem, ItemMapping, LeftUnmapped
from inventory.questions import Question
from inventory.services import Met, note_unmapped
from inventory.testing import make_lot
from inventory.tests.test_importing import _finish_jobs, imported, preview

pytestmark = pytest.mark.django_db

HEAD = b"BOID,Color id,Condition,Qty,Price,Item name\n"
OWL = {"system": "brickowl", "number": "900999", "item_type": "", "color_there": "", "direction": "INBOUND"}
STOCK = {"system": "bricklink", "number": "zz1", "item_type": "PART", "color_there": "", "direction": "INBOUND"}


@pytest.fixture
def browser(client: Client) -> Client:
    """Answer the browser of somebody who works here."""
    client.force_login(make_user(role="owner", name="Ana"))
    return client


def _text(browser: Client, path: str, status: int = 200) -> str:
    answer = browser.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    return " ".join(answer.content.decode().split())


def _decide(browser: Client, **values: Any) -> str:
    answer = browser.post("/catalog/unmapped/decide/", values, follow=True)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_one_thing_at_a_time_with_what_it_may_be(browser: Client) -> None:
    preview(HEAD + b"900998,5,N,1,0.5,\n900999,5,N,10,0.5,Brick 2 x 4\n")
    page = _text(browser, "/catalog/unmapped/")
    assert "2 numbers without a mapping keep €5.50 off sale" in page
    assert "<strong>900999</strong> Brick 2 x 4" in page
    assert "Its name is alike" in page
    assert 'value="PART::3001" data-key="1"' in page
    assert 'data-key="0"' in page
    assert "<strong>900998</strong>" in _text(browser, "/catalog/unmapped/?skip=1")
    assert "<strong>900999</strong>" in _text(browser, "/catalog/unmapped/?skip=77"), "beyond the end it begins again"


def test_a_decision_leads_to_the_next_and_offers_undo(browser: Client) -> None:
    preview(HEAD + b"900998,5,N,1,0.5,\n900999,5,N,10,0.5,\n")
    page = _decide(browser, **OWL, pick="PART::3001")
    assert "Brick Owl 900999 is 3001." in page
    assert 'data-undo="/audit/' in page
    assert "<strong>900998</strong>" in page
    assert str(ItemMapping.objects.get().decided_by) in _text(browser, "/catalog/mappings/")
    page = _decide(browser, **OWL, pick="PART::3001")
    assert "data-undo" not in page, "a second press changes nothing"
    page = _decide(browser, **OWL, pick="PART::3023")
    assert "Somebody has said meanwhile that this is 3001" in page
    assert ItemMapping.objects.get().item_no == "3001"


def test_none_of_these_is_listed_and_asked_again_on_demand(browser: Client) -> None:
    preview(HEAD + b"900999,5,N,10,0.5,\n")
    answer = browser.post("/catalog/unmapped/leave/", OWL, follow=True)
    page = " ".join(answer.content.decode().split())
    assert "900999 isn't asked about again" in page.replace("&#x27;", "'")
    assert "Nothing is unmapped" in page
    assert "900999" in _text(browser, "/catalog/unmapped/all/?show=left")
    assert "No number has that in it" in _text(browser, "/catalog/unmapped/all/?show=left&q=77777")
    browser.post(reverse("catalog:reopen", args=[LeftUnmapped.objects.get().pk]))
    assert "<strong>900999</strong>" in _text(browser, "/catalog/unmapped/")


def test_lots_in_stock_change_or_keep_their_number(browser: Client) -> None:
    make_lot(item_no="zz1", item_name="Brick 2 x 4", qty=7)
    page = _text(browser, "/catalog/unmapped/?origin=stock")
    assert "Change 1 lot to 3001" in page
    assert "Keep zz1, treat as 3001" in page
    assert "/inventory/?type=PART&amp;item_no=zz1" in page
    assert "1 lot changed from zz1 to 3001." in _decide(browser, **STOCK, change="PART::3001")
    assert InventoryItem.objects.get().item_no == "3001"


def test_ones_own_search_offers_what_it_finds(browser: Client) -> None:
    make_lot(item_no="zz1", item_name="")
    assert 'name="change" value="PART::3023"' in _text(browser, "/catalog/unmapped/?q=3023")
    page = _text(browser, "/catalog/unmapped/?q=21200-1&type=SET")
    assert 'value="SET::21200-1"' in page
    assert "Nothing is found by “qqqq9”" in _text(browser, "/catalog/unmapped/?q=qqqq9")


def test_an_element_takes_its_color_along(browser: Client) -> None:
    preview(b"LEGO element id,Condition,Qty,Price\n99999999,N,1,0.1\n")
    assert 'name="color"' in _text(browser, "/catalog/unmapped/")
    question = {**OWL, "system": "element", "number": "99999999"}
    assert "no color" in _decide(browser, **question, pick="PART::3001", color="Reddish nonsense").lower()
    _decide(browser, **question, pick="PART::3001", color="Red")
    assert ItemMapping.objects.get().color_id == 5
    assert not MappingOffer.objects.exists()


def test_a_file_leads_to_its_numbers_and_back_to_its_lines(browser: Client) -> None:
    run = imported(HEAD + b"900999,5,N,10,0.5,\n")
    page = _text(browser, f"/inventory/import/{run.pk}/")
    assert "1 number of this file means nothing here yet" in page
    assert f"/catalog/unmapped/?import={run.pk}" in page
    page = _decide(browser, **OWL, pick="PART::3001", **{"import": str(run.pk)})
    assert "Import left-out lines again" in page
    answer = browser.post(f"/inventory/import/{run.pk}/left-out/")
    _finish_jobs()
    again = InventoryImport.objects.exclude(pk=run.pk).get()
    assert answer["Location"] == f"/inventory/import/{again.pk}/"
    page = _text(browser, answer["Location"])
    assert "only the lines that an earlier import of this file left out" in page
    assert "Import 1 line<" in page
    assert "was imported" not in page


def test_hostile_names_are_shown_as_they_are(browser: Client) -> None:
    preview(HEAD + b'"<script>x</script>",5,N,10,0.5,"<img src=x onerror=alert(1)>"\n')
    for path in ("/catalog/unmapped/", "/catalog/unmapped/all/"):
        page = _text(browser, path)
        assert "<script>x" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;x" in page


def test_what_a_channel_asks_is_answered_with_a_number(browser: Client) -> None:
    question = Question("brickowl", "3001", "PART", "5", "OUTBOUND")
    note_unmapped(origin=UnmappedOrigin.CHANNEL, met=[Met(question=question, reason="NO_NUMBER")], system="brickowl")
    page = _text(browser, "/catalog/unmapped/")
    assert "What is this at Brick Owl?" in page
    assert 'name="external_id"' in page
    sent = {"system": "brickowl", "number": "3001", "item_type": "PART", "color_there": "5", "direction": "OUTBOUND"}
    assert "A number of 1 to 60 characters" in _decide(browser, **sent, external_id=" ")
    assert "3001 is Brick Owl 771344." in _decide(browser, **sent, external_id="771344")


@pytest.mark.parametrize(
    "wrong",
    [
        {"system": "ebay"},
        {"number": ""},
        {"item_type": "BRICK"},
        {"direction": "UP"},
        {"number": "9" * 61},
        {"color_there": "9" * 21},
    ],
)
def test_a_form_that_asks_nothing_is_refused(browser: Client, wrong: dict[str, str]) -> None:
    for path in ("/catalog/unmapped/decide/", "/catalog/unmapped/leave/"):
        assert browser.post(path, {**OWL, "pick": "PART::3001", **wrong}).status_code == HTTPStatus.BAD_REQUEST
    assert not ItemMapping.objects.exists()


@pytest.mark.parametrize("pick", ["", "PART", "PART:5", "::", "PART:x:3001", "PART::" + "9" * 500])
def test_a_choice_of_nothing_is_refused_in_words(browser: Client, pick: str) -> None:
    page = _decide(browser, **OWL, pick=pick)
    assert ItemMapping.objects.exists() == (pick == "PART:x:3001")
    assert "Choose an item" in page or pick == "PART:x:3001"


def test_whoever_only_looks_decides_nothing(client: Client) -> None:
    client.force_login(make_user(role="readonly"))
    make_lot(item_no="zz1", item_name="Brick 2 x 4")
    page = _text(client, "/catalog/unmapped/")
    assert "<strong>3001</strong>" in page
    assert 'name="change"' not in page
    assert client.post("/catalog/unmapped/decide/", {**STOCK, "pick": "PART::3001"}).status_code == 403
    assert client.post("/catalog/unmapped/leave/", STOCK).status_code == 403


# --- Own mappings ---------------------------------------------------------------------------------------------------
def _form(**values: str) -> dict[str, str]:
    return {"system": "brickowl", "external_id": "900999", "external_color": "", "item_no": "3001",
            "item_type": "PART", "color": "", **values}  # fmt: skip


def test_own_mappings_are_added_found_changed_and_deleted(browser: Client) -> None:
    assert "No mappings of your own yet" in _text(browser, "/catalog/mappings/")
    page = browser.post("/catalog/mappings/new/", _form(), follow=True).content.decode()
    assert "Brick Owl 900999 is 3001." in page
    assert MappingOffer.objects.get().item_no == "3001"
    again = browser.post("/catalog/mappings/new/", _form(item_no="3023"))
    assert again.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "You have said that this is 3001" in again.content.decode()
    assert "900999" in _text(browser, "/catalog/mappings/?q=9009&system=brickowl")
    assert "No mapping matches" in _text(browser, "/catalog/mappings/?system=ldraw")
    mapping = ItemMapping.objects.get()
    assert "Brick Owl 900999" in _text(browser, f"/catalog/mappings/{mapping.pk}/")
    browser.post(f"/catalog/mappings/{mapping.pk}/", _form(item_no="3023", color="Red"))
    mapping.refresh_from_db()
    assert (mapping.item_no, mapping.color_id) == ("3023", 5)
    assert [offer.item_no for offer in MappingOffer.objects.all()] == ["3023"]
    page = browser.post(f"/catalog/mappings/{mapping.pk}/delete/", follow=True).content.decode()
    assert "is what the catalog says again" in page
    assert not MappingOffer.objects.exists()
    assert browser.post(f"/catalog/mappings/{mapping.pk}/delete/").status_code == 404


def test_a_wrong_mapping_is_refused_beside_its_field(browser: Client) -> None:
    for wrong in ({"color": "Nonsense"}, {"item_no": ""}, {"external_id": "x" * 61}, {"system": "ebay"},
                  {"item_type": "SET", "color": "Red"}):  # fmt: skip
        answer = browser.post("/catalog/mappings/new/", _form(**wrong))
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, wrong
    assert not ItemMapping.objects.exists()


def test_deleting_is_undone_with_what_was_offered(browser: Client) -> None:
    browser.post("/catalog/mappings/new/", _form(), follow=True)
    mapping = ItemMapping.objects.get()
    page = browser.post(f"/catalog/mappings/{mapping.pk}/delete/", follow=True).content.decode()
    undo = page.split('data-undo="')[1].split('"')[0]
    browser.post(undo)
    assert ItemMapping.objects.get().item_no == "3001"
    assert MappingOffer.objects.get().voices.count() == 1
