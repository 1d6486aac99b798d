"""A shop's own answers to what a platform's number means: said, said otherwise, forgotten, taken back."""

from typing import Any

import pytest
from django.utils import timezone

from audit import services as audit
from audit.context import change_set, current_change_set_id
from common.errors import Invalid, NotFound
from inventory import services
from inventory.models import ItemMapping
from inventory.queries.catalog import find_items, meant_by

pytestmark = pytest.mark.django_db

OWL: dict[str, Any] = {"system": "brickowl", "external_id": "771344", "item_type": "PART", "now": timezone.now()}


def test_a_number_means_what_was_said_last() -> None:
    services.set_item_mapping(**OWL, item_no="3001", color_id=5)
    services.set_item_mapping(**OWL, item_no="3023", color_id=None)
    assert ItemMapping.objects.count() == 1
    assert [(hit.item_no, hit.color_id) for hit in meant_by("771344")] == [("3023", None)]


def test_a_boid_in_another_color_is_another_number() -> None:
    services.set_item_mapping(**OWL, external_color="38", item_no="3001", color_id=5)
    assert [hit.item_no for hit in meant_by("771344-38")] == ["3001"]
    assert find_items("771344-39").hits == ()


def test_an_item_that_the_catalog_lacks_is_found_all_the_same() -> None:
    services.set_item_mapping(**OWL, item_no="my-own-99")
    [hit] = find_items("boid 771344").hits
    assert (hit.item_no, hit.name) == ("my-own-99", "")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"system": "ebay"}, "/system"), ({"item_no": " "}, "/item_no"), ({"external_id": "x" * 61}, "/external_id"),
        ({"item_type": "BRICK"}, "/item_type"), ({"color_id": 9999}, "/color_id"),
        ({"item_type": "SET", "color_id": 5}, "/color_id"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(values: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        services.set_item_mapping(**{**OWL, "item_no": "3001", **values})
    assert field in refused.value.errors


def test_a_forgotten_mapping_leaves_the_catalog_its_say_and_comes_back_by_undo() -> None:
    with change_set("test.say"):
        mapping = services.set_item_mapping(**OWL, item_no="3001", color_id=5)
    with change_set("test.forget"):
        services.forget_item_mapping(mapping_id=mapping.pk)
        forgotten = current_change_set_id()
    assert meant_by("771344") == []
    with pytest.raises(NotFound):
        services.forget_item_mapping(mapping_id=mapping.pk)
    assert forgotten
    audit.start_revert(change_set_id=forgotten)
    assert [(hit.item_no, hit.color_id) for hit in meant_by("771344")] == [("3001", 5)]
