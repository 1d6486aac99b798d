"""Pages and their parts: one URL answers both, and says afterwards what happened."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_template
from django.utils.http import url_has_allowed_host_and_scheme

from common.http import HttpRequest


def target_of(request: HttpRequest) -> str:
    """Answer the id of the element that htmx will swap: `tag#id` in htmx 4, where it has one."""
    return (request.headers.get("HX-Target") or "").partition("#")[2]


def is_partial(request: HttpRequest) -> bool:
    """Tell whether htmx asks for a part; a boosted link or a restored page wants the whole."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Request-Type") != "full"


def render(
    request: HttpRequest,
    template: str,
    context: dict[str, Any] | None = None,
    *,
    partial: str | tuple[str, ...] = (),
    status: int = 200,
) -> HttpResponse:
    """Answer the page, or its part if htmx's target is one of `partial` (names of partials and of elements' ids)."""
    names = (partial,) if isinstance(partial, str) else partial
    target = target_of(request) if is_partial(request) else ""
    name = f"{template}#{target}" if target in names else template
    response = render_template(request, name, context, status=status)
    response["Vary"] = "HX-Request, HX-Target"
    return response


def trigger(response: HttpResponse, event: str, detail: Any = None) -> HttpResponse:
    """Make the browser fire `event` after the swap; several calls add up."""
    events = json.loads(response.get("HX-Trigger", "{}"))
    events[event] = detail
    response["HX-Trigger"] = json.dumps(events)
    return response


def toast(response: HttpResponse, message: str, *, undo: object = None, level: str = "status") -> HttpResponse:
    """Tell the result of the user's own action; `undo` is the id of the change set that takes it back."""
    return trigger(response, "toast", {"message": message, "level": level, "undo_url": undo_url(undo) or None})


def redirect(request: HttpRequest, url: str) -> HttpResponse:
    """Send the browser to `url`, as htmx or plain HTTP wants it; a boosted form follows as without htmx."""
    if request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true":
        return HttpResponse(status=200, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def undo_url(change_set_id: object) -> str:
    """Answer where the toast's Undo takes a change set back; nothing without one."""
    return f"/audit/{change_set_id}/undo/" if change_set_id else ""


def go_on(request: HttpRequest, url: str, *, message: str, undo: object = None) -> HttpResponse:
    """Send the browser to `url`, where it says what was done; `undo` is the id of the change set that takes it back."""
    messages.success(request, message, extra_tags=undo_url(undo))
    return redirect(request, url)


def safe_next(request: HttpRequest, fallback: str) -> str:
    """Answer the `next` parameter if it leads to this host, else the fallback."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    allowed = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if allowed else fallback
