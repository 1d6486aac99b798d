"""Pages of jobs: the tray in the header, the list, one job, its files."""

from typing import cast
from uuid import UUID

from django.core.paginator import Paginator
from django.http import FileResponse, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from common import actor, htmx
from common.access import open_to_all, signed_in
from common.errors import Gone, NotFound
from common.http import HttpRequest
from jobs import files, queries, services
from jobs.choices import JobStatus
from jobs.models import JobRun

_PER_PAGE = 50


@require_GET
@signed_in
def tray(request: HttpRequest) -> HttpResponse:
    """Answer what the header shows of one's own jobs."""
    found = queries.tray(actor.current(), now=timezone.now())
    return htmx.render(request, "jobs/tray.html", {"tray": found})


@require_GET
@signed_in
def job_list(request: HttpRequest) -> HttpResponse:
    """Answer the jobs that one may see, newest first, by status if one likes."""
    who, now = actor.current(), timezone.now()
    wanted = request.GET.get("status", "")
    known = wanted in JobStatus.values
    jobs = queries.visible_to(who).order_by("-created_at", "-id")
    paginator = Paginator(jobs.filter(status=wanted) if known else jobs, _PER_PAGE)
    page = paginator.get_page(request.GET.get("page"))
    tabs = [{"label": "All", "url": reverse("jobs:list"), "current": not known}] + [
        {"label": status.label, "url": f"{reverse('jobs:list')}?status={status.value}", "current": status == wanted}
        for status in JobStatus
    ]
    context = {
        "rows": [queries.row_of(job, who=who, now=now) for job in page],
        "tabs": tabs,
        "unknown_status": wanted if wanted and not known else "",
        "pager": _pager(paginator, page.number, f"status={wanted}&" if known else ""),
    }
    return htmx.render(request, "jobs/list.html", context, partial="rows")


@require_GET
@signed_in
def detail(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Answer a job: how far it is, what it logged, how it ended."""
    who = actor.current()
    job = queries.get_visible(job_id, who)
    context = {
        "job": queries.row_of(job, who=who, now=timezone.now()),
        "log": queries.log_of(job.id),
        "files": _files(job),
    }
    return htmx.render(request, "jobs/detail.html", context, partial="job")


@require_POST
@signed_in
def cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Cancel a job: at once if it waits, else at its next step."""
    job = queries.get_visible(job_id, actor.current())
    job = services.cancel(job_id=job.id, now=timezone.now())
    message = f"{job.label} stops at the next step." if job.is_open else f"{job.label} cancelled."
    if htmx.is_partial(request) and not htmx.target_of(request):
        return htmx.trigger(htmx.toast(HttpResponse(), message), "live:jobs")
    return htmx.go_on(request, reverse("jobs:detail", args=[job.id]), message=message)


@require_POST
@signed_in
def seen(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Note that a job's end was looked at: it leaves the tray of who started it."""
    who = actor.current()
    job = queries.get_visible(job_id, who)
    if queries.row_of(job, who=who, now=timezone.now()).is_mine:
        services.mark_seen(job_ids=[job.id], now=timezone.now())
    return _changed(request, reverse("jobs:detail", args=[job.id]))


@require_POST
@signed_in
def clear(request: HttpRequest) -> HttpResponse:
    """Take one's finished jobs off the tray; failed ones stay until they are opened."""
    services.mark_seen(job_ids=queries.ended_of(actor.current()), now=timezone.now())
    return _changed(request, reverse("jobs:list"))


@require_GET
@signed_in
def file(request: HttpRequest, job_id: UUID, number: int) -> HttpResponse:
    """Answer a file that a job left."""
    return _attachment(queries.get_visible(job_id, actor.current()), number)


@require_GET
@open_to_all
def ticket(request: HttpRequest, value: str) -> HttpResponse:
    """Answer a file to whom the API gave its ticket, for ten minutes."""
    found = files.read_ticket(value)
    job = queries.find(found[0]) if found else None
    if found is None or job is None:
        raise NotFound
    return _attachment(job, found[1])


def _changed(request: HttpRequest, url: str) -> HttpResponse:
    if htmx.is_partial(request):
        return htmx.trigger(HttpResponse(), "live:jobs")
    return htmx.redirect(request, url)


def _files(job: JobRun) -> list[dict[str, object]]:
    entries = (job.result or {}).get("files", [])
    return [{**entry, "url": reverse("jobs:file", args=[job.id, number])} for number, entry in enumerate(entries)]


def _attachment(job: JobRun, number: int) -> HttpResponse:
    entries = (job.result or {}).get("files", [])
    if number >= len(entries):
        raise NotFound
    stream = files.open_file(entries[number])
    if stream is None:
        raise Gone(f"Files of jobs are kept for {files.KEPT.days} days. Start the job again to get a new one.")
    entry = entries[number]
    answer = FileResponse(stream, as_attachment=True, filename=entry["name"], content_type=entry["media_type"])
    return cast("HttpResponse", answer)


def _pager(paginator: "Paginator[JobRun]", number: int, query: str) -> dict[str, object]:
    page = paginator.page(number)
    base = reverse("jobs:list")
    return {
        "first": page.start_index(),
        "last": page.end_index(),
        "total": paginator.count,
        "previous_url": f"{base}?{query}page={number - 1}" if page.has_previous() else "",
        "next_url": f"{base}?{query}page={number + 1}" if page.has_next() else "",
    }
