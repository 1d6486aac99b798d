"""Stock as a file: what the list shows or what is chosen, streamed, for those who may."""

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from common.ids import new_id
from common.testing.people import make_user
from inventory.testing import make_location, make_lot
from inventory.tests.conftest import Fill

pytestmark = pytest.mark.django_db
MEGABYTE = 1024 * 1024


@pytest.fixture
def staff(client: Client) -> Client:
    """Answer a browser of somebody who may export."""
    client.force_login(make_user(role="staff"))
    return client


def _pieces(answer: Any) -> Iterator[bytes]:
    assert answer.status_code == HTTPStatus.OK, answer.content
    return iter(answer.streaming_content)


def _rows(answer: Any) -> list[dict[str, str]]:
    text = b"".join(_pieces(answer)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_file_has_what_the_filters_leave(staff: Client) -> None:
    make_lot(item_no="3001", remarks="A-1", location=make_location("A-1"))
    make_lot(item_no="3003")
    url = reverse("inventory:export")
    answer = staff.get(url, {"format": "csv", "q": "3001", "sort": "-price", "density": "compact"})
    assert answer["Content-Disposition"].endswith('.csv"')
    assert len(_rows(answer)) == 1
    assert len(_rows(staff.get(url, {"format": "csv"}))) == 2
    assert "3003" not in b"".join(_pieces(staff.get(url, {"format": "bsx", "q": "3001"}))).decode()


@pytest.mark.parametrize("code", ["bsx", "bricklink_xml", "bricklink_update", "csv", "xlsx", "json"])
def test_every_format_of_the_menu_is_there(staff: Client, code: str) -> None:
    make_lot(bricklink_lot_id=7)
    page = staff.get(reverse("inventory:list")).content.decode()
    assert f'href="{reverse("inventory:export")}?format={code}"' in page
    assert len(b"".join(_pieces(staff.get(reverse("inventory:export"), {"format": code})))) > 0


def test_no_cell_is_a_formula(staff: Client) -> None:
    make_lot(remarks="=cmd|' /C calc'!A0", description="@SUM(A1)", item_name="+1+1")
    [row] = _rows(staff.get(reverse("inventory:export"), {"format": "csv"}))
    assert not [cell for cell in row.values() if cell and cell[0] in "=+@-"]


def test_chosen_lots_go_out_however_many(staff: Client) -> None:
    lots = [make_lot(item_no=str(number)) for number in (3001, 3002, 3003)]
    ids = " ".join(str(key) for key in [lots[0].pk, lots[2].pk, *(new_id() for _ in range(10_000))])
    answer = staff.post(reverse("inventory:export"), {"format": "json", "ids": ids, "query": "", "all": ""})
    found = json.loads(b"".join(_pieces(answer)))
    text = json.dumps(found)
    assert '"3001"' in text
    assert '"3003"' in text
    assert '"3002"' not in text
    everything = {"format": "csv", "ids": "", "query": "q=3002", "all": "1"}
    assert len(_rows(staff.post(reverse("inventory:export"), everything))) == 1


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"format": "csv", "ids": "nonsense"}, HTTPStatus.BAD_REQUEST),
        ({"format": "csv", "ids": " ".join([str(UUID(int=1))] * 20_001)}, HTTPStatus.BAD_REQUEST),
        ({"format": "exe", "ids": str(UUID(int=1))}, HTTPStatus.NOT_FOUND),
        ({}, HTTPStatus.NOT_FOUND),
    ],
)
def test_what_can_not_be_exported_is_refused(staff: Client, data: dict[str, str], status: int) -> None:
    assert staff.post(reverse("inventory:export"), data).status_code == status


def test_an_unknown_format_of_an_address_is_not_found(staff: Client) -> None:
    assert staff.get(reverse("inventory:export"), {"format": "../csv"}).status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("role", ["picker", "readonly"])
def test_who_may_not_export_sees_no_export(client: Client, role: str) -> None:
    client.force_login(make_user(role=role))
    make_lot()
    assert client.get(reverse("inventory:export"), {"format": "csv"}).status_code == HTTPStatus.FORBIDDEN
    page = client.get(reverse("inventory:list")).content.decode()
    assert "export-menu" not in page
    assert reverse("inventory:imports") not in page


@pytest.mark.parametrize("code", ["csv", "bsx", "json"])
def test_memory_does_not_grow_with_the_stock(staff: Client, fill: Fill, code: str) -> None:
    fill(12_000)
    answer = staff.get(reverse("inventory:export"), {"format": code, "qty_min": "0"})
    pieces = _pieces(answer)
    next(pieces)
    tracemalloc.start()
    try:
        size = sum(len(piece) for piece in pieces)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 1.5 * MEGABYTE
    # A chunk of lots at a time, whatever there is.
    assert peak < 12 * MEGABYTE
