"""The life of a job in a worker: claimed, kept alive by its heartbeat, run as its creator, ended in one of six ways."""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from datetime import timedelta
from typing import IO, Any
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.utils import timezone

from audit import context
from common import actor, live, shutdown, workspace
from common.actor import ActorKind
from common.errors import ProblemError
from common.steps import step
from jobs import files, registry, services
from jobs.choices import LogLevel
from jobs.errors import Cancelled, Interrupted, LeaseLost, TryAgain
from jobs.models import JobRun
from jobs.registry import JobType

logger = structlog.get_logger(__name__)

_WRITE_EVERY_S = 0.5
_RING_EVERY_S = 1.0
_BEATS_PER_LIMIT = 4
_AWAY = (OperationalError, InterfaceError)


class Run:
    """A job's function's hold on its job: where to go on, how far it is, and whether to stop.

    Every method raises LeaseLost where another worker has taken over. Let what they raise pass.
    """

    def __init__(self, job: JobRun) -> None:
        self.job_id: UUID = job.id
        self.attempt = job.attempt
        self.arguments: dict[str, Any] = job.arguments
        self.files: list[dict[str, Any]] = []
        self._checkpoint: dict[str, Any] = job.checkpoint
        self._created_by: UUID | None = job.created_by_id
        self._progress: dict[str, Any] = job.progress_data
        self._percent = job.progress_percent
        self._message = ""
        self._written_at = self._rung_at = float("-inf")
        self._cancel_asked = False
        self._is_lost = False

    @property
    def checkpoint(self) -> dict[str, Any]:
        """Answer what the last `save_checkpoint` remembered; empty at the first beginning."""
        return dict(self._checkpoint)

    def check(self) -> None:
        """Pass, or raise Cancelled, Interrupted (this worker stops) or LeaseLost. Costs nothing; call it often.

        Not between an effect outside and its record.
        """
        if self._is_lost:
            raise LeaseLost
        if self._cancel_asked:
            raise Cancelled
        if shutdown.is_requested():
            raise Interrupted

    def save_checkpoint(self, **values: Any) -> None:
        """Remember `values` (JSON) as where to go on; in the transaction of the effects that they stand for.

        Outside a transaction it also checks.
        """
        self._note(
            services.save_checkpoint(job_id=self.job_id, attempt=self.attempt, values=values, now=timezone.now())
        )
        self._checkpoint = values
        step("jobs.checkpoint")
        if not connection.in_atomic_block:
            self.check()

    def progress(self, done: int, total: int | None = None, *, unit: str = "", message: str = "") -> None:
        """Say how far it is ("34,120 of 104,212 lots"), and check. Call it often, outside transactions."""
        self.check()
        now = timezone.now()
        self._progress.setdefault("from", done)
        self._progress.setdefault("since", now.isoformat())
        self._progress |= {"done": done, "total": total, "unit": unit or self._progress.get("unit", "")}
        self._percent = min(100, done * 100 // total) if total else None
        self._message = message or self._message
        clock = time.monotonic()
        if clock - self._written_at < _WRITE_EVERY_S and done != total:
            return
        self._written_at = clock
        self._note(
            services.save_progress(
                job_id=self.job_id,
                attempt=self.attempt,
                percent=self._percent,
                message=self._message,
                data=self._progress,
                now=now,
            )
        )
        if clock - self._rung_at >= _RING_EVERY_S or done == total:
            self._rung_at = clock
            live.notify(services.TOPIC, user_id=self._created_by)
        self.check()

    def log(self, message: str, *, level: LogLevel = LogLevel.INFO) -> None:
        """Write a line for the people who read the job's page; nothing secret, nothing personal."""
        services.add_log(job_id=self.job_id, level=level, message=message, now=timezone.now())

    @contextmanager
    def file(self, name: str, *, media_type: str) -> Iterator[IO[bytes]]:
        """Write a file for people to fetch from the job's page, such as an export. It is there once it is whole."""
        with tempfile.TemporaryFile() as stream:
            yield stream
            stream.seek(0)
            kept = files.keep(job_id=self.job_id, name=name, media_type=media_type, content=stream)
        self.files = [other for other in self.files if other["name"] != kept["name"]] + [kept]
        step("jobs.file_kept")

    def beat(self) -> None:
        """Say that the holder lives; from the heartbeat's thread."""
        try:
            self._note(services.beat(job_id=self.job_id, attempt=self.attempt, now=timezone.now()))
        except LeaseLost:
            self._is_lost = True

    def _note(self, cancel_asked: bool) -> None:  # noqa: FBT001  # the answer of the call inside the parentheses
        self._cancel_asked = self._cancel_asked or cancel_asked


_current: ContextVar[Run | None] = ContextVar("run", default=None)


def current() -> Run | None:
    """Answer the job that the present work is part of, for services that save its checkpoint with their effects."""
    return _current.get()


def run_job(*, job_id: UUID, with_heartbeat: bool = True) -> None:
    """Run the job if it waits and nobody else has it; a second delivery does nothing."""
    job = services.claim(job_id=job_id, now=timezone.now())
    if job is None:
        return
    step("jobs.claimed")
    kind = registry.find(job.job_type)
    who = _who_runs(job)
    with structlog.contextvars.bound_contextvars(job_id=str(job.id), job_type=job.job_type, attempt=job.attempt):
        if kind is None:
            _end(job, "This installation no longer has this kind of job.")
        elif who is None:
            _end(job, f"The account of {job.actor_name}, who started this, is switched off or gone.")
        else:
            # Taken up again, it goes on as the same change set.
            deed = context.for_job(f"jobs.{job.job_type}", reason=job.label, change_set_id=job.id)
            with actor.use(who), actor.use_origin(_origin(job)), deed:
                _live(job, kind, with_heartbeat=with_heartbeat)


def _live(job: JobRun, kind: JobType, *, with_heartbeat: bool) -> None:
    run = Run(job)
    token = _current.set(run)
    try:
        with _heartbeat(run, kind) if with_heartbeat else nullcontext():
            run.check()
            result = {**(kind.function(run, **job.arguments) or {}), **({"files": run.files} if run.files else {})}
            step("jobs.before_end")
        services.complete(job_id=job.id, attempt=job.attempt, result=result, now=timezone.now())
        step("jobs.ended")
    except Cancelled:
        _settle(job, services.end_cancelled, now=timezone.now())
    except Interrupted:
        _settle(job, services.release)
    except LeaseLost:
        logger.info("job.taken_over")
    except TryAgain as wish:
        _settle(job, services.put_off, reason=wish.reason, after=wish.after, now=timezone.now())
    except ProblemError as problem:
        logger.info("job.refused", problem=problem.type)
        _end(job, problem.detail or problem.title)
    except _AWAY as error:
        # Away, full or deadlocked: it will pass.
        logger.warning("job.interrupted", error=type(error).__name__, exc_info=error)
        _settle(job, services.interrupt, reason="The database was not available.", now=timezone.now())
    except Exception:
        # A worker's outermost loop: the job has failed, the worker goes on.
        logger.exception("job.broke")
        _end(job, f"Something broke on our side. Our log has it under the job's id, {job.id}.")
    finally:
        _current.reset(token)


def _end(job: JobRun, reason: str) -> None:
    _settle(job, services.fail, reason=reason, now=timezone.now())


def _settle(job: JobRun, verb: Callable[..., None], **arguments: Any) -> None:
    """Write how this attempt ended. Where that can't be written the sweeper finds the silent job."""
    if not connection.in_atomic_block:
        close_old_connections()
    try:
        verb(job_id=job.id, attempt=job.attempt, **arguments)
    except LeaseLost:
        logger.info("job.taken_over")
    except _AWAY as error:
        logger.warning("job.left_to_sweeper", error=type(error).__name__)


def _who_runs(job: JobRun) -> actor.Actor | None:
    """Answer the actor of the job: what its starter may do now, or None if he may nothing any more."""
    kind = ActorKind(job.actor_type)
    if kind is ActorKind.SYSTEM:
        return actor.Actor(kind=ActorKind.SYSTEM, id="", name=job.label)
    starter = actor.find(kind, job.actor_id)
    if starter is None:
        return None
    return actor.Actor(
        kind=ActorKind.JOB,
        id=str(job.id),
        name=f"{job.label} for {starter.name}",
        permissions=starter.permissions,
        on_behalf_of=starter.identity,
    )


def _origin(job: JobRun) -> actor.Origin:
    return actor.Origin(request_id="", correlation_id=job.correlation_id or str(job.id))


@contextmanager
def _heartbeat(run: Run, kind: JobType) -> Iterator[None]:
    """Say every few seconds that the holder lives, whatever its function is busy with."""
    stop = threading.Event()
    interval_s = kind.heartbeat_limit / timedelta(seconds=1) / _BEATS_PER_LIMIT
    thread = threading.Thread(
        target=_beat_until, args=(stop, run, interval_s, workspace.current_key()), name="heartbeat", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(interval_s)


def _beat_until(stop: threading.Event, run: Run, interval_s: float, workspace_key: str) -> None:
    while not stop.wait(interval_s):
        try:
            # The thread's own connection, given back between two beats; it starts in the schema of no shop.
            with workspace.enter(workspace_key):
                run.beat()
        except _AWAY as error:
            logger.warning("job.heartbeat_missed", error=type(error).__name__)
        finally:
            connection.close()
