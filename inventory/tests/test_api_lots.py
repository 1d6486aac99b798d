"""Lots over HTTP: listed by everything, added, changed and deleted from the version seen."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from audit import bulk
from audit.models import ChangeSet, Source
from common.ids import new_id
from common.testing.query_counts import counted
from inventory import services
from inventory.models import InventoryItem, StockMovement
from inventory.testing import make_location, make_lot
from inventory.tests.api import Program, problem

pytestmark = pytest.mark.django_db

BRICK = {"item_type": "PART", "item_no": "3001", "color_id": 5, "condition": "NEW"}


@pytest.fixture
def program() -> Program:
    """Answer a program of the owner's."""
    return Program()


# --- The list -------------------------------------------------------------------------------------------------------
@pytest.fixture
def lots() -> dict[str, str]:
    """Answer lots that differ in all that can be asked for, by name."""
    shelf = make_location("A-03-1")
    made = {
        "plain": make_lot(item_no="3001", category_name="Brick"),
        "placed": make_lot(item_no="3002", color_id=1, location=shelf, low_stock_threshold=20),
        "used": make_lot(item_no="3003", condition="USED", sub_condition="GOOD", unit_price=Decimal("2.5"), qty=3),
        "set": make_lot(item_no="75192-1", item_type="SET", color_id=None, completeness="SEALED", is_retain=True),
        "kept": make_lot(item_no="3005", is_stock_room=True, stock_room_id="B", reserved_for="Ana"),
        "cheap": make_lot(item_no="3006", sale_percent=10, tier_prices=[{"qty": 50, "price": "0.1000"}], qty=500),
        "old": make_lot(item_no="3007", date_added=timezone.now() - timedelta(days=900), cost_basis=Decimal("0.05")),
        "locked": make_lot(item_no="3008", price_locked=True, remarks="behind the door"),
    }
    need = services.Need(lot_id=made["used"].pk, qty=1, cause_key="line-1")
    services.reserve_stock(needs=[need], now=timezone.now())
    others = InventoryItem.objects.exclude(pk=made["locked"].pk)
    bulk.update(others, updated_at=timezone.now() - timedelta(days=2))
    return {name: str(lot.pk) for name, lot in made.items()}


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("q=behind+door", "locked"),
        ("q=3003", "used"),
        ("type=SET", "set"),
        ("color=1", "placed"),
        ("type=SET,PART&color=1", "placed"),
        ("category=Brick", "plain"),
        ("condition=USED", "used"),
        ("completeness=SEALED", "set"),
        ("grade=GOOD", "used"),
        ("location=a-03-1", "placed"),
        ("location=A-03*", "placed"),
        ("placed=yes", "placed"),
        ("price_min=2.5", "used"),
        ("price_max=0.12&qty_min=500", "cheap"),
        ("qty_max=2", "used"),
        ("reserved=yes", "used"),
        ("stockroom=any", "kept"),
        ("stockroom=B", "kept"),
        ("retain=yes", "set"),
        ("sale=yes", "cheap"),
        ("cost=yes", "old"),
        ("low=yes", "placed"),
        ("stale=yes", "old"),
        ("tiers=yes", "cheap"),
        ("locked=yes", "locked"),
        ("reserved_for=Ana", "kept"),
        ("added_since=2999-01-01", ""),
        ("q=nowhere", ""),
    ],
)
def test_filters_as_the_page_does(program: Program, lots: dict[str, str], query: str, wanted: str) -> None:
    assert [row["id"] for row in program.rows(f"/inventory?{query}")] == ([lots[wanted]] if wanted else [])


def test_filters_by_when_lots_changed(program: Program, lots: dict[str, str]) -> None:
    since = (timezone.now() - timedelta(days=1)).isoformat().replace("+", "%2B")
    assert [row["id"] for row in program.rows(f"/inventory?updated_since={since}")] == [lots["locked"]]


@pytest.mark.parametrize(
    "query",
    ["color=99999", "type=SPACESHIP", "price_min=-1", "qty_min=many", "retain=maybe", "colour=5", "ids=x", "limit=201",
     "ordering=extra", "fields=extra", "type=PART&type=SET"],
)  # fmt: skip
def test_refuses_filters_that_it_does_not_know(program: Program, query: str) -> None:
    assert problem(program.send("GET", f"/inventory?{query}")) == (422, "invalid")


@pytest.mark.parametrize(
    "name",
    ["item_no", "color_name", "condition", "category_name", "qty_available", "qty_reserved", "unit_price", "cost_basis",
     "location_key", "date_added", "last_sold_at", "updated_at", "low_stock_threshold"],
)  # fmt: skip
@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.usefixtures("lots")
def test_pages_in_every_order_lose_and_repeat_nothing(program: Program, name: str, sign: str) -> None:
    seen: list[str] = []
    path: str | None = f"/api/v1/inventory?ordering={sign}{name}&limit=3"
    while path:
        answer = program.get(path)
        assert answer.status_code == 200, answer.content
        page = answer.json()
        seen += [row["id"] for row in page["results"]]
        path = page["next"]
    assert len(seen) == len(set(seen)) == 8
    by_id = {str(lot.pk): getattr(lot, name) for lot in InventoryItem.objects.all()}
    values = [by_id[lot_id] for lot_id in seen]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=sign == "-")
    assert values == known + [None] * (len(values) - len(known)), "what has no value comes last either way"


