"""What a channel with numbers of its own says that its lots are elsewhere, and which numbers it has for ours."""

from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from catalog import services as catalog
from catalog.models import CatalogIdMapping, CatalogItem
from catalog.queries.references import numbers_preferred
from common.testing.sandbox import SandboxProcess
from inventory.models import InventoryItem
from inventory.testing import make_lot
from sync.choices import Action, SkipReason
from sync.queries.meanings import meanings_of
from sync.remote import RemoteItem
from sync.tests.running import lines, local, plan
from sync.tests.sellers import Seller

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]

THING = {"item_type": "PART", "item_no": "999999", "color_no": "38", "condition": "NEW", "name": "Brick 2 x 4"}


def _meaning(*numbers: str, **changes: Any) -> Any:
    item = RemoteItem(**{**THING, **changes}, numbers=numbers)
    return meanings_of("brickowl", [item])[item]


@pytest.fixture
def seller(sandbox: SandboxProcess) -> Seller:
    made = Seller(sandbox, "brickowl")
    for row in sandbox.control("GET", f"sellers/{made.id}/lots"):
        sandbox.control("DELETE", f"sellers/{made.id}/lots/{row['id']}")
    return made


@pytest.fixture
def asked(sandbox: SandboxProcess) -> Any:
    """Have the installation's own account at Brick Owl be the sandbox's."""
    place = {"brickowl": {**settings.CATALOG_SOURCES["brickowl"], **sandbox.sources["brickowl"]}}
    with override_settings(CATALOG_SOURCES={**settings.CATALOG_SOURCES, **place}):
        yield sandbox


def test_takes_the_channels_word_for_what_it_is_elsewhere() -> None:
    assert _meaning().why_not == "Nobody here knows Brick Owl's number 999999."
    assert _meaning("element:300121", "ldraw:3002").item_no == "3001"
    # BrickLink's own number is that, whether the catalog has it or not; of several nobody says which.
    assert _meaning("bricklink:nobodys-1").item_no == "nobodys-1"
    assert "can be" in _meaning("bricklink:a1", "bricklink:a2").why_not
    # What is of another type is another thing.
    assert _meaning("element:300121", item_type="SET").why_not


def test_brings_in_lots_of_which_only_the_channel_says_what_they_are(seller: Seller) -> None:
    seller.put(quantity=10)
    run = plan(seller.store, local())
    assert [(line.action, line.item_no, line.color_id) for line in lines(run)] == [(Action.ADD, "3001", 5)]


def test_asks_for_the_numbers_of_lots_that_are_to_be_listed(seller: Seller, asked: SandboxProcess) -> None:
    make_lot(qty=12, item_no="3001", unit_price=Decimal("0.08"))
    make_lot(qty=1, item_no="zz9999")
    run = plan(local(), seller.store)
    found = {line.item_no: (line.action, line.skip_reason) for line in lines(run)}
    assert found == {"3001": (Action.ADD, ""), "zz9999": (Action.SKIP, SkipReason.UNMATCHED)}
    assert CatalogIdMapping.objects.get(item_type="PART", canonical_item_no="3001").brickowl_id
    before = len(asked.asked())
    plan(local(), seller.store)
    assert [row["path"] for row in asked.asked()[before:] if "catalog" in row["path"] or "batch" in row["path"]] == []
    assert InventoryItem.objects.count() == 2


def test_asks_for_many_numbers_at_once_with_a_key_that_may_not_read_the_catalog(
    seller: Seller, asked: SandboxProcess
) -> None:
    asked.control("PATCH", f"sellers/{seller.id}", {"settings": {"is_catalog_approved": False}})
    items = {
        (item.item_type, item.item_no)
        for item in CatalogItem.objects.filter(item_type__in=["PART", "SET", "MINIFIG"], is_provisional=False)
    }
    seen: list[tuple[int, int]] = []
    asked_of = catalog.learn_numbers(
        code="brickowl",
        items=items,
        now=timezone.now(),
        on_progress=lambda done, total, why: seen.append((done, total)),
    )
    batches = [row for row in asked.asked() if row["path"].endswith("bulk/batch")]
    assert len(batches) == len(seen) == -(-asked_of // 50)
    known = numbers_preferred("brickowl", items)
    assert sum(1 for number in known.values() if number) > len(items) / 2
    # Names and whatever else the catalog has of them stay.
    assert not CatalogItem.objects.filter(name="").exists()
