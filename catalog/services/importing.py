"""Brings dumps of the sources into the catalog: all of one run in one transaction, so nothing is ever half there.

Reading comes before it, into tables of the connection's own, so that it can be seen how far it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from catalog.importing import dictionary
from catalog.importing.bricklink import merge_bricklink
from catalog.importing.reading import Dump, DumpRefused, open_dump
from catalog.importing.rebrickable import merge_color_pictures, merge_rebrickable
from catalog.importing.sql import Counts
from catalog.importing.staging import stage, staging
from catalog.importing.unknown import unknown_lines
from catalog.models import CatalogDump
from catalog.services import fetching
from jobs import services as jobs
from jobs.choices import OPEN_STATUSES
from jobs.models import JobRun

# A dump with a twentieth fewer rows than last time is rather broken than true.
_SHRINKS_BY = 0.05
# One import at a time, over all processes: PostgreSQL's advisory lock of this number.
_LOCK = 7_341_001
JOB = "catalog_import"
_ENDINGS = {".csv", ".txt", ".xml", ".gz"}
# Tables that say nothing without another of the same run.
_NEEDS = {
    "rebrickable/inventory_parts": "rebrickable/inventories",
    "rebrickable/inventory_sets": "rebrickable/inventories",
    "rebrickable/inventory_minifigs": "rebrickable/inventories",
}

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class DumpReport:
    """What was in one file."""

    path: Path
    name: str
    sha256: str
    table: str
    rows: int
    problems: int
    problem_lines: tuple[str, ...]

    @property
    def file(self) -> str:
        """Answer the file's name."""
        return self.path.name


@dataclass(slots=True)
class ImportReport:
    """What a run read and wrote. `is_unchanged`: every file was the same as last time, and nothing was done.

    `unknown`: by table, how many lines name what the catalog doesn't know, and so came to nothing.
    """

    dumps: list[DumpReport] = field(default_factory=list)
    written: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    is_unchanged: bool = False


def files_of(paths: Sequence[Path]) -> list[Path]:
    """Answer the files, and those in the folders that are named. Raises DumpRefused where there is none."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += _dumps_in(path)
        elif path.is_file():
            found.append(path)
        else:
            raise DumpRefused(f"There is no file or folder {path}.")
    if not found:
        raise DumpRefused("There is no dump in it. Name files, or a folder with .csv, .txt, .xml or .gz files.")
    return found


def import_dumps(
    *, paths: Sequence[Path], now: datetime, is_forced: bool = False, on_progress: Progress = lambda _what, _count: None
) -> ImportReport:
    """Merge dumps into the catalog, all or none; the same again writes nothing.

    `is_forced`: also where a dump has shrunk, or is the same as last time. Lines that can't be read are reported and
    left out. Raises DumpRefused: then nothing was changed.
    """
    dumps = [open_dump(path) for path in files_of(paths)]
    _check(dumps)
    digests = {id(dump): dump.sha256() for dump in dumps}
    last = CatalogDump.objects.in_bulk([_name_of(dump) for dump in dumps])
    report = ImportReport()
    if not is_forced and all(
        (known := last.get(_name_of(dump))) is not None and known.sha256 == digests[id(dump)] for dump in dumps
    ):
        report.is_unchanged = True
        return report
    tables = {dump.table.code: dump.table for dump in dumps}
    with staging(tables.values()):
        for dump in dumps:
            stage(dump, on_progress=partial(on_progress, f"Reading {dump.path.name}"))
            _check_size(dump, last.get(_name_of(dump)), is_forced=is_forced)
            lines = tuple(dump.problems)
            report.dumps.append(
                DumpReport(
                    dump.path,
                    _name_of(dump),
                    digests[id(dump)],
                    dump.table.code,
                    dump.rows_count,
                    dump.problems_count,
                    lines,
                )
            )
        on_progress("Merging", 0)
        with transaction.atomic():
            _take_turns()
            _note(dumps, digests, now=now)
            report.written = _merge(frozenset(tables))
            report.unknown = unknown_lines(tables)
    return report


def start_import(*, places: Sequence[str] = (), now: datetime) -> JobRun | None:
    """Have a job import dumps: of these addresses, or of the installation's places (`CATALOG_DUMPS`).

    None where there is nothing to be imported: no place, or folders alone that are empty. A job that is under way is
    answered again. Raises DumpRefused for what is no address.
    """
    for place in places:
        fetching.check_url(place)
    if not places and not has_dumps():
        return None
    under_way = JobRun.objects.filter(job_type=JOB, status__in=OPEN_STATUSES).first()
    return under_way or jobs.start(JOB, label="Import the catalog", args={"places": list(places)})


def has_dumps() -> bool:
    """Tell whether the installation's places (`CATALOG_DUMPS`) may have something in them."""
    return any(
        fetching.is_url(place) or (Path(place).is_dir() and bool(_dumps_in(Path(place))))
        for place in settings.CATALOG_DUMPS
    )


