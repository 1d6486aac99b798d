"""How a shop picks: its settings page, maps that make no sense, and where places are on one that does."""

from decimal import Decimal

import pytest

from audit.context import change_set
from common.errors import Invalid, StaleVersion
from common.testing.people import make_user
from inventory.testing import make_location
from picker.models import MapPoint, PickingSetup
from picker.queries.maps import storage_map
from picker.queries.previews import aisles_found, preview_of
from picker.routing import Aisles, Point, Spot
from picker.services.setup import save_setup

pytestmark = pytest.mark.django_db
AISLES = {"layout": "AISLES", "aisles": [{"zone": "A", "aisle": "1"}, {"zone": "A", "aisle": "2"}]}
URL, CHANGE = "/settings/picking/", "/settings/picking/change/"


@pytest.fixture
def owner(client):
    client.force_login(make_user(role="owner"))
    return client


def place(code):
    zone, aisle, shelf = code.split("-")
    return make_location(code, zone=zone, aisle=aisle, shelf=shelf)


def typed(**values):
    """Answer the form as the page sends it."""
    given = {
        "where_from": "ON_THE_WAY", "weight_tolerance": "5", "layout": "NONE", "blocks": "1", "spacing": "2",
        "length": "10", "depot_x": "0", "depot_y": "0", "points": "", "version": "1", "do": "save",
    }  # fmt: skip
    return {**given, **values}


def text(response):
    return response.content.decode()


def test_shelves_lie_evenly_along_the_blocks_of_their_aisle():
    places = [place(f"A-1-{shelf}") for shelf in (10, 2, 1, 3)]
    place("A-2-1")
    save_setup(values={**AISLES, "blocks": 2, "length": Decimal(10), "depot_aisle": 1})
    found = storage_map([each.pk for each in places])
    assert found.layout == Aisles(aisles=2, blocks=2, spacing=2, length=10, depot=1)
    ten, two, one, three = (found.spots[each.pk] for each in places)
    assert (one, two) == (Spot(0, 0, 2.5), Spot(0, 0, 7.5))
    assert (three, ten) == (Spot(0, 1, 2.5), Spot(0, 1, 7.5))


def test_what_is_not_on_the_map_is_nowhere(django_assert_max_num_queries):
    on_map, elsewhere = place("A-1-1"), place("B-1-1")
    place("A-2-1")
    save_setup(values=AISLES)
    with django_assert_max_num_queries(3):
        found = storage_map([on_map.pk, elsewhere.pk])
    assert list(found.spots) == [on_map.pk]


def test_free_places_are_where_they_were_put_and_can_be_taken_off():
    one, two = place("A-1-1"), place("A-1-2")
    save_setup(
        values={"layout": "FREE", "depot_x": Decimal(1), "depot_y": Decimal(2)},
        points={one.pk: (Decimal("3.5"), Decimal(4)), two.pk: (Decimal(0), Decimal(9))},
    )
    found = storage_map([one.pk, two.pk])
    assert (found.layout, found.depot) == (None, Point(1, 2))
    assert found.spots == {one.pk: Point(3.5, 4), two.pk: Point(0, 9)}
    save_setup(values={}, points={one.pk: (Decimal("3.5"), Decimal(4))})
    assert list(storage_map([one.pk, two.pk]).spots) == [one.pk]


@pytest.mark.parametrize(("values", "pointer", "words"), [
    ({"layout": "AISLES", "aisles": []}, "/aisles", "at least one aisle"),
    ({"layout": "AISLES", "aisles": [{"zone": "Z", "aisle": "9"}]}, "/aisles", "No location lies in zone Z, aisle 9"),
    ({"layout": "AISLES", "aisles": [{"zone": "A", "aisle": "1"}] * 2}, "/aisles", "twice"),
    ({**AISLES, "depot_aisle": 2}, "/depot_aisle", "isn't on the map"),
    ({**AISLES, "spacing": Decimal(200)}, "/spacing", "centimeters"),
    ({**AISLES, "length": Decimal(0)}, "/length", "above 0"),
    ({**AISLES, "blocks": 0}, "/blocks", "1 to 9"),
    ({"layout": "FREE"}, "/points", "at least one location"),
    ({"layout": "ROUND"}, "/layout", "Choose"),
    ({"where_from": "LUCK"}, "/where_from", "Choose"),
    ({"weight_tolerance": 51}, "/weight_tolerance", "0 to 50"),
])  # fmt: skip
def test_a_map_that_makes_no_sense_is_refused_in_words(values, pointer, words):
    place("A-1-1"), place("A-2-1")
    with pytest.raises(Invalid) as refused:
        save_setup(values=values)
    assert words in " ".join(refused.value.errors[pointer])
    assert not PickingSetup.objects.exists()


def test_places_far_away_or_all_at_the_start_are_no_map():
    one = place("A-1-1")
    with pytest.raises(Invalid) as refused:
        save_setup(values={"layout": "FREE"}, points={one.pk: (Decimal(5000), Decimal(0))})
    assert "centimeters" in refused.value.errors["/points"][0]
    with pytest.raises(Invalid) as refused:
        save_setup(values={"layout": "FREE"}, points={one.pk: (Decimal(0), Decimal(0))})
    assert "nothing to walk" in refused.value.errors["/points"][0]


