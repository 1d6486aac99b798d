"""A photo is asked for once, what it shows is what the catalog knows of it, and a failure is remembered by nobody."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from structlog.testing import capture_logs

from catalog.choices import ItemType, Source, System
from catalog.models import CatalogExternalId, CatalogIdMapping, CatalogItem, ImageIdentification, SourceBudget
from catalog.services import Identification, forget_identifications, identify_image
from catalog.services.identifying import KEPT_FOR
from catalog.sources.base import ImageKind
from catalog.tests.pictures import picture
from common.errors import BudgetExhausted, Invalid, ProviderRejected, ProviderUnavailable, RateLimited
from common.limits import Limit
from common.redis_client import client
from common.testing.sandbox import SandboxProcess

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def _identify(image: bytes = b"", kind: ImageKind = ImageKind.PART, now: datetime = NOW) -> Identification:
    return identify_image(image=image or picture(), kind=kind, now=now)


@pytest.mark.django_db
@pytest.mark.usefixtures("no_items")
def test_answers_what_it_may_be_best_first(sources: SandboxProcess) -> None:
    answer = _identify()
    scores = [each.confidence for each in answer.predictions]
    assert scores == sorted(scores, reverse=True)
    assert answer.top_match == answer.predictions[0]
    assert answer.top_match.item is None
    assert answer.top_match.platform_ids == {"bricklink": answer.top_match.item_no}
    row = ImageIdentification.objects.get()
    assert (row.kind, row.top_item_no, row.top_confidence) == ("part", answer.top_match.item_no, Decimal("0.93"))


@pytest.mark.django_db
@pytest.mark.usefixtures("no_items")
def test_takes_an_unsure_answer_for_a_suggestion_only(sources: SandboxProcess) -> None:
    item = {"id": "3001", "name": "Brick", "type": "part", "img_url": None, "score": 0.8499}
    sources.fault("status", status=200, body={"items": [item]})
    answer = _identify()
    assert answer.top_match is None
    assert answer.predictions[0].confidence == Decimal("0.8499")


@pytest.mark.django_db
@pytest.mark.usefixtures("no_items")
def test_asks_once_for_the_same_photo_and_kind(sources: SandboxProcess) -> None:
    first = _identify()
    assert _identify() == first
    assert len(sources.asked()) == 1
    _identify(kind=ImageKind.SET)
    assert [asked["path"] for asked in sources.asked()] == ["/predict/parts/", "/predict/sets/"]


@pytest.mark.django_db
@pytest.mark.usefixtures("no_items")
def test_asks_again_after_90_days(sources: SandboxProcess) -> None:
    _identify()
    ImageIdentification.objects.update(created_at=NOW - KEPT_FOR)
    _identify()
    assert len(sources.asked()) == 2
    assert forget_identifications(now=NOW) == 0
    assert forget_identifications(now=NOW + KEPT_FOR) == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("no_items")
def test_knows_what_the_catalog_has_learned_since(sources: SandboxProcess) -> None:
    number = _identify().predictions[0].item_no
    item = CatalogItem.objects.create(item_type=ItemType.PART, item_no=number, name="Ours", source=Source.BRICKLINK)
    CatalogIdMapping.objects.create(
        item_type=ItemType.PART, canonical_item_no=number, bricklink_id=number, brickowl_id="123",
        mapping_source=Source.AUTO, confidence=1,
    )  # fmt: skip
    found = _identify().predictions[0]
    assert (found.item, found.name, found.platform_ids) == (item, "Ours", {"bricklink": number, "brickowl": "123"})


@pytest.mark.django_db
@pytest.mark.usefixtures("no_items")
def test_knows_a_part_by_a_number_that_it_had(sources: SandboxProcess) -> None:
    numbers = [each.item_no for each in _identify().predictions]
    by_id = CatalogItem.objects.create(item_type=ItemType.PART, item_no="new1", source=Source.BRICKLINK)
    CatalogExternalId.objects.create(
        item=by_id, system=System.BRICKLINK, external_id=numbers[0], source=Source.BRICKLINK, confidence=1
    )
    by_alternate = CatalogItem.objects.create(
        item_type=ItemType.PART, item_no="new2", alternate_nos=[numbers[1]], source=Source.BRICKLINK
    )
    of_another_type = CatalogItem.objects.create(item_type=ItemType.GEAR, item_no=numbers[2], source=Source.BRICKLINK)
    found = [each.item for each in _identify().predictions]
    assert found[:2] == [by_id, by_alternate]
    assert of_another_type not in found


@pytest.mark.django_db
@pytest.mark.usefixtures("no_items", "quick")
def test_remembers_no_failure(sources: SandboxProcess) -> None:
    sources.fault("status", status=503, times=2)
    with pytest.raises(ProviderUnavailable):
        _identify()
    assert not ImageIdentification.objects.exists()
    assert _identify().predictions


@pytest.mark.django_db
@pytest.mark.usefixtures("no_items", "quick")
@pytest.mark.parametrize("fault", [
    {"kind": "rate_limit", "retry_after": 60}, {"kind": "status", "status": 500}, {"kind": "html"},
    {"kind": "half_json"}, {"kind": "half_body"}, {"kind": "empty"}, {"kind": "reset_before"},
], ids=lambda fault: fault["kind"])  # fmt: skip
def test_says_so_where_it_cannot_be_asked(fault: dict[str, Any], sources: SandboxProcess) -> None:
    sources.fault(**fault)
    with pytest.raises(ProviderUnavailable):
        _identify()
    assert not ImageIdentification.objects.exists()


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("fault", [{"kind": "timeout_before", "seconds": 60}, {"kind": "slow_body", "pieces": 5000}])
def test_keeps_nobody_waiting_for_longer_than_ten_seconds(fault: dict[str, Any], sources: SandboxProcess) -> None:
    sources.fault(**fault)
    began = time.monotonic()
    with pytest.raises(ProviderUnavailable):
        _identify()
    assert time.monotonic() - began < 11


@pytest.mark.django_db
@pytest.mark.usefixtures("no_items")
def test_says_when_the_place_to_ask_has_moved(sources: SandboxProcess) -> None:
    sources.fault("status", status=410)
    with capture_logs() as logs, pytest.raises(ProviderRejected):
        _identify()
    assert [log["event"] for log in logs if log["log_level"] == "error"] == ["source.moved"]


@pytest.mark.django_db
@pytest.mark.usefixtures("no_items")
def test_sends_nothing_that_is_no_picture(sources: SandboxProcess) -> None:
    with pytest.raises(Invalid):
        _identify(b"hello")
    assert sources.asked() == []


@pytest.mark.django_db
@pytest.mark.usefixtures("no_items")
def test_sends_a_small_jpeg_whatever_came_in(sources: SandboxProcess) -> None:
    _identify(picture(size=(5000, 4000), kind="PNG", color=(10, 20, 30, 128)))
    assert sources.asked()[0]["body_bytes"] < 200_000


@pytest.mark.django_db
@pytest.mark.usefixtures("no_items")
def test_counts_what_is_asked_and_stops_with_the_day(sources: SandboxProcess) -> None:
    _identify()
    assert SourceBudget.objects.get(source="brickognize").used == 1
    SourceBudget.objects.update(used=20_000)
    client().flushdb()
    with pytest.raises(BudgetExhausted, match="today are used up") as refused:
        _identify(kind=ImageKind.ANY)
    assert refused.value.extra["retry_after"] > 0
    assert len(sources.asked()) == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("no_items")
def test_leaves_something_for_other_shops(sources: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.services.identifying._A_DAY", Limit(name="identify", amount=1, window_s=86_400))
    _identify()
    with pytest.raises(RateLimited) as refused:
        _identify(kind=ImageKind.ANY)
    assert refused.value.extra["retry_after"] > 80_000
    assert _identify().predictions


@pytest.mark.django_db(transaction=True)
def test_calls_once_for_two_at_once(sources: SandboxProcess) -> None:
    sources.fault("latency", seconds=0.5)
    image = picture(color=(1, 2, 250))

    def ask(_number: int) -> list[str]:
        try:
            return [each.item_no for each in _identify(image).predictions]
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(ask, range(3)))
    assert answers[0]
    assert answers == [answers[0]] * 3
    assert len(sources.asked()) == 1
