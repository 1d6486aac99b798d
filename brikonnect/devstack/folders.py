"""Folders that the servers need: short ones for sockets, and closed ones for data."""

import os
import shutil
import tempfile
from pathlib import Path

from brikonnect.devstack.accounts import Account
from brikonnect.devstack.trouble import Trouble, is_no_space, no_space

PREFIX = "brikonnect-"
_MEMORY = "/dev/shm"  # noqa: S108  # mkdtemp makes a folder of our own in it
_ALWAYS = ("/tmp", "/var/tmp")  # noqa: S108  # as above
# Bytes; a whole run of the gate needs some 500 MB.
_ROOM = 2 * 1024**3
# Unix sockets end at 104 bytes on some systems, 108 on others; the longest name in such a folder is .s.PGSQL.5432.
_LONGEST_PARENT = 104 - len(f"/{PREFIX}test-12345678/postgres/.s.PGSQL.5432") - 1


def closed(path: Path, *, account: Account | None) -> Path:
    """Make (or keep) a folder that only `account` gets into, mode 0700."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        if account is not None:
            os.chown(path, account.uid, account.gid)
        path.chmod(0o700)
    except OSError as error:
        raise unusable(path, error) from error
    return path


def in_memory() -> tuple[str, ...]:
    """Answer the folder whose files never reach a disk, if it has room for a test run and programs may start from it.

    Copying a test database takes 0.04 s there, up to 1 s on a disk.
    """
    try:
        found = os.statvfs(_MEMORY)
    except OSError:
        return ()
    fits = found.f_bavail * found.f_frsize >= _ROOM and not found.f_flag & os.ST_NOEXEC
    return (_MEMORY,) if fits and "TMPDIR" not in os.environ else ()


def left(kind: str) -> list[Path]:
    """Answer the folders of this kind that are there, of runs that go on and of runs that were killed."""
    parents = {_MEMORY, tempfile.gettempdir(), *_ALWAYS}
    return sorted(folder for parent in parents for folder in Path(parent).glob(f"{PREFIX}{kind}-*"))


def temporary(kind: str, *, account: Account | None, preferred: tuple[str, ...] = ()) -> Path:
    """Make a new folder with a short path, which `account` may pass through but nobody else may list."""
    for parent in (*preferred, tempfile.gettempdir(), *_ALWAYS):
        usable = os.access(parent, os.W_OK | os.X_OK) and (account is None or account.can_use(Path(parent)))
        if usable and len(os.fsencode(parent)) <= _LONGEST_PARENT:
            try:
                folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{kind}-", dir=parent))
            except OSError as error:
                raise unusable(Path(parent), error) from error
            if account is not None:
                folder.chmod(0o711)
            return folder
    raise Trouble(
        "No folder for temporary files is writable and short enough for sockets; set TMPDIR to one, such as /tmp."
    )


def remove(folder: Path) -> None:
    """Delete a folder of ours with all that is in it; it may be gone already."""
    shutil.rmtree(folder, ignore_errors=True)


def unusable(path: Path, error: OSError) -> Trouble:
    """Say why a folder can't be used, and what to do."""
    if is_no_space(error):
        return no_space(path)
    return Trouble(
        f"The folder {path} can't be used: {error.strerror or error}.\n"
        "Make it writable for you, or choose another one with --data DIR."
    )
