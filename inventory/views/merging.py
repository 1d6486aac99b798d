"""Merging: several lots into one, or all equal ones at once."""

from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from audit.context import current_change_set_id
from common import htmx
from common.access import require
from common.errors import BadRequest, Conflict, Invalid
from common.http import HttpRequest
from common.ids import new_id
from inventory import services
from inventory.forms.lots import FIELDS
from inventory.queries import lots as queries
from inventory.queries.rows import lot_url, row_of, rows_of
from inventory.services.merging import ALSO, POLICIES, equal_lots, lots_to_merge
from inventory.views.bulk import done, errors_of, selection_of
from inventory.views.listing import symbol

_WORDS = {
    "target": "The kept lot's",
    "highest": "The highest",
    "lowest": "The lowest",
    "weighted": "The average by pieces",
    "joined": "All, one after the other",
}


@dataclass(frozen=True, slots=True)
class PolicyChoice:
    """A field, and what can become of its values."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...]


def _policies() -> list[PolicyChoice]:
    return [
        PolicyChoice(name, FIELDS[name].label, tuple((way, _WORDS[way]) for way in ways))
        for name, ways in POLICIES.items()
    ]


def _policy(request: HttpRequest) -> dict[str, str]:
    return {name: request.POST[f"policy.{name}"] for name in POLICIES if request.POST.get(f"policy.{name}")}


@require_POST
@require("inventory:write")
def merge(request: HttpRequest) -> HttpResponse:
    """Ask which of the chosen lots stays, and what becomes of the fields."""
    return _form(request)


def _form(request: HttpRequest, problem: Invalid | Conflict | None = None) -> HttpResponse:
    selection = selection_of(request)
    problems = [] if problem is None else errors_of(problem) if isinstance(problem, Invalid) else [problem.detail]
    rows = []
    try:
        if selection.query is not None:
            raise Invalid("Choose the lots to merge one by one, or consolidate all equal ones.")
        rows = rows_of(lots_to_merge(selection.ids))
    except Invalid as wrong:
        problems = problems or errors_of(wrong)
    context = {
        "lots": rows,
        "policies": _policies(),
        "ids": " ".join(map(str, selection.ids)),
        "problems": problems,
        "target": request.POST.get("target") or (str(rows[0].id) if rows else ""),
        "symbol": symbol(),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return htmx.render(request, "inventory/merge.html", context, partial="sheet", status=status)


@require_GET
@require("inventory:write")
def merge_with(request: HttpRequest, lot_id: UUID) -> HttpResponse:
    """Show the lots that are the same thing as one, and ask which of them are to become one."""
    lots = rows_of(equal_lots(queries.get_lot(lot_id)))
    context = {"lot": lots[0], "others": lots[1:]}
    return htmx.render(request, "inventory/merge_with.html", context)


@require_POST
@require("inventory:write")
def apply(request: HttpRequest) -> HttpResponse:
    """Merge the chosen lots."""
    selection = selection_of(request)
    try:
        target_id = UUID(request.POST.get("target", ""))
    except ValueError:
        raise BadRequest("Choose the lot that stays.") from None
    try:
        kept = services.merge_lots(
            target_id=target_id, source_ids=selection.ids, policy=_policy(request), now=timezone.now()
        )
    except (Invalid, Conflict) as problem:
        return _form(request, problem)
    merged = len(set(selection.ids) - {target_id}) + 1
    message = f"{merged:,} lots merged into {row_of(kept).name}."
    if not htmx.is_partial(request):
        return htmx.go_on(request, lot_url(kept.pk), message=message, undo=current_change_set_id())
    return done(request, message, undo=current_change_set_id())


@require("inventory:write")
def consolidate(request: HttpRequest) -> HttpResponse:
    """Show how many groups of equal lots there are, and merge them all by a job."""
    fields = [
        name for name in (request.POST if request.method == "POST" else request.GET).getlist("same") if name in ALSO
    ]
    if request.method == "POST" and request.POST.get("go"):
        services.start_consolidation(fields=fields, policy=_policy(request), key=request.POST.get("key", "")[:36])
        return htmx.go_on(request, reverse("inventory:list"), message="Consolidating. The header shows how far it is.")
    groups, gone = services.count_equal(fields)
    context = {
        "fields": [(name, FIELDS[name].label if name in FIELDS else "Stockroom", name in fields) for name in ALSO],
        "policies": [choice for choice in _policies() if choice.name not in fields],
        "groups": groups,
        "gone": gone,
        "key": new_id(),
    }
    return htmx.render(request, "inventory/consolidate.html", context, partial="equal")
