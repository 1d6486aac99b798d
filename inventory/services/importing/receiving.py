"""Takes a file in: what is it, is anything to be asked first, and then it is read by a job."""

import hashlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import IO, BinaryIO, TypeVar, cast
from uuid import UUID

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction

from common import actor, workspace
from common.actor import ActorKind
from common.errors import Conflict, Invalid, NotFound
from common.ids import new_id
from inventory import formats
from inventory.choices import ImportStatus, UnmappedOrigin
from inventory.formats.base import COLUMN_FIELDS, HEAD_BYTES, FileFacts, Format, UnreadableFile
from inventory.import_options import Options
from inventory.models import GivenFile, ImportLine, InventoryImport, RememberedMapping
from inventory.parsing.contents import kind_of
from inventory.parsing.values import IDENTITY
from inventory.services.unmapped import note_unmapped
from jobs import services as jobs

READ = "import"
APPLY = "import_apply"
_PIECE = 1024 * 1024
# How long files and their lines are kept, so that a report can be looked at again.
KEPT = timedelta(days=30)
G = TypeVar("G", bound=GivenFile)


def start_import(
    *,
    file: BinaryIO,
    file_name: str,
    options: Options,
    format_code: str = "",
    key: str = "",
    may_ask: bool = True,
    now: datetime,
) -> InventoryImport:
    """Take in a file to be imported, and start reading it; the same key answers the same import.

    With columns that nobody has named yet, or in another currency without a rate, it waits for an answer in MAPPING;
    where nobody can be asked (`may_ask`), that is Invalid, as is a mapping that names no fields. Raises UnreadableFile
    where it is no file of stock.
    """
    if key and (known := InventoryImport.objects.filter(idempotency_key=key).first()):
        return known
    file_format, facts = _recognise(file, format_code)
    chosen = _with_known_mapping(options, file_format, facts)
    size, digest, path = keep(file)
    run = InventoryImport(
        created_by_id=owner_id(),
        idempotency_key=key or None,
        file_name=file_name[-255:] or f"file{file_format.spec.suffix}",
        file_path=path,
        file_size=size,
        file_sha256=digest,
        format=file_format.spec.code,
        file_currency=facts.currency,
        options=chosen.as_json(),
    )
    return once(run, lambda: begin(run, may_ask=may_ask))


@transaction.atomic
def answer_questions(*, import_id: UUID, options: Options, now: datetime) -> InventoryImport:
    """Name the columns and the rate of a file that waits for it, remember the names, and start reading."""
    run = locked(import_id)
    if run.status != ImportStatus.MAPPING:
        raise Conflict("This file is being read already.")
    file_format = formats.get(run.format)
    if file_format.spec.needs_mapping:
        with open_file(run) as stream:
            columns = file_format.facts(cast("BinaryIO", stream)).columns
        _check_mapping(options.mapping)
        RememberedMapping.objects.update_or_create(
            columns_hash=columns_hash(columns), defaults={"mapping": options.mapping}
        )
    run.options = options.as_json()
    if missing_answers(run):
        raise Invalid(errors={"/currency_rate": ["Say what one of the file's currency is in the shop's."]})
    return begin(run)


@transaction.atomic
def read_again(*, import_id: UUID, options: Options, now: datetime) -> InventoryImport:
    """Match the file anew with other choices; nothing has been imported yet."""
    run = locked(import_id)
    if run.status != ImportStatus.PREVIEW:
        raise Conflict("Only a preview can be made anew.")
    ImportLine.objects.filter(run=run).delete()
    run.options = replace(options, mapping=Options.of(run.options).mapping).as_json()
    run.counts, run.ignored = {}, {}
    return begin(run)


@transaction.atomic
def discard(*, import_id: UUID, now: datetime) -> None:
    """Throw away an import that hasn't changed anything, with its file."""
    run = locked(import_id)
    if run.status not in (ImportStatus.MAPPING, ImportStatus.PREVIEW):
        raise Conflict("This import is no longer a preview.")
    run.status, run.completed_at = ImportStatus.CANCELLED, now
    run.save()
    ImportLine.objects.filter(run=run).delete()
    note_unmapped(origin=UnmappedOrigin.IMPORT, met=(), run=run)
    transaction.on_commit(lambda: default_storage.delete(run.file_path))


@transaction.atomic
def approve(*, import_id: UUID, now: datetime) -> InventoryImport:
    """Carry out what the preview shows. A second press does nothing more. Raises Conflict where there is no preview."""
    run = locked(import_id)
    if run.status in (ImportStatus.APPLYING, ImportStatus.COMPLETED):
        return run
    if run.status != ImportStatus.PREVIEW:
        raise Conflict("There is no preview to carry out.")
    return start_applying(run)


def start_applying(run: InventoryImport) -> InventoryImport:
    """Start the job that carries the import out. The row is locked."""
    run.status = ImportStatus.APPLYING
    run.apply_job = jobs.start(
        APPLY, key=str(run.pk), args={"import_id": str(run.pk)}, label=f"Import {run.file_name}"[:200]
    )
    run.change_set_id = run.apply_job.pk
    run.save()
    return run


def purge(*, now: datetime) -> int:
    """Forget files and lines of imports that are old; what they changed stays in the trail. Answer how many imports."""
    old = InventoryImport.objects.filter(created_at__lt=now - KEPT).exclude(
        status__in=[ImportStatus.READING, ImportStatus.APPLYING]
    )
    paths = list(old.values_list("file_path", flat=True))
    with transaction.atomic():
        ImportLine.objects.filter(run__in=old).delete()
        count, _ = old.delete()
    for path in paths:
        default_storage.delete(path)
    return count


