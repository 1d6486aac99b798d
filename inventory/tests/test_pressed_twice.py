"""A button that is pressed twice does once what it says; of one page two presses may mean two things all the same."""

import io
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from common import actor, workspace
from common.ids import derived_id, new_id
from common.testing.people import make_user
from inventory import services
from inventory.import_options import Options
from inventory.models import InventoryImport, InventoryItem
from inventory.services import importing
from inventory.testing import make_lot

ADD = "/inventory/add/"


@pytest.fixture
def staff(client: Client) -> Client:
    """Answer a browser of somebody who adds lots."""
    client.force_login(make_user(role="staff"))
    return client


def _press(browser: Client, key: str, **changes: str) -> None:
    sent = {"item_type": "PART", "item_no": "3001", "color_id": "Red", "qty_available": "4", "condition": "NEW",
            "next": "1", "key": key}  # fmt: skip
    assert browser.post(ADD, sent | changes).status_code == HTTPStatus.FOUND


@pytest.mark.django_db
def test_a_lot_is_added_once(staff: Client) -> None:
    key = staff.get(ADD).context["key"]
    for _press_too_many in range(3):
        _press(staff, str(key))
    lot = InventoryItem.objects.get()
    assert lot.qty_available == 4
    assert len(staff.get(ADD).context["recent"]) == 1
    _press(staff, str(key), item_no="3002")
    _press(staff, str(new_id()))
    _press(staff, "")
    _press(staff, "no key")
    assert InventoryItem.objects.count() == 5
    assert services.verify_stock() == []


@pytest.mark.django_db
def test_pieces_are_added_once(staff: Client) -> None:
    lot = make_lot(qty=10)
    key = str(staff.get(ADD).context["key"])
    for _press_too_many in range(2):
        _press(staff, key, add_to=str(lot.pk))
    lot.refresh_from_db()
    assert lot.qty_available == 14
    _press(staff, key, add_to=str(lot.pk), qty_available="1")
    lot.refresh_from_db()
    assert lot.qty_available == 15
    assert services.verify_stock() == []


def test_a_key_that_is_derived_keeps_its_time() -> None:
    key, later = new_id(), new_id()
    made = derived_id(key, "3001")
    assert made == derived_id(key, "3001") != derived_id(later, "3001") != derived_id(later, "3002")
    assert (made.bytes[:6], made.version, made.variant) == (key.bytes[:6], 7, key.variant)


def _at_once(work: Callable[[], Any], count: int) -> list[Any]:
    answers: list[Any] = []
    shop, start = workspace.current_key(), threading.Barrier(count)

    def run() -> None:
        try:
            with workspace.enter(shop), actor.use(actor.SYSTEM):
                start.wait()
                answers.append(work())
        except BaseException as failure:  # handed to the test
            answers.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.django_db(transaction=True)
def test_presses_at_once_begin_one_import() -> None:
    content = b'{"lots": [{"item_type": "PART", "item_no": "3001", "color_id": 5, "condition": "NEW", "qty": 1}]}'
    answers = _at_once(
        lambda: (
            importing.start_import(
                file=io.BytesIO(content), file_name="a.json", options=Options(), key="once", now=timezone.now()
            ).pk
        ),
        5,
    )
    assert answers == [InventoryImport.objects.get().pk] * 5


@pytest.mark.django_db(transaction=True)
def test_presses_at_once_add_one_lot() -> None:
    key = new_id()
    values = {"item_type": "PART", "item_no": "3001", "color_id": 5, "condition": "NEW"}
    answers = _at_once(
        lambda: services.create_lot(values=values, qty_available=3, lot_id=key, now=timezone.now()).pk, 5
    )
    assert answers == [key] * 5
    assert InventoryItem.objects.get().qty_available == 3
    assert services.verify_stock() == []
