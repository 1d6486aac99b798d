"""What the sources' answers come to: literal ones, from their documentation (catalog-sources.md)."""

from decimal import Decimal

from catalog.choices import ItemType
from catalog.sources import brickognize, rebrickable
from catalog.sources.base import FoundItem, FoundItems, ImageKind, Prediction

PART = {
    "part_num": "01586pr0001", "name": "Creature, Direhorse with Blue Mane and Tail print", "part_cat_id": 28,
    "part_url": "https://rebrickable.com/parts/01586pr0001/…/",
    "part_img_url": "https://cdn.rebrickable.com/media/parts/elements/6409192.jpg",
    "external_ids": {"BrickLink": ["1587pb01"], "BrickOwl": ["253312"], "Brickset": ["100724"], "LEGO": ["100724"]},
}  # fmt: skip
FOUND_PART = FoundItem(
    item_type=ItemType.PART,
    number="01586pr0001",
    name="Creature, Direhorse with Blue Mane and Tail print",
    image_url="https://cdn.rebrickable.com/media/parts/elements/6409192.jpg",
    ids={
        "bricklink": ("1587pb01",),
        "brickowl": ("253312",),
        "lego_design": ("100724",),
        "rebrickable": ("01586pr0001",),
    },
)
BLACK = {
    "id": 0, "name": "Black", "rgb": "05131D", "is_trans": False, "external_ids": {
        "BrickLink": {"ext_ids": [11], "ext_descrs": [["Black"]]},
        "BrickOwl": {"ext_ids": [38], "ext_descrs": [["Black"]]},
        "LEGO": {"ext_ids": [26, 342], "ext_descrs": [["Black", "BLACK"], ["CONDUCT. BLACK"]]},
        "Peeron": {"ext_ids": [None], "ext_descrs": [["black"]]},
        "LDraw": {"ext_ids": [0, 256], "ext_descrs": [["Black"], ["Rubber_Black"]]},
    },
}  # fmt: skip
IDENTIFIED = {
    "listing_id": "res-d492bca0",
    "bounding_box": {
        "left": 0, "upper": 0, "right": 320, "lower": 240, "image_width": 768, "image_height": 1024, "score": 0.99,
    },
    "items": [{"id": "3001", "name": "Brick 2 x 4",
        "img_url": "https://storage.googleapis.com/brickognize-static/thumbnails/part/3001/0.webp",
        "external_sites": [{"name": "bricklink", "url": "https://www.bricklink.com/v2/catalog/catalogitem.page?P=3001"}],
        "category": "Brick", "type": "part", "score": Decimal("0.9")}],
}  # fmt: skip


def test_reads_a_part() -> None:
    data = {"count": 1, "next": None, "previous": None, "results": [PART]}
    assert rebrickable.parts_result(data) == FoundItems((FOUND_PART,))


def test_reads_a_part_without_picture_and_numbers() -> None:
    (found,) = rebrickable.parts_result({"results": [{**PART, "part_img_url": None, "external_ids": {}}]}).items
    assert (found.image_url, found.ids) == ("", {"rebrickable": ("01586pr0001",)})


def test_reads_an_element_as_part_and_color() -> None:
    data = {"element_id": "6409192", "part": PART, "color": BLACK, "element_img_url": None, "part_img_url": None}
    assert rebrickable.element_result(data) == FoundItems((FOUND_PART,), color_id=0)
    assert rebrickable.element_result(None) == FoundItems()


def test_reads_a_set_and_a_figure() -> None:
    data = {
        "set_num": "75192-1", "name": "Millennium Falcon", "year": 2017, "theme_id": 171, "num_parts": 7541,
        "set_img_url": "https://cdn.rebrickable.com/media/sets/75192-1.jpg", "set_url": "…", "last_modified_dt": "…",
    }  # fmt: skip
    (found,) = rebrickable.set_result(data).items
    assert (found.item_type, found.number, found.year_from) == (ItemType.SET, "75192-1", 2017)
    figure = {"set_num": "fig-000001", "name": "Toy Store Employee", "num_parts": 4, "set_img_url": None}
    (found,) = rebrickable.set_result(figure).items
    assert (found.item_type, found.number, found.year_from) == (ItemType.MINIFIG, "fig-000001", None)


