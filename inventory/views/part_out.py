"""The page on which a set is taken apart: choose, look, add."""

import hashlib
import json
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from catalog import services as catalog
from common.access import require
from common.errors import Invalid, NotFound, ProviderError, RateLimited
from common.htmx import go_on, is_partial, redirect, render
from common.http import HttpRequest
from common.ids import new_id
from inventory import services
from inventory.forms.part_out import PartOutForm
from inventory.forms.storage import add_errors
from inventory.part_out import Row
from inventory.queries.part_out import PartOut, part_out_of
from inventory.queries.rows import look_of

_LONGEST_KEY = 100
_INITIAL = {"times": "1", "condition": "NEW", "figures": "whole", "spares": "yes", "factor": "1"}


@require("inventory:import")
def part_out(request: HttpRequest) -> HttpResponse:
    """Show what becomes of a set; when it is sent, add its lots to the stock.

    What is in a set that the catalog knows by its number alone is asked outside, in a request of its own (`ask`).
    """
    data = request.POST if request.method == "POST" else request.GET
    form = PartOutForm(_filled(data)) if data.get("set") else PartOutForm()
    is_fine = form.is_bound and form.is_valid()
    was_asked = is_fine and request.method == "GET" and bool(data.get("ask"))
    problem = _ask(form.cleaned_data["set"]) if was_asked else ""
    found = _found(form, data) if is_fine else None
    if request.method == "POST" and found:
        try:
            run = services.part_out(
                plan=found.plan,
                set_no=found.item.item_no,
                condition=form.cleaned_data["condition"],
                key=_key(form, data),
                now=timezone.now(),
            )
            return redirect(request, reverse("inventory:import", args=[run.pk]))
        except Invalid as error:
            add_errors(form, error)
    is_wrong = form.is_bound and bool(form.errors)
    can_ask = is_fine and found is None and not was_asked and catalog.can_look_up_contents()
    if can_ask:
        # Not wrong until those outside have answered.
        del form.errors["set"]
    context = {
        "form": form, "found": found, "rows": _rows(found), "key": str(new_id()), "can_ask": can_ask,
        # A number that is being typed is asked for only by a click.
        "asks_by_itself": not is_partial(request), "problem": problem, "can_ask_prices": catalog.can_fetch_prices(),
    }  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_wrong and request.method == "POST" else HTTPStatus.OK
    return render(request, "inventory/part_out.html", context, partial="plan", status=status)


def _ask(set_no: str) -> str:
    """Have the catalog learn what is in a set; answer in a sentence why it can't, if so."""
    try:
        catalog.look_up_contents(set_no=set_no, now=timezone.now())
    except RateLimited as error:
        return f"{error.detail} Try again later."
    except ProviderError:
        return "Rebrickable, which knows what is in sets, can't be asked for the moment. Try again shortly."
    return ""


@require_POST
@require("inventory:import")
def part_out_prices(request: HttpRequest) -> HttpResponse:
    """Have the price guide asked for what is in the set, and go on with its page."""
    form = PartOutForm(_filled(request.POST))
    found = _found(form, request.POST) if form.is_valid() else None
    kept = {name: request.POST[name] for name in form.fields if request.POST.get(name)}
    url = f"{reverse('inventory:part_out')}?{urlencode(kept)}"
    if found is None:
        return redirect(request, url)
    key = f"set:{request.POST.get('key', '')[:36] or new_id()}"
    services.start_fetching_of(keys=found.keys, key=key, label=f"Ask for prices of {found.item.item_no}")
    return go_on(request, url, message="Prices are being asked for. Look again when the header says that it is done.")


def _filled(data: QueryDict) -> QueryDict:
    """Answer the address with what it leaves unsaid: a link to the page names the set alone."""
    made = data.copy()
    for name, value in _INITIAL.items():
        made.setdefault(name, value)
    return made


def _found(form: PartOutForm, data: QueryDict) -> PartOut | None:
    choices = form.choices(data.getlist("leave"))
    wanted = form.cleaned_data
    try:
        return part_out_of(
            wanted["set"],
            choices=choices,
            figures=wanted["figures"],
            with_places=bool(wanted["places"]),
            now=timezone.now(),
        )
    except NotFound as error:
        form.add_error("set", error.detail)
        return None


def _key(form: PartOutForm, data: QueryDict) -> str:
    """Answer by what a second press is known: of the same page, and with the same in it.

    Whoever goes back and takes another set apart means that one, though the page is the same.
    """
    if not data.get("key"):
        return ""
    chosen = json.dumps([form.cleaned_data, sorted(data.getlist("leave"))], default=str, sort_keys=True)
    return f"{data['key'][:_LONGEST_KEY]}:{hashlib.sha256(chosen.encode()).hexdigest()[:32]}"


def _rows(found: PartOut | None) -> list[dict[str, Any]]:
    rows = sorted(found.plan.rows, key=lambda row: -row.value) if found else []
    return [_shown(row) for row in rows]


def _shown(row: Row) -> dict[str, Any]:
    return {"row": row, "color": look_of(row.piece.color_id)}
