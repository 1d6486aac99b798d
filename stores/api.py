"""Stores over HTTP. What opens them goes in, and is asked about, at addresses of `sync.api`."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from rest_framework.request import Request

from common.api.operations import operation
from common.api.views import ApiView
from common.errors import Conflict, StaleVersion
from stores import queries, serializers, services

_EXAMPLE = {"channel": "bricklink", "name": "Demo Bricks", "settings": {"sync_interval_hours": 12}}


def _one(view: ApiView, store_id: UUID) -> HttpResponse:
    found = queries.get_view(store_id, now=timezone.now())
    return view.answer(serializers.as_row(found), version=found.store.version)


def _user_id(request: Request) -> UUID | None:
    key: Any = getattr(request.user, "pk", None)
    return key if isinstance(key, UUID) else None


class StoresView(ApiView):
    """The stores."""

    access = {"GET": "stores:read", "POST": "stores:write"}

    @operation("List stores", answers=serializers.StoreRow, ordering=("name", "created_at"))
    def get(self, _request: Request) -> HttpResponse:
        """Answer every store and how it fares."""
        now = timezone.now()
        return self.page(
            queries.stores(),
            as_rows=lambda rows: [serializers.as_row(queries.view_of(store, now=now)) for store in rows],
        )

    @operation(
        "Add a store",
        takes=serializers.StoreInput,
        answers=serializers.StoreRow,
        status=201,
        versioned=False,
        errors=(Conflict,),
        description="It is connected once its credentials are set. Settings that aren't given have their defaults.",
        example=_EXAMPLE,
    )
    def post(self, request: Request) -> HttpResponse:
        """Add a store that isn't connected yet."""
        made = services.create_store(**self.body, set_by_id=_user_id(request), now=timezone.now())
        found = queries.get_view(made.pk, now=timezone.now())
        location = reverse("api:store", args=[made.pk], urlconf=self.request._request.urlconf)
        return self.answer(serializers.as_row(found), location=location, version=made.version)


class StoreView(ApiView):
    """One store."""

    access = {"GET": "stores:read", "PATCH": "stores:write", "DELETE": ("stores:write", "stores:credentials")}

    @operation("Show a store", answers=serializers.StoreRow, versioned=True)
    def get(self, _request: Request, store_id: UUID) -> HttpResponse:
        """Answer a store, and its version as ETag."""
        return _one(self, store_id)

    @operation(
        "Change a store",
        takes=serializers.StorePatch,
        answers=serializers.StoreRow,
        versioned=True,
        errors=(Conflict, StaleVersion),
        description="Of the settings, those that are given change. `is_enabled` false pauses the store. Another "
        "`listed_query` that takes many lots off needs their number as `confirmed_removals`; the refusal names it.",
        example={"is_enabled": False, "version": 3},
    )
    def patch(self, _request: Request, store_id: UUID) -> HttpResponse:
        """Change a store."""
        version, confirmed = self.expected_version(), self.body.pop("confirmed_removals", None)
        services.update_store(
            store_id=store_id, changes=self.body, expected_version=version, confirmed_removals=confirmed
        )  # fmt: skip
        return _one(self, store_id)

    @operation(
        "Disconnect a store",
        versioned=True,
        errors=(Conflict, StaleVersion),
        description="Erases what opens it. The store itself stays, with its orders, listings and history.",
    )
    def delete(self, _request: Request, store_id: UUID) -> HttpResponse:
        """Disconnect a store."""
        services.disconnect_store(store_id=store_id, expected_version=self.expected_version(), now=timezone.now())
        return self.answer()


api_urlpatterns = [
    path("stores", StoresView.as_view(), name="stores"),
    path("stores/<uuid:store_id>", StoreView.as_view(), name="store"),
]
