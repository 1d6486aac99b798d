"""A number that the catalog doesn't know is asked for outside, once, and what it means is kept."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings

from catalog.choices import ItemType, Source, System
from catalog.models import (
    CatalogElement,
    CatalogExternalId,
    CatalogIdMapping,
    CatalogItem,
    CatalogItemColor,
    LookUpMiss,
    SourceBudget,
)
from catalog.services import LookedUp, forget_misses, look_up, look_up_anywhere
from catalog.services.looking_up import systems_of
from catalog.services.turns import WAIT_AT_ONCE
from catalog.sources.base import ELEMENT
from common.errors import BudgetExhausted, ProviderUnavailable, RateLimited
from common.limits import Limit
from common.testing.sandbox import SandboxProcess
from common.wire import Budget, CallClass

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_items")]

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def sources(sandbox: SandboxProcess) -> Any:
    """Have Rebrickable alone connected; that others are asked after it is another file's business."""
    with override_settings(CATALOG_SOURCES={"rebrickable": sandbox.sources["rebrickable"]}):
        yield sandbox


def _look_up(system: str, number: str, now: datetime = NOW) -> LookedUp:
    return look_up(system=system, number=number, now=now)


def _ids(item: CatalogItem) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in item.external_ids.all():
        found.setdefault(row.system, set()).add(row.external_id)
    return found


@pytest.mark.usefixtures("colors")
def test_keeps_what_rebrickable_knows_of_a_part(sources: SandboxProcess) -> None:
    answer = _look_up(System.BRICKLINK, " 3062 ")
    (item,) = answer.items
    assert (item.item_type, item.item_no, item.name) == (ItemType.PART, "3062", "Brick Round 1 x 1 Open Stud")
    assert (item.is_provisional, item.source, item.words) == (False, "rebrickable", "3062 brick round 1x1 open stud")
    assert answer.was_asked
    ids = _ids(item)
    assert (ids["rebrickable"], ids["ldraw"], ids["bricklink"]) == ({"3062b"}, {"3062b"}, {"3062"})
    mapping = CatalogIdMapping.objects.get(item_type="PART", canonical_item_no="3062")
    assert (mapping.bricklink_id, mapping.rebrickable_id, mapping.ldraw_id) == ("3062", "3062b", "3062b")
    white = CatalogItemColor.objects.get(item=item, color_id=1)
    assert white.lego_element_ids
    assert set(white.lego_element_ids) <= set(mapping.lego_element_ids)
    assert CatalogElement.objects.filter(part_no="3062b", color_id=1, source="rebrickable").exists()


@pytest.mark.usefixtures("colors")
def test_asks_nobody_for_what_it_has_learned(sources: SandboxProcess) -> None:
    (item,) = _look_up(System.BRICKLINK, "3062").items
    before = len(sources.asked())
    element = CatalogItemColor.objects.get(item=item, color_id=1).lego_element_ids[0]
    for system, number in (
        (System.BRICKLINK, "3062"), (System.REBRICKABLE, "3062b"), (System.LDRAW, "3062b"), (ELEMENT, element),
    ):  # fmt: skip
        answer = _look_up(system, number)
        assert (answer.items, answer.was_asked) == ((item,), False)
    assert _look_up(ELEMENT, element).color_id == 1
    assert len(sources.asked()) == before


@pytest.mark.usefixtures("colors")
def test_finds_part_and_color_of_an_element(sources: SandboxProcess) -> None:
    answer = _look_up(ELEMENT, "300121")
    assert [item.item_no for item in answer.items] == ["3001"]
    assert answer.color_id == 5
    assert _look_up(ELEMENT, "300121") == LookedUp(items=answer.items, color_id=5)


def test_keeps_a_part_that_bricklink_has_not_under_its_own_number(sources: SandboxProcess) -> None:
    number = "35654"
    answer = _look_up(System.REBRICKABLE, number)
    assert [(item.item_no, item.is_provisional) for item in answer.items] == [(number, True)]
    assert CatalogExternalId.objects.get(system="rebrickable").confidence == 1
    assert not CatalogExternalId.objects.filter(system="bricklink").exists()


