"""What shops offer for everybody's dictionary: counted without names, written only by our staff."""

from typing import Any

import pytest
from django.utils import timezone

from catalog import services
from catalog.models import (
    CatalogElement,
    CatalogExternalId,
    CatalogIdMapping,
    CatalogItem,
    CatalogItemColor,
    MappingOffer,
    MappingVoice,
)
from catalog.queries.candidates import candidates, outside_candidates
from catalog.queries.references import resolve_references
from common.errors import Conflict, NotFound
from common.workspace import current_key

pytestmark = pytest.mark.django_db

OWL: dict[str, Any] = {"system": "brickowl", "external_id": "900999"}
KEY = ("brickowl", "900999")


def _item(item_no: str = "3001") -> CatalogItem:
    return CatalogItem.objects.get(item_type="PART", item_no=item_no)


def _offer(item_no: str = "3001", **more: Any) -> bool:
    return services.offer_mapping(**{**OWL, "item_type": "PART", "item_no": item_no, "now": timezone.now(), **more})


def _accept(offer: MappingOffer) -> MappingOffer:
    return services.accept_offer(offer_id=offer.pk, decided_by="Me", now=timezone.now())


def _reject(offer: MappingOffer) -> MappingOffer:
    return services.reject_offer(offer_id=offer.pk, decided_by="Me", now=timezone.now())


def test_a_shop_says_one_thing_of_a_number_and_writes_no_dictionary() -> None:
    before = CatalogExternalId.objects.count()
    assert _offer()
    assert _offer()
    assert _offer("3023")
    assert [offer.item_no for offer in MappingOffer.objects.all()] == ["3023"]
    assert MappingVoice.objects.count() == 1
    assert current_key() not in MappingVoice.objects.get().shop
    assert CatalogExternalId.objects.count() == before
    assert resolve_references({KEY}) == {}


def test_what_is_taken_back_waits_for_nobody_and_what_was_decided_stays() -> None:
    _offer()
    services.withdraw_mapping(**OWL)
    assert not MappingOffer.objects.exists()
    _offer()
    _reject(MappingOffer.objects.get())
    services.withdraw_mapping(**OWL)
    _offer()
    assert MappingOffer.objects.get().status == "REJECTED", "not asked about once more"


@pytest.mark.parametrize(
    "wrong",
    [{"system": "bricklink"}, {"item_no": "nothing"}, {"item_type": "CUSTOM"}, {"system": "element"}],
)
def test_what_is_the_shops_alone_is_not_offered(wrong: dict[str, Any]) -> None:
    assert not _offer(**wrong)
    assert not MappingOffer.objects.exists()


def test_what_our_staff_accepts_is_certain_for_every_shop() -> None:
    CatalogExternalId.objects.create(item=_item("3023"), **OWL, source="rebrickable", confidence="0.98")
    CatalogExternalId.objects.create(
        item=_item(), system="brickowl", external_id="100001", source="rebrickable", confidence="0.98"
    )
    _offer()
    accepted = _accept(MappingOffer.objects.get())
    assert (accepted.status, accepted.decided_by) == ("ACCEPTED", "Me")
    assert [meant.item_no for meant in resolve_references({KEY})[KEY]] == ["3001"]
    row = CatalogExternalId.objects.get(item=_item(), **OWL)
    assert (row.source, str(row.confidence)) == ("manual", "1.00")
    mapping = CatalogIdMapping.objects.get(item_type="PART", canonical_item_no="3001")
    assert mapping.brickowl_id == "900999", "what was entered is preferred"
    _reject(accepted)
    assert [meant.item_no for meant in resolve_references({KEY})[KEY]] == ["3023"]
    mapping.refresh_from_db()
    assert mapping.brickowl_id == "100001"


def test_what_is_gone_cannot_be_accepted() -> None:
    _offer()
    offer = MappingOffer.objects.get()
    MappingOffer.objects.update(item_no="gone")
    with pytest.raises(Conflict):
        _accept(offer)
    services.withdraw_mapping(**OWL)
    with pytest.raises(NotFound):
        _accept(offer)


# --- Candidates -----------------------------------------------------------------------------------------------------
def _why(**asked: Any) -> dict[str, str]:
    return {each.hit.item_no: each.reason for each in candidates(**asked)}


def test_every_candidate_says_why_it_is_one() -> None:
    CatalogExternalId.objects.create(item=_item("3023"), **OWL, source="auto", confidence="0.40")
    found = _why(system="brickowl", number="900999", name="Brick 2 x 4")
    assert found["3023"] == "Perhaps: a source is 40 % sure that Brick Owl means this"
    assert found["3001"] == "Its name is alike"
    assert len(found) <= 5


def test_the_same_digits_and_other_moulds_are_candidates() -> None:
    made = [
        CatalogItem.objects.create(item_type="PART", item_no=no, source="bricklink", is_provisional=no == "zz3")
        for no in ("77301", "77301b", "77301pb01", "773019", "zz3", "zz4")
    ]
    made[4].relations_up.create(kind="M", parent=made[5], source="rebrickable")
    found = _why(system="rebrickable", number="77301old")
    assert set(found) == {"77301", "77301b"}, "a print is another thing than what is plain"
    assert _why(system="bricklink", number="77301pb02") == {}
    assert all("same digits" in reason for reason in found.values())
    assert _why(system="bricklink", number="zz3") == {"zz4": "Another mould of it"}, "never itself, it is provisional"
    assert "77301" not in _why(system="brickowl", number="77301"), "there the digits say nothing"


def test_shared_elements_make_a_candidate() -> None:
    known = CatalogItemColor.objects.exclude(lego_element_ids=[]).select_related("item").first()
    assert known
    CatalogElement.objects.create(
        source="rebrickable", element_id=known.lego_element_ids[0], part_no="zz9", color_id=known.color_id
    )
    assert _why(system="rebrickable", number="zz9") == {known.item.item_no: "Has 1 LEGO element in common with it"}


@pytest.mark.parametrize("text", ["", "'", "%", "\\", "💥", "a" * 60, "((((", "1 & 2 | !", "<b>"])
def test_hostile_texts_make_no_candidates_and_no_errors(text: str) -> None:
    for system in ("brickowl", "element", "bricklink"):
        candidates(system=system, number=text or "1", name=text)


def test_what_an_item_may_be_elsewhere() -> None:
    other = CatalogItem.objects.create(item_type="PART", item_no="3001old", source="bricklink")
    other.relations_up.create(kind="M", parent=_item(), source="rebrickable")
    CatalogExternalId.objects.create(item=_item(), **OWL, source="auto", confidence="0.30")
    CatalogExternalId.objects.create(
        item=other, system="brickowl", external_id="900111", source="rebrickable", confidence="0.98"
    )
    found = outside_candidates(item_type="PART", item_no="3001", system="brickowl")
    assert [(each.number, each.reason) for each in found] == [
        ("900999", "A source is 30 % sure"), ("900111", "The number of 3001old, another mould"),
    ]  # fmt: skip
