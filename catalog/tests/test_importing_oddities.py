"""Dumps as nobody should make them: a wrong line costs that line, and never the others."""

from decimal import Decimal

import pytest

from catalog.importing.reading import DumpRefused
from catalog.models import CatalogCategory, CatalogExternalId, CatalogItem, CatalogSetItem
from catalog.tests.conftest import Imported
from catalog.tests.test_importing import CODES, REBRICKABLE

pytestmark = pytest.mark.django_db

PARTS_HEAD = "Category ID\tCategory Name\tNumber\tName\tWeight (in Grams)\tDimensions\tAlternate Item Number\n\n"
CONTENTS_HEAD = "Type\tItem No\tItem Name\tQty\tColor ID\tExtra?\tAlternate?\tMatch ID\tCounterpart?\n\n"


@pytest.mark.parametrize(
    ("name", "head", "line"),
    [
        ("themes.csv", "id,name,parent_id\n901,Fine,\n", "-5,Below nothing,\n"),
        ("part_categories.csv", "id,name\n901,Fine\n", "-1,Below nothing\n"),
        ("categories.txt", "Category ID\tCategory Name\n\n901\tFine\n", "-1\tBelow nothing\n"),
        ("colors.txt", "Color ID\tColor Name\tRGB\tType\n\n9001\tFine\t000000\tSolid\n", "-1\tX\t000000\tSolid\n"),
        ("Parts.txt", f"{PARTS_HEAD}1\tBrick\tzz7\tFine\t1\t1 x 1\t\n", f"1\tBrick\tzz8\tB\t1\t1 x 1\t{'a' * 41}\n"),
        ("Parts.txt", f"{PARTS_HEAD}1\tBrick\tzz7\tFine\t1\t1 x 1\t\n", "1\tBrick\tzz\x0088\tB\t1\t1 x 1\t\n"),
        ("Parts.txt", f"{PARTS_HEAD}1\tBrick\tzz7\tFine\t1\t1 x 1\t\n", "1\tBrick\tzz\u202e8\tB\t1\t1 x 1\t\n"),
        ("minifigs.csv", "fig_num,name,num_parts\nfig-zz9,Fine,4\n", 'fig-zz8,"Half of a li\n'),
        ("minifigs.csv", "fig_num,name,num_parts\nfig-zz9,Fine,4\n\n", "fig-zz8,Of a\rMacintosh,4\n"),
    ],
)  # fmt: skip
def test_a_line_that_no_table_takes_is_left_out_alone(imported: Imported, name: str, head: str, line: str) -> None:
    [dump] = imported({name: head + line}).dumps
    assert (dump.rows, dump.problems) == (1, 1)


def test_half_a_line_takes_no_other_along(imported: Imported) -> None:
    lines = [f"fig-zz{number},Figure,4\n" for number in range(20)]
    half = 'fig-zzx,"Figure of\n'
    imported({"minifigs.csv": "fig_num,name,num_parts\n" + "".join(lines[:5]) + half + "".join(lines[5:])})
    assert CatalogItem.objects.filter(item_type="MINIFIG", item_no__startswith="fig-zz").count() == 20


def test_what_can_not_be_seen_is_not_in_names(imported: Imported) -> None:
    imported({"Parts.txt": f"{PARTS_HEAD}1\tBrick\tzz7\tEvil\u202e\x07name&#8238;\t1\t1 \x01x 1\t\n"})
    part = CatalogItem.objects.get(item_no="zz7")
    assert (part.name, part.dimensions) == ("Evil  name", "1  x 1")


def test_a_weight_has_two_places_and_room(imported: Imported) -> None:
    rows = "".join(f"1\tBrick\tzz{no}\tB\t{grams}\t\t\n" for no, grams in enumerate(("9999999.999", "1.255", "1e-99")))
    imported({"Parts.txt": PARTS_HEAD + rows})
    found = CatalogItem.objects.filter(item_no__in=["zz0", "zz1", "zz2"]).order_by("item_no")
    assert [part.weight_grams for part in found] == [None, Decimal("1.26"), None]


def test_many_older_numbers_are_no_reason_to_leave_a_part_out(imported: Imported) -> None:
    older = [f"zzold{number:03}" for number in range(100)]
    imported({"Parts.txt": f"{PARTS_HEAD}1\tBrick\tzz7\tB\t1\t\t {' , '.join(older)},\n"})
    assert CatalogItem.objects.get(item_no="zz7").alternate_nos == older


def test_a_download_with_fewer_columns_forgets_nothing(imported: Imported) -> None:
    imported({"Parts.txt": f"{PARTS_HEAD}1\tBrick\tzz7\tOld name\t2.5\t1 x 2\tzz6\n"})
    imported({"Parts.txt": "Category ID\tCategory Name\tNumber\tName\n\n1\tBrick\tzz7\tNew name\n"})
    part = CatalogItem.objects.get(item_no="zz7")
    assert (part.name, part.weight_grams, part.dimensions, part.alternate_nos) == (
        "New name", Decimal("2.50"), "1 x 2", ["zz6"],
    )  # fmt: skip
    imported({"Parts.txt": f"{PARTS_HEAD}1\tBrick\tzz7\tNew name\t3\t1 x 3\tzz5\n"})
    part.refresh_from_db()
    assert (part.weight_grams, part.dimensions, part.alternate_nos) == (Decimal(3), "1 x 3", ["zz5"])


