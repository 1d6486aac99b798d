"""One order: its page, and each thing that can be done about it."""

from decimal import Decimal
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from audit.context import current_change_set_id
from catalog.choices import System
from common import actor
from common.access import require
from common.errors import Invalid, PermissionDenied, ProblemError
from common.htmx import go_on, redirect, render
from common.http import HttpRequest
from common.ids import new_id
from common.paper import SlipPaper
from inventory.queries.lots import find_lots
from orders import lifecycle, services
from orders.choices import OrderStatus
from orders.forms import EditForm, ReasonForm, RefundForm, add_errors, pieces_of
from orders.lifecycle import By, Status
from orders.models import Order
from orders.queries import details
from orders.queries.buyers import buyer_url
from orders.queries.orders import get_order, order_url
from stores.choices import Channel

_TABS = (("lines", "Lines"), ("timeline", "Timeline"), ("documents", "Documents"), ("notes", "Notes"))
_PAPERS = ((SlipPaper.SHEET, "A4 or Letter"), (SlipPaper.A6, "A6"), (SlipPaper.FOUR_BY_SIX, "4 × 6 in"))
_FOUND = 5
_AMOUNT, _REASON = 15, 300
_UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY


@require_GET
@require("orders:read")
def order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Show an order with all that belongs to it."""
    found = get_order(order_id)
    wanted = request.GET.get("tab", "lines")
    shown = [each for each in _TABS if each[0] != "timeline" or actor.current().can("audit:read")]
    tab = wanted if wanted in dict(shown) else "lines"
    url = order_url(order_id)
    lines = details.lines_of(found) if tab == "lines" else []
    past, family = details.past_of(found), details.family_of(found)
    context = {
        **_head(found),
        "tab": tab,
        "tabs": [(label, url if name == "lines" else f"{url}?tab={name}", name == tab) for name, label in shown],
        "lines": lines,
        "lots": sum(not line.is_removed for line in lines),
        "pieces": sum(line.ordered for line in lines),
        "timeline": details.timeline_of(found, past) if tab == "timeline" else (),
        "family": family,
        "papers": _PAPERS,
        "refunds": details.refunds_of(found),
        "address": details.address_lines(found),
        "steps": details.steps_of(found, past),
        "may_join": any(other.may_join for other in family.others),
        **_finding(request, found),
    }
    return render(request, "orders/order.html", context, partial="order-body")


def _finding(request: HttpRequest, found: Order) -> dict[str, Any]:
    """Answer the lots that were searched for a line that is of none."""
    text, line = request.GET.get("find", "").strip()[:100], request.GET.get("line", "")
    try:
        finding = UUID(line)
    except ValueError:
        return {}
    return {
        "find": text,
        "finding": finding,
        "found_lots": find_lots(text, limit=_FOUND) if text else [],
        "may_remember": found.store.channel in System.values,
    }


def _pieces(found: Order, typed: Any) -> list[dict[str, Any]]:
    """Answer lines with how many pieces can be named of each, and what was typed."""
    return [
        {
            "id": line.id, "item_type": line.item_type, "item_no": line.item_no, "item_name": line.item_name,
            "picture_no": line.picture_no, "color_id": line.color_id,
            "color": line.color, "name": line.name, "unit_price": line.unit_price,
            "most": line.left_outside if found.has_left else line.ordered, "typed": typed.get(f"qty_{line.id}", ""),
        }
        for line in details.lines_of(found)
        if not line.is_removed
    ]  # fmt: skip


def _head(found: Order) -> dict[str, Any]:
    """Answer what every page of an order shows: what may be done with it."""
    here, who = Status(found.status), actor.current()
    moves = details.moves_of(found) if who.can("orders:status_update") else []
    return {
        "order": found,
        "url": order_url(found.pk),
        "status_label": found.get_status_display(),
        "payment_label": found.get_payment_status_display(),
        "flags": details.flags_of(found),
        "is_own": found.store.channel == Channel.LOCAL,
        "forward": [each for each in moves if not each.is_back],
        "back": [each for each in moves if each.is_back],
        "may_cancel": who.can("orders:cancel") and lifecycle.is_allowed(here, Status.CANCELLED, By.USER)
        and here is not Status.CANCELLED,
        "may_refund": who.can("orders:refund") and here not in (Status.NEW, Status.REFUNDED)
        and found.refunded_total < found.grand_total,
        "may_write": who.can("orders:write"),
        "may_edit_lines": who.can("orders:write") and found.store.channel == Channel.LOCAL
        and here in lifecycle.EDITABLE and found.replaces_id is None,
        "may_replace": who.can("orders:write") and found.has_left,
        "is_open": found.is_open,
        "is_over": here in (Status.CANCELLED, Status.REFUNDED),
        "buyer_url": buyer_url(found.buyer_id) if found.buyer_id else "",
        "is_erased": bool(found.buyer and found.buyer.erased_at),
        "open_total": found.grand_total - found.refunded_total,
    }  # fmt: skip


def _done(request: HttpRequest, order_id: UUID, message: str) -> HttpResponse:
    return go_on(request, order_url(order_id), message=message, undo=current_change_set_id())


def _version(request: HttpRequest) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None  # noqa: PLR2004  # an int


# --- Its way --------------------------------------------------------------------------------------------------------
@require("orders:status_update")
def status(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Move an order on; a step back asks why first."""
    found = get_order(order_id)
    wanted = (request.POST if request.method == "POST" else request.GET).get("status", "")
    if wanted in lifecycle.ENDS:
        permission = "orders:cancel" if wanted == Status.CANCELLED else "orders:refund"
        raise PermissionDenied("Orders are cancelled and refunded on pages of their own.", permission=permission)
    if wanted not in OrderStatus.values:
        raise Invalid(errors={"/status": ["This is no status of an order."]})
    if request.method != "POST":
        return _ask_why(request, found, wanted)
    services.change_status(
        order_id=order_id, status=wanted, reason=request.POST.get("reason", ""), now=timezone.now(),
        expected_version=_version(request),
    )  # fmt: skip
    return _done(request, order_id, f"Order {found.external_order_id} is {OrderStatus(wanted).label.lower()}.")


