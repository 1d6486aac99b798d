"""Makes each request one deed: whatever it changes is one change set."""

import re
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from audit import context
from audit.models import Source

_VERBS = {"POST": "create", "PUT": "replace", "PATCH": "update", "DELETE": "delete"}
_LAYERS = frozenset({"views", "api", "admin"})


def _snake(name: str) -> str:
    stem = re.sub(r"(?<=.)(View|ViewSet|Api|Detail|List)+$", "", name)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", stem).lower()


def _app_of(module: str) -> str:
    parts = module.split(".")
    depth = next((place for place, part in enumerate(parts) if part in _LAYERS), len(parts))
    return parts[max(0, depth - 1)]


def source_of(request: HttpRequest) -> Source:
    """Answer the door: the API, our staff's site, or a page."""
    if request.path_info.startswith("/api/"):
        return Source.API
    match = request.resolver_match
    return Source.ADMIN if match and "admin" in match.app_names else Source.PAGE


def action_of(request: HttpRequest, view: Callable[..., HttpResponse]) -> str:
    """Answer a name from the view, for deeds that no service names: `accounts.invite_user`, `accounts.update_role`."""
    match = request.resolver_match
    if match and "admin" in match.app_names:
        return f"admin.{match.url_name}"
    view_class = getattr(view, "view_class", None) or getattr(view, "cls", None)
    if view_class is None:
        return f"{_app_of(view.__module__)}.{getattr(view, '__name__', 'view')}"
    name = _snake(view_class.__name__)
    verb = f"{_VERBS[request.method]}_" if source_of(request) is Source.API and request.method in _VERBS else ""
    return f"{_app_of(view_class.__module__)}.{verb}{name}"


class ChangeSetMiddleware:
    """Opens a deed around every request; one that changes nothing leaves no change set."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with context.change_set("request", source=Source.PAGE, is_named=False):
            return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], _args: tuple[Any, ...], _kwargs: dict[str, Any]
    ) -> None:
        context.suggest(action=action_of(request, view), source=source_of(request))
