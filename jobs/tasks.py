"""Celery entry points of jobs."""

from typing import Any
from uuid import UUID

from celery import Task, shared_task
from django.utils import timezone

from common import periodic
from jobs import queries, runner, services


@shared_task(name=services.RUN, bind=True)
def run(self: "Task[..., None]", job_id: str, **_future: Any) -> None:
    """Run a job."""
    runner.run_job(job_id=UUID(job_id), with_heartbeat=not self.request.is_eager)


@shared_task(name="jobs.sweep")
def sweep(**_future: Any) -> None:
    """Find jobs that were left lying."""
    services.sweep(now=timezone.now())


@shared_task(name="jobs.purge")
def purge(**_future: Any) -> None:
    """Delete jobs that ended long ago."""
    services.purge(now=timezone.now())


periodic.every(sweep, seconds=30, only_if=queries.has_open)
periodic.daily(purge, hour=2, minute=20)
