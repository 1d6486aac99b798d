"""The second command: everything that a change must pass, in one run; or pytest alone on the paths that it is given."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from brikonnect.devstack import accounts, servers, stages
from brikonnect.devstack.bootstrap import ROOT
from brikonnect.devstack.stages import Stage
from brikonnect.devstack.trouble import Trouble, tail

_AT_A_TIME = 2
_POLL = 0.05
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_HELP = """\
bin/test                 the whole gate: checks of style, types, contracts, migrations and templates, then all tests
bin/test PATH… [OPTION…]   pytest on these paths, with options of pytest, such as: bin/test jobs/tests -k heartbeat
"""


@dataclass(frozen=True, kw_only=True)
class Result:
    """How one stage ended."""

    name: str
    seconds: float
    passed: bool


def main(arguments: Sequence[str]) -> int:
    """Run the command line; answer the exit status."""
    if any(word in ("-h", "--help") for word in arguments):
        _say(_HELP)
        return 0
    os.chdir(ROOT)
    # Also where it was started in the background, with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGHUP, _end)
    if arguments:
        with servers.throw_away(os.environ) as environ:
            return servers.run(stages.pytest_command(arguments), environ)
    browser = _chromium()
    began = time.monotonic()
    with servers.throw_away({**os.environ, "CHROMIUM": browser}) as environ:
        results = run_stages(stages.all_stages(), environ)
        tests_began = time.monotonic()
        passed, last_line = _run_tests(environ)
        results.append(Result(name="tests", seconds=time.monotonic() - tests_began, passed=passed))
    failed = [result.name for result in results if not result.passed]
    _say("")
    for result in results:
        _say(f"{'passed' if result.passed else 'FAILED'}  {result.seconds:7.1f} s  {result.name}")
    verdict = f"The gate failed: {', '.join(failed)}." if failed else "The gate is passed."
    _say(f"\n{verdict} {time.monotonic() - began:.0f} s in all.\n{last_line}")
    return 1 if failed else 0


def run_stages(waiting: Sequence[Stage], environ: Mapping[str, str]) -> list[Result]:
    """Run the stages, some at a time, in the order of their ends; show the whole output of one that fails."""
    queue = list(waiting)
    running: list[_Running] = []
    results: list[Result] = []
    try:
        while queue or running:
            while queue and len(running) < _AT_A_TIME:
                running.append(_Running(queue.pop(0), environ))
            for each in [each for each in running if each.process.poll() is not None]:
                running.remove(each)
                results.append(each.result())
            time.sleep(_POLL)
    finally:
        for each in running:
            each.cancel()
    return results


class _Running:
    def __init__(self, stage: Stage, environ: Mapping[str, str]) -> None:
        self.stage = stage
        self._began = time.monotonic()
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the stage's end
        self.process = subprocess.Popen(  # noqa: S603  # a line of the table of stages
            list(stage.argv),
            env={**environ, **stage.env},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def result(self) -> Result:
        seconds = time.monotonic() - self._began
        passed = self.process.returncode == 0
        _say(f"{'passed' if passed else 'FAILED'}  {seconds:7.1f} s  {self.stage.name}")
        if not passed:
            self._output.seek(0)
            _say(f"$ {' '.join(self.stage.argv)}\n{self._output.read().decode(errors='replace')}")
        self._output.close()
        return Result(name=self.stage.name, seconds=seconds, passed=passed)

    def cancel(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._output.close()


def _run_tests(environ: Mapping[str, str]) -> tuple[bool, str]:
    """Run pytest with its output shown as it comes; answer whether it passed, and its last line."""
    process = subprocess.Popen(  # noqa: S603  # the command of the table of stages
        stages.pytest_command([]),
        env={**environ, "PYTHONUNBUFFERED": "1"},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    last = b""
    try:
        assert process.stdout is not None  # noqa: S101  # for the type checker: it is a pipe
        while piece := os.read(process.stdout.fileno(), 65_536):
            sys.stdout.buffer.write(piece)
            sys.stdout.flush()
            last = (last + piece)[-4096:]
        status = process.wait()
    except BaseException:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        raise
    lines = last.decode(errors="replace").strip().splitlines()
    return status == 0, lines[-1] if lines else ""


def _chromium() -> str:
    """Answer a browser for the browser tests; root on Debian gets it installed."""
    for attempt in range(2):
        for name in _BROWSERS:
            path = shutil.which(name)
            if path:
                return path
        if attempt == 0 and accounts.am_root() and shutil.which("apt-get"):
            _say("Installing Chromium for the browser tests …")
            for command in (
                ["apt-get", "update", "-qq"],
                ["apt-get", "install", "-qq", "--no-install-recommends", "chromium"],
            ):
                done = subprocess.run(  # noqa: S603  # fixed commands
                    command,
                    env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    check=False,
                )
            if done.returncode:
                raise Trouble(f"Chromium could not be installed:\n{tail(done.stdout.decode(errors='replace'))}")
    raise Trouble(
        "The browser tests need Chromium, and there is none.\n"
        "Install it, on Debian and Ubuntu with: sudo apt-get install chromium\n"
        "Tests without a browser run on their own: bin/test PATH…"
    )


def _end(number: int, _frame: object) -> None:
    # Raised in the main thread, so that the servers and their folder are cleaned up on the way out.
    sys.exit(128 + number)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
