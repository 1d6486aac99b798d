"""Pages of repricing: rules, what a run would do and did, and prices set from the price guide for chosen lots."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from audit.context import current_change_set_id
from common import actor
from common.access import require
from common.errors import Invalid
from common.htmx import go_on, redirect, render
from common.http import HttpRequest
from common.ids import new_id
from common.tables import BESIDE
from inventory.choices import PriceOutcome, RepricingStatus
from inventory.forms.pricing import RuleForm, TermsForm
from inventory.forms.storage import add_errors
from inventory.models import RepricingRule, RepricingRun
from inventory.queries import repricing as queries
from inventory.queries.filters import Filters
from inventory.queries.lots import views_for
from inventory.services import price_guides, repricing
from inventory.services.bulk_edit import Selection
from inventory.views.bulk import chosen_count, errors_of, selection_of
from inventory.views.listing import symbol
from inventory.views.parts import page_of, start_of, taking_back
from inventory.views.state import list_url
from jobs import queries as jobs

_BUSY = (RepricingStatus.PLANNING, RepricingStatus.APPLYING)


def run_url(run: RepricingRun) -> str:
    """Answer a run's page."""
    return reverse("inventory:repricing_run", args=[run.pk])


# --- Rules ----------------------------------------------------------------------------------------------------------
@require_GET
@require("inventory:read")
def repricing_list(request: HttpRequest) -> HttpResponse:
    """Show the rules in their order, and the latest runs."""
    runs = [(run, queries.standing(run), repricing.to_change(run)) for run in queries.recent_runs()]
    context = {"rules": queries.rule_rows(), "runs": runs, "key": str(new_id())}
    return render(request, "inventory/repricing.html", context)


def _filters_only(query: str) -> str:
    """Answer the filters of a list's address, without what it says beside them."""
    return Filters.parse(query, beside=BESIDE).as_query()


def _rule_form(request: HttpRequest, query: str, rule: RepricingRule | None = None) -> RuleForm:
    views = [(f"view:{view.pk}", view.name, _filters_only(view.query)) for view in views_for(actor.current().id)]
    return RuleForm(
        request.POST if request.method == "POST" else None,
        query=query,
        query_words=queries.words_of(query),
        views=views,
        initial=dict(RuleForm.initial_of(rule)) if rule else None,
    )


@require("inventory:write")
def rule_new(request: HttpRequest) -> HttpResponse:
    """Make a rule: for all lots, or for those that the list was narrowed to (`query`)."""
    query = _filters_only((request.POST if request.method == "POST" else request.GET).get("query", ""))
    form = _rule_form(request, query)
    if form.is_bound and form.is_valid():
        try:
            rule = repricing.create_rule(values=form.rule_values())
            message = f"{rule.name} added. It has changed no price yet."
            return go_on(request, reverse("inventory:repricing"), message=message, undo=current_change_set_id())
        except Invalid as error:
            add_errors(form, error)
    return _rule_page(request, form, query)