def test_reads_a_line_of_a_set() -> None:
    row = {
        "id": 1, "inv_part_id": 1, "part": PART, "color": {**BLACK, "is_trans": None}, "set_num": "fig-000001",
        "quantity": 2, "is_spare": True, "element_id": None, "num_sets": 3,
    }  # fmt: skip
    line = rebrickable.contents_result(row)
    assert (line.item, line.color_id, line.qty, line.is_spare) == (FOUND_PART, 0, 2, True)


def test_reads_a_figure_of_a_set() -> None:
    row = {
        "id": 1,
        "set_num": "fig-000001",
        "set_name": "Toy Store Employee",
        "quantity": 2,
        "set_img_url": None,
    }
    line = rebrickable.figure_result(row)
    assert (line.item.item_type, line.item.number, line.item.name) == ("MINIFIG", "fig-000001", "Toy Store Employee")
    assert (line.color_id, line.qty, line.is_spare) == (None, 2, False)


def test_reads_a_color_of_a_part() -> None:
    row = {
        "color_id": 4, "color_name": "Red", "num_sets": 2, "num_set_parts": 5, "part_img_url": None,
        "elements": ["4649741", "300121"],
    }  # fmt: skip
    color = rebrickable.part_color_result(row)
    assert (color.color_id, color.element_ids, color.sets_count) == (4, ("4649741", "300121"), 2)


def test_follows_only_the_query_of_the_next_page() -> None:
    data = {"next": "https://evil.example/steal/?page=2&page_size=1000&inc_color_details=0", "results": []}
    assert rebrickable.page_result(data, str) == ([], {"page": "2", "page_size": "1000", "inc_color_details": "0"})


def test_asks_by_each_systems_number() -> None:
    params = {
        system: rebrickable.parts_request(system, number)["params"]
        for system, number in {
            "bricklink": "3001",
            "brickowl": "253312-38",
            "ldraw": "3001",
            "rebrickable": "3001",
        }.items()
    }
    assert params["bricklink"]["bricklink_id"] == "3001"
    assert params["brickowl"]["brickowl_id"] == "253312"
    assert params["ldraw"]["ldraw_id"] == "3001"
    assert params["rebrickable"]["part_nums"] == "3001"


def test_keeps_a_number_from_leading_elsewhere() -> None:
    assert rebrickable.element_request("../users/token")["path"] == "lego/elements/..%2Fusers%2Ftoken/"


def test_reads_how_long_to_wait() -> None:
    body = b'{"detail": "Request was throttled. Expected available in 2 seconds."}'
    assert rebrickable.Rebrickable.retry_after(429, {}, body) == 2
    assert rebrickable.Rebrickable.retry_after(429, {"Retry-After": "7"}, b"{}") == 7
    assert rebrickable.Rebrickable.retry_after(429, {}, b"{}") is None


def test_reads_what_a_picture_shows() -> None:
    assert brickognize.identify_result(IDENTIFIED) == (
        Prediction(
            item_type=ItemType.PART,
            item_no="3001",
            name="Brick 2 x 4",
            image_url="https://storage.googleapis.com/brickognize-static/thumbnails/part/3001/0.webp",
            score=Decimal("0.9"),
        ),
    )


def test_believes_the_link_more_than_the_id() -> None:
    item = IDENTIFIED["items"][0]  # type: ignore[index]  # a literal

    def sites(query: str) -> list[dict[str, str]]:
        return [{"name": "bricklink", "url": f"https://www.bricklink.com/v2/catalog/catalogitem.page?{query}"}]

    rows = [
        {
            **item,
            "id": "x",
            "type": "sticker",
            "external_sites": sites("P=75290stk01"),
        },
        {**item, "id": "sw0001", "type": "fig", "external_sites": [], "score": Decimal("0.95")},
        {**item, "id": "75192-1", "type": "set", "external_sites": sites("S=75192-1")},
        {**item, "id": "?", "type": "minibuild", "external_sites": []},
    ]
    found = brickognize.identify_result({"items": rows})
    assert [(each.item_type, each.item_no) for each in found] == [
        (ItemType.MINIFIG, "sw0001"), (ItemType.PART, "75290stk01"), (ItemType.SET, "75192-1"),
    ]  # fmt: skip


def test_asks_the_endpoint_of_the_kind() -> None:
    paths = [brickognize.identify_request(b"x", kind)["path"] for kind in ImageKind]
    assert paths == ["predict/", "predict/parts/", "predict/sets/", "predict/figs/"]
