"""The page of one run: its progress, its plan line by line, and what came of it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from common import actor, workspace
from common.access import require
from common.htmx import render, toast
from common.http import HttpRequest
from common.ids import new_id
from common.tables import Chip
from inventory.queries.rows import ColorLook, look_of
from inventory.views.listing import symbol
from inventory.views.parts import taking_back
from jobs import queries as jobs
from stores import queries as stores
from stores.choices import Channel
from sync.choices import Direction, RunStatus
from sync.forms import PlanFilterForm
from sync.models import SyncRun
from sync.queries import listing
from sync.queries import runs as queries
from sync.queries.runs import PlanFilters, PlanRow, RunView
from sync.views.words import did, difference, span, state_words, value_words

_BESIDE = frozenset({"sort", "after", "start"})
_TAB_LABELS = {
    "add": "Add", "update": "Change", "remove": "Remove", "unmatched": "Unmatched", "conflicts": "Conflicts",
    "skipped": "Skipped",
}  # fmt: skip
_PAGE, _MAX_DIGITS = 50, 18


def run_url(run_id: UUID, query: str = "") -> str:
    """Answer a run's page."""
    return f"{reverse('sync:run', args=[run_id])}{'?' if query else ''}{query}"


def number_in(text: str) -> int | None:
    """Read a whole number, None for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS else None


@dataclass(frozen=True, slots=True)
class PlanPager:
    """Where in a plan one is (components/_pager.html)."""

    first: int
    last: int
    total: int
    previous_url: str
    next_url: str

    @property
    def is_needed(self) -> bool:
        """Tell whether there is more than this page."""
        return bool(self.previous_url or self.next_url)


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A line of a plan as the page draws it. `state`: so many at a price, of what is added or removed."""

    row: PlanRow
    look: ColorLook
    changes: list[dict[str, Any]]
    state: str
    where: str


@require_GET
@require("sync:read")
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show where a run stands: its progress, its plan, what came of it."""
    return run_page(request, queries.get_run(run_id))


def run_page(request: HttpRequest, found: SyncRun, *, said: str = "") -> HttpResponse:
    """Answer a run's page, or its part; `said`: what was done just now."""
    now = timezone.now()
    view = queries.view_of(found, now=now)
    is_busy = view.is_planning or view.status == RunStatus.APPLYING
    job = found.plan_job if view.is_planning or found.apply_job is None else found.apply_job
    who = actor.current()
    context = {
        "run": found, "view": view, "status": view.status, "is_busy": is_busy,
        "source": found.source_store.stock_name, "target": found.target_store.stock_name,
        "channels": [each for each in (found.source_store, found.target_store) if each.channel != Channel.LOCAL],
        "is_both": found.direction == Direction.BIDIRECTIONAL,
        "step": _step(view), "can_approve": listing.can_approve(view), "pairs": listing.pairs_to_note(view),
        "job": jobs.row_of(job, who=who, now=now) if job else None,
        "error": found.error_message or (job.error_message if job else ""),
        "worths": _worths(view),
        "calls": [(each, span(each.seconds)) for each in view.calls],
        "left": view.to_do + view.sent,
        "done_percent": _percent(view),
        "time_left": span(view.progress.seconds_left) if view.progress and view.progress.seconds_left else "",
        "asked": listing.asked_of(found),
        "may_preview": who.can("sync:preview"), "may_apply": who.can("sync:apply"),
        "to_target": found.target_store.channel != Channel.LOCAL,
        "did": did(found, view.status),
        "currency": workspace.current().currency, "symbol": symbol(), "key": str(new_id()),
        **({} if view.is_planning else _plan(request, found, view)),
        **({} if is_busy else taking_back(found.change_set_id)),
    }  # fmt: skip
    response = render(request, "sync/run.html", context, partial=("run", "plan"))
    return toast(response, said) if said else response


def _step(view: RunView) -> int:
    """Answer which of the four steps one is in."""
    return 4 if view.run.approved_at is not None else 2


