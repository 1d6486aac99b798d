"""From a bare Python to the locked environment in `.venv`, with the standard library: nothing else is there yet."""

import contextlib
import fcntl
import hashlib
import importlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from brikonnect.devstack.trouble import Trouble, is_no_space, no_space, tail

ROOT = Path(__file__).resolve().parents[2]
# The second holds all of the first, so that an environment for the tests runs the application as well.
LOCKS = ("requirements.lock", "requirements-dev.lock")
# Bytes that an environment takes, with room for the downloads.
_SPACE = {"requirements.lock": 500_000_000, "requirements-dev.lock": 900_000_000}
_NO_NETWORK = (
    "name resolution",
    "Name or service not known",
    "nodename nor servname",
    "dns error",
    "Failed to establish a new connection",
    "NewConnectionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ProxyError",
    "error sending request",
    "Could not connect",
    "Network is unreachable",
)
# What would send packages elsewhere than into the environment, or hide it from them.
_MISLEADING = ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_CONSTRAINT", "PIP_REQUIREMENT")
_PIP_PACKAGE = "python3-pip-whl"  # Debian's package of pip's own wheel


def run(module: str, *, lock: str) -> None:
    """Bring the environment up to the lock, then run `brikonnect.devstack.<module>` in it; does not return."""
    for name in _MISLEADING:
        os.environ.pop(name, None)
    try:
        environment = Environment(ROOT)
        # Ends as tidily as Ctrl-C does.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        environment.ensure(lock)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if not environment.is_current_interpreter():
            python = str(environment.python)
            os.execv(python, [python, *sys.argv])  # noqa: S606  # this very command, now with its dependencies
        status: int = importlib.import_module(f"brikonnect.devstack.{module}").main(sys.argv[1:])
    except Trouble as trouble:
        sys.stderr.write(f"{trouble}\n")
        status = 1
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    sys.exit(status)


