"""Locations that a shop keeps in its remarks are read, placed and written back, in one undoable deed."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from audit import services as trail
from common import workspace
from common.errors import Invalid
from common.workspace import Workspace
from inventory import remarks, services
from inventory.models import InventoryItem, InventoryItemLocation, Location
from inventory.services.remarks import preview_reading, preview_writing
from inventory.testing import make_location, make_lot
from jobs.models import JobRun
from jobs.runner import run_job

NOW = timezone.now()


@pytest.mark.parametrize(
    ("pattern", "text", "codes", "rest"),
    [
        ("{location}", "A-01-2", ["A-01-2"], ""),
        ("{location}", " a-01-2, B-03 ", ["a-01-2", "B-03"], ""),
        ("{location} | {text}", "A-01-2 | bright green", ["A-01-2"], "bright green"),
        ("{location} | {text}", "A-01-2", ["A-01-2"], ""),
        ("Loc: {location}", "yellowed. loc:A-01-2 bagged", ["A-01-2"], "yellowed. bagged"),
        ("{text} ({location})", "bagged (A-01-2; B-03)", ["A-01-2", "B-03"], "bagged"),
        ("[{location}] {text}", "[A1]", ["A1"], ""),
    ],
)
def test_a_pattern_reads_codes_and_leaves_the_text(pattern: str, text: str, codes: list[str], rest: str) -> None:
    found = remarks.compiled(pattern).read(text)
    assert found is not None
    assert ([code for code, _ in found.codes], found.text) == (codes, rest)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("{location}", "yellowed"), ("{location}", "A-1 is empty"), ("Loc: {location}", "A-1"), ("{location}", "A1, a1")],
)
def test_what_does_not_fit_the_pattern_is_no_location(pattern: str, text: str) -> None:
    assert remarks.compiled(pattern).read(text) is None


@pytest.mark.parametrize("pattern", ["{text}", "{location}{text}", "{location} {location}", "{place}", "{location} }{"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(remarks.PatternError):
        remarks.compiled(pattern)


@pytest.mark.parametrize(
    ("pattern", "before", "after"),
    [
        ("{location} | {text}", "A-1 | bright", "B-1, B-2 | bright"),
        ("{location} | {text}", "bright", "B-1, B-2 | bright"),
        ("{location} | {text}", "", "B-1, B-2"),
        ("Loc: {location}", "bagged", "bagged Loc: B-1, B-2"),
        ("{text} @{location}", "@A-1", "@B-1, B-2"),
        ("{location}", "A-1", "B-1, B-2"),
        ("{location}", "bagged in two", None),
    ],
)
def test_codes_are_written_without_losing_text(pattern: str, before: str, after: str | None) -> None:
    made = remarks.compiled(pattern)
    assert made.write(before, ["B-1", "B-2"]) == after
    if after:
        found = made.read(after)
        assert found is not None
        assert [code for code, _ in found.codes] == ["B-1", "B-2"]


def test_pieces_are_shared_where_the_remarks_do_not_say_how_many() -> None:
    assert remarks.shares([("a", None), ("b", None)], 5) == {"a": 3, "b": 2}
    assert remarks.shares([("a", 4), ("b", None)], 5) == {"a": 4, "b": 1}
    assert remarks.shares([("a", 9), ("b", None)], 5) == {"a": 5}


def shop_with_pattern() -> Workspace:
    """Answer the shop at hand with a pattern of its own (WORKSPACE_PROVIDER)."""
    return replace(workspace.from_settings(), remarks_pattern="{location} | {text}")


@pytest.fixture
def _pattern(settings: Any) -> None:
    settings.WORKSPACE_PROVIDER = f"{__name__}.shop_with_pattern"


def _saves(*_args: Any) -> None:
    """Nothing goes on from here."""


def _placed(lot: Any) -> dict[str, int]:
    return dict(InventoryItemLocation.objects.filter(inventory_item=lot).values_list("location__code", "qty"))


def _read(*, replace: bool = False) -> dict[str, int]:
    after: UUID | None = None
    counts: dict[str, int] = {}
    while True:
        after, tally = services.read_chunk(after=after, replace=replace, saves=_saves)
        if after is None:
            return counts
        counts = tally.as_data()


@pytest.mark.django_db
def test_without_a_pattern_nothing_is_read() -> None:
    with pytest.raises(Invalid, match="no pattern"):
        services.start_reading(replace=False)


@pytest.mark.django_db
@pytest.mark.usefixtures("_pattern")
def test_remarks_become_placements_and_missing_locations_are_made() -> None:
    make_location("A-01")
    one = make_lot(qty=4, remarks="a-01 | bright")
    two = make_lot(qty=5, remarks="A-01, B-02", color_id=11)
    make_lot(remarks="no place", color_id=1)
    placed = make_lot(remarks="B-02", location=make_location("C-1"), color_id=3)
    assert preview_reading(replace=False).as_data() == {"changed": 2, "without": 1, "placed": 1, "new_locations": 1}
    assert _read()["changed"] == 2
    rows = InventoryItemLocation.objects.order_by("location__code").values_list(
        "inventory_item", "location__code", "qty"
    )
    assert list(rows.filter(inventory_item=two)) == [(two.pk, "A-01", 3), (two.pk, "B-02", 2)]
    assert list(rows.filter(inventory_item=one)) == [(one.pk, "A-01", 4)]
    assert _read()["equal"] == 2
    _read(replace=True)
    assert _placed(placed) == {"B-02": 10}
    assert services.verify_stock() == []


@pytest.mark.django_db
@pytest.mark.usefixtures("_pattern")
def test_a_location_that_is_not_in_use_is_left_alone() -> None:
    make_location("A-01", is_active=False)
    make_lot(remarks="A-01")
    assert preview_reading(replace=False).as_data() == {"inactive": 1, "new_locations": 0}
    _read()
    assert not InventoryItemLocation.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("_pattern")
def test_places_are_written_into_remarks() -> None:
    lot = make_lot(remarks="bright", location=make_location("A-01"))
    other = make_lot(remarks="keep me", color_id=11)
    assert preview_writing().as_data() == {"changed": 1, "without": 1, "new_locations": 0}
    services.write_chunk(after=None, now=NOW, saves=_saves)
    lot.refresh_from_db()
    assert (lot.remarks, lot.version) == ("A-01 | bright", 2)
    assert InventoryItem.objects.get(pk=other.pk).remarks == "keep me"


@pytest.mark.django_db
@pytest.mark.usefixtures("_pattern")
def test_the_job_reads_all_lots_in_one_change_set_that_can_be_undone() -> None:
    lots = [make_lot(remarks=f"A-{number}", item_no=str(number)) for number in range(3)]
    job = services.start_reading(replace=False, key="form")
    assert services.start_reading(replace=False, key="form").pk == job.pk
    run_job(job_id=job.pk, with_heartbeat=False)
    job = JobRun.objects.get(pk=job.pk)
    assert job.result is not None
    assert job.result["message"] == "3 lots placed, 3 locations made."
    assert InventoryItemLocation.objects.filter(inventory_item__in=lots).count() == 3
    trail.revert(change_set_id=job.pk)
    assert not InventoryItemLocation.objects.exists()
    assert not Location.objects.exists()
