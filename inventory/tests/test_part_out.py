"""A set taken apart: what comes of it, what it is worth and has cost, and the whole of it taken back."""

from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from django.urls import reverse

from audit import services as audit
from catalog.models import CatalogItem, CatalogSetItem
from common.testing.people import make_user
from inventory import services
from inventory.models import InventoryImport, InventoryItem, InventoryItemLocation
from inventory.part_out import Choices, Piece, together
from inventory.queries.part_out import part_out_of
from inventory.testing import make_location, make_lot
from inventory.tests.test_importing import _finish_jobs

pytestmark = pytest.mark.django_db
# A set of the catalog that comes with the application.
SET = "40332-1"


@pytest.fixture
def staff(client: Any) -> Any:
    """Answer a browser of somebody who may import."""
    client.force_login(make_user(role="staff"))
    return client


def _plan(set_no: str = SET, *, figures: str = "whole", with_places: bool = False, **choices: Any) -> Any:
    return part_out_of(set_no, choices=Choices(**choices), figures=figures, with_places=with_places).plan


def _made(no: str, contents: list[tuple[str, str, int | None, int, bool]], *, kind: str = "SET") -> CatalogItem:
    """Make a set of (type, number, color, pieces, spare)."""
    owner = CatalogItem.objects.create(item_type=kind, item_no=no, name="Zed", source="manual")
    for item_type, item_no, color, qty, is_spare in contents:
        item, _ = CatalogItem.objects.get_or_create(
            item_type=item_type, item_no=item_no, defaults={"source": "manual", "name": "Part"}
        )
        CatalogSetItem.objects.create(set=owner, item=item, color_id=color, qty=qty, is_spare=is_spare, source="manual")
    return owner


def test_spares_are_added_to_their_kind_and_sets_multiply() -> None:
    _made("zz1-1", [("PART", "3001", 5, 4, False), ("PART", "3001", 5, 1, True), ("PART", "3001", 7, 2, False)])
    assert [(row.piece.color_id, row.piece.qty) for row in _plan("zz1-1", times=3).rows] == [(5, 15), (7, 6)]
    assert [row.piece.qty for row in _plan("zz1", times=3, with_spares=False).rows] == [12, 6]


def test_figures_come_whole_or_as_parts_and_what_nobody_can_number_is_said() -> None:
    _made("zz001", [("PART", "3626", 3, 1, False)], kind="MINIFIG")
    _made("zz2-1", [("MINIFIG", "zz001", None, 2, False), ("PART", "zzodd", 5, 1, False)])
    CatalogItem.objects.filter(item_no="zzodd").update(is_provisional=True)
    whole, parts, none = (_plan("zz2-1", figures=way) for way in ("whole", "parts", "none"))
    assert [(row.piece.item_no, row.piece.qty) for row in whole.rows] == [("zz001", 2)]
    assert [(row.piece.item_no, row.piece.qty) for row in parts.rows] == [("3626", 2)]
    assert none.rows == ()
    assert [piece.item_no for piece in whole.unknown] == ["zzodd"]
    CatalogItem.objects.filter(item_no="zz001").update(is_provisional=True)
    assert [row.piece.item_no for row in _plan("zz2-1").rows] == ["3626"]


def test_what_is_there_keeps_its_price_and_the_cost_is_spread_by_value() -> None:
    _made("zz3-1", [("PART", "3001", 5, 4, False), ("PART", "3002", 5, 10, False), ("PART", "3003", 5, 2, False)])
    make_lot(item_no="3001", color_id=5, unit_price=Decimal("0.50"), qty=3)
    make_lot(item_no="3001", color_id=5, unit_price=Decimal("0.70"), qty=4)
    make_lot(item_no="3002", color_id=5, condition="USED")
    plan = _plan("zz3-1", default_price=Decimal("0.10"), total_cost=Decimal(3), left_out=frozenset({"PART:3003:5"}))
    first, second, third = plan.rows
    assert first.owned
    assert (first.owned.lots, first.owned.pieces, first.price) == (2, 7, Decimal("0.5000"))
    assert (second.owned, second.price) == (None, Decimal("0.10"))
    assert (plan.value, plan.new, plan.restocked, plan.pieces, plan.top_share) == (Decimal(3), 1, 1, 14, 100)
    assert (first.cost, second.cost, third.cost) == (Decimal("0.5000"), Decimal("0.1000"), None)
    assert plan.margin == 0


