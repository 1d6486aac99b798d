"""Orders as a file to be kept; its bytes are made while they are sent."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from itertools import chain, islice
from typing import Any

import structlog
from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from common import workspace
from common.workspace import Workspace
from inventory.parsing.columns import guarded
from orders.models import Order
from orders.queries.exporting import Per, header, stream_rows
from orders.queries.filters import Filters, filtered

logger = structlog.get_logger(__name__)

_PIECE_ROWS = 500
# Without it Excel takes the file for Windows' table.
_MARK = b"\xef\xbb\xbf"


def as_csv(filters: Filters, *, per: Per, now: datetime) -> StreamingHttpResponse:
    """Answer the orders that the filters leave as CSV, a row for each order or for each line."""
    shop = workspace.current()
    logger.info("orders.exported", per=per.value, filters=sorted(filters.values))
    response = StreamingHttpResponse(_pieces(shop, filters, per), content_type="text/csv; charset=utf-8")
    name = f"{shop.slug}-{per.value}-{now.astimezone(shop.zone):%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response


def _pieces(shop: Workspace, filters: Filters, per: Per) -> Iterator[bytes]:
    # The body is made after the middleware has left the shop.
    with workspace.enter(shop.key):
        found: QuerySet[Order] = filtered(filters)
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        rows = chain([header(per)], ([_cell(value, shop) for value in row] for row in stream_rows(found, per=per)))
        yield _MARK
        while batch := list(islice(rows, _PIECE_ROWS)):
            writer.writerows(batch)
            yield text.getvalue().encode("utf-8", "replace")
            text.seek(0)
            text.truncate()


def _cell(value: Any, shop: Workspace) -> Any:
    """Answer a value as a cell: no text is taken for a formula, times are the shop's."""
    match value:
        case str():
            return guarded(value)
        case datetime():
            return f"{value.astimezone(shop.zone):%Y-%m-%d %H:%M}"
        case _:
            return value
