"""What is in a set that the catalog knows by its number alone: asked once, and kept as the import would."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from catalog.models import CatalogItem, CatalogSetItem, LookUpMiss
from catalog.services import look_up_contents
from common.errors import ProviderUnavailable, RateLimited
from common.limits import Limit
from common.redis_client import client
from common.testing.sandbox import SandboxProcess

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_items", "colors", "quick")]

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SET = "60239-1"


@pytest.fixture(autouse=True)
def _no_counts() -> None:
    client().flushdb()


def _known_set() -> CatalogItem:
    return CatalogItem.objects.create(item_type="SET", item_no=SET, name="Police Patrol Car", source="bricklink")


@pytest.mark.parametrize("number", [SET, "60239", f" {SET} "])
def test_learns_what_is_in_a_set(number: str, sources: SandboxProcess) -> None:
    item = _known_set()
    assert look_up_contents(set_no=number, now=NOW)
    rows = CatalogSetItem.objects.filter(set=item).select_related("item")
    kinds = [row.item.item_type for row in rows]
    assert (kinds.count("MINIFIG"), kinds.count("PART") > 40) == (1, True)
    assert any(row.is_spare for row in rows)
    assert {row.source for row in rows} == {"rebrickable"}
    figure = next(row.item for row in rows if row.item.item_type == "MINIFIG")
    assert figure.is_provisional
    assert CatalogSetItem.objects.filter(set=figure).exists()
    # Parts are BrickLink's where it is known which.
    assert any(not row.item.is_provisional for row in rows if row.item.item_type == "PART")


def test_looks_the_set_up_first_where_nobody_knows_it(sources: SandboxProcess) -> None:
    assert look_up_contents(set_no="60239", now=NOW)
    assert CatalogItem.objects.get(item_type="SET").item_no == SET


def test_asks_nobody_for_what_it_has_learned(sources: SandboxProcess) -> None:
    _known_set()
    look_up_contents(set_no=SET, now=NOW)
    before = len(sources.asked())
    assert look_up_contents(set_no=SET, now=NOW)
    assert len(sources.asked()) == before


def test_remembers_that_nobody_knows_it(sources: SandboxProcess) -> None:
    CatalogItem.objects.create(item_type="SET", item_no="1234-1", name="Old", source="bricklink")
    assert not look_up_contents(set_no="1234-1", now=NOW)
    assert LookUpMiss.objects.get().system == "contents"
    before = len(sources.asked())
    assert not look_up_contents(set_no="1234-1", now=NOW)
    assert len(sources.asked()) == before
    look_up_contents(set_no="1234-1", now=NOW + timedelta(days=1))
    assert len(sources.asked()) > before


@pytest.mark.parametrize("path", ["/sets/60239-1/parts/$", "/sets/60239-1/minifigs/$", "/minifigs/"])
def test_keeps_nothing_by_halves(path: str, sources: SandboxProcess) -> None:
    _known_set()
    sources.fault("status", status=500, path=path)
    with pytest.raises(ProviderUnavailable):
        look_up_contents(set_no=SET, now=NOW)
    assert not CatalogSetItem.objects.exists()
    assert CatalogItem.objects.count() == 1


def test_leaves_something_for_other_shops(sources: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.services.contents._A_DAY", Limit(name="contents", amount=0, window_s=86_400))
    _known_set()
    with pytest.raises(RateLimited, match="contents of so many sets"):
        look_up_contents(set_no=SET, now=NOW)


def test_asks_nobody_without_a_key() -> None:
    _known_set()
    assert not look_up_contents(set_no=SET, now=NOW)
    assert not look_up_contents(set_no="", now=NOW)


@pytest.mark.django_db(transaction=True)
def test_asks_once_for_two_at_once(sources: SandboxProcess) -> None:
    _known_set()
    sources.fault("latency", seconds=0.3)

    def ask(_number: int) -> bool:
        try:
            return look_up_contents(set_no=SET, now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(ask, range(2))) == [True, True]
    # The set's parts, its figures, the parts of its figure.
    assert len(sources.asked()) == 3
