"""What people decide about a run: leave lines out, approve it, ask for that, stop it, go on."""

from http import HTTPStatus
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from common.access import require
from common.errors import BadRequest, Conflict, Invalid
from common.htmx import go_on, redirect, render
from common.http import HttpRequest
from sync.queries import listing
from sync.queries import runs as queries
from sync.queries.runs import PlanFilters
from sync.services import runs as services
from sync.views.plan import number_in, run_page, run_url
from sync.views.words import deed_words, span


@require_POST
@require("sync:apply")
def choose(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Leave lines out or take them in again: one (`leave_out=ID`), or all that the address' filters leave (`all`)."""
    for name, is_excluded in (("leave_out", True), ("take_in", False)):
        wanted = request.POST.get(name, "")
        if not wanted:
            continue
        if wanted == "all":
            filters = PlanFilters.parse(request.POST.get("filters", ""))
            number = services.exclude_items(run_id=run_id, filters=filters, is_excluded=is_excluded)
        else:
            key = number_in(wanted)
            number = services.exclude_items(
                run_id=run_id, item_ids=[] if key is None else [key], is_excluded=is_excluded
            )
        words = f"{number:,} line{'' if number == 1 else 's'} {'left out' if is_excluded else 'taken in again'}."
        if request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true":
            return run_page(request, queries.get_run(run_id), said=words)
        return go_on(request, run_url(run_id, request.GET.urlencode()), message=words)
    raise BadRequest("Say which lines to leave out, or to take in.")


@require("sync:apply")
def approve(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Say in words what will happen; then carry the plan out."""
    problem = ""
    if request.method == "POST":
        typed = request.POST.get("confirmed_removals", "").strip().replace(",", "").replace(" ", "")
        try:
            services.approve_run(run_id=run_id, now=timezone.now(), confirmed_removals=number_in(typed))
            return redirect(request, run_url(run_id))
        except Invalid as error:
            problem = " ".join(text for texts in error.errors.values() for text in texts)
        except Conflict as error:
            problem = error.detail or error.title
    found = queries.get_run(run_id)
    view = queries.view_of(found, now=timezone.now())
    context = {
        "run": found, "view": view, "problem": problem, "can_approve": listing.can_approve(view),
        "pairs": listing.pairs_to_note(view),
        "sentences": [words for deed in listing.deeds_of(found) for words in deed_words(deed)],
        "calls": [(each, span(each.seconds)) for each in view.calls],
        "typed": request.POST.get("confirmed_removals", "")[:20],
    }  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return render(request, "sync/approve.html", context, partial="sheet", status=status)


@require_POST
@require("sync:preview")
def ask(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Tell those who may approve a plan that it waits for them."""
    services.ask_for_approval(run_id=run_id, now=timezone.now())
    return go_on(request, run_url(run_id), message="Those who may approve it are told.")


@require_POST
@require("sync:preview")
def discard(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Throw a plan away, or stop making it."""
    found = services.discard_run(run_id=run_id, now=timezone.now())
    return go_on(request, reverse("sync:runs"), message=f"Run {found.number} discarded. Nothing was changed.")


@require_POST
@require("sync:apply")
def stop(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Have a run that is carried out stop after the present batch."""
    services.cancel_run(run_id=run_id, now=timezone.now())
    return go_on(request, run_url(run_id), message="It stops after this batch. What is done stays.")


@require_POST
@require("sync:preview")
def plan_again(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Fetch and compare both stores anew."""
    services.plan_again(run_id=run_id, now=timezone.now())
    return redirect(request, run_url(run_id))


@require_POST
@require("sync:apply")
def retry(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Go on with a run that stopped, and try again what failed: for one reason, or all."""
    services.retry_run(run_id=run_id, now=timezone.now(), reason=request.POST.get("reason", ""))
    return redirect(request, run_url(run_id))


@require_POST
@require("sync:preview")
def inverse(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Plan how the store gets back to what our stock says, once a run was taken back here."""
    key = f"inverse:{run_id}:{request.POST.get('key', '')[:36]}"
    made = services.start_inverse(run_id=run_id, idempotency_key=key, now=timezone.now())
    return redirect(request, run_url(made.pk))
