"""Fetches dumps from addresses: streamed to files of the run's own, within limits, and only if they are new."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings

from catalog.importing import tables
from catalog.importing.reading import DumpRefused
from catalog.models import CatalogDownload, CatalogDump
from common.wire import LostError, NotSentError, download

# Rebrickable's largest table has 15 MB.
_LIMIT_BYTES = 500 * 1024**2
_TOTAL_S = 900.0
_MAX_URL = 500
_ATTEMPTS = 2

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that an address served, and how it says that it is the same."""

    url: str
    path: Path
    etag: str
    last_modified: str


def is_url(place: str) -> bool:
    """Tell whether a place is an address; else it is a path."""
    return "://" in place


def check_url(url: str) -> None:
    """Pass for an address of the web; raises DumpRefused for anything else."""
    try:
        parts = urlsplit(url)
        is_fine = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        is_fine = False
    if not is_fine or len(url) > _MAX_URL or any(letter.isspace() for letter in url):
        raise DumpRefused(f"{url[:100]} is no address of a dump. One begins with https:// and names a host and a file.")


def files_at(url: str) -> list[str]:
    """Answer the files that an address stands for: itself, or Rebrickable's tables where it ends in a slash."""
    check_url(url)
    if not url.endswith("/"):
        return [url]
    return [f"{url}{table.code.removeprefix('rebrickable/')}.csv.gz" for table in tables.REBRICKABLE]


@contextmanager
def fetched(urls: Sequence[str], *, is_forced: bool, on_progress: Progress) -> Iterator[list[Fetched]]:
    """Have the files of these addresses while the block runs; none where all are the same as last time.

    Tables go together: as soon as one is new, all are fetched. Raises DumpRefused where one can't be had.
    """
    known = {} if is_forced else _known(urls)
    with tempfile.TemporaryDirectory(prefix="dumps-") as folder:
        places = {url: Path(folder) / str(number) / _name_of(url) for number, url in enumerate(urls)}
        for place in places.values():
            place.parent.mkdir()
        found: dict[str, Fetched] = {}
        # Nothing is known of some: then all are needed in any case.
        is_conditional = len(known) == len(urls)
        for number, url in enumerate(urls, start=1):
            on_progress(f"Fetching {_name_of(url)}", number)
            answer = _fetch(url, places[url], known[url] if is_conditional else None)
            if answer is not None:
                found[url] = answer
        for url in urls if found else ():
            if url not in found and (answer := _fetch(url, places[url], None)) is not None:
                found[url] = answer
        yield [found[url] for url in urls if url in found]


def note(files: Sequence[Fetched], dumps: Mapping[Path, tuple[str, str]], *, now: datetime) -> None:
    """Remember what these addresses served, once it is imported. `dumps`: name and digest of what each file was."""
    CatalogDownload.objects.bulk_create(
        [
            CatalogDownload(
                url=file.url, dump=name, sha256=sha256, etag=file.etag, last_modified=file.last_modified,
                fetched_at=now,
            )
            for file in files if file.path in dumps
            for name, sha256 in [dumps[file.path]]
        ],
        update_conflicts=True,
        unique_fields=["url"],
        update_fields=["dump", "sha256", "etag", "last_modified", "fetched_at"],
    )  # fmt: skip


def _known(urls: Sequence[str]) -> dict[str, CatalogDownload]:
    """Answer what is known of the addresses whose files are what the catalog has of their tables."""
    rows = CatalogDownload.objects.in_bulk(urls)
    last = CatalogDump.objects.in_bulk([row.dump for row in rows.values()])
    return {
        url: row
        for url, row in rows.items()
        if (row.etag or row.last_modified) and row.dump in last and last[row.dump].sha256 == row.sha256
    }


def _fetch(url: str, path: Path, known: CatalogDownload | None) -> Fetched | None:
    """Fetch a file; None where it is the known one. Once more after a broken connection."""
    headers = {}
    if known is not None and known.etag:
        headers["If-None-Match"] = known.etag
    if known is not None and known.last_modified:
        headers["If-Modified-Since"] = known.last_modified
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with path.open("wb") as stream:
                answer = download(
                    url, stream, total_s=_TOTAL_S, limit_bytes=_LIMIT_BYTES, headers=headers,
                    inside=settings.CATALOG_DUMP_HOSTS,
                )  # fmt: skip
            break
        except (NotSentError, LostError) as error:
            if attempt == _ATTEMPTS:
                raise DumpRefused(f"{_shown(url)} can't be fetched: {error}. Try again later.") from error
    if answer.status == HTTPStatus.NOT_MODIFIED and known is not None:
        return None
    if answer.status != HTTPStatus.OK:
        raise DumpRefused(f"{_shown(url)} can't be fetched: it answers with status {answer.status}. Is it right?")
    return Fetched(url, path, answer.headers.get("ETag", "")[:200], answer.headers.get("Last-Modified", "")[:60])


def _name_of(url: str) -> str:
    """Answer the file's name: by it BrickLink's lists are told apart."""
    return Path(unquote(urlsplit(url).path)).name.replace("\0", "") or "dump"


def _shown(url: str) -> str:
    """Answer an address without its query, which may have secrets."""
    return url.partition("?")[0]