@pytest.mark.usefixtures("lots")
def test_counts_and_trims_on_request(program: Program) -> None:
    page = program.send("GET", "/inventory?condition=NEW&limit=2&count=true&fields=id,unit_price,locations").json()
    assert (page["count"], len(page["results"])) == (7, 2)
    assert set(page["results"][0]) == {"id", "unit_price", "locations"}
    assert "count" not in program.send("GET", "/inventory").json()


def test_shows_money_as_text_with_its_currency_and_where_pieces_lie(program: Program, lots: dict[str, str]) -> None:
    row = next(row for row in program.rows("/inventory") if row["id"] == lots["placed"])
    assert (row["unit_price"], row["currency"], row["cost_basis"]) == ("0.1200", "EUR", None)
    assert [(place["code"], place["qty"]) for place in row["locations"]] == [("A-03-1", 10)]
    assert program.send("GET", f"/inventory/{lots['placed']}").json() == row


# --- One lot --------------------------------------------------------------------------------------------------------
def test_adds_a_lot_at_a_place(program: Program) -> None:
    place = make_location()
    body = {**BRICK, "qty_available": 12, "unit_price": "0.15", "location_id": str(place.pk),
            "tier_prices": [{"qty": 50, "price": "0.1"}]}  # fmt: skip
    answer = program.send("POST", "/inventory", body)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (answer["Location"], answer["ETag"]) == (f"/api/v1/inventory/{made['id']}", '"v1"')
    assert (made["qty_available"], made["unit_price"], made["color_name"]) == (12, "0.1500", "Red")
    assert made["tier_prices"] == [{"qty": 50, "price": "0.1000"}]
    assert made["locations"] == [{"location_id": str(place.pk), "code": "A-01-1", "qty": 12}]
    deed = ChangeSet.objects.get(action="inventory.create_lot")
    assert (deed.source, deed.actor_name != "") == (Source.API, True)
    assert services.verify_stock() == []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"colour": 5}, "/colour"),
        ({"qty_reserved": 1}, "/qty_reserved"),
        ({"currency": "USD"}, "/currency"),
        ({"item_type": "SPACESHIP"}, "/item_type"),
        ({"color_id": None}, "/color_id"),
        ({"color_id": 99999}, "/color_id"),
        ({"completeness": "SEALED"}, "/completeness"),
        ({"sub_condition": "GOOD"}, "/sub_condition"),
        ({"unit_price": 0.15}, "/unit_price"),
        ({"unit_price": "-1"}, "/unit_price"),
        ({"unit_price": "1e308"}, "/unit_price"),
        ({"unit_price": "NaN"}, "/unit_price"),
        ({"qty_available": -1}, "/qty_available"),
        ({"qty_available": 2**31}, "/qty_available"),
        ({"qty_available": "12"}, "/qty_available"),
        ({"remarks": "x" * 5001}, "/remarks"),
        ({"bulk": 0}, "/bulk"),
        ({"sale_percent": 101}, "/sale_percent"),
        ({"tier_prices": [{"qty": 50, "price": "0.1"}, {"qty": 20, "price": "0.05"}]}, "/tier_prices"),
        ({"stock_room_id": "D"}, "/stock_room_id"),
        ({"location_id": str(UUID(int=7))}, "/location_id"),
        ({"item_no": ""}, "/item_no"),
    ],
)
def test_refuses_what_is_no_lot_at_its_field(program: Program, change: dict[str, Any], pointer: str) -> None:
    answer = program.send("POST", "/inventory", {**BRICK, **change})
    assert problem(answer) == (422, "invalid")
    assert [name.startswith(pointer) for name in answer.json()["errors"]] == [True], answer.content
    assert not InventoryItem.objects.exists()


def test_puts_nothing_where_nothing_fits(program: Program) -> None:
    full, closed = make_location("A-1", capacity=1), make_location("A-2", is_active=False)
    make_lot(location=full)
    for place in (full, closed):
        body = {**BRICK, "qty_available": 1, "location_id": str(place.pk)}
        assert problem(program.send("POST", "/inventory", body)) == (409, "conflict")
    assert InventoryItem.objects.count() == 1


def test_adds_once_under_one_key(program: Program) -> None:
    first, second = (program.send("POST", "/inventory", BRICK, Idempotency_Key="k") for _ in range(2))
    assert (first.status_code, second.status_code, first.content) == (201, 201, second.content)
    assert (second["ETag"], second["Location"]) == (first["ETag"], first["Location"])
    assert InventoryItem.objects.count() == 1
    other = program.send("POST", "/inventory", {**BRICK, "color_id": 1}, Idempotency_Key="k")
    assert problem(other) == (422, "idempotency-key-reused")


