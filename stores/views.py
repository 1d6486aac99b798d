"""Pages of stores: how all of them fare, one of them, its settings, switching it off, taking it away.

What needs a channel to be asked is `sync`'s; where that app is left out, nothing here leads to it.
"""

from http import HTTPStatus
from uuid import UUID

from django.http import HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from audit.context import current_change_set_id
from common import actor, htmx
from common.access import require
from common.errors import Invalid, ProblemError, StaleVersion
from common.http import HttpRequest
from stores import queries, services
from stores.channels import Can
from stores.forms import StoreForm, add_errors
from stores.queries import StoreView


def _page_url(store_id: UUID) -> str:
    return reverse("stores:store", args=[store_id])


def url_if_there(name: str, *arguments: object) -> str:
    """Answer the address of a page that an installation may not have; empty where it hasn't."""
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:
        return ""


def _connect_url() -> str:
    may_connect = actor.current().can("stores:write") and actor.current().can("stores:credentials")
    return url_if_there("sync:channels") if may_connect else ""


@require_GET
@require("stores:read")
def store_list(request: HttpRequest) -> HttpResponse:
    """Show every store and how it fares."""
    views = queries.list_stores(now=timezone.now())
    context = {
        "rows": [view for view in views if view.store.disconnected_at is None],
        "gone": [view for view in views if view.store.disconnected_at is not None],
        "connect_url": _connect_url(),
        "has_channels": any(not view.is_manual for view in views),
        "is_away": any(view.settings.get("is_away") for view in views if view.store.disconnected_at is None),
        "can_close": any("is_away" in view.settings for view in views if view.store.disconnected_at is None),
    }
    return htmx.render(request, "stores/list.html", context, partial="cards")


@require_GET
@require("stores:read")
def summary(request: HttpRequest) -> HttpResponse:
    """Show how each connected store fares, as a card of the dashboard."""
    views = queries.list_stores(now=timezone.now())
    rows = [view for view in views if view.is_connected and not view.is_manual]
    return htmx.render(request, "stores/summary.html", {"rows": rows, "connect_url": _connect_url()})


@require_GET
@require("stores:read")
def store(request: HttpRequest, store_id: UUID) -> HttpResponse:
    """Show one store."""
    view = queries.get_view(store_id, now=timezone.now())
    urls = {} if view.is_manual else {
        "test": url_if_there("sync:test", store_id), "credentials": url_if_there("sync:credentials", store_id),
        "waits": url_if_there("sync:work"),
        "step": url_if_there("sync:new_run") if view.spec and Can.FETCH_INVENTORY in view.spec.can else "",
        "sync": url_if_there("sync:sync_now", store_id), "orders": url_if_there("sync:store_orders", store_id),
        "stock": url_if_there("sync:store_stock", store_id),
    }  # fmt: skip
    return htmx.render(request, "stores/store.html", {"view": view, "store": view.store, "urls": urls})


def _settings_page(request: HttpRequest, view: StoreView, form: StoreForm, *, status: int) -> HttpResponse:
    context = {"form": form, "view": view, "store": view.store, "is_new": "new" in request.GET}
    return htmx.render(request, "stores/settings.html", context, status=status)


@require("stores:write")
def store_settings(request: HttpRequest, store_id: UUID) -> HttpResponse:
    """Change a store's name, role and settings."""
    view = queries.get_view(store_id, now=timezone.now())
    initial = StoreForm.values_of(view.store, view.settings)
    if request.method != "POST":
        return _settings_page(request, view, StoreForm(initial=initial, spec=view.spec), status=HTTPStatus.OK)
    form = StoreForm(request.POST, spec=view.spec)
    if not form.is_valid():
        return _settings_page(request, view, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        services.update_store(
            store_id=store_id, changes=form.changes, expected_version=form.cleaned_data["version"],
            confirmed_removals=form.cleaned_data.get("confirmed_removals"),
        )  # fmt: skip
    except StaleVersion as error:
        add_errors(form, error)
        return _settings_page(request, view, form, status=HTTPStatus.CONFLICT)
    except (Invalid, ProblemError) as error:
        add_errors(form, error)
        return _settings_page(request, view, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    undo = current_change_set_id()
    return htmx.go_on(request, _page_url(store_id), message="Store saved" if undo else "Nothing changed", undo=undo)


@require("stores:write")
def vacation(request: HttpRequest) -> HttpResponse:
    """Ask, then close all stores for a while (`to=away`), or open them again."""
    if request.method != "POST":
        views = [view for view in queries.list_stores(now=timezone.now()) if view.store.disconnected_at is None]
        return htmx.render(
            request, "stores/vacation.html", {"rows": [each for each in views if "is_away" in each.settings]}
        )
    is_away = request.POST.get("to") == "away"
    services.set_away(is_away=is_away)
    message = "Your stores are closing. What was for sale comes back after it" if is_away else "Your stores are opening"
    return htmx.go_on(request, reverse("stores:list"), message=message, undo=current_change_set_id())


@require_POST
@require("stores:write")
def store_switch(request: HttpRequest, store_id: UUID) -> HttpResponse:
    """Switch a store off (`to=off`) or on."""
    is_on = request.POST.get("to") != "off"
    found = services.update_store(store_id=store_id, changes={"is_enabled": is_on})
    message = f"{found.name} is switched {'on' if is_on else 'off'}"
    return htmx.go_on(request, _page_url(store_id), message=message, undo=current_change_set_id())


@require("stores:write", "stores:credentials")
def store_disconnect(request: HttpRequest, store_id: UUID) -> HttpResponse:
    """Ask, then erase what opens a store."""
    view = queries.get_view(store_id, now=timezone.now())
    if request.method != "POST":
        return htmx.render(request, "stores/disconnect.html", {"view": view, "store": view.store})
    found = services.disconnect_store(store_id=store_id, now=timezone.now())
    return htmx.go_on(request, reverse("stores:list"), message=f"{found.name} is disconnected")