def _percent(view: RunView) -> int:
    done = view.applied + view.failed
    whole = done + view.to_do + view.sent
    return done * 100 // whole if whole else 100


def _worths(view: RunView) -> list[dict[str, Any]]:
    local = stores.local_store()
    return [
        {
            "name": local.stock_name if each.store_name == local.name else each.store_name, "before": each.before,
            "after": each.after, "change": difference(each.before, each.after),
        }
        for each in view.worths
    ]  # fmt: skip


def _plan(request: HttpRequest, found: SyncRun, view: RunView) -> dict[str, Any]:
    """Answer some lines of the plan, and what narrows them."""
    filters = PlanFilters.parse(request.GET, beside=_BESIDE)
    tab = str(filters.values.get("tab") or next((name for name in queries.TABS if view.counts[name]), ""))
    if tab and "tab" not in filters.values and "status" not in filters.values:
        filters = filters.having("tab", tab)
    sort = request.GET.get("sort", "")
    sort = sort if sort in queries.SORTS else "worth"
    after = number_in(request.GET.get("after", ""))
    page = queries.page_of(found, filters, sort=sort, after=after, limit=_PAGE)
    start = number_in(request.GET.get("start", "")) or 1
    beside = [each for each in filters.terms if each.name not in ("tab",)]
    shown_colors = queries.colors_of(found, _only_tab(filters))
    return {
        "tabs": [
            {"name": name, "label": _TAB_LABELS[name], "count": view.counts[name], "is_current": name == tab,
             "url": run_url(found.pk, f"tab={name}")}
            for name in queries.TABS if view.counts[name] or name == tab
        ],
        "tab": tab,
        "rows": [_shown(row) for row in page.rows],
        "total": page.total,
        "plan_form": PlanFilterForm(request.GET, colors=shown_colors),
        "chips": [Chip(term.words, _url(found, filters.without(term), sort), unknown=not term.is_known)
                  for term in beside],
        "clear_url": run_url(found.pk, f"tab={tab}"),
        "pager": _pager(found, filters, sort, page, start=start, after=after),
        "query": request.GET.urlencode(),
        "filter_query": filters.as_query(),
        "is_narrowed": bool(beside),
        "can_choose": view.status == RunStatus.PREVIEW_READY and tab in ("add", "update", "remove"),
        "unmapped_url": f"{reverse('catalog:unmapped')}?origin=channel",
    }  # fmt: skip


def _only_tab(filters: PlanFilters) -> PlanFilters:
    tab = filters.values.get("tab")
    return PlanFilters.parse({"tab": str(tab)} if tab else {})


def _url(found: SyncRun, filters: PlanFilters, sort: str, **more: object) -> str:
    query = QueryDict(filters.as_query(), mutable=True)
    if sort != "worth":
        query["sort"] = sort
    for name, value in more.items():
        query[name] = str(value)
    return run_url(found.pk, query.urlencode())


def _pager(
    found: SyncRun, filters: PlanFilters, sort: str, page: queries.PlanPage, *, start: int, after: int | None
) -> PlanPager:  # fmt: skip
    first = start if after is not None else 1
    last = first + len(page.rows) - 1
    further = _url(found, filters, sort, after=page.next, start=last + 1) if page.next else ""
    back = ""
    if after is not None:
        key = queries.key_before(found, filters, sort=sort, after=after, limit=_PAGE)
        back = _url(found, filters, sort, **({"after": key, "start": max(1, first - _PAGE)} if key else {}))
    return PlanPager(first if page.rows else 0, last, page.total, back, further)


def _shown(row: PlanRow) -> ShownRow:
    item = row.item
    changes = [
        {
            "label": each.label, "percent": each.percent,
            "before": value_words(each.field, each.old), "after": value_words(each.field, each.new),
        }
        for each in row.changes
    ]  # fmt: skip
    state = "" if changes else state_words(item.after_state or item.before_state)
    return ShownRow(row, look_of(item.color_id, item.color_name), changes, state, item.store.stock_name)
