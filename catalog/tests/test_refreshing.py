"""What the catalog was told long ago is asked again at night, a hundred at a time, within the budget."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from catalog.models import CatalogExternalId, CatalogItem, SourceBudget
from catalog.services import refresh_stale, stale_count, start_refresh
from catalog.services.refreshing import JOB
from common.redis_client import client
from common.testing.sandbox import SandboxProcess
from jobs import runner
from jobs.models import JobRun

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_items", "colors", "quick")]

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_counts() -> Iterator[None]:
    client().flushdb()
    yield
    client().flushdb()


def _part(number: str, *, days: int | None = None, confidence: str = "1.00") -> CatalogItem:
    updated = None if days is None else NOW - timedelta(days=days)
    item = CatalogItem.objects.create(
        item_type="PART", item_no=number, name="Old", source="rebrickable", is_provisional=True,
        source_updated_at=updated,
    )  # fmt: skip
    CatalogExternalId.objects.create(
        item=item, system="rebrickable", external_id=number, source="rebrickable", confidence=confidence
    )
    return item


def test_asks_anew_for_what_is_stale_alone(sources: SandboxProcess) -> None:
    never, old, young = _part("3001"), _part("3020", days=31), _part("3062b", days=29)
    gone, hint = _part("zz1", days=40), _part("zz2", confidence="0.40")
    assert stale_count(now=NOW) == 3
    assert refresh_stale(now=NOW) == 3
    (call,) = sources.asked()
    assert set(call["query"]["part_nums"][0].split(",")) == {"3001", "3020", "zz1"}
    for item, updated in ((never, NOW), (old, NOW), (gone, NOW), (young, NOW - timedelta(days=29)), (hint, None)):
        item.refresh_from_db()
        assert item.source_updated_at == updated, item
    assert stale_count(now=NOW) == 0
    # Which of BrickLink's they are is known by now.
    assert CatalogExternalId.objects.filter(system="bricklink", external_id="3001", source="rebrickable").exists()
    assert CatalogExternalId.objects.filter(system="brickowl").exists()


def test_goes_on_where_it_ended(sources: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.services.refreshing.BATCH", 1)
    for number in ("3001", "3020", "3062b"):
        _part(number)
    told: list[tuple[int, str]] = []

    def tell(done: int, why: str) -> None:
        told.append((done, why))
        sources.fault("status", status=500)

    assert refresh_stale(now=NOW, on_progress=tell) == 1
    assert told == [(1, ""), (1, "Rebrickable is in trouble (status 500).")]
    assert stale_count(now=NOW) == 2
    sources.reset()
    assert refresh_stale(now=NOW) == 2
    assert len(sources.asked()) == 2


def test_leaves_people_their_share_of_the_calls(sources: SandboxProcess) -> None:
    _part("3001")
    SourceBudget.objects.create(source="rebrickable", day=datetime.now(UTC).date(), used=28_000, limit=40_000)
    told: list[str] = []
    assert refresh_stale(now=NOW, on_progress=lambda _done, why: told.append(why)) == 0
    assert told == ["Our calls to Rebrickable for today are used up."]
    assert sources.asked() == []


def test_is_a_job_with_its_progress(sources: SandboxProcess) -> None:
    _part("3001")
    job = start_refresh(now=timezone.now())
    assert job
    assert start_refresh(now=timezone.now()) == job
    runner.run_job(job_id=job.pk, with_heartbeat=False)
    job.refresh_from_db()
    assert job.result == {"message": "1 of 1 numbers asked anew."}
    assert start_refresh(now=timezone.now()) is None
    assert JobRun.objects.filter(job_type=JOB).count() == 1


def test_starts_nothing_where_nobody_can_be_asked() -> None:
    _part("3001")
    assert start_refresh(now=NOW) is None
