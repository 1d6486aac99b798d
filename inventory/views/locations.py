"""Pages of locations: the tree and the list, one location, add, change, delete, generate, the route."""

from http import HTTPStatus
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from audit.context import current_change_set_id
from common import htmx
from common.access import require
from common.errors import Invalid, ProblemError
from common.http import HttpRequest
from inventory import services
from inventory.codes import CodeError, between
from inventory.errors import TooManyLots
from inventory.forms.storage import (
    DeleteLocationForm,
    GenerateForm,
    LocationFilter,
    LocationForm,
    MoveAllForm,
    add_errors,
    as_uuid,
)
from inventory.models import Location
from inventory.queries import locations as queries
from inventory.queries import placing
from inventory.views.parts import Chip, page_of, scanned_location, start_of, url_with

PAGE = 50
CONTENTS = 100
_COLUMNS = (
    ("code", "Code", "main"),
    ("lots", "Lots", "num side"),
    ("pieces", "Pieces", "num"),
    ("capacity", "Capacity", "num"),
    ("route", "Route order", "num"),
    ("counted", "Last counted", ""),
)
_UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY


def path_of(request: HttpRequest) -> list[str]:
    """Answer which part of the storage the address names: zone, aisle, shelf, as far as it goes."""
    path = []
    for level in queries.LEVELS:
        if level not in request.GET:
            break
        path.append(request.GET[level][:40])
    return path


def _sorted_by(request: HttpRequest) -> tuple[str, bool]:
    name = request.GET.get("sort", "")
    descending = name.startswith("-")
    name = name.removeprefix("-")
    return (name, descending) if name in queries.SORTS else ("route", False)


def _columns(request: HttpRequest) -> list[dict[str, str]]:
    sort, descending = _sorted_by(request)
    columns = []
    for name, label, classes in _COLUMNS:
        # Ascending, descending, and back to the walk.
        following = "" if descending else f"-{name}"
        target = following if name == sort else name
        columns.append(
            {
                "label": label,
                "classes": classes,
                "url": url_with(request, sort="" if target == "route" else target, **{"from": ""}),
                "sort": ("descending" if descending else "ascending") if name == sort else "",
            }
        )
    return columns


def _chips(request: HttpRequest, path: list[str]) -> list[Chip]:
    chips = []
    if text := request.GET.get("q", "").strip():
        chips.append(Chip(f"“{text}”", url_with(request, q="", **{"from": ""})))
    for depth, (level, name) in enumerate(zip(queries.LEVELS, path, strict=False)):
        gone = dict.fromkeys(queries.LEVELS[depth:], "")
        label = f"{level.capitalize()} {name}" if name else f"Without {level}"
        chips.append(Chip(label, url_with(request, **gone, **{"from": ""})))
    if state := request.GET.get("state", ""):
        known = state in queries.STATES
        chips.append(
            Chip(queries.STATES.get(state, state), url_with(request, state="", **{"from": ""}), unknown=not known)
        )
    return chips


@require_GET
@require("inventory:read")
def location_list(request: HttpRequest) -> HttpResponse:
    """Show the storage: its tree, and the locations of a part of it."""
    form = LocationFilter(request.GET)
    form.is_valid()
    path, first = path_of(request), start_of(request)
    sort, descending = _sorted_by(request)
    found = queries.locations_matching(
        text=form.cleaned_data.get("q", ""), path=path, state=form.cleaned_data.get("state", "")
    )
    rows, total = queries.list_locations(found, sort=sort, descending=descending, first=first, count=PAGE)
    chips = _chips(request, path)
    lots, pieces = placing.count_unplaced()
    context = {
        "form": form,
        "path": list(zip(queries.LEVELS, path, strict=False)),
        "tree": queries.tree(path),
        "rows": rows,
        "columns": _columns(request),
        "chips": chips,
        "page": page_of(request, first=first, shown=len(rows), total=total, size=PAGE),
        "is_new": not rows and not chips and not queries.has_locations(),
        # A row is dragged among its neighbors only where these stand as the walk has them.
        "can_drag": sort == "route" and not descending and not request.GET.get("q") and not request.GET.get("state"),
        "qty_unplaced": pieces,
        "lots_unplaced": lots,
    }
    return htmx.render(request, "inventory/locations.html", context, partial="rows")


@require_GET
@require("inventory:read")
def location(request: HttpRequest, location_id: UUID) -> HttpResponse:
    """Show a location with what lies there."""
    return _location_page(request, queries.get_location(location_id), MoveAllForm())


def _location_page(request: HttpRequest, found: Location, form: MoveAllForm) -> HttpResponse:
    first = start_of(request)
    contents, total = queries.contents_of(found.pk, first=first, count=CONTENTS)
    context = {
        "location": found,
        "where": queries.where_of(found),
        "contents": contents,
        "lot_count": total,
        "is_full": found.capacity is not None and total >= found.capacity,
        "page": page_of(request, first=first, shown=len(contents), total=total, size=CONTENTS),
        "form": form,
    }
    status = _UNPROCESSABLE if form.errors else HTTPStatus.OK
    return htmx.render(request, "inventory/location.html", context, status=status)


