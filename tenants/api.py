"""The shop over HTTP: its settings, the export of everything, its end."""

from django.http import HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from rest_framework.request import Request

from common.api.operations import operation
from common.api.views import ApiView
from common.errors import StaleVersion
from tenants import queries, serializers, services
from tenants.errors import NoDeletionRequested


class SettingsView(ApiView):
    """What the shop says about itself."""

    access = {"GET": "settings:read", "PATCH": "settings:write"}

    @operation("Show the shop's settings", answers=serializers.SettingsOut)
    def get(self, _request: Request) -> HttpResponse:
        found = queries.shop_settings()
        return self.answer(found, version=found.version)

    @operation(
        "Change the shop's settings",
        takes=serializers.SettingsInput,
        answers=serializers.SettingsOut,
        versioned=True,
        errors=(StaleVersion,),
        example={"name": "Demo Bricks", "timezone": "Europe/Lisbon"},
    )
    def patch(self, _request: Request) -> HttpResponse:
        expected = self.expected_version()
        values = {"time_zone" if name == "timezone" else name: value for name, value in self.body.items()}
        tenant = services.update_settings(expected_version=expected, **values)
        return self.answer(queries.as_settings(tenant), version=tenant.version)


class ExportView(ApiView):
    """All of the shop's data as a file."""

    access = {"POST": "settings:write"}

    @operation(
        "Export everything",
        description="A job that leaves a ZIP of JSON lines, to be fetched for seven days.",
        answers=serializers.StartedJobOut,
        status=202,
        headers={"Location": "The job."},
    )
    def post(self, _request: Request) -> HttpResponse:
        job = services.start_export()
        return self.answer(job, location=reverse("api:job", args=[job.id], urlconf=self.request._request.urlconf))


class DeletionView(ApiView):
    """The end of the shop, after thirty days in which an owner can take it back."""

    access = {"POST": "settings:write", "DELETE": "settings:write"}
    # A key's remembered answer must not undo the count of wrong passwords.
    atomic_with_key = False

    @operation(
        "Ask for the shop's deletion",
        description="An owner's alone. Asking again changes nothing.",
        takes=serializers.DeletionInput,
        answers=serializers.DeletionOut,
        status=202,
    )
    def post(self, _request: Request) -> HttpResponse:
        tenant = services.request_deletion(**self.body, now=timezone.now())
        return self.answer(queries.as_settings(tenant))

    @operation("Keep the shop after all", description="An owner's alone.", errors=(NoDeletionRequested,))
    def delete(self, _request: Request) -> HttpResponse:
        services.cancel_deletion()
        return self.answer()


api_urlpatterns = [
    path("settings", SettingsView.as_view(), name="settings"),
    path("tenant/export", ExportView.as_view(), name="tenant_export"),
    path("tenant/deletion", DeletionView.as_view(), name="tenant_deletion"),
]
