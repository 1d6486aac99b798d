"""What pages of lower floors show of orders: parts that they fetch by their address."""

from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from common.access import require
from common.errors import Invalid
from common.htmx import render
from common.http import HttpRequest
from inventory.queries.lots import get_lot
from orders.queries import dashboard
from orders.queries import orders as queries

_NUMBER = 60


@require_GET
@require("orders:read")
def of_lot(request: HttpRequest, lot_id: UUID) -> HttpResponse:
    """Show the newest orders with pieces of a lot."""
    lot = get_lot(lot_id)
    context = {
        "rows": queries.orders_of_lot(lot.pk, limit=8),
        "all_url": f"{reverse('orders:list')}?{urlencode({'lot': str(lot_id)})}",
    }
    return render(request, "orders/of_lot.html", context, partial="lot-orders")


@require_GET
@require("orders:read")
def of_item(request: HttpRequest) -> HttpResponse:
    """Show the open orders that contain an item."""
    kind, number = request.GET.get("type", ""), request.GET.get("no", "")
    if not number or len(number) > _NUMBER or "\x00" in kind + number:
        raise Invalid(errors={"/no": ["Name an item."]})
    demand = queries.open_demand(kind, number)
    context = {
        "demand": demand,
        "all_url": f"{reverse('orders:list')}?{urlencode({'tab': 'todo', 'item': number})}",
    }
    return render(request, "orders/of_item.html", context, partial="item-orders")


@require_GET
@require("orders:read")
def work(request: HttpRequest) -> HttpResponse:
    """Show what of the orders waits; the dashboard has its rows."""
    return render(request, "orders/work.html", {"work": dashboard.work()}, partial="order-rows")
