"""Takes a file of orders in, has it read by a job, and carried out by another once somebody has looked."""

from datetime import datetime, timedelta
from typing import BinaryIO
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Count, Q

from common.errors import Conflict, NotFound
from inventory.choices import ImportStatus
from inventory.services.importing import ending
from inventory.services.importing.receiving import keep, once, owner_id
from jobs import services as jobs
from orders.files.reading import recognise
from orders.models import FileOrder, OrderFile

READ = "read_orders"
APPLY = "take_orders"
# How long a preview waits, which holds who bought what; and how long it is told what became of a file.
WAITS = timedelta(days=7)
KEPT = timedelta(days=30)


def start_file(*, file: BinaryIO, file_name: str, key: str = "", now: datetime) -> OrderFile:
    """Take in a file of orders, and start reading it; the same key answers the same file.

    Raises UnreadableFile where it is no file of orders.
    """
    if key and (known := OrderFile.objects.filter(idempotency_key=key).first()):
        return known
    recognise(file)
    file.seek(0)
    size, _digest, path = keep(file)
    run = OrderFile(
        created_by_id=owner_id(), idempotency_key=key or None, file_name=file_name[-255:] or "orders.csv",
        file_path=path, file_size=size,
    )  # fmt: skip
    return once(run, lambda: _begin(run))


@transaction.atomic
def _begin(run: OrderFile) -> OrderFile:
    run.save()
    run.read_job = jobs.start(READ, args={"file_id": str(run.pk)}, label=f"Read {run.file_name}"[:200])
    run.save(update_fields=["read_job"])
    return run


@transaction.atomic
def approve(*, file_id: UUID, leaves_stock: bool = False, now: datetime) -> OrderFile:
    """Take over what the preview shows. A second press does nothing more. Raises Conflict where there is no preview.

    `leaves_stock`: new orders that have left already take no pieces.
    """
    run = locked(file_id)
    if run.status in (ImportStatus.APPLYING, ImportStatus.COMPLETED):
        return run
    if run.status != ImportStatus.PREVIEW:
        raise Conflict("There is no preview to take over. Give the file again.")
    run.status, run.leaves_stock = ImportStatus.APPLYING, leaves_stock
    run.apply_job = jobs.start(
        APPLY, key=str(run.pk), args={"file_id": str(run.pk)}, label=f"Import orders of {run.file_name}"[:200]
    )
    run.change_set_id = run.apply_job.pk
    run.save()
    return run


@transaction.atomic
def discard(*, file_id: UUID, now: datetime) -> None:
    """Throw a preview away, with all that it says. Raises Conflict where there is none."""
    run = locked(file_id)
    if run.status != ImportStatus.PREVIEW:
        raise Conflict("This file is no longer a preview.")
    run.status, run.completed_at = ImportStatus.CANCELLED, now
    run.save()
    FileOrder.objects.filter(file=run).delete()


@transaction.atomic
def end_file(*, job_id: UUID, status: str, now: datetime) -> None:
    """Have the file of a job that failed or was cancelled say so. Orders that came in until then stay."""
    run = ending.end_file(OrderFile, job_id=job_id, status=status, now=now)
    if run is not None:
        forget_file(run)
        run.save(update_fields=["file_path"])
        forget_people(run)


def forget_file(run: OrderFile) -> None:
    """Have the file itself deleted once the transaction is committed; whoever calls saves the row."""
    path, run.file_path = run.file_path, ""
    if path:
        transaction.on_commit(lambda: default_storage.delete(path))


def forget_people(run: OrderFile) -> None:
    """Take what says who bought what out of a file that has ended; its orders have it, or nobody."""
    FileOrder.objects.filter(file=run).exclude(values={}).update(values={})


def purge(*, now: datetime) -> int:
    """Forget previews that nobody took over, and what became of old files. Answer how many files."""
    is_busy = Q(status__in=[ImportStatus.READING, ImportStatus.APPLYING])
    is_old = Q(created_at__lt=now - KEPT) | Q(created_at__lt=now - WAITS, status=ImportStatus.PREVIEW)
    old = OrderFile.objects.filter(is_old).exclude(is_busy)
    with transaction.atomic():
        # Somebody may be taking one of them over just now.
        keys = list(old.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True))
        FileOrder.objects.filter(file__in=keys).delete()
        OrderFile.objects.filter(pk__in=keys).delete()
    return len(keys)


def locked(file_id: UUID) -> OrderFile:
    """Answer a file, held until the transaction ends. Raises NotFound."""
    run = OrderFile.objects.select_for_update().filter(pk=file_id).first()
    if run is None:
        raise NotFound
    return run


def counted(run: OrderFile) -> dict[str, int]:
    """Answer how many orders of a file have which outcome."""
    rows = FileOrder.objects.filter(file=run).values_list("outcome").annotate(count=Count("id"))
    return dict(rows.order_by("outcome"))
