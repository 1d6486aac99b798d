"""Many lots in one request: all or none, or each for itself, as one deed that one Undo takes back."""

from decimal import Decimal
from time import monotonic
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.utils import timezone

from audit.models import ChangeSet
from audit.services import revert
from common.ids import new_id
from events.models import Event
from inventory import services
from inventory.models import InventoryItem, InventoryItemLocation, StockMovement
from inventory.testing import make_location, make_lot
from inventory.tests.api import Program, problem

pytestmark = pytest.mark.django_db

BRICK = {"item_type": "PART", "item_no": "3001", "color_id": 5, "condition": "NEW", "qty_available": 4}


@pytest.fixture
def program() -> Program:
    """Answer a program of the owner's."""
    return Program()


def send(program: Program, *operations: dict[str, Any], mode: str = "per_item", **headers: str) -> Any:
    return program.send("POST", "/inventory/bulk", {"mode": mode, "operations": list(operations)}, **headers)


def create(**values: Any) -> dict[str, Any]:
    return {"action": "create", "values": {**BRICK, **values}}


def update(lot: InventoryItem, version: int | None = 1, **values: Any) -> dict[str, Any]:
    wanted = {"action": "update", "id": str(lot.pk), "values": values}
    return wanted if version is None else {**wanted, "version": version}


def delete(lot: InventoryItem, version: int = 1) -> dict[str, Any]:
    return {"action": "delete", "id": str(lot.pk), "version": version}


@pytest.mark.parametrize("mode", ["all_or_nothing", "per_item"])
def test_adds_changes_and_deletes_as_one_deed(program: Program, mode: str) -> None:
    place = make_location()
    changed, counted, gone = make_lot(), make_lot(qty=10, low_stock_threshold=5), make_lot()
    answer = send(
        program,
        create(location_id=str(place.pk), remarks="new"),
        update(changed, unit_price="0.5", condition="USED", sub_condition="GOOD"),
        update(counted, qty_available=3, remarks="both"),
        delete(gone),
        create(item_type="SET", item_no="75192-1", color_id=None, qty_available=0),
        mode=mode,
    )
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["done"], body["failed"]) == (5, 0)
    assert [row["status"] for row in body["results"]] == [201, 200, 200, 204, 201]
    assert [row["version"] for row in body["results"]] == [1, 2, 3, None, 1]
    assert [row["id"] for row in body["results"]][1:4] == [str(changed.pk), str(counted.pk), str(gone.pk)]
    new = InventoryItem.objects.get(pk=body["results"][0]["id"])
    assert (new.qty_available, new.color_name, new.location_key != "") == (4, "Red", True)
    changed.refresh_from_db()
    assert (changed.unit_price, changed.sub_condition, changed.version) == (Decimal("0.5"), "GOOD", 2)
    counted.refresh_from_db()
    assert (counted.qty_available, counted.remarks, counted.version) == (3, "both", 3)
    assert not InventoryItem.objects.filter(pk=gone.pk).exists()
    assert services.verify_stock() == []
    assert ChangeSet.objects.filter(action="inventory.bulk").count() == 1
    told = set(Event.objects.values_list("event_type", flat=True))
    assert {"inventory.created", "inventory.updated", "inventory.deleted", "inventory.low_stock"} <= told


def test_one_undo_takes_all_of_it_back(program: Program) -> None:
    changed, gone = make_lot(remarks="before"), make_lot(remarks="gone")
    send(program, create(), update(changed, remarks="after", qty_available=1), delete(gone))
    revert(change_set_id=ChangeSet.objects.get(action="inventory.bulk").pk)
    rows = InventoryItem.objects.order_by("remarks").values_list("pk", "remarks", "qty_available")
    assert list(rows) == [(changed.pk, "before", 10), (gone.pk, "gone", 10)]
    assert services.verify_stock() == []


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        (lambda lot: create(color_id=99999), 422),
        (lambda lot: create(location_id=str(new_id())), 422),
        (lambda lot: create(bricklink_lot_id=7), 422),
        (lambda lot: update(lot, version=9, remarks="x"), 409),
        (lambda lot: update(lot, version=None, remarks="x"), 428),
        (lambda lot: update(lot, location_id=str(new_id())), 422),
        (lambda lot: {**update(lot, remarks="x"), "id": str(new_id())}, 404),
        (lambda lot: {"action": "update", "version": 1, "values": {"remarks": "x"}}, 422),
        (lambda lot: {**delete(lot), "version": 9}, 409),
    ],
)
def test_one_that_cannot_be_done_stops_all_or_only_itself(program: Program, wrong: Any, status: int) -> None:
    lot, other = make_lot(), make_lot(bricklink_lot_id=7)
    operations = [create(remarks="first"), wrong(lot), update(other, remarks="last")]
    before = list(InventoryItem.objects.order_by("pk").values())
    movements = StockMovement.objects.count()
    refused = send(program, *operations, mode="all_or_nothing")
    assert refused.status_code == status
    told = refused.json()
    assert told["operation"] == 1
    assert all(pointer.startswith("/operations/1/") for pointer in told.get("errors", {}))
    assert list(InventoryItem.objects.order_by("pk").values()) == before
    assert StockMovement.objects.count() == movements
    assert not ChangeSet.objects.filter(action="inventory.bulk").exists()

    body = send(program, *operations).json()
    assert [row["status"] for row in body["results"]] == [201, status, 200]
    assert (body["done"], body["failed"]) == (2, 1)
    assert body["results"][1]["problem"]["title"]
    assert "problem" not in body["results"][0]
    other.refresh_from_db()
    assert other.remarks == "last"
    assert services.verify_stock() == []


