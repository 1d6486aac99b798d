"""Where an embedder mounts core's pages."""

from django.urls import include, path

from accounts.urls import allauth_urlpatterns

urlpatterns = [
    path("account/", include(allauth_urlpatterns)),
    path("audit/", include("audit.urls")),
    path("jobs/", include("jobs.urls")),
    path("notifications/", include("notifications.urls")),
    path("", include("accounts.urls")),
]
