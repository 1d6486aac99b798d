"""The lines that an import had to leave out, imported once more: from the file that is still here."""

from dataclasses import replace
from datetime import datetime
from typing import BinaryIO, cast
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet

from common.errors import Conflict
from inventory.choices import ImportStatus, LineOutcome
from inventory.import_options import Options
from inventory.models import ImportLine, InventoryImport
from inventory.services.importing.receiving import begin, keep, locked, open_file, owner_id

# While one of these is on its way, the same lines aren't taken once more.
_UNDER_WAY = (ImportStatus.READING, ImportStatus.PREVIEW, ImportStatus.APPLYING)


def import_left_out(*, import_id: UUID, now: datetime) -> InventoryImport:
    """Read the lines again that an import left out with a problem; what they would do is shown first, as ever.

    One that is on its way already is answered instead. Raises Conflict where none is left, or the import isn't done;
    UnreadableFile where the file is no longer here.
    """
    with transaction.atomic():
        origin = locked(import_id)
        if (known := _again(origin).filter(status__in=_UNDER_WAY).first()) is not None:
            return known
        if origin.status != ImportStatus.COMPLETED:
            raise Conflict("This import isn't done yet. Preview it again instead.")
        if not _left_out(origin):
            raise Conflict("No line is left out: all of them have been imported since.")
        with open_file(origin) as stream:
            size, digest, path = keep(cast("BinaryIO", stream))
        try:
            return begin(
                InventoryImport(
                    created_by_id=owner_id(), file_name=origin.file_name, file_path=path, file_size=size,
                    file_sha256=digest, format=origin.format, file_currency=origin.file_currency,
                    options=replace(
                        Options.of(origin.options), left_out_by=str(origin.pk), apply_at_once=False
                    ).as_json(),
                )
            )  # fmt: skip
        except BaseException:
            default_storage.delete(path)
            raise


def positions_left_out(run: InventoryImport) -> frozenset[int] | None:
    """Answer which rows of its file an import takes; None for all of them."""
    left_out_by = Options.of(run.options).left_out_by
    if not left_out_by:
        return None
    origin = InventoryImport.objects.filter(pk=UUID(left_out_by)).first()
    return frozenset(_left_out(origin)) if origin else frozenset()


def _left_out(origin: InventoryImport) -> set[int]:
    """Answer which rows no import has taken since."""
    problems = ImportLine.objects.filter(run=origin, outcome=LineOutcome.PROBLEM).values_list("position", flat=True)
    since = ImportLine.objects.filter(run__in=_again(origin).filter(status=ImportStatus.COMPLETED))
    return set(problems) - set(since.exclude(outcome=LineOutcome.PROBLEM).values_list("position", flat=True))


def _again(origin: InventoryImport) -> "QuerySet[InventoryImport]":
    return InventoryImport.objects.filter(options__left_out_by=str(origin.pk))
