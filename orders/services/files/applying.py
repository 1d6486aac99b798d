"""Takes the orders of a file over, one after the other: each with its lines and their pieces, or not at all."""

from dataclasses import replace
from datetime import datetime

from django.db import DataError, IntegrityError, transaction
from django.utils import timezone

from audit import bulk
from common.errors import ProblemError
from common.steps import step
from inventory.choices import ImportStatus
from jobs.runner import Run
from orders.choices import FileOutcome
from orders.files.contents import Found
from orders.files.stored import of_json
from orders.lifecycle import GONE
from orders.models import FileOrder, Order, OrderFile
from orders.services.files.looking import as_known
from orders.services.files.receiving import counted, forget_people
from orders.services.files.standing import Standing, connected, objection, standings
from orders.services.holding import hold_name
from orders.services.importing import import_order
from stores.queries import local_store

_COMES = (FileOutcome.NEW, FileOutcome.CHANGED)


def take_over(run: OrderFile, job: Run) -> None:
    """Take over every order that waits, from the job's checkpoint on, and end the file."""
    waiting = FileOrder.objects.filter(file=run, outcome__in=_COMES, is_done=False)
    done, position = (job.checkpoint.get(name, 0) for name in ("done", "position"))
    total = waiting.count() + done
    while (row := waiting.filter(position__gt=position).order_by("position").first()) is not None:
        job.progress(done, total, unit="orders")
        with transaction.atomic():
            _take(run, row, now=timezone.now())
            done, position = done + 1, row.position
            job.save_checkpoint(done=done, position=position)
        step("orders.file_order")
    _finish(run, now=timezone.now())


def _take(run: OrderFile, row: FileOrder, *, now: datetime) -> None:
    """Take one order over; where that can't be done since something has changed, say why, and change nothing."""
    problem = ""
    try:
        with transaction.atomic():
            problem = _import(run, row, now=now)
    except ProblemError as error:
        problem = error.detail or error.title
    except (IntegrityError, DataError):
        problem = "It clashes with what is here by now."
    row.is_done, row.values = True, {}
    if problem:
        row.outcome = FileOutcome.PROBLEM
        row.problems = [{"line": row.line, "text": problem}]
    row.save(update_fields=["is_done", "values", "outcome", "problems", "order_id"])


def _import(run: OrderFile, row: FileOrder, *, now: datetime) -> str:
    """Have the order arrive; answer why it can't, where things stand otherwise than in the preview."""
    order = replace(of_json(row.values["order"]), as_of=now)
    store = local_store()
    # Nobody makes an order of that number until this one is there.
    hold_name(f"order:{store.pk}:{row.number}")
    standing = standings([row.number]).get(row.number, Standing())
    found = Found(row.number, row.line, order=order, channel=row.channel)
    if problem := objection(found, standing, connected()) or standing.kept:
        return problem
    if standing.order is not None:
        order = as_known(standing.order.pk, order)
    leaves = run.leaves_stock and order.status in GONE
    made = import_order(store_id=store.pk, incoming=replace(order, is_history=leaves), now=now)
    made.file_digest = row.digest
    bulk.bulk_update(Order, [made], fields=["file_digest"])
    row.order_id = made.pk
    return ""


def _finish(run: OrderFile, *, now: datetime) -> None:
    with transaction.atomic():
        run.counts = {name: value for name, value in run.counts.items() if name.islower()} | counted(run)
        run.status, run.completed_at = ImportStatus.COMPLETED, now
        run.save()
        forget_people(run)