@require_POST
@require("inventory:write")
def location_empty(request: HttpRequest, location_id: UUID) -> HttpResponse:
    """Move all that lies at a location to another one."""
    found, form = queries.get_location(location_id), MoveAllForm(request.POST)
    if form.is_valid():
        try:
            target = scanned_location(form.cleaned_data["target"], field="target")
            count = services.move_contents(source_id=location_id, target_id=target.pk, now=timezone.now())
        except ProblemError as error:
            add_errors(form, error)
        else:
            message = f"{count:,} {'lot' if count == 1 else 'lots'} moved to {target.code}"
            url = reverse("inventory:location", args=[target.pk])
            return htmx.go_on(request, url, message=message, undo=current_change_set_id())
    return _location_page(request, found, form)


# --- Add, change, delete --------------------------------------------------------------------------------------------
def _form_page(request: HttpRequest, form: LocationForm, found: Location | None = None) -> HttpResponse:
    status = _UNPROCESSABLE if form.is_bound and form.errors else HTTPStatus.OK
    return htmx.render(request, "inventory/location_form.html", {"form": form, "location": found}, status=status)


@require("inventory:write")
def location_new(request: HttpRequest) -> HttpResponse:
    """Add a location."""
    form = LocationForm(request.POST) if request.method == "POST" else LocationForm()
    if form.is_bound and form.is_valid():
        try:
            made = services.create_location(values=form.values)
        except Invalid as error:
            add_errors(form, error)
        else:
            url = reverse("inventory:location", args=[made.pk])
            return htmx.go_on(request, url, message=f"{made.code} added", undo=current_change_set_id())
    return _form_page(request, form)


@require("inventory:write")
def location_edit(request: HttpRequest, location_id: UUID) -> HttpResponse:
    """Change a location."""
    found = queries.get_location(location_id)
    form = (
        LocationForm(request.POST) if request.method == "POST" else LocationForm(initial=LocationForm.values_of(found))
    )
    if form.is_bound and form.is_valid():
        try:
            made = services.update_location(location_id=location_id, changes=form.values)
        except Invalid as error:
            add_errors(form, error)
        else:
            undo = current_change_set_id()
            url = reverse("inventory:location", args=[made.pk])
            return htmx.go_on(request, url, message=f"{made.code} changed" if undo else "Nothing changed", undo=undo)
    return _form_page(request, form, found)


@require("inventory:delete")
def location_delete(request: HttpRequest, location_id: UUID) -> HttpResponse:
    """Ask where the contents go, and delete a location."""
    found = queries.get_location(location_id)
    _, lots = queries.contents_of(location_id, count=0)
    form = DeleteLocationForm(request.POST) if request.method == "POST" else DeleteLocationForm()
    if form.is_bound and form.is_valid():
        try:
            text = form.cleaned_data["move_to"]
            target = scanned_location(text, field="move_to") if text else None
            code = services.delete_location(
                location_id=location_id, move_to=target.pk if target else None, now=timezone.now()
            )
        except ProblemError as error:
            add_errors(form, error)
        else:
            url = reverse("inventory:locations")
            return htmx.go_on(request, url, message=f"{code} deleted", undo=current_change_set_id())
    status = _UNPROCESSABLE if form.is_bound else HTTPStatus.OK
    context = {"form": form, "location": found, "lot_count": lots}
    return htmx.render(request, "inventory/location_delete.html", context, status=status)


# --- Generate -------------------------------------------------------------------------------------------------------
@require("inventory:write")
def generate(request: HttpRequest) -> HttpResponse:
    """Show what a range of codes makes, and make it."""
    data = request.POST if request.method == "POST" else request.GET
    form = GenerateForm(data if "first" in data else None)
    plan = None
    if form.is_bound and form.is_valid():
        first, last, capacity = (form.cleaned_data[name] for name in ("first", "last", "capacity"))
        try:
            plan = queries.plan_generation(between(first, last))
            if request.method == "POST":
                return _generate(request, first=first, last=last, capacity=capacity)
        except CodeError as error:
            form.add_error("last", str(error))
        except Invalid as error:
            add_errors(form, error)
    status = _UNPROCESSABLE if form.is_bound and form.errors else HTTPStatus.OK
    return htmx.render(request, "inventory/generate.html", {"form": form, "plan": plan}, partial="plan", status=status)


def _generate(request: HttpRequest, *, first: str, last: str, capacity: int | None) -> HttpResponse:
    count, existing = services.generate_locations(first=first, last=last, capacity=capacity)
    there = f", {existing:,} were there" if existing else ""
    message = f"{count:,} {'location' if count == 1 else 'locations'} made{there}"
    return htmx.go_on(request, reverse("inventory:locations"), message=message, undo=current_change_set_id())


# --- The route ------------------------------------------------------------------------------------------------------
@require_POST
@require("inventory:write")
def location_route(request: HttpRequest, location_id: UUID) -> HttpResponse:
    """Put a location before another one in the walk (`before`), or give it a number (`sort_order`)."""
    url = htmx.safe_next(request, reverse("inventory:locations"))
    if "before" in request.POST:
        before = as_uuid(request.POST["before"]) if request.POST["before"] else None
        try:
            services.put_in_route(location_id=location_id, before=before)
        except TooManyLots:
            job = services.start_put_in_route(location_id=location_id, before=before)
            return htmx.redirect(request, reverse("jobs:detail", args=[job.pk]))
    else:
        text = request.POST.get("sort_order", "").strip()
        if not text.removeprefix("-").isdecimal():
            raise Invalid("The route order is a whole number.", errors={"/sort_order": ["A whole number."]})
        services.update_location(location_id=location_id, changes={"sort_order": int(text)})
    undo = current_change_set_id()
    return htmx.go_on(request, url, message="Route changed" if undo else "Nothing changed", undo=undo)
