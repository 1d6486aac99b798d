"""Pages of the shop's own mappings: the list, add, change, delete."""

from http import HTTPStatus
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from audit.context import current_change_set_id
from catalog import colors
from catalog.queries.items import items_of
from common import actor
from common.access import require
from common.errors import ProblemError
from common.htmx import go_on, render
from common.http import HttpRequest
from inventory import services
from inventory.forms.mappings import MappingFilter, MappingForm, MeaningForm, meaning_of
from inventory.forms.storage import add_errors
from inventory.models import ItemMapping
from inventory.queries import unmapped as queries
from inventory.queries.rows import look_of
from inventory.views.lots import color_names
from inventory.views.parts import page_of, start_of

PAGE = 50
# What a service calls a field that the form has under another name.
_NAMES = {"/color_id": "/color"}


@require_GET
@require("inventory:read")
def mapping_list(request: HttpRequest) -> HttpResponse:
    """Show what the shop itself says that numbers mean, the latest first."""
    form = MappingFilter(request.GET)
    narrowed = form.cleaned_data if form.is_valid() else {"q": "", "system": ""}
    found, first = queries.own_mappings(text=narrowed["q"].strip(), system=narrowed["system"]), start_of(request)
    rows, total = list(found[first : first + PAGE]), found.count()
    items = items_of((row.item_type, row.item_no) for row in rows) if rows else {}
    context = {
        "form": form,
        "rows": [(row, look_of(row.color_id), items.get((row.item_type, row.item_no))) for row in rows],
        "is_narrowed": bool(narrowed["q"] or narrowed["system"]),
        "page": page_of(request, first=first, shown=len(rows), total=total, size=PAGE),
    }
    return render(request, "inventory/mappings.html", context, partial="rows")


@require("inventory:write")
def mapping_new(request: HttpRequest) -> HttpResponse:
    """Say by hand what a platform's number means."""
    form = MappingForm(request.POST) if request.method == "POST" else MappingForm()
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        known = queries.own_mapping_of(data["system"], data["external_id"], data["external_color"])
        if known is not None:
            form.add_error("external_id", f"You have said that this is {known.item_no}. Change that mapping instead.")
        elif (done := _save(request, form, form.values)) is not None:
            return done
    return _form_page(request, form)


@require("inventory:write")
def mapping_edit(request: HttpRequest, mapping_id: UUID) -> HttpResponse:
    """Say otherwise what a number means."""
    mapping = queries.get_own_mapping(mapping_id)
    color = colors.get(mapping.color_id)
    given = meaning_of(mapping, color.name if color else "")
    form = MeaningForm(request.POST) if request.method == "POST" else MeaningForm(initial=given)
    if form.is_bound and form.is_valid():
        number = {name: getattr(mapping, name) for name in ("system", "external_id", "external_color")}
        if (done := _save(request, form, {**form.values, **number})) is not None:
            return done
    return _form_page(request, form, mapping)


def _save(request: HttpRequest, form: MeaningForm, values: dict[str, object]) -> HttpResponse | None:
    who = actor.current()
    decided_by = UUID(who.id) if who.kind is actor.ActorKind.USER else None
    try:
        mapping = services.set_item_mapping(**values, decided_by_id=decided_by, now=timezone.now())  # type: ignore[arg-type]  # the form's values
    except ProblemError as error:
        if errors := error.extra.get("errors"):
            error.extra["errors"] = {_NAMES.get(pointer, pointer): texts for pointer, texts in errors.items()}
        add_errors(form, error)
        return None
    undo = current_change_set_id()
    message = f"{mapping} is {mapping.item_no}." if undo else "Nothing changed"
    return go_on(request, reverse("catalog:mappings"), message=message, undo=undo)


def _form_page(request: HttpRequest, form: MeaningForm, mapping: ItemMapping | None = None) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound and form.errors else HTTPStatus.OK
    context = {"form": form, "mapping": mapping, "color_names": color_names()}
    return render(request, "inventory/mapping_form.html", context, status=status)


@require_POST
@require("inventory:write")
def mapping_delete(request: HttpRequest, mapping_id: UUID) -> HttpResponse:
    """Let the catalog say again what a number means."""
    mapping = queries.get_own_mapping(mapping_id)
    services.forget_item_mapping(mapping_id=mapping_id)
    told = f"{mapping} is what the catalog says again."
    return go_on(request, reverse("catalog:mappings"), message=told, undo=current_change_set_id())
