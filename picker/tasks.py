"""What of picking runs in a worker: long walks that are confirmed from paper."""

from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from jobs.choices import LogLevel
from jobs.registry import job
from jobs.runner import Run
from picker.services import confirming


@job(confirming.JOB, label="Confirm picks", queue="orders", permission="picker:pick")
def confirm_picks(run: Run, *, session_id: str, key: str, user_id: str, missing: dict[str, int]) -> dict[str, Any]:
    """Note what was picked from paper, need by need. What is settled already isn't open any more."""
    settled = 0
    chosen = {UUID(need): qty for need, qty in missing.items()}
    steps = confirming.confirm_step(
        session_id=UUID(session_id), missing=chosen, key=key, user_id=UUID(user_id), now=timezone.now()
    )
    for done, total, refused in steps:
        settled += not refused
        if refused:
            run.log(refused, level=LogLevel.WARNING)
        run.progress(done, total, unit="needs")
    return {
        "message": f"{settled:,} picks confirmed.",
        "url": reverse("picker:session", args=[session_id]),
        "url_label": "Open session",
    }
