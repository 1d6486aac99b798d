"""Draws QR codes into the page, as shapes and without styles, so that they print sharp and need no image."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from inventory.qr import shape_of

register = template.Library()


@register.simple_tag
def qr(payload: str) -> SafeString:
    """Draw the payload's QR code, hidden from screen readers: the label says the same in words."""
    size, path = shape_of(payload)
    return format_html(
        '<svg class="code" viewBox="0 0 {0} {0}" shape-rendering="crispEdges" aria-hidden="true"><path d="{1}"/></svg>',
        size,
        path,
    )
