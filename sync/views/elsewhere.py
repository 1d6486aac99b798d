"""What pages of other floors show of runs: parts that they fetch by their address."""

from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from common.access import require
from common.errors import BadRequest
from common.htmx import render
from common.http import HttpRequest
from sync.queries import conflicts, listing

_SHOWN = 5


@require_GET
@require("sync:read")
def work(request: HttpRequest) -> HttpResponse:
    """Show which plans wait to be approved and which conflicts to be decided: of one store (`store`), or of all."""
    try:
        store_id = UUID(request.GET["store"]) if request.GET.get("store") else None
    except ValueError:
        raise BadRequest("That is no store's number.") from None
    counts = conflicts.count_by_store()
    stores = listing.stores_with_conflicts() if counts else ()
    context = {
        "runs": list(listing.waiting_runs(store_id)[:_SHOWN]),
        "conflicts": [(store, counts[store.pk]) for store in stores if store_id in (None, store.pk)],
    }
    return render(request, "sync/work.html", context, partial=("sync-work", "sync-rows"))
