"""The sources of the tests are the sandbox's, and nobody's counts are left from another test."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import override_settings

from catalog.models import CatalogColor, CatalogElement, CatalogIdMapping, CatalogItem, CatalogSetItem
from catalog.sources import Source, registry
from common.testing.sandbox import SandboxProcess
from common.wire import Breaker, Budget, CallClass


@pytest.fixture
def sources(sandbox: SandboxProcess) -> Any:
    """Have the application ask the sandbox."""
    with override_settings(CATALOG_SOURCES=sandbox.sources):
        yield sandbox


@pytest.fixture
def make_source(sandbox: SandboxProcess) -> Callable[[str], Source]:
    """Answer what makes a source that asks the sandbox, with a budget that no test exhausts."""

    def make(code: str) -> Source:
        place = sandbox.sources[code]
        return registry.get(code)(
            url=place["url"],
            key=place["key"],
            budget=Budget(key="test", label=code, per_second=1000, burst=1000),
            breaker=Breaker(key="test", threshold=1000),
            call_class=CallClass.USUAL,
        )

    return make


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have pauses between attempts, which other tests measure, take no time."""
    monkeypatch.setattr("common.wire.retry.random.uniform", lambda low, _high: low)


@pytest.fixture
def no_items(db: None) -> None:
    """Have a catalog without items, as of an installation that was given none."""
    for model in (CatalogSetItem, CatalogElement, CatalogIdMapping, CatalogItem):
        model.objects.all().delete()


@pytest.fixture
def colors(db: None) -> None:
    """Have a few colors, by BrickLink's and Rebrickable's numbers."""
    CatalogColor.objects.bulk_create(
        [
            CatalogColor(id=bricklink, name=name, rgb=rgb, rebrickable_id=rebrickable, source="rebrickable")
            for bricklink, name, rgb, rebrickable in (
                (11, "Black", "212121", 0),
                (5, "Red", "B30006", 4),
                (1, "White", "FFFFFF", 15),
                (7, "Blue", "0055BF", 1),
            )
        ],
        ignore_conflicts=True,
    )