def test_takes_an_equal_number_for_a_hint_only(sources: SandboxProcess) -> None:
    theirs = CatalogItem.objects.create(item_type=ItemType.PART, item_no="35654", name="Other", source=Source.BRICKLINK)
    (item,) = _look_up(System.REBRICKABLE, "35654").items
    assert item == theirs
    theirs.refresh_from_db()
    assert (theirs.name, theirs.is_provisional) == ("Other", False)
    hint = CatalogExternalId.objects.get(item=theirs)
    assert (hint.source, hint.confidence) == ("auto", Decimal("0.40"))


def test_finds_sets_and_figures(sources: SandboxProcess) -> None:
    (found,) = _look_up(System.BRICKLINK, "60239-1").items
    assert (found.item_type, found.item_no, found.year_released) == (ItemType.SET, "60239-1", 2019)
    assert found.image_url.startswith("https://")
    assert _look_up(System.BRICKLINK, "60239-1").was_asked is False


def test_fills_only_what_an_item_lacks(sources: SandboxProcess) -> None:
    CatalogItem.objects.create(item_type=ItemType.PART, item_no="3020", name="Plate", source=Source.BRICKLINK)
    (item,) = _look_up(System.REBRICKABLE, "3020").items
    assert (item.item_no, item.name, item.source) == ("3020", "Plate", "bricklink")
    assert item.image_url


def test_keeps_where_a_part_has_its_picture_in_each_color(sources: SandboxProcess) -> None:
    (item,) = _look_up(System.REBRICKABLE, "3020").items
    pictures = CatalogItemColor.objects.filter(item=item).values_list("image_url", flat=True)
    assert pictures
    assert all(url.startswith("https://cdn.rebrickable.com/media/parts/elements/") for url in pictures)


def test_remembers_for_a_day_that_nobody_knew(sources: SandboxProcess) -> None:
    assert _look_up(System.BRICKLINK, "nothing") == LookedUp(items=(), asked=("Rebrickable",))
    assert _look_up(System.BRICKLINK, "nothing", NOW + timedelta(hours=23)) == LookedUp(
        items=(), asked=("Rebrickable",)
    )
    assert len(sources.asked()) == 1
    assert _look_up(System.BRICKLINK, "nothing", NOW + timedelta(days=1)).was_asked
    assert LookUpMiss.objects.get().until == NOW + timedelta(days=2)
    assert forget_misses(now=NOW + timedelta(days=2)) == 1


@pytest.mark.usefixtures("quick")
def test_remembers_nothing_of_a_failure(sources: SandboxProcess) -> None:
    sources.fault("html", times=3)
    with pytest.raises(ProviderUnavailable):
        _look_up(System.BRICKLINK, "3062")
    assert not LookUpMiss.objects.exists()
    assert _look_up(System.BRICKLINK, "3062").items


@pytest.mark.usefixtures("quick")
def test_keeps_nothing_by_halves(sources: SandboxProcess) -> None:
    sources.fault("status", status=500, path="/colors/$")
    with pytest.raises(ProviderUnavailable):
        _look_up(System.BRICKLINK, "3062")
    assert not CatalogItem.objects.exists()


