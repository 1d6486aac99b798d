"""The catalog's pages: what a search finds, and an item with what the shop has of it."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from catalog.models import (
    CatalogColor,
    CatalogExternalId,
    CatalogItem,
    CatalogItemColor,
    CatalogRelation,
    CatalogSetItem,
)
from catalog.queries.items import sets_with
from common.testing.people import make_user
from inventory import services
from inventory.testing import make_lot
from inventory.views.catalog import item_url

pytestmark = pytest.mark.django_db

RED, BLUE = 5, 7


@pytest.fixture
def browser(client: Client) -> Client:
    """Answer the browser of somebody who works here."""
    client.force_login(make_user(role="staff"))
    return client


def _text(browser: Client, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return " ".join(answer.content.decode().split())


def _brick() -> CatalogItem:
    return CatalogItem.objects.get(item_type="PART", item_no="3001")


def _boid_of_red() -> str:
    CatalogExternalId.objects.create(
        item=_brick(), system="brickowl", external_id="771344", source="manual", confidence="0.98"
    )
    return f"771344-{CatalogColor.objects.get(pk=RED).brickowl_id}"


def test_search_says_by_which_platform_a_number_was_translated(browser: Client) -> None:
    boid = _boid_of_red()
    make_lot(qty=7)
    make_lot(qty=100, color_id=BLUE)
    page = _text(browser, f"/search/?q={boid}")
    assert f"Brick Owl {boid} → 3001 Red" in page
    assert f'href="{item_url("PART", "3001", RED)}"' in page
    assert ">7<span" in page, "what is there in the color that was meant"


def test_search_as_one_types_answers_the_results_alone(browser: Client) -> None:
    headers = {"HX-Request": "true", "HX-Target": "div#results"}
    part = browser.get("/search/?q=brick+2x4", headers=headers).content.decode()
    assert "3001" in part
    assert "<h1>" not in part


def test_search_without_a_hit_leads_on(browser: Client) -> None:
    page = _text(browser, "/search/?q=qqqqqqqq9")
    assert "The catalog knows no such item" in page
    assert "/inventory/add/?item_no=qqqqqqqq9" in page
    assert "LEGO element ids, or words in any order" in _text(browser, "/search/")


def test_search_says_which_words_it_looked_for_instead(browser: Client) -> None:
    assert "this is what “brick 2x4” finds" in _text(browser, "/search/?q=brikc+2x4")


def test_item_says_what_it_is_and_what_is_there_of_it(browser: Client) -> None:
    brick = _brick()
    CatalogItemColor.objects.update_or_create(
        item=brick, color_id=BLUE, defaults={"lego_element_ids": ["300123"], "source": "manual"}
    )
    CatalogExternalId.objects.create(
        item=brick, system="rebrickable", external_id="3001q", source="auto", confidence="0.30"
    )
    make_lot(qty=3)
    make_lot(qty=4, color_id=BLUE)
    make_lot(qty=5, color_id=BLUE, condition="USED")
    page = _text(browser, item_url("PART", "3001", BLUE))
    assert "12 in 3 lots" in page
    assert "300123" in page
    assert "Perhaps also Rebrickable" in page, "a hint is no number of it"
    assert "/inventory/?type=PART&amp;item_no=3001&amp;color=7" in page
    assert "item_no=3001&amp;item_name=Brick+2+x+4" in page
    assert "color_id=Blue" in page
    lots = _text(browser, "/inventory/?type=PART&item_no=3001&color=7")
    assert lots.count("data-lot=") == 2


def test_item_marks_a_color_in_which_it_was_never_made_and_lots_of_it(browser: Client) -> None:
    known = set(CatalogItemColor.objects.filter(item=_brick()).values_list("color_id", flat=True))
    never = next(
        pk for pk in CatalogColor.objects.order_by("pk").values_list("pk", flat=True) if pk and pk not in known
    )
    make_lot(qty=2, color_id=never)
    page = _text(browser, item_url("PART", "3001", never))
    assert f"Not known in {CatalogColor.objects.get(pk=never).name}" in page
    assert "not known in this color" in page


def test_item_says_how_large_it_is_in_what(browser: Client) -> None:
    for item_type, words in (("PART", "2 x 4 x 1 studs"), ("SET", "20 x 30 x 5 cm")):
        CatalogItem.objects.create(
            item_type=item_type, item_no="zzlarge", dimensions=words.rpartition(" ")[0], source="manual"
        )
        assert f"<dd>{words}</dd>" in _text(browser, item_url(item_type, "zzlarge"))


def test_item_that_only_rebrickable_knows_says_so(browser: Client) -> None:
    item = CatalogItem.objects.create(
        item_type="PART", item_no="zz1pr0001", name="Thing", is_provisional=True, source="rebrickable"
    )
    assert "Known only by Rebrickable's number" in _text(browser, item_url("PART", item.item_no))


def test_item_leads_to_its_prints(browser: Client) -> None:
    brick = _brick()
    for number in range(70):
        printed = CatalogItem.objects.create(
            item_type="PART", item_no=f"3001zpb{number}", name="Printed", source="manual"
        )
        CatalogRelation.objects.create(kind="P", child=printed, parent=brick, source="manual")
    page = _text(browser, item_url("PART", "3001"))
    assert "Printed" in page
    assert "and 10 more" in page
    assert "Print of" in _text(browser, item_url("PART", "3001zpb7"))


def test_set_shows_its_contents_and_parts_the_sets_they_are_in(browser: Client) -> None:
    row = CatalogItem.objects.filter(item_type="SET", contents__isnull=False).distinct().first()
    assert row is not None
    page = _text(browser, item_url("SET", row.item_no))
    assert "Contents" in page
    part = row.contents.filter(is_spare=False).first()
    assert part is not None
    assert item_url("SET", row.item_no) in _text(browser, item_url(part.item.item_type, part.item.item_no))


def test_item_lists_its_newest_sets_first_and_those_of_no_known_year_last(browser: Client) -> None:
    part = CatalogItem.objects.create(item_type="PART", item_no="zz1", name="Thing", source="manual")
    for year in (2001, None, 2020, *[2010] * 60):
        no = f"zz{CatalogItem.objects.count()}-1"
        owner = CatalogItem.objects.create(
            item_type="SET", item_no=no, name=f"Of {year}", year_released=year, source="manual"
        )
        for color in (RED, BLUE):
            CatalogSetItem.objects.create(set=owner, item=part, color_id=color, qty=1, source="manual")
    found = sets_with(part)
    years = [line.year for line in found.items]
    assert (years[0], years[-1], found.count, len(years)) == (2020, 2010, 63, 60)
    assert "and 3 more" in _text(browser, item_url("PART", "zz1"))
    CatalogItem.objects.filter(name="Of 2010").delete()
    assert [line.year for line in sets_with(part).items] == [2020, 2001, None]


@pytest.mark.parametrize("number", ["a/b", "a b", "a?b#c", "a%2fb", "<b>&amp;\"'", "٣٠٠١", "🧱"])
def test_odd_numbers_have_pages_too(browser: Client, number: str) -> None:
    CatalogItem.objects.create(
        item_type="PART", item_no=number, name="<script>alert(1)</script> zzodd", words="zzodd", source="manual"
    )
    make_lot(item_no=number, item_name="<script>alert(1)</script>")
    page = _text(browser, "/search/?q=zzodd")
    url = item_url("PART", number)
    assert escape(url) in page
    for path in (url, "/search/palette/?q=zzodd", "/inventory/add/items/?q=zzodd"):
        page = _text(browser, path)
        assert escape(number) in page
        assert "<script>alert" not in page


def test_what_the_shop_says_itself_is_found_without_the_catalog(browser: Client) -> None:
    for system, number in (("brickowl", "zz/1"), ("rebrickable", "zz/2")):
        services.set_item_mapping(
            system=system, external_id="zzmine1", item_type="CUSTOM", item_no=number, now=timezone.now()
        )
    page = _text(browser, "/search/?q=zzmine1")
    assert "2 items found" in page


def test_what_is_not_in_the_catalog_is_not_found(browser: Client) -> None:
    for path in ("/catalog/items/PART/nothing/", "/catalog/items/THING/3001/"):
        assert browser.get(path).status_code == 404
    assert browser.get(f"/search/?q={'x' * 101}").status_code == 400
    assert browser.get(f"{reverse('catalog:item', args=['PART', '3001'])}?color=99999999999&from=-3").status_code == 200


def test_lot_is_added_with_what_the_catalog_knows_of_the_item(browser: Client) -> None:
    page = _text(browser, "/inventory/add/?item_type=SET&item_no=1-1&item_name=Thing&category_name=Town")
    assert 'name="category_name" value="Town"' in page


def test_number_field_offers_items_and_only_a_whole_number_is_taken_at_once(browser: Client) -> None:
    offers = _text(browser, "/inventory/add/items/?q=300121")
    assert 'data-value="3001" data-name="Brick 2 x 4" data-type="PART"' in offers
    assert 'data-color="Red" data-likely' in offers
    assert "data-likely" not in _text(browser, "/inventory/add/items/?q=brick+2x4")
    assert _text(browser, "/inventory/add/items/?q=") == ""


def test_form_knows_names_of_the_catalog_and_colors_that_were_never_made(browser: Client) -> None:
    known = _text(browser, "/inventory/add/known/?item_no=3001&color_id=Chrome+Gold")
    assert 'data-known-name="Brick 2 x 4" data-known-type="PART"' in known
    assert "Not known in Chrome Gold" in known
    assert "Not known" not in _text(browser, "/inventory/add/known/?item_no=3001&color_id=Red")
