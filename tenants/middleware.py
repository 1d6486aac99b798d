"""Decides by the host which schema and which URLs a request sees, before anything of it touches the database."""

import json
from collections.abc import Callable, Iterator
from typing import Any, cast

import structlog
from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse, UnreadablePostError
from django.http.request import split_domain_port
from django.template.loader import render_to_string
from django_tenants.utils import tenant_context
from psycopg_pool import PoolTimeout

from accounts.tokens import workspace_key_of
from common.error_responses import problem_json, problem_response, wants_json
from common.errors import NotFound, Unavailable
from tenants.errors import Suspended
from tenants.routing import HostKind, Shop, host_of, kind_of, site_url, tenant_for_host, tenant_for_schema
from tenants.schemas import PUBLIC

_SMALL_BODY = 64 * 1024
_RETRY_AFTER_S = 5
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_TOKENS = "/api/v1/auth/token"
# What one may still do in a suspended shop: sign in and out, look after one's account, take one's data along, leave.
_OPEN_WHILE_SUSPENDED = (
    "/account/",
    "/welcome/",
    "/theme/",
    "/notifications/",
    "/settings/profile/",
    "/settings/security/",
    "/settings/sessions/",
    "/settings/data/",
    "/api/v1/auth/",
    "/api/v1/notifications/",
    "/api/v1/tenant/",
    # What channels tell by themselves: orders come in all the same.
    "/api/v1/channels/",
)


def _json_body(request: HttpRequest) -> dict[str, Any]:
    """Answer the members of a small JSON body; nothing if it isn't one (the view says what is wrong with it)."""
    try:
        if request.content_type != "application/json" or int(request.headers.get("Content-Length") or 0) > _SMALL_BODY:
            return {}
        body = json.loads(request.body)
    except (ValueError, RecursionError, RequestDataTooBig, UnreadablePostError):
        return {}
    return body if isinstance(body, dict) else {}


def _of_credential(request: HttpRequest) -> Shop | None:
    """Answer the shop that the credential of a request to the central API host belongs to."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        schema = workspace_key_of(token.strip())
        if schema == PUBLIC:
            # The schema at hand is that of our staff, who have no business here.
            del request.META["HTTP_AUTHORIZATION"], request.headers
    elif request.path_info.startswith(_TOKENS):
        body = _json_body(request)
        slug, refresh = body.get("tenant"), body.get("refresh_token")
        if isinstance(slug, str):
            return tenant_for_host(host_of(slug.strip().lower()))
        schema = workspace_key_of(refresh) if isinstance(refresh, str) else None
    else:
        schema = None
    return tenant_for_schema(schema) if schema else None


def _host(request: HttpRequest) -> str:
    """Answer the host that was asked for, in lower case and without port; empty for one that can't be."""
    try:
        return split_domain_port(request.get_host())[0].rstrip(".")
    except DisallowedHost:
        return ""


class TenantMiddleware:
    """Enters the shop's schema for the time of the request, streamed answers included, and leaves it however it ends.

    Sets `request.urlconf` by the kind of host, and `request.shop` (None on the site, and on the API's host where no
    credential names a shop: there the public schema is seen, in which no token of ours is good).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        place = cast("Any", connection)
        place.set_schema_to_public()
        host = _host(request)
        try:
            kind, shop = self._find(request, host)
        except (DatabaseError, PoolTimeout):
            return problem_response(request, Unavailable(retry_after=_RETRY_AFTER_S))
        if kind is HostKind.UNKNOWN:
            return self._unknown(request, host)
        request.shop = shop  # type: ignore[attr-defined]  # ours
        request.urlconf = {
            HostKind.SITE: settings.PUBLIC_SCHEMA_URLCONF,
            HostKind.API: settings.API_URLCONF,
            HostKind.TENANT: settings.ROOT_URLCONF,
        }[kind]
        if shop is None:
            return self.get_response(request)
        try:
            with structlog.contextvars.bound_contextvars(tenant=shop.slug):
                place.set_tenant(shop)
                response = self.get_response(request)
        finally:
            place.set_schema_to_public()
        if response.streaming:
            streamed = cast("StreamingHttpResponse", response)
            streamed.streaming_content = self._within(shop, cast("Iterator[bytes]", streamed.streaming_content))
        return response

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        """Refuse changes of a suspended shop."""
        shop: Shop | None = getattr(request, "shop", None)
        if shop is None or not shop.is_suspended or request.method in _SAFE:
            return None
        if request.path_info.startswith(_OPEN_WHILE_SUSPENDED):
            return None
        return problem_response(request, Suspended(f"{shop.suspension_reason} You can look and export; changes wait."))

    @staticmethod
    def _find(request: HttpRequest, host: str) -> tuple[HostKind, Shop | None]:
        kind = kind_of(host) if host else HostKind.UNKNOWN
        if kind is HostKind.API:
            # A cookie belongs to a shop's own host; here one of our staff's would be looked for.
            request.COOKIES.clear()
            return kind, _of_credential(request)
        shop = tenant_for_host(host) if kind is HostKind.TENANT else None
        return (kind, shop) if shop or kind is HostKind.SITE else (HostKind.UNKNOWN, None)

    @staticmethod
    def _within(shop: Shop, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """A streamed answer reads its rows while it is sent, when the request has long left the shop's schema."""
        with tenant_context(shop):
            yield from chunks

    @staticmethod
    def _unknown(request: HttpRequest, host: str) -> HttpResponse:
        if wants_json(request):
            return problem_json(request, NotFound("No shop has this address."))
        page = render_to_string("tenant_not_found.html", {"host": host, "site_url": site_url()})
        return HttpResponse(page, status=404)
