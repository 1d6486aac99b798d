"""Keeps processes running: their output goes to one log, one that dies is started again, all end in order."""

import asyncio
import functools
import signal
import subprocess
import time
from collections.abc import Callable

from brikonnect.devstack import programs
from brikonnect.devstack.combined_log import CombinedLog, Lines
from brikonnect.devstack.programs import Program
from brikonnect.devstack.trouble import Trouble

_PIECE = 64 * 1024
# Seconds between a death and the next start: doubled each time, and back to the first after a while of good health.
_FIRST_PAUSE = 1
_LONGEST_PAUSE = 30
_GOOD_HEALTH = 60


class Child:
    """One program that is to run until it is stopped."""

    def __init__(self, program: Program, *, before_restart: Callable[[], object] | None, is_settled: bool) -> None:
        self.program = program
        self.before_restart = before_restart
        # Whether its end is a surprise; a server that does not come up at all is not tried again and again.
        self.is_settled = is_settled
        self.process: subprocess.Popen[bytes] | None = None
        self.is_wanted = True
        self.is_pausing = False
        self.task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Tell whether its process is there."""
        return self.process is not None and self.process.poll() is None


class Runner:
    """The processes of one `up`. To be used from the main thread's event loop."""

    def __init__(self, log: CombinedLog) -> None:
        self._log = log
        self._ended: dict[int, asyncio.Event] = {}
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._is_hurried = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._reap)

    def keep(
        self, program: Program, *, before_restart: Callable[[], object] | None = None, is_settled: bool = True
    ) -> Child:
        """Start a program and, once it is settled, again whenever it ends; `before_restart` runs in a thread first."""
        child = Child(program, before_restart=before_restart, is_settled=is_settled)
        self._start(child)
        child.task = asyncio.create_task(self._watch(child))
        return child

    async def run(self, program: Program) -> int:
        """Run a program to its end and answer its exit status; stopped when the caller is cancelled."""
        child = Child(program, before_restart=None, is_settled=False)
        self._start(child)
        try:
            return await self._end_of(child)
        except asyncio.CancelledError:
            await self.stop(child)
            raise

    async def stop(self, *children: Child) -> None:
        """Stop these together; afterwards none of them runs."""
        await asyncio.gather(*(self._stop(child) for child in children))

    def hurry(self) -> None:
        """Wait no longer for processes that were asked to stop; servers with data still end in order."""
        self._is_hurried.set()

    def _start(self, child: Child) -> None:
        child.process = programs.start(child.program, stdout=subprocess.PIPE)
        self._ended[child.process.pid] = asyncio.Event()
        self._processes[child.process.pid] = child.process

    async def _end_of(self, child: Child) -> int:
        """Log the output until the process ends; answer its exit status."""
        process = child.process
        assert process is not None  # noqa: S101  # for the type checker: _start has just set it
        reading = asyncio.create_task(self._read(child.program.name, process))
        try:
            await self._ended[process.pid].wait()
            # What a process started may hold its output open; the rest of what it said itself is there already.
            await asyncio.wait((reading,), timeout=1)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        if child.program.last_signal is signal.SIGKILL:
            programs.end_group(process)
        return process.returncode

    async def _read(self, name: str, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None  # noqa: S101  # for the type checker: it is a pipe
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), process.stdout
        )
        lines = Lines(functools.partial(self._log.write, name))
        try:
            while piece := await reader.read(_PIECE):
                lines.feed(piece)
        finally:
            lines.end()
            transport.close()

    async def _watch(self, child: Child) -> None:
        pause = _FIRST_PAUSE
        while True:
            began = time.monotonic()
            status = await self._end_of(child)
            if not child.is_wanted or not child.is_settled:
                return
            if time.monotonic() - began > _GOOD_HEALTH:
                pause = _FIRST_PAUSE
            self._log.say(
                f"{child.program.name} ended by itself ({describe(status)}); it is started again in {pause} s."
            )
            child.is_pausing = True
            while child.is_pausing:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                try:
                    if child.before_restart:
                        await asyncio.to_thread(child.before_restart)
                    self._start(child)
                    child.is_pausing = False
                except (OSError, Trouble) as error:
                    self._log.say(f"{child.program.name} can't be started; it is tried again in {pause} s: {error}")

    async def _stop(self, child: Child) -> None:
        child.is_wanted = False
        process = child.process
        if process is not None and process.poll() is None:
            process.send_signal(child.program.stop_signal)
            ended = asyncio.create_task(self._ended[process.pid].wait())
            hurried = asyncio.create_task(self._is_hurried.wait())
            # A server with data is never hurried.
            waiting = (ended, hurried) if child.program.last_signal is signal.SIGKILL else (ended,)
            await asyncio.wait(waiting, timeout=child.program.patience, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                programs.insist(child.program, process)
                await ended
            hurried.cancel()
        if child.task is not None:
            if child.is_pausing:
                child.task.cancel()
            await asyncio.gather(child.task, return_exceptions=True)

    def _reap(self) -> None:
        for pid, process in list(self._processes.items()):
            if process.poll() is not None:
                del self._processes[pid]
                self._ended[pid].set()


def describe(status: int) -> str:
    """Put an exit status into words."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"
