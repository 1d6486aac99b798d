"""The folder that keeps everything between two starts, in use by one `up` at a time."""

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from brikonnect.devstack import accounts, folders
from brikonnect.devstack.accounts import Account
from brikonnect.devstack.bootstrap import ROOT
from brikonnect.devstack.trouble import Trouble

# Set for every process that `up` starts, so that one of a killed run is known for ours whatever its number is.
MARK = "BRIKONNECT_UP"
# Bytes: a new cluster with its log, demo data and static files; and what an existing one needs to get through a start.
_SPACE_NEW = 300_000_000
_SPACE_OLD = 100_000_000
_LOCK = "up.lock"
_ENTRIES = (
    "postgres", "postgres.new", "valkey", "beat", "programs", "logs", "files", "mail", "static", "static.stamp",
    "secrets.json",
)  # fmt: skip


class DataFolder:
    """The data of one Brikonnect on this machine."""

    def __init__(self, path: Path, *, account: Account | None) -> None:
        self.path = path
        self.account = account
        self.postgres = path / "postgres"
        self.valkey = path / "valkey"
        self.programs = path / "programs"
        self.log = path / "logs" / "up.log"
        self.beat = path / "beat"
        self.static = path / "static"
        self.static_stamp = path / "static.stamp"
        self._secrets = path / "secrets.json"
        self._run = path / "run-folder"
        self._lock = path / _LOCK

    @contextlib.contextmanager
    def in_use(self, *, port: int) -> Iterator[None]:
        """Keep the folder to ourselves while the block runs; a killed run's claim ends with it."""
        try:
            descriptor = os.open(self._lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise folders.unusable(self.path, error) from error
        with os.fdopen(descriptor, "r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Trouble(
                    f"Brikonnect is running already with the data folder {self.path} ({file.read().strip()}).\n"
                    "Stop that one with Ctrl-C, or run a second one beside it: bin/up --port N --data DIR"
                ) from None
            file.truncate()
            file.write(f"process {os.getpid()}, port {port}\n")
            file.flush()
            yield

    def make(self) -> None:
        """Make the folder with those of its folders that belong to this process; harmless when they are there."""
        try:
            for folder in (*reversed(self.path.parents), self.path):
                if not folder.exists():
                    folder.mkdir()
                    # Other accounts pass through to their own folders and list nothing.
                    folder.chmod(0o711 if accounts.am_root() else 0o700)
            # Before anything else: a folder with this file in it is known for ours.
            self._lock.touch(mode=0o600)
            with tempfile.TemporaryFile(dir=self.path):
                pass
            for folder in (self.log.parent, self.beat):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise folders.unusable(self.path, error) from error

    def check_space(self) -> None:
        """Raise Trouble where a start would run into a full disk."""
        needed = _SPACE_OLD if self.postgres.exists() else _SPACE_NEW
        free = shutil.disk_usage(self.path).free
        if free < needed:
            raise Trouble(
                f"The disk of {self.path} has {free // 1_000_000} MB left; "
                f"Brikonnect needs {needed // 1_000_000} MB to start.\n"
                "Free some space there, or choose another folder with --data DIR."
            )

    def clean_up(self) -> int:
        """Stop what a killed run left running, other than the database servers; answer how many processes it was."""
        ours = os.getpid()
        left = [each for each in psutil.process_iter() if each.pid != ours and mark_of(each) == str(self.path)]
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.terminate()
        _, alive = psutil.wait_procs(left, timeout=10)
        for process in alive:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(alive, timeout=5)
        with contextlib.suppress(OSError):
            folder = Path(self._run.read_text().strip())
            if folder.name.startswith(folders.PREFIX) and folder.lstat().st_uid == os.geteuid():
                folders.remove(folder)
            self._run.unlink()
        return len(left)

    @contextlib.contextmanager
    def run_folder(self) -> Iterator[Path]:
        """Make a short folder for the sockets of this run; it is gone afterwards."""
        folder = folders.temporary("up", account=self.account)
        try:
            self._run.write_text(f"{folder}\n")
            yield folder
        except OSError as error:
            raise folders.unusable(self.path, error) from error
        finally:
            folders.remove(folder)
            with contextlib.suppress(OSError):
                self._run.unlink()

    def reset(self) -> None:
        """Delete what Brikonnect keeps here, and nothing else that lies in the folder."""
        for name in _ENTRIES:
            entry = self.path / name
            try:
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                else:
                    entry.unlink(missing_ok=True)
            except OSError as error:
                raise folders.unusable(entry, error) from error
        self.make()

    def secrets(self) -> dict[str, str]:
        """Answer SECRET_KEY and ENCRYPTION_KEYS of this data; random, made once."""
        try:
            kept = json.loads(self._secrets.read_text())
            return {"SECRET_KEY": str(kept["SECRET_KEY"]), "ENCRYPTION_KEYS": str(kept["ENCRYPTION_KEYS"])}
        except FileNotFoundError:
            made = {
                "SECRET_KEY": secrets.token_urlsafe(64),
                "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            }
            self._write_secrets(made)
            return made
        except (ValueError, KeyError, TypeError):
            raise Trouble(
                f"{self._secrets} is damaged, and without its keys the stored credentials can't be read.\n"
                "Put its backup in place, or begin anew with --reset."
            ) from None
        except OSError as error:
            raise folders.unusable(self._secrets, error) from error

    def _write_secrets(self, made: dict[str, str]) -> None:
        half = self._secrets.with_suffix(".half")
        try:
            half.unlink(missing_ok=True)
            with os.fdopen(os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                json.dump(made, file)
                file.flush()
                os.fsync(file.fileno())
            half.replace(self._secrets)
        except OSError as error:
            raise folders.unusable(self.path, error) from error


def choose(wanted: str | None) -> DataFolder:
    """Make the data folder and answer it: the one asked for, or `var` of the checkout.

    For root the default moves to /var/lib where the servers' account can't get at the checkout.
    """
    path = Path(wanted).expanduser() if wanted else ROOT / "var"
    path = Path(os.path.abspath(path))  # noqa: PTH100  # not resolved: a link may be moved to a larger disk
    if wanted and path.is_dir() and not (path / _LOCK).exists() and any(path.iterdir()):
        raise Trouble(f"The folder {path} holds something else.\nChoose an empty or a new one with --data DIR.")
    account = accounts.for_servers(owner_of=path / "postgres")
    if not wanted and account is not None and not account.can_use(ROOT):
        digest = hashlib.sha256(os.fsencode(ROOT)).hexdigest()[:8]
        path = Path("/var/lib/brikonnect") / f"{ROOT.name}-{digest}"
        account = accounts.for_servers(owner_of=path / "postgres")
    data = DataFolder(path, account=account)
    data.make()
    if account is not None and not account.can_use(path):
        raise Trouble(
            f"The account {account.name}, which runs the database servers for root, can't enter {path}.\n"
            "Choose a folder outside closed ones with --data DIR, or run this command as a normal user."
        )
    return data


def mark_of(process: psutil.Process) -> str | None:
    """Answer the data folder of the `up` that started this process, or None where it is nobody's or not to be seen."""
    try:
        return process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None
