"""What is done to several orders at once, and the orders of a list as a file."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import cast
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods, require_POST

from audit.context import current_change_set_id
from common import actor
from common.access import require
from common.errors import Invalid, PermissionDenied
from common.htmx import go_on, redirect, render, safe_next
from common.http import HttpRequest
from orders import downloads, services
from orders.choices import OrderStatus
from orders.lifecycle import ENDS, Status
from orders.queries.exporting import Per
from orders.queries.filters import Filters
from orders.queries.selection import chosen_ids, filters_of
from orders.services import many, printing
from orders.services.statuses import Outcome

# Where several orders can be moved at once; each by itself all the same.
BULK_STATUSES = (Status.PENDING, Status.PACKING, Status.READY, Status.SHIPPED, Status.DELIVERED, Status.COMPLETED)
_SHOWN_PROBLEMS = 5


def _refused(pointer: str, text: str) -> Invalid:
    """Answer a refusal that says on its page, too, what is wrong."""
    return Invalid(text, errors={pointer: [text]})


def _ticked(request: HttpRequest) -> list[UUID]:
    try:
        found = list(dict.fromkeys(UUID(text) for text in request.POST.getlist("ids")))
    except ValueError as error:
        raise _refused("/ids", "These are no orders.") from error
    if not found:
        raise _refused("/ids", "Choose at least one order.")
    return found


def _chosen(request: HttpRequest, *, limit: int = many.MOST) -> list[UUID]:
    """Read which orders are meant: those ticked, or all that the list's filter left when it was shown."""
    if not request.POST.get("all"):
        return _ticked(request)
    return chosen_ids(request.POST.get("query", ""), as_of=shown_at(request), limit=limit)


def shown_at(request: HttpRequest) -> datetime:
    """Answer when the list was shown that somebody chose from. Raises Invalid."""
    try:
        found = parse_datetime(request.POST.get("as_of", ""))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise _refused("/as_of", "Open the list again, and choose once more.")
    return found


def _back(request: HttpRequest) -> str:
    return safe_next(request, reverse("orders:list"))


@require_POST
@require("orders:read")
def bulk(request: HttpRequest) -> HttpResponse:
    """Do to the ticked orders what the pressed button says: move, tag, put in one parcel, print."""
    deed = _DEEDS.get(request.POST.get("do", ""))
    if deed is None:
        raise _refused("/do", "This can't be done to several orders.")
    return deed(request)


def _need(permission: str) -> None:
    if not actor.current().can(permission):
        raise PermissionDenied(f"This needs the permission {permission}.", permission=permission)


def _bulk_status(request: HttpRequest) -> HttpResponse:
    _need("orders:status_update")
    status = request.POST.get("status", "")
    if status in ENDS:
        raise _refused("/status", "Orders are cancelled and refunded one by one.")
    order_ids = _chosen(request)
    if len(order_ids) > many.AT_ONCE:
        return _job(request, services.start_moving(order_ids=order_ids, status=status, now=timezone.now()))
    outcomes = services.change_many(order_ids=order_ids, status=status, now=timezone.now())
    if all(outcome.problem for outcome in outcomes):
        return _stayed(request, outcomes)
    message = _told(outcomes, f"{OrderStatus(status).label.lower()}")
    return go_on(request, _back(request), message=message, undo=current_change_set_id())


def _told(outcomes: list[Outcome], words: str) -> str:
    done = sum(not outcome.problem for outcome in outcomes)
    text = f"{done:,} order{'' if done == 1 else 's'} {words}."
    if stayed := len(outcomes) - done:
        numbers = ", ".join(outcome.external_order_id for outcome in outcomes if outcome.problem)[:120]
        text += f" {stayed:,} stayed as {'it was' if stayed == 1 else 'they were'}: {numbers}."
    return text


def _stayed(request: HttpRequest, outcomes: list[Outcome]) -> HttpResponse:
    context = {"outcomes": outcomes[:_SHOWN_PROBLEMS], "count": len(outcomes), "next": _back(request)}
    return render(request, "orders/stayed.html", context, status=HTTPStatus.CONFLICT)


def _bulk_tag(request: HttpRequest) -> HttpResponse:
    _need("orders:write")
    order_ids, tag = _chosen(request), request.POST.get("tag", "")
    if len(order_ids) > many.AT_ONCE:
        return _job(request, services.start_tagging(order_ids=order_ids, tag=tag, now=timezone.now()))
    count = services.tag_orders(order_ids=order_ids, tag=tag, now=timezone.now())
    message = f"{count:,} order{'' if count == 1 else 's'} tagged {tag.strip()}."
    return go_on(request, _back(request), message=message, undo=current_change_set_id())


def _bulk_together(request: HttpRequest) -> HttpResponse:
    _need("orders:write")
    order_ids = _chosen(request)
    lead = services.ship_together(order_ids=order_ids, now=timezone.now())
    message = f"{len(order_ids)} orders go in one parcel, with {lead.external_order_id}."
    return go_on(request, _back(request), message=message, undo=current_change_set_id())


def _bulk_print(request: HttpRequest) -> HttpResponse:
    order_ids = _chosen(request, limit=printing.MOST)
    kind = request.POST.get("kind", "")
    return _job(request, services.start_printing(order_ids=order_ids, kind=kind, now=timezone.now()))


def _job(request: HttpRequest, job: UUID) -> HttpResponse:
    return redirect(request, reverse("jobs:detail", args=[job]))


_DEEDS: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "status": _bulk_status,
    "tag": _bulk_tag,
    "together": _bulk_together,
    "print": _bulk_print,
}


# --- As a file ------------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "POST"])
@require("orders:read")
def export(request: HttpRequest) -> HttpResponse:
    """Answer the orders that the address' filters leave as a file; of a POST those that are chosen."""
    asked = request.POST if request.method == "POST" else request.GET
    try:
        per = Per(asked.get("rows", ""))
    except ValueError as error:
        raise _refused("/rows", "A row for each of the orders, or of their lines.") from error
    return cast("HttpResponse", downloads.as_csv(_exported(request), per=per, now=timezone.now()))


def _exported(request: HttpRequest) -> Filters:
    if request.method != "POST":
        query = request.GET.copy()
        query.pop("rows", None)
        return filters_of(query.urlencode())
    if request.POST.get("all"):
        return filters_of(request.POST.get("query", ""))
    # Straight as values: so many ids are no address.
    return Filters({"ids": tuple(_ticked(request))})
