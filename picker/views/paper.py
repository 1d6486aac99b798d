"""Picking from paper: the list to print, and what was found, said in one go."""

from http import HTTPStatus
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from common import actor
from common.access import require
from common.errors import Invalid
from common.htmx import go_on, redirect, render
from common.http import HttpRequest
from common.ids import new_id
from inventory.forms.storage import as_uuid
from picker.choices import SessionStatus
from picker.queries.sessions import get_session
from picker.queries.sheet import stops_of
from picker.services import confirming, printing
from picker.views.deeds import session_url

_FIELD, _KEY, _DIGITS = "missing_", 8, 6


@require_GET
@require("picker:read")
def pick_list(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Answer what is left of the walk as PDF. Its QR code opens the session."""
    session = get_session(session_id)
    address = request.build_absolute_uri(session_url(session_id))
    return HttpResponse(
        printing.draw_pick_list(session, address=address, now=timezone.now()),
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="pick-list-{session.number}.pdf"',
            "Cache-Control": "private, no-store",
        },
    )


@require("picker:pick")
def confirm(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Say that all is picked except what is typed; each press has one effect."""
    session = get_session(session_id)
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            missing = _missing(request.POST)
            done = confirming.confirm(
                session_id=session_id, missing=missing, key=_key(request.POST.get("key", "")),
                user_id=UUID(actor.current().id), now=timezone.now(),
            )  # fmt: skip
        except Invalid as error:
            errors = {pointer.strip("/"): " ".join(texts) for pointer, texts in error.errors.items()}
        else:
            if isinstance(done, UUID):
                return redirect(request, reverse("jobs:detail", args=[done]))
            words = f"{done.settled:,} pick{'' if done.settled == 1 else 's'} confirmed."
            return go_on(request, session_url(session_id), message=" ".join([words, *done.refused]))
    stops = [stop for stop in stops_of(session) if stop.left]
    context = {
        "session": session,
        "is_active": session.status == SessionStatus.ACTIVE,
        "stops": [
            (
                stop,
                [
                    (need, request.POST.get(f"{_FIELD}{need.id}", ""), errors.get(str(need.id), ""))
                    for need in stop.needs
                    if need.left
                ],
            )
            for stop in stops
        ],
        "pieces": sum(stop.left for stop in stops),
        "has_errors": bool(errors),
        "key": _key(request.POST.get("key", "")),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    return render(request, "picker/confirm.html", context, status=status)


def _key(text: str) -> str:
    """Answer the form's key, or a fresh one: by it a second press is known."""
    return text if len(text) == _KEY and text.isascii() and text.isalnum() else new_id().hex[-_KEY:]


def _missing(posted: QueryDict) -> dict[UUID, int]:
    """Answer how many pieces are missing, by need. Raises Invalid."""
    found, errors = {}, {}
    for name in posted:
        key = as_uuid(name.removeprefix(_FIELD)) if name.startswith(_FIELD) else None
        text = posted.get(name, "").strip()
        if key is None or not text:
            continue
        if text.isascii() and text.isdecimal() and len(text) <= _DIGITS:
            found[key] = int(text)
        else:
            errors[f"/{key}"] = ["A number of pieces."]
    if errors:
        raise Invalid(errors=errors)
    return found