class Environment:
    """The virtual environment of one checkout."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"
        # Written last: what it says is installed, is.
        self._stamp = self.folder / "installed.json"
        # There while an installation runs; found later, it tells of one that was cut off.
        self._unfinished = self.folder / "unfinished"

    def is_current_interpreter(self) -> bool:
        """Tell whether this process runs in the environment."""
        return Path(sys.prefix).resolve() == self.folder.resolve()

    def ensure(self, lock: str) -> None:
        """Make true that what `lock` names is installed, by its hashes; some 30 ms when it is already."""
        if self._has(lock):
            return
        try:
            with self._one_at_a_time() as descriptor:
                if not self._has(lock):
                    began = time.monotonic()
                    _say(f"Installing the packages of {lock} into {self.folder} …")
                    self._bring_up_to(lock, descriptor)
                    _say(f"Installed in {time.monotonic() - began:.0f} s.")
        except OSError as error:
            if is_no_space(error):
                raise no_space(self.folder) from error
            raise Trouble(
                f"The packages can't be installed into {self.folder}: {error.strerror} ({error.filename}).\n"
                "Make the checkout writable for you, or use a checkout of your own."
            ) from error

    def _bring_up_to(self, lock: str, descriptor: int) -> None:
        is_new = self._is_damaged(lock)
        free = shutil.disk_usage(self.root).free
        if is_new and free < _SPACE[lock]:
            raise Trouble(
                f"The packages need {_SPACE[lock] // 1_000_000} MB, and the disk of {self.root} has "
                f"{free // 1_000_000} MB left.\nFree some space there, then run this command again."
            )
        if is_new:
            self._create()
        output = self._install(lock, descriptor)
        if output and not is_new and not _is_outside_cause(output):
            # An environment that somebody changed by hand can be beyond repair; a new one isn't.
            self._create()
            output = self._install(lock, descriptor)
        if output:
            raise _explained(output, self.folder)
        # The longer lock holds what the shorter one does.
        locks = {name: self._hash(name) for name in LOCKS[: LOCKS.index(lock) + 1]}
        stamp = {"folder": str(self.folder), "locks": locks, "contents": self._contents()}
        half = self._stamp.with_suffix(".half")
        half.write_text(json.dumps(stamp))
        half.replace(self._stamp)
        self._unfinished.unlink()

    def _has(self, lock: str) -> bool:
        stamp = self._read_stamp()
        return stamp.get("locks", {}).get(lock) == self._hash(lock) and not self._is_damaged(lock)

    def _is_damaged(self, lock: str) -> bool:
        """Tell whether only a new environment will do: an installer takes what it sees of a package for all of it."""
        stamp = self._read_stamp()
        is_moved = bool(stamp) and stamp.get("folder") != str(self.folder)  # its scripts name the old place
        has_gaps = stamp.get("locks", {}).get(lock) == self._hash(lock) and not (
            set(stamp.get("contents", [])) <= set(self._contents())
        )
        works = self.is_current_interpreter() or self._works()
        return self._unfinished.exists() or is_moved or has_gaps or not works

    def _read_stamp(self) -> dict[str, Any]:
        try:
            stamp = json.loads(self._stamp.read_text())
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) else {}

    def _works(self) -> bool:
        """Tell whether its interpreter runs; it does not when the Python below it is gone or the folder was moved."""
        try:
            answer = subprocess.run(  # noqa: S603  # our own interpreter
                [str(self.python), "-c", "import sys; print(sys.version_info >= (3, 11), sys.prefix)"],
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError:
            return False
        is_new_enough, _, prefix = answer.stdout.strip().partition(" ")
        return is_new_enough == "True" and Path(prefix).resolve() == self.folder.resolve()

    def _hash(self, lock: str) -> str:
        try:
            return hashlib.sha256((self.root / lock).read_bytes()).hexdigest()
        except OSError as error:
            raise Trouble(
                f"{self.root / lock} can't be read: {error.strerror}.\nThe checkout is not complete."
            ) from error

    def _contents(self) -> list[str]:
        packages = self.folder.glob("lib/python3.*/site-packages/*")
        return sorted(path.name for path in packages if path.name != "__pycache__")

    def _create(self) -> None:
        if self.folder.is_symlink() or self.folder.is_file():
            self.folder.unlink()
        # Without an interpreter it counts as broken, so that a clean-up that is cut off goes on next time.
        for part in (self.folder / "bin", self.folder):
            if part.exists():
                shutil.rmtree(part)
        self.folder.mkdir()
        self._unfinished.touch()
        # An environment that this process runs in can't be the base of its successor.
        base = getattr(sys, "_base_executable", None) or sys.executable
        done = _call([base, "-m", "venv", "--without-pip", str(self.folder)])
        if done.returncode:
            raise _explained(done.stdout, self.folder)

    def _install(self, lock: str, descriptor: int) -> str:
        """Install what the lock names; answer nothing when it worked, else what the installer said."""
        self._stamp.unlink(missing_ok=True)
        self._unfinished.touch()
        arguments = ["--require-hashes", "--only-binary=:all:", "-r", str(self.root / lock)]
        uv = shutil.which("uv")
        if uv:
            done = _call(
                [uv, "pip", "install", "--no-progress", "--python", str(self.python), *arguments], keep=descriptor
            )
            if done.returncode == 0:
                return ""
        with _pip(self.python) as pip:
            # uv may be told of no index where pip is, so its failure is not the last word.
            options = ["--disable-pip-version-check", "--no-input", "--progress-bar=off", "--no-warn-script-location"]
            done = _call([*pip, "install", *options, "--retries=2", *arguments], keep=descriptor)
        return done.stdout if done.returncode else ""

    @contextlib.contextmanager
    def _one_at_a_time(self) -> Iterator[int]:
        """Hold off other commands of this checkout; the installer inherits the lock and keeps it if we are killed."""
        descriptor = os.open(self.root, os.O_RDONLY | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _say("Another command is installing the packages of this checkout; waiting for it …")
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)


def _call(command: Sequence[str], *, keep: int | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # commands put together in this module
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, "PIP_USER": "0"},
        pass_fds=() if keep is None else (keep,),
        check=False,
    )


@contextlib.contextmanager
def _pip(python: Path) -> Iterator[list[str]]:
    """Yield a command that runs pip for this interpreter, wherever on the system a pip is."""
    if _call([str(python), "-m", "pip", "--version"]).returncode == 0:
        yield [str(python), "-m", "pip"]
        return
    wheel = _wheel_on_disk()
    if wheel:
        yield [str(python), str(wheel / "pip")]
        return
    base = getattr(sys, "_base_executable", None) or sys.executable
    if _call([base, "-m", "pip", "--python", str(python), "--version"]).returncode == 0:
        yield [base, "-m", "pip", "--python", str(python)]
        return
    with tempfile.TemporaryDirectory(prefix="brikonnect-pip-") as folder:
        yield [str(python), str(_wheel_from_debian(Path(folder)) / "pip")]


def _wheel_on_disk() -> Path | None:
    """Answer pip's wheel as Python itself or the distribution ships it; it runs without being installed."""
    places = [Path(sysconfig.get_config_var("WHEEL_PKG_DIR") or "/usr/share/python-wheels")]
    spec = importlib.util.find_spec("ensurepip")
    if spec and spec.submodule_search_locations:
        places += [Path(folder) / "_bundled" for folder in spec.submodule_search_locations]
    wheels = [wheel for place in places for wheel in sorted(place.glob("pip-*.whl"))]
    return wheels[-1] if wheels else None


def _wheel_from_debian(folder: Path) -> Path:
    """Fetch pip's wheel with apt, which checks its signature; needs neither root nor an installation."""
    if shutil.which("apt-get") and shutil.which("dpkg-deb"):
        if os.geteuid() == 0:
            _call(["apt-get", "update", "-qq"])
        _call(
            [
                "/bin/sh",
                "-c",
                f'cd "$1" && apt-get download -qq {_PIP_PACKAGE} && dpkg-deb -x ./*.deb .',
                "sh",
                str(folder),
            ]
        )
    wheels = sorted(folder.glob("usr/share/python-wheels/pip-*.whl"))
    if not wheels:
        raise Trouble(
            "This Python comes without pip, and there is no uv either.\n"
            "Install one of them, on Debian and Ubuntu with: sudo apt-get install python3-venv"
        )
    return wheels[-1]


def _is_outside_cause(output: str) -> bool:
    return is_no_space(output) or _is_no_network(output) or "DO NOT MATCH THE HASHES" in output


def _is_no_network(output: str) -> bool:
    return any(words in output for words in _NO_NETWORK)


def _explained(output: str, folder: Path) -> Trouble:
    if is_no_space(output):
        return no_space(folder)
    if _is_no_network(output):
        return Trouble(
            f"The packages could not be downloaded; the package index can't be reached:\n{tail(output, lines=3)}\n"
            "Connect this machine to the network, or name a mirror or a proxy (PIP_INDEX_URL, HTTPS_PROXY), "
            "then run this command again."
        )
    return Trouble(f"The packages could not be installed into {folder}:\n{tail(output)}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
