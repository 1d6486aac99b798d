"""An order typed in: lots are searched and added one by one, and nothing is kept until it is saved."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.utils import timezone

from audit.context import current_change_set_id
from common import workspace
from common.access import require
from common.errors import Conflict, Invalid, ProblemError
from common.htmx import go_on, redirect, render
from common.http import HttpRequest
from common.ids import new_id
from common.templatetags.ui import SYMBOLS
from inventory.queries.holdings import lots_by_id
from inventory.queries.lots import find_lots
from inventory.queries.rows import LotRow, rows_of
from orders import services
from orders.errors import OrderClosed
from orders.forms import NewOrderForm, add_errors, lines_of
from orders.lifecycle import EDITABLE
from orders.models import Order
from orders.queries import details
from orders.queries.orders import get_order, order_url
from orders.services import NewOrder
from stores.choices import Channel

_FOUND = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the form, as typed."""

    lot: LotRow
    qty: str
    price: str
    line_id: str

    @property
    def total(self) -> Decimal | None:
        """Answer what it comes to, if that can be told."""
        try:
            price = Decimal(self.price.replace(",", ".")) if self.price.strip() else self.lot.unit_price
            return (price * int(self.qty)).quantize(Decimal("0.01"))
        except (InvalidOperation, ValueError):
            return None


def _entries(data: QueryDict) -> list[Entry]:
    """Answer the lines of the form; one that is to be added comes last, and once."""
    lots, counts = data.getlist("lot"), data.getlist("qty")
    prices, lines = data.getlist("price"), data.getlist("line")
    rows = [
        (lot, counts[i] if i < len(counts) else "1", prices[i] if i < len(prices) else "",
         lines[i] if i < len(lines) else "")
        for i, lot in enumerate(lots)
    ]  # fmt: skip
    gone = data.get("remove", "")
    rows = [row for row in rows if row[0] != gone]
    added = data.get("add", "")
    if added and added not in [row[0] for row in rows]:
        rows.append((added, "1", "", ""))
    keys = [key for row in rows if (key := _key(row[0]))]
    shown = {row.id: row for row in rows_of(lots_by_id(keys).values())}
    return [Entry(shown[key], qty, price, line) for lot, qty, price, line in rows if (key := _key(lot)) in shown]


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@require("orders:write")
def new(request: HttpRequest) -> HttpResponse:
    """Type in an order of the shop's own counter."""
    data = request.POST if request.method == "POST" else QueryDict()
    form = NewOrderForm(data if "save" in data else None, initial=data.dict() if data else {"is_paid": True})
    if "save" in data and form.is_valid():
        try:
            wanted = NewOrder(
                lines=lines_of(data), values=form.values, is_paid=form.cleaned_data["is_paid"],
                order_id=_key(data.get("key", "")),
            )  # fmt: skip
            order = services.create_order(new=wanted, now=timezone.now())
        except Invalid as error:
            add_errors(form, error)
        else:
            return redirect(request, order_url(order.pk))
    context = {"form": form, "key": data.get("key") or new_id(), **_lines_context(request)}
    return _answer(request, "orders/new.html", context, form)


@require("orders:write")
def edit_lines(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Change what an order of our own is of, until picking begins."""
    order = get_order(order_id)
    if order.store.channel != Channel.LOCAL or order.status not in EDITABLE:
        raise OrderClosed("Lines can be changed until picking begins, and only of orders typed in here.")
    problem = ""
    if request.method == "POST" and "save" in request.POST:
        try:
            services.set_lines(
                order_id=order_id, lines=lines_of(request.POST), now=timezone.now(),
                expected_version=int(request.POST.get("version", "0") or 0),
            )  # fmt: skip
        except (Invalid, Conflict, ValueError) as error:
            problem = _words(error)
        else:
            return go_on(request, order_url(order_id), message="Lines changed.", undo=current_change_set_id())
    context = {
        "order": order, "problem": problem, "version": request.POST.get("version") or order.version,
        **_lines_context(request, order),
    }  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return render(request, "orders/lines.html", context, partial="new-order", status=status)


def _words(error: Exception) -> str:
    if isinstance(error, Invalid):
        return " ".join(text for texts in error.errors.values() for text in texts)
    return error.detail if isinstance(error, ProblemError) else "This form is too old. Open it anew."


def _lines_context(request: HttpRequest, order: Order | None = None) -> dict[str, Any]:
    data = request.POST if request.method == "POST" else _typed(order)
    text = data.get("q", "").strip()[:100]
    entries = _entries(data)
    taken = {entry.lot.id for entry in entries}
    totals = [entry.total for entry in entries]
    currency = workspace.current().currency
    # What was added ends the search; the next one begins anew.
    searched = bool(text) and "add" not in data
    found = find_lots(text, limit=_FOUND) if searched else []
    return {
        "entries": entries,
        "q": "" if "add" in data else text,
        "found": [lot for lot in found if lot.id not in taken],
        "searched": bool(text) and "add" not in data,
        "goods": sum((total for total in totals if total is not None), Decimal(0)),
        "currency": currency,
        "symbol": SYMBOLS.get(currency, currency),
    }


def _typed(order: Order | None) -> QueryDict:
    """Answer an order's lines as the form would send them."""
    data = QueryDict(mutable=True)
    for line in details.lines_of(order) if order else ():
        if line.lot_id and not line.is_removed:
            data.appendlist("lot", str(line.lot_id))
            data.appendlist("qty", str(line.ordered))
            data.appendlist("price", f"{line.unit_price.normalize():f}")
            data.appendlist("line", str(line.id))
    return data


def _answer(request: HttpRequest, template: str, context: dict[str, Any], form: NewOrderForm) -> HttpResponse:
    has_errors = form.is_bound and bool(form.errors)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if has_errors else HTTPStatus.OK
    return render(request, template, context, partial="new-order", status=status)
