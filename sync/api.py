"""The channels over HTTP."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from rest_framework.request import Request

from common.api.operations import operation
from common.api.views import ApiView
from common.errors import Conflict
from jobs.serializers import JobRow
from stores.serializers import ProbeRow
from sync import services
from sync.run_api import run_api_urlpatterns
from sync.services import Tested


def _row(result: Tested) -> dict[str, Any]:
    facts, error = result.facts, result.error
    extra = error.extra if error else {}
    return {
        "ok": result.is_fine,
        "shop_name": (facts.name or None) if facts else None,
        "currency": (facts.currency or None) if facts else None,
        "lots_count": facts.lots_count if facts else None,
        "calls_left": result.calls_left,
        "warnings": list(facts.warnings) if facts else [],
        "reason": (extra.get("reason") or error.type) if error else None,
        "detail": (error.detail or error.title) if error else None,
        "address": extra.get("address") or None,
        "retry_after": extra.get("retry_after"),
    }


class ProbeView(ApiView):
    """Whether a store answers."""

    access = {"POST": "stores:write"}
    # Nothing is done by it that could be done twice, and no transaction waits for a channel.
    atomic_with_key = False

    @operation(
        "Test a store's connection",
        answers=ProbeRow,
        errors=(Conflict,),
        description="Asks the channel once, and says what it found or precisely what is wrong: both are 200.",
    )
    def post(self, _request: Request, store_id: UUID) -> HttpResponse:
        """Ask the channel."""
        return self.answer(_row(services.probe_store(store_id=store_id, now=timezone.now())))


class SyncView(ApiView):
    """A store is brought up to date now."""

    access = {"POST": "sync:apply"}

    @operation(
        "Sync a store now",
        answers=JobRow,
        status=202,
        errors=(Conflict,),
        description="A job reads the store's orders, and sends what is different there, also where `auto_sync` is off.",
    )
    def post(self, request: Request, store_id: UUID) -> HttpResponse:
        """Start the job."""
        job = services.start_sync(store_id=store_id)
        location = reverse("api:job", args=[job.pk], urlconf=request._request.urlconf)
        return self.answer(job, location=location)


api_urlpatterns = [
    path("stores/<uuid:store_id>/test", ProbeView.as_view(), name="store_test"),
    path("stores/<uuid:store_id>/sync", SyncView.as_view(), name="store_sync"),
    *run_api_urlpatterns,
]
