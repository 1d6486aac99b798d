"""Celery entry points and jobs of the catalog."""

from collections.abc import Sequence
from time import monotonic
from typing import Any

import structlog
from celery import shared_task
from django.conf import settings
from django.utils import timezone

from catalog import services
from catalog.services.images import TASK as FETCH_IMAGES
from catalog.services.importing import JOB
from catalog.services.refreshing import JOB as REFRESH
from common import background, periodic, shutdown
from common.errors import ProviderError, RateLimited
from jobs.registry import job
from jobs.runner import Run

logger = structlog.get_logger(__name__)
# For so long a worker fetches pictures at a stretch.
_A_TURN_S = 20.0


@job(JOB, label="Import the catalog", queue="bulk")
def import_catalog(run: Run, *, places: Sequence[str] = (), **_future: Any) -> dict[str, Any]:
    """Import dumps: of these addresses, or of the installation's places."""

    def tell(what: str, count: int) -> None:
        run.progress(count, message=f"{what}: {count:,}" if count else what)

    wanted = list(places) or list(settings.CATALOG_DUMPS)
    report = services.import_from(places=wanted, now=timezone.now(), on_progress=tell)
    if report.is_unchanged:
        return {"message": "The same files as last time; nothing to do."}
    rows, problems = sum(dump.rows for dump in report.dumps), sum(dump.problems for dump in report.dumps)
    for line in (line for dump in report.dumps for line in dump.problem_lines):
        run.log(line)
    for table, count in report.unknown.items():
        run.log(f"{table}: {count:,} lines name what the catalog doesn't know, and were left out")
    files = "1 file" if len(report.dumps) == 1 else f"{len(report.dumps)} files"
    written = sum(report.written.values())
    return {"message": f"{files} read: {rows:,} rows, {problems:,} left out, {written:,} rows written."}


@job(REFRESH, label="Refresh the catalog", queue="bulk")
def refresh_catalog(run: Run, **_future: Any) -> dict[str, Any]:
    """Ask Rebrickable anew for what is older than 30 days; killed, it goes on with what is still stale."""
    began = timezone.now()
    total = services.stale_count(now=began)
    ended: list[str] = []

    def tell(done: int, why: str) -> None:
        if why:
            ended.append(why)
        run.progress(done, total, unit="numbers")

    done = services.refresh_stale(now=began, on_progress=tell)
    rest = f" {ended[0]} The others are asked tomorrow." if ended else ""
    return {"message": f"{done:,} of {total:,} numbers asked anew.{rest}"}


@shared_task(name="catalog.import_nightly")
def import_nightly(**_future: Any) -> None:
    """Import what is new since yesterday."""
    services.start_import(now=timezone.now())


@shared_task(name="catalog.refresh_nightly")
def refresh_nightly(**_future: Any) -> None:
    """Refresh what is stale."""
    services.start_refresh(now=timezone.now())


@shared_task(name="catalog.fetch_rates")
def fetch_rates(**_future: Any) -> None:
    """Keep the day's exchange rates; what can't be had now is tried again soon."""
    try:
        services.fetch_rates(now=timezone.now())
    except (ProviderError, RateLimited) as error:
        logger.warning("rates.not_fetched", error=error.type, detail=error.detail)


@shared_task(name="catalog.forget_answers")
def forget_answers(**_future: Any) -> None:
    """Delete what was answered too long ago: identifications and prices after 90 days, misses after one."""
    now = timezone.now()
    services.forget_identifications(now=now)
    services.forget_misses(now=now)
    services.forget_prices(now=now)


@shared_task(name=FETCH_IMAGES)
def fetch_images(**_future: Any) -> None:
    """Fetch the pictures that are wanted; where there are many, others have their turn in between."""
    ends_at = monotonic() + _A_TURN_S
    while services.fetch_wanted(now=timezone.now()) and not shutdown.is_requested():
        if monotonic() > ends_at:
            background.enqueue(FETCH_IMAGES)
            return


@shared_task(name="catalog.tidy_images")
def tidy_images(**_future: Any) -> None:
    """Delete the pictures that nobody looks at, and what is too much."""
    services.tidy_images(now=timezone.now())


periodic.daily(import_nightly, hour=2, minute=20, once=True)
periodic.daily(refresh_nightly, hour=3, minute=20, once=True)
periodic.every(fetch_rates, seconds=900, once=True)
periodic.daily(forget_answers, hour=2, minute=50, once=True)
periodic.daily(tidy_images, hour=3, minute=10, once=True)
# What a worker that died took, and what a host wanted to be asked for later.
periodic.every(fetch_images, seconds=60, once=True)