def test_names_what_is_there_now_to_one_who_was_late(program: Program) -> None:
    lot = make_lot()
    services.update_lot(lot_id=lot.pk, changes={"remarks": "hers"}, expected_version=1, now=timezone.now())
    [row] = send(program, update(lot, remarks="his")).json()["results"]
    assert (row["status"], row["problem"]["current_version"]) == (409, 2)


def test_a_lot_is_named_once(program: Program) -> None:
    lot = make_lot()
    rows = send(program, update(lot, remarks="x"), delete(lot, version=2)).json()["results"]
    assert [row["status"] for row in rows] == [200, 422]
    assert "Operation 0" in rows[1]["problem"]["errors"]["/id"][0]


def test_two_lots_never_get_one_number_of_bricklink(program: Program) -> None:
    gone = make_lot(bricklink_lot_id=5)
    operations = [create(bricklink_lot_id=6), create(bricklink_lot_id=6), create(bricklink_lot_id=5), delete(gone)]
    rows = send(program, *operations).json()["results"]
    assert [row["status"] for row in rows] == [201, 422, 201, 204]
    assert set(InventoryItem.objects.values_list("bricklink_lot_id", flat=True)) == {5, 6}


def test_a_place_takes_no_more_than_fit(program: Program) -> None:
    place = make_location(capacity=2)
    operations = [create(location_id=str(place.pk)) for _ in range(3)]
    rows = send(program, *operations).json()["results"]
    assert [row["status"] for row in rows] == [201, 201, 409]
    assert InventoryItemLocation.objects.filter(location=place).count() == 2
    assert InventoryItem.objects.count() == 2


def test_keeps_promised_lots(program: Program) -> None:
    lot = make_lot()
    services.reserve_stock(needs=[services.Need(lot_id=lot.pk, qty=1, cause_key="1")], now=timezone.now())
    [row] = send(program, delete(lot, version=2)).json()["results"]
    assert (row["status"], InventoryItem.objects.count()) == (409, 1)


def test_deleting_needs_its_own_permission() -> None:
    Program("owner")
    program = Program("readonly")
    # By name: accounts stand above.
    role = apps.get_model("accounts", "Role").objects.create(name="Clerk", permissions=["inventory:write"])
    user = get_user_model().objects.get(email="readonly@shop.example")
    apps.get_model("accounts", "UserRole").objects.create(user=user, role=role)
    lot, other = make_lot(), make_lot()
    rows = send(program, delete(lot), update(other, remarks="x")).json()["results"]
    assert [row["status"] for row in rows] == [403, 200]
    assert rows[0]["problem"]["permission"] == "inventory:delete"
    assert problem(send(program, delete(lot), mode="all_or_nothing")) == (403, "permission-denied")


@pytest.mark.parametrize(
    "body",
    [
        {"operations": [create()]},
        {"mode": "sometimes", "operations": [create()]},
        {"mode": "per_item", "operations": []},
        {"mode": "per_item", "operations": [create()] * 1001},
        {"mode": "per_item", "operations": [{"action": "explode"}]},
        {"mode": "per_item", "operations": [create(colour=5)]},
        {"mode": "per_item", "operations": [create(unit_price=0.5)]},
    ],
)
def test_refuses_a_body_that_it_does_not_understand(program: Program, body: dict[str, Any]) -> None:
    assert problem(program.send("POST", "/inventory/bulk", body)) == (422, "invalid")
    assert not InventoryItem.objects.exists()


def test_is_done_once_under_one_key(program: Program) -> None:
    first, second = (send(program, create(), Idempotency_Key="k") for _ in range(2))
    assert first.content == second.content
    assert InventoryItem.objects.count() == 1


def test_a_thousand_take_no_longer_than_somebody_waits(program: Program) -> None:
    lots = [make_lot() for _ in range(20)]
    operations = [create(item_no=str(number), location_id=str(make_location(f"A-{number}").pk)) for number in range(20)]
    operations += [create(item_no=str(number)) for number in range(960)]
    began = monotonic()
    body = send(program, *operations, *(update(lot, qty_available=1, remarks="x") for lot in lots)).json()
    assert (body["done"], body["failed"]) == (1000, 0)
    assert monotonic() - began < 10
    assert services.verify_stock() == []
