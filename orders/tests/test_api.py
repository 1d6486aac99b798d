"""Orders over HTTP: what programs ask and do, and what they are told where it can't be done."""

from decimal import Decimal
from typing import Any

import pytest

from inventory.testing import make_lot
from inventory.tests.api import Program, problem
from orders.models import Order, Refund
from orders.testing import arrive, incoming, incoming_line, make_store, type_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    return Program()


def _body(lot: Any, **values: Any) -> dict[str, Any]:
    return {"lines": [{"inventory_item": str(lot.pk), "qty": 4}], "buyer_name": "Ana", "is_paid": True, **values}


def test_an_order_is_made_read_changed_and_moved(program: Program):
    lot = make_lot(qty=10)
    made = program.send(
        "POST", "/orders", _body(lot, shipping_cost="4.50", ship_to={"city": "Lisboa", "country": "PT"})
    )
    assert made.status_code == 201, made.content
    path = made["Location"].partition("/api/v1")[2]
    assert made.json()["grand_total"] == "4.98"
    read = program.send("GET", path)
    assert (read.json()["ship_to"]["city"], read["ETag"]) == ("Lisboa", '"v1"')
    changed = program.send("PATCH", path, {"tags": ["gift"], "version": 1})
    assert (changed.status_code, changed.json()["tags"], changed["ETag"]) == (200, ["gift"], '"v2"')
    shipped = program.send("POST", f"{path}/status", {"status": "SHIPPED"})
    assert (shipped.status_code, shipped.json()["status"]) == (200, "SHIPPED")
    assert program.send("POST", f"{path}/status", {"status": "SHIPPED"}).status_code == 200
    lines = program.rows(f"{path}/lines")
    assert [(line["qty_ordered"], line["qty_shipped"], line["unit_price"]) for line in lines] == [(4, 4, "0.1200")]
    words = [row["words"] for row in program.rows(f"{path}/history")]
    assert words[-1] == "Added an order"


def test_a_lost_update_is_refused_in_the_way_that_was_asked_for(program: Program):
    order = type_in((make_lot(), 1))
    path = f"/orders/{order.pk}"
    assert problem(program.send("PATCH", path, {"notes": "a"})) == (428, "precondition-required")
    assert program.send("PATCH", path, {"notes": "a"}, If_Match='"v1"').status_code == 200
    assert problem(program.send("PATCH", path, {"notes": "b"}, If_Match='"v1"')) == (412, "stale-version")
    assert problem(program.send("PATCH", path, {"notes": "b", "version": 1})) == (409, "stale-version")


def test_a_step_that_is_not_open_names_those_that_are(program: Program):
    order = type_in((make_lot(), 1), is_paid=False)
    answer = program.send("POST", f"/orders/{order.pk}/status", {"status": "SHIPPED"})
    assert problem(answer) == (409, "illegal-transition")
    assert answer.json()["allowed"] == ["PENDING", "CANCELLED"]


def test_cancelling_and_refunding_have_addresses_of_their_own(program: Program):
    order = type_in((make_lot(), 4))
    path = f"/orders/{order.pk}"
    assert problem(program.send("POST", f"{path}/status", {"status": "CANCELLED"})) == (403, "permission-denied")
    refund = program.send("POST", f"{path}/refund", {"amount": "0.10", "reason": "Late"}, Idempotency_Key="once")
    again = program.send("POST", f"{path}/refund", {"amount": "0.10", "reason": "Late"}, Idempotency_Key="once")
    assert (refund.status_code, again.status_code, again.json()) == (201, 201, refund.json())
    assert Refund.objects.count() == 1
    cancelled = program.send("POST", f"{path}/cancel", {"reason": "Changed her mind"})
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "CANCELLED")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"lines": []}, "/lines"),
        ({"lines": [{"inventory_item": "01900000-0000-7000-8000-000000000000", "qty": 1}]}, "/lines/0/inventory_item"),
        ({"nonsense": 1}, "/nonsense"),
        ({"grand_total": "1"}, "/grand_total"),
        ({"shipping_cost": "-1"}, "/shipping_cost"),
        ({"ship_to": {"planet": "Mars"}}, "/ship_to/planet"),
        ({"ship_to": {"country": "pt"}}, "/ship_to/country"),
        ({"buyer_email": "nobody"}, "/buyer_email"),
        ({"tags": ["x" * 31]}, "/tags/0"),
    ],
)
def test_what_cannot_be_taken_is_refused_by_field(program: Program, change: dict[str, Any], pointer: str):
    answer = program.send("POST", "/orders", _body(make_lot(), **change))
    assert answer.status_code == 422, answer.content
    assert pointer in answer.json()["errors"]
    assert not Order.objects.exists()


def test_the_list_is_narrowed_ordered_and_refuses_what_it_does_not_know(program: Program):
    lot, store = make_lot(qty=99), make_store()
    for number, qty in enumerate((1, 5, 3)):
        arrive(store, incoming(incoming_line(lot, qty=qty), external_order_id=f"N{number}"))
    totals = [Decimal(row["grand_total"]) for row in program.rows("/orders?ordering=grand_total&status=NEW,PENDING")]
    assert totals == sorted(totals)
    assert len(totals) == 3
    assert [row["external_order_id"] for row in program.rows("/orders?q=N1")] == ["N1"]
    assert program.rows("/orders?status=SHIPPED") == []
    assert problem(program.send("GET", "/orders?status=LOST")) == (422, "invalid")
    assert problem(program.send("GET", "/orders?planet=Mars")) == (422, "invalid")


@pytest.mark.parametrize(
    ("role", "allowed"),
    [("staff", {"status", "cancel", "refund", "patch"}), ("picker", {"status"}), ("readonly", set())],
)
def test_each_role_does_what_it_may(role: str, allowed: set[str]):
    order = type_in((make_lot(), 4))
    program, path = Program(role), f"/orders/{order.pk}"
    asked = {
        "refund": program.send("POST", f"{path}/refund", {"amount": "0.01"}),
        "patch": program.send("PATCH", path, {"notes": "x"}, If_Match="*"),
        "status": program.send("POST", f"{path}/status", {"status": "PICKING"}),
        "cancel": program.send("POST", f"{path}/cancel", {}),
    }
    assert {name for name, answer in asked.items() if answer.status_code != 403} == allowed
    assert program.send("GET", path).status_code == 200


def test_the_definitions_tell_the_table_of_steps(program: Program):
    found = {row["code"]: row for row in program.send("GET", "/definitions/order-statuses").json()["results"]}
    assert found["READY"]["transitions"]["user"] == ["PENDING", "PACKING", "SHIPPED", "CANCELLED", "REFUNDED"]
    assert (found["READY"]["rank"], found["CANCELLED"]["rank"]) == (4, None)