def open_file(run: InventoryImport) -> IO[bytes]:
    """Open the file that is imported. Raises UnreadableFile if it is gone."""
    try:
        opened: IO[bytes] = default_storage.open(run.file_path)
    except FileNotFoundError:
        raise UnreadableFile("The file is no longer here. Upload it again.") from None
    return opened


def missing_answers(run: InventoryImport) -> bool:
    """Tell whether the file's currency is another one than the shop's and nobody said at which rate."""
    options = Options.of(run.options)
    states_other = bool(run.file_currency) and run.file_currency != workspace.current().currency
    return states_other and options.currency_rate is None


def columns_hash(columns: Sequence[str]) -> str:
    """Answer by what a kind of file is known again: the names of its columns."""
    return hashlib.sha256("\n".join(name.strip().casefold() for name in columns).encode()).hexdigest()


def _recognise(file: BinaryIO, format_code: str) -> tuple[Format, FileFacts]:
    head = file.read(HEAD_BYTES)
    file.seek(0)
    if not head:
        raise UnreadableFile("The file is empty.")
    if format_code:
        try:
            found: Format | None = formats.get(format_code)
        except LookupError:
            raise Invalid(errors={"/format": ["There is no such format."]}) from None
    else:
        found = formats.sniff(head)
    if found is None or not found.spec.can_read:
        raise UnreadableFile(_what_it_is(head))
    facts = found.facts(file)
    file.seek(0)
    return found, facts


def _what_it_is(head: bytes) -> str:
    kind = kind_of(head)
    readable = ", ".join(each.spec.label for each in formats.all_formats() if each.spec.can_read)
    return f"This is {kind or 'no file of stock that we know'}. We read {readable}."


def _with_known_mapping(options: Options, file_format: Format, facts: FileFacts) -> Options:
    if not file_format.spec.needs_mapping:
        return options
    if options.mapping:
        _check_mapping(options.mapping)
        return options
    known = RememberedMapping.objects.filter(columns_hash=columns_hash(facts.columns)).first()
    return replace(options, mapping=dict(known.mapping if known else facts.guessed))


def _check_mapping(mapping: Mapping[str, str]) -> None:
    errors: dict[str, list[str]] = {}
    seen: dict[str, str] = {}
    for column, name in mapping.items():
        if name not in COLUMN_FIELDS:
            errors[f"/mapping/{column}"] = ["This is no field of a lot."]
        elif name in seen:
            errors[f"/mapping/{column}"] = [f"The column “{seen[name]}” has this field already."]
        seen.setdefault(name, column)
    if errors:
        raise Invalid(errors=errors)


def _is_mapped(run: InventoryImport) -> bool:
    fields = set(Options.of(run.options).mapping.values())
    return not formats.get(run.format).spec.needs_mapping or not IDENTITY.isdisjoint(fields)


def owner_id() -> UUID | None:
    """Answer whose import it is: nobody's, where no person asks for it."""
    return UUID(actor.current().id) if actor.current().kind is ActorKind.USER else None


def keep(file: BinaryIO) -> tuple[int, str, str]:
    """Keep a file; answer its size, its SHA-256 and where it lies."""
    digest, size = hashlib.sha256(), 0
    with tempfile.TemporaryFile() as copy:
        while piece := file.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            copy.write(piece)
        copy.seek(0)
        path = default_storage.save(f"imports/{workspace.current_key()}/{new_id()}", File(copy))
    return size, digest.hexdigest(), path


def once(run: G, begin: Callable[[], G]) -> G:
    """Begin with a file that is kept already. Where that can't be, it is deleted again.

    Of two presses at once the second finds what the first has begun.
    """
    try:
        return begin()
    except BaseException as error:
        default_storage.delete(run.file_path)
        if run.idempotency_key and isinstance(error, IntegrityError):
            known: G = type(run)._default_manager.get(idempotency_key=run.idempotency_key)
            return known
        raise


@transaction.atomic
def begin(run: InventoryImport, *, may_ask: bool = True) -> InventoryImport:
    """Store an import and start reading it, or have it wait for answers."""
    if not _is_mapped(run) or missing_answers(run):
        if not may_ask:
            raise Invalid(errors=_unanswered(run))
        run.status = ImportStatus.MAPPING
        run.save()
        return run
    run.status = ImportStatus.READING
    run.save()
    run.read_job = jobs.start(READ, args={"import_id": str(run.pk)}, label=f"Read {run.file_name}"[:200])
    run.save(update_fields=["read_job"])
    return run


def _unanswered(run: InventoryImport) -> dict[str, list[str]]:
    errors = {}
    if not _is_mapped(run):
        errors["/mapping"] = ["Say which column has the item's number, or BrickLink's lot number."]
    if missing_answers(run):
        own = workspace.current().currency
        errors["/currency_rate"] = [f"The file's prices are in {run.file_currency}: say what one of them is in {own}."]
    return errors


def locked(import_id: UUID) -> InventoryImport:
    """Answer an import, held until the transaction ends. Raises NotFound."""
    run = InventoryImport.objects.select_for_update().filter(pk=import_id).first()
    if run is None:
        raise NotFound
    return run


def rate_of(run: InventoryImport) -> Decimal:
    """Answer what prices of the file are multiplied with."""
    return Options.of(run.options).currency_rate or Decimal(1)
