"""Pages of orders that come in by a file: give it, look, take its orders over."""

from itertools import chain
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from common.access import require
from common.errors import Invalid
from common.htmx import go_on, redirect, render
from common.http import HttpRequest
from common.ids import new_id
from inventory.views.parts import outcome_of, position_of, standing_of, tabs_of
from orders.choices import FileOutcome
from orders.files import columns
from orders.forms import OrderFileForm, TakeOverForm
from orders.queries import files as queries
from orders.services import files as services


@require("orders:write")
def file_list(request: HttpRequest) -> HttpResponse:
    """Take a file of orders in, and show what became of the latest ones."""
    form = OrderFileForm(request.POST or None, request.FILES or None, initial={"key": str(new_id())})
    status = 200
    if request.method == "POST":
        if form.is_valid():
            upload = form.cleaned_data["file"]
            try:
                run = services.start_file(
                    file=upload.file, file_name=upload.name, key=form.cleaned_data["key"], now=timezone.now()
                )
                return redirect(request, reverse("orders:file", args=[run.pk]))
            except Invalid as error:
                form.add_error("file", error.detail or " ".join(chain.from_iterable(error.errors.values())))
        status = 422
    latest = list(queries.recent_files())
    limit = settings.UPLOAD_MAX_BYTES // (1024 * 1024)
    context = {"form": form, "files": latest, "limit_mb": limit, "columns": columns.described()}
    return render(request, "orders/files.html", context, status=status)


@require_GET
@require("orders:write")
def template(request: HttpRequest) -> HttpResponse:
    """Answer a file with all columns, to be filled."""
    response = HttpResponse(columns.template(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="orders-template.csv"'
    return response


@require_GET
@require("orders:write")
def file(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """Show where a file stands: its progress, its preview, its result."""
    run = queries.get_file(file_id)
    standing = standing_of(run)
    outcomes = list(FileOutcome)
    outcome = outcome_of(run, request.GET.get("orders", ""), outcomes)
    shows = outcome is not None and not standing["is_busy"]
    count = {each: run.counts.get(each, 0) for each in FileOutcome}
    context = {
        **standing,
        "form": TakeOverForm(),
        "tabs": tabs_of(run, f"{reverse('orders:file', args=[run.pk])}?orders=", outcomes, outcome),
        "outcome": outcome,
        "page": queries.orders_of(run, outcome=outcome, after=position_of(request)) if shows and outcome else None,
        "to_do": count[FileOutcome.NEW] + count[FileOutcome.CHANGED],
        "counts": {name.lower(): value for name, value in {**run.counts, **count}.items()},
    }
    return render(request, "orders/file.html", context, partial=("import", "orders"))


@require_POST
@require("orders:write")
def approve(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """Take over what the preview shows."""
    form = TakeOverForm(request.POST)
    leaves_stock = form.is_valid() and form.cleaned_data["leaves_stock"]
    services.approve(file_id=file_id, leaves_stock=leaves_stock, now=timezone.now())
    return redirect(request, reverse("orders:file", args=[file_id]))


@require_POST
@require("orders:write")
def discard(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """Throw a preview away."""
    services.discard(file_id=file_id, now=timezone.now())
    return go_on(request, reverse("orders:files"), message="File discarded. No order was changed.")
