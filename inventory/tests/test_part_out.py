"""A set taken apart: what comes of it, what it is worth and has cost, and the whole of it taken back."""

from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from django.apps import apps
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from audit import services as audit
from catalog import services as catalog
from catalog.choices import PriceKind
from catalog.models import CatalogItem, CatalogSetItem
from catalog.queries.pricing import PriceKey
from catalog.sources.base import PriceFigures
from catalog.tests.conftest import sources
from common.redis_client import client as redis
from common.testing.people import make_user
from common.testing.sandbox import SandboxProcess
from inventory import services
from inventory.models import InventoryImport, InventoryItem, InventoryItemLocation
from inventory.part_out import Choices, Piece, terms_of, together
from inventory.queries.part_out import part_out_of
from inventory.testing import make_location, make_lot
from inventory.tests.test_importing import _finish_jobs
from inventory.tests.test_repricing import know
from inventory.views.catalog import item_url
from jobs.models import JobRun

__all__ = ["sources"]

pytestmark = pytest.mark.django_db
# A set of the catalog that comes with the application.
SET = "40332-1"


@pytest.fixture
def staff(client: Any) -> Any:
    """Answer a browser of somebody who may import."""
    client.force_login(make_user(role="staff"))
    return client


def _plan(set_no: str = SET, *, figures: str = "whole", with_places: bool = False, **choices: Any) -> Any:
    return part_out_of(
        set_no, choices=Choices(**choices), figures=figures, with_places=with_places, now=timezone.now()
    ).plan


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


def test_what_is_there_keeps_its_cost_and_the_page_says_so(staff: Any) -> None:
    _made("zz5-1", [("PART", "3001", 5, 4, False), ("PART", "3002", 5, 4, False), ("PART", "3003", 5, 4, False)])
    make_lot(item_no="3001", color_id=5, unit_price=Decimal("0.50"), cost_basis=Decimal("0.0730"))
    make_lot(item_no="3002", color_id=5, unit_price=Decimal("0.50"), cost_basis=Decimal(0))
    plan = _plan("zz5-1", default_price=Decimal("0.50"), total_cost=Decimal(6))
    assert [row.own_cost for row in plan.rows] == [Decimal("0.0730"), None, None]
    assert plan.keeping_cost == 1
    url = reverse("inventory:part_out")
    sent = {"set": "zz5-1", "default_price": "0.50", "total_cost": "6", "key": "costs"}
    page = " ".join(staff.get(url, sent).content.decode().split())
    assert "keeps 0.073" in page
    assert "1 restocked lot keeps what its pieces have cost so far" in page
    staff.post(url, sent)
    for _job in ("read", "apply"):
        _finish_jobs()
    costs = dict(InventoryItem.objects.values_list("item_no", "cost_basis"))
    assert costs == {"3001": Decimal("0.0730"), "3002": Decimal("0.5000"), "3003": Decimal("0.5000")}


def test_says_what_is_wrong_while_it_is_typed(staff: Any) -> None:
    part = {"HX-Request": "true", "HX-Target": "div#plan"}
    sent = {"set": SET, "default_price": "much", "times": "0"}
    typed = staff.get(reverse("inventory:part_out"), sent, headers=part).content.decode()
    assert "Price of what is new: Enter a number." in typed
    assert "How many: " in typed
    whole = staff.get(reverse("inventory:part_out"), sent).content.decode()
    assert whole.count("Enter a number.") == 1, "beside its field"


@pytest.mark.parametrize(("condition", "completeness"), [("NEW", "SEALED"), ("USED", "COMPLETE")])
def test_a_set_in_a_set_is_sealed_or_complete(staff: Any, condition: str, completeness: str) -> None:
    _made("zz6-1", [("SET", "zz7-1", None, 2, False), ("PART", "3001", 5, 1, False)])
    mine = make_lot(item_no="zz7-1", item_type="SET", color_id=None, condition=condition, completeness=completeness)
    make_lot(item_no="zz7-1", item_type="SET", color_id=None, condition=condition, completeness="INCOMPLETE")
    owned = {row.piece.item_no: row.owned.lots if row.owned else 0 for row in _plan("zz6-1", condition=condition).rows}
    assert owned == {"zz7-1": 1, "3001": 0}
    sent = {"set": "zz6-1", "default_price": "1", "condition": condition, "key": "sets"}
    assert staff.post(reverse("inventory:part_out"), sent).status_code == HTTPStatus.FOUND
    for _job in ("read", "apply"):
        _finish_jobs()
    before = mine.qty_available
    mine.refresh_from_db()
    assert mine.qty_available == before + 2
    assert InventoryItem.objects.filter(item_type="SET").count() == 2


