"""The API: on its own host for all shops, on a shop's host for that shop, on the site's host what is nobody's data."""

from importlib import import_module
from typing import Any, cast

from django.conf import settings
from django.urls import URLPattern, include, path

from brikonnect import api_docs, health, metrics
from brikonnect.features import api_urls
from common.api.views import ApiView

handler400 = "common.error_responses.bad_request"
handler403 = "common.error_responses.permission_denied"
handler404 = "common.error_responses.page_not_found"
handler500 = "common.error_responses.server_error"

_APPS = (
    "accounts.api", "audit.api", "jobs.api", "inventory.api", "orders.api", "picker.api", "notifications.api",
    "brikonnect.definitions", "brikonnect.health",
)  # fmt: skip


def _offered(pattern: URLPattern) -> URLPattern | None:
    """Answer the route as this installation has it: without the public API only methods that don't belong to it."""
    view: type[ApiView] = cast("Any", pattern.callback).cls
    if settings.FEATURES.public_api or not view.public_api:
        return pattern
    methods = [method.lower() for method in view.access if method not in view.public_api]
    if not methods:
        return None
    names = [*methods, "head"] if "get" in methods else methods
    return URLPattern(pattern.pattern, view.as_view(http_method_names=names), name=pattern.name)


def _routes() -> list[URLPattern]:
    modules = (*_APPS, *api_urls(settings.FEATURES))
    declared: list[URLPattern] = [pattern for name in modules for pattern in import_module(name).api_urlpatterns]
    return [offered for pattern in declared if (offered := _offered(pattern))]


_probes = [*health.urlpatterns, path("metrics", metrics.metrics, name="metrics")]
_docs = path("api/v1/", include(api_docs.urlpatterns))
public_urlpatterns = [path("api/v1/", include((health.api_urlpatterns, "api"))), _docs, *_probes]
urlpatterns = [path("api/v1/", include((_routes(), "api"))), _docs, *_probes]
