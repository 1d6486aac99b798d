"""Locations over HTTP."""

from typing import Any

import pytest

from inventory.models import InventoryItemLocation, Location
from inventory.testing import make_location, make_lot
from inventory.tests.api import Program, problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    """Answer a program of the owner's."""
    return Program()


def test_adds_shows_and_changes_a_place(program: Program) -> None:
    answer = program.send("POST", "/locations", {"code": "A-03-2", "capacity": 4})
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert answer["Location"] == f"/api/v1/locations/{made['id']}"
    assert (made["aisle"], made["lot_count"], made["piece_count"]) != ("", 1, 1)
    make_lot(location=Location.objects.get(), qty=7)
    changed = program.send("PATCH", f"/locations/{made['id']}", {"capacity": None, "sort_order": 5})
    assert changed.status_code == 200
    shown = program.send("GET", f"/locations/{made['id']}").json()
    assert shown == changed.json()
    assert (shown["capacity"], shown["sort_order"], shown["lot_count"], shown["piece_count"]) == (None, 5, 1, 7)


def test_lists_in_walking_order_and_narrows(program: Program) -> None:
    for code in ("A10", "A2", "B1"):
        make_location(code, zone=code[0])
    make_lot(location=Location.objects.get(code="A2"))
    assert [row["code"] for row in program.rows("/locations")] == ["A2", "A10", "B1"]
    assert [row["code"] for row in program.rows("/locations?ordering=-code")] == ["B1", "A2", "A10"]
    assert [row["code"] for row in program.rows("/locations?search=a1")] == ["A10"]
    assert [row["code"] for row in program.rows("/locations?zone=A&state=empty")] == ["A10"]
    assert [row["code"] for row in program.rows("/locations?state=used")] == ["A2"]
    page = program.send("GET", "/locations?limit=2&count=true&fields=code").json()
    assert (page["count"], page["results"]) == (3, [{"code": "A2"}, {"code": "A10"}])
    assert [row["code"] for row in program.get(page["next"]).json()["results"]] == ["B1"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/code"),
        ({"code": ""}, "/code"),
        ({"code": "x" * 41}, "/code"),
        ({"code": "a-1"}, "/code"),
        ({"code": "B-1", "capacity": 0}, "/capacity"),
        ({"code": "B-1", "capacity": 2**31}, "/capacity"),
        ({"code": "B-1", "sort_order": 2**31}, "/sort_order"),
        ({"code": "B-1", "zone": "z" * 21}, "/zone"),
        ({"code": "B-1", "shelv": "1"}, "/shelv"),
        ({"code": "B-1", "route_key": "1"}, "/route_key"),
    ],
)
def test_refuses_what_is_no_place(program: Program, body: dict[str, Any], pointer: str) -> None:
    make_location("A-1")
    answer = program.send("POST", "/locations", body)
    assert problem(answer) == (422, "invalid")
    assert list(answer.json()["errors"]) == [pointer]
    assert Location.objects.count() == 1


def test_a_used_place_goes_only_with_a_target(program: Program) -> None:
    old, new = make_location("A-1"), make_location("A-2")
    lot = make_lot(location=old, qty=7)
    refused = program.send("DELETE", f"/locations/{old.pk}")
    assert (problem(refused), refused.json()["lots"]) == ((409, "conflict"), 1)
    assert problem(program.send("DELETE", f"/locations/{old.pk}?move_to={old.pk}")) == (422, "invalid")
    assert problem(program.send("DELETE", f"/locations/{old.pk}?move_to=x")) == (422, "invalid")
    assert Location.objects.count() == 2
    assert program.send("DELETE", f"/locations/{old.pk}?move_to={new.pk}").status_code == 204
    assert list(InventoryItemLocation.objects.values_list("inventory_item", "location", "qty")) == [(lot.pk, new.pk, 7)]
    assert program.send("DELETE", f"/locations/{new.pk}").status_code == 409
    assert problem(program.send("DELETE", f"/locations/{old.pk}")) == (404, "not-found")


def test_a_full_target_takes_nothing(program: Program) -> None:
    old, full = make_location("A-1"), make_location("A-2", capacity=1)
    make_lot(location=old)
    make_lot(location=full)
    assert problem(program.send("DELETE", f"/locations/{old.pk}?move_to={full.pk}")) == (409, "conflict")
    assert Location.objects.count() == 2


@pytest.mark.parametrize("role", ["staff", "picker", "readonly"])
def test_admits_by_permission(role: str) -> None:
    Program("owner")
    program, place = Program(role), make_location()
    writes = role == "staff"
    assert program.send("GET", "/locations").status_code == 200
    assert program.send("POST", "/locations", {"code": "B-1"}).status_code == (201 if writes else 403)
    assert program.send("PATCH", f"/locations/{place.pk}", {"capacity": 3}).status_code == (200 if writes else 403)
    assert program.send("DELETE", f"/locations/{place.pk}").status_code == (204 if writes else 403)