def test_changes_a_lot_from_the_version_seen(program: Program) -> None:
    path = f"/inventory/{make_lot().pk}"
    tag = program.send("GET", path)["ETag"]
    by_tag = program.send("PATCH", path, {"unit_price": "0.2"}, If_Match=tag)
    assert (by_tag.status_code, by_tag["ETag"], by_tag.json()["unit_price"]) == (200, '"v2"', "0.2000")
    by_body = program.send("PATCH", path, {"remarks": "A-1", "version": 2})
    assert (by_body.status_code, by_body.json()["version"]) == (200, 3)
    unchanged = program.send("PATCH", path, {"remarks": "A-1", "version": 3})
    assert (unchanged.status_code, unchanged.json()["version"]) == (200, 3)


def test_refuses_changes_from_another_version(program: Program) -> None:
    lot = make_lot()
    path = f"/inventory/{lot.pk}"
    for method, body in (("PATCH", {"remarks": "x"}), ("DELETE", None)):
        assert problem(program.send(method, path, body)) == (428, "precondition-required")
        assert problem(program.send(method, path, body, If_Match='"v7"')) == (412, "stale-version")
        assert problem(program.send(method, path, body, If_Match='"other"')) == (412, "stale-version")
    late = program.send("PATCH", path, {"remarks": "x", "version": 7})
    assert (problem(late), late.json()["current_version"]) == ((409, "stale-version"), 1)
    lot.refresh_from_db()
    assert (lot.remarks, lot.version) == ("", 1)


def test_a_changed_quantity_is_a_movement(program: Program) -> None:
    lot = make_lot(qty=10)
    answer = program.send("PATCH", f"/inventory/{lot.pk}", {"qty_available": 7, "version": 1})
    assert answer.json()["qty_available"] == 7
    rows = program.rows(f"/inventory/{lot.pk}/movements")
    assert [(row["kind"], row["delta_available"], row["balance_available"]) for row in rows] == [
        ("ADJUST", -3, 7),
        ("INITIAL", 10, 10),
    ]


def test_deletes_a_lot_but_none_that_is_promised(program: Program) -> None:
    lot, promised = make_lot(), make_lot()
    services.reserve_stock(needs=[services.Need(lot_id=promised.pk, qty=1, cause_key="1")], now=timezone.now())
    assert program.send("DELETE", f"/inventory/{lot.pk}", If_Match='"v1"').status_code == 204
    assert problem(program.send("DELETE", f"/inventory/{lot.pk}", If_Match='"v1"')) == (404, "not-found")
    assert problem(program.send("DELETE", f"/inventory/{promised.pk}", If_Match='"v2"')) == (409, "conflict")
    assert list(InventoryItem.objects.values_list("pk", flat=True)) == [promised.pk]
    assert StockMovement.objects.filter(inventory_item_id=lot.pk).count() == 2, "its movements stay"


def test_a_taken_number_of_bricklink_is_refused(program: Program) -> None:
    make_lot(bricklink_lot_id=7)
    answer = program.send("POST", "/inventory", {**BRICK, "bricklink_lot_id": 7})
    assert answer.json()["errors"] == {"/bricklink_lot_id": ["Another lot has this BrickLink number."]}


def test_what_is_another_shops_does_not_exist(program: Program) -> None:
    foreign = new_id()
    for path in (f"/inventory/{foreign}", f"/inventory/{foreign}/movements", f"/locations/{foreign}",
                 f"/inventory/imports/{foreign}"):  # fmt: skip
        assert problem(program.send("GET", path)) == (404, "not-found"), path
    assert problem(program.send("PATCH", f"/inventory/{foreign}", {"version": 1})) == (404, "not-found")
    assert problem(program.send("DELETE", f"/inventory/{foreign}", If_Match='"v1"')) == (404, "not-found")


ROLES = {
    "owner": (200, 201, 204), "admin": (200, 201, 204), "staff": (200, 201, 204), "picker": (200, 403, 403),
    "readonly": (200, 403, 403),
}  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
def test_admits_by_permission(role: str) -> None:
    reads, writes, deletes = ROLES[role]
    if role != "owner":
        Program("owner")
    program, lot = Program(role), make_lot()
    assert program.send("GET", "/inventory").status_code == reads
    assert program.send("POST", "/inventory", BRICK).status_code == writes
    refused = program.send("DELETE", f"/inventory/{lot.pk}", If_Match='"v1"')
    assert refused.status_code == deletes
    if deletes == 403:
        assert refused.json()["permission"] == "inventory:delete"


def test_asks_the_database_as_often_for_many_lots_as_for_few(program: Program) -> None:
    for number in range(12):
        make_lot(item_no=str(number), location=make_location(f"A-{number}"))
    program.rows("/inventory")
    counts = []
    for limit in (1, 12):
        with counted() as statements:
            program.rows(f"/inventory?limit={limit}")
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 4
