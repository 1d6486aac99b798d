"""The channels over HTTP."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from rest_framework.request import Request

from common.api.operations import operation
from common.api.views import ApiView
from common.errors import Conflict, CredentialsRefused, Invalid, ProviderRejected, ProviderUnavailable
from jobs.serializers import JobRow
from stores import queries as stores
from stores.serializers import CredentialsInput, ProbeRow, StoreRow, as_row
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


class CredentialsView(ApiView):
    """What opens a store."""

    access = {"POST": "stores:credentials"}
    # As with the test: no transaction waits for a channel.
    atomic_with_key = False

    @operation(
        "Set or replace a store's credentials",
        takes=CredentialsInput,
        answers=StoreRow,
        errors=(Conflict, ProviderUnavailable),
        description="Write only: afterwards the last characters of each value are shown. The channel is asked first, "
        "and nothing is kept where it refuses them, or where they open another store than the one that is known. "
        "Connects a store that was disconnected.",
        example={"credentials": {"key": "0123456789abcdef"}},
    )
    def post(self, request: Request, store_id: UUID) -> HttpResponse:
        """Ask the channel, then set or replace them."""
        key: Any = getattr(request.user, "pk", None)
        result = services.replace_credentials(
            store_id=store_id, credentials=self.body["credentials"], set_by_id=key if isinstance(key, UUID) else None
        )
        match result.error:
            case CredentialsRefused() | ProviderRejected() as refused:
                raise Invalid(errors={"/credentials": [refused.detail or refused.title]})
            case None:
                found = stores.get_view(store_id, now=timezone.now())
                return self.answer(as_row(found), version=found.store.version)
            case error:
                raise error


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
    path("stores/<uuid:store_id>/credentials", CredentialsView.as_view(), name="store_credentials"),
    path("stores/<uuid:store_id>/sync", SyncView.as_view(), name="store_sync"),
    *run_api_urlpatterns,
]
