"""The list of pick sessions: what is under way, what can be started, how the last ones went."""

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from common import actor
from common.access import require
from common.htmx import render
from common.http import HttpRequest
from orders.queries.orders import tab_counts
from picker.queries.overview import overview


@require_GET
@require("picker:read")
def session_list(request: HttpRequest) -> HttpResponse:
    """Show the sessions. `before`: the number before which a page of ended ones goes on."""
    text = request.GET.get("before", "")
    before = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None  # noqa: PLR2004  # a bigint
    found = overview(before=before)
    context = {
        "overview": found,
        "before": before,
        "to_pick": tab_counts()["to_pick"] if actor.current().can("picker:create_session") else 0,
        "is_unused": not (found.active or found.drafts or found.ended or before),
    }
    return render(request, "picker/list.html", context, partial="sessions")
