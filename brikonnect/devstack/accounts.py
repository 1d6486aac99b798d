"""Which account the servers run as: PostgreSQL refuses root, so root hands them to somebody with fewer rights."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from brikonnect.devstack.trouble import Trouble

# In this order; each of them is somebody that a system has anyway and nobody logs in as.
_CANDIDATES = ("postgres", "nobody", "daemon")


@dataclass(frozen=True, kw_only=True)
class Account:
    """An entry of the password database that a server is handed to."""

    name: str
    uid: int
    gid: int

    def can_use(self, path: Path) -> bool:
        """Tell whether this account gets to `path` and may run (a folder: enter) it; the kernel is asked."""
        answer = subprocess.run(  # noqa: S603  # a fixed command; the path is an argument, not a part of it
            ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)],
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            cwd="/",
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return answer.returncode == 0


def am_root() -> bool:
    """Tell whether this process has root's rights."""
    return os.geteuid() == 0


def for_servers(*, owner_of: Path | None = None) -> Account | None:
    """Answer the account that the servers run as, or None for the account of this process.

    Data that exists already (`owner_of`) stays its owner's, so that a folder first used by a normal user can be used
    by root as well.
    """
    if not am_root():
        return None
    if owner_of is not None and owner_of.exists():
        uid = owner_of.stat().st_uid
        if uid != 0:
            return _entry_of(uid)
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise Trouble(
        "PostgreSQL does not run as root, and this system has no account to hand it to "
        f"(none of {', '.join(_CANDIDATES)}).\nRun this command as a normal user, or set DATABASE_URL and REDIS_URL."
    )


def _entry_of(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        # PostgreSQL itself looks its user up and ends without an entry.
        raise Trouble(
            f"The database's files belong to user number {uid}, whom this system does not know.\n"
            "Run this command as their owner, or begin anew with --reset."
        ) from None
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)
