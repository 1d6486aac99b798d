"""Celery entry points and jobs of the catalog."""

from pathlib import Path
from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from catalog import services
from catalog.services.importing import JOB
from common import periodic
from jobs.registry import job
from jobs.runner import Run


@job(JOB, label="Import the catalog", queue="bulk")
def import_catalog(run: Run, **_future: Any) -> dict[str, Any]:
    """Import the dumps that lie in the installation's folder."""

    def tell(what: str, count: int) -> None:
        run.progress(count, message=f"{what}: {count:,} rows" if count else what)

    report = services.import_dumps(paths=[Path(settings.CATALOG_DUMPS)], now=timezone.now(), on_progress=tell)
    if report.is_unchanged:
        return {"message": "The same files as last time; nothing to do."}
    rows, problems = sum(dump.rows for dump in report.dumps), sum(dump.problems for dump in report.dumps)
    for line in (line for dump in report.dumps for line in dump.problem_lines):
        run.log(line)
    files = "1 file" if len(report.dumps) == 1 else f"{len(report.dumps)} files"
    written = sum(report.written.values())
    return {"message": f"{files} read: {rows:,} rows, {problems:,} left out, {written:,} rows written."}


@shared_task(name="catalog.import_nightly")
def import_nightly(**_future: Any) -> None:
    """Import what was put into the folder since yesterday."""
    services.start_import(now=timezone.now())


@shared_task(name="catalog.forget_answers")
def forget_answers(**_future: Any) -> None:
    """Delete what was answered too long ago: identifications after 90 days, misses after one."""
    now = timezone.now()
    services.forget_identifications(now=now)
    services.forget_misses(now=now)


periodic.daily(import_nightly, hour=2, minute=20, once=True)
periodic.daily(forget_answers, hour=2, minute=50, once=True)
