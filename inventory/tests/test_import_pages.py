"""The pages of an import, as somebody who may import sees them."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from catalog.models import CurrencyRate
from common.testing.people import make_user
from inventory.models import InventoryImport, InventoryItem
from inventory.services import importing
from inventory.tests.test_importing import _finish_jobs, bsx, item
from jobs import services as jobs

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


def test_the_rate_of_the_day_is_filled_in(owner: Any) -> None:
    yesterday = timezone.now().date() - timedelta(days=1)
    CurrencyRate.objects.create(
        from_currency="USD", to_currency="EUR", day=yesterday, rate="0.917852", fetched_at=timezone.now()
    )
    page = owner.get(_upload(owner, bsx(item(Price="2.00"), currency="USD"))["Location"]).content.decode()
    assert 'value="0.917852"' in page
    assert f"European Central Bank&#x27;s rate of {yesterday:%-d %b %Y}" in page


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


def test_choices_that_nobody_previewed_are_shown_before_they_are_carried_out(owner: Any) -> None:
    _upload(owner, bsx(item()))
    run = InventoryImport.objects.get()
    approve = reverse("inventory:import_approve", args=[run.pk])
    owner.post(approve, {"way": "fields"})
    _finish_jobs()
    run.refresh_from_db()
    assert (run.status, run.counts) == ("PREVIEW", {"rows": 1, "SKIPPED": 1})
    assert not InventoryItem.objects.exists()
    owner.post(reverse("inventory:import_again", args=[run.pk]), {"way": "set"})
    _finish_jobs()
    for _press in range(2):
        owner.post(approve, {"way": "set"})
    _finish_jobs()
    assert InventoryItem.objects.count() == 1


def test_the_lines_are_paged_both_ways(owner: Any) -> None:
    _upload(owner, bsx(*(item(ItemID=f"9{number:03}") for number in range(120))))
    url = reverse("inventory:import", args=[InventoryImport.objects.get().pk])
    page = owner.get(url).content.decode()
    assert "1–50" in page
    assert 'rel="prev"' not in page
    page = owner.get(f"{url}?lines=NEW&after=100").content.decode()
    assert "101–120" in page
    assert 'rel="next"' not in page
    assert "after=50" in page
    assert "after=0" in owner.get(f"{url}?lines=NEW&after=50").content.decode()


def test_an_import_whose_job_was_cancelled_says_so_before_it_is_told(owner: Any) -> None:
    answer = owner.post(reverse("inventory:imports"), {"file": SimpleUploadedFile("a.bsx", bsx(item())), "key": "k"})
    run = InventoryImport.objects.get()
    assert "Waiting for its turn" in owner.get(answer["Location"]).content.decode()
    assert run.read_job_id
    jobs.cancel(job_id=run.read_job_id, now=timezone.now())
    page = owner.get(answer["Location"]).content.decode()
    assert "Cancelled. Nothing was changed." in page
    assert "every 3s" not in page
    assert ">Cancelled<" in owner.get(reverse("inventory:imports")).content.decode()


def test_a_reader_that_ends_badly_leaves_an_import_under_way_alone(owner: Any) -> None:
    _upload(owner, bsx(item()))
    run = InventoryImport.objects.get()
    importing.approve(import_id=run.pk, now=timezone.now())
    run.refresh_from_db()
    assert run.read_job_id
    assert run.apply_job_id
    importing.end_import(job_id=run.read_job_id, status="CANCELLED", now=timezone.now())
    run.refresh_from_db()
    assert run.status == "APPLYING"
    importing.end_import(job_id=run.apply_job_id, status="CANCELLED", now=timezone.now())
    run.refresh_from_db()
    assert run.status == "CANCELLED"


def test_an_import_is_taken_back_from_its_page(owner: Any) -> None:
    _upload(owner, bsx(item()))
    run = InventoryImport.objects.get()
    owner.post(reverse("inventory:import_approve", args=[run.pk]))
    _finish_jobs()
    run.refresh_from_db()
    url = reverse("inventory:import", args=[run.pk])
    assert reverse("audit:revert", args=[run.change_set_id]) in owner.get(url).content.decode()
    answer = owner.post(reverse("audit:revert", args=[run.change_set_id]), {"next": url})
    assert answer["Location"] == url
    page = owner.get(url).content.decode()
    assert "This import was taken back" in page
    assert reverse("audit:revert", args=[run.change_set_id]) not in page
    assert not InventoryItem.objects.exists()


@pytest.mark.parametrize(("typed", "price"), [("0,5", "1.0000"), (" 0.25 ", "0.5000")])
def test_a_rate_is_typed_with_point_or_comma(owner: Any, typed: str, price: str) -> None:
    _upload(owner, bsx(item(Price="2.00"), currency="USD"))
    run = InventoryImport.objects.get()
    owner.post(reverse("inventory:import_answers", args=[run.pk]), {"rate": typed})
    _finish_jobs()
    owner.post(reverse("inventory:import_approve", args=[run.pk]))
    _finish_jobs()
    assert str(InventoryItem.objects.get().unit_price) == price


@pytest.mark.parametrize("rate", ["", "0", "-1", "NaN", "1e9", "many"])
def test_a_rate_that_is_none_is_asked_again(owner: Any, rate: str) -> None:
    _upload(owner, bsx(item(), currency="USD"))
    run = InventoryImport.objects.get()
    answer = owner.post(reverse("inventory:import_answers", args=[run.pk]), {"rate": rate})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
