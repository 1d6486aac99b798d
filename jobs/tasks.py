"""Celery entry points of jobs."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from celery import Task, shared_task
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from audit import services as audit
from common import actor, periodic
from jobs import queries, runner, services
from jobs.choices import LogLevel
from jobs.registry import job
from jobs.runner import Run


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


@job(services.REVERT, label="Undoing", queue="bulk", permission=audit.PERMISSION)
def revert(
    run: Run,
    *,
    change_set_id: str,
    decisions: list[list[str]],
    is_trial: bool,
    asked_at: str,
    **_future: Any,
) -> dict[str, Any]:
    """Revert a large change set, or look at what that would do. What it changes is the change set of the job's id."""
    target, moment = UUID(change_set_id), datetime.fromisoformat(asked_at)
    decided = [audit.Decision(*decision) for decision in decisions]
    if run.checkpoint:
        going = audit.LargeRevert(**run.checkpoint)
    else:
        needs_check = not actor.current().can(audit.PERMISSION)
        going = audit.begin(change_set_id=target, is_trial=is_trial, needs_check=needs_check)
    while not going.is_over:
        message = "Looking" if going.is_checking else "Putting back"
        with transaction.atomic():
            audit.go_on(going, change_set_id=target, own_id=run.job_id, decisions=decided, asked_at=moment)
            run.save_checkpoint(**asdict(going))
        run.progress(going.looked_at, going.total, unit="changes", message=message)
    audit.check_outcome(going, change_set_id=target)
    with transaction.atomic():
        for line in going.left:
            run.log(line, level=LogLevel.WARNING)
        run.save_checkpoint(**{**asdict(going), "left": []})
    shown = reverse("audit:revert", args=[target]) if is_trial else reverse("audit:change_set", args=[run.job_id])
    return {"message": f"{going.message}.", "url": shown, "url_label": "Revert" if is_trial else "What went back"}


periodic.every(sweep, seconds=30, only_if=queries.has_open)
periodic.daily(purge, hour=2, minute=20)
