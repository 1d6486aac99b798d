"""Whoever may know a number is asked after the other; what each says is kept as its own."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import override_settings

from catalog.choices import ItemType, Source, System
from catalog.models import (
    CatalogExternalId,
    CatalogIdMapping,
    CatalogItem,
    CatalogItemColor,
    LookUpMiss,
    SourceBudget,
)
from catalog.services import LookedUp, asked_labels, look_up, look_up_anywhere
from catalog.services.keeping import keep
from catalog.sources.base import ELEMENT, FoundItem
from common.errors import ProviderUnavailable
from common.redis_client import client
from common.testing.sandbox import SandboxProcess

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_items", "colors", "quick")]

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
# A figure has no number of Rebrickable's in common with BrickLink; the part is one that the others know alone.
FIGURE = "adv001"
UNKNOWN = "zz9999"
ALL = ("Rebrickable", "BrickLink", "Brick Owl")


@pytest.fixture(autouse=True)
def _no_counts() -> None:
    client().flushdb()


def _look_up(system: str, number: str, now: datetime = NOW) -> LookedUp:
    return look_up(system=system, number=number, now=now)


def _services(sources: SandboxProcess) -> list[str]:
    return list(dict.fromkeys(row["service"] for row in sources.asked()))


def _ids(item: CatalogItem) -> dict[str, dict[str, tuple[str, Decimal]]]:
    found: dict[str, dict[str, tuple[str, Decimal]]] = {}
    for row in item.external_ids.all():
        found.setdefault(row.system, {})[row.external_id] = (row.source, row.confidence)
    return found


def test_asks_the_next_where_one_does_not_know_it(sources: SandboxProcess) -> None:
    answer = _look_up(System.BRICKLINK, FIGURE)
    assert _services(sources) == ["rebrickable", "bricklink"]
    (item,) = answer.items
    assert (item.item_type, item.item_no, item.is_provisional, item.source) == ("MINIFIG", FIGURE, False, "bricklink")
    assert answer.asked == ("Rebrickable", "BrickLink")
    assert item.weight_grams
    assert _ids(item) == {"bricklink": {FIGURE: ("bricklink", Decimal(1))}}
    assert CatalogIdMapping.objects.get(canonical_item_no=FIGURE).bricklink_id == FIGURE
    # Known by now.
    assert _look_up(System.BRICKLINK, FIGURE) == LookedUp(items=(item,))


def test_asks_bricklink_for_colors_and_elements(sources: SandboxProcess) -> None:
    sources.fault("html", service="rebrickable")
    answer = _look_up(System.BRICKLINK, "3001")
    assert (answer.asked, answer.away) == (("BrickLink",), ("Rebrickable",))
    (item,) = answer.items
    red = CatalogItemColor.objects.get(item=item, color_id=5)
    assert (red.source, "300121" in red.lego_element_ids) == ("bricklink", True)
    assert item.dimensions


def test_learns_from_brick_owl_what_nobody_else_answers(sources: SandboxProcess) -> None:
    for service in ("rebrickable", "bricklink"):
        sources.fault("status", status=503, service=service)
    answer = _look_up(System.BRICKLINK, FIGURE)
    assert (answer.asked, answer.away) == (("Brick Owl",), ("Rebrickable", "BrickLink"))
    (item,) = answer.items
    assert (item.item_no, item.source) == (FIGURE, "brickowl")
    ids = _ids(item)
    assert ids["bricklink"] == {FIGURE: ("brickowl", Decimal("0.98"))}
    (boid,) = ids["brickowl"]
    assert CatalogIdMapping.objects.get(canonical_item_no=FIGURE).brickowl_id == boid
    assert _look_up(System.BRICKOWL, boid).items == (item,)


def test_finds_part_and_color_of_an_element_by_each(sources: SandboxProcess) -> None:
    for away in ((), ("rebrickable",), ("rebrickable", "bricklink")):
        CatalogItem.objects.all().delete()
        sources.reset()
        client().flushdb()
        for service in away:
            sources.fault("reset_before", service=service)
        answer = _look_up(ELEMENT, "300121")
        assert ([item.item_no for item in answer.items], answer.color_id) == (["3001"], 5), away
        assert len(answer.away) == len(away)


def test_remembers_a_miss_only_when_all_have_said_so(sources: SandboxProcess) -> None:
    sources.fault("html", service="bricklink")
    assert _look_up(System.BRICKLINK, UNKNOWN) == LookedUp(
        items=(), asked=("Rebrickable", "Brick Owl"), away=("BrickLink",)
    )
    assert not LookUpMiss.objects.exists()
    sources.reset()
    client().flushdb()
    assert _look_up(System.BRICKLINK, UNKNOWN) == LookedUp(items=(), asked=ALL)
    assert LookUpMiss.objects.get().until == NOW + timedelta(days=1)
    before = len(sources.asked())
    assert _look_up(System.BRICKLINK, UNKNOWN) == LookedUp(items=(), asked=ALL)
    assert len(sources.asked()) == before


def test_tells_the_trouble_only_if_none_answers(sources: SandboxProcess) -> None:
    sources.fault("status", status=500)
    with pytest.raises(ProviderUnavailable, match="Rebrickable"):
        _look_up(System.BRICKLINK, UNKNOWN)
    with pytest.raises(ProviderUnavailable):
        look_up_anywhere(text=UNKNOWN, now=NOW)
    assert not LookUpMiss.objects.exists()
    assert not CatalogItem.objects.exists()


def test_tells_who_did_not_answer_of_several_systems(sources: SandboxProcess) -> None:
    sources.fault("html", service="rebrickable")
    answer = look_up_anywhere(text=UNKNOWN, now=NOW)
    assert (answer.items, answer.away) == ((), ("Rebrickable",))
    assert "BrickLink" in answer.asked


def test_passes_over_one_whose_calls_are_used_up(sources: SandboxProcess) -> None:
    today = datetime.now(UTC).date()
    SourceBudget.objects.create(source="bricklink", day=today, used=4500, limit=4500)
    answer = _look_up(System.BRICKLINK, FIGURE)
    assert (answer.asked, answer.away) == (("Rebrickable", "Brick Owl"), ("BrickLink",))
    assert "bricklink" not in _services(sources)
    assert answer.items


def test_passes_over_one_that_refuses_the_credentials(sources: SandboxProcess) -> None:
    places = {**sources.sources, "bricklink": {**sources.sources["bricklink"], "token_secret": "wrong"}}
    with override_settings(CATALOG_SOURCES=places):
        answer = _look_up(System.BRICKLINK, FIGURE)
    assert (answer.away, bool(answer.items)) == (("BrickLink",), True)


def test_asks_only_those_who_know_such_numbers(sources: SandboxProcess) -> None:
    assert _look_up(System.LDRAW, "no9such").asked == ("Rebrickable", "Brick Owl")
    assert _services(sources) == ["rebrickable", "brickowl"]
    assert _look_up(System.REBRICKABLE, "no9such").asked == ("Rebrickable",)
    assert asked_labels() == ALL


def _found(**values: Any) -> FoundItem:
    made = {"item_type": ItemType.PART, "number": "rb1", "name": "Brick", "image_url": "", **values}
    return FoundItem(**made)


def test_keeps_no_boid_as_an_item_of_its_own() -> None:
    assert keep(Source.BRICKOWL, [_found(ids={"brickowl": ("123",)})], {}, now=NOW) == {"rb1": ()}
    assert not CatalogItem.objects.exists()


def test_finds_an_item_under_a_number_that_was_replaced() -> None:
    item = CatalogItem.objects.create(
        item_type="PART", item_no="3069", alternate_nos=["3069b"], name="Tile", source="bricklink"
    )
    kept = keep(Source.BRICKOWL, [_found(ids={"brickowl": ("487300",), "bricklink": ("3069b",)})], {}, now=NOW)
    assert kept == {"rb1": (item,)}
    assert _look_up(System.BRICKLINK, "3069b").items == (item,)


def test_prefers_what_bricklink_says_of_its_own_number_and_a_person_above_all() -> None:
    ids = {"bricklink": ("b1",), "rebrickable": ("rb1",), "ldraw": ("l1",)}
    (item,) = keep(Source.REBRICKABLE, [_found(ids=ids)], {}, now=NOW)["rb1"]
    keep(Source.BRICKOWL, [_found(number="5", ids={"bricklink": ("b1",), "ldraw": ("l0",)})], {}, now=NOW)
    mapping = CatalogIdMapping.objects.get(canonical_item_no="b1")
    assert (mapping.ldraw_id, mapping.rebrickable_id) == ("l1", "rb1")
    CatalogExternalId.objects.create(item=item, system="ldraw", external_id="l9", source="manual", confidence=1)
    keep(Source.REBRICKABLE, [_found(ids=ids)], {}, now=NOW)
    assert CatalogIdMapping.objects.get(canonical_item_no="b1").ldraw_id == "l9"


def test_takes_back_that_a_number_was_another_item() -> None:
    keep(Source.REBRICKABLE, [_found(ids={"bricklink": ("b1",), "rebrickable": ("rb1",)})], {}, now=NOW)
    keep(Source.REBRICKABLE, [_found(ids={"bricklink": ("b2",), "rebrickable": ("rb1",)})], {}, now=NOW)
    rows = CatalogExternalId.objects.filter(system="rebrickable")
    assert [row.item.item_no for row in rows] == ["b2"]
    assert CatalogIdMapping.objects.get(canonical_item_no="b1").rebrickable_id == ""


def test_takes_a_part_that_bricklink_claims_for_a_hint() -> None:
    (item,) = keep(Source.REBRICKABLE, [_found(ids={"rebrickable": ("rb1",)})], {}, now=NOW)["rb1"]
    assert item.is_provisional
    keep(Source.BRICKLINK, [_found(ids={"bricklink": ("rb1",)})], {}, now=NOW)
    item.refresh_from_db()
    hint = CatalogExternalId.objects.get(item=item, system="rebrickable")
    assert (item.is_provisional, hint.source, hint.confidence) == (False, "auto", Decimal("0.40"))


def test_keeps_what_is_said_of_a_part_that_is_known_by_its_elements() -> None:
    item = CatalogItem.objects.create(item_type="PART", item_no="b1", name="Brick", source="bricklink")
    CatalogExternalId.objects.create(
        item=item, system="rebrickable", external_id="rb1", source="auto", confidence=Decimal("0.90")
    )
    found = _found(ids={"rebrickable": ("rb1",), "brickowl": ("123",)})
    assert keep(Source.REBRICKABLE, [found], {}, now=NOW) == {"rb1": (item,)}
    assert CatalogItem.objects.count() == 1
    assert CatalogExternalId.objects.get(system="brickowl").confidence == Decimal("0.90")
