"""What runs in a worker of an import: its reading, its carrying out, and the forgetting of old ones."""

from typing import Any
from uuid import UUID

from celery import shared_task
from django.urls import reverse
from django.utils import timezone

from common import periodic
from inventory.choices import LineOutcome
from inventory.models import InventoryImport
from inventory.services import importing
from jobs.registry import job
from jobs.runner import Run

# What a shop lives from is worth a dozen tries: reading begins anew each time, and has no checkpoint to count from.
_ATTEMPTS = 12


@job(
    importing.READ,
    label="Read a file of stock",
    queue="bulk",
    permission="inventory:import",
    max_attempts=_ATTEMPTS,
)
def read_import(run: Run, *, import_id: str) -> dict[str, Any]:
    """Read the file into lines and decide what each will do; then carry it out if nobody wants to look first."""
    found = InventoryImport.objects.get(pk=UUID(import_id))
    importing.read_file(found, run)
    problems = found.counts.get(LineOutcome.PROBLEM, 0)
    return {
        "message": f"{found.counts['rows']:,} rows read, {problems:,} with a problem.",
        "url": reverse("inventory:import", args=[found.pk]),
        "url_label": "Show",
    }


@job(
    importing.APPLY,
    label="Import stock",
    queue="bulk",
    permission="inventory:import",
    max_attempts=_ATTEMPTS,
)
def apply_import(run: Run, *, import_id: str) -> dict[str, Any]:
    """Carry an import out."""
    found = InventoryImport.objects.get(pk=UUID(import_id))
    importing.apply(found, run, now=timezone.now())
    done = {outcome: found.counts.get(outcome, 0) for outcome in LineOutcome}
    return {
        "message": f"{done[LineOutcome.NEW]:,} lots added, {done[LineOutcome.MERGED] + done[LineOutcome.CHANGED]:,}"
        f" changed, {done[LineOutcome.EQUAL]:,} unchanged, {done[LineOutcome.PROBLEM]:,} lines with a problem.",
        "url": reverse("inventory:import", args=[found.pk]),
        "url_label": "Show",
    }


@shared_task(name="inventory.purge_imports")
def purge_imports(**_future: Any) -> None:
    """Forget the files and lines of old imports."""
    importing.purge(now=timezone.now())


periodic.daily(purge_imports, hour=3, minute=10)
