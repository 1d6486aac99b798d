"""Jobs over HTTP: what 202 answers lead to."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from rest_framework.request import Request

from common import actor
from common.access import SIGNED_IN
from common.api.operations import operation
from common.api.views import ApiView
from common.errors import Conflict
from jobs import queries, services
from jobs.models import JobRun
from jobs.serializers import JobQuery, JobRow, LogRow, job_row


class JobsView(ApiView):
    """Work that takes longer than a request. One sees one's own jobs, and those that one's permissions cover."""

    access = {"GET": SIGNED_IN}

    @operation("List jobs", answers=JobRow, query=JobQuery, ordering=("-created_at",))
    def get(self, _request: Request) -> HttpResponse:
        """Answer the jobs that the caller may see."""
        jobs = queries.visible_to(actor.current()).filter(**self.query_filters)
        return self.page(jobs, as_rows=_rows)


class JobView(ApiView):
    """One job."""

    access = {"GET": SIGNED_IN}
    public_api = ()

    @operation("Show a job", answers=JobRow)
    def get(self, _request: Request, job_id: UUID) -> HttpResponse:
        """Answer how far it is, and how it ended."""
        return self.answer(job_row(queries.get_visible(job_id, actor.current())))


class JobLogsView(ApiView):
    """What a job wrote for people."""

    access = {"GET": SIGNED_IN}

    @operation("List a job's log", answers=LogRow, ordering=("id",))
    def get(self, _request: Request, job_id: UUID) -> HttpResponse:
        """Answer the lines, oldest first."""
        job = queries.get_visible(job_id, actor.current())
        return self.page(job.logs.all())


class JobCancelView(ApiView):
    """The end of a job before its end."""

    access = {"POST": SIGNED_IN}

    @operation("Cancel a job", answers=JobRow, status=202, errors=(Conflict,))
    def post(self, _request: Request, job_id: UUID) -> HttpResponse:
        """End a job that waits at once, one that runs at its next step. What it has done stays."""
        job = queries.get_visible(job_id, actor.current())
        job = services.cancel(job_id=job.id, now=timezone.now())
        return self.answer(job_row(job), location=reverse("api:job", args=[job.id]))


def _rows(jobs: Sequence[JobRun]) -> list[dict[str, Any]]:
    return [job_row(job) for job in jobs]


api_urlpatterns = [
    path("jobs", JobsView.as_view(), name="jobs"),
    path("jobs/<uuid:job_id>", JobView.as_view(), name="job"),
    path("jobs/<uuid:job_id>/logs", JobLogsView.as_view(), name="job-logs"),
    path("jobs/<uuid:job_id>/cancel", JobCancelView.as_view(), name="job-cancel"),
]
