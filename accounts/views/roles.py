"""Roles: the matrix, and a shop's own roles."""

from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts import queries, services
from accounts import roles as catalogue
from accounts.forms import RoleForm, add_errors
from audit.context import current_change_set_id
from common import actor
from common.access import require
from common.errors import Invalid
from common.htmx import go_on, render
from common.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Tick:
    """A permission on the page of a role."""

    name: str
    label: str
    is_ticked: bool
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Resource:
    """The permissions of one area."""

    label: str
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """A permission, and for each role whether it has it."""

    label: str
    cells: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class MatrixGroup:
    """The rows of one area."""

    label: str
    rows: tuple[MatrixRow, ...]


def _matrix(roles: list[queries.RoleRow]) -> list[MatrixGroup]:
    return [
        MatrixGroup(
            label=catalogue.RESOURCE_LABELS[resource],
            rows=tuple(
                MatrixRow(
                    label=catalogue.ACTION_LABELS[f"{resource}:{action}"],
                    cells=tuple(f"{resource}:{action}" in role.permissions for role in roles),
                )
                for action in actions
            ),
        )
        for resource, actions in catalogue.CATALOGUE.items()
    ]


def _resources(ticked: frozenset[str]) -> list[Resource]:
    who = actor.current()
    return [
        Resource(
            label=catalogue.RESOURCE_LABELS[resource],
            ticks=tuple(
                Tick(
                    name=name,
                    label=catalogue.ACTION_LABELS[name],
                    is_ticked=name in ticked,
                    is_mine=who.can(name),
                )
                for name in (f"{resource}:{action}" for action in actions)
            ),
        )
        for resource, actions in catalogue.CATALOGUE.items()
    ]


@require("roles:manage")
def roles(request: HttpRequest) -> HttpResponse:
    """Show which role may do what."""
    found = queries.list_roles()
    who = actor.current()
    editable = {role.id for role in found if not role.is_system and all(who.can(name) for name in role.permissions)}
    context = {"roles": found, "matrix": _matrix(found), "editable": editable, "columns": len(found) + 1}
    return render(request, "accounts/roles.html", context)


def _form_page(
    request: HttpRequest, form: RoleForm, *, ticked: frozenset[str], role: queries.RoleRow | None, source: str = ""
) -> HttpResponse:
    context = {"form": form, "resources": _resources(ticked), "role": role, "source": source}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound and form.errors else HTTPStatus.OK
    return render(request, "accounts/role.html", context, status=status)


@require("roles:manage")
def role_new(request: HttpRequest) -> HttpResponse:
    """Make a role, from nothing or as a copy of another (`?copy=`)."""
    if request.method == "POST":
        form = RoleForm(request.POST)
        if form.is_valid():
            try:
                made = services.create_role(
                    name=form.cleaned_data["name"], permissions=form.cleaned_data["permissions"]
                )
            except Invalid as error:
                add_errors(form, error)
            else:
                return go_on(
                    request, reverse("accounts:roles"), message=f"Role {made} added.", undo=current_change_set_id()
                )
        return _form_page(request, form, ticked=frozenset(request.POST.getlist("permissions")), role=None)
    source = next((role for role in queries.list_roles() if str(role.id) == request.GET.get("copy")), None)
    who = actor.current()
    ticked = frozenset(name for name in source.permissions if who.can(name)) if source else frozenset()
    form = RoleForm(initial={"name": f"{source.label} (copy)" if source else ""})
    return _form_page(request, form, ticked=ticked, role=None, source=source.label if source else "")


@require("roles:manage")
def role(request: HttpRequest, role_id: UUID) -> HttpResponse:
    """Change a role of the shop's own. A system role is shown, and can be copied."""
    present = queries.get_role(role_id)
    if request.method == "POST":
        form = RoleForm(request.POST)
        if form.is_valid():
            try:
                services.update_role(
                    role_id=role_id,
                    name=form.cleaned_data["name"],
                    permissions=form.cleaned_data["permissions"],
                    now=timezone.now(),
                    keep_session=request.session.session_key,
                )
            except Invalid as error:
                add_errors(form, error)
            else:
                return go_on(request, reverse("accounts:roles"), message="Role saved.", undo=current_change_set_id())
        return _form_page(request, form, ticked=frozenset(request.POST.getlist("permissions")), role=present)
    return _form_page(request, RoleForm(initial={"name": present.label}), ticked=present.permissions, role=present)


@require("roles:manage")
@require_POST
def role_delete(request: HttpRequest, role_id: UUID) -> HttpResponse:
    """Delete a role that nobody has."""
    name = queries.get_role(role_id).label
    services.delete_role(role_id=role_id)
    return go_on(request, reverse("accounts:roles"), message=f"Role {name} deleted.", undo=current_change_set_id())
