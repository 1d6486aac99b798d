"""Papers of one order, made as they are asked for."""

from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from common.access import require
from common.errors import NotFound
from common.http import HttpRequest
from common.paper import SlipPaper
from orders.queries.orders import get_order
from orders.queries.printing import papers_of
from orders.services import printing


@require_GET
@require("orders:read")
def packing_slip(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Answer the packing slip, on the paper that the address names, else on the shop's."""
    paper = request.GET.get("paper", "")
    if paper and paper not in SlipPaper.values:
        raise NotFound("There is no such paper.")
    return _pdf(order_id, "packing_slips", "packing-slip", paper=paper)


@require_GET
@require("orders:read")
def invoice(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Answer the invoice."""
    return _pdf(order_id, "invoices", "invoice")


def _pdf(order_id: UUID, kind: str, name: str, *, paper: str = "") -> HttpResponse:
    order = get_order(order_id)
    return HttpResponse(
        printing.draw(papers_of([order.pk]), kind=kind, paper=paper),
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{name}-{order.number}.pdf"',
            "Cache-Control": "private, no-store",
        },
    )
