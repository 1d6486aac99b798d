"""The pages of an import, as somebody who may import sees them."""

from http import HTTPStatus
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from common.testing.people import make_user
from inventory.models import InventoryImport, InventoryItem
from inventory.tests.test_importing import _finish_jobs, bsx, item

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client: Any) -> Any:
    """Answer a browser in which the owner is signed in."""
    client.force_login(make_user())
    return client


def _upload(owner: Any, content: bytes, *, key: str = "k", name: str = "stock.bsx") -> Any:
    answer = owner.post(reverse("inventory:imports"), {"file": SimpleUploadedFile(name, content), "key": key})
    _finish_jobs()
    return answer


def test_a_file_goes_through_preview_approval_and_report(owner: Any) -> None:
    answer = _upload(owner, bsx(item(Remarks="A-1"), item(ColorID=99999), item(ItemID="3003")))
    page = owner.get(answer["Location"]).content.decode()
    assert "Import 2 lines" in page
    assert "3003" in page
    assert "99999" in owner.get(f"{answer['Location']}?lines=PROBLEM").content.decode()
    owner.post(reverse("inventory:import_approve", args=[InventoryImport.objects.get().pk]))
    _finish_jobs()
    page = owner.get(answer["Location"]).content.decode()
    assert "2 lots added" in page
    assert "1 line with a problem left out" in page
    assert "Revert import" in page
    assert InventoryItem.objects.count() == 2


def test_the_problem_lines_are_a_file_in_which_nothing_is_a_formula(owner: Any) -> None:
    _upload(owner, bsx(item(ItemID="", Remarks="x"), item(Price="=1+1")))
    run = InventoryImport.objects.get()
    answer = owner.get(reverse("inventory:import_problems", args=[run.pk]))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert text.splitlines()[0] == "Line,Problem,Field,What stands there"
    assert len(text.splitlines()) == 3
    assert ",=1" not in text


def test_pressing_twice_uploads_once(owner: Any) -> None:
    first, second = (_upload(owner, bsx(item()), key="same") for _ in range(2))
    assert first["Location"] == second["Location"]


@pytest.mark.parametrize(("content", "words"), [(b"%PDF-1.4", "a PDF"), (b"hello", "no file of stock")])
def test_a_file_of_another_kind_is_refused_in_words(owner: Any, content: bytes, words: str) -> None:
    answer = _upload(owner, content)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert words in answer.content.decode()


def test_another_currency_is_asked_about(owner: Any) -> None:
    answer = _upload(owner, bsx(item(Price="2.00"), currency="USD"))
    run = InventoryImport.objects.get()
    assert "One USD is how many EUR?" in owner.get(answer["Location"]).content.decode()
    owner.post(reverse("inventory:import_answers", args=[run.pk]), {"rate": "0.5"})
    _finish_jobs()
    owner.post(reverse("inventory:import_approve", args=[run.pk]))
    _finish_jobs()
    assert str(InventoryItem.objects.get().unit_price) == "1.0000"


def test_other_choices_make_another_preview(owner: Any) -> None:
    _upload(owner, bsx(item()))
    run = InventoryImport.objects.get()
    owner.post(reverse("inventory:import_again", args=[run.pk]), {"way": "fields"})
    _finish_jobs()
    run.refresh_from_db()
    assert run.counts == {"rows": 1, "SKIPPED": 1}
    assert "nothing to import" in owner.get(reverse("inventory:import", args=[run.pk])).content.decode()


def test_a_discarded_file_is_gone(owner: Any) -> None:
    _upload(owner, bsx(item()))
    run = InventoryImport.objects.get()
    owner.post(reverse("inventory:import_discard", args=[run.pk]))
    run.refresh_from_db()
    assert run.status == "CANCELLED"
    assert not run.lines.exists()


def test_a_picker_may_not_import(client: Any) -> None:
    client.force_login(make_user(role="picker", email="p@example.com"))
    assert client.get(reverse("inventory:imports")).status_code == HTTPStatus.FORBIDDEN
