"""What is done to a session from its page: start, finish, cancel, its orders, their totes, its notes."""

from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from common import actor
from common.access import require
from common.errors import Conflict, Invalid
from common.htmx import go_on, redirect, render
from common.http import HttpRequest
from common.tables import BESIDE
from inventory.forms.storage import as_uuid
from orders.queries.filters import Filters
from picker import services
from picker.choices import Leaving
from picker.models import PickSession
from picker.queries import candidates
from picker.queries.sessions import entries_of, get_session, require_own


def session_url(session_id: UUID) -> str:
    """Answer a session's page."""
    return reverse("picker:session", args=[session_id])


def _own(session_id: UUID) -> PickSession:
    found = get_session(session_id)
    require_own(found, actor.current())
    return found


@require_POST
@require("picker:pick")
def start(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Start a draft; with `here` on this device."""
    _own(session_id)
    session = services.start_session(session_id=session_id, now=timezone.now())
    if "here" in request.POST:
        return redirect(request, reverse("picker:walk", args=[session_id]))
    return go_on(request, session_url(session_id), message=f"Session {session.number} started.")


@require_POST
@require("picker:pick")
def finish(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """End a walk: what is settled goes on to packing."""
    _own(session_id)
    session = services.complete_session(session_id=session_id, now=timezone.now())
    packing = session.entries.filter(leaving=Leaving.COMPLETED).count()
    words = f"Session {session.number} finished. {packing:,} order{'' if packing == 1 else 's'} to pack."
    return go_on(request, session_url(session_id), message=words)


@require_POST
@require("picker:pick")
def cancel(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """End a session without finishing it; its orders wait again."""
    _own(session_id)
    session = services.cancel_session(session_id=session_id, now=timezone.now())
    return go_on(request, reverse("picker:list"), message=f"Session {session.number} cancelled. Its orders wait again.")


@require_POST
@require("picker:pick")
def notes(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Keep the notes of a session."""
    _own(session_id)
    services.update_session(session_id=session_id, now=timezone.now(), notes=request.POST.get("notes", ""))
    return go_on(request, session_url(session_id), message="Notes saved.")


@require_POST
@require("picker:create_session")
def totes(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Give the totes of a draft out anew, in the order in which its orders were put."""
    found = _own(session_id)
    codes = [entry.batch_code for entry in entries_of(found) if entry.left_at is None]
    ids = [key for text in request.POST.getlist("order") if (key := as_uuid(text)) is not None]
    deed, _, named = request.POST.get("do", "").partition(":")
    if (key := as_uuid(named)) in ids:
        at = ids.index(key)
        to = at - 1 if deed == "up" else at + 1
        if 0 <= to < len(ids):
            ids[at], ids[to] = ids[to], ids[at]
    if len(ids) != len(codes):
        raise Conflict("The session's orders have changed meanwhile. Look at it again.")
    services.update_session(
        session_id=session_id, now=timezone.now(), batch_codes=dict(zip(ids, codes, strict=True))
    )  # fmt: skip
    return go_on(request, session_url(session_id), message="Totes changed.")


@require_POST
@require("picker:create_session")
def remove(request: HttpRequest, session_id: UUID, order_id: UUID) -> HttpResponse:
    """Take an order out; it waits again."""
    _own(session_id)
    services.remove_order(session_id=session_id, order_id=order_id, now=timezone.now())
    return go_on(request, session_url(session_id), message="The order waits again.")


@require("picker:create_session")
def add(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Choose orders that wait, and add them to the session."""
    found = _own(session_id)
    problem = ""
    ids = [key for text in request.POST.getlist("ids") if (key := as_uuid(text)) is not None]
    if request.method == "POST":
        try:
            services.add_orders(
                session_id=session_id, order_ids=ids, now=timezone.now(), with_flagged="with_flagged" in request.POST
            )
        except Invalid as error:
            problem = " ".join(text for texts in error.errors.values() for text in texts)
        except Conflict as error:
            problem = error.detail
        else:
            words = f"{len(ids):,} order{'' if len(ids) == 1 else 's'} added."
            return go_on(request, session_url(session_id), message=words)
    query = request.GET if request.method != "POST" else QueryDict(request.POST.get("filter", ""))
    filters = Filters.parse(query, beside=BESIDE)
    waiting = candidates.waiting(filters)
    context = {
        "session": found, "waiting": waiting, "filters": filters, "ticked": set(ids), "problem": problem,
        "has_flagged": any(each.flags for each in waiting),
    }  # fmt: skip
    return render(request, "picker/add_orders.html", context, status=409 if problem else 200)
