"""What a shop says of numbers is its own: seen by no other, heard by our staff as one voice, and gone with the shop."""

from typing import Any

import pytest
from django.utils import timezone

from catalog import services as catalog
from catalog.models import MappingOffer, MappingVoice
from common.testing.people import make_user
from inventory import services
from inventory.choices import UnmappedOrigin
from inventory.models import InventoryItem, ItemMapping, LeftUnmapped, UnmappedItem
from inventory.queries.unmapped import open_questions
from inventory.questions import Question
from inventory.services import Met
from inventory.testing import make_lot
from inventory.tests.test_importing import imported
from tenants.testing import in_schema
from tests.tenancy.conftest import MARK, Other

pytestmark = pytest.mark.django_db

SAID: dict[str, Any] = {"system": "brickowl", "external_id": "900999", "item_type": "PART", "item_no": "3001"}


@pytest.fixture
def told(other: Other) -> Other:
    """Have the other shop say, leave and ask something, all of it with the mark."""
    with in_schema(other.schema):
        services.set_item_mapping(**SAID, now=timezone.now())
        services.set_item_mapping(**{**SAID, "external_id": MARK}, now=timezone.now())
        services.leave_unmapped(question=Question("brickowl", f"{MARK}-left"))
        met = Met(question=Question("brickowl", f"{MARK}-asked"), reason="UNKNOWN")
        services.note_unmapped(origin=UnmappedOrigin.CHANNEL, met=[met], system="brickowl")
        make_lot(item_no=f"{MARK}-lot")
    return other


def test_no_page_shows_what_another_shop_says_or_asks(told: Other, client: Any) -> None:
    client.force_login(make_user())
    for path in ("/catalog/unmapped/", "/catalog/unmapped/all/", "/catalog/unmapped/all/?show=left",
                 "/catalog/mappings/", f"/catalog/mappings/?q={MARK}", f"/search/?q={MARK}"):  # fmt: skip
        page = client.get(path).content.decode().replace(f"q={MARK}", "").replace(f'value="{MARK}"', "")
        assert f"{MARK}-" not in page, path
        assert f"Brick Owl {MARK}" not in page, path
    assert open_questions().total == 0
    for model in (ItemMapping, LeftUnmapped, UnmappedItem):
        assert not model.objects.exists()
    with in_schema(told.schema):
        theirs, left = ItemMapping.objects.first(), LeftUnmapped.objects.get()
        assert theirs
    assert client.get(f"/catalog/mappings/{theirs.pk}/").status_code == 404
    assert client.post(f"/catalog/mappings/{theirs.pk}/delete/").status_code == 404
    assert client.post(f"/catalog/unmapped/left/{left.pk}/reopen/").status_code == 404


def test_no_import_obeys_what_another_shop_says(told: Other) -> None:
    run = imported(b"BOID,Color id,Condition,Qty,Price\n900999,5,N,1,0.1\n")
    assert run.counts == {"rows": 1, "PROBLEM": 1}
    assert not InventoryItem.objects.exists()


def test_two_shops_are_two_voices_and_each_takes_back_its_own(told: Other) -> None:
    mine = services.set_item_mapping(**SAID, now=timezone.now())
    offer = MappingOffer.objects.get(external_id="900999")
    assert offer.voices.count() == 2
    services.forget_item_mapping(mapping_id=mine.pk)
    assert offer.voices.count() == 1
    with in_schema(told.schema):
        catalog.withdraw_all_mappings()
    assert not MappingOffer.objects.exists()
    assert not MappingVoice.objects.exists()


def test_what_our_staff_accepts_is_understood_by_every_shop(told: Other) -> None:
    with in_schema("public"):
        offer = MappingOffer.objects.get(external_id="900999")
        catalog.accept_offer(offer_id=offer.pk, decided_by="Me", now=timezone.now())
    run = imported(b"BOID,Color id,Condition,Qty,Price\n900999,5,N,1,0.1\n")
    assert run.counts == {"rows": 1, "NEW": 1}
