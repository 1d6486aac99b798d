"""Items found by numbers of all platforms, by words and colors, and by words that are nearly right."""

import csv
import re
from pathlib import Path

import pytest
from django.db import connection

from catalog.models import CatalogColor, CatalogExternalId, CatalogItem, CatalogItemColor
from catalog.queries.search import BEGINS, Hit, by_number, search
from common.testing.plans import Explain, scans
from common.testing.query_counts import counted

pytestmark = pytest.mark.django_db


def _first(text: str) -> Hit:
    found = search(text)
    assert found.hits, text
    return found.hits[0]


def _item(item_no: str, name: str = "", *, item_type: str = "PART", **values: object) -> CatalogItem:
    words = f"{item_no} {name}".lower()
    return CatalogItem.objects.create(
        item_type=item_type, item_no=item_no, name=name, words=words, source="manual", **values
    )


def _called(item: CatalogItem, system: str, external_id: str, confidence: str = "0.98") -> None:
    CatalogExternalId.objects.create(
        item=item, system=system, external_id=external_id, source="manual", confidence=confidence
    )


@pytest.mark.parametrize("text", ["3001", " 3001 ", "BL:3001", "P 3001", "3001.dat"])
def test_a_number_comes_before_what_begins_so(text: str) -> None:
    hit = _first(text)
    assert hit.item_no == "3001"
    assert hit.translation == ""


def test_an_element_id_says_part_and_color() -> None:
    hit = _first("300121")
    assert (hit.item_no, hit.color_id) == ("3001", 5)
    assert hit.translation == "LEGO element 300121 → 3001 Red"


def test_a_boid_with_a_color_says_part_and_color() -> None:
    _called(CatalogItem.objects.get(item_type="PART", item_no="3001"), "brickowl", "771344")
    hit = _first(f"boid 771344-{CatalogColor.objects.get(name='Red').brickowl_id}")
    assert (hit.item_no, hit.color_id) == ("3001", 5)
    assert re.fullmatch(r"Brick Owl 771344-\d+ → 3001 Red", hit.translation)


def test_six_to_eight_digits_are_an_element_first_then_a_boid_then_a_design() -> None:
    boid, design = _item("bo1", "Owl"), _item("de1", "Design")
    _called(boid, "brickowl", "300121")
    _called(design, "lego_design", "300121")
    assert [hit.item_no for hit in search("300121").hits[:3]] == ["3001", "bo1", "de1"]


def test_several_items_of_one_number_are_listed_and_say_whose_it_is() -> None:
    one, other = _item("77771", "Tile with groove"), _item("77772", "Tile without groove")
    _called(one, "rebrickable", "zz77", "0.90")
    _called(other, "rebrickable", "zz77", "0.60")
    assert [hit.translation for hit in search("ZZ77").hits] == [
        "Rebrickable zz77 → 77771", "Rebrickable zz77 → 77772"
    ]  # fmt: skip
    assert [hit.item_no for hit in search("rb zz77").hits] == ["77771", "77772"]


def test_a_set_is_found_without_its_variant() -> None:
    _item("99911-1", "Falcon", item_type="SET")
    assert _first("99911").item_no == "99911-1"


def test_a_printed_torso_finds_the_assemblies_with_it() -> None:
    for number in ("973pb0001c01", "973pb0001c02", "973pb0001x"):
        _item(number, "Torso")
    assert [hit.item_no for hit in search("973pb0001").hits][:2] == ["973pb0001c01", "973pb0001c02"]


def test_an_old_number_finds_its_item() -> None:
    _item("88881", "Thing", alternate_nos=["old77"])
    assert _first("OLD77").translation == "Older number old77 → 88881"


def test_signs_that_mean_anything_to_the_database_mean_themselves() -> None:
    assert all(hit.how != BEGINS for hit in search("300%").hits)
    for text in ("3_01", "'; --1", "3001' | !a", "\\1", "((&|!"):
        search(text)


def test_only_whole_numbers_are_what_somebody_means_by_one() -> None:
    assert [hit.item_no for hit in by_number("3001")] == ["3001"]
    assert by_number("30") == []
    assert any(hit.how == BEGINS for hit in search("30").hits)


@pytest.mark.parametrize(
    ("text", "item_no", "color_id"),
    [
        ("brick 2x4", "3001", None), ("2 x 4 brick", "3001", None), ("2x4 red brick", "3001", 5),
        ("plate 1x2 dk bluish gray", "3023", 85), ("1x2 plate", "3023", None), ("pla 1x2", "3023", None),
        ("bricks 2x4", "3001", None), ("2x1 plate", "3023", None),
    ],
)  # fmt: skip
def test_words_are_found_in_any_order(text: str, item_no: str, color_id: int | None) -> None:
    hit = _first(text)
    assert (hit.item_no, hit.color_id) == (item_no, color_id)


