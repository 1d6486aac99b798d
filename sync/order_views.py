"""Pages of what lies between orders and their channels, and the address at which channels tell us something."""

from http import HTTPStatus
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from common import actor, htmx, limits
from common.access import open_to_all, require
from common.errors import RateLimited
from common.http import HttpRequest
from common.limits import Limit, network_of
from orders.queries.orders import get_order
from sync import services
from sync.queries import orders as queries
from sync.remote import Incoming
from sync.services import messages, notifying, pulling, telling

# A marketplace may tell a lot at once; who guesses tokens, and who has one and floods us, are stopped.
_OF_ADDRESS, _OF_TOKEN = Limit.of("notify_address", "600/min"), Limit.of("notify", "300/min")
_TOKEN_LENGTH = 64


@require_GET
@require("stores:read", "orders:read")
def of_store(request: HttpRequest, store_id: UUID) -> HttpResponse:
    """Show which orders wait between a store and us, and where its channel tells us things."""
    view = queries.of_store(store_id)
    may_see_address = actor.current().can("stores:credentials")
    context = {"view": view, "store": view.store, "may_see_address": may_see_address}
    return htmx.render(request, "sync/store_orders.html", context, partial="store-orders")


@require_POST
@require("sync:apply")
def sync_now(request: HttpRequest, store_id: UUID) -> HttpResponse:
    """Read a store's orders, and send what is different there, in a job."""
    # The minute makes a double click one job.
    job = services.start_sync(store_id=store_id, key=f"{store_id}:{timezone.now():%Y%m%d%H%M}")
    return htmx.redirect(request, reverse("jobs:detail", args=[job.pk]))


@require_POST
@require("stores:write", "orders:write")
def stuck(request: HttpRequest, store_id: UUID, stuck_id: int) -> HttpResponse:
    """Have an order that can't be taken over be tried no more."""
    left = pulling.leave_stuck(store_id=store_id, stuck_id=stuck_id)
    message = f"Order {left.external_order_id} is left out. It comes in if it changes there."
    return htmx.go_on(request, reverse("stores:store", args=[store_id]), message=message)


@require_GET
@require("orders:read")
def waiting(request: HttpRequest) -> HttpResponse:
    """Show the orders that couldn't be taken over, as the dashboard's card."""
    return htmx.render(request, "sync/orders_waiting.html", {"stuck": queries.stuck_orders()}, partial="orders-waiting")


@require_GET
@require("orders:read")
def told(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Show what its channel was told of an order."""
    order = get_order(order_id)
    context = {"order": order, "told": queries.told_of(order)}
    return htmx.render(request, "sync/order_told.html", context, partial="order-told")


@require_POST
@require("orders:status_update")
def tell_again(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Have a channel be told once more of an order that it didn't take."""
    order = get_order(order_id)
    telling.tell_again(order_id=order_id, now=timezone.now())
    message = f"{order.store.name} is told again"
    return htmx.go_on(request, reverse("orders:order", args=[order_id]), message=message)


@require_POST
@require("orders:write")
def read_messages(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Read what was written about an order on its channel."""
    count = messages.read_messages(order_id=order_id, now=timezone.now())
    words = f"{count:,} message{'' if count == 1 else 's'}" if count else "Nobody wrote about this order"
    return htmx.go_on(request, reverse("orders:order", args=[order_id]), message=words)


@csrf_exempt
@require_POST
@open_to_all
def notify(request: HttpRequest, channel: str, token: str) -> HttpResponse:
    """Take in what a channel tells by itself. Nothing of it is believed."""
    takes = [(_OF_ADDRESS, network_of(actor.origin().ip_address)), (_OF_TOKEN, token[:_TOKEN_LENGTH])]
    if refused := [verdict.reset_s for verdict in limits.take_all(takes) if not verdict.allowed]:
        raise RateLimited(retry_after=max(refused))
    headers = {name.lower(): value for name, value in request.headers.items()}
    incoming = Incoming(body=request.body, headers=headers, query=request.GET.dict())
    notifying.take_in(channel=channel, token=token, incoming=incoming, now=timezone.now())
    return HttpResponse(status=HTTPStatus.NO_CONTENT)
