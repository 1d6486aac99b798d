"""One session: how far it is and who walks; after its end what is left to do."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from common import actor
from common.access import require
from common.errors import NotFound
from common.htmx import is_partial, render
from common.http import HttpRequest
from orders.queries.orders import get_order
from picker.choices import SessionStatus
from picker.models import PickSession
from picker.queries import figures, outcome
from picker.queries.maps import current_setup
from picker.queries.overview import card_of, shares_of
from picker.queries.sessions import get_session, is_own
from picker.queries.sheet import EntryRow, StopRow, entries_of, sessions_of_order, stops_of
from picker.weighing import expected, read_grams, weigh


@require_GET
@require("picker:read")
def session(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Show a session: its walk while it is picked, what came of it afterwards."""
    found = get_session(session_id)
    entries, stops = entries_of(found), stops_of(found)
    context = {
        **_head(request, found),
        "entries": entries,
        "stops": stops,
        "stops_left": sum(bool(stop.left) for stop in stops),
        "untouched": _untouched(stops, entries),
        **(_open(found) if found.is_open else _ended(found, entries)),
        "put_back": outcome.to_put_back(found),
    }
    return render(request, "picker/session.html", context, partial="live")


def _head(request: HttpRequest, found: PickSession) -> dict[str, Any]:
    """Answer what every page of a session shows: what may be done with it."""
    who = actor.current()
    is_mine = who.can("picker:manage_sessions") or is_own(found, who)
    walk = reverse("picker:walk", args=[found.pk])
    return {
        "session": found,
        "card": card_of(found),
        "is_draft": found.status == SessionStatus.DRAFT,
        "is_active": found.status == SessionStatus.ACTIVE,
        "may_pick": who.can("picker:pick"),
        "may_change": who.can("picker:pick") and is_mine,
        "may_add": who.can("picker:create_session") and is_mine and found.is_open,
        "walk_url": walk,
        "walk_address": request.build_absolute_uri(walk),
    }


def _untouched(stops: list[StopRow], entries: list[EntryRow]) -> list[EntryRow]:
    """Answer the orders that would wait again if the session ended now."""
    left = {need.order_id for stop in stops for need in stop.needs if need.left}
    return [entry for entry in entries if entry.is_in and entry.order_id in left]


def _open(found: PickSession) -> dict[str, Any]:
    return {"shares": shares_of([found.pk])[found.pk]}


def _ended(found: PickSession, entries: list[EntryRow]) -> dict[str, Any]:
    """Answer what is left to do after a walk, and how it went."""
    since, until = found.started_at or found.created_at, timezone.now()
    by_person = figures.of_session(found.pk, since=since, until=until) if found.started_at else {}
    setup = current_setup()
    parts = outcome.parts_of([entry.order_id for entry in entries if entry.picked])
    return {
        "short": outcome.short_of(found),
        "to_count": outcome.places_to_count(found),
        "kept": outcome.kept_in_totes(found),
        "figures": by_person.get(None),
        "shares": [(share, by_person.get(share.user_id)) for share in shares_of([found.pk])[found.pk] if share.user_id],
        "weights": [
            {"entry": entry, "expected": wanted, "margin": wanted.margin(setup.weight_tolerance)}
            for entry in entries
            if (parts_here := parts.get(entry.order_id)) and (wanted := expected(parts_here))
        ],
        "tolerance": setup.weight_tolerance,
    }  # fmt: skip


# --- Weighing -------------------------------------------------------------------------------------------------------
@require_GET
@require("picker:read")
def weight(request: HttpRequest, session_id: UUID, order_id: UUID) -> HttpResponse:
    """Say whether what the scale shows fits what was picked for an order."""
    found = get_session(session_id)
    entry = next((entry for entry in entries_of(found) if entry.order_id == order_id), None)
    if entry is None:
        raise NotFound("This order isn't in the session.")
    parts = outcome.parts_of([order_id]).get(order_id, [])
    tolerance, typed = current_setup().weight_tolerance, request.GET.get("grams", "")
    grams, problem = read_grams(typed)
    weighed = None if grams is None else weigh(parts, grams=grams, tolerance=tolerance)
    wanted = expected(parts)
    context = {
        **_head(request, found),
        "row": {"entry": entry, "expected": wanted, "margin": wanted.margin(tolerance)},
        "weighed": weighed, "off": abs(weighed.difference) if weighed else None, "typed": typed, "problem": problem,
        "tolerance": tolerance,
    }  # fmt: skip
    # Each order's row is a target of its own.
    return render(request, f"picker/weight.html{'#verdict' if is_partial(request) else ''}", context)


# --- On an order's page ---------------------------------------------------------------------------------------------
@require_GET
@require("picker:read")
def of_order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Show in which sessions an order is and was, and how far it got there; the order's page has it as a part."""
    context = {"rows": sessions_of_order(get_order(order_id).pk), "order_id": order_id}
    return render(request, "picker/of_order.html", context, partial="order-picks")
