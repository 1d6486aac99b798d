"""The locked environment: made once, left alone when it is right, made again when it is damaged."""

import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from brikonnect.devstack.bootstrap import LOCKS, ROOT, Environment
from brikonnect.devstack.trouble import Trouble


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose locks name nothing, so that no network is needed."""
    for name in LOCKS:
        (tmp_path / name).write_text("# empty\n")
    return tmp_path


@pytest.fixture
def environment(checkout: Path) -> Environment:
    made = Environment(checkout)
    made.ensure(LOCKS[0])
    return made


def is_new(environment: Environment, *, lock: str = LOCKS[0]) -> bool:
    """Ensure once more; answer whether the environment was made anew by that."""
    marker = environment.folder / "of-before"
    marker.touch()
    environment.ensure(lock)
    return not marker.exists()


def test_makes_an_environment_that_runs(environment: Environment) -> None:
    answer = subprocess.run(
        [str(environment.python), "-c", "import sys; print(sys.prefix)"], capture_output=True, check=True
    )
    assert answer.stdout.decode().strip() == str(environment.folder)


def test_does_nothing_when_nothing_changed(environment: Environment) -> None:
    (environment.root / LOCKS[1]).write_text("# not installed, so of no interest\n")
    before = (environment.folder / "installed.json").stat().st_mtime_ns
    began = time.monotonic()
    assert not is_new(environment)
    assert time.monotonic() - began < 1
    assert (environment.folder / "installed.json").stat().st_mtime_ns == before


def test_installs_into_the_same_environment_when_the_lock_changed(environment: Environment) -> None:
    (environment.root / LOCKS[0]).write_text("# changed\n")
    before = (environment.folder / "installed.json").read_text()
    assert not is_new(environment)
    assert (environment.folder / "installed.json").read_text() != before


def test_an_environment_for_the_tests_runs_the_application_too(checkout: Path) -> None:
    environment = Environment(checkout)
    environment.ensure(LOCKS[1])
    before = (environment.folder / "installed.json").read_text()
    environment.ensure(LOCKS[0])
    assert (environment.folder / "installed.json").read_text() == before


def lose_the_interpreter(environment: Environment) -> None:
    environment.python.unlink()


def lose_the_python_below(environment: Environment) -> None:
    environment.python.unlink()
    environment.python.symlink_to("/nowhere/python3")


def lose_a_package(environment: Environment) -> None:
    stamp = environment.folder / "installed.json"
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "contents": ["django"]}))


def cut_an_installation_off(environment: Environment) -> None:
    (environment.folder / "unfinished").touch()


def empty_it(environment: Environment) -> None:
    shutil.rmtree(environment.folder)
    environment.folder.mkdir()


def test_makes_a_damaged_environment_anew(environment: Environment) -> None:
    """One after the other on the same environment: making one takes a second."""
    for damage in (lose_the_interpreter, lose_the_python_below, lose_a_package, cut_an_installation_off, empty_it):
        damage(environment)
        assert is_new(environment), damage.__name__
        assert subprocess.run([str(environment.python), "-c", ""], check=False).returncode == 0


def test_makes_the_environment_of_a_moved_checkout_anew(
    environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Its scripts would run the interpreter of the old place."""
    moved = tmp_path_factory.mktemp("elsewhere") / "checkout"
    environment.root.rename(moved)
    assert is_new(Environment(moved))


ENSURE = f"""
import sys
from pathlib import Path
from brikonnect.devstack.bootstrap import Environment
Environment(Path(sys.argv[1])).ensure({LOCKS[0]!r})
"""


def test_waits_for_another_command_that_installs(checkout: Path) -> None:
    command = [sys.executable, "-c", ENSURE, str(checkout)]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(3)]
    said = [each.communicate(timeout=60)[0].decode() for each in running]
    assert [each.returncode for each in running] == [0, 0, 0]
    assert sum("Installed in" in text for text in said) == 1


def test_goes_on_after_an_installation_that_was_killed(checkout: Path) -> None:
    command = [sys.executable, "-c", ENSURE, str(checkout)]
    unfinished = checkout / ".venv" / "unfinished"
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True) as running:
        while not unfinished.exists():
            time.sleep(0.01)
        os.killpg(running.pid, signal.SIGKILL)
    environment = Environment(checkout)
    environment.ensure(LOCKS[0])
    assert not unfinished.exists()
    assert not is_new(environment)


def test_explains_a_package_that_can_not_be_had(checkout: Path) -> None:
    (checkout / LOCKS[0]).write_text(f"no-such-package==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(Trouble, match="could not be"):
        Environment(checkout).ensure(LOCKS[0])
    assert not (checkout / ".venv" / "installed.json").exists()


def test_explains_a_lock_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="not complete"):
        Environment(tmp_path).ensure(LOCKS[0])


@pytest.mark.parametrize("path", ["bin/up", "bin/test", "brikonnect/devstack/interpreter.py", "brikonnect/__init__.py"])
def test_an_old_python_can_read_as_far_as_the_message(path: str) -> None:
    ast.parse((ROOT / path).read_text(), feature_version=(3, 6))


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_place_to_get_packages_from(lock: str) -> None:
    for line in (ROOT / lock).read_text().splitlines():
        assert not re.search(r"://|--index|--extra-index|--find-links| @ ", line), line


def test_the_lock_of_the_tests_holds_the_one_of_the_application() -> None:
    runtime, dev = (set(re.findall(r"^\S+==\S+", (ROOT / lock).read_text(), re.MULTILINE)) for lock in LOCKS)
    assert runtime
    assert runtime <= dev
