"""Stock as a file to be kept: what the list shows, or what is chosen in it."""

from typing import cast

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from common.access import require
from common.errors import NotFound
from common.http import HttpRequest
from common.tables import BESIDE
from inventory import downloads, formats
from inventory.queries.filters import Filters
from inventory.views.bulk import selection_of


@require_http_methods(["GET", "POST"])
@require("inventory:export")
def export(request: HttpRequest) -> HttpResponse:
    """Answer the lots that the address' filters leave as a file; of a POST those that are chosen."""
    asked = request.POST if request.method == "POST" else request.GET
    try:
        file_format = formats.get(asked.get("format", ""))
    except LookupError:
        raise NotFound("There is no such kind of file.") from None
    filters = _chosen(request) if request.method == "POST" else Filters.parse(request.GET, beside={*BESIDE, "format"})
    return cast("HttpResponse", downloads.as_file(filters, file_format=file_format, now=timezone.now()))


def _chosen(request: HttpRequest) -> Filters:
    selection = selection_of(request)
    if selection.query is not None:
        return Filters.parse(selection.query)
    # Straight as values: so many ids are no address.
    return Filters({"ids": selection.ids})
