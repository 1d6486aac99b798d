"""Files that name items by other platforms' numbers: known, ambiguous and unknown ones, and their colors."""

import pytest

from catalog import colors
from catalog.models import CatalogExternalId, CatalogItem, CatalogItemColor
from inventory.models import ImportLine, InventoryItem
from inventory.tests.test_importing import imported

pytestmark = pytest.mark.django_db


def _lots() -> list[tuple[str, int | None, str]]:
    return list(InventoryItem.objects.order_by("id").values_list("item_no", "color_id", "item_name"))


def _called(item_no: str, system: str, number: str, confidence: str = "1.00") -> None:
    item = CatalogItem.objects.get(item_type="PART", item_no=item_no)
    CatalogExternalId.objects.create(
        item=item, system=system, external_id=number, confidence=confidence, source="manual"
    )


def test_every_platforms_number_is_understood() -> None:
    red = CatalogItemColor.objects.get(item__item_no="3023", color_id=5).lego_element_ids[0]
    _called("3710", "brickowl", "900771")
    _called("3024", "ldraw", "zz3024")
    imported(
        "LEGO element id,BOID,Rebrickable id,LDraw id,Rebrickable color id,Condition,Qty,Price\n"
        f"{red},,,,,N,1,0.1\n,900771-81,,,,N,2,0.1\n,,3023,,1,N,3,0.1\n,,,zz3024,0,U,4,0.1\n".encode()
    )
    assert _lots() == [
        ("3023", 5, "Plate 1 x 2"), ("3710", 5, "Plate 1 x 4"), ("3023", 7, "Plate 1 x 2"), ("3024", 11, "Plate 1 x 1"),
    ]  # fmt: skip


def test_what_is_not_sure_is_a_problem_at_its_line_and_the_rest_comes_in() -> None:
    _called("3710", "brickowl", "900771")
    _called("3623", "brickowl", "900771")
    _called("3024", "brickowl", "900772", "0.40")
    run = imported(
        b"BOID,Color id,Condition,Qty,Price\n900771,5,N,1,0.1\n900772,5,N,1,0.1\n999999,5,N,1,0.1\n900773,,N,1,0.1\n"
        b",5,N,1,0.1\n"
    )
    assert run.counts == {"rows": 5, "PROBLEM": 5}
    messages = list(ImportLine.objects.filter(run=run).order_by("position").values_list("line", "message"))
    assert messages[0] == (2, "Brick Owl's number “900771” can be 3623, 3710. Say BrickLink's number.")
    assert messages[1] == (3, "Nobody here knows Brick Owl's number “900772”. Say BrickLink's number.")
    assert messages[2] == (4, "Nobody here knows Brick Owl's number “999999”. Say BrickLink's number.")
    assert messages[4] == (6, "The item number is missing.")


def test_a_part_without_a_color_is_none() -> None:
    _called("3710", "brickowl", "900771")
    run = imported(b"BOID,Condition,Qty,Price\n900771,N,1,0.1\n")
    assert run.counts == {"rows": 1, "PROBLEM": 1}
    assert ImportLine.objects.get(run=run).message == "A part needs a color."


def test_what_a_row_says_itself_stands() -> None:
    run = imported(b"BrickLink id,BOID,Color id,Item name,Condition,Qty,Price\n3001,999999,7,My brick,N,1,0.1\n")
    assert run.counts == {"rows": 1, "NEW": 1}, list(ImportLine.objects.values_list("message"))
    assert _lots() == [("3001", 7, "My brick")]


def test_a_number_without_a_type_is_what_the_catalog_has_under_it_or_a_part_if_it_has_a_color() -> None:
    run = imported(
        b"Item No,Color,Condition,Qty,Price\n3001,Red,N,1,0.1\nzz77,Blue,N,1,0.1\n40332-1,,N,1,9\nzz78,,N,1,0.1\n"
    )
    assert list(InventoryItem.objects.order_by("id").values_list("item_type", "item_no", "color_id")) == [
        ("PART", "3001", 5), ("PART", "zz77", 7), ("SET", "40332-1", None),
    ]  # fmt: skip
    assert ImportLine.objects.get(run=run, outcome="PROBLEM").message.startswith("Say what kind of thing this is")


@pytest.mark.parametrize(("system", "number", "color_id"), [
    ("rebrickable", 4, 5), ("brickowl", 81, 5), ("ldraw", 0, 11), ("brickowl", 67, 35), ("rebrickable", 1103, 77),
])  # fmt: skip
def test_colors_of_other_platforms(system: str, number: int, color_id: int) -> None:
    assert colors.of_platform(system)[number].id == color_id
