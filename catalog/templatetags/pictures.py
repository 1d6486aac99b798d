"""Draws the picture of an item into a page, from our own host."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.pictures import picture_url
from catalog.queries.images import IN_LISTS, ON_PAGES
from common.templatetags.ui import thing

register = template.Library()


@register.simple_tag
def picture(item_type: str, item_no: str, color_id: int | None, rgb: str, size: str = "") -> SafeString:
    """Draw an item in a color on its white plate: the outline of its type, and over it the picture when it is there.

    Always beside the item's number and name, so it says nothing to screen readers. `size`: `lg` for a page's own item.
    """
    side = ON_PAGES if size else IN_LISTS
    outline = thing(item_type, rgb)
    url = picture_url(item_type, item_no, color_id, side=side)
    if not url:
        return outline
    return format_html(
        '<span class="{}">{}<img src="{}" alt="" width="{}" height="{}" loading="lazy" decoding="async" data-picture>'
        "</span>",
        f"picture {size}".strip(),
        outline,
        url,
        side,
        side,
    )
