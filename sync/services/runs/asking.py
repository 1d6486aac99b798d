"""Has those asked who may approve a plan, by somebody who may not."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit import context
from common import actor
from common.errors import Conflict
from events.bus import publish
from sync.choices import RunStatus
from sync.events import SyncApprovalAsked
from sync.models import SyncRun
from sync.queries import runs as queries
from sync.queries.listing import asked_of, can_approve
from sync.services.runs.starting import locked_run
from sync.services.runs.words import about


@transaction.atomic
def ask_for_approval(*, run_id: UUID, now: datetime) -> SyncRun:
    """Tell those who may approve that a plan waits for them. The same plan is asked for once.

    Raises NotFound, and Conflict where there is nothing to approve.
    """
    context.describe("sync.ask_for_approval")
    run = locked_run(run_id)
    if run.status != RunStatus.PREVIEW_READY:
        raise Conflict("This plan no longer waits to be approved.")
    if asked_of(run) is not None:
        return run
    view = queries.view_of(queries.get_run(run.pk), now=now)
    if not can_approve(view):
        raise Conflict("This plan can't be approved as it is. Plan it anew first.")
    who = actor.current()
    asked = {"at": now.isoformat(), "by": who.name, "planned_at": run.plan_summary.get("planned_at", "")}
    run.checkpoint = {**run.checkpoint, "asked": asked}
    run.save()
    publish(SyncApprovalAsked(**about(run), to_do=view.to_do, asked_by=who.name))
    return run
