"""The address of an item's picture on our own host, made from what a lot says of itself: lists ask for nothing more."""

from functools import cache
from urllib.parse import quote

from django.urls import NoReverseMatch, get_urlconf, reverse

from catalog.queries.images import IN_LISTS

_STAND_IN = "x"


@cache
def _beginning(_urlconf: str | None) -> str:
    """Answer what stands before the size; nothing where the installation serves no pictures."""
    try:
        return reverse("catalog:image", args=[IN_LISTS, _STAND_IN, 0, _STAND_IN]).rpartition(f"/{IN_LISTS}/")[0]
    except NoReverseMatch:
        return ""


def picture_url(item_type: str, item_no: str, color_id: int | None, *, side: int) -> str:
    """Answer where the picture is; nothing for a thing without a number."""
    beginning = _beginning(get_urlconf())
    return (
        f"{beginning}/{side}/{item_type}/{color_id or 0}/{quote(item_no, safe='')}"
        if item_type and item_no and beginning
        else ""
    )
