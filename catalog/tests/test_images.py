"""Pictures come from our own host: one question to a source for all who look, and never to anybody else."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test import override_settings
from django.utils import timezone
from PIL import Image

from catalog.choices import ImageState, ItemType, Source
from catalog.models import CatalogImage, CatalogItem, CatalogItemColor
from catalog.queries import images as queries
from catalog.services import fetch_wanted, identify_image, read_image, tidy_images, want_image
from catalog.services.images import KEPT_FOR, NONE_FOR, TROUBLE_FOR, UNUSED_FOR, _take
from catalog.sources.base import ImageKind
from catalog.tests.pictures import picture
from common.limits import Limit
from common.testing.sandbox import SandboxProcess

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
RED = 5


@pytest.fixture
def hosts(picture_hosts: SandboxProcess, sources: SandboxProcess) -> SandboxProcess:
    """Have everybody who is asked be the sandbox."""
    return picture_hosts


@pytest.fixture
def brick(no_items: None, colors: None) -> CatalogItem:
    """Have an item that the sandbox has pictures of."""
    return CatalogItem.objects.create(
        item_type=ItemType.PART, item_no="3001", name="Brick 2 x 4", source=Source.BRICKLINK
    )


def _want(item_no: str = "3001", color_id: int = RED, *, item_type: str = "PART", now: datetime = NOW) -> bool:
    known = queries.get_image(item_type, item_no, color_id)
    return want_image(known=known, item_type=item_type, item_no=item_no, color_id=color_id, now=now)


def _odd(number: str, **fields: Any) -> CatalogImage:
    """Answer what became of the picture of an item whose only host answers something odd."""
    CatalogItem.objects.create(item_type=ItemType.PART, item_no=number, name="Odd", source=Source.BRICKLINK, **fields)
    assert _want(number, 0)
    fetch_wanted(now=NOW)
    return CatalogImage.objects.get(item_no=number)


def _opened(image: CatalogImage, side: int) -> Image.Image:
    data = read_image(image=image, side=side)
    assert data is not None
    return Image.open(io.BytesIO(data))


def _asked(hosts: SandboxProcess) -> list[str]:
    return [asked["path"] for asked in hosts.asked()]


# --- Fetching -------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.usefixtures("brick")
def test_keeps_a_picture_in_both_sizes(hosts: SandboxProcess) -> None:
    assert _want()
    assert fetch_wanted(now=NOW) == 1
    image = CatalogImage.objects.get()
    assert (image.state, image.is_in_color, image.fetched_at) == (ImageState.KEPT, True, NOW)
    assert image.source_url == "https://img.bricklink.com/ItemImage/PN/5/3001.png"
    assert image.ask_again_at == NOW + KEPT_FOR
    small, large = _opened(image, 96), _opened(image, 480)
    assert (small.format, small.size, large.size) == ("WEBP", (96, 96), (480, 480))
    red, green, blue = large.convert("RGB").getpixel((240, 200))  # type: ignore[misc]
    assert red > 120 > green + blue
    assert image.size_bytes == sum(default_storage.size(image.file_name(side)) for side in queries.SIDES)
    # There is nothing left to do, and nobody is asked again.
    assert fetch_wanted(now=NOW) == 0
    assert not _want()
    assert len(hosts.asked()) == 1


@pytest.mark.django_db
def test_takes_the_picture_in_the_color_where_a_source_named_it(hosts: SandboxProcess, brick: CatalogItem) -> None:
    CatalogItemColor.objects.create(
        item=brick, color_id=RED, lego_element_ids=["300121"], source=Source.REBRICKABLE,
        image_url="https://cdn.rebrickable.com/media/parts/ldraw/4/3001.png",
    )  # fmt: skip
    _want()
    fetch_wanted(now=NOW)
    assert _asked(hosts) == ["/cdn.rebrickable.com/media/parts/ldraw/4/3001.png"]


@pytest.mark.django_db
def test_marks_the_picture_of_another_color_with_the_color(hosts: SandboxProcess, brick: CatalogItem) -> None:
    brick.image_url = "https://cdn.rebrickable.com/media/parts/ldraw/1/3001.png"
    brick.save()
    hosts.fault("status", service="pictures", path="/PN/5/", status=404)
    _want()
    fetch_wanted(now=NOW)
    image = CatalogImage.objects.get()
    assert (image.state, image.is_in_color) == (ImageState.KEPT, False)
    red, green, blue = _opened(image, 480).convert("RGB").getpixel((470 - 40, 430))  # type: ignore[misc]
    assert (red > 150, green < 60, blue < 60) == (True, True, True)


@pytest.mark.django_db
@pytest.mark.usefixtures("brick")
def test_fetches_the_picture_in_no_color_once_for_all_colors(hosts: SandboxProcess) -> None:
    hosts.fault("status", service="pictures", path="/PN/", status=404)
    for color_id in (0, RED, 7):
        _want(color_id=color_id)
        fetch_wanted(now=NOW)
    assert [path for path in _asked(hosts) if "/PL/" in path] == ["/img.bricklink.com/ItemImage/PL/3001.png"]
    assert CatalogImage.objects.filter(state=ImageState.KEPT).count() == 3


@pytest.mark.django_db
@pytest.mark.usefixtures("no_items")
@pytest.mark.parametrize(("item_type", "number"), [
    ("SET", "75192-1"), ("MINIFIG", "sw0010"), ("GEAR", "853914"), ("BOOK", "5005737"), ("CATALOG", "c84de"),
    ("INSTRUCTION", "6080-1"), ("BOX", "75192-1"),
])  # fmt: skip
def test_finds_pictures_of_every_type(item_type: str, number: str, hosts: SandboxProcess) -> None:
    CatalogItem.objects.create(item_type=item_type, item_no=number, source=Source.BRICKLINK)
    _want(number, 0, item_type=item_type)
    fetch_wanted(now=NOW)
    assert CatalogImage.objects.get().state == ImageState.KEPT


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("brick")
def test_asks_once_for_twenty_who_look_at_once(hosts: SandboxProcess) -> None:
    hosts.fault("latency", service="pictures", seconds=0.3)

    def look(_number: int) -> None:
        try:
            # As late as it is for the workers that are called: what one has claimed is free again after minutes.
            _want(now=timezone.now())
            fetch_wanted(now=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(look, range(20)))
    assert len(hosts.asked()) == 1
    assert CatalogImage.objects.get().state == ImageState.KEPT


# --- What is no picture ---------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.usefixtures("no_items")
@pytest.mark.parametrize("number", [
    "odd-50megapixels", "odd-cut", "odd-text", "odd-svg", "odd-huge", "odd-inside", "odd-elsewhere", "odd-circle",
])  # fmt: skip
def test_takes_no_such_thing_for_a_picture(number: str, hosts: SandboxProcess) -> None:
    image = _odd(number)
    assert (image.state, image.ask_again_at) == (ImageState.NONE, NOW + NONE_FOR)
    assert not image.content_hash
    assert all(path.startswith("/img.bricklink.com/") for path in _asked(hosts))


@pytest.mark.django_db
@pytest.mark.usefixtures("no_items")
def test_keeps_the_first_frame_of_an_animation(hosts: SandboxProcess) -> None:
    shown = _opened(_odd("odd-animated"), 96)
    assert getattr(shown, "n_frames", 1) == 1
    red, _green, blue = shown.convert("RGB").getpixel((48, 48))  # type: ignore[misc]
    assert (red > 200, blue < 60) == (True, True)


@pytest.mark.django_db
@pytest.mark.usefixtures("no_items")
def test_keeps_nothing_that_a_camera_wrote_and_stands_upright(hosts: SandboxProcess) -> None:
    image = _odd("odd-exif")
    data = read_image(image=image, side=480)
    assert data is not None
    assert b"Spy camera" not in data
    shown = _opened(image, 480).convert("RGB")
    right, left = shown.getpixel((340, 240)), shown.getpixel((140, 240))
    assert (right[0] > 150 > right[1], left) == (True, (255, 255, 255))  # type: ignore[index]


@pytest.mark.django_db
@pytest.mark.usefixtures("no_items")
def test_follows_where_it_could_have_asked_itself(hosts: SandboxProcess) -> None:
    assert _odd("odd-onward").state == ImageState.KEPT


# --- Sources in trouble ---------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.usefixtures("brick")
@pytest.mark.parametrize("fault", [
    {"kind": "status", "status": 500}, {"kind": "status", "status": 403}, {"kind": "html"}, {"kind": "half_body"},
    {"kind": "reset_before"}, {"kind": "html", "status": 503},
], ids=str)  # fmt: skip
def test_asks_again_in_an_hour_where_a_host_has_trouble(fault: dict[str, Any], hosts: SandboxProcess) -> None:
    hosts.fault(service="pictures", **fault)
    _want()
    fetch_wanted(now=NOW)
    image = CatalogImage.objects.get()
    assert (image.state, image.ask_again_at) == (ImageState.TROUBLE, NOW + TROUBLE_FOR)
    assert not _want(now=NOW + TROUBLE_FOR - timedelta(seconds=1))
    hosts.reset()
    assert _want(now=NOW + TROUBLE_FOR)
    fetch_wanted(now=NOW + TROUBLE_FOR)
    assert CatalogImage.objects.get().state == ImageState.KEPT


@pytest.mark.django_db
@pytest.mark.usefixtures("brick")
def test_leaves_a_host_alone_that_is_asked_too_often(hosts: SandboxProcess) -> None:
    hosts.fault("rate_limit", service="pictures", retry_after=120)
    _want()
    fetch_wanted(now=NOW)
    count = len(hosts.asked())
    _want(color_id=7)
    fetch_wanted(now=NOW)
    assert len(hosts.asked()) == count == 1
    later = CatalogImage.objects.get(color_id=7)
    assert later.state == ImageState.WANTED
    assert timedelta(seconds=60) < later.ask_again_at - NOW <= timedelta(seconds=125)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.usefixtures("brick")
@pytest.mark.parametrize("fault", [{"kind": "timeout_before", "seconds": 60}, {"kind": "slow_body", "pieces": 5000}])
def test_waits_for_nobody_for_ever(fault: dict[str, Any], hosts: SandboxProcess) -> None:
    hosts.fault(service="pictures", times=1, **fault)
    _want(color_id=0)
    fetch_wanted(now=NOW)
    assert CatalogImage.objects.get().state == ImageState.TROUBLE


@pytest.mark.django_db
@pytest.mark.usefixtures("brick")
def test_keeps_the_old_picture_while_a_newer_one_cannot_be_had(hosts: SandboxProcess) -> None:
    _want()
    fetch_wanted(now=NOW)
    hosts.fault("status", service="pictures", status=500)
    assert _want(now=NOW + KEPT_FOR)
    fetch_wanted(now=NOW + KEPT_FOR)
    image = CatalogImage.objects.get()
    assert image.state == ImageState.TROUBLE
    assert _opened(image, 96).size == (96, 96)


@pytest.mark.django_db
@pytest.mark.usefixtures("brick")
def test_goes_on_with_what_a_worker_that_died_had_taken(hosts: SandboxProcess) -> None:
    _want()
    assert [image.item_no for image in _take(NOW)] == ["3001"]
    assert fetch_wanted(now=NOW) == 0
    assert fetch_wanted(now=NOW + timedelta(minutes=5)) == 1


# --- Who may be asked for what --------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.usefixtures("brick")
def test_fetches_nothing_of_what_nobody_knows(hosts: SandboxProcess) -> None:
    assert not _want("../../etc/passwd")
    assert not _want("999999")
    assert not _want(color_id=99_999)
    assert not _want(item_type="SET")
    assert not CatalogImage.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("no_items")
@pytest.mark.parametrize("url", [
    "https://evil.example/a.png", "http://cdn.rebrickable.com/media/a.png", "https://cdn.rebrickable.com:8443/media/a.png",
    "https://cdn.rebrickable.com@127.0.0.1/media/a.png", "https://cdn.rebrickable.com/other/a.png",
    "https://storage.googleapis.com/somebody-else/a.png", "https://cdn.rebrickable.com/media/../other/a.png",
    "https://storage.googleapis.com/brickognize-static/%2e%2e/other/a.png", "file:///etc/passwd", "//127.0.0.1/a.png",
    "https://cdn.rebrickable.com.evil.example/media/a.png", "https://[::1/a.png",
])  # fmt: skip
def test_asks_no_other_host_whatever_the_catalog_says(url: str, hosts: SandboxProcess) -> None:
    image = _odd("x1", image_url=url, is_provisional=True)
    assert image.state == ImageState.NONE
    assert _asked(hosts) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("brick")
def test_asks_only_hosts_that_the_installation_allows(hosts: SandboxProcess) -> None:
    with override_settings(CATALOG_IMAGE_HOSTS=("cdn.rebrickable.com",)):
        _want()
        fetch_wanted(now=NOW)
    assert _asked(hosts) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("brick")
def test_asks_no_address_inside_where_a_name_leads_there(
    monkeypatch: pytest.MonkeyPatch, hosts: SandboxProcess
) -> None:
    def inside(*_arguments: Any, **_options: Any) -> list[Any]:
        return [(2, 1, 6, "", ("127.0.0.1", 443))]

    with override_settings(CATALOG_IMAGES_URL=""), monkeypatch.context() as patched:
        patched.setattr("common.wire.guard.socket.getaddrinfo", inside)
        _want()
        fetch_wanted(now=NOW)
    assert CatalogImage.objects.get().state == ImageState.TROUBLE


@pytest.mark.django_db
@pytest.mark.usefixtures("brick")
def test_leaves_something_for_other_shops(monkeypatch: pytest.MonkeyPatch, hosts: SandboxProcess) -> None:
    monkeypatch.setattr("catalog.services.images._A_DAY", Limit(name="images", amount=1, window_s=86_400))
    assert _want()
    assert not _want(color_id=7)


@pytest.mark.django_db
@pytest.mark.usefixtures("no_items")
def test_has_the_picture_of_what_was_identified(hosts: SandboxProcess) -> None:
    found = identify_image(image=picture(), kind=ImageKind.PART, now=NOW).predictions[0]
    assert found.item is None
    assert _want(found.item_no, 0, item_type=found.item_type)
    fetch_wanted(now=NOW)
    image = CatalogImage.objects.get(item_no=found.item_no)
    assert (image.state, image.source_url.split("/")[2]) == (ImageState.KEPT, "storage.googleapis.com")


# --- Forgetting -----------------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.usefixtures("brick")
def test_forgets_what_nobody_looks_at(hosts: SandboxProcess) -> None:
    _want()
    fetch_wanted(now=NOW)
    image = CatalogImage.objects.get()
    assert tidy_images(now=NOW + UNUSED_FOR - timedelta(days=1)) == 0
    assert tidy_images(now=NOW + UNUSED_FOR) == 1
    assert not CatalogImage.objects.exists()
    assert not any(default_storage.exists(image.file_name(side)) for side in queries.SIDES)


@pytest.mark.django_db
@pytest.mark.usefixtures("brick")
def test_keeps_no_more_than_the_installation_has_room_for(hosts: SandboxProcess) -> None:
    for days, color_id in enumerate((RED, 7, 11)):
        _want(color_id=color_id, now=NOW + timedelta(days=days))
        fetch_wanted(now=NOW + timedelta(days=days))
    sizes = dict(CatalogImage.objects.values_list("color_id", "size_bytes"))
    with override_settings(CATALOG_IMAGES_LIMIT_BYTES=sizes[7] + sizes[11]):
        assert tidy_images(now=NOW + timedelta(days=3)) == 1
    assert set(CatalogImage.objects.values_list("color_id", flat=True)) == {7, 11}
