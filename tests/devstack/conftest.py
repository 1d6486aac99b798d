"""Folders and accounts that real servers can be run with, as root or not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from brikonnect.devstack import accounts, binaries, folders
from brikonnect.devstack.accounts import Account
from brikonnect.devstack.binaries import Binaries


@pytest.fixture
def account() -> Account | None:
    return accounts.for_servers()


@pytest.fixture
def folder(account: Account | None) -> Iterator[Path]:
    """A short folder that the servers' account gets through to; pytest's own are closed to it."""
    path = folders.temporary("pytest", account=account)
    yield path
    folders.remove(path)


@pytest.fixture
def programs(account: Account | None, folder: Path) -> Binaries:
    return binaries.find(account=account, copies=folder / "programs")
