"""Pages of purchases: the list, one with its lots and what it has brought in, add, change, delete."""

from http import HTTPStatus
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from audit.context import current_change_set_id
from common import htmx
from common.access import require
from common.errors import Invalid, ProblemError
from common.http import HttpRequest
from inventory import services
from inventory.forms.storage import AddToPurchaseForm, PurchaseForm, QuantityForm, add_errors
from inventory.models import InventoryItem
from inventory.queries import locations as lots
from inventory.queries import purchases as queries
from inventory.views.parts import page_of, scanned_lots, start_of

PAGE = 50
LINES = 100
_UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY


def _page_url(purchase_id: UUID) -> str:
    return reverse("inventory:purchase", args=[purchase_id])


@require_GET
@require("inventory:read")
def purchase_list(request: HttpRequest) -> HttpResponse:
    """Show the purchases, newest first, and what each has brought in."""
    text, first = request.GET.get("q", "").strip()[:100], start_of(request)
    rows, total = queries.list_purchases(queries.purchases_matching(text), first=first, count=PAGE)
    context = {
        "rows": rows,
        "q": text,
        "page": page_of(request, first=first, shown=len(rows), total=total, size=PAGE),
    }
    return htmx.render(request, "inventory/purchases.html", context, partial="rows")


@require_GET
@require("inventory:read")
def purchase(request: HttpRequest, purchase_id: UUID) -> HttpResponse:
    """Show a purchase with its lots; `?q=` looks for lots to add."""
    return _purchase_page(request, purchase_id)


def _purchase_page(request: HttpRequest, purchase_id: UUID, *, problem: str = "") -> HttpResponse:
    found = queries.get_purchase(purchase_id)
    first = start_of(request)
    lines, total = queries.lines_of(purchase_id, first=first, count=LINES)
    text = (request.GET.get("q") or request.POST.get("q", "")).strip()[:100]
    candidates: list[InventoryItem] = []
    if text:
        try:
            candidates = scanned_lots(text, field="q")
        except Invalid as error:
            problem = problem or " ".join(error.errors["/q"])
    context = {
        "purchase": found,
        "payback": queries.paybacks([found])[found.pk],
        "lines": lines,
        "page": page_of(request, first=first, shown=len(lines), total=total, size=LINES),
        "q": text,
        "candidates": [{"lot": lot, "look": lots.color_look(lot.color_id)} for lot in candidates],
        "problem": problem,
    }
    status = _UNPROCESSABLE if problem and request.method == "POST" else HTTPStatus.OK
    return htmx.render(request, "inventory/purchase.html", context, partial="adding", status=status)


def _form_page(request: HttpRequest, form: PurchaseForm, purchase_id: UUID | None = None) -> HttpResponse:
    status = _UNPROCESSABLE if form.is_bound and form.errors else HTTPStatus.OK
    back = _page_url(purchase_id) if purchase_id else reverse("inventory:purchases")
    context = {"form": form, "purchase_id": purchase_id, "back": back}
    return htmx.render(request, "inventory/purchase_form.html", context, status=status)


@require("inventory:write")
def purchase_new(request: HttpRequest) -> HttpResponse:
    """Add a purchase."""
    today = timezone.localdate()
    form = PurchaseForm(request.POST) if request.method == "POST" else PurchaseForm(initial={"purchase_date": today})
    if form.is_bound and form.is_valid():
        try:
            made = services.create_purchase(values=form.cleaned_data)
        except Invalid as error:
            add_errors(form, error)
        else:
            url = _page_url(made.pk)
            return htmx.go_on(request, url, message=f"{made.name} added", undo=current_change_set_id())
    return _form_page(request, form)


@require("inventory:write")
def purchase_edit(request: HttpRequest, purchase_id: UUID) -> HttpResponse:
    """Change a purchase; its cost is spread anew."""
    found = queries.get_purchase(purchase_id)
    form = (
        PurchaseForm(request.POST) if request.method == "POST" else PurchaseForm(initial=PurchaseForm.values_of(found))
    )
    if form.is_bound and form.is_valid():
        try:
            services.update_purchase(purchase_id=purchase_id, changes=form.cleaned_data, now=timezone.now())
        except Invalid as error:
            add_errors(form, error)
        else:
            undo = current_change_set_id()
            message = f"{form.cleaned_data['name']} changed" if undo else "Nothing changed"
            return htmx.go_on(request, _page_url(purchase_id), message=message, undo=undo)
    return _form_page(request, form, purchase_id)


@require_POST
@require("inventory:delete")
def purchase_delete(request: HttpRequest, purchase_id: UUID) -> HttpResponse:
    """Delete a purchase; its lots stay, and cost what they did without it."""
    name = services.delete_purchase(purchase_id=purchase_id, now=timezone.now())
    url = reverse("inventory:purchases")
    return htmx.go_on(request, url, message=f"{name} deleted", undo=current_change_set_id())


# --- Its lots -------------------------------------------------------------------------------------------------------
@require_POST
@require("inventory:write")
def purchase_add(request: HttpRequest, purchase_id: UUID, lot_id: UUID) -> HttpResponse:
    """Say that a purchase brought pieces to a lot."""
    form = QuantityForm(request.POST)
    try:
        if not form.is_valid():
            raise Invalid("A number of pieces, 1 or more.")
        services.add_lots(purchase_id=purchase_id, quantities={lot_id: form.cleaned_data["qty"]}, now=timezone.now())
    except Invalid as error:
        return _purchase_page(request, purchase_id, problem=error.detail or "A number of pieces, 1 or more.")
    return htmx.go_on(request, _page_url(purchase_id), message="Lot added", undo=current_change_set_id())


@require_POST
@require("inventory:write")
def purchase_line(request: HttpRequest, line_id: UUID) -> HttpResponse:
    """Change how many pieces a purchase brought to a lot, or take the lot out (`remove`)."""
    now, url = timezone.now(), htmx.safe_next(request, reverse("inventory:purchases"))
    if "remove" in request.POST:
        services.remove_line(line_id=line_id, now=now)
        return htmx.go_on(request, url, message="Lot taken out of the purchase", undo=current_change_set_id())
    form = QuantityForm(request.POST)
    if not form.is_valid() or form.cleaned_data["qty"] is None:
        raise Invalid("A number of pieces, 1 or more.")
    services.set_line(line_id=line_id, qty=form.cleaned_data["qty"], now=now)
    undo = current_change_set_id()
    return htmx.go_on(request, url, message="Pieces changed" if undo else "Nothing changed", undo=undo)


@require("inventory:write")
def lot_purchase(request: HttpRequest, lot_id: UUID) -> HttpResponse:
    """Say with which purchase a lot came."""
    lot, purchases = lots.get_lot(lot_id), queries.names_of_purchases()
    form = AddToPurchaseForm(request.POST if request.method == "POST" else None, purchases=purchases)
    if form.is_bound and form.is_valid():
        purchase_id = UUID(form.cleaned_data["purchase"])
        try:
            services.add_lots(
                purchase_id=purchase_id, quantities={lot_id: form.cleaned_data["qty"]}, now=timezone.now()
            )
        except ProblemError as error:
            add_errors(form, error)
        else:
            return htmx.go_on(request, _page_url(purchase_id), message="Lot added", undo=current_change_set_id())
    status = _UNPROCESSABLE if form.is_bound else HTTPStatus.OK
    context = {"form": form, "lot": lot, "look": lots.color_look(lot.color_id), "has_purchases": bool(purchases)}
    return htmx.render(request, "inventory/lot_purchase.html", context, status=status)
