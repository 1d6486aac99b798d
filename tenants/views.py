"""The settings pages of a shop: what it says about itself, its data, its end."""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from accounts.forms import add_errors
from accounts.queries import is_owner
from audit.context import current_change_set_id
from common import actor
from common.access import require
from common.errors import Invalid, RateLimited, StaleVersion
from common.htmx import go_on, redirect
from common.http import HttpRequest
from common.ids import new_id
from jobs import queries as jobs
from tenants import queries, routing, services
from tenants.forms import DeletionForm, GeneralForm, InventoryForm, OrdersForm
from tenants.services.exporting import JOB

_EXPORTS_SHOWN = 5
# How a form says that the other's value is to stay, and what of it is no setting.
_CHOICE = "keep_"
_TOLD_APART = {"version", "seen"}


def _general(request: HttpRequest, form: GeneralForm, *, status: int = HTTPStatus.OK, **more: Any) -> HttpResponse:
    found = queries.shop_settings()
    context = {"form": form, "shop": found, "can_write": actor.current().can("settings:write"), **more}
    return render(request, "tenants/general.html", context, status=status)


@require_GET
@require("settings:read")
def general(request: HttpRequest) -> HttpResponse:
    """Show what the shop says about itself."""
    return _general(request, GeneralForm(initial=GeneralForm.values_of(queries.shop_settings())))


@require_POST
@require("settings:write")
def general_save(request: HttpRequest) -> HttpResponse:
    """Change it; where somebody else did meanwhile, show both before anything is overwritten."""
    form = GeneralForm(_chosen(request.POST))
    if not form.is_valid():
        return _general(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        services.update_settings(**form.changes)
    except Invalid as error:
        add_errors(form, error)
        return _general(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except StaleVersion:
        return _conflict(request, form)
    undo = current_change_set_id()
    return go_on(
        request, reverse("tenants:general"), message="Settings saved" if undo else "Nothing changed", undo=undo
    )


def _conflict(request: HttpRequest, typed: GeneralForm) -> HttpResponse:
    """Ask field by field where both changed it; what only one of them changed is taken from them."""
    present = GeneralForm.values_of(queries.shop_settings())
    values, differences = dict(present), []
    for name in typed.before.keys() & present.keys() if typed.before else present.keys() - _TOLD_APART:
        before, theirs, yours = typed.before.get(name), str(present[name]), str(typed.cleaned_data[name])
        if yours in (before, theirs):
            continue
        values[name] = yours
        if theirs != before:
            differences.append(
                {"name": name, "label": typed[name].label, "before": before, "theirs": theirs, "yours": yours}
            )
    order = list(typed.fields)
    differences.sort(key=lambda row: order.index(str(row["name"])))
    again = GeneralForm(initial=values)
    return _general(request, again, status=HTTPStatus.CONFLICT, differences=differences, is_overtaken=True)


def _chosen(data: QueryDict) -> QueryDict:
    """Answer what was sent, with the values that are there now where somebody decided for them."""
    given_up = [name.removeprefix(_CHOICE) for name in data if name.startswith(_CHOICE) and data[name] == "theirs"]
    if not given_up:
        return data
    present = GeneralForm.values_of(queries.shop_settings())
    chosen = data.copy()
    for name in set(given_up) & present.keys() - _TOLD_APART:
        chosen[name] = present[name]
    return chosen


_Kept = InventoryForm | OrdersForm


def _kept(request: HttpRequest, template: str, form: _Kept, *, status: int = HTTPStatus.OK) -> HttpResponse:
    can_write = actor.current().can("settings:write")
    if not can_write:
        for field in form.fields.values():
            field.disabled = True
    return render(request, template, {"form": form, "can_write": can_write}, status=status)


def _save(request: HttpRequest, template: str, url_name: str, form_class: type[_Kept]) -> HttpResponse:
    """Keep a page of settings; where somebody else changed them meanwhile, what was typed is shown again."""
    form = form_class(request.POST)
    if not form.is_valid():
        return _kept(request, template, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        services.update_settings(**form.changes)
    except Invalid as error:
        add_errors(form, error)
        return _kept(request, template, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except StaleVersion as error:
        again = form_class({**form.cleaned_data, "version": error.extra["current_version"]})
        again.add_error(None, error.detail)
        return _kept(request, template, again, status=HTTPStatus.CONFLICT)
    undo = current_change_set_id()
    return go_on(request, reverse(url_name), message="Settings saved" if undo else "Nothing changed", undo=undo)


@require_GET
@require("settings:read")
def inventory(request: HttpRequest) -> HttpResponse:
    """Show how the shop keeps its stock."""
    return _kept(
        request, "tenants/inventory.html", InventoryForm(initial=InventoryForm.values_of(queries.shop_settings()))
    )


@require_POST
@require("settings:write")
def inventory_save(request: HttpRequest) -> HttpResponse:
    """Change how the shop keeps its stock."""
    return _save(request, "tenants/inventory.html", "tenants:inventory", InventoryForm)


@require_GET
@require("settings:read")
def orders(request: HttpRequest) -> HttpResponse:
    """Show how the shop deals with orders and buyers."""
    return _kept(request, "tenants/orders.html", OrdersForm(initial=OrdersForm.values_of(queries.shop_settings())))


@require_POST
@require("settings:write")
def orders_save(request: HttpRequest) -> HttpResponse:
    """Change how the shop deals with orders and buyers."""
    return _save(request, "tenants/orders.html", "tenants:orders", OrdersForm)


def _data(request: HttpRequest, form: DeletionForm, *, status: int = HTTPStatus.OK) -> HttpResponse:
    who, now = actor.current(), timezone.now()
    exports = jobs.visible_to(who).filter(job_type=JOB).order_by("-created_at", "-id")[:_EXPORTS_SHOWN]
    context = {
        "shop": queries.shop_settings(),
        "exports": [jobs.row_of(job, who=who, now=now) for job in exports],
        # A form that is sent twice is one export.
        "export_key": str(new_id()),
        "form": form,
        "is_owner": is_owner(who.id),
        "grace_days": routing.GRACE.days,
    }
    return render(request, "tenants/data.html", context, status=status)


@require_GET
@require("settings:write")
def data(request: HttpRequest) -> HttpResponse:
    """Show how to take everything along, and how to end the shop."""
    return _data(request, DeletionForm())


@require_POST
@require("settings:write")
def export(request: HttpRequest) -> HttpResponse:
    """Have everything written to a file."""
    job = services.start_export(key=request.POST.get("key", "")[:80])
    return redirect(request, reverse("jobs:detail", args=[job.id]))


@require_POST
@require("settings:write")
@sensitive_post_parameters("password")
def deletion(request: HttpRequest) -> HttpResponse:
    """Ask for the shop's deletion; an owner's alone (the service sees to it)."""
    form = DeletionForm(request.POST)
    if form.is_valid():
        try:
            services.request_deletion(
                name=form.cleaned_data["name"], password=form.cleaned_data["password"], now=timezone.now()
            )
        except Invalid as error:
            add_errors(form, error)
        except RateLimited as error:
            form.add_error(None, error.detail)
        else:
            return redirect(request, reverse("tenants:data"))
    return _data(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@require_POST
@require("settings:write")
def deletion_cancel(request: HttpRequest) -> HttpResponse:
    """Keep the shop after all; an owner's alone (the service sees to it)."""
    services.cancel_deletion()
    return go_on(request, reverse("tenants:data"), message="The shop stays")
