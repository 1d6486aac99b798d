"""A new session: which orders are picked together, in which totes, and how long that takes."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone

from common.access import require
from common.errors import ProblemError
from common.htmx import go_on, render
from common.http import HttpRequest
from common.ids import new_id
from common.tables import BESIDE
from inventory.forms.storage import as_uuid
from orders.queries.filters import PARAMETERS, Filters
from orders.queries.selection import chosen_ids
from orders.views.bulk import shown_at
from picker import services
from picker.queries import candidates
from picker.queries.candidates import Candidate
from picker.services.estimating import estimate, suggest
from picker.services.sessions import MOST_ORDERS, batch_code
from stores.queries import all_stores

# So many orders of a filter are chosen by themselves; of more the page suggests which go together.
_AT_ONCE = 26
# How many totes a cart has; what it has where nobody says so.
_TOTES, _USUAL = (2, 3, 4, 6, 8, 12, 20), 6


@require("picker:create_session")
def new(request: HttpRequest) -> HttpResponse:
    """Choose what is picked together: from the orders that were ticked, or of a filter. Then make the session."""
    if request.method != "POST":
        filters = _filters_of(request.GET)
        waiting = candidates.waiting(filters)
        ids = [each.id for each in waiting] if request.GET and len(waiting) <= _AT_ONCE else []
        return _page(request, filters, ids, waiting=waiting)
    do = request.POST.get("do", "")
    if do == "choose":
        return _page(request, Filters(), _ticked(request))
    filters = _filters_of(QueryDict(request.POST.get("filter", "")))
    ids = _moved(_ids(request.POST.getlist("order")), do)
    if do != "create":
        return _page(request, filters, ids)
    try:
        session = services.create_session(
            order_ids=ids, now=timezone.now(), notes=request.POST.get("notes", ""),
            with_flagged="with_flagged" in request.POST, session_id=as_uuid(request.POST.get("key", "")),
        )  # fmt: skip
    except ProblemError as problem:
        return _page(request, filters, ids, problem=_words(problem), status=problem.status_code)
    return go_on(request, reverse("picker:session", args=[session.pk]), message=f"Session {session.number} made.")


def _words(problem: ProblemError) -> str:
    errors = problem.extra.get("errors") or {}
    return " ".join(text for texts in errors.values() for text in texts) or problem.detail or problem.title


def _filters_of(query: QueryDict) -> Filters:
    # A tab says what waits, and here that is what is picked.
    return Filters.parse(query, beside={*BESIDE, "tab", "do", "size"})


def _ids(texts: Sequence[str]) -> list[UUID]:
    return list(dict.fromkeys(key for text in texts if (key := as_uuid(text)) is not None))


def _ticked(request: HttpRequest) -> list[UUID]:
    """Answer the orders that were ticked in the list, or all that its filter left when it was shown."""
    if request.POST.get("all"):
        return chosen_ids(request.POST.get("query", ""), as_of=shown_at(request), limit=MOST_ORDERS)
    return _ids(request.POST.getlist("ids"))


def _moved(ids: list[UUID], do: str) -> list[UUID]:
    """Answer the chosen orders as the pressed button leaves them."""
    deed, _, text = do.partition(":")
    named = _ids(text.split(","))
    match deed:
        case "take":
            return named
        case "add":
            return [*ids, *(key for key in named if key not in ids)]
        case "drop":
            return [key for key in ids if key not in named]
        case "up" | "down":
            return _neighbors(ids, named, earlier=deed == "up")
    return ids


def _neighbors(ids: list[UUID], named: list[UUID], *, earlier: bool) -> list[UUID]:
    if not named or named[0] not in ids:
        return ids
    at = ids.index(named[0])
    to = max(0, at - 1) if earlier else min(len(ids) - 1, at + 1)
    rest = [key for key in ids if key != named[0]]
    return [*rest[:to], named[0], *rest[to:]]


def _page(
    request: HttpRequest, filters: Filters, ids: list[UUID], *, waiting: list[Candidate] | None = None,
    problem: str = "", status: int = HTTPStatus.OK,
) -> HttpResponse:  # fmt: skip
    chosen = candidates.chosen(ids)
    others = candidates.waiting(filters) if waiting is None else waiting
    kept = [each for each in chosen if not each.problem]
    context = {
        "chosen": [(batch_code(place), each) for place, each in enumerate(kept, start=1)],
        "left_out": [each for each in chosen if each.problem],
        "flagged": [each for each in kept if each.flags],
        "with_flagged": "with_flagged" in request.POST,
        "others": [each for each in others if each.id not in ids],
        "is_capped": len(others) == candidates.MOST,
        "estimate": estimate(order_ids=[each.id for each in kept], now=timezone.now()) if kept else None,
        **_suggested(request, others, chosen),
        "filters": filters,
        "typed": {name: dict(filters.raw).get(name, "") for name in PARAMETERS},
        "stores": [(str(store.pk), store.name) for store in all_stores()],
        "notes": request.POST.get("notes", ""),
        "key": request.POST.get("key") or new_id(),
        "problem": problem,
    }  # fmt: skip
    return render(request, "picker/new.html", context, partial="session", status=status)


def _suggested(request: HttpRequest, waiting: list[Candidate], chosen: list[Candidate]) -> dict[str, Any]:
    """Answer which of the orders that wait go well together, chosen ones among them."""
    asked = request.POST if request.method == "POST" else request.GET
    text = asked.get("totes", "")
    totes = int(text) if text in {str(count) for count in _TOTES} else _USUAL
    known = {each.id: each for each in (*waiting, *(each for each in chosen if not each.problem))}
    found = suggest(order_ids=list(known), totes=totes) if len(known) > 1 else []
    return {
        "suggestions": [
            {
                "keys": ",".join(str(key) for key in each.order_ids), "suggestion": each,
                "numbers": [known[key].row.number for key in each.order_ids],
            }
            for each in found
        ],
        "totes": totes,
        "tote_counts": _TOTES,
    }  # fmt: skip
