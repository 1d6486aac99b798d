"""The pictures of items, from our own host: at once, whatever there is, and a worker fetches what there isn't."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from catalog import colors, services
from catalog.choices import ItemType
from catalog.drawings import drawing
from catalog.models import CatalogImage
from catalog.queries import images as queries
from common.access import signed_in
from common.errors import NotFound

# A picture is looked at again and again, and seldom changes; that there is none may change any hour.
_KEPT_S, _NONE_S = 7 * 24 * 3600, 3600
# What a drawing says by its size: below 64 pixels a picture may be here in a moment, and asking again is worth it.
ON_ITS_WAY, NO_PICTURE = 32, 64


@require_safe
@signed_in
def image(request: HttpRequest, side: int, item_type: str, color_id: int, item_no: str) -> HttpResponse:
    """Answer the picture of an item in a color, or a drawing until there is one."""
    return picture_response(request, side=side, item_type=item_type, item_no=item_no, color_id=color_id)


def picture_response(
    request: HttpRequest, *, side: int, item_type: str, item_no: str, color_id: int
) -> HttpResponse:  # fmt: skip
    """Answer a picture without asking anybody; one that is due is fetched by a worker meanwhile.

    Raises NotFound for a size or type that there is none of.
    """
    if side not in queries.SIDES or item_type not in ItemType.values:
        raise NotFound("There is no such picture.")
    now = timezone.now()
    known = queries.get_image(item_type, item_no, color_id)
    is_coming = services.want_image(known=known, item_type=item_type, item_no=item_no, color_id=color_id, now=now)
    if known and known.content_hash and (answer := _kept(request, known, side, now)):
        services.note_used(image=known, now=now)
        return answer
    color = colors.get(color_id) if color_id else None
    body = drawing(item_type, color.rgb if color else "", side=ON_ITS_WAY if is_coming else NO_PICTURE)
    caching = "no-store" if is_coming else f"private, max-age={_NONE_S}"
    return HttpResponse(body, content_type="image/svg+xml", headers={"Cache-Control": caching})


def _kept(request: HttpRequest, known: CatalogImage, side: int, now: datetime) -> HttpResponse | None:
    etag = f'"{known.content_hash[:32]}-{side}"'
    headers = {"ETag": etag, "Cache-Control": f"private, max-age={_KEPT_S}"}
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        for name, value in headers.items():
            unchanged[name] = value
        return unchanged
    data = services.read_image(image=known, side=side)
    if data is None:
        services.note_lost(image=known, now=now)
        return None
    return HttpResponse(data, content_type="image/webp", headers=headers)
