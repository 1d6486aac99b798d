"""Figures for Prometheus: what was asked, how long it took, what waits. Not for the public (reliability.md, check 45).

Web workers are processes that don't know each other. They count in files (brikonnect.wsgi says where, before this is
imported), and whichever worker is asked answers for all.
"""

import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address

import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    values,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from brikonnect import health
from common.access import open_to_all
from common.errors import NotFound
from common.middleware.hygiene import METHODS

_QUEUES = ("orders", "sync", "default", "bulk")

REQUESTS = Counter("brikonnect_http_requests_total", "Requests that were answered.", ["method", "route", "status"])
SECONDS = Histogram(
    "brikonnect_http_request_seconds",
    "How long answering took.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


class MetricsMiddleware:
    """Counts every request by its route; the route's pattern, not the address, so that there are few."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = time.perf_counter()
        response = self.get_response(request)
        route = request.resolver_match.route if request.resolver_match else "none"
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(method, route, response.status_code).inc()
        SECONDS.labels(route).observe(time.perf_counter() - begun)
        return response


class _State:
    """What is looked up when somebody asks: the services that we stand on, and what waits in the queues."""

    def collect(self) -> Iterator[Metric]:
        """Answer the present figures."""
        state = GaugeMetricFamily("brikonnect_service_ok", "1 where the service is fine.", labels=["service"])
        for service, found in health.check().items():
            state.add_metric([service], 1 if found == "ok" else 0)
        yield state
        waiting = GaugeMetricFamily("brikonnect_queue_length", "Tasks that wait for a worker.", labels=["queue"])
        try:
            with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1) as client:
                for queue in _QUEUES:
                    waiting.add_metric([queue], float(client.llen(queue)))
        except redis.RedisError:
            return
        yield waiting


def _registry() -> CollectorRegistry:
    made = CollectorRegistry()
    if values.ValueClass is not values.MutexValue:
        MultiProcessCollector(made)  # type: ignore[no-untyped-call]  # prometheus_client types only a part of itself
    else:
        made.register(REGISTRY)
    made.register(_State())
    return made


def _is_ours(request: HttpRequest) -> bool:
    """Tell whether this machine asks, with no proxy in between, or somebody with the token."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if settings.METRICS_TOKEN:
        return constant_time_compare(token, settings.METRICS_TOKEN)
    try:
        is_near = ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
    return is_near and "X-Forwarded-For" not in request.headers and "Forwarded" not in request.headers


@open_to_all
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer the figures in Prometheus' text format; nobody else learns that they are here."""
    if not _is_ours(request):
        raise NotFound
    return HttpResponse(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)
