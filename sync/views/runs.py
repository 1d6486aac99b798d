"""Pages of runs: which there were, and how another one is started."""

import hashlib
import json
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from common import actor
from common.access import require
from common.errors import BadRequest, Conflict, Invalid
from common.htmx import redirect, render
from common.http import HttpRequest
from common.ids import new_id
from common.tables import Chip
from inventory.views.parts import page_of, start_of
from stores import queries as stores
from stores.channels import Can
from stores.choices import Channel
from stores.models import Store
from sync.choices import Direction, RunStatus, Trigger
from sync.forms import RunForm
from sync.queries import conflicts, listing
from sync.queries import runs as queries
from sync.queries.listing import RunFilters
from sync.services import runs as services
from sync.views.plan import run_url
from sync.views.words import did, rules_of

_BESIDE = frozenset({"from"})
_OTHER = {"source": "target", "target": "source"}
_NEEDED = {Can.FETCH_INVENTORY, Can.APPLY}


# --- The list -------------------------------------------------------------------------------------------------------
@require_GET
@require("sync:read")
def run_list(request: HttpRequest) -> HttpResponse:
    """Show every run, the newest first."""
    filters = RunFilters.parse(request.GET, beside=_BESIDE)
    page = listing.run_page(filters, first=start_of(request))
    base = reverse("sync:runs")
    context = {
        "rows": [
            {
                "run": found, "status": status, "did": did(found, status),
                "source": found.source_store.stock_name, "target": found.target_store.stock_name,
                "is_both": found.direction == Direction.BIDIRECTIONAL, "is_drift": found.trigger == Trigger.DRIFT,
            }
            for found, status in page.rows
        ],
        "page": page_of(request, first=page.first, shown=len(page.rows), total=page.total, size=listing.PAGE),
        "total": page.total,
        "is_unused": not page.total and filters.is_empty and not listing.has_runs(),
        "chips": [
            Chip(term.words, f"{base}?{filters.without(term).as_query()}", unknown=not term.is_known)
            for term in filters.terms
        ],
        "chosen": {name: str(value) for name, value in filters.values.items()},
        "statuses": RunStatus.choices,
        "triggers": Trigger.choices,
        "stores": [(str(store.pk), store.stock_name) for store in stores.stores()],
        "conflicts": conflicts.count_open(),
        "may_preview": actor.current().can("sync:preview"),
        "can_compare": any(store.channel != Channel.LOCAL for store in _comparable()),
    }  # fmt: skip
    return render(request, "sync/runs.html", context, partial="rows")


# --- Another one ----------------------------------------------------------------------------------------------------
@require("sync:preview")
def new_run(request: HttpRequest) -> HttpResponse:
    """Ask which stores are compared and how; then look at both. Nothing is changed by it."""
    choices = _comparable()
    if request.method == "POST":
        form = RunForm(request.POST, stores=choices)
        if form.is_valid():
            try:
                run = services.start_preview(
                    source_store_id=form.cleaned_data["source"], target_store_id=form.cleaned_data["target"],
                    direction=form.cleaned_data["direction"], options=form.options(),
                    idempotency_key=_key_of(form), now=timezone.now(),
                )  # fmt: skip
                return redirect(request, run_url(run.pk))
            except Invalid as error:
                for pointer, texts in error.errors.items():
                    name = {"/source_store_id": "source", "/target_store_id": "target"}.get(pointer)
                    form.add_error(name, [*texts])
            except Conflict as error:
                form.add_error(None, error.detail or error.title)
        return _wizard(request, form, choices, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return _wizard(request, RunForm(initial=_initial(request, choices), stores=choices), choices, status=HTTPStatus.OK)


def _key_of(form: RunForm) -> str:
    """Answer what makes a second press the same run: the form, and what is chosen in it, as one may go back to it."""
    chosen = {name: str(value) for name, value in sorted(form.cleaned_data.items()) if name != "key"}
    digest = hashlib.sha256(json.dumps(chosen).encode()).hexdigest()[:16]
    return f"page:{form.cleaned_data['key']}:{digest}"


def _comparable() -> list[Store]:
    """Answer the stores that a run can compare, our own stock first."""
    found = []
    for store in stores.stores():
        spec = stores.spec_for(store.channel)
        is_there = spec is not None and spec.can >= _NEEDED and store.disconnected_at is None and store.is_enabled
        if store.channel == Channel.LOCAL or is_there:
            found.append(store)
    return sorted(found, key=lambda store: store.channel != Channel.LOCAL)


def _initial(request: HttpRequest, choices: list[Store]) -> dict[str, Any]:
    """Answer what the form begins with: what the address says, a run that was, or the first two stores."""
    values: dict[str, Any] = {"key": str(new_id())}
    keys = [str(store.pk) for store in choices]
    of = request.GET.get("of", "")
    if of:
        try:
            last = queries.get_run(UUID(of))
        except ValueError:
            raise BadRequest("That is no run's number.") from None
        values |= RunForm.initial_of(last.direction, last.options)
        values |= {"source": str(last.source_store_id), "target": str(last.target_store_id)}
    names = ("direction", "differs", "new_there", "crowds")
    values |= {name: request.GET[name] for name in names if request.GET.get(name)}
    if "key" in request.GET:
        # The stores were changed: what was ticked meanwhile stays.
        flags = ("lists_new", "removes", "accepts_few")
        values |= {name: name in request.GET for name in flags}
        values |= {"fields_compared": request.GET.getlist("fields_compared"), "key": request.GET["key"][:36]}
    for name, place in (("source", 0), ("target", 1)):
        wanted = request.GET.get(name, "") or values.get(name, "")
        values[name] = wanted if wanted in keys else keys[min(place, len(keys) - 1)]
    if values["source"] == values["target"] and len(keys) > 1:
        # The one that was chosen just now stays.
        stays = "target" if request.GET.get("chosen", "target") == "target" else "source"
        values[_OTHER[stays]] = next(key for key in keys if key != values[stays])
    return values


def _wizard(request: HttpRequest, form: RunForm, choices: list[Store], *, status: int) -> HttpResponse:
    by_key = {str(store.pk): store for store in choices}
    sides = {name: by_key.get(str(form[name].value() or "")) for name in ("source", "target")}
    context = {
        "form": form,
        "has_choice": len(choices) > 1,
        "sides": [
            {"field": form[name], "store": store, "rules": rules_of(store) if store else [],
             "is_here": store is not None and store.channel == Channel.LOCAL}
            for name, store in sides.items()
        ],
    }  # fmt: skip
    return render(request, "sync/new_run.html", context, partial="wizard", status=status)
