"""The request as our views see it: Django's, with what the middleware adds."""

from typing import TYPE_CHECKING

from django.http import HttpRequest as DjangoHttpRequest

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails


class HttpRequest(DjangoHttpRequest):
    """A request that passed the middleware."""

    htmx: "HtmxDetails"
    request_id: str