def test_an_older_copy_of_the_settings_is_refused():
    save_setup(values={"weight_tolerance": 7}, expected_version=1)
    with pytest.raises(StaleVersion):
        save_setup(values={"weight_tolerance": 9}, expected_version=1)


def test_a_preview_walks_less_than_the_order_of_the_codes():
    for aisle in (1, 2):
        for shelf in range(1, 9):
            place(f"A-{aisle}-{shelf}")
    save_setup(values=AISLES)
    preview = preview_of(PickingSetup.objects.get())
    assert preview.placed == 16
    assert preview.walk is not None
    assert preview.plan is not None
    assert 0 < preview.walk.metres <= preview.walk.by_code_metres
    assert preview.plan.way.startswith("M")


def test_aisles_are_put_on_the_map_in_order_and_saved(owner):
    for code in ("A-1-1", "A-2-1", "A-10-1"):
        place(code)
    page = text(owner.post(CHANGE, typed(layout="AISLES", do="all", version="1")))
    assert page.index("Zone A, aisle 2") < page.index("Zone A, aisle 10")
    aisles = ["A\t1", "A\t2", "A\t10"]
    page = text(owner.post(CHANGE, typed(layout="AISLES", aisle=aisles, do="up:A\t10")))
    assert page.index("Zone A, aisle 10") < page.index("Zone A, aisle 2")
    owner.post(CHANGE, typed(layout="AISLES", aisle=["A\t10", "A\t1"], depot="A\t1"))
    setup = PickingSetup.objects.get()
    assert setup.aisles == [{"zone": "A", "aisle": "10"}, {"zone": "A", "aisle": "1"}]
    assert setup.depot_aisle == 1


def test_points_are_read_as_people_write_them(owner):
    place("A-1-1"), place("B-1-1")
    owner.post(CHANGE, typed(layout="FREE", points="a-1-1; 1,5; 2\n\nB-1-1\t3.25\t-4"))
    assert set(MapPoint.objects.values_list("location__code", "x", "y")) == {
        ("A-1-1", Decimal("1.5"), Decimal(2)), ("B-1-1", Decimal("3.25"), Decimal(-4)),
    }  # fmt: skip
    wrong = owner.post(CHANGE, typed(layout="FREE", version="2", points="A-1-1 1\nC-9 1 2\nB-1-1 1 1\nb-1-1 2 2"))
    assert wrong.status_code == 422
    for words in ("Line 1: a code, then two numbers", "no location C-9", "stands here twice"):
        assert words in text(wrong)
    assert MapPoint.objects.get(location__code="A-1-1").x == Decimal("1.5")


def test_typing_shows_the_plan_and_stores_nothing(owner):
    place("A-1-1"), place("A-1-2")
    page = owner.post(
        CHANGE, typed(layout="AISLES", aisle=["A\t1"], do=""), headers={"HX-Request": "true", "HX-Target": "div#map"}
    )
    assert "<svg" in text(page)
    assert "<html" not in text(page)
    assert not PickingSetup.objects.exists()


@pytest.mark.parametrize(("role", "status"), [("admin", 200), ("staff", 200), ("picker", 403), ("readonly", 403)])
def test_each_role_sees_what_it_may(client, role, status):
    client.force_login(make_user(role=role))
    page = client.get(URL)
    assert page.status_code == status
    assert (">Save changes<" in text(page)) is (role == "admin")
    assert client.post(CHANGE, typed()).status_code == (302 if role == "admin" else 403)


def test_a_change_can_be_undone(owner):
    with change_set("test"):
        save_setup(values={"weight_tolerance": 7})
    owner.post(CHANGE, typed(weight_tolerance="9", version="2"))
    assert PickingSetup.objects.get().weight_tolerance == 9
    undo = owner.get(URL).content.decode().partition('data-undo="')[2].partition('"')[0]
    owner.post(undo)
    assert PickingSetup.objects.get().weight_tolerance == 7


def test_a_zone_may_be_one_aisle_along_which_its_cabinets_stand():
    places = {code: place(code) for code in ("A-01-1", "A-01-9", "A-02-3", "A-10-1", "B-01-1")}
    save_setup(
        values={
            "layout": "AISLES", "aisles": [{"zone": "A", "aisle": ""}, {"zone": "B", "aisle": "01"}],
            "length": Decimal(30),
        }
    )  # fmt: skip
    spots = storage_map([found.pk for found in places.values()]).spots
    at = {code: spots[found.pk] for code, found in places.items()}
    assert list(at.values()) == [Spot(0, 0, 5), Spot(0, 0, 5), Spot(0, 0, 15), Spot(0, 0, 25), Spot(1, 0, 15)]


def test_a_zone_as_one_aisle_is_offered_where_it_has_several():
    for code in ("A-1-1", "A-2-1", "B-1-1"):
        place(code)
    found = aisles_found()
    assert [(aisle, row.places, row.is_zone) for aisle, row in found.items()] == [
        (("A", ""), 2, True), (("A", "1"), 1, False), (("A", "2"), 1, False), (("B", "1"), 1, False),
    ]  # fmt: skip
