"""A lot is put somewhere else from its cell in the list: offered places, new codes, and what is refused."""

from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import ChangeSet
from common.testing.people import make_user
from inventory import services
from inventory.codes import lot_payload
from inventory.models import InventoryItem, InventoryItemLocation, Location
from inventory.testing import make_location, make_lot

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    """Answer the browser of somebody who keeps the stock."""
    client.force_login(make_user(role="staff"))
    return client


def _placed(lot: InventoryItem) -> dict[str, int]:
    return dict(
        InventoryItemLocation.objects.filter(inventory_item=lot, qty__gt=0).values_list("location__code", "qty")
    )


def _put(staff: Client, lot: InventoryItem, entry: str, **more: str) -> Any:
    return staff.post(reverse("inventory:place_lot", args=[lot.pk]), {"entry": entry, "seen": "", **more})


def test_a_lot_that_lies_nowhere_goes_there_as_a_whole(staff: Client) -> None:
    lot = make_lot(qty=12)
    make_location("A-1")
    answer = _put(staff, lot, "a-1")
    assert answer.status_code == HTTPStatus.OK
    assert "A-1" in answer.content.decode()
    assert "3001 Red moved to a-1" in answer.headers["HX-Trigger"]
    assert _placed(lot) == {"A-1": 12}


def test_a_label_can_be_scanned_into_the_cell(staff: Client) -> None:
    lot = make_lot(qty=12, location=make_location("A-1"))
    make_location("B-1")
    _put(staff, lot, "BKN-LOC:B-1", seen="A-1")
    assert _placed(lot) == {"B-1": 12}


def test_of_several_places_only_the_shown_one_is_emptied(staff: Client) -> None:
    lot, first, second = make_lot(qty=12), make_location("A-1"), make_location("A-2")
    moves = [services.PieceMove(lot_id=lot.pk, target_id=place.pk, qty=5) for place in (first, second)]
    services.move_pieces(moves=moves, now=timezone.now())
    make_location("B-1")
    _put(staff, lot, "B-1", seen="A-1")
    assert _placed(lot) == {"A-2": 5, "B-1": 5}
    _put(staff, lot, "", seen="A-2")
    assert _placed(lot) == {"B-1": 5}


def test_a_new_code_is_made_when_that_is_said_in_one_change_set(staff: Client) -> None:
    lot = make_lot(qty=12)
    answer = _put(staff, lot, "C-9")
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "There is no location C-9 yet." in answer.content.decode()
    assert not Location.objects.exists()
    before = ChangeSet.objects.count()
    assert _put(staff, lot, "C-9", make="1").status_code == HTTPStatus.OK
    assert _placed(lot) == {"C-9": 12}
    assert ChangeSet.objects.count() == before + 1
    assert ChangeSet.objects.latest("created_at").action == "inventory.move_pieces"


@pytest.mark.parametrize(
    ("entry", "seen", "said"),
    [
        ("B-1", "", "It lies at A-1 by now."),
        ("A-1", "A-1", "There are no pieces to put there."),
        ("x" * 41, "A-1", "A code has at most 40 characters."),
        ("A, B", "A-1", "Commas and semicolons separate codes"),
        ("FULL", "A-1", "FULL"),
        ("OLD", "A-1", "OLD"),
    ],
)
def test_what_can_not_be_is_said_in_the_cell(staff: Client, entry: str, seen: str, said: str) -> None:
    lot = make_lot(qty=12, location=make_location("A-1"))
    make_location("B-1")
    make_lot(item_no="3003", qty=1, location=make_location("FULL", capacity=1))
    make_location("OLD", is_active=False)
    answer = _put(staff, lot, entry, seen=seen, make="1")
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert said in answer.content.decode().replace("&#x27;", "'")
    assert _placed(lot) == {"A-1": 12}


def test_offered_are_the_places_of_the_same_then_free_ones(staff: Client) -> None:
    make_lot(qty=3, location=make_location("Z-1"))
    make_location("A-1")
    lot = make_lot(qty=12)
    page = staff.get(reverse("inventory:places", args=[lot.pk])).content.decode()
    assert page.index("Z-1") < page.index("A-1")
    assert "The same lies there already." in page


def test_while_typing_codes_that_begin_so_come_first_and_a_new_one_can_be_made(staff: Client) -> None:
    for code in ("B-A-1", "A-1", "A-10"):
        make_location(code)
    url = reverse("inventory:places", args=[make_lot().pk])
    page = staff.get(url, {"q": "a-1"}).content.decode()
    assert page.index('"A-1"') < page.index('"A-10"') < page.index('"B-A-1"')
    assert "data-make" not in page
    page = staff.get(url, {"q": "A-2"}).content.decode()
    assert 'data-value="A-2" data-make' in page
    page = staff.get(url, {"q": "A;2"}).content.decode()
    assert "data-make" not in page
    assert "No location in use has this in its code." in page


def test_a_lots_label_names_no_place(staff: Client) -> None:
    lot = make_lot()
    label = lot_payload(lot.pk)
    page = staff.get(reverse("inventory:places", args=[lot.pk]), {"q": label}).content.decode()
    assert "data-make" not in page
    answer = _put(staff, lot, label, make="1")
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "That is a lot&#x27;s label; scan a location." in answer.content.decode()
    assert not Location.objects.exists()


def test_who_only_looks_moves_nothing(client: Client) -> None:
    client.force_login(make_user(role="readonly"))
    lot = make_lot(qty=12)
    make_location("A-1")
    assert _put(client, lot, "A-1").status_code == HTTPStatus.FORBIDDEN
    assert 'data-edit="location"' not in client.get(reverse("inventory:list")).content.decode()