def test_a_set_becomes_stock_by_a_job_and_is_taken_back_by_one_undo(staff: Any) -> None:
    place = make_location("A-1", capacity=1)
    mine = _plan().rows[0].piece
    lot = make_lot(item_no=mine.item_no, color_id=mine.color_id, qty=5, unit_price=Decimal("0.30"), location=place)
    before = list(InventoryItem.objects.order_by("pk").values("pk", "qty_available", "unit_price", "cost_basis"))
    url = reverse("inventory:part_out")
    page = staff.get(url, {"set": SET}).content.decode()
    assert "no price in your shop yet" in page
    sent = {"set": SET, "times": "2", "condition": "NEW", "figures": "whole", "spares": "yes", "default_price": "0,05",
            "total_cost": "12", "places": "on", "key": "once"}  # fmt: skip
    for _press in range(2):
        answer = staff.post(url, sent)
        assert answer.status_code == HTTPStatus.FOUND
    run = InventoryImport.objects.get()
    assert answer["Location"] == reverse("inventory:import", args=[run.pk])
    for _job in ("read", "apply"):
        _finish_jobs()
    run.refresh_from_db()
    plan = _plan(times=2)
    assert run.counts == {"rows": len(plan.rows), "NEW": len(plan.rows) - 1, "MERGED": 1}
    lot.refresh_from_db()
    assert (lot.qty_available, lot.unit_price) == (5 + 2 * mine.qty, Decimal("0.3000"))
    assert InventoryItemLocation.objects.get(inventory_item=lot).qty == lot.qty_available
    new = InventoryItem.objects.exclude(pk=lot.pk)
    assert {item.unit_price for item in new} == {Decimal("0.0500")}
    assert all(item.cost_basis and item.acquired_from == f"Set {SET}" for item in new)
    assert services.verify_stock() == []
    assert run.change_set_id
    audit.start_revert(change_set_id=run.change_set_id)
    _finish_jobs()
    assert (
        list(InventoryItem.objects.order_by("pk").values("pk", "qty_available", "unit_price", "cost_basis")) == before
    )
    assert services.verify_stock() == []


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"set": "nothing-9"}, "The catalog knows no set nothing-9."),
        ({"set": "zz-empty"}, "know what is in it"),
        ({"set": SET}, "have no price in your shop yet"),
        ({"set": SET, "default_price": "1e308"}, "less than or equal"),
        ({"set": SET, "default_price": "-1"}, "greater than or equal"),
        ({"set": SET, "times": "0"}, "greater than or equal"),
        ({"set": SET, "times": "x"}, "whole number"),
        ({"set": "x" * 41}, "at most 40"),
    ],
)  # fmt: skip
def test_what_can_not_be_taken_apart_is_said_and_changes_nothing(staff: Any, sent: dict[str, str], words: str) -> None:
    _made("zz-empty", [])
    base = {"times": "1", "condition": "NEW", "figures": "whole", "spares": "yes", "key": "k"}
    answer = staff.post(reverse("inventory:part_out"), base | sent)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert words in answer.content.decode().replace("&#x27;", "'")
    assert not InventoryImport.objects.exists()


def test_everything_left_out_is_nothing_to_add(staff: Any) -> None:
    keys = [row.piece.key for row in _plan().rows]
    sent = {
        "set": SET,
        "times": "1",
        "condition": "NEW",
        "figures": "whole",
        "spares": "yes",
        "key": "k",
        "leave": keys,
    }
    assert "Everything is left out." in staff.post(reverse("inventory:part_out"), sent).content.decode()


@pytest.mark.parametrize("role", ["picker", "readonly"])
def test_who_may_not_import_takes_nothing_apart(client: Any, role: str) -> None:
    client.force_login(make_user(role=role))
    assert client.get(reverse("inventory:part_out")).status_code == HTTPStatus.FORBIDDEN


def test_together_keeps_the_order() -> None:
    pieces = [Piece("PART", no, "", "", 5, 1) for no in ("b", "a", "b")]
    assert [(piece.item_no, piece.qty) for piece in together(pieces, times=2)] == [("b", 4), ("a", 2)]