def import_from(
    *, places: Sequence[str], now: datetime, is_forced: bool = False,
    on_progress: Progress = lambda _what, _count: None,
) -> ImportReport:  # fmt: skip
    """Merge dumps of folders, files and addresses, as `import_dumps` does; what an address serves is fetched first.

    Addresses that serve what was imported last time are not fetched again, where all of them do. Raises DumpRefused:
    then nothing was changed.
    """
    paths = [Path(place) for place in places if not fetching.is_url(place)]
    urls = [url for place in places if fetching.is_url(place) for url in fetching.files_at(place)]
    if urls:
        # Beside addresses a folder may be empty.
        paths = [path for path in paths if not path.is_dir() or _dumps_in(path)]
    with fetching.fetched(urls, is_forced=is_forced, on_progress=on_progress) as files:
        if not paths and not files:
            return ImportReport(is_unchanged=True)
        report = import_dumps(
            paths=[*paths, *(file.path for file in files)], now=now, is_forced=is_forced, on_progress=on_progress
        )
        fetching.note(files, {dump.path: (dump.name, dump.sha256) for dump in report.dumps}, now=now)
    return report


def _dumps_in(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.is_file() and each.suffix.lower() in _ENDINGS)


def build_mappings() -> dict[str, int]:
    """Work the dictionary out anew from what is known; answer how many rows of each kind are different by it."""
    with transaction.atomic():
        _take_turns()
        return _merge(frozenset())


def _merge(codes: frozenset[str]) -> dict[str, int]:
    counts = Counts()
    merge_bricklink(codes, counts)
    if any(code.startswith("rebrickable/") for code in codes):
        merge_rebrickable(codes, counts)
    dictionary.build(counts)
    merge_color_pictures(codes, counts)
    return dict(counts)


def _take_turns() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        [(is_ours,)] = cursor.fetchall()
    if not is_ours:
        raise DumpRefused("Another import of the catalog is under way. Try again when it has ended.")


def _name_of(dump: Dump) -> str:
    return f"{dump.table.code}/{dump.subject}" if dump.subject else dump.table.code


def _check(dumps: Sequence[Dump]) -> None:
    named: dict[str, Dump] = {}
    for dump in dumps:
        if (other := named.setdefault(_name_of(dump), dump)) is not dump:
            raise DumpRefused(f"{other.path.name} and {dump.path.name} are both {dump.table.code}. Give one of them.")
    for code, needed in _NEEDS.items():
        if code in named and needed not in named:
            raise DumpRefused(f"{named[code].path.name} says nothing without {needed}: give both in one run.")


def _check_size(dump: Dump, last: CatalogDump | None, *, is_forced: bool) -> None:
    if not dump.rows_count:
        raise DumpRefused(f"{dump.path.name} has no line that can be read. {' '.join(dump.problems[:3])}")
    if is_forced or last is None or not dump.table.is_whole:
        return
    if dump.rows_count < last.rows_count * (1 - _SHRINKS_BY):
        raise DumpRefused(
            f"{dump.path.name} has {dump.rows_count:,} rows, and had {last.rows_count:,} on"
            f" {last.imported_at:%Y-%m-%d}. Fetch it again; if it is right so, import it with --force."
        )


def _note(dumps: Sequence[Dump], digests: dict[int, str], *, now: datetime) -> None:
    CatalogDump.objects.bulk_create(
        [
            CatalogDump(
                name=_name_of(dump),
                rows_count=dump.rows_count,
                problems_count=dump.problems_count,
                sha256=digests[id(dump)],
                imported_at=now,
            )
            for dump in dumps
        ],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["rows_count", "problems_count", "sha256", "imported_at"],
    )
