"""What both sides changed: ours, theirs and what both agreed on, field by field, and whose word counts."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from audit.context import current_change_set_id
from common import actor
from common.access import require
from common.errors import BadRequest, NotFound
from common.htmx import go_on, redirect, render
from common.http import HttpRequest
from common.tables import Chip
from inventory.queries.rows import look_of
from inventory.views.parts import page_of, start_of, url_with
from sync.queries import listing
from sync.queries.conflicts import ConflictRow
from sync.queries.listing import ConflictFilters
from sync.queries.runs import FIELD_LABELS
from sync.services import conflicts as services
from sync.views.words import value_words

_BESIDE = frozenset({"from"})
# So many are decided by one press; more than that, and it is pressed again.
_AT_ONCE = 5_000
_DECISIONS = {services.OURS: "Yours counts", services.THEIRS: "The store's word counts"}


def _filters(request: HttpRequest) -> ConflictFilters:
    return ConflictFilters.parse(request.GET, beside=_BESIDE)


@require_GET
@require("sync:read")
def conflict_list(request: HttpRequest) -> HttpResponse:
    """Show what waits to be decided."""
    filters = _filters(request)
    page = listing.conflict_page(filters, first=start_of(request))
    counts = listing.conflicts_by_field(filters)
    field = str(filters.values.get("field", ""))
    context = {
        "rows": [_shown(row) for row in page.rows],
        "total": page.total,
        "page": page_of(request, first=page.first, shown=len(page.rows), total=page.total, size=listing.PAGE),
        "tabs": [
            {
                "label": FIELD_LABELS[name].capitalize(), "count": count, "is_current": name == field,
                "url": url_with(request, **{"field": "" if name == field else name, "from": ""}),
            }
            for name, count in counts.items()
        ],
        "field": FIELD_LABELS.get(field, ""),
        "stores": list(listing.stores_with_conflicts()),
        "store_id": str(filters.values.get("store", "")),
        "chips": _chips(filters),
        "query": filters.as_query(),
        "may_decide": actor.current().can("sync:apply"),
        "at_once": _AT_ONCE,
    }  # fmt: skip
    return render(request, "sync/conflicts.html", context, partial="conflicts")


def _chips(filters: ConflictFilters) -> list[Chip]:
    base = reverse("sync:conflicts")
    return [
        Chip(term.words, f"{base}?{filters.without(term).as_query()}", unknown=not term.is_known)
        for term in filters.terms
    ]


def _shown(row: ConflictRow) -> dict[str, Any]:
    lot = row.lot
    sides = {name: value_words(row.field, getattr(row, name)) for name in ("base", "ours", "theirs")}
    look = look_of(lot.color_id, lot.color_name) if lot else None
    return {"row": row, "id": str(row.conflict.pk), "lot": lot, "look": look, **sides}


@require_POST
@require("sync:apply")
def decide(request: HttpRequest) -> HttpResponse:
    """Have ours or theirs count: in one field, in those that are ticked, or in all that the filters leave."""
    to, chosen = _decision(request)
    back = f"{reverse('sync:conflicts')}{'?' if request.GET else ''}{request.GET.urlencode()}"
    if not chosen:
        messages.info(request, "Nothing was chosen. Tick some first.")
        return redirect(request, back)
    by = actor.current().id
    number = services.decide_conflicts(
        conflict_ids=chosen, decision=to, now=timezone.now(), decided_by_id=UUID(by) if by else None
    )
    if not number:
        message = "These were decided already."
    else:
        message = f"{number:,} decided. {_DECISIONS[to]}{'; it is sent by itself' if to == services.OURS else ''}."
    return go_on(request, back, message=message, undo=current_change_set_id() if number else None)


def _decision(request: HttpRequest) -> tuple[str, list[UUID]]:
    """Answer whose word counts, and in which conflicts. A row's own button names it: `ours=ID`."""
    for to in _DECISIONS:
        name = request.POST.get(to, "")
        if name == "all":
            return to, list(listing.open_conflicts(_filters(request)).values_list("pk", flat=True)[:_AT_ONCE])
        if name == "ticked":
            return to, _ids(request.POST.getlist("ids"))
        if name:
            return to, _ids([name])
    raise BadRequest("Say whose word counts: yours, or the store's.")


def _ids(texts: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError:
        raise NotFound("There is no such conflict.") from None
