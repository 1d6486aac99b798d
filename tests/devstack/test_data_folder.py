"""The data folder: one `up` at a time, secrets of its own, and nobody else's files touched."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
from cryptography.fernet import Fernet

from brikonnect.devstack import data_folder
from brikonnect.devstack.bootstrap import ROOT
from brikonnect.devstack.data_folder import MARK, DataFolder
from brikonnect.devstack.folders import PREFIX
from brikonnect.devstack.trouble import Trouble


@pytest.fixture
def data(folder: Path) -> DataFolder:
    return data_folder.choose(str(folder / "var"))


class Usage(NamedTuple):
    """As shutil answers it."""

    total: int
    used: int
    free: int


def test_is_used_by_one_at_a_time(data: DataFolder) -> None:
    with data.in_use(port=8123), pytest.raises(Trouble, match="port 8123"), data.in_use(port=8124):
        pass
    with data.in_use(port=8124):
        pass


def test_keeps_its_secrets_to_itself(data: DataFolder) -> None:
    made = data.secrets()
    assert data.secrets() == made
    assert (data.path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert len(made["SECRET_KEY"]) >= 50
    Fernet(made["ENCRYPTION_KEYS"])


@pytest.mark.parametrize("content", ["", "{", "[]", '{"SECRET_KEY": "x"}'])
def test_does_not_replace_damaged_secrets(data: DataFolder, content: str) -> None:
    (data.path / "secrets.json").write_text(content)
    with pytest.raises(Trouble, match="damaged"):
        data.secrets()


def test_two_have_different_secrets(folder: Path) -> None:
    one, two = (data_folder.choose(str(folder / name)).secrets() for name in ("one", "two"))
    assert not set(one.values()) & set(two.values())


def test_reset_deletes_what_is_ours_and_nothing_else(data: DataFolder) -> None:
    old = data.secrets()
    (data.postgres / "base").mkdir(parents=True)
    (data.path / "letter.txt").write_text("mine")
    data.reset()
    assert not data.postgres.exists()
    assert (data.path / "letter.txt").read_text() == "mine"
    assert data.secrets() != old


def test_refuses_a_folder_that_holds_something_else(folder: Path) -> None:
    (folder / "letter.txt").write_text("mine")
    with pytest.raises(Trouble, match="holds something else"):
        data_folder.choose(str(folder))


def test_refuses_a_path_through_a_file(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(Trouble, match="can't be used"):
        data_folder.choose(str(folder / "file" / "var"))


def test_says_how_much_space_is_missing(data: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        shutil, "disk_usage", lambda _path: Usage(total=10**9, used=10**9 - 12_000_000, free=12_000_000)
    )
    with pytest.raises(Trouble, match="has 12 MB left; Brikonnect needs 300 MB"):
        data.check_space()


def test_stops_processes_of_a_killed_run_and_no_others(data: DataFolder) -> None:
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    with (
        subprocess.Popen(sleep, env={**os.environ, MARK: str(data.path)}) as left,
        subprocess.Popen(sleep, env={**os.environ, MARK: f"{data.path}-other"}) as stranger,
    ):
        while data_folder.mark_of(psutil.Process(left.pid)) is None:
            time.sleep(0.01)
        try:
            assert data.clean_up() == 1
            assert not psutil.pid_exists(left.pid)
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_removes_the_sockets_of_a_killed_run(data: DataFolder) -> None:
    code = (
        "import os, sys\n"
        "from brikonnect.devstack import data_folder\n"
        "with data_folder.choose(sys.argv[1]).run_folder() as folder:\n"
        "    print(folder, flush=True)\n"
        "    os._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(data.path)], cwd=ROOT, capture_output=True, check=False)
    folder = Path(done.stdout.decode().strip())
    assert folder.name.startswith(PREFIX)
    assert folder.is_dir()
    data.clean_up()
    assert not folder.exists()


def test_removes_no_folder_but_one_of_its_own_kind(data: DataFolder, folder: Path) -> None:
    precious = folder / "precious"
    precious.mkdir()
    (data.path / "run-folder").write_text(f"{precious}\n")
    data.clean_up()
    assert precious.is_dir()
