"""Processes that die are started again, and all end in order."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil

from brikonnect.devstack.combined_log import LONGEST_LINE, CombinedLog, Lines
from brikonnect.devstack.programs import Program
from brikonnect.devstack.runner import Child, Runner


def python(code: str, *, name: str = "child", patience: float = 15) -> Program:
    return Program(name=name, argv=[sys.executable, "-u", "-c", code], patience=patience)


def with_runner(folder: Path, act: Callable[[Runner, Path], Awaitable[None]]) -> str:
    """Do something with a runner; answer what the combined log says afterwards."""
    path = folder / "up.log"

    async def run() -> None:
        log = CombinedLog(path)
        await act(Runner(log), path)
        log.close()

    asyncio.run(run())
    return path.read_text()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


def pid_of(child: Child) -> int:
    assert child.process is not None
    return child.process.pid


def test_starts_a_process_that_died_again_and_says_so(tmp_path: Path) -> None:
    async def act(runner: Runner, path: Path) -> None:
        child = runner.keep(python("import time; print('here I am'); time.sleep(60)", name="worker"))
        await until(lambda: "here I am" in path.read_text())
        first = pid_of(child)
        os.kill(first, signal.SIGKILL)
        await until(lambda: path.read_text().count("here I am") == 2)
        assert pid_of(child) != first
        await runner.stop(child)
        assert not child.is_running

    said = with_runner(tmp_path, act)
    assert "worker    | here I am" in said
    assert "worker ended by itself (signal SIGKILL); it is started again in 1 s." in said


def test_does_not_restart_what_it_stopped(tmp_path: Path) -> None:
    async def act(runner: Runner, path: Path) -> None:
        child = runner.keep(python("import time; print('up'); time.sleep(60)"))
        await until(lambda: "up" in path.read_text())
        await runner.stop(child)

    assert "started again" not in with_runner(tmp_path, act)


def test_kills_what_does_not_stop_with_all_that_it_started(tmp_path: Path) -> None:
    code = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "helper = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print('helper', helper.pid)\n"
        "time.sleep(60)"
    )

    async def act(runner: Runner, path: Path) -> None:
        child = runner.keep(python(code, patience=0.5))
        await until(lambda: "helper" in path.read_text())
        helper = psutil.Process(int(path.read_text().split()[-1]))
        await runner.stop(child)
        assert not child.is_running
        await until(lambda: not helper.is_running() or helper.status() == psutil.STATUS_ZOMBIE)

    with_runner(tmp_path, act)


def test_stops_sooner_when_hurried(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); time.sleep(60)"

    async def act(runner: Runner, path: Path) -> None:
        child = runner.keep(python(code, patience=60))
        await until(lambda: "up" in path.read_text())
        stopping = asyncio.create_task(runner.stop(child))
        await asyncio.sleep(0.05)
        began = time.monotonic()
        runner.hurry()
        await stopping
        assert time.monotonic() - began < 10

    with_runner(tmp_path, act)


def test_runs_a_program_to_its_end_and_answers_its_status(tmp_path: Path) -> None:
    async def act(runner: Runner, _path: Path) -> None:
        assert await runner.run(python("print('no end of line', end=''); raise SystemExit(7)", name="migrate")) == 7

    assert "migrate   | no end of line\n" in with_runner(tmp_path, act)


def test_stops_a_program_that_nobody_waits_for_any_more(tmp_path: Path) -> None:
    async def act(runner: Runner, path: Path) -> None:
        running = asyncio.create_task(
            runner.run(python("import os, time; print(os.getpid()); time.sleep(60)", name="demo"))
        )
        await until(lambda: "demo" in path.read_text())
        pid = int(path.read_text().split()[-1])
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert not psutil.pid_exists(pid)

    with_runner(tmp_path, act)


def test_dies_with_its_supervisor(tmp_path: Path) -> None:
    """Linux only; elsewhere the next start stops it by its mark."""
    if not sys.platform.startswith("linux"):
        return
    code = (
        "import sys, time\n"
        "from brikonnect.devstack.programs import Program, start\n"
        "child = start(Program(name='x', argv=[sys.executable, '-c', 'import time; time.sleep(60)']))\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)"
    )

    async def act(runner: Runner, path: Path) -> None:
        supervisor = runner.keep(
            Program(name="sup", argv=[sys.executable, "-c", code], cwd=Path(__file__).parents[2]), is_settled=False
        )
        await until(lambda: "sup" in path.read_text())
        grandchild = psutil.Process(int(path.read_text().split()[-1]))
        os.kill(pid_of(supervisor), signal.SIGKILL)
        await until(lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE)

    with_runner(tmp_path, act)


def test_tells_in_plain_words_that_the_disk_is_full(tmp_path: Path) -> None:
    log = CombinedLog(tmp_path / "up.log")
    log.write("postgres", "ERROR:  could not extend file: No space left on device")
    log.write("postgres", "ERROR:  could not extend file: No space left on device")
    log.close()
    assert (tmp_path / "up.log").read_text().count("The disk is full.") == 1


def test_cuts_lines_however_they_come() -> None:
    lines: list[str] = []
    cutter = Lines(lines.append)
    for piece in (b"one\ntw", b"o\r\n", b"\xff\x07tab\there\n", b"x" * (LONGEST_LINE + 1), b"rest"):
        cutter.feed(piece)
    cutter.end()
    assert lines == ["one", "two", "�\\x07tab\there", "x" * (LONGEST_LINE + 1), "rest"]
