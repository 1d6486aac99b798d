"""Stock as a file to be kept, for pages and the API."""

from collections.abc import Iterator
from datetime import datetime

import structlog
from django.http import StreamingHttpResponse

from common import workspace
from inventory.formats.base import Format
from inventory.queries.exporting import around_of, stream_lots
from inventory.queries.filters import Filters, filtered

logger = structlog.get_logger(__name__)


def as_file(filters: Filters, *, file_format: Format, now: datetime) -> StreamingHttpResponse:
    """Answer the lots that the filters leave as a file to be kept; its bytes are made while they are sent."""
    shop = workspace.current()
    spec = file_format.spec
    logger.info("inventory.exported", format=spec.code, filters=filters.as_query())
    response = StreamingHttpResponse(
        _pieces(shop.key, shop.currency, filters, file_format), content_type=spec.media_type
    )
    name = f"{shop.slug}-{now.astimezone(shop.zone):%Y-%m-%d}{spec.suffix}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _pieces(key: str, currency: str, filters: Filters, file_format: Format) -> Iterator[bytes]:
    # The body is made after the middleware has left the shop.
    with workspace.enter(key):
        code = file_format.spec.code
        lots = stream_lots(filtered(filters), format_code=code)
        yield from file_format.write(lots, currency=currency, around=around_of(code))