def test_leaves_something_for_other_shops(sources: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.services.looking_up._A_DAY", Limit(name="look_up", amount=1, window_s=86_400))
    assert _look_up(System.BRICKLINK, "60239-1").items
    with pytest.raises(RateLimited) as refused:
        _look_up(System.BRICKLINK, "3062")
    assert refused.value.extra["retry_after"] > 80_000
    assert _look_up(System.BRICKLINK, "60239-1").items


def test_asks_nobody_without_a_key(sources: SandboxProcess) -> None:
    with override_settings(CATALOG_SOURCES={"rebrickable": {"url": sources.rebrickable_url}}):
        assert _look_up(System.BRICKLINK, "3062") == LookedUp(items=())
    assert sources.asked() == []


def test_counts_every_call_and_stops_politely(sources: SandboxProcess) -> None:
    _look_up(System.BRICKLINK, "3062")
    row = SourceBudget.objects.get(source="rebrickable")
    assert (row.used, row.limit) == (len(sources.asked()), 40_000)
    # Others have their turns first: more of them than anybody waits for.
    budget = Budget(key="source:rebrickable", label="Rebrickable", per_second=1, burst=3)
    for _turn in range(8):
        budget.take(CallClass.URGENT, patience_s=60)
    with pytest.raises(BudgetExhausted, match="too fast") as refused:
        _look_up(System.BRICKLINK, "nothing")
    assert 0 < refused.value.extra["retry_after"] < 10


@pytest.mark.parametrize(("text", "systems"), [
    ("3001", ["bricklink", "rebrickable", "brickowl", "lego_design"]),
    ("300121", ["element", "bricklink", "brickowl", "lego_design"]),
    ("973pb0001", ["bricklink", "rebrickable", "ldraw"]),
    ("60239-1", ["bricklink", "brickowl"]),
    ("fig-001549", ["bricklink", "rebrickable", "ldraw"]),
    ("red brick 2x4", []),
    ("brick", []),
    ("1", []),
    ("3001/../colors", []),
    ("", []),
])  # fmt: skip
def test_knows_whose_number_it_may_be(text: str, systems: list[str]) -> None:
    assert [str(system) for system in systems_of(text)] == systems


@pytest.mark.usefixtures("colors")
def test_finds_a_number_that_may_be_anybodys(sources: SandboxProcess) -> None:
    assert [item.item_no for item in look_up_anywhere(text=" 300121 ", now=NOW).items] == ["3001"]
    asked = len(sources.asked())
    # Known by now, under each of its numbers.
    for number in ("3001", "300121"):
        answer = look_up_anywhere(text=number, now=NOW)
        assert ([item.item_no for item in answer.items], answer.was_asked) == (["3001"], False)
    assert len(sources.asked()) == asked


def test_asks_for_each_kind_of_number_and_then_not_again(sources: SandboxProcess) -> None:
    assert look_up_anywhere(text="no1such", now=NOW) == LookedUp(items=(), asked=("Rebrickable",))
    assert len(sources.asked()) == 3
    assert look_up_anywhere(text="no1such", now=NOW) == LookedUp(items=(), asked=("Rebrickable",))
    assert look_up_anywhere(text="red brick 2x4", now=NOW) == LookedUp(items=())
    assert len(sources.asked()) == 3


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("fault", [
    {"kind": "rate_limit", "retry_after": 60}, {"kind": "status", "status": 500}, {"kind": "html"},
    {"kind": "half_json"}, {"kind": "half_body"}, {"kind": "empty"}, {"kind": "reset_before"},
], ids=lambda fault: fault["kind"])  # fmt: skip
def test_says_so_where_it_cannot_be_asked(fault: dict[str, Any], sources: SandboxProcess) -> None:
    sources.fault(**fault)
    with pytest.raises(ProviderUnavailable):
        look_up_anywhere(text="3062", now=NOW)
    assert not LookUpMiss.objects.exists()
    assert not CatalogItem.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_calls_once_for_two_at_once(sources: SandboxProcess) -> None:
    sources.fault("latency", seconds=0.5)

    def ask(_number: int) -> list[str]:
        try:
            return [item.item_no for item in _look_up(System.BRICKLINK, "60239-1").items]
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(ask, range(3))) == [["60239-1"]] * 3
    assert len(sources.asked()) == 1


@pytest.mark.django_db(transaction=True)
def test_refuses_at_once_who_comes_while_too_many_wait(sources: SandboxProcess) -> None:
    sources.fault("latency", seconds=1.0)

    def ask(number: str) -> float | None:
        began = monotonic()
        try:
            look_up_anywhere(text=number, now=NOW)
        except RateLimited:
            return monotonic() - began
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(WAIT_AT_ONCE + 2) as pool:
        refused = [
            took for took in pool.map(ask, [f"zz{each}" for each in range(WAIT_AT_ONCE + 2)]) if took is not None
        ]
    assert len(refused) == 2
    assert max(refused) < 1
    assert ask("3062") is None, "whoever has waited gives the place back"
