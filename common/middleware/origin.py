"""Names each request, so that its log lines, its audit rows and its answer can be found together."""

import re
from collections.abc import Callable
from ipaddress import ip_address

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from common.actor import Origin, use_origin
from common.ids import new_id

_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def client_address(request: HttpRequest) -> str | None:
    """Answer the client's address; X-Forwarded-For counts only as far as our own proxies wrote it."""
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    hops = settings.TRUSTED_PROXY_COUNT
    if hops and len(forwarded) >= hops:
        return forwarded[-hops]
    address: str | None = request.META.get("REMOTE_ADDR") or None
    return address


def _valid_address(text: str | None) -> str | None:
    try:
        return str(ip_address(text)) if text else None
    except ValueError:
        return None


class OriginMiddleware:
    """Takes over a well-formed X-Request-ID or makes one, and binds it to everything inside the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _ACCEPTABLE_ID.fullmatch(given) else str(new_id())
        origin = Origin(
            request_id=request_id,
            correlation_id=request_id,
            ip_address=_valid_address(client_address(request)),
            user_agent=request.headers.get("User-Agent", "")[:400],
        )
        request.request_id = request_id  # type: ignore[attr-defined]  # common.http.HttpRequest declares it
        with use_origin(origin), structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response
