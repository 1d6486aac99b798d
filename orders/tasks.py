"""What runs in a worker: many orders are moved, printed and read from files; old ones are closed, old data goes."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import shared_task
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from common import periodic, workspace
from jobs.choices import LogLevel
from jobs.registry import job
from jobs.runner import Run
from orders import services
from orders.choices import FileOutcome
from orders.models import OrderFile
from orders.queries import upkeep
from orders.services import files, many, printing

_DAYS_OF_MONTH = 30.4375
# Orders are worth a dozen tries.
_ATTEMPTS = 12


@job(printing.JOB, label="Print orders", queue="orders", permission="orders:read")
def print_orders(run: Run, *, order_ids: list[str], kind: str) -> dict[str, Any]:
    """Make one file of the papers of many orders."""
    name = f"{kind.replace('_', '-')}-{timezone.now():%Y-%m-%d}.pdf"
    with run.file(name, media_type="application/pdf") as stream:
        count = printing.write_papers(order_ids=[UUID(key) for key in order_ids], kind=kind, stream=stream)
    return {"message": f"{count:,} order{'' if count == 1 else 's'} ready to print."}


@job(many.MOVE, label="Move orders", queue="orders", permission="orders:status_update")
def move_orders(run: Run, *, order_ids: list[str], value: str) -> dict[str, Any]:
    """Move many orders, each by itself."""
    return _one_by_one(run, many.MOVE, order_ids, value)


@job(many.TAG, label="Tag orders", queue="orders", permission="orders:write")
def tag_orders(run: Run, *, order_ids: list[str], value: str) -> dict[str, Any]:
    """Tag many orders, each by itself."""
    return _one_by_one(run, many.TAG, order_ids, value)


def _one_by_one(run: Run, job_type: str, order_ids: list[str], value: str) -> dict[str, Any]:
    """Go from order to order; each is remembered with what was done to it."""
    done, stayed = run.checkpoint.get("done", 0), run.checkpoint.get("stayed", 0)
    for order_id in order_ids[done:]:
        run.progress(done, len(order_ids), unit="orders")
        with transaction.atomic():
            outcome = many.change_one(job=job_type, order_id=UUID(order_id), value=value, now=timezone.now())
            done, stayed = done + 1, stayed + bool(outcome.problem)
            run.save_checkpoint(done=done, stayed=stayed)
        if outcome.problem:
            run.log(f"Order {outcome.external_order_id} stayed as it was: {outcome.problem}", level=LogLevel.WARNING)
    changed = done - stayed
    message = f"{changed:,} order{'' if changed == 1 else 's'} changed."
    if stayed:
        message += f" {stayed:,} stayed as {'it was' if stayed == 1 else 'they were'}; the log says why."
    return {
        "message": message,
        "url": reverse("audit:change_set", args=[run.job_id]),
        "url_label": "See what changed, or revert it",
    }


@job(files.READ, label="Read a file of orders", queue="bulk", permission="orders:write")
def read_orders(run: Run, *, file_id: str) -> dict[str, Any]:
    """Read a file of orders, and say what each of them will do."""
    found = OrderFile.objects.get(pk=UUID(file_id))
    files.read_file(found, run, now=timezone.now())
    problems = found.counts.get(FileOutcome.PROBLEM, 0)
    return {
        "message": f"{found.counts['orders']:,} orders read, {problems:,} with a problem.",
        "url": reverse("orders:file", args=[found.pk]),
        "url_label": "Show",
    }


@job(files.APPLY, label="Import orders", queue="orders", permission="orders:write", max_attempts=_ATTEMPTS)
def take_orders(run: Run, *, file_id: str) -> dict[str, Any]:
    """Take the orders of a file over."""
    found = OrderFile.objects.get(pk=UUID(file_id))
    files.take_over(found, run)
    done = {outcome: found.counts.get(outcome, 0) for outcome in FileOutcome}
    new = done[FileOutcome.NEW]
    return {
        "message": f"{new:,} order{'' if new == 1 else 's'} added, {done[FileOutcome.CHANGED]:,} changed,"
        f" {done[FileOutcome.PROBLEM]:,} with a problem left out.",
        "url": reverse("orders:file", args=[found.pk]),
        "url_label": "Show",
    }


@shared_task(name="orders.purge_files")
def purge_files(**_future: Any) -> None:
    """Forget previews that nobody took over, and what became of old files."""
    files.purge(now=timezone.now())


@shared_task(name="orders.close_old")
def close_old(**_future: Any) -> None:
    """Complete orders that were delivered or shipped long ago."""
    services.close_old(now=timezone.now())


@shared_task(name="orders.erase_old_buyers")
def erase_old_buyers(**_future: Any) -> None:
    """Delete personal data that was kept as long as the shop wants to; where it says nothing, it is kept."""
    months = workspace.current().buyer_retention_months
    if months:
        now = timezone.now()
        services.erase_old_buyers(before=now - timedelta(days=months * _DAYS_OF_MONTH), now=now)


periodic.daily(purge_files, hour=3, minute=15, only_if=upkeep.is_a_shop)
periodic.daily(close_old, hour=3, minute=20, only_if=upkeep.is_a_shop)
periodic.daily(erase_old_buyers, hour=3, minute=30, only_if=upkeep.is_a_shop)
