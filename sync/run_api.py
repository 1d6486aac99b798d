"""Runs over HTTP: compare, look, leave out, approve, stop, try again."""

from typing import Any
from uuid import UUID, uuid4

from django.http import HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from rest_framework.request import Request

from common.api.operations import operation
from common.api.pagination import CursorPagination
from common.api.views import ApiView
from common.errors import Conflict
from sync import serializers
from sync.models import SyncRun
from sync.queries import runs as queries
from sync.queries.runs import PlanFilters, RunView
from sync.services import runs

_EXAMPLE = {
    "source_store_id": "019a0000-0000-7000-8000-000000000001",
    "target_store_id": "019a0000-0000-7000-8000-000000000002",
    "direction": "SOURCE_TO_TARGET", "options": {"new_there": "import"},
}  # fmt: skip


def _view(run: SyncRun) -> RunView:
    return queries.view_of(queries.get_run(run.pk), now=timezone.now())


def _later(view: ApiView, request: Request, run: SyncRun) -> HttpResponse:
    """Answer a run whose job does the rest, and where that job is."""
    found = _view(run)
    job = found.run.apply_job or found.run.plan_job
    location = reverse("api:job", args=[job.pk], urlconf=request._request.urlconf) if job else None
    return view.answer(serializers.whole_row(found), location=location)


class PreviewView(ApiView):
    """A comparison of two stores."""

    access = {"POST": "sync:preview"}

    @operation(
        "Compare two stores",
        takes=serializers.PreviewInput,
        answers=serializers.RunWhole,
        status=202,
        errors=(Conflict,),
        description="A job fetches both and plans what brings them into step. Nothing is changed by it.",
        example=_EXAMPLE,
    )
    def post(self, request: Request) -> HttpResponse:
        """Start the job."""
        body = self.body
        run = runs.start_preview(
            source_store_id=body["source_store_id"], target_store_id=body["target_store_id"],
            direction=body["direction"], options=body["options"], idempotency_key=f"api:{uuid4()}", now=timezone.now(),
        )  # fmt: skip
        return _later(self, request, run)


class RunsView(ApiView):
    """The runs."""

    access = {"GET": "sync:read"}

    @operation("List runs", answers=serializers.RunRow, ordering=("-created_at",))
    def get(self, _request: Request) -> HttpResponse:
        """Answer every run, the newest first."""
        now = timezone.now()
        return self.page(
            queries.runs(),
            as_rows=lambda rows: [serializers.run_row(queries.brief_of(run, now=now)) for run in rows],
        )


class OneRunView(ApiView):
    """One run."""

    access = {"GET": "sync:read"}

    @operation("Show a run", answers=serializers.RunWhole)
    def get(self, _request: Request, run_id: UUID) -> HttpResponse:
        """Answer a run, how far it is, and what was checked."""
        return self.answer(serializers.whole_row(queries.view_of(queries.get_run(run_id), now=timezone.now())))


class PlanView(ApiView):
    """The lines of a run's plan."""

    access = {"GET": "sync:read", "PATCH": "sync:apply"}

    @operation(
        "List the lines of a plan", answers=serializers.PlanRow, query=serializers.PlanQuery, ordering=("id", "worth")
    )
    def get(self, _request: Request, run_id: UUID) -> HttpResponse:
        """Answer what a run does to each lot that isn't equal, and why it leaves some alone."""
        filters = PlanFilters.parse({name: str(value) for name, value in self.query_filters.items()})
        rows = queries.items(queries.get_run(run_id), filters)
        return self.page(
            rows,
            as_rows=lambda found: [serializers.plan_row(item) for item in found],
            pages=CursorPagination(self.query["ordering"]),
        )

    @operation(
        "Leave lines of a plan out",
        takes=serializers.ExcludeInput,
        answers=serializers.ExcludedRow,
        errors=(Conflict,),
        description="By `ids`, or all that a `filter` leaves. `excluded` false takes them in again.",
        example={"filter": {"tab": "remove"}, "excluded": True},
    )
    def patch(self, _request: Request, run_id: UUID) -> HttpResponse:
        """Leave lines out, or take them in again."""
        body = self.body
        given: dict[str, Any] | None = body.get("filter")
        filters = None if given is None else PlanFilters.parse(given)
        changed = runs.exclude_items(
            run_id=run_id, item_ids=body.get("ids"), filters=filters, is_excluded=body.get("excluded", True)
        )
        return self.answer({"changed": changed})


class ApproveView(ApiView):
    """An approval."""

    access = {"POST": "sync:apply"}

    @operation(
        "Approve a run",
        takes=serializers.ApproveInput,
        answers=serializers.RunWhole,
        status=202,
        errors=(Conflict,),
        description="A job carries the plan out. Where many lots are removed their number is to be named.",
        example={"confirmed_removals": 38},
    )
    def post(self, request: Request, run_id: UUID) -> HttpResponse:
        """Start the job."""
        run = runs.approve_run(
            run_id=run_id, confirmed_removals=self.body["confirmed_removals"], now=timezone.now()
        )  # fmt: skip
        return _later(self, request, run)


class CancelView(ApiView):
    """An end before the end."""

    access = {"POST": "sync:apply"}

    @operation(
        "Cancel a run",
        answers=serializers.RunWhole,
        errors=(Conflict,),
        description="A plan is thrown away; one that is carried out stops after the present batch. What is done stays.",
    )
    def post(self, _request: Request, run_id: UUID) -> HttpResponse:
        """Stop it."""
        return self.answer(serializers.whole_row(_view(runs.cancel_run(run_id=run_id, now=timezone.now()))))


class RetryView(ApiView):
    """Another try."""

    access = {"POST": "sync:apply"}

    @operation(
        "Try a run again",
        takes=serializers.RetryInput,
        answers=serializers.RunWhole,
        status=202,
        errors=(Conflict,),
        description="What failed, and what it didn't come to.",
    )
    def post(self, request: Request, run_id: UUID) -> HttpResponse:
        """Start the job that goes on."""
        return _later(self, request, runs.retry_run(run_id=run_id, reason=self.body["reason"], now=timezone.now()))


run_api_urlpatterns = [
    path("sync/preview", PreviewView.as_view(), name="sync_preview"),
    path("sync/runs", RunsView.as_view(), name="sync_runs"),
    path("sync/runs/<uuid:run_id>", OneRunView.as_view(), name="sync_run"),
    path("sync/runs/<uuid:run_id>/plan", PlanView.as_view(), name="sync_run_plan"),
    path("sync/runs/<uuid:run_id>/approve", ApproveView.as_view(), name="sync_run_approve"),
    path("sync/runs/<uuid:run_id>/cancel", CancelView.as_view(), name="sync_run_cancel"),
    path("sync/runs/<uuid:run_id>/retry", RetryView.as_view(), name="sync_run_retry"),
]
