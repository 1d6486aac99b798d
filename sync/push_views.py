"""Parts of pages that say how stock stands at stores: a store's figures, a lot's listings."""

from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from common import htmx
from common.access import require
from common.http import HttpRequest
from inventory.queries.lots import get_lot
from stores import queries as stores
from sync.queries.figures import figures_of
from sync.queries.listed import why


@require_GET
@require("stores:read")
def stock_of_store(request: HttpRequest, store_id: UUID) -> HttpResponse:
    """Show how a store's stock stands."""
    store = stores.get_store(store_id)
    context = {"store": store, "figures": figures_of(store, now=timezone.now())}
    return htmx.render(request, "sync/store_stock.html", context, partial="store-stock")


@require_GET
@require("inventory:read")
def listings_of_lot(request: HttpRequest, lot_id: UUID) -> HttpResponse:
    """Show how a lot stands at each store."""
    lot = get_lot(lot_id)
    return htmx.render(request, "sync/lot_listings.html", {"lot": lot, "rows": why(lot)}, partial="lot-listings")
