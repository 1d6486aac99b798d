"""Addresses of the notifications' pages, below /notifications/."""

from django.urls import path

from notifications import views

app_name = "notifications"
urlpatterns = [
    path("", views.notification_list, name="list"),
    path("bell/", views.bell, name="bell"),
    path("settings/", views.settings, name="settings"),
    path("read-all/", views.read_all, name="read_all"),
    path("<uuid:notification_id>/open/", views.open_action, name="open"),
    path("<uuid:notification_id>/read/", views.read, name="read"),
    path("<uuid:notification_id>/dismiss/", views.dismiss, name="dismiss"),
]
