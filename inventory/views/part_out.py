"""The page on which a set is taken apart: choose, look, add."""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone

from common.access import require
from common.errors import Invalid, NotFound
from common.htmx import redirect, render
from common.http import HttpRequest
from common.ids import new_id
from inventory import services
from inventory.forms.part_out import PartOutForm
from inventory.forms.storage import add_errors
from inventory.part_out import Row
from inventory.queries.lots import look_of
from inventory.queries.part_out import PartOut, part_out_of

_INITIAL = {"times": "1", "condition": "NEW", "figures": "whole", "spares": "yes"}


@require("inventory:import")
def part_out(request: HttpRequest) -> HttpResponse:
    """Show what becomes of a set; when it is sent, add its lots to the stock."""
    data = request.POST if request.method == "POST" else request.GET
    form = PartOutForm(_filled(data)) if data.get("set") else PartOutForm()
    found = _found(form, data) if form.is_bound and form.is_valid() else None
    if request.method == "POST" and found:
        try:
            run = services.part_out(
                plan=found.plan,
                set_no=found.item.item_no,
                condition=form.cleaned_data["condition"],
                key=data.get("key", "")[:100],
                now=timezone.now(),
            )
            return redirect(request, reverse("inventory:import", args=[run.pk]))
        except Invalid as error:
            add_errors(form, error)
    is_wrong = form.is_bound and bool(form.errors)
    context = {"form": form, "found": found, "rows": _rows(found), "key": str(new_id())}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_wrong and request.method == "POST" else HTTPStatus.OK
    return render(request, "inventory/part_out.html", context, partial="plan", status=status)


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
            wanted["set"], choices=choices, figures=wanted["figures"], with_places=bool(wanted["places"])
        )
    except NotFound as error:
        form.add_error("set", error.detail)
        return None


def _rows(found: PartOut | None) -> list[dict[str, Any]]:
    rows = sorted(found.plan.rows, key=lambda row: -row.value) if found else []
    return [_shown(row) for row in rows]


def _shown(row: Row) -> dict[str, Any]:
    return {"row": row, "color": look_of(row.piece.color_id)}