def test_whoever_goes_back_and_chooses_anew_is_not_answered_the_first_time(staff: Any) -> None:
    _made("zz4-1", [("PART", "3001", 5, 4, False)])
    url = reverse("inventory:part_out")
    sent = {"set": SET, "times": "1", "condition": "NEW", "figures": "whole", "spares": "yes", "default_price": "1",
            "key": "of the page"}  # fmt: skip
    for change in (
        {},
        {},
        {"set": "zz4-1"},
        {"set": "zz4-1", "times": "2"},
        {"leave": [_plan().rows[0].piece.key]},
        {},
    ):
        assert staff.post(url, sent | change).status_code == HTTPStatus.FOUND
    names = InventoryImport.objects.order_by("created_at").values_list("file_name", flat=True)
    assert list(names) == [f"Part out {no}" for no in (SET, "zz4-1", "zz4-1", SET)]


def test_the_lot_that_is_shown_is_the_one_that_gets_the_pieces(staff: Any) -> None:
    _made("zz5-1", [("PART", "3001", 5, 4, False)])
    make_lot(item_no="3001", color_id=5, unit_price=Decimal("0.50"), qty=3, remarks="of Ana")
    make_lot(item_no="3001", color_id=5, unit_price=Decimal("0.60"), qty=3, sub_condition="GOOD", condition="USED")
    plain = make_lot(item_no="3001", color_id=5, unit_price=Decimal("0.0725"), qty=3)
    [row] = _plan("zz5-1").rows
    assert row.owned
    assert row.price == plain.unit_price
    sent = {"set": "zz5-1", "times": "1", "condition": "NEW", "figures": "whole", "spares": "yes", "key": "k"}
    url = reverse("inventory:part_out")
    assert ">0.0725<" in staff.get(url, sent).content.decode()
    staff.post(url, sent)
    for _job in ("read", "apply"):
        _finish_jobs()
    plain.refresh_from_db()
    assert plain.qty_available == 7


def test_a_set_in_a_set_is_a_lot_of_its_own(staff: Any) -> None:
    _made("zz7-1", [("PART", "3001", 5, 4, False)])
    _made("zz8-1", [("SET", "zz7-1", None, 2, False), ("PART", "3001", 7, 1, False)])
    sent = {"set": "zz8-1", "times": "3", "condition": "NEW", "figures": "whole", "spares": "yes", "key": "k",
            "default_price": "1", "total_cost": "10"}  # fmt: skip
    staff.post(reverse("inventory:part_out"), sent)
    for _job in ("read", "apply"):
        _finish_jobs()
    made = InventoryItem.objects.order_by("item_type").values_list("item_type", "item_no", "qty_available")
    assert list(made) == [("PART", "3001", 3), ("SET", "zz7-1", 6)]


def test_alternates_and_counterparts_are_no_pieces_more() -> None:
    owner = _made("zz9-1", [("PART", "3001", 5, 4, False)])
    other = CatalogItem.objects.create(item_type="PART", item_no="zzalt", name="Instead", source="manual")
    CatalogSetItem.objects.create(
        set=owner, item=other, color_id=5, qty=4, is_alternate=True, match_id=1, source="manual"
    )
    CatalogSetItem.objects.create(set=owner, item=other, color_id=5, qty=4, is_counterpart=True, source="manual")
    CatalogSetItem.objects.create(
        set=owner, item=other, color_id=5, qty=1, is_alternate=True, is_spare=True, match_id=2, source="manual"
    )
    plan = _plan("zz9-1")
    assert [(row.piece.item_no, row.piece.qty) for row in plan.rows] == [("3001", 4)]
    assert plan.unknown == ()


@pytest.mark.parametrize("role", ["staff", "Adds by hand", "picker", "readonly"])
def test_the_way_to_it_is_shown_to_those_who_may_go_it(client: Any, role: str) -> None:
    apps.get_model("accounts", "Role").objects.create(
        name="Adds by hand", permissions=["inventory:read", "inventory:write"]
    )
    client.force_login(make_user(role=role))
    page = client.get(item_url("SET", SET)).content.decode()
    may = client.get(reverse("inventory:part_out")).status_code == HTTPStatus.OK
    assert ("?set=" in page) is may


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"set": "nothing-9"}, "The catalog knows no set nothing-9."),
        ({"set": "zz-empty"}, "know what is in zz-empty"),
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


