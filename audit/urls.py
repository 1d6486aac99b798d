"""The addresses of the audit log."""

from django.urls import path

from audit import views

app_name = "audit"
urlpatterns = [
    path("", views.log, name="log"),
    path("<uuid:change_set_id>/", views.change_set, name="change_set"),
    path("<uuid:change_set_id>/changes/", views.changes, name="changes"),
    path("<uuid:change_set_id>/revert/", views.revert, name="revert"),
    path("<uuid:change_set_id>/undo/", views.undo, name="undo"),
    path("history/<slug:entity_type>/<str:entity_id>/", views.history, name="history"),
]
