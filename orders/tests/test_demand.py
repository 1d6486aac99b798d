"""What the catalog's search says of open orders: of the item that is meant, in its color, to whom may see orders."""

from typing import Any

import pytest
from django.utils import timezone

from common import actor
from common.actor import Actor, ActorKind
from inventory.queries.demand import open_orders_of, wanted_of
from inventory.testing import make_lot
from inventory.tests.api import Program
from orders import services
from orders.testing import type_in

pytestmark = pytest.mark.django_db


def _found(program: Program, query: str) -> list[dict[str, Any]]:
    answer = program.send("GET", f"/search?q={query}")
    assert answer.status_code == 200, answer.content
    return next(row["open_orders"] for row in answer.json()["results"] if row["canonical_id"] == "3001")


def test_the_search_names_the_open_orders_of_an_item_the_oldest_first():
    red, blue, other = make_lot(qty=9), make_lot(qty=9, color_id=7), make_lot(qty=9, item_no="3002")
    program = Program()
    first, second = type_in((red, 2), (other, 1)), type_in((blue, 3))
    gone = type_in((red, 1))
    services.change_status(order_id=gone.pk, status="SHIPPED", now=timezone.now())

    assert _found(program, "3001") == [
        {
            "order_id": str(order.pk), "external_order_id": order.external_order_id, "status": "PENDING",
            "color_id": color, "qty": qty,
        }
        for order, color, qty in ((first, 5, 2), (second, 7, 3))
    ]  # fmt: skip
    assert [row["qty"] for row in _found(program, "3001+blue")] == [3]
    item = program.send("GET", "/catalog/items/PART/3001").json()
    assert [row["order_id"] for row in item["open_orders"]] == [str(first.pk), str(second.pk)]
    page = program.get("/search/?q=3001").content.decode()
    assert "5 in open orders" in page
    assert "3 in open orders" in program.get("/search/?q=3001+blue").content.decode()


def test_who_may_not_see_orders_is_told_nothing_of_them():
    type_in((make_lot(), 1))
    keys = [("PART", "3001")]
    assert open_orders_of(keys)
    assert wanted_of(keys) == {(keys[0], 5): 1}

    with actor.use(Actor(ActorKind.API_KEY, "1", "Stock only", frozenset({"inventory:read"}))):
        assert not open_orders_of(keys)
        assert not wanted_of(keys)
