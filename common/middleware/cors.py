"""Which other origins' scripts may call the API: a list, without cookies (reliability.md, check 36)."""

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

_METHODS = "GET, HEAD, POST, PATCH, PUT, DELETE"
_REQUEST_HEADERS = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-ID"
_RESPONSE_HEADERS = (
    "ETag, Idempotency-Replayed, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID, WWW-Authenticate"
)
_PREFLIGHT_AGE_S = 3600


def _is_listed(origin: str) -> bool:
    """Tell whether the installation names the origin, or it is one of our own hosts."""
    usual = {"http": 80, "https": 443}[settings.PUBLIC_SCHEME]
    port = "" if usual == settings.PUBLIC_PORT else f":{settings.PUBLIC_PORT}"
    ours = rf"{settings.PUBLIC_SCHEME}://([a-z0-9-]+\.)?{re.escape(settings.BASE_DOMAIN)}{port}"
    return origin in settings.CORS_ORIGINS or re.fullmatch(ours, origin) is not None


class CorsMiddleware:
    """Answers preflights, and lets the listed origins read the API's answers. Cookies of ours are never sent along."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/api/"):
            return self.get_response(request)
        origin = request.headers.get("Origin", "")
        listed = _is_listed(origin)
        preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = HttpResponse(status=204) if preflight else self.get_response(request)
        patch_vary_headers(response, ("Origin",))
        if listed:
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Expose-Headers"] = _RESPONSE_HEADERS
        if listed and preflight:
            response["Access-Control-Allow-Methods"] = _METHODS
            response["Access-Control-Allow-Headers"] = _REQUEST_HEADERS
            response["Access-Control-Max-Age"] = str(_PREFLIGHT_AGE_S)
        return response