def test_asks_what_is_in_a_set_that_the_catalog_knows_by_its_number_alone(staff: Any, sources: SandboxProcess) -> None:
    CatalogSetItem.objects.filter(set__item_no="60239-1").delete()
    url = f"{reverse('inventory:part_out')}?set=60239-1&default_price=0.10"
    page = staff.get(url).content.decode()
    assert "Asking Rebrickable…" in page
    assert 'hx-trigger="load"' in page
    assert "aria-invalid" not in page
    # While it is typed, it isn't asked for.
    part = staff.get(url, headers={"HX-Request": "true", "HX-Target": "div#plan"}).content.decode()
    assert ("Ask Rebrickable" in part, 'hx-trigger="load"' in part) == (True, False)
    assert sources.asked() == []
    page = staff.get(f"{url}&ask=1").content.decode()
    assert "Asking Rebrickable" not in page
    assert "What the set is made of" in page
    before = len(sources.asked())
    assert "What the set is made of" in staff.get(url).content.decode()
    assert len(sources.asked()) == before


@pytest.mark.usefixtures("quick")
def test_says_that_nobody_can_be_asked_what_is_in_a_set(staff: Any, sources: SandboxProcess) -> None:
    _made("zz-empty-1", [])
    url = f"{reverse('inventory:part_out')}?set=zz-empty-1&ask=1"
    sources.fault("html")
    page = staff.get(url).content.decode()
    assert "can&#x27;t be asked for the moment" in page
    assert 'hx-trigger="load"' not in page
    sources.reset()
    redis().flushdb()
    page = staff.get(url).content.decode()
    assert "know what is in zz-empty" in page
    assert 'hx-trigger="load"' not in page


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


def test_prices_of_what_is_new_come_from_the_price_guide_and_say_what_the_set_is_worth() -> None:
    parts: list[tuple[str, str, int | None, int, bool]] = [
        ("PART", "3001", 5, 4, False),
        ("PART", "3002", 5, 10, False),
    ]
    _made("zz5-1", [*parts, ("PART", "3003", 5, 2, False)])
    make_lot(item_no="3001", color_id=5, unit_price=Decimal("0.50"), qty=3)
    know(make_lot(item_no="3001", color_id=5, unit_price=Decimal("0.50"), qty=3), "0.4000")
    new = PriceKey("PART", "3002", 5, "NEW")
    for kind, average in ((PriceKind.SOLD, "0.2000"), (PriceKind.STOCK, "0.3000")):
        amount = Decimal(average)
        figures = PriceFigures(
            currency="EUR", price_min=amount, price_avg=amount, price_qty_avg=amount, price_max=amount, lots_count=5,
            qty=50,
        )  # fmt: skip
        catalog.keep_figures(key=new, kind=kind, figures=figures, currency="EUR", now=timezone.now())
    terms = terms_of("sold_avg", Decimal("0.9"))
    plan = _plan("zz5-1", terms=terms, default_price=Decimal("0.10"), total_cost=Decimal(3))
    assert [(row.price, row.is_guided) for row in plan.rows] == [
        (Decimal("0.5000"), False), (Decimal("0.1800"), True), (Decimal("0.10"), False),
    ]  # fmt: skip
    assert (plan.value, plan.sold_value, plan.offered_value) == (Decimal("4.00"), Decimal("3.60"), Decimal("4.60"))
    assert (plan.sold_margin, plan.unasked) == (Decimal("0.60"), 1)
    assert (plan.half_count, plan.top_share) == (1, 100)


def test_prices_of_a_set_are_asked_for_by_a_job(staff: Any, sandbox: SandboxProcess) -> None:
    _made("zz6-1", [("PART", "3001", 5, 4, False), ("PART", "3002", 5, 10, False)])
    place = {"url": sandbox.bricklink_url, **sandbox.bricklink_credentials}
    with override_settings(CATALOG_SOURCES={**sandbox.sources, "bricklink": place}):
        page = staff.get(reverse("inventory:part_out"), {"set": "zz6-1"}).content.decode()
        assert "Ask for prices" in page
        for _press in range(2):
            sent = {"set": "zz6-1", "price_from": "sold_avg", "factor": "1", "key": "once"}
            answer = staff.post(reverse("inventory:part_out_prices"), sent)
        assert answer.status_code == HTTPStatus.FOUND
        assert "set=zz6-1&price_from=sold_avg" in answer["Location"].replace("times=1&condition=NEW&", "")
        job = JobRun.objects.get(job_type="price_guide")
        _finish_jobs()
        assert len(sandbox.asked()) == 4
        job.refresh_from_db()
        assert (job.result or {})["message"] == "2 items asked for."
        page = staff.get(answer["Location"]).content.decode()
    assert "In the price guide: sold for" in page
    assert "Ask for prices" not in page