@require("inventory:write")
def rule(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    """Change a rule."""
    found = queries.get_rule(rule_id)
    form = _rule_form(request, found.query, found)
    if form.is_bound and form.is_valid():
        try:
            repricing.update_rule(
                rule_id=rule_id, values=form.rule_values(), expected_version=form.cleaned_data["version"]
            )
            return go_on(
                request, reverse("inventory:repricing"), message=f"{found.name} saved.", undo=current_change_set_id()
            )
        except Invalid as error:
            add_errors(form, error)
    return _rule_page(request, form, found.query, found)


def _rule_page(request: HttpRequest, form: RuleForm, query: str, found: RepricingRule | None = None) -> HttpResponse:
    context = {"form": form, "query": query, "rule": found}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return render(request, "inventory/repricing_rule.html", context, status=status)


@require_POST
@require("inventory:write")
def rule_delete(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    """Delete a rule. The prices that it has made stay."""
    name = repricing.delete_rule(rule_id=rule_id)
    message = f"{name} deleted. Its prices stay as they are."
    return go_on(request, reverse("inventory:repricing"), message=message, undo=current_change_set_id())


@require_POST
@require("inventory:write")
def rule_move(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    """Put a rule before its neighbor, or behind it."""
    repricing.move_rule(rule_id=rule_id, earlier=request.POST.get("to") == "earlier")
    return redirect(request, reverse("inventory:repricing"))


@require_POST
@require("inventory:write")
def rule_run(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    """Work out the prices of a rule's lots, to be looked at."""
    key = f"rule:{rule_id}:{request.POST.get('key', '')[:36] or new_id()}"
    return redirect(request, run_url(repricing.run_rule(rule_id=rule_id, key=key, now=timezone.now())))


# --- Chosen lots ----------------------------------------------------------------------------------------------------
@require_POST
@require("inventory:write")
def guide(request: HttpRequest) -> HttpResponse:
    """Ask how the prices of the chosen lots are made from the price guide; then work them out."""
    selection = selection_of(request)
    form = TermsForm(request.POST if "basis" in request.POST else None)
    problems: list[str] = []
    if form.is_bound and form.is_valid():
        try:
            key = f"chosen:{request.POST.get('key', '')[:36] or new_id()}"
            run = repricing.start_repricing(selection=selection, terms=form.terms(), key=key, now=timezone.now())
            return redirect(request, run_url(run))
        except Invalid as problem:
            problems = errors_of(problem)
    context = {
        "form": form,
        "selection": selection,
        "ids": request.POST.get("ids", ""),
        "count": chosen_count(selection),
        "problems": problems,
        "symbol": symbol(),
        "key": request.POST.get("key") or str(new_id()),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return render(request, "inventory/guide.html", context, partial="sheet", status=status)


# --- A run ----------------------------------------------------------------------------------------------------------
@require_GET
@require("inventory:read")
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show where a run stands: its progress, what it would do, what it did."""
    found = queries.get_run(run_id)
    status = queries.standing(found)
    is_busy = status in _BUSY
    job = found.apply_job if found.apply_job and status != RepricingStatus.PLANNING else found.plan_job
    outcome, now = _outcome(request, found), timezone.now()
    page = queries.lines_of(found, outcome=outcome, first=start_of(request)) if outcome and not is_busy else None
    context = {
        "run": found,
        "status": status,
        "is_busy": is_busy,
        "job": jobs.row_of(job, who=actor.current(), now=now) if job else None,
        "words": queries.terms_words(found),
        "outcome": outcome,
        "tabs": _tabs(found, outcome),
        "lines": page,
        "page": page_of(request, first=page.first, shown=len(page.rows), total=page.total, size=queries.PAGE)
        if page
        else None,
        "to_change": repricing.to_change(found),
        "rises": found.counts.get(PriceOutcome.RISES, 0),
        "falls": found.counts.get(PriceOutcome.FALLS, 0),
        "covered": _covered(found),
        "value_change": found.value_after - found.value_before,
        "left": found.counts.get("left", 0),
        "reasons": queries.kept_reasons(found),
        "to_fetch": repricing.to_fetch(found),
        "is_old": repricing.is_too_old(found, now=now),
        "symbol": symbol(),
        "key": str(new_id()),
        **({} if is_busy else taking_back(found.change_set_id)),
    }
    return render(request, "inventory/repricing_run.html", context, partial=("run", "lines"))


def _covered(found: RepricingRun) -> int:
    """Answer how many lots were looked at."""
    return sum(found.counts.get(name, 0) for name in (*PriceOutcome, "equal"))


def _outcome(request: HttpRequest, found: RepricingRun) -> PriceOutcome | None:
    wanted = request.GET.get("lots", "")
    if wanted in PriceOutcome.values:
        return PriceOutcome(wanted)
    return next((each for each in PriceOutcome if _count(found, each)), None)


def _count(found: RepricingRun, outcome: PriceOutcome) -> int:
    """Answer how many lots are listed: of those that keep their price, once prices are set, the ones that were left."""
    if outcome != PriceOutcome.SKIPPED:
        return int(found.counts.get(outcome, 0))
    if found.apply_job_id:
        return int(found.counts.get("left", 0))
    return 0 if found.is_scheduled else int(found.counts.get(outcome, 0))


def _tabs(found: RepricingRun, outcome: PriceOutcome | None) -> list[dict[str, Any]]:
    return [
        {"label": each.label, "count": count, "url": f"{run_url(found)}?lots={each}", "is_current": each == outcome}
        for each in PriceOutcome
        if (count := _count(found, each))
    ]


@require_POST
@require("inventory:write")
def run_approve(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Set the prices that are shown."""
    return redirect(request, run_url(repricing.approve_repricing(run_id=run_id, now=timezone.now())))


@require_POST
@require("inventory:write")
def run_again(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Work the prices out anew."""
    return redirect(request, run_url(repricing.plan_again(run_id=run_id, now=timezone.now())))


@require_POST
@require("inventory:write")
def run_discard(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Throw the prices away that were worked out."""
    repricing.discard_repricing(run_id=run_id, now=timezone.now())
    return go_on(request, reverse("inventory:repricing"), message="Discarded. No price was changed.")


@require_POST
@require("inventory:write")
def run_fetch(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Have the price guide asked for the lots of a run, where figures are missing or old."""
    found = queries.get_run(run_id)
    price_guides.start_fetching(
        selection=Selection.from_json(found.selection),
        above=found.above,
        key=f"run:{run_id}:{request.POST.get('key', '')[:36]}",
        label=f"Ask for prices: {found}",
    )
    message = "Prices are being asked for. Work the prices out anew when that is done."
    return go_on(request, run_url(found), message=message)


@require_POST
@require("inventory:write")
def fetch_chosen(request: HttpRequest) -> HttpResponse:
    """Have the price guide asked for the chosen lots."""
    selection = selection_of(request)
    key = f"chosen:{request.POST.get('key', '')[:36] or new_id()}"
    label = f"Ask for prices of {chosen_count(selection):,} lots"
    price_guides.start_fetching(selection=selection, key=key, label=label)
    return go_on(request, list_url("view=all"), message="Prices are being asked for. The header shows how far it is.")
