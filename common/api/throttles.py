"""Limits on the API: per identity (or address, where there is none) and per shop, told in RateLimit headers."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from common import actor, limits
from common.access import ANONYMOUS
from common.errors import RateLimited
from common.limits import Limit, Verdict, network_of

if TYPE_CHECKING:
    # DRF's views import this module while they are being imported themselves.
    from rest_framework.views import APIView


def _subject() -> str:
    who = actor.current()
    return f"address:{network_of(actor.origin().ip_address)}" if who is ANONYMOUS else who.identity


class IdentityThrottle(BaseThrottle):
    """Counts the request against its identity and its shop. Raises RateLimited with the longer wait."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        takes = [
            (Limit.of("identity", settings.API_RATE), _subject()),
            (Limit.of("shop", settings.API_SHOP_RATE), "all"),
        ]
        verdicts = limits.take_all(takes)
        request._request.rate_limits = verdicts  # type: ignore[attr-defined]  # read again by add_headers
        refused = [verdict.reset_s for verdict in verdicts if not verdict.allowed]
        if refused:
            raise RateLimited(retry_after=max(refused))
        return True


def add_headers(response: HttpResponse, verdicts: list[Verdict]) -> None:
    """Tell the limits and what is left of them (draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4; 2026-11)."""
    response["RateLimit-Policy"] = ", ".join(
        f'"{v.limit.name}";q={v.limit.amount};w={v.limit.window_s}' for v in verdicts
    )
    response["RateLimit"] = ", ".join(f'"{v.limit.name}";r={v.remaining};t={v.reset_s}' for v in verdicts)
