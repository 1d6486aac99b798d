"""Jobs of inventory: bulk edits of many lots, and the merging of all equal ones."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from inventory.services import bulk_edit, merging
from inventory.services.bulk_sql import program_of
from jobs.registry import job
from jobs.runner import Run


@job(bulk_edit.JOB, label="Bulk edit", queue="bulk", permission="inventory:write")
def run_bulk_edit(run: Run, *, selection: dict[str, Any], changes: dict[str, Any], total: int) -> dict[str, Any]:
    """Change the lots chunk by chunk, each remembered with what it did."""
    chosen, done = bulk_edit.Selection.from_json(selection), run.checkpoint.get("done", 0)
    after = UUID(run.checkpoint.get("after", str(UUID(int=0))))
    while True:
        run.progress(done, max(total, done), unit="lots")
        now = timezone.now()
        with transaction.atomic():
            keys = bulk_edit.change_chunk(chosen, program_of(changes, now=now), after=after, now=now)
            if not keys:
                break
            done, after = done + len(keys), keys[-1]
            run.save_checkpoint(after=str(after), done=done)
    return {
        "message": f"{done:,} lot{'' if done == 1 else 's'} changed.",
        "url": reverse("audit:change_set", args=[run.job_id]),
        "url_label": "See what changed, or revert it",
    }


@job(merging.JOB, label="Consolidate lots", queue="bulk", permission="inventory:write")
def run_consolidation(run: Run, *, fields: list[str], policy: dict[str, str], total: int) -> dict[str, Any]:
    """Merge equal lots group by group. A merged group is none any more, so only the count is to be remembered."""
    done, merged = run.checkpoint.get("done", 0), run.checkpoint.get("merged", 0)
    while True:
        run.progress(done, max(total, done), unit="groups")
        with transaction.atomic():
            counts = merging.merge_equal(fields, policy=policy, now=timezone.now())
            if counts is None:
                break
            done, merged = done + counts[0], merged + counts[1]
            run.save_checkpoint(done=done, merged=merged)
    return {
        "message": f"{merged:,} lots merged into {done:,}.",
        "url": reverse("audit:change_set", args=[run.job_id]),
        "url_label": "See what changed, or revert it",
    }
