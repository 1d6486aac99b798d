"""Pages of buyers: the list, one with all their orders, notes, merging and erasing."""

from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from audit.context import current_change_set_id
from common.access import require
from common.errors import Invalid
from common.htmx import go_on, render
from common.http import HttpRequest
from orders import services
from orders.queries import buyers as queries
from orders.views.listing import Pager

_SIZE = 50


@require_GET
@require("orders:read")
def buyer_list(request: HttpRequest) -> HttpResponse:
    """Show the buyers, who ordered last first."""
    text = request.GET.get("q", "").strip()[:100]
    page = queries.list_page(text, cursor=request.GET.get("cursor") or None, limit=_SIZE)
    start = _start(request)
    context = {
        "q": text,
        "buyers": page.rows,
        "pager": Pager(
            start if page.rows else 0, start + len(page.rows) - 1 if page.rows else 0, None,
            _neighbor(request, page.previous, start - _SIZE), _neighbor(request, page.next, start + _SIZE),
        ),
    }  # fmt: skip
    return render(request, "orders/buyers.html", context, partial="rows")


def _start(request: HttpRequest) -> int:
    text = request.GET.get("start", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else 1  # noqa: PLR2004  # millions


def _neighbor(request: HttpRequest, cursor: str | None, start: int) -> str:
    if cursor is None:
        return ""
    query = request.GET.copy()
    query["cursor"], query["start"] = cursor, str(max(1, start))
    return f"{request.path}?{query.urlencode()}"


@require_GET
@require("orders:read")
def buyer(request: HttpRequest, buyer_id: UUID) -> HttpResponse:
    """Show a buyer with their orders over all channels."""
    found = queries.get_buyer(buyer_id)
    context = {
        "buyer": found,
        "name": str(found),
        "story": queries.story_of(found),
        "alike": queries.may_be_the_same(found),
    }
    return render(request, "orders/buyer.html", context)


@require_POST
@require("orders:write")
def notes(request: HttpRequest, buyer_id: UUID) -> HttpResponse:
    """Keep the notes of a buyer."""
    services.set_buyer_notes(buyer_id=buyer_id, notes=request.POST.get("notes", ""))
    return go_on(request, queries.buyer_url(buyer_id), message="Notes saved.", undo=current_change_set_id())


@require_POST
@require("orders:write")
def merge(request: HttpRequest, buyer_id: UUID) -> HttpResponse:
    """Say that another buyer is this one."""
    try:
        other = UUID(request.POST.get("other", ""))
    except ValueError as error:
        raise Invalid("Choose a buyer.", errors={"/other": ["Choose a buyer."]}) from error
    services.merge_buyers(buyer_id=buyer_id, other_id=other)
    return go_on(request, queries.buyer_url(buyer_id), message="Both are one buyer now.", undo=current_change_set_id())


@require("orders:write")
def erase(request: HttpRequest, buyer_id: UUID) -> HttpResponse:
    """Delete a buyer's personal data for good, after asking."""
    found = queries.get_buyer(buyer_id)
    if request.method == "POST":
        services.erase_buyer(buyer_id=buyer_id, now=timezone.now())
        return go_on(request, reverse("orders:buyers"), message="The buyer's personal data is deleted.")
    return render(request, "orders/erase.html", {"buyer": found, "name": str(found)})
