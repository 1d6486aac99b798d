"""Dumps of the catalog: told apart by what is in them, merged in sets, the same again without a write."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from catalog import services
from catalog.importing.reading import DumpRefused
from catalog.models import (
    CatalogCategory,
    CatalogElement,
    CatalogExternalId,
    CatalogIdMapping,
    CatalogItem,
    CatalogItemColor,
    CatalogRelation,
    CatalogSetItem,
)
from catalog.tests.conftest import Imported
from jobs import runner

pytestmark = pytest.mark.django_db

# Part numbers of our own, so that the catalog that comes with the application is beside the point.
CODES = "Item No\tColor\tCode\n\nzz1\tRed\t9000001\nzz1\tBlue\t9000002\nzz1pb1\tRed\t9000003\nzzleg\tRed\t9000004\n"
PARTS = (
    'part_num,name,part_cat_id,part_material\nzz1b,Brick 9 x 9,900,Plastic\nzz1pr1,"Brick 9 x 9, ""odd"" print",900,'
    "Plastic\nzzonly,Fence 9 x 1,900,Plastic\nzzleg,Leg of another,900,Plastic\n"
)
ELEMENTS = (
    "element_id,part_num,color_id,design_id\n9000001,zz1b,4,901\n9000002,zz1b,1,901\n9000003,zz1pr1,4,\n"
    "9000009,zzonly,4,903\n"
)
REBRICKABLE = {
    "part_categories.csv": "id,name\n900,Zed bricks\n",
    "themes.csv": "id,name,parent_id\n900,Zed,\n901,Zed town,900\n902,Round,903\n903,About,902\n",
    "parts.csv": PARTS,
    "elements.csv": ELEMENTS,
    "part_relationships.csv": "rel_type,child_part_num,parent_part_num\nP,zz1pr1,zz1b\nP,gone,zz1b\n",
    "sets.csv": "set_num,name,year,theme_id,num_parts,img_url\nzz100-1,Zed house,2024,901,4,https://x.example/a.jpg\n",
    "minifigs.csv": "fig_num,name,num_parts,img_url\nfig-zz0001,Zed,4,\n",
    "inventories.csv": "id,version,set_num\n1,1,zz100-1\n2,2,zz100-1\n",
    "inventory_parts.csv": (
        "inventory_id,part_num,color_id,quantity,is_spare,img_url\n1,zz1b,4,99,False,\n2,zz1b,4,3,False,\n"
        "2,zz1b,4,1,True,\n2,zzonly,4,2,f,\n2,zz1b,4,4,False,https://x.example/b.jpg\n"
    ),
    "inventory_minifigs.csv": "inventory_id,fig_num,quantity\n2,fig-zz0001,2\n",
    "inventory_sets.csv": "inventory_id,set_num,quantity\n",
}
del REBRICKABLE["inventory_sets.csv"]


def _everything() -> dict[str, list[Any]]:
    models = (CatalogItem, CatalogExternalId, CatalogElement, CatalogItemColor, CatalogSetItem, CatalogRelation,
              CatalogIdMapping, CatalogCategory)  # fmt: skip
    return {model.__name__: list(model.objects.order_by("pk").values_list()) for model in models}


def _item(no: str) -> CatalogItem:
    return CatalogItem.objects.get(item_type="PART", item_no=no)


def test_parts_of_both_are_one_where_they_share_elements(imported: Imported) -> None:
    imported({"codes.txt": CODES})
    imported(REBRICKABLE)
    brick = _item("zz1")
    assert (brick.name, brick.is_provisional, brick.category and brick.category.name) == (
        "Brick 9 x 9", False, "Zed bricks",
    )  # fmt: skip
    assert _item("zz1pb1").name == 'Brick 9 x 9, "odd" print'
    assert brick.words == "zz1 brick 9x9"
    mapping = CatalogIdMapping.objects.get(item_type="PART", canonical_item_no="zz1")
    assert (mapping.bricklink_id, mapping.rebrickable_id) == ("zz1", "zz1b")
    assert mapping.lego_element_ids == ["9000001", "9000002"]
    found = CatalogItemColor.objects.filter(item=brick).order_by("color").values_list("color_id", "lego_element_ids")
    assert list(found) == [(5, ["9000001"]), (7, ["9000002"])]
    relation = CatalogRelation.objects.get(child__item_no="zz1pb1")
    assert (relation.kind, relation.parent.item_no) == ("P", "zz1")


def test_knows_where_a_part_has_its_picture_in_a_color(imported: Imported) -> None:
    imported({"codes.txt": CODES})
    imported(REBRICKABLE)
    pictures = dict(CatalogItemColor.objects.filter(item=_item("zz1")).values_list("color_id", "image_url"))
    assert pictures == {5: "https://x.example/b.jpg", 7: ""}
    assert imported(REBRICKABLE, is_forced=True).written.get("colors of items", 0) == 0


def test_the_same_text_is_a_hint_and_no_proof(imported: Imported) -> None:
    imported({"codes.txt": CODES})
    imported(REBRICKABLE)
    leg = CatalogExternalId.objects.get(system="rebrickable", external_id="zzleg")
    assert leg.confidence < 0.5
    assert CatalogIdMapping.objects.get(canonical_item_no="zzleg").rebrickable_id == ""
    assert _item("zzleg").name == ""


def test_items_of_the_application_keep_their_names_and_get_categories(imported: Imported) -> None:
    imported({"codes.txt": CODES})
    CatalogItem.objects.filter(item_no="zz1").update(name="Our brick", source="manual")
    imported(REBRICKABLE)
    brick = _item("zz1")
    assert (brick.name, brick.category and brick.category.name) == ("Our brick", "Zed bricks")


def test_what_only_rebrickable_knows_stands_under_its_number_until_more_is_known(imported: Imported) -> None:
    imported(REBRICKABLE)
    assert _item("zzonly").is_provisional
    content = CatalogSetItem.objects.get(set__item_no="zz100-1", item__item_no="zzonly")
    imported({"codes.txt": CODES + "zz3\tRed\t9000009\n"})
    assert not CatalogItem.objects.filter(item_no="zzonly").exists()
    fence = _item("zz3")
    assert (fence.name, fence.is_provisional) == ("Fence 9 x 1", False)
    assert CatalogSetItem.objects.get(set=content.set, item=fence).qty == content.qty
    # And the dumps that still call it otherwise find it.
    imported(REBRICKABLE, is_forced=True)
    assert not CatalogItem.objects.filter(item_no="zzonly").exists()
    assert CatalogSetItem.objects.filter(set=content.set, item=fence).count() == 1


def test_a_set_is_what_its_newest_version_has(imported: Imported) -> None:
    imported({"codes.txt": CODES})
    imported(REBRICKABLE)
    rows = CatalogSetItem.objects.filter(set__item_no="zz100-1").order_by("item__item_no", "is_spare")
    assert list(rows.values_list("item__item_no", "color_id", "qty", "is_spare")) == [
        ("fig-zz0001", None, 2, False), ("zz1", 5, 7, False), ("zz1", 5, 1, True), ("zzonly", 5, 2, False),
    ]  # fmt: skip
    less = REBRICKABLE | {"inventory_parts.csv": "inventory_id,part_num,color_id,quantity,is_spare\n2,zz1b,1,1,t\n"}
    imported(less, is_forced=True)
    assert list(rows.values_list("item__item_no", "color_id", "qty", "is_spare")) == [
        ("fig-zz0001", None, 2, False), ("zz1", 7, 1, True),
    ]  # fmt: skip


def test_the_same_again_writes_nothing(imported: Imported) -> None:
    imported({"codes.txt": CODES})
    imported(REBRICKABLE)
    before = _everything()
    assert imported(REBRICKABLE).is_unchanged
    again = imported(REBRICKABLE, is_forced=True)
    assert not any(again.written.values()), again.written
    assert _everything() == before


@pytest.mark.parametrize("way", ["packed", "latin-1", "marked"])
def test_files_come_as_they_come(imported: Imported, way: str) -> None:
    head = "Category ID\tCategory Name\tNumber\tName\tYear Released\tWeight (in Grams)\n\n\n"
    text = f"{head}7\tTown / Caf&#233;\tzz9\tCafé\t?\t?\n"
    ways = {
        "packed": gzip.compress(text.encode()),
        "latin-1": text.encode("latin-1"),
        "marked": text.encode("utf-8-sig"),
    }
    raw = ways[way]
    report = imported({"Minifigures.txt": raw})
    assert report.dumps[0].rows == 1
    figure = CatalogItem.objects.get(item_type="MINIFIG", item_no="zz9")
    assert figure.category
    assert (figure.name, figure.category.name, figure.year_released) == ("Café", "Town", None)


def test_xml_of_bricklink_says_the_same(imported: Imported) -> None:
    start = "<ITEM><ITEMTYPE>P</ITEMTYPE>"
    part = start + "<ITEMID>{no}</ITEMID><ITEMNAME>{name}</ITEMNAME><CATEGORY>901</CATEGORY>{more}</ITEM>"
    gate = part.format(
        no="zz5", name="Gate &amp;#40;9 x 9&amp;#41;",
        more="<ITEMWEIGHT>1.25</ITEMWEIGHT><ALTITEMIDS>zz5a,zz5b</ALTITEMIDS>",
    )  # fmt: skip
    code = f"{start}<ITEMID>zz5</ITEMID><COLOR>Red</COLOR><CODENAME>9000077</CODENAME></ITEM>"
    imported({
        "parts.xml": f"<?xml version='1.0'?><CATALOG>{gate}{part.format(no='zz6', name='Bar', more='')}</CATALOG>",
        "codes.xml": f"<CATALOG>{code}</CATALOG>",
    })  # fmt: skip
    found = _item("zz5")
    assert (found.name, str(found.weight_grams), found.alternate_nos) == ("Gate (9 x 9)", "1.25", ["zz5a", "zz5b"])
    assert CatalogItemColor.objects.get(item=found).lego_element_ids == ["9000077"]


def test_wrong_lines_are_named_and_right_ones_come_in(imported: Imported) -> None:
    lines = (
        "9000091,zz1b,4,\n9000092,zz1b\n9000093,zz1b,red,\n,zz1b,4,\n9000094,zz1b,99999999999999,\n9000095,zz1b,4,\n"
    )
    report = imported({"elements.csv": "element_id,part_num,color_id,design_id\n" + lines})
    [dump] = report.dumps
    assert (dump.rows, dump.problems) == (2, 4)
    assert dump.problem_lines[0] == "elements.csv, line 3: has 2 columns instead of 4"
    assert dump.problem_lines[1].startswith("elements.csv, line 4: color_id “red” can't be read")
    assert set(CatalogElement.objects.filter(element_id__startswith="900009").values_list("element_id", flat=True)) == {
        "9000091", "9000095",
    }  # fmt: skip


def test_a_dump_that_shrinks_is_refused_unless_one_insists(imported: Imported) -> None:
    many = "id,name\n" + "".join(f"{number},Category {number}\n" for number in range(900, 1000))
    imported({"part_categories.csv": many})
    few = "\n".join(many.splitlines()[:90]) + "\n"
    with pytest.raises(DumpRefused, match="had 100 on"):
        imported({"part_categories.csv": few})
    assert imported({"part_categories.csv": few}, is_forced=True).dumps[0].rows == 89


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("parts.csv", b"part_num,name\n1,Brick\n", "lacks the column part_cat_id"),
        ("parts.csv", b"a;b;c\n1;2;3\n", "no dump that is known"),
        ("holiday.jpg", b"\xff\xd8\xff\xe0 not a dump", "no dump that is known"),
        ("empty.csv", b"", "no dump that is known"),
        ("elements.csv", b"element_id,part_num,color_id\n", "no line that can be read"),
        ("parts.csv.gz", gzip.compress(PARTS.encode() * 3000, mtime=0)[:-200], "cut off or broken"),
        ("items.txt", b"Category ID\tCategory Name\tNumber\tName\n1\ta\tb\tc\n", "its name doesn't say which"),
        ("inventory_sets.csv", b"inventory_id,set_num,quantity\n1,a,1\n", "says nothing without"),
        ("x.xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><CATALOG><ITEM>&b;</ITEM></CATALOG>", "no XML of"),
        ("x.xml", b"<CATALOG><ITEM><ITEMTYPE>P</ITEMTYPE>", "no XML of"),
        ("long.csv", b"id,name\n1," + b"x" * 100_000 + b"\n", "a line of more than"),
    ],
)  # fmt: skip
def test_what_is_no_dump_is_refused_in_words_and_changes_nothing(
    imported: Imported, name: str, content: bytes, words: str
) -> None:
    before = _everything()
    with pytest.raises(DumpRefused, match=words):
        imported({name: content})
    assert _everything() == before


def test_one_broken_dump_leaves_the_others_out_too(imported: Imported) -> None:
    before = _everything()
    with pytest.raises(DumpRefused, match="cut off"):
        imported({"codes.txt": CODES, "sets.csv.gz": gzip.compress(REBRICKABLE["sets.csv"].encode() * 2000)[:-99]})
    assert _everything() == before


def test_themes_that_go_round_have_no_parent(imported: Imported) -> None:
    imported(REBRICKABLE)
    parents = dict(CatalogCategory.objects.filter(kind="theme").values_list("number", "parent__number"))
    assert parents == {900: None, 901: 900, 902: None, 903: None}


@pytest.mark.parametrize("folder", ["", "nowhere", "empty"])
def test_without_dumps_in_the_folder_there_is_no_job(folder: str, tmp_path: Path, settings: Any) -> None:
    (tmp_path / "empty").mkdir()
    settings.CATALOG_DUMPS = (str(tmp_path / folder),) if folder else ()
    assert services.start_import(now=timezone.now()) is None


def test_the_folder_is_imported_by_a_job(tmp_path: Path, settings: Any) -> None:
    (tmp_path / "codes.txt").write_text(CODES + "broken\n")
    settings.CATALOG_DUMPS = (str(tmp_path),)
    job = services.start_import(now=timezone.now())
    assert job
    assert services.start_import(now=timezone.now()) == job
    runner.run_job(job_id=job.pk, with_heartbeat=False)
    job.refresh_from_db()
    assert job.result
    assert "1 file read: 4 rows, 1 left out" in job.result["message"]
    assert job.logs.filter(message__startswith="codes.txt, line 7: has 1 columns").exists()
    assert _item("zz1")
    again = services.start_import(now=timezone.now())
    assert again
    runner.run_job(job_id=again.pk, with_heartbeat=False)
    again.refresh_from_db()
    assert again.result == {"message": "The same files as last time; nothing to do."}


def test_the_command_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "codes.txt").write_text(CODES)
    call_command("import_catalog", str(tmp_path))
    assert "codes.txt: bricklink/codes, 4 rows" in capsys.readouterr().out
    call_command("import_catalog", str(tmp_path))
    assert "nothing to do" in capsys.readouterr().out
    call_command("build_mappings")
    with pytest.raises(CommandError, match="no file or folder"):
        call_command("import_catalog", str(tmp_path / "elsewhere"))
