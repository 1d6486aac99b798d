"""Views that people keep of a list: the same few pages for each list that has them."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse

from audit.context import current_change_set_id
from common import actor
from common.errors import Invalid, PermissionDenied
from common.htmx import go_on, render
from common.http import HttpRequest
from common.tables import canonical
from inventory import services
from inventory.models import SavedView
from inventory.queries import lots as queries


@dataclass(frozen=True, slots=True)
class Kept:
    """A list of which views are kept. `permission`: who may share them; `home`: how the list is called."""

    page: str
    namespace: str
    home: str
    permission: str
    list_url: Callable[[str], str]


def keep(request: HttpRequest, of: Kept) -> HttpResponse:
    """Ask for a name, and keep the list as it is under it."""
    query = canonical((request.POST if request.method == "POST" else request.GET).get("query", ""))
    if request.method != "POST":
        return _form(request, of, view=None, query=query)
    try:
        view = services.save_view(
            owner_id=_me(), page=of.page, name=request.POST.get("name", ""), query=query,
            is_shared=_is_shared(request, of), is_default="default" in request.POST,
        )  # fmt: skip
    except Invalid as problem:
        return _form(request, of, view=None, query=query, problem=problem)
    return _done(request, of, view.query, f"View {view.name} saved.")


def change(request: HttpRequest, of: Kept, view_id: UUID) -> HttpResponse:
    """Show a view of one's own, and change its name, who sees it, and whether it opens first."""
    present = queries.own_view(view_id, owner_id=_me(), page=of.page)
    if request.method != "POST":
        return _form(request, of, view=present, query=present.query)
    try:
        changed = services.update_view(
            view_id=view_id, owner_id=_me(), name=request.POST.get("name", ""), is_shared=_is_shared(request, of),
            is_default="default" in request.POST,
        )  # fmt: skip
    except Invalid as problem:
        return _form(request, of, view=present, query=present.query, problem=problem)
    return _done(request, of, changed.query, f"View {changed.name} changed.")


def forget(request: HttpRequest, of: Kept, view_id: UUID) -> HttpResponse:
    """Forget a view of one's own."""
    present = queries.own_view(view_id, owner_id=_me(), page=of.page)
    return _done(request, of, "", f"View {services.delete_view(view_id=present.pk, owner_id=_me())} deleted.")


def _me() -> UUID:
    who = actor.current()
    if who.kind is not actor.ActorKind.USER:
        raise PermissionDenied("Views belong to people.")
    return UUID(who.id)


def _is_shared(request: HttpRequest, of: Kept) -> bool:
    return "shared" in request.POST and actor.current().can(of.permission)


def _done(request: HttpRequest, of: Kept, query: str, message: str) -> HttpResponse:
    return go_on(request, of.list_url(query or "view=all"), message=message, undo=current_change_set_id())


def _form(
    request: HttpRequest, of: Kept, *, view: SavedView | None, query: str, problem: Invalid | None = None
) -> HttpResponse:
    posted = request.method == "POST"
    name = of.namespace
    context = {
        "view": view,
        "query": query,
        "home": of.home,
        "list_url": of.list_url(query),
        "save_url": reverse(f"{name}:view", args=[view.pk]) if view else reverse(f"{name}:new_view"),
        "delete_url": reverse(f"{name}:delete_view", args=[view.pk]) if view else "",
        "name": request.POST.get("name", "") if posted else (view.name if view else ""),
        "is_shared": "shared" in request.POST if posted else bool(view and view.is_shared),
        "is_default": "default" in request.POST if posted else bool(view and view.is_default),
        "problem": " ".join(message for messages in problem.errors.values() for message in messages) if problem else "",
        "may_share": actor.current().can(of.permission),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return render(request, "inventory/view.html", context, partial="dialog", status=status)
