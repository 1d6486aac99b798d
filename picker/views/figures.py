"""How fast and how well is picked."""

from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from common.access import require
from common.htmx import render
from common.http import HttpRequest
from picker.queries import figures as queries
from picker.queries.overview import overview

_SESSIONS = 12


@require_GET
@require("picker:read")
def figures(request: HttpRequest) -> HttpResponse:
    """Show what was picked by week, by person and by session, each beside what came before."""
    now = timezone.now()
    weeks, people = queries.weeks(now=now), queries.people(now=now)
    names = {user.pk: str(user) for user in get_user_model().objects.filter(pk__in=[each.user_id for each in people])}
    ended = overview(limit=_SESSIONS).ended
    started = [each.started_at for each in ended if each.started_at]
    of_sessions = queries.of_sessions([each.id for each in ended], since=min(started, default=now), until=now)
    context = {
        "weeks": weeks,
        "latest": weeks[0] if weeks else None,
        "week_rows": [
            {"start": each.start, "figures": each.figures, "metres": each.figures.metres, "change": each.change}
            for each in weeks
        ],
        "person_rows": [
            {"label": names.get(each.user_id, "Somebody"), "figures": each.figures, "change": each.change}
            for each in people
        ],
        "session_rows": [
            {"label": f"Session {each.number}", "url": each.url, "figures": of_sessions[each.id], "metres": each.metres}
            for each in ended
            if each.id in of_sessions
        ],
    }
    return render(request, "picker/figures.html", context)