def test_older_dumps_without_pictures_forget_none(imported: Imported) -> None:
    imported(REBRICKABLE)
    imported({"sets.csv": "set_num,name,year,theme_id,num_parts\nzz100-1,Zed house,2024,901,4\n"})
    assert CatalogItem.objects.get(item_type="SET", item_no="zz100-1").image_url == "https://x.example/a.jpg"


def test_one_inventory_number_for_two_sets_is_one_of_them(imported: Imported) -> None:
    imported({"codes.txt": CODES})
    twice = REBRICKABLE["sets.csv"] + "zz200-1,Zed hut,2024,901,4,\n"
    imported(REBRICKABLE | {"sets.csv": twice, "inventories.csv": "id,version,set_num\n2,1,zz100-1\n2,1,zz200-1\n"})
    owners = CatalogSetItem.objects.filter(set__item_no__in=["zz100-1", "zz200-1"]).values_list("set__item_no")
    assert len(set(owners)) == 1


def test_dumps_with_every_line_twice_are_the_same_dumps(imported: Imported) -> None:
    def doubled(text: str) -> str:
        head, *lines = text.splitlines(keepends=True)
        return head + "".join(lines) * 2

    imported({"codes.txt": doubled(CODES)})
    once = {name: text if name.startswith("inventory_") else doubled(text) for name, text in REBRICKABLE.items()}
    imported(once)
    rows = CatalogSetItem.objects.filter(set__item_no="zz100-1").order_by("item__item_no", "is_spare")
    assert list(rows.values_list("item__item_no", "color_id", "qty", "is_spare")) == [
        ("fig-zz0001", None, 2, False), ("zz1", 5, 7, False), ("zz1", 5, 1, True), ("zzonly", 5, 2, False),
    ]  # fmt: skip
    assert CatalogExternalId.objects.filter(system="rebrickable", external_id="zz1b").count() == 1
    assert CatalogCategory.objects.filter(kind="theme", number=900).count() == 1


def _contents(*lines: str) -> str:
    return CONTENTS_HEAD + "".join(f"{line}\n" for line in lines)


def test_contents_of_a_set_say_one_thing_in_two_ways(imported: Imported) -> None:
    imported({"codes.txt": CODES})
    imported(REBRICKABLE)
    imported({"zz100-1.txt": _contents("P\tzz1\tB\t3\t0\tN\tN\t0\tN", "P\tzz1\tB\t4\t?\tN\tN\t?\tN")})
    content = CatalogSetItem.objects.get(set__item_no="zz100-1")
    assert (content.qty, content.color_id, content.match_id, content.source) == (7, None, None, "bricklink")


def test_contents_that_are_the_same_are_not_written_again(imported: Imported) -> None:
    imported({"codes.txt": CODES})
    imported(REBRICKABLE)
    files = {"zz100-1.txt": _contents("P\tzz1\tB\t3\t5\tN\tN\t0\tN", "P\tzz1\tB\t1\t5\tY\tN\t0\tN")}
    imported(files)
    before = list(CatalogSetItem.objects.filter(set__item_no="zz100-1").order_by("pk").values_list())
    assert imported(files, is_forced=True).written["set contents"] == 0
    assert list(CatalogSetItem.objects.filter(set__item_no="zz100-1").order_by("pk").values_list()) == before
    less = {"zz100-1.txt": _contents("P\tzz1\tB\t2\t5\tN\tN\t0\tN")}
    imported(less)
    [content] = CatalogSetItem.objects.filter(set__item_no="zz100-1")
    assert (content.qty, content.pk) == (2, before[0][0])


def test_lines_that_name_what_nobody_knows_are_counted(imported: Imported) -> None:
    imported({"codes.txt": CODES})
    extra = "2,zznever,4,9,f,\n"
    report = imported(REBRICKABLE | {"inventory_parts.csv": REBRICKABLE["inventory_parts.csv"] + extra})
    assert report.unknown == {"rebrickable/part_relationships": 1, "rebrickable/inventory_parts": 1}
    lines = [f"P\t{no}\tB\t3\t{color}\tN\tN\t0\tN" for no, color in (("zz1", 5), ("zznever", 5), ("zz1", 9999))]
    assert imported({"zz100-1.txt": _contents(*lines)}).unknown == {"bricklink/contents": 2}
    assert imported({"zz404-1.txt": _contents(lines[0])}).unknown == {"bricklink/contents": 1}


def test_contents_are_named_by_their_set(imported: Imported) -> None:
    with pytest.raises(DumpRefused, match="Name it by the number of the set"):
        imported({f"{'x' * 50}.txt": _contents("P\tzz1\tB\t3\t5\tN\tN\t0\tN")})


def test_a_category_is_called_as_its_list_says_and_not_as_the_path_of_some_item(imported: Imported) -> None:
    sets = "Category ID\tCategory Name\tNumber\tName\n\n9067\tTown / City / Fire\tzz1-1\tA\n9067\tTown\tzz2-1\tB\n"
    files = {"Sets.txt": f"{sets}9157\tTime / Twisters\tzz3-1\tC\n"}
    imported(files)
    names = CatalogCategory.objects.filter(kind="bricklink", number__gt=9000).order_by("number").values_list("name")
    assert [name for (name,) in names] == ["Town", "Time"]
    both = files | {"categories.txt": "Category ID\tCategory Name\n\n9067\tTown\n9157\tTime / Twisters\n"}
    imported(both)
    assert [name for (name,) in names.all()] == ["Town", "Time / Twisters"]
    assert not any(imported(both, is_forced=True).written.values())
