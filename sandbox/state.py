"""What the sandbox remembers, in one SQLite file: any number of readers, one writer at a time."""

import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

from sandbox.schema import SCHEMA

_PRAGMAS = ("journal_mode = WAL", "synchronous = OFF", "busy_timeout = 10000", "temp_store = MEMORY")


_APPLICATION = 0x53425831
_VERSION = crc32(SCHEMA.encode()) & 0x7FFFFFFF


class StateError(Exception):
    """The file can't be used; the text says why."""


class State:
    """The file. Without a path, one that goes with the process."""

    def __init__(self, path: Path | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="sandbox-") if path is None else None
        self.path = Path(self._folder.name) / "state.sqlite" if self._folder else Path(path or "")
        self._lock = threading.RLock()
        self._pool_lock = threading.Lock()
        self._pool: list[sqlite3.Connection] = []
        self._depth = 0
        if self._version() not in (None, _VERSION):
            # Of an earlier version of ours: put aside, so that whoever starts it again need not know.
            for suffix in ("", "-wal", "-shm"):
                part = self.path.with_name(f"{self.path.name}{suffix}")
                if part.exists():
                    part.replace(self.path.with_name(f"{self.path.name}.old{suffix}"))
        self._writer = self._connect()
        if not self._writer.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            self._writer.executescript(
                f"BEGIN; {SCHEMA} PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {_VERSION}; COMMIT;"
            )

    def _version(self) -> int | None:
        """Answer by which version a file was made, None where nothing is in it; raises StateError."""
        if not self.path.exists() or not self.path.stat().st_size:
            return None
        connection = sqlite3.connect(self.path)
        try:
            if not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                return None
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.DatabaseError as error:
            raise StateError(f"{self.path} can't be read: {error}") from error
        finally:
            connection.close()
        if application != _APPLICATION:
            raise StateError(f"{self.path} is no file of the sandbox; name another")
        return version

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Give the writer, alone, for one transaction; inside of another it is a part of that one."""
        with self._lock:
            if self._depth:
                yield self._writer
                return
            self._writer.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            else:
                self._writer.execute("COMMIT")
            finally:
                self._depth -= 1

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a reader that sees one moment, however long it reads."""
        with self._pool_lock:
            connection = self._pool.pop() if self._pool else None
        connection = connection or self._connect()
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("ROLLBACK")
            with self._pool_lock:
                self._pool.append(connection)

    def next(self, name: str, count: int = 1) -> int:
        """Take the next numbers of a counter, and answer the first."""
        with self.changing() as writer:
            row = writer.execute(
                "UPDATE counters SET value = value + ? WHERE name = ? RETURNING value", (count, name)
            ).fetchone()
            if row is None:
                raise LookupError(name)
            return int(row[0]) - count + 1

    def clear(self) -> None:
        """Empty all tables."""
        with self.changing() as writer:
            names = [row[0] for row in writer.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for name in names:
                writer.execute(f'DELETE FROM "{name}"')  # noqa: S608  # a name of our own

    def snapshot(self, name: str) -> None:
        """Keep all as it is now under a name."""
        target = self._snapshot_path(name)
        target.unlink(missing_ok=True)
        with self._lock:
            copy = sqlite3.connect(target)
            try:
                self._writer.backup(copy)
            finally:
                copy.close()

    def restore(self, name: str) -> None:
        """Go back to what was kept; raises LookupError."""
        source = self._snapshot_path(name)
        if not source.exists():
            raise LookupError(name)
        with self._lock:
            kept = sqlite3.connect(source)
            try:
                kept.backup(self._writer)
            finally:
                kept.close()

    def close(self) -> None:
        """Let the file go."""
        with self._lock, self._pool_lock:
            for connection in (*self._pool, self._writer):
                connection.close()
            self._pool.clear()
        if self._folder:
            self._folder.cleanup()

    def _snapshot_path(self, name: str) -> Path:
        safe = "".join(letter for letter in name if letter.isalnum() or letter in "-_")
        return self.path.with_name(f"{self.path.stem}.{safe or 'unnamed'}.snapshot")
