"""The sources of the tests are the sandbox's, and nobody's counts are left from another test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from catalog import services
from catalog.models import CatalogColor, CatalogElement, CatalogIdMapping, CatalogItem, CatalogSetItem
from catalog.services import ImportReport
from catalog.sources import Source, registry
from common.testing.sandbox import SandboxProcess
from common.wire import Breaker, Budget, CallClass

Imported = Callable[..., ImportReport]


@pytest.fixture
def sources(sandbox: SandboxProcess) -> Any:
    """Have the application ask the sandbox."""
    with override_settings(CATALOG_SOURCES=sandbox.sources):
        yield sandbox


@pytest.fixture
def make_source(sandbox: SandboxProcess) -> Callable[..., Source]:
    """Answer what makes a source that asks the sandbox, with a budget that no test exhausts."""

    def make(code: str, *, total_s: float | None = None) -> Source:
        kind, place = registry.get(code), sandbox.sources[code]
        return kind(
            url=place["url"],
            credentials={name: place[name] for name in kind.spec.credentials},
            budget=Budget(key="test", label=code, per_second=1000, burst=1000),
            breaker=Breaker(key="test", threshold=1000),
            call_class=CallClass.USUAL,
            total_s=total_s,
        )

    return make


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


@pytest.fixture
def imported(tmp_path: Path) -> Imported:
    """Answer what imports files, by name and content."""

    def run(files: dict[str, str | bytes], **choices: Any) -> ImportReport:
        paths = []
        for name, content in files.items():
            path = tmp_path / name
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            paths.append(path)
        return services.import_dumps(paths=paths, now=timezone.now(), **choices)

    return run