@pytest.mark.parametrize(("text", "item_no"), [("brik 2x4", "3001"), ("palte 1x2", "3023"), ("pltae 1x2", "3023")])
def test_wrong_spellings_are_understood_where_nothing_is_spelled_so(text: str, item_no: str) -> None:
    assert _first(text).item_no == item_no


def test_a_word_that_nobody_uses_does_not_hide_what_the_others_find() -> None:
    assert _first("brick 2x4 wunderbar").item_no == "3001"


def test_what_exists_in_the_color_comes_first() -> None:
    red, blue = _item("55551", "Zeppelin Hull"), _item("55552", "Zeppelin Hull")
    CatalogItemColor.objects.create(item=red, color_id=5, source="manual")
    CatalogItemColor.objects.create(item=blue, color_id=7, source="manual")
    hits = search("blue zeppelin").hits
    assert [(hit.item_no, hit.is_known_in_color) for hit in hits] == [("55552", True), ("55551", False)]


def test_a_color_in_a_name_finds_what_is_called_so() -> None:
    _item("4184-1", "The Black Pearl", item_type="SET")
    assert "4184-1" in [hit.item_no for hit in search("black pearl").hits]


def test_nothing_finds_nothing() -> None:
    assert search("").hits == search("  ").hits == search("qqqqqqqq").hits == ()


def test_a_number_is_one_query_and_so_are_words() -> None:

    for text in ("3001", "300121", "red brick 2x4"):
        with counted() as statements:
            search(text)
        assert len(statements) == 1, (text, statements)


def test_what_people_search_for_is_among_the_first_three() -> None:
    known = {f"{kind}:{no}" for kind, no in CatalogItem.objects.values_list("item_type", "item_no")}
    with (Path(__file__).parent / "searches.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert len(rows) >= 200
    missed, asked = [], 0
    for row in rows:
        items = set(row["items"].split("/"))
        # Which numbers platforms have for an item is not all in the built-in catalog.
        if not items & known or row["kind"] in ("Numbers", "LEGO elements and designs"):
            continue
        asked += 1
        hits = search(row["query"]).hits[:3]
        if not any(
            f"{hit.item_type}:{hit.item_no}" in items and row["color_id"] in ("", str(hit.color_id)) for hit in hits
        ):
            missed.append((row["query"], row["items"], [hit.label for hit in hits]))
    assert asked > 90
    assert not missed


# --- As many as there are ---------------------------------------------------------------------------------------------
_FILL = """
INSERT INTO catalog_catalogitem (item_type, item_no, name, words, popularity, source, dimensions, image_url,
    thumbnail_url, alternate_nos, is_provisional)
SELECT 'PART', 'q' || i, n.name, 'q' || i || ' ' || lower(n.name), i %% 40, 'manual', '', '', '', '{}', false
FROM generate_series(1, 20000) i,
    LATERAL (SELECT (ARRAY['Brick', 'Plate', 'Tile', 'Slope'])[1 + i %% 4] || ' Q' || i %% 997 || ' Motif' AS name) n
"""


def test_no_search_reads_the_catalog_from_end_to_end() -> None:
    tables = (
        "catalog_catalogitem", "catalog_catalogexternalid", "catalog_catalogitemcolor", "catalog_catalogword"
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_FILL.replace("%%", "%"))
        cursor.execute(
            "INSERT INTO catalog_catalogexternalid (item_id, system, external_id, source, confidence)"
            " SELECT id, 'rebrickable', 'r' || item_no, 'manual', 1 FROM catalog_catalogitem WHERE item_no LIKE 'q%'"
        )
        cursor.execute(
            "INSERT INTO catalog_catalogitemcolor (item_id, color_id, lego_element_ids, source)"
            " SELECT id, 5, ARRAY['9' || id], 'manual' FROM catalog_catalogitem WHERE item_no LIKE 'q%'"
        )
        cursor.execute(
            "INSERT INTO catalog_catalogword SELECT DISTINCT 'word' || md5(i::text), 1 FROM generate_series(1, 20000) i"
        )
        for index in ("catalog_item_words", "catalog_item_popular", "catalog_elements", "catalog_word_alike"):
            cursor.execute("SELECT gin_clean_pending_list(%s::regclass)", [index])
        cursor.execute(f"ANALYZE {', '.join(tables)}")
    wrong = []
    for text in ("q17", "912345", "b", "tile q17", "red brick q9", "titel motif", "motif brick unheard"):
        explain = Explain(*tables)
        with connection.execute_wrapper(explain):
            search(text)
        wrong += [f"{text}\n{plan}" for plan in scans(explain.plans, *tables)]
    assert not wrong, "\n\n".join(wrong)


def test_a_size_is_turned_whole() -> None:
    names = [hit.name for hit in search("plate 1x2").hits]
    assert names[0] == "Plate 1 x 2"
    assert not [name for name in names if name.startswith("Plate 2 x 1")]
