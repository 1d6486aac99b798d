"""The files that jobs leave for people: kept apart by shop, under names that nobody chose, for a week."""

from contextlib import suppress
from datetime import timedelta
from typing import IO, Any
from uuid import UUID

from django.core import signing
from django.core.files.base import File
from django.core.files.storage import default_storage

from common import workspace

KEPT = timedelta(days=7)
LINK_AGE = timedelta(minutes=10)


def keep(*, job_id: UUID, name: str, media_type: str, content: IO[bytes]) -> dict[str, Any]:
    """Store a file of the job's, in place of one of that name, and answer what the job's result says about it."""
    path = f"{_folder(job_id)}/{name}"
    # An earlier attempt may have got as far as this.
    default_storage.delete(path)
    stored = default_storage.save(path, File(content))
    return {"name": name, "media_type": media_type, "size": default_storage.size(stored), "path": stored}


def open_file(entry: dict[str, Any]) -> IO[bytes] | None:
    """Open a file for reading; None if its time is over."""
    with suppress(FileNotFoundError):
        opened: IO[bytes] = default_storage.open(entry["path"])
        return opened
    return None


def forget(entry: dict[str, Any]) -> None:
    """Delete a file; true afterwards: it isn't there."""
    default_storage.delete(entry["path"])


def ticket(*, job_id: UUID, number: int) -> str:
    """Answer what fetches a file for ten minutes without a session, for programs that were let in another way."""
    return signing.dumps([job_id.hex, number], salt=_salt())


def read_ticket(value: str) -> tuple[UUID, int] | None:
    """Answer the job and the file's number of a ticket of this shop's that is still good."""
    with suppress(signing.BadSignature):
        job_id, number = signing.loads(value, salt=_salt(), max_age=LINK_AGE)
        return UUID(job_id), number
    return None


def _folder(job_id: UUID) -> str:
    return f"jobs/{workspace.current_key()}/{job_id}"


def _salt() -> str:
    # A ticket of one shop opens nothing in another.
    return f"jobs.file:{workspace.current_key()}"