def _ask_why(request: HttpRequest, found: Order, wanted: str) -> HttpResponse:
    label = OrderStatus(wanted).label.lower()
    context = {
        **_head(found),
        "form": ReasonForm(),
        "title": f"Set back to {label}",
        "text": f"The order is {found.get_status_display().lower()} now.",
        "action": f"Set back to {label}",
        "post_url": reverse("orders:status", args=[found.pk]),
        "hidden": [("status", wanted), ("version", found.version)],
    }
    return render(request, "orders/reason.html", context)


@require("orders:cancel")
def cancel(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """End an order before it ships."""
    found = get_order(order_id)
    if request.method == "POST":
        services.cancel_order(
            order_id=order_id, reason=request.POST.get("reason", ""), now=timezone.now(),
            expected_version=_version(request),
        )  # fmt: skip
        return _done(request, order_id, f"Order {found.external_order_id} is cancelled; its pieces are for sale again.")
    text = "Its pieces are for sale again at once."
    if found.store.channel != Channel.LOCAL:
        text += f" On {found.store.get_channel_display()} it is cancelled separately."
    context = {
        **_head(found), "form": ReasonForm(), "title": "Cancel order", "text": text, "action": "Cancel order",
        "destructive": True, "post_url": reverse("orders:cancel", args=[order_id]),
        "hidden": [("version", found.version)],
    }  # fmt: skip
    return render(request, "orders/reason.html", context)


@require_POST
@require("orders:write")
def payment(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Say how far the payment is."""
    services.set_payment(
        order_id=order_id, payment_status=request.POST.get("payment_status", ""), now=timezone.now(),
        expected_version=_version(request),
    )  # fmt: skip
    return _done(request, order_id, "Payment changed.")


def _offered(request: HttpRequest, left: Decimal) -> dict[str, Any]:
    """Answer what the form of a refund begins with: all that is left, or what the address says."""
    amount, reason = request.GET.get("amount", ""), request.GET.get("reason", "")
    return {"amount": amount[:_AMOUNT] or left, "reason": reason[:_REASON], "key": new_id()}


@require("orders:refund")
def refund(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Record that money was given back, all or part of it, and what becomes of the pieces."""
    found = get_order(order_id)
    left = found.grand_total - found.refunded_total
    form = RefundForm(request.POST) if request.method == "POST" else RefundForm(initial=_offered(request, left))
    if form.is_bound and form.is_valid():
        try:
            made = services.refund_order(
                order_id=order_id, amount=form.cleaned_data["amount"], reason=form.cleaned_data["reason"],
                restock=form.cleaned_data["restock"], pieces=pieces_of(request.POST),
                refund_id=form.cleaned_data["key"], now=timezone.now(),
            )  # fmt: skip
        except ProblemError as error:
            add_errors(form, error)
        else:
            return _done(request, order_id, f"{made.currency} {made.amount} refunded.")
    context = {
        **_head(found), "form": form, "lines": _pieces(found, request.POST or request.GET),
        "amount_label": f"Amount in {found.currency}",
        "amount_hint": f"{left} hasn't been given back yet. Giving all of it back ends the order.",
        "count_label": "Shipped" if found.has_left else "Ordered",
        "column_label": "Come back" if found.has_left else "Take off",
    }  # fmt: skip
    return render(request, "orders/refund.html", context, status=_UNPROCESSABLE if form.errors else 200)


# --- What is changed of it ------------------------------------------------------------------------------------------
@require("orders:write")
def edit(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Change address, shipping, tags, flags and notes."""
    found = get_order(order_id)
    form = EditForm(request.POST) if request.method == "POST" else EditForm(initial=EditForm.values_of(found))
    if form.is_bound and form.is_valid():
        try:
            services.update_order(
                order_id=order_id, changes=form.changes(may_move=found.is_open), now=timezone.now(),
                expected_version=form.cleaned_data["version"],
            )  # fmt: skip
        except Invalid as error:
            add_errors(form, error)
        else:
            return _done(request, order_id, "Order changed.")
    context = {**_head(found), "form": form}
    return render(request, "orders/edit.html", context, status=_UNPROCESSABLE if form.errors else 200)


@require_POST
@require("orders:write")
def notes(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Keep the notes of an order."""
    services.update_order(
        order_id=order_id, changes={"notes": request.POST.get("notes", "")}, now=timezone.now(),
        expected_version=_version(request),
    )  # fmt: skip
    return go_on(request, f"{order_url(order_id)}?tab=notes", message="Notes saved.", undo=current_change_set_id())


# --- Its lines ------------------------------------------------------------------------------------------------------
@require_POST
@require("orders:write")
def line(request: HttpRequest, order_id: UUID, line_id: UUID) -> HttpResponse:
    """Solve what is wrong with a line: another lot, fewer pieces, once more, or say which lot it is."""
    now, do = timezone.now(), request.POST.get("do", "")
    if "take" in request.POST:
        services.take_from_lot(order_id=order_id, line_id=line_id, lot_id=_lot(request, "take"), now=now)
        return _done(request, order_id, "Another lot steps in for the missing pieces.")
    if do == "drop":
        services.drop_short(order_id=order_id, line_id=line_id, now=now)
        return _done(request, order_id, "The missing pieces are off the order. Refund what they cost.")
    if do == "again":
        services.reserve_again(order_id=order_id, now=now)
        return _done(request, order_id, "What there is by now is reserved.")
    if do == "match":
        services.match_line(
            order_id=order_id, line_id=line_id, lot_id=_lot(request), remember="remember" in request.POST,
            decided_by_id=UUID(actor.current().id), now=now,
        )  # fmt: skip
        return _done(request, order_id, "The line is of that lot now.")
    raise Invalid(errors={"/do": ["This can't be done to a line."]})


def _lot(request: HttpRequest, name: str = "lot") -> UUID:
    try:
        return UUID(request.POST.get(name, ""))
    except ValueError as error:
        raise Invalid("Choose a lot.", errors={"/lot": ["Choose a lot."]}) from error


@require_POST
@require("orders:write")
def alone(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Take an order out of its parcel."""
    services.ship_alone(order_id=order_id, now=timezone.now())
    return _done(request, order_id, "It goes in a parcel of its own.")


@require_POST
@require("orders:write")
def together(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Put other open orders of the buyer into the same parcel."""
    try:
        others = [UUID(text) for text in request.POST.getlist("other")]
    except ValueError as error:
        raise Invalid(errors={"/other": ["These are no orders."]}) from error
    services.ship_together(order_ids=[order_id, *others], now=timezone.now())
    return _done(request, order_id, "These orders go in one parcel.")


@require("orders:write")
def replace(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Send pieces of a shipped order again, for nothing."""
    found = get_order(order_id)
    problem = ""
    if request.method == "POST":
        try:
            key = UUID(request.POST.get("key", ""))
            made = services.create_replacement(
                order_id=order_id, pieces=pieces_of(request.POST), now=timezone.now(), replacement_id=key
            )
        except Invalid as error:
            problem = " ".join(text for texts in error.errors.values() for text in texts)
        except ValueError:
            problem = "This form is too old. Open it anew."
        else:
            return redirect(request, order_url(made.pk))
    context = {
        **_head(found), "lines": _pieces(found, request.POST), "key": request.POST.get("key") or new_id(),
        "problem": problem, "count_label": "Shipped", "column_label": "Send again",
    }  # fmt: skip
    return render(request, "orders/replace.html", context, status=_UNPROCESSABLE if problem else 200)
