"""One log of all processes: on the terminal with a name before each line, and in a file that is rotated."""

import logging
import logging.handlers
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from brikonnect.devstack.trouble import is_no_space

_FILE_BYTES = 5_000_000
_FILES = 5
_WIDTH = 10
# Seconds.
_REMINDER = 60
# ANSI colors that are legible on dark and light terminals alike.
_COLORS = (36, 33, 35, 32, 34, 31)
# A line longer than this is broken, so that a process that never ends one can't fill the memory.
LONGEST_LINE = 65_536


class CombinedLog:
    """Lines from many sources, in the order in which they came."""

    def __init__(self, path: Path) -> None:
        """Open the log file; raises OSError when it can't be written."""
        self.path = path
        self._color_of: dict[str, int] = {}
        self._has_color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._has_terminal = True
        # When a process last said that the disk is full, on the monotonic clock.
        self.full_since: float | None = None
        self._file = _QuietRotatingFile(path, say=self.say)

    def write(self, source: str, line: str) -> None:
        """Add one line of a process; the first in a while that tells of a full disk is put into plain words."""
        self._terminal(f"{self._label(source)} {line}")
        self._file.add(f"{source:<{_WIDTH}}| {line}")
        if is_no_space(line):
            now = time.monotonic()
            if self.full_since is None or now - self.full_since > _REMINDER:
                self.full_since = now
                self.say("The disk is full. Free some space; Brikonnect goes on by itself then.")

    def say(self, text: str = "") -> None:
        """Add lines of our own, meant for the person at the terminal."""
        self._terminal(text)
        for line in text.splitlines():
            self._file.add(f"{'up':<{_WIDTH}}| {line}")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _label(self, source: str) -> str:
        label = f"{source:<{_WIDTH}}|"
        if not self._has_color:
            return label
        color = self._color_of.setdefault(source, _COLORS[len(self._color_of) % len(_COLORS)])
        return f"\x1b[{color}m{label}\x1b[0m"

    def _terminal(self, text: str) -> None:
        if not self._has_terminal:
            return
        try:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()
        except (OSError, ValueError):
            # The terminal was closed, or `bin/up | head` has seen enough; the file still gets everything.
            self._has_terminal = False
            sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  # lives as long as the process; avoids an error at exit


class Lines:
    """Cuts the output of one process into lines, whatever pieces it comes in."""

    def __init__(self, add: Callable[[str], None]) -> None:
        self._add = add
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take a piece; every line that it completes is passed on."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            whole.append(self._rest)
            self._rest = b""
        for line in whole:
            self._pass(line)

    def end(self) -> None:
        """Pass on what came without an end of line."""
        if self._rest:
            self._pass(self._rest)
            self._rest = b""

    def _pass(self, line: bytes) -> None:
        # Control characters other than tabs and colors would let a request's path repaint the terminal.
        text = line.rstrip(b"\r").decode(errors="replace")
        self._add("".join(char if char.isprintable() or char in "\t\x1b" else f"\\x{ord(char):02x}" for char in text))


class _QuietRotatingFile(logging.handlers.RotatingFileHandler):
    """A rotated file that says once that it can't be written, instead of a traceback per line."""

    def __init__(self, path: Path, *, say: Callable[[str], None]) -> None:
        super().__init__(path, maxBytes=_FILE_BYTES, backupCount=_FILES - 1, encoding="utf-8")
        self.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        self._say = say
        self._is_failing = False

    def add(self, text: str) -> None:
        """Append one line with the time."""
        failing_before = self._is_failing
        self._is_failing = False
        self.handle(logging.LogRecord("up", logging.INFO, "", 0, text.replace("%", "%%"), (), None))
        if self._is_failing and not failing_before:
            error = sys.exc_info()[1]
            reason = "its disk is full" if isinstance(error, OSError) and is_no_space(error) else "it can't be written"
            self._say(f"The log file {self.baseFilename} is not going on: {reason}.")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the name that logging calls
        """Note the failure; `add` tells of it."""
        self._is_failing = True
