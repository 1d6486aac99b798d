"""The log, a change set, the history of an entity, and the verb behind every Undo."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse

from audit import forms, queries, services
from audit.errors import NothingToRevert
from audit.services import State
from common.access import require, signed_in
from common.error_responses import problem_json
from common.errors import MethodNotAllowed, ProblemError
from common.htmx import (
    go_on,
    is_partial,
    redirect,
    render,
    safe_next,
    target_of,
    toast,
    trigger,
    undo_url,
)
from common.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Pager:
    """What the pager shows; `total` is None where it wasn't counted."""

    first: int
    last: int
    total: int | None
    previous_url: str
    next_url: str


def _neighbor(request: HttpRequest, cursor: str | None, start: int) -> str:
    if cursor is None:
        return ""
    query = request.GET.copy()
    query["cursor"] = cursor
    query["start"] = str(max(1, start))
    return f"{request.path}?{query.urlencode()}"


@dataclass(frozen=True, slots=True)
class Group:
    """Entities of a revert that stand alike, as many as a page takes; `more` is how many it leaves out."""

    title: str
    hint: str
    entities: tuple[services.EntityPlan, ...]
    more: int


_GROUPS = (
    (State.CONFLICT, "Changed since", "These stay as they are now, unless you decide otherwise."),
    (State.CLEAN, "Goes back", ""),
    (State.IMPOSSIBLE, "Can't be put back", ""),
)
_SHOWN = 100
_IN_A_JOB = "This takes a while. The header shows how far it is."


def _groups(plan: services.Plan) -> list[Group]:
    groups = []
    for state, title, hint in _GROUPS:
        found = [entity for entity in plan.entities if entity.state is state]
        if found:
            groups.append(Group(title, hint, tuple(found[:_SHOWN]), max(0, len(found) - _SHOWN)))
    return groups


def _words(plan: services.Plan) -> str:
    """Answer the plan in one line."""
    words = services.plan_words(clean=plan.clean, conflicts=plan.conflicts, impossible=plan.impossible, done=plan.done)
    return f"Of the first {len(plan.entities):,} of {len(plan.entities) + plan.more:,}: {words}" if plan.more else words


def _button(plan: services.Plan) -> str:
    """Answer what the button says; nothing where there is nothing to do."""
    if plan.more:
        return f"Revert up to {len(plan.entities) + plan.more:,} changes"
    if plan.clean:
        return f"Revert {plan.clean:,} change{'' if plan.clean == 1 else 's'}"
    return "Revert chosen changes" if plan.conflicts else ""


def _limited(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None  # noqa: PLR2004  # what fits a bigint


@require("audit:read")
def log(request: HttpRequest) -> HttpResponse:
    """List the change sets, newest first; the whole state is the address."""
    form = forms.LogFilters(request.GET, choices=queries.choices())
    size, start = forms.page_size(request.GET), forms.first_number(request.GET)
    page = queries.log_page(form.filters(), cursor=request.GET.get("cursor") or None, limit=size)
    pager = Pager(
        first=start,
        last=start + len(page.rows) - 1,
        total=page.total,
        previous_url=_neighbor(request, page.previous, start - size),
        next_url=_neighbor(request, page.next, start + size),
    )
    chips = form.chips(request.path)
    context = {
        "form": form,
        "change_sets": page.rows,
        "offered": services.offered(page.rows),
        "page": pager,
        "chips": chips,
        "total": page.total,
    }
    return render(request, "audit/log.html", context, partial="rows")


@require("audit:read")
def change_set(request: HttpRequest, change_set_id: UUID) -> HttpResponse:
    """Show a change set: who, when, whence, why, and what it did to which entity."""
    page = queries.change_set_page(change_set_id, after=request.GET.get("after", ""))
    context = {"change_set": page.row, "changes": page.changes, "offered": services.offered([page.row])}
    return render(request, "audit/change_set.html", context)


@require("audit:read")
def changes(request: HttpRequest, change_set_id: UUID) -> HttpResponse:
    """Show what a change set did, as the part that opens in the log; a plain link leads to its page."""
    if not is_partial(request):
        return redirect(request, reverse("audit:change_set", args=[change_set_id]))
    page = queries.change_set_page(change_set_id, after=request.GET.get("after", ""))
    return render(request, "audit/change_set.html#changes", {"change_set": page.row, "changes": page.changes})


@require("audit:read")
def history(request: HttpRequest, entity_type: str, entity_id: str) -> HttpResponse:
    """Show what happened to one entity: a page, or the part of the entity's own page."""
    found = queries.entity_history(entity_type, entity_id, before=_limited(request.GET.get("before", "")))
    offered = services.offered([item.change_set for item in found.items])
    # A revert leads back to the page that shows the part.
    here = request.htmx.current_url_abs_path or request.get_full_path()
    context = {"history": found, "offered": offered, "here": here}
    return render(request, "audit/history.html", context, partial="entity-history")


def _handed_over(request: HttpRequest, done: services.HandedOver) -> HttpResponse:
    return redirect(request, reverse("jobs:detail", args=[done.job_id]))


@signed_in
def revert(request: HttpRequest, change_set_id: UUID) -> HttpResponse:
    """Show what a revert would do, then do it with what was decided."""
    data = request.POST if request.method == "POST" else request.GET
    entity, problem = forms.entity(data), ""
    if request.method == "POST":
        try:
            decided = forms.decisions(data)
            if "check" in data:
                return _handed_over(request, services.start_trial(change_set_id=change_set_id, decisions=decided))
            done = services.start_revert(change_set_id=change_set_id, entity=entity, decisions=decided)
        except NothingToRevert as error:
            problem = error.detail
        else:
            if isinstance(done, services.HandedOver):
                return _handed_over(request, done)
            url = safe_next(request, reverse("audit:change_set", args=[change_set_id]))
            return go_on(request, url, message=done.message, undo=done.change_set_id)
    plan = services.preview_revert(change_set_id=change_set_id, entity=entity)
    context = {
        "plan": plan,
        "groups": _groups(plan),
        "words": _words(plan),
        "button": _button(plan),
        "entity": entity,
        "problem": problem,
        "next": safe_next(request, ""),
    }
    # The form in the sheet is asked again in the sheet, whatever the shell's forms replace.
    is_sheet = is_partial(request) and "sheet" in data and target_of(request) != "sheet"
    name = "audit/revert.html#sheet" if is_sheet else "audit/revert.html"
    return render(request, name, context, partial="sheet", status=409 if problem else 200)


@signed_in
def undo(request: HttpRequest, change_set_id: UUID) -> HttpResponse:
    """Take a change set back, as the toast's Undo asks; the answer is a toast that can be undone in turn."""
    if request.method != "POST":
        raise MethodNotAllowed(allowed=["POST"])
    is_part = is_partial(request)
    try:
        done = services.start_revert(change_set_id=change_set_id)
    except ProblemError as problem:
        if not is_part:
            raise
        # Nothing is swapped into the page, so the reason must come as a toast too, which the shell makes of it.
        return problem_json(request, problem)
    if isinstance(done, services.HandedOver):
        if is_part:
            return trigger(toast(HttpResponse(), _IN_A_JOB), "live:jobs")
        return _handed_over(request, done)
    if is_part:
        return toast(HttpResponse(), done.message, undo=done.change_set_id)
    messages.success(request, done.message, extra_tags=undo_url(done.change_set_id))
    return redirect(request, safe_next(request, "/"))
