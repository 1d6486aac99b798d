"""What a shop's own host serves: its pages, and the API for that shop."""

from django.conf import settings
from django.urls import include, path

from accounts.urls import allauth_urlpatterns
from brikonnect import home, search
from brikonnect.features import page_urls
from brikonnect.urls.api import urlpatterns as api_urlpatterns
from inventory.urls import catalog_urlpatterns

handler400 = "common.error_responses.bad_request"
handler403 = "common.error_responses.permission_denied"
handler404 = "common.error_responses.page_not_found"
handler500 = "common.error_responses.server_error"

urlpatterns = [
    path("", home.dashboard, name="dashboard"),
    path("start/", home.start, name="start"),
    path("first-steps/dismiss/", home.dismiss_first_steps, name="dismiss_first_steps"),
    path("settings/", home.settings_home, name="settings"),
    path("search/palette/", search.palette, name="palette"),
    path("manifest.webmanifest", home.manifest, name="manifest"),
    path("robots.txt", home.robots, name="robots"),
    path("account/", include(allauth_urlpatterns)),
    path("audit/", include("audit.urls")),
    path("inventory/", include("inventory.urls")),
    path("jobs/", include("jobs.urls")),
    path("orders/", include("orders.urls")),
    path("notifications/", include("notifications.urls")),
    path("", include("picker.urls")),
    path("", include("accounts.urls")),
    path("", include((catalog_urlpatterns, "catalog"))),
    *(path("", include(module)) for module in page_urls(settings.FEATURES)),
    *api_urlpatterns,
]
